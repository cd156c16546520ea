//! From a signal's sender to the threads that may take it.

use alloc::rc::Rc;
use core::cell::Cell;

use super::{DefaultAction, Disposition, Signal, SignalInfo, SignalSet};
use crate::{
    error::Result,
    host::Host,
    kernel::Kernel,
    machine::SignalTarget,
    outcome::Restart,
    process::{ProcessId, ProcessState, Resource, State, ThreadId},
    wait::Readiness,
};

impl Kernel {
    /// Sends a signal; one that there is no room for is lost.
    pub fn send_signal(&mut self, _host: &mut dyn Host, target: SignalTarget, info: SignalInfo) {
        // Only rt_sigqueueinfo has somebody to tell.
        let _ = self.queue_signal(target, info);
    }

    /// Sends a signal (`send_signal_locked` in kernel/signal.c). One to a process that has ended is lost.
    ///
    /// # Errors
    /// `EAGAIN` if a queue is full.
    pub fn queue_signal(&mut self, target: SignalTarget, info: SignalInfo) -> Result<()> {
        let Some((process, thread)) = self.receivers(target) else { return Ok(()) };
        let signal = info.signal;
        self.prepare_job_signal(process, signal);
        if self.ignores(process, thread.unwrap_or(self.process(process).threads[0]), signal) {
            self.settle_timer_signal(process, info);
            return Ok(());
        }
        let limit = self.process(process).limits.soft(Resource::Signals);
        let pending = match thread {
            Some(thread) => &mut self.thread_mut(thread).signals.pending,
            None => &mut self.process_mut(process).pending,
        };
        pending.add(info, limit)?;
        self.show_pending(process);
        self.machine.signal_arrived.wake(Readiness::READABLE, &mut self.machine.wakes);
        if let Some(taker) = self.choose_taker(process, thread, signal) {
            self.notify(taker, signal);
        }
        Ok(())
    }

    fn receivers(&self, target: SignalTarget) -> Option<(ProcessId, Option<ThreadId>)> {
        let (process, thread) = match target {
            SignalTarget::Process(process) => (process, None),
            SignalTarget::Thread(thread) => (self.threads.get(thread)?.process, Some(thread)),
        };
        let alive = self.processes.get(process)?.state == ProcessState::Alive;
        (alive && !self.is_init(process) && !self.process(process).threads.is_empty())
            .then_some((process, thread))
    }

    /// Whether a signal is dropped when it is sent. A blocked one is kept: its action may change, or it may be awaited.
    fn ignores(&self, process: ProcessId, thread: ThreadId, signal: Signal) -> bool {
        !self.is_traced(thread)
            && !self.thread(thread).signals.mask.contains(signal)
            && !SignalSet::UNMASKABLE.contains(signal)
            && self.process(process).actions.borrow().disposition(signal) == Disposition::Ignore
    }

    /// The thread that is asked to take a signal: the target or the first thread if it can, else any other that is not
    /// already busy with one (`complete_signal` in kernel/signal.c).
    fn choose_taker(
        &self,
        process: ProcessId,
        target: Option<ThreadId>,
        signal: Signal,
    ) -> Option<ThreadId> {
        let wants = |&id: &ThreadId| {
            let thread = self.thread(id);
            let signals = &thread.signals;
            let open = !signals.mask.contains(signal) || signals.awaited.contains(signal);
            signal == Signal::KILL
                || open
                    && !matches!(thread.state, State::Stopped | State::Traced)
                    && (self.current == Some(id) || !signals.attention)
        };
        if let Some(target) = target {
            return self.is_open(target, signal).then_some(target);
        }
        self.process(process).threads.iter().copied().find(wants)
    }

    fn is_open(&self, id: ThreadId, signal: Signal) -> bool {
        let signals = &self.thread(id).signals;
        !signals.mask.contains(signal)
            || signals.awaited.contains(signal)
            || SignalSet::UNMASKABLE.contains(signal)
    }

    /// Makes a thread look for signals, and wakes it if it waits.
    pub(super) fn notify(&mut self, id: ThreadId, signal: Signal) {
        let fatal = self.is_fatal(self.thread(id).process, signal);
        self.recalculate_attention(id);
        let thread = self.thread_mut(id);
        let wakes = match thread.state {
            State::Blocked(Restart::OnlyFatal) => fatal,
            State::Blocked(_) => true,
            State::Runnable | State::Stopped | State::Traced | State::Dead => false,
        };
        if wakes {
            if let Some(call) = &mut thread.call {
                call.interrupted = true;
            }
            self.make_runnable(id);
        }
    }

    /// Whether a signal ends a process if it is taken.
    pub(super) fn is_fatal(&self, process: ProcessId, signal: Signal) -> bool {
        let disposition = self.process(process).actions.borrow().disposition(signal);
        matches!(disposition, Disposition::End(DefaultAction::Terminate | DefaultAction::Core))
    }

    /// What is pending for a thread's process, for as long as somebody holds it.
    pub(crate) fn follow_pending(&mut self, id: ThreadId) -> Rc<Cell<SignalSet>> {
        let process = self.thread(id).process;
        let shown = Rc::clone(&self.process(process).pending_shown);
        self.show_pending(process);
        shown
    }

    /// Shows what is pending to those who follow it.
    pub(super) fn show_pending(&self, process: ProcessId) {
        let process = self.process(process);
        if Rc::strong_count(&process.pending_shown) > 1 {
            let threads = process.threads.iter().filter_map(|&id| self.threads.get(id));
            let pending = threads
                .map(|thread| thread.signals.pending.set())
                .fold(process.pending.set(), SignalSet::union);
            process.pending_shown.set(pending);
        }
    }

    /// Sees whether a thread has signals to take.
    pub(crate) fn recalculate_attention(&mut self, id: ThreadId) {
        let ready = self.takeable_signals(id);
        self.thread_mut(id).signals.attention = !ready.is_empty();
    }

    /// The signals that a thread could take now.
    #[must_use]
    pub fn takeable_signals(&self, id: ThreadId) -> SignalSet {
        let thread = self.thread(id);
        let pending =
            thread.signals.pending.set().union(self.process(thread.process).pending.set());
        pending.without(thread.signals.mask)
    }

    /// Changes which signals a thread blocks. What it no longer takes for its process, another thread is asked to
    /// (`retarget_shared_pending` in kernel/signal.c).
    pub fn set_signal_mask(&mut self, id: ThreadId, mask: SignalSet) {
        let mask = mask.without(SignalSet::UNMASKABLE);
        let before = core::mem::replace(&mut self.thread_mut(id).signals.mask, mask);
        self.recalculate_attention(id);
        let process = self.thread(id).process;
        let orphaned = self.process(process).pending.set().intersection(mask.without(before));
        self.retarget(process, orphaned);
    }

    /// Asks other threads of a process to take these of its signals.
    pub(crate) fn retarget(&mut self, process: ProcessId, mut signals: SignalSet) {
        while let Some(signal) = signals.first() {
            signals.remove(signal);
            if let Some(taker) = self.choose_taker(process, None, signal) {
                self.notify(taker, signal);
            }
        }
    }

    /// Whether a signal waits that this thread would take.
    #[must_use]
    pub fn has_deliverable_signal(&self, id: ThreadId) -> bool {
        self.thread(id).signals.attention
    }
}
