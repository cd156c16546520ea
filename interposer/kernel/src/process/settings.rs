//! What a process or thread has set for itself, and what little of it has an effect here.

use crate::signal::Signal;

/// What prctl(2) and personality(2) set for a process.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Adopts the orphans among its descendants (`PR_SET_CHILD_SUBREAPER`).
    pub is_subreaper: bool,
    /// Gains nothing by exec any more (`PR_SET_NO_NEW_PRIVS`).
    pub no_new_privileges: bool,
    /// Does not want huge pages (`PR_SET_THP_DISABLE`).
    pub no_huge_pages: bool,
    /// Cannot be dumped or traced (`PR_SET_DUMPABLE` with zero).
    pub undumpable: bool,
    /// Gets this signal when its parent ends (`PR_SET_PDEATHSIG`).
    pub death_signal: Option<Signal>,
    /// `PR_SET_SECUREBITS`.
    pub secure_bits: u32,
    /// personality(2).
    pub personality: u32,
    /// Barriers it may ask for (membarrier(2), the registering commands).
    pub barriers: u32,
}

impl Settings {
    /// What a child starts with.
    #[must_use]
    pub fn inherit(&self) -> Self {
        Self { is_subreaper: false, death_signal: None, ..self.clone() }
    }
}

/// A scheduling policy (sched(7)).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "sched(7) describes each")]
pub enum Policy {
    #[default]
    Other,
    Fifo,
    RoundRobin,
    Batch,
    Idle,
}

impl Policy {
    /// The policy with this number.
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        Some(match number {
            0 => Self::Other,
            1 => Self::Fifo,
            2 => Self::RoundRobin,
            3 => Self::Batch,
            5 => Self::Idle,
            _ => return None,
        })
    }

    /// Its number.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Other => 0,
            Self::Fifo => 1,
            Self::RoundRobin => 2,
            Self::Batch => 3,
            Self::Idle => 5,
        }
    }

    /// Lowest and highest static priority.
    #[must_use]
    pub const fn priorities(self) -> (u32, u32) {
        match self {
            Self::Fifo | Self::RoundRobin => (1, 99),
            Self::Other | Self::Batch | Self::Idle => (0, 0),
        }
    }
}

/// How a thread wants to be scheduled. It is kept and shown; the seed alone decides who runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Scheduling {
    /// Policy.
    pub policy: Policy,
    /// Static priority.
    pub priority: u32,
    /// Nice value, -20 to 19.
    pub nice: i32,
    /// Children start with the default policy (`SCHED_RESET_ON_FORK`).
    pub resets_on_fork: bool,
    /// Processors it may run on, one bit each.
    pub affinity: u64,
    /// ioprio_set(2).
    pub io_priority: u32,
    /// Timer slack in nanoseconds (`PR_SET_TIMERSLACK`).
    pub timer_slack: u64,
    /// What it is set back to: what its creator had.
    pub timer_slack_default: u64,
}

/// Default timer slack in nanoseconds.
pub const TIMER_SLACK_DEFAULT: u64 = 50_000;

impl Default for Scheduling {
    fn default() -> Self {
        Self {
            policy: Policy::Other,
            priority: 0,
            nice: 0,
            resets_on_fork: false,
            affinity: u64::MAX,
            io_priority: 0,
            timer_slack: TIMER_SLACK_DEFAULT,
            timer_slack_default: TIMER_SLACK_DEFAULT,
        }
    }
}

impl Scheduling {
    /// What a new thread or process starts with.
    #[must_use]
    pub fn inherit(&self) -> Self {
        let timer_slack_default = self.timer_slack;
        if !self.resets_on_fork {
            return Self { timer_slack_default, ..*self };
        }
        let real_time = self.policy.priorities().1 > 0;
        Self {
            policy: if real_time { Policy::Other } else { self.policy },
            priority: 0,
            nice: self.nice.max(0),
            resets_on_fork: false,
            timer_slack_default,
            ..*self
        }
    }
}
