//! timerfd_create(2).

use alloc::rc::{Rc, Weak};
use core::{cell::Cell, time::Duration};

use super::{
    FileDescription, FileObject, Whence,
    transfer::{Sink, UserBuffers},
};
use crate::{
    error::{Errno, Result},
    machine::{Env, Expire, Machine},
    time::{Clock, TimerKey},
    user::UserSlice,
    wait::{Readiness, WaitQueue},
};

/// What a timer counts by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerBase {
    /// The wall clock.
    Wall,
    /// Time since boot.
    Boot,
}

/// When a timer goes off, and how often after that.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerSetting {
    /// What its clock shows when it goes off first; `None` for a timer that is not set.
    pub due: Option<Duration>,
    /// The clock: a time on the wall clock follows when that is set, and a time from now on does not.
    pub on: TimerBase,
    /// Time between one going off and the next; zero for a timer that goes off once.
    pub interval: Duration,
}

/// A timer that can be waited for.
///
/// As in Linux (fs/timerfd.c), one that has gone off stands still until it is read: what it missed meanwhile is
/// counted then.
pub struct TimerFd {
    me: Weak<Self>,
    /// What it counts by.
    pub base: TimerBase,
    setting: Cell<TimerSetting>,
    key: Cell<Option<TimerKey>>,
    /// Times that it went off and that were not read.
    ticks: Cell<u64>,
    /// What the wall clock was ahead by when it was set, if setting the clock cancels it.
    cancelled_by_change_of: Cell<Option<Duration>>,
    queue: WaitQueue,
}

fn wall_offset(machine: &Machine) -> Duration {
    machine.clock.wall().saturating_sub(machine.clock.since_boot())
}

impl TimerBase {
    /// What the clock shows.
    #[must_use]
    pub fn now(self, clock: &Clock) -> Duration {
        match self {
            Self::Wall => clock.wall(),
            Self::Boot => clock.since_boot(),
        }
    }
}

impl TimerFd {
    /// A timer that is not set.
    #[must_use]
    pub fn new(base: TimerBase) -> Rc<Self> {
        let setting = TimerSetting { due: None, on: base, interval: Duration::ZERO };
        Rc::new_cyclic(|me| Self {
            me: me.clone(),
            base,
            setting: Cell::new(setting),
            key: Cell::new(None),
            ticks: Cell::new(0),
            cancelled_by_change_of: Cell::new(None),
            queue: WaitQueue::default(),
        })
    }

    /// Time until it next goes off, zero if it is not set; and the interval.
    pub fn remaining(&self, machine: &mut Machine) -> (Duration, Duration) {
        self.catch_up(machine);
        let TimerSetting { due, on, interval } = self.setting.get();
        let left = match due {
            Some(due) if self.key.get().is_some() => {
                due.saturating_sub(on.now(&machine.clock)).max(Duration::from_nanos(1))
            }
            _ => Duration::ZERO,
        };
        (left, interval)
    }

    /// Sets it anew.
    pub fn set(&self, machine: &mut Machine, setting: TimerSetting) {
        self.cancelled_by_change_of.set(None);
        self.unset(machine);
        self.ticks.set(0);
        self.setting.set(setting);
        self.start(machine);
    }

    /// From now on, setting the wall clock makes reads fail (`TFD_TIMER_CANCEL_ON_SET`).
    pub fn cancel_on_clock_change(&self, machine: &Machine) {
        self.cancelled_by_change_of.set(Some(wall_offset(machine)));
    }

    fn start(&self, machine: &mut Machine) {
        let TimerSetting { due: Some(due), on, .. } = self.setting.get() else { return };
        let instant = match on {
            TimerBase::Wall => machine.clock.at_wall(due),
            TimerBase::Boot => machine.clock.at_since_boot(due),
        };
        self.key.set(Some(machine.set_timer(instant, self.me.clone())));
    }

    fn unset(&self, machine: &mut Machine) {
        if let Some(key) = self.key.take() {
            machine.timers.cancel(key);
        }
    }

    /// Counts what was missed since it last went off, and sets it for the next time.
    fn catch_up(&self, machine: &mut Machine) {
        let TimerSetting { due: Some(due), on, interval } = self.setting.get() else { return };
        let has_stopped = self.key.get().is_none() && self.ticks.get() > 0;
        if !has_stopped || interval.is_zero() {
            return;
        }
        let late = on.now(&machine.clock).saturating_sub(due);
        let missed = (late.as_nanos() / interval.as_nanos()) as u64;
        let passed = interval.as_nanos().saturating_mul(u128::from(missed) + 1);
        let passed = Duration::from_nanos(u64::try_from(passed).unwrap_or(u64::MAX));
        self.ticks.set(self.ticks.get().saturating_add(missed));
        self.setting.set(TimerSetting { due: Some(due.saturating_add(passed)), on, interval });
        self.start(machine);
    }

    fn is_cancelled(&self, machine: &Machine) -> bool {
        let before = self.cancelled_by_change_of.get();
        before.is_some_and(|before| before != wall_offset(machine))
    }
}

impl Expire for TimerFd {
    fn expire(&self, machine: &mut Machine) {
        self.key.set(None);
        let TimerSetting { due, on, .. } = self.setting.get();
        if due.is_some_and(|due| on.now(&machine.clock) < due) {
            self.start(machine);
            return;
        }
        self.ticks.set(self.ticks.get().saturating_add(1));
        self.queue.wake(Readiness::IN, &mut machine.wakes);
    }

    fn clocks_were_set(&self, machine: &mut Machine) {
        self.unset(machine);
        self.start(machine);
        if self.is_cancelled(machine) {
            // Whoever reads learns why (`timerfd_clock_was_set`).
            self.ticks.set(self.ticks.get().saturating_add(1));
            self.queue.wake(Readiness::IN, &mut machine.wakes);
        }
    }
}

impl FileObject for Rc<TimerFd> {
    fn read(&self, env: &mut Env<'_>, _: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        let mut sink = UserBuffers::new(env.host, into);
        if sink.room() < size_of::<u64>() {
            return Err(Errno::EINVAL.into());
        }
        if self.is_cancelled(env.machine) {
            self.cancel_on_clock_change(env.machine);
            self.ticks.set(0);
            return Err(Errno::ECANCELED.into());
        }
        if self.ticks.get() == 0 {
            return Err(Errno::EAGAIN.into());
        }
        self.catch_up(env.machine);
        let ticks = self.ticks.take();
        sink.put(&ticks.to_ne_bytes())?;
        Ok(size_of::<u64>())
    }

    fn seek(&self, _: &mut Env<'_>, file: &FileDescription, _: i64, _: Whence) -> Result<u64> {
        Ok(file.offset.get())
    }

    fn readiness(&self) -> Readiness {
        if self.ticks.get() > 0 { Readiness::IN } else { Readiness::empty() }
    }

    fn queue(&self) -> Option<&WaitQueue> {
        Some(&self.queue)
    }

    fn release(&self, env: &mut Env<'_>) {
        self.unset(env.machine);
    }
}
