//! What a thread does with its signals before it returns to its program.

use super::{
    Action, ActionFlags, DefaultAction, Disposition, Exception, Signal, SignalInfo, SignalSet,
};
use crate::{
    host::Host,
    kernel::{Kernel, killed_by},
    machine::SignalTarget,
    mm::SpaceId,
    outcome::Restart,
    process::{ProcessState, Resource, ThreadId},
    uapi::signal::{SIG_DFL, SIG_IGN},
};

/// Bytes of the `syscall` instruction.
const SYSCALL_SIZE: u64 = 2;

impl Kernel {
    /// Takes the signals that wait for a thread before it returns to its program; whether it returns. If it does not,
    /// it is gone, stopped, or has to run its call again.
    pub(crate) fn prepare_return(
        &mut self,
        host: &mut dyn Host,
        here: SpaceId,
        id: ThreadId,
    ) -> bool {
        self.write_child_tid(host, id);
        if self.is_traced(id) && !self.meet_tracer(host, here, id) {
            return false;
        }
        while self.thread(id).signals.attention {
            let Some(info) = self.take_signal(id) else { break };
            if self.shows_signal(host, id, info) || !self.take_action(host, here, id, info) {
                return false;
            }
        }
        let thread = self.thread_mut(id);
        if let Some(call) = &mut thread.call {
            call.interrupted = false;
            return false;
        }
        if thread.signals.saved_mask.is_some() {
            self.restore_signal_mask(id);
            return self.prepare_return(host, here, id);
        }
        true
    }

    /// Goes back from a call's own mask to the thread's.
    pub(crate) fn restore_signal_mask(&mut self, id: ThreadId) {
        if let Some(mask) = self.thread_mut(id).signals.saved_mask.take() {
            self.set_signal_mask(id, mask);
        }
    }

    /// The next signal that a thread takes: what ends the process first, then its own before its process's.
    fn take_signal(&mut self, id: ThreadId) -> Option<SignalInfo> {
        let takeable = self.takeable_signals(id);
        let wanted =
            if takeable.contains(Signal::KILL) { SignalSet::of(&[Signal::KILL]) } else { takeable };
        let info = self.dequeue_signal(id, wanted);
        self.recalculate_attention(id);
        info
    }

    /// Takes one of these signals, pending for a thread or its process.
    pub fn dequeue_signal(&mut self, id: ThreadId, wanted: SignalSet) -> Option<SignalInfo> {
        let process = self.thread(id).process;
        loop {
            let own = self.thread_mut(id).signals.pending.take_any(wanted);
            let info = own.or_else(|| self.process_mut(process).pending.take_any(wanted))?;
            self.show_pending(process);
            if let Some(info) = self.settle_timer_signal(process, info) {
                return Some(info);
            }
        }
    }

    /// Does what a signal asks for; whether the thread still runs.
    pub(crate) fn take_action(
        &mut self,
        host: &mut dyn Host,
        here: SpaceId,
        id: ThreadId,
        info: SignalInfo,
    ) -> bool {
        let (process, signal) = (self.thread(id).process, info.signal);
        let disposition = self.process(process).actions.borrow().disposition(signal);
        match disposition {
            Disposition::Ignore => true,
            Disposition::Stop => {
                let group = self.process(process).group;
                if signal != Signal::STOP && self.is_orphaned_group(group) {
                    return true;
                }
                if !self.shows_group_stop(host, id, signal) {
                    self.stop_process(process, signal);
                    self.settle(host);
                }
                false
            }
            Disposition::End(end) => {
                let core = end == DefaultAction::Core
                    && self.process(process).limits.soft(Resource::Core) > 0;
                self.exit_process(host, process, killed_by(signal.number(), core));
                false
            }
            Disposition::Handle(action) => {
                if action.flags.contains(ActionFlags::RESET_HANDLER) {
                    let once = Action { handler: SIG_DFL, ..action };
                    self.process(process).actions.borrow_mut().set(signal, once);
                }
                self.settle_interrupted_call(host, id, &action);
                self.load(host, here, id);
                if self.enter_handler(host, id, &action, &info).is_err() {
                    self.refuse_frame(id, signal);
                }
                true
            }
        }
    }

    /// A handler's frame could not be read back.
    pub(crate) fn refuse_return(&mut self, id: ThreadId) {
        self.force_signal(id, SignalInfo::from_kernel(Signal::SEGV));
    }

    /// A handler's frame could not be written.
    fn refuse_frame(&mut self, id: ThreadId, signal: Signal) {
        if signal == Signal::SEGV {
            let process = self.thread(id).process;
            self.process(process).actions.borrow_mut().set(Signal::SEGV, Action::default());
        }
        self.force_signal(id, SignalInfo::from_kernel(Signal::SEGV));
    }

    /// A handler is about to run: decides what the call it interrupts returns to.
    fn settle_interrupted_call(&mut self, host: &mut dyn Host, id: ThreadId, action: &Action) {
        let Some(call) = &self.thread(id).call else { return };
        let (number, restart) = (call.number, call.restart);
        let again = restart == Some(Restart::Always)
            || restart == Some(Restart::IfAsked) && action.flags.contains(ActionFlags::RESTART);
        self.end_interrupted_call(host, id);
        if again {
            let registers = &mut self.thread_mut(id).registers;
            registers.rax = number;
            registers.rip -= SYSCALL_SIZE;
        }
    }

    /// Sends a signal that its thread cannot evade: blocked or ignored, it ends the process
    /// (`force_sig_info_to_task` in kernel/signal.c).
    pub(crate) fn force_signal(&mut self, id: ThreadId, info: SignalInfo) {
        let process = self.thread(id).process;
        let signal = info.signal;
        let mask = self.thread(id).signals.mask;
        let ignored = self.process(process).actions.borrow().get(signal).handler == SIG_IGN;
        if ignored || mask.contains(signal) {
            self.process(process).actions.borrow_mut().set(signal, Action::default());
        }
        self.set_signal_mask(id, mask.without(SignalSet::of(&[signal])));
        // An exception always has room.
        let _ = self.queue_signal(SignalTarget::Thread(id), info);
    }

    /// Takes a signal that a thread waits for.
    pub(crate) fn take_awaited(&mut self, id: ThreadId, wanted: SignalSet) -> Option<SignalInfo> {
        let info = self.dequeue_signal(id, wanted);
        self.recalculate_attention(id);
        info
    }

    /// Drops pending signals of a kind that is ignored from now on (sigaction(2), POSIX).
    pub(crate) fn forget_ignored(&mut self, id: ThreadId, signal: Signal) {
        let process = self.thread(id).process;
        if self.process(process).actions.borrow().disposition(signal) == Disposition::Ignore {
            self.discard_pending(process, SignalSet::of(&[signal]));
        }
    }

    /// Takes an exception of the processor.
    pub(crate) fn take_exception(&mut self, id: ThreadId, info: SignalInfo, exception: Exception) {
        /// Number of the page fault.
        const PAGE_FAULT: u64 = 14;
        let signals = &mut self.thread_mut(id).signals;
        let address = match exception.number {
            PAGE_FAULT => exception.address,
            _ => signals.exception.address,
        };
        signals.exception = Exception { address, ..exception };
        self.force_signal(id, info);
    }

    /// A signal that ends the thread's process now, if there is one.
    pub(crate) fn fatal_signal(&self, id: ThreadId) -> Option<Signal> {
        let process = self.thread(id).process;
        let mut takeable = self.takeable_signals(id);
        while let Some(signal) = takeable.first() {
            if self.is_fatal(process, signal) {
                return Some(signal);
            }
            takeable.remove(signal);
        }
        None
    }

    /// Whether a process lives and does not run: it is stopped, or stands still by a fault.
    #[must_use]
    pub fn is_stopped(&self, process: crate::process::ProcessId) -> bool {
        let process = self.process(process);
        let stands = process.stopped_by.is_some() || process.paused_until.is_some();
        process.state == ProcessState::Alive && stands
    }
}
