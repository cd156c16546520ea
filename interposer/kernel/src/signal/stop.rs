//! Stopping and continuing processes.

use linux_raw_sys::general as raw;

use super::{Action, ActionFlags, Signal, SignalInfo, SignalSet};
use crate::{
    kernel::Kernel,
    machine::SignalTarget,
    outcome::Restart,
    process::{JobChange, Pid, ProcessId, State},
    wait::Readiness,
};

impl Kernel {
    /// What sending a signal does before anybody takes it: stop signals and `SIGCONT` cancel each other, and `SIGCONT`
    /// continues the process even if it is blocked or ignored (`prepare_signal` in kernel/signal.c).
    pub(super) fn prepare_job_signal(&mut self, process: ProcessId, signal: Signal) {
        if signal == Signal::KILL {
            self.free_tracees(process);
        }
        if signal == Signal::CONT {
            self.discard_pending(process, SignalSet::STOPS);
            if self.process_mut(process).stopped_by.take().is_some() {
                self.resume_threads(process);
                self.report_job(process, JobChange::Continued);
            }
        } else if SignalSet::STOPS.contains(signal) {
            self.discard_pending(process, SignalSet::of(&[Signal::CONT]));
        } else if signal == Signal::KILL && self.is_stopped(process) {
            let process_state = self.process_mut(process);
            (process_state.stopped_by, process_state.paused_until) = (None, None);
            self.resume_threads(process);
        }
    }

    pub(super) fn discard_pending(&mut self, process: ProcessId, signals: SignalSet) {
        self.process_mut(process).pending.discard(signals);
        for thread in self.process(process).threads.clone() {
            self.thread_mut(thread).signals.pending.discard(signals);
        }
        self.show_pending(process);
    }

    /// Lets the threads of a process run, unless something else keeps them from that.
    pub(crate) fn resume_threads(&mut self, process: ProcessId) {
        if self.is_stopped(process) {
            return;
        }
        for id in self.process(process).threads.clone() {
            if self.thread(id).state == State::Stopped {
                self.thread_mut(id).state = State::Runnable;
                // What was sent meanwhile has been offered to nobody (`wants_signal` in kernel/signal.c).
                self.recalculate_attention(id);
                self.scheduler.enqueue(id);
            }
        }
    }

    /// Stops all threads of a process. One that waits goes on waiting, and stops when it is woken.
    pub(super) fn stop_process(&mut self, process: ProcessId, signal: Signal) {
        self.process_mut(process).stopped_by = Some(signal);
        self.halt_threads(process);
        self.report_job(process, JobChange::Stopped(signal.number()));
    }

    /// Keeps the threads of a process that is stopped now from running.
    pub(crate) fn halt_threads(&mut self, process: ProcessId) {
        let is_visible = self.process(process).stopped_by.is_some();
        for id in self.process(process).threads.clone() {
            match self.thread(id).state {
                State::Runnable => {
                    self.scheduler.dequeue(id);
                    self.thread_mut(id).state = State::Stopped;
                }
                // These fail with EINTR once the process goes on (signal(7)).
                State::Blocked(Restart::Never) if is_visible => {
                    if let Some(call) = &mut self.thread_mut(id).call {
                        call.interrupted = true;
                    }
                    self.make_runnable(id);
                }
                State::Blocked(_) | State::Stopped | State::Traced | State::Dead => {}
            }
        }
        if self.current.is_some_and(|current| self.thread(current).process == process) {
            self.current = None;
        }
    }

    /// Tells a process's parent that it was stopped or goes on.
    fn report_job(&mut self, process: ProcessId, report: JobChange) {
        self.process_mut(process).job_change = Some(report);
        let Some(parent) = self.process(process).parent else { return };
        let action: Action = *self.process(parent).actions.borrow().get(Signal::CHLD);
        if !action.flags.contains(ActionFlags::NO_CHILD_STOP) {
            let (code, status) = match report {
                JobChange::Stopped(signal) => (raw::CLD_STOPPED, signal),
                JobChange::Continued => (raw::CLD_CONTINUED, raw::SIGCONT),
            };
            let child = self.process(process);
            let info = SignalInfo::child(Signal::CHLD, code, child, status);
            self.machine.post_signal(SignalTarget::Process(parent), info);
        }
        let queue = self.process(parent).child_changed.clone();
        queue.wake(Readiness::READABLE, &mut self.machine.wakes);
    }

    /// Whether nobody outside a process group, but of its session, could continue it: then the terminal's stop signals
    /// do nothing by default (`will_become_orphaned_pgrp` in kernel/exit.c).
    pub(super) fn is_orphaned_group(&self, group: Pid) -> bool {
        !self.own_processes().any(|(_, process)| {
            let parent = process.parent.and_then(|parent| self.processes.get(parent));
            process.group == group
                && parent.is_some_and(|parent| {
                    parent.group != group && parent.session == process.session
                })
        })
    }
}
