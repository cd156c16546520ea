//! How threads get their turns, and where faults meet that.

use alloc::{rc::Rc, string::String};
use core::time::Duration;

use super::Kernel;
use crate::{
    fault::{Firing, Hit},
    host::Host,
    machine::Due,
    process::{ProcessId, State, ThreadId},
    sched::Priorities,
    time::Instant,
};

impl Kernel {
    /// Lets turns go by priorities, if a fault wants that.
    pub(super) fn arm_priorities(&mut self) {
        let faults = self.machine.faults.as_mut();
        let Some(wanted) = faults.and_then(|faults| faults.threads.priorities.as_mut()) else {
            return;
        };
        let random = wanted.random.clone();
        let priorities = Priorities::new(random, wanted.changes, wanted.steps);
        self.scheduler.prioritize(priorities);
        let firing = wanted.fire(Hit::Prioritize);
        self.note_firing(&firing, String::new());
    }

    /// The running thread has fallen behind all others.
    pub(super) fn note_fall_behind(&mut self, host: &mut dyn Host, id: ThreadId) {
        let program = self.process(self.thread(id).process).program_name().into_owned();
        let faults = self.machine.faults.as_mut();
        if let Some(wanted) = faults.and_then(|faults| faults.threads.priorities.as_mut()) {
            let firing = wanted.fire(Hit::FallBehind);
            self.note_firing(&firing, program);
            self.machine.record_injections(host);
        }
    }

    /// Keeps in mind for the log what a fault has done, by itself or to a program.
    fn note_firing(&mut self, firing: &Firing, subject: String) {
        self.machine.injections.push(firing.event("", subject));
    }

    /// Adds to what a thread has just been charged since an instant what a slow processor makes of it.
    pub(super) fn slow_down(&mut self, id: ThreadId, since: Instant) {
        if !self.machine.faults.as_ref().is_some_and(|faults| faults.threads.may_be_slow()) {
            return;
        }
        let elapsed = self.machine.clock.elapsed().as_nanos() as u64;
        let process = self.process(self.thread(id).process);
        let (node, program) = (process.node, Rc::clone(&process.program));
        let Some(faults) = &mut self.machine.faults else { return };
        let (factor, firings) = faults.threads.slowness(elapsed, node, &program);
        let cost = (self.machine.clock.now() - since).as_nanos();
        let more = u64::try_from(cost * u128::from(factor - 1)).unwrap_or(u64::MAX);
        let more = Duration::from_nanos(more);
        self.machine.clock.extend(more);
        self.thread_mut(id).cpu_time += more;
        for firing in firings {
            let name = self.process(self.thread(id).process).program_name().into_owned();
            self.note_firing(&firing, name);
        }
    }

    /// A thread of a process has no turn for a while, as long as others can run.
    pub(super) fn starve_one_of(&mut self, process: ProcessId, by: Duration, random: u64) {
        let threads = &self.process(process).threads;
        if !threads.is_empty() {
            let id = threads[(random % threads.len() as u64) as usize];
            self.starve(id, by);
        }
    }

    /// A thread has no turn for a while, as long as others can run.
    pub(super) fn starve(&mut self, id: ThreadId, by: Duration) {
        self.scheduler.starve(id, self.machine.clock.now() + by);
    }

    /// Lets a blocked thread look again at what it waits for.
    pub(crate) fn make_runnable(&mut self, id: ThreadId) {
        let Some(thread) = self.threads.get(id) else { return };
        if matches!(thread.state, State::Blocked(_)) && !self.wakes_late(id) {
            self.let_run(id);
        }
    }

    /// Lets a blocked thread run, unless its process is stopped.
    pub(super) fn let_run(&mut self, id: ThreadId) {
        let process = self.thread(id).process;
        self.unregister(id);
        let stopped = self.is_stopped(process);
        self.thread_mut(id).state = if stopped { State::Stopped } else { State::Runnable };
        if !stopped {
            self.scheduler.enqueue(id);
        }
    }

    /// Whether a thread that was woken has to wait until a fault lets it go on; it is seen to then.
    fn wakes_late(&mut self, id: ThreadId) -> bool {
        let call = self.threads.get(id).and_then(|thread| thread.call.as_ref());
        let (delay, is_late) = match call.and_then(|call| call.injected.as_ref()) {
            Some(injected) if !injected.wake_delay.is_zero() => {
                (injected.wake_delay, injected.is_late)
            }
            _ => return false,
        };
        // Nobody waits for one that is to die.
        if self.fatal_signal(id).is_some() {
            return false;
        }
        if !is_late {
            self.set_late(id, true);
            self.unregister(id);
            let key = self.machine.timers.set(self.machine.clock.now() + delay, Due::Late(id));
            self.thread_mut(id).timer = Some(key);
        }
        true
    }

    fn set_late(&mut self, id: ThreadId, is_late: bool) {
        let call = self.thread_mut(id).call.as_mut();
        if let Some(injected) = call.and_then(|call| call.injected.as_mut()) {
            injected.is_late = is_late;
        }
    }

    /// A thread that was woken some time ago goes on.
    pub(super) fn wake_at_last(&mut self, id: ThreadId) {
        let Some(thread) = self.threads.get_mut(id) else { return };
        thread.timer = None;
        self.set_late(id, false);
        self.let_run(id);
    }
}
