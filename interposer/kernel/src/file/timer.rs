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
    time::{Instant, TimerKey},
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
    /// When it goes off first; `None` for a timer that is not set.
    pub due: Option<Instant>,
    /// Time between one going off and the next; zero for a timer that goes off once.
    pub interval: Duration,
}

/// A timer that can be waited for.
///
/// As in Linux (fs/timerfd.c), one that has gone off stands still until it is read: what it missed meanwhile is
/// counted then.
pub struct TimerFd {
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

impl TimerFd {
    /// A timer that is not set.
    #[must_use]
    pub fn new(base: TimerBase) -> Self {
        Self {
            base,
            setting: Cell::new(TimerSetting { due: None, interval: Duration::ZERO }),
            key: Cell::new(None),
            ticks: Cell::new(0),
            cancelled_by_change_of: Cell::new(None),
            queue: WaitQueue::default(),
        }
    }

    /// Time until it next goes off, zero if it is not set; and the interval.
    pub fn remaining(self: &Rc<Self>, machine: &mut Machine) -> (Duration, Duration) {
        self.catch_up(machine);
        let TimerSetting { due, interval } = self.setting.get();
        let left = match due {
            Some(due) if self.key.get().is_some() => {
                machine.clock.left_until(due).max(Duration::from_nanos(1))
            }
            _ => Duration::ZERO,
        };
        (left, interval)
    }

    /// Sets it anew.
    pub fn set(self: &Rc<Self>, machine: &mut Machine, setting: TimerSetting) {
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

    fn start(self: &Rc<Self>, machine: &mut Machine) {
        let Some(due) = self.setting.get().due else { return };
        let weak: Weak<Self> = Rc::downgrade(self);
        self.key.set(Some(machine.set_timer(due, weak)));
    }

    fn unset(&self, machine: &mut Machine) {
        if let Some(key) = self.key.take() {
            machine.timers.cancel(key);
        }
    }

    /// Counts what was missed since it last went off, and sets it for the next time.
    fn catch_up(self: &Rc<Self>, machine: &mut Machine) {
        let TimerSetting { due: Some(due), interval } = self.setting.get() else { return };
        let has_stopped = self.key.get().is_none() && self.ticks.get() > 0;
        if !has_stopped || interval.is_zero() {
            return;
        }
        let late = machine.clock.now() - due;
        let takes = machine.clock.takes(interval).as_nanos().max(1);
        let missed = (late.as_nanos() / takes) as u64;
        let passed = takes.saturating_mul(u128::from(missed) + 1);
        let passed = Duration::from_nanos(u64::try_from(passed).unwrap_or(u64::MAX));
        self.ticks.set(self.ticks.get() + missed);
        self.setting.set(TimerSetting { due: Some(due + passed), interval });
        self.start(machine);
    }
}

impl Expire for TimerFd {
    fn expire(&self, machine: &mut Machine) {
        self.key.set(None);
        self.ticks.set(self.ticks.get() + 1);
        self.queue.wake(Readiness::IN, &mut machine.wakes);
    }
}

impl FileObject for Rc<TimerFd> {
    fn read(&self, env: &mut Env<'_>, _: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        let mut sink = UserBuffers::new(env.host, into);
        if sink.room() < size_of::<u64>() {
            return Err(Errno::EINVAL.into());
        }
        let offset = wall_offset(env.machine);
        if self.cancelled_by_change_of.get().is_some_and(|before| before != offset) {
            self.cancelled_by_change_of.set(Some(offset));
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
