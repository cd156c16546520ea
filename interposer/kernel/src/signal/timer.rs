//! Timers that send signals: alarm(2), setitimer(2), timer_create(2).
//!
//! As in Linux, a timer with an interval that has gone off stands still until its signal is taken: what it missed
//! meanwhile is counted then. So one whose signal nobody takes costs nothing.

use alloc::{
    collections::BTreeMap,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::{cell::Cell, time::Duration};

use linux_raw_sys::general as raw;

use super::{Signal, SignalInfo};
use crate::{
    kernel::Kernel,
    machine::{Due, Expire, Machine, SignalTarget},
    process::{ProcessId, ThreadId},
    time::TimerKey,
};

/// What a timer counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TimerClock {
    /// The wall clock.
    Wall,
    /// The wall clock, leap seconds included.
    Atomic,
    /// Time since boot.
    Boot,
    /// Processor time of the process.
    Process,
    /// The part of it that counts as spent in the program.
    User,
    /// Processor time of one of its threads.
    Thread(ThreadId),
}

/// What the instant of a timer is measured on: relative times on the wall clock do not follow when that is set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Scale {
    Boot,
    Wall,
    Atomic,
    Processor,
}

/// When a timer goes off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum First {
    /// Never.
    Never,
    /// This long from now.
    In(Duration),
    /// When its clock shows this.
    At(Duration),
}

/// A timer that sends a signal.
pub struct SignalTimer {
    me: Weak<Self>,
    clock: TimerClock,
    /// What it sends to whom; nothing for one that is only looked at (`SIGEV_NONE`).
    notify: Option<(SignalTarget, SignalInfo)>,
    scale: Cell<Scale>,
    due: Cell<Option<Duration>>,
    interval: Cell<Duration>,
    key: Cell<Option<TimerKey>>,
    /// How often it was set: signals of an earlier setting are dropped.
    series: Cell<u32>,
    overrun: Cell<u32>,
}

/// The timers of a process.
#[derive(Default)]
pub struct ProcessTimers {
    /// `ITIMER_REAL`, `ITIMER_VIRTUAL`, `ITIMER_PROF`.
    pub interval: [Option<Rc<SignalTimer>>; 3],
    /// Those made by timer_create(2).
    pub made: BTreeMap<u32, Rc<SignalTimer>>,
    /// Number of the next one.
    pub next: u32,
    /// Those that are set and count processor time.
    processor: Vec<Rc<SignalTimer>>,
    /// Threads that sleep until the process has used so much processor time (clock_nanosleep(2)). One that has been woken
    /// otherwise may still be here, and looks once more at what it waits for.
    sleepers: Vec<(Duration, ThreadId)>,
}

impl ProcessTimers {
    /// Whether any counts processor time.
    #[must_use]
    pub fn count_processor_time(&self) -> bool {
        !self.processor.is_empty() || !self.sleepers.is_empty()
    }

    /// Wakes a thread when the process has used so much processor time.
    pub fn wake_at(&mut self, due: Duration, thread: ThreadId) {
        self.sleepers.retain(|(_, other)| *other != thread);
        self.sleepers.push((due, thread));
    }
}

impl SignalTimer {
    /// A timer that is not set.
    #[must_use]
    pub fn new(clock: TimerClock, notify: Option<(SignalTarget, SignalInfo)>) -> Rc<Self> {
        Rc::new_cyclic(|me| Self {
            me: me.clone(),
            clock,
            notify,
            scale: Cell::new(Scale::Boot),
            due: Cell::new(None),
            interval: Cell::new(Duration::ZERO),
            key: Cell::new(None),
            series: Cell::new(0),
            overrun: Cell::new(0),
        })
    }

    /// How often it had gone off again before its last signal was taken.
    #[must_use]
    pub fn overrun(&self) -> u32 {
        self.overrun.get()
    }

    fn unset(&self, machine: &mut Machine) {
        if let Some(key) = self.key.take() {
            machine.timers.cancel(key);
        }
        self.series.set(self.series.get() + 1);
        self.due.set(None);
    }

    /// Enters it in the queue of what is due, if it is set and sends anything.
    fn start(&self, machine: &mut Machine) {
        let (Some(due), Some(_)) = (self.due.get(), self.notify) else { return };
        let instant = match self.scale.get() {
            Scale::Boot => machine.clock.at_since_boot(due),
            Scale::Wall => machine.clock.at_wall(due),
            Scale::Atomic => machine.clock.at_wall(machine.clock.wall_at_atomic(due)),
            Scale::Processor => return,
        };
        self.key.set(Some(machine.set_timer(instant, self.me.clone())));
    }

    fn fire(&self, machine: &mut Machine) {
        if let Some((target, mut info)) = self.notify {
            if info.code == raw::SI_TIMER {
                info.fields[2] = u64::from(self.series.get());
            }
            machine.post_signal(target, info);
        }
        if self.interval.get().is_zero() {
            self.due.set(None);
        }
    }

    /// Goes on to the next time after `now`; how many it passed over.
    fn forward(&self, now: Duration) -> u32 {
        let (Some(due), interval) = (self.due.get(), self.interval.get()) else { return 0 };
        if interval.is_zero() || now < due {
            return 0;
        }
        let passed = (now - due).as_nanos() / interval.as_nanos();
        let next = Duration::from_nanos((interval.as_nanos() * (passed + 1)) as u64);
        self.due.set(Some(due.saturating_add(next)));
        u32::try_from(passed).unwrap_or(i32::MAX as u32).min(i32::MAX as u32)
    }
}

impl Expire for SignalTimer {
    fn expire(&self, machine: &mut Machine) {
        self.key.set(None);
        let shown = match self.scale.get() {
            Scale::Boot => machine.clock.since_boot(),
            Scale::Wall => machine.clock.wall(),
            Scale::Atomic => machine.clock.atomic(),
            Scale::Processor => Duration::MAX,
        };
        let early = self.due.get().is_some_and(|due| shown < due);
        if early { self.start(machine) } else { self.fire(machine) }
    }

    fn clocks_were_set(&self, machine: &mut Machine) {
        if let Some(key) = self.key.take() {
            machine.timers.cancel(key);
            self.start(machine);
        }
    }
}

/// The part of processor time that counts as spent in the program; the rest is the kernel's.
fn user_part(time: Duration) -> Duration {
    time - time / 2
}

impl Kernel {
    /// Processor time that a process has used.
    #[must_use]
    pub fn processor_time(&self, process: ProcessId) -> Duration {
        let process = self.process(process);
        let living = process.threads.iter().filter_map(|&id| self.threads.get(id));
        process.dead_threads_time + living.map(|thread| thread.cpu_time).sum::<Duration>()
    }

    /// What a timer's clock shows, on this scale.
    fn timer_now(&self, process: ProcessId, timer: &SignalTimer, scale: Scale) -> Duration {
        match (scale, timer.clock) {
            (Scale::Boot, _) => self.machine.clock.since_boot(),
            (Scale::Wall, _) => self.machine.clock.wall(),
            (Scale::Atomic, _) => self.machine.clock.atomic(),
            (_, TimerClock::User) => user_part(self.processor_time(process)),
            (_, TimerClock::Thread(id)) => {
                self.threads.get(id).map_or(Duration::ZERO, |thread| thread.cpu_time)
            }
            _ => self.processor_time(process),
        }
    }

    /// Sets a timer of a process.
    pub fn set_signal_timer(
        &mut self,
        process: ProcessId,
        timer: &Rc<SignalTimer>,
        first: First,
        interval: Duration,
    ) {
        timer.interval.set(interval);
        timer.overrun.set(0);
        let is_queued = timer.notify.is_some() || timer.scale.get() == Scale::Processor;
        if first == First::Never && !is_queued {
            // One that tells nobody goes on showing what is left (`common_timer_get`).
            return;
        }
        self.unset_signal_timer(process, timer);
        let scale = match (timer.clock, first) {
            (TimerClock::Wall, First::At(_)) => Scale::Wall,
            (TimerClock::Atomic, First::At(_)) => Scale::Atomic,
            (TimerClock::Wall | TimerClock::Atomic | TimerClock::Boot, _) => Scale::Boot,
            _ => Scale::Processor,
        };
        timer.scale.set(scale);
        timer.due.set(match first {
            First::Never => None,
            First::In(time) => Some(self.timer_now(process, timer, scale).saturating_add(time)),
            First::At(time) => Some(time),
        });
        self.start_signal_timer(process, timer);
    }

    fn start_signal_timer(&mut self, process: ProcessId, timer: &Rc<SignalTimer>) {
        timer.start(&mut self.machine);
        if timer.scale.get() == Scale::Processor && timer.due.get().is_some() {
            self.process_mut(process).timers.processor.push(Rc::clone(timer));
        }
    }

    /// Stops a timer of a process.
    pub fn unset_signal_timer(&mut self, process: ProcessId, timer: &Rc<SignalTimer>) {
        timer.unset(&mut self.machine);
        let others = |other: &Rc<SignalTimer>| !Rc::ptr_eq(other, timer);
        self.process_mut(process).timers.processor.retain(others);
    }

    /// Time until a timer goes off, zero if it is not set; and its interval.
    #[must_use]
    pub fn signal_timer_left(
        &self,
        process: ProcessId,
        timer: &SignalTimer,
    ) -> (Duration, Duration) {
        const LEAST: Duration = Duration::from_nanos(1);
        let interval = timer.interval.get();
        let Some(due) = timer.due.get() else { return (Duration::ZERO, interval) };
        let now = self.timer_now(process, timer, timer.scale.get());
        let left = match due.checked_sub(now) {
            Some(left) if !left.is_zero() => left,
            _ if !interval.is_zero() => {
                // That stays even if the timer is then unset.
                if timer.notify.is_none() {
                    timer.forward(now);
                }
                let into = (now - due).as_nanos() % interval.as_nanos();
                interval - Duration::from_nanos(into as u64)
            }
            _ if timer.notify.is_none() => Duration::ZERO,
            _ => LEAST,
        };
        (left, interval)
    }

    fn wake_processor_sleepers(&mut self, process: ProcessId) {
        let now = self.processor_time(process);
        let Self { machine, processes, .. } = self;
        let Some(process) = processes.get_mut(process) else { return };
        process.timers.sleepers.retain(|&(due, thread)| {
            if due <= now {
                machine.wakes.push(thread);
            }
            due > now
        });
    }

    /// Lets go off what counts processor time, of which the process has just used some.
    pub(crate) fn run_processor_timers(&mut self, process: ProcessId) {
        self.wake_processor_sleepers(process);
        for timer in self.process(process).timers.processor.clone() {
            let now = self.timer_now(process, &timer, Scale::Processor);
            if timer.due.get().is_some_and(|due| due <= now) {
                let others = |other: &Rc<SignalTimer>| !Rc::ptr_eq(other, &timer);
                self.process_mut(process).timers.processor.retain(others);
                timer.fire(&mut self.machine);
            }
        }
    }

    /// A signal is taken (or dropped): a timer that sent it goes on. `None` for one whose timer is gone or was set anew.
    pub(super) fn settle_timer_signal(
        &mut self,
        process: ProcessId,
        mut info: SignalInfo,
    ) -> Option<SignalInfo> {
        let timers = &self.process(process).timers;
        if let Some(number) = info.timer() {
            let timer = timers.made.get(&number).map(Rc::clone)?;
            if u64::from(timer.series.get()) != info.fields[2] {
                return None;
            }
            let overrun = self.restart_signal_timer(process, &timer);
            timer.overrun.set(overrun);
            info.fields[0] = info.fields[0] & 0xffff_ffff | u64::from(overrun) << 32;
            info.fields[2] = 0;
        } else if info.code == raw::SI_KERNEL as i32 {
            let which = match info.signal {
                Signal::ALRM => 0,
                Signal::VTALRM => 1,
                Signal::PROF => 2,
                _ => return Some(info),
            };
            if let Some(timer) = timers.interval[which].clone() {
                self.restart_signal_timer(process, &timer);
            }
        }
        Some(info)
    }

    fn restart_signal_timer(&mut self, process: ProcessId, timer: &Rc<SignalTimer>) -> u32 {
        let waits = |other: &Rc<SignalTimer>| Rc::ptr_eq(other, timer);
        let is_running =
            timer.key.get().is_some() || self.process(process).timers.processor.iter().any(waits);
        if is_running || timer.due.get().is_none() {
            return 0;
        }
        let now = self.timer_now(process, timer, timer.scale.get());
        let passed = timer.forward(now);
        self.start_signal_timer(process, timer);
        passed
    }

    /// Deletes the timers that timer_create(2) has made, as execve(2) does.
    pub(crate) fn delete_made_timers(&mut self, process: ProcessId) {
        for timer in core::mem::take(&mut self.process_mut(process).timers.made).into_values() {
            self.unset_signal_timer(process, &timer);
        }
    }

    /// Deletes all timers of a process, which ends.
    pub(crate) fn delete_timers(&mut self, process: ProcessId) {
        self.delete_made_timers(process);
        let timers = core::mem::take(&mut self.process_mut(process).timers);
        for timer in timers.interval.into_iter().flatten() {
            timer.unset(&mut self.machine);
        }
    }

    /// The node's clocks were set: whoever waits for them to show a time looks again.
    pub(crate) fn wall_clock_was_set(&mut self) {
        let sleepers: Vec<_> = self
            .threads
            .iter()
            .filter(|(_, thread)| thread.call.as_ref().is_some_and(|call| call.wall_deadline))
            .filter(|(_, thread)| self.process(thread.process).node == self.node())
            .map(|(id, _)| id)
            .collect();
        for id in sleepers {
            if let Some(call) = &mut self.thread_mut(id).call {
                call.deadline = None;
            }
            self.make_runnable(id);
        }
        let node = self.node();
        let own = |due: &Due| match due {
            Due::Object(of, object) if *of == node => object.upgrade(),
            _ => None,
        };
        for object in self.machine.timers.each().filter_map(own).collect::<Vec<_>>() {
            object.clocks_were_set(&mut self.machine);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_late_timer_goes_on_to_the_next_time_and_counts_what_it_missed() {
        let timer = SignalTimer::new(TimerClock::Boot, None);
        let ms = Duration::from_millis;
        timer.interval.set(ms(10));
        for (due, now, missed, next) in
            [(5, 4, 0, 5), (5, 5, 0, 15), (5, 14, 0, 15), (5, 15, 1, 25), (5, 99, 9, 105)]
        {
            timer.due.set(Some(ms(due)));
            assert_eq!(
                (timer.forward(ms(now)), timer.due.get()),
                (missed, Some(ms(next))),
                "{now}"
            );
        }
    }
}
