//! Where a traced thread stops, and how it goes on (ptrace(2)).
//!
//! It stops on its way back to its program or into a call, in its own host process, like one that takes a signal. Its
//! registers and its extended state are in the kernel then, where the tracer finds them.

use linux_raw_sys::general as raw;
use simrun_abi::calls;

use super::Kernel;
use crate::{
    arch::x86_64::TRAP_FLAG,
    host::Host,
    machine::SignalTarget,
    mm::SpaceId,
    process::{Call, GoesOn, ProcessId, State, Stop, ThreadId, TraceEvent, TraceOptions},
    signal::{Action, ActionFlags, Signal, SignalInfo},
    wait::Readiness,
};

/// `si_code` of the SIGTRAP after a step (sigaction(2)).
const TRAP_TRACE: i32 = 2;

impl Kernel {
    /// Whether a thread is traced.
    pub(crate) fn is_traced(&self, id: ThreadId) -> bool {
        self.tracing.count > 0 && self.thread(id).trace.is_some()
    }

    /// Lets a traced thread that is about to make a call or to return to its program take the signal that its tracer
    /// lets it take, and stop if there is anything to stop for; whether it goes on.
    pub(crate) fn meet_tracer(&mut self, host: &mut dyn Host, here: SpaceId, id: ThreadId) -> bool {
        // What is to die stops for nobody (`ptrace_stop` in kernel/signal.c).
        if self.takeable_signals(id).contains(Signal::KILL) {
            return true;
        }
        let Some(trace) = &mut self.thread_mut(id).trace else { return true };
        if let Some(info) = trace.taken.take()
            && !self.take_action(host, here, id, info)
        {
            return false;
        }
        if self.thread(id).call.is_none() {
            self.end_step(id);
        }
        let thread = self.thread_mut(id);
        let Some(trace) = &mut thread.trace else { return true };
        // What the preload library asks of the scheduler is no call of Linux's.
        let is_linux = |call: &&Call| ![calls::POINT, calls::SPIN].contains(&call.number);
        let call = thread.call.as_ref().filter(is_linux);
        let takes_signal = thread.signals.attention;
        let is_interrupted = takes_signal && call.is_some_and(|call| call.restart.is_some());
        let stop = if let Some((event, message)) = trace.due.take() {
            Some(Stop::Event(event, message))
        } else if trace.is_wanted {
            Some(Stop::Event(TraceEvent::Stop, 0))
        } else if trace.in_call.is_some() && (thread.call.is_none() || is_interrupted) {
            Some(Stop::CallExit)
        } else if let Some(call) = call
            && trace.goes_on == GoesOn::ToCall
            && trace.in_call.is_none()
            && !takes_signal
        {
            trace.in_call = Some(call.number);
            Some(Stop::CallEntry)
        } else {
            None
        };
        match stop {
            Some(stop) => {
                self.stop_for_tracer(host, id, stop);
                false
            }
            None => true,
        }
    }

    /// Whether a traced thread's call was interrupted by a signal, and the tracer has to be shown that first.
    pub(crate) fn shows_interruption(&self, id: ThreadId) -> bool {
        let thread = self.thread(id);
        self.is_traced(id)
            && thread.signals.attention
            && thread.call.as_ref().is_some_and(|call| call.restart.is_some())
    }

    /// Stops a thread until its tracer lets it go on.
    pub(crate) fn stop_for_tracer(&mut self, host: &mut dyn Host, id: ThreadId, stop: Stop) {
        let space = self.space_of(id);
        if *self.loaded_in(space) == Some(id) {
            *self.loaded_in(space) = None;
            let thread = self.thread_mut(id);
            thread.extended_state.clear();
            thread.extended_state.extend_from_slice(host.extended_state());
        }
        self.scheduler.dequeue(id);
        let thread = self.thread_mut(id);
        thread.state = State::Traced;
        let process = thread.process;
        let Some(trace) = &mut thread.trace else { return };
        if let Stop::Event(_, message) = stop {
            trace.message = message;
        }
        trace.is_wanted = false;
        trace.goes_on = GoesOn::Freely;
        (trace.stop, trace.is_news) = (Some(stop), true);
        let (tracer, status) = (trace.tracer, stop.code(trace));
        if self.current == Some(id) {
            self.current = None;
        }
        self.tell_tracer(tracer, process, status & 0x7f);
        self.settle(host);
    }

    /// Tells a tracer that a thread of a process has stopped (`do_notify_parent_cldstop` in kernel/signal.c).
    fn tell_tracer(&mut self, tracer: ProcessId, process: ProcessId, status: u32) {
        let action: Action = *self.process(tracer).actions.borrow().get(Signal::CHLD);
        if !action.flags.contains(ActionFlags::NO_CHILD_STOP) {
            let info =
                SignalInfo::child(Signal::CHLD, raw::CLD_TRAPPED, self.process(process), status);
            self.machine.post_signal(SignalTarget::Process(tracer), info);
        }
        let queue = self.process(tracer).child_changed.clone();
        queue.wake(Readiness::READABLE, &mut self.machine.wakes);
    }

    /// A traced thread is about to take a signal: its tracer decides. Only SIGKILL asks nobody. Whether it stops.
    pub(crate) fn shows_signal(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        info: SignalInfo,
    ) -> bool {
        let is_shown = self.is_traced(id) && info.signal != Signal::KILL;
        if is_shown {
            self.stop_for_tracer(host, id, Stop::Signal(info));
        }
        is_shown
    }

    /// Stops a thread that was allowed to take a signal which stops its process; whether it is traced.
    pub(crate) fn shows_group_stop(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        signal: Signal,
    ) -> bool {
        let is_shown = self.is_traced(id);
        if is_shown {
            self.stop_for_tracer(host, id, Stop::Group(signal));
        }
        is_shown
    }

    /// Lets a thread that has stopped go on, and take this signal, if any.
    pub(crate) fn let_tracee_go(&mut self, id: ThreadId, goes_on: GoesOn, signal: Option<Signal>) {
        let thread = self.thread_mut(id);
        let Some(trace) = &mut thread.trace else { return };
        let Some(stop) = trace.stop.take() else { return };
        (trace.is_news, trace.goes_on) = (false, goes_on);
        let sender = trace.tracer;
        let mut posted = None;
        match (stop, signal) {
            (Stop::Signal(info), Some(signal)) if info.signal == signal => trace.taken = Some(info),
            (Stop::Signal(_), Some(signal)) => trace.taken = Some(SignalInfo::unknown(signal)),
            (_, signal) => posted = signal,
        }
        let leaves_call = match stop {
            Stop::CallEntry => goes_on != GoesOn::ToCall,
            Stop::CallExit => true,
            _ => false,
        };
        if leaves_call {
            trace.in_call = None;
        }
        if goes_on == GoesOn::OneStep {
            thread.registers.eflags |= TRAP_FLAG;
        }
        if let Some(signal) = posted {
            let sender = self.process(sender);
            let (pid, uid) = (sender.pid, sender.credentials.uid);
            let info = SignalInfo::from_process(signal, raw::SI_USER as i32, pid, uid);
            self.machine.post_signal(SignalTarget::Thread(id), info);
        }
        self.go_on_untraced(id);
    }

    /// Lets a thread run that has stopped for a tracer.
    pub(super) fn go_on_untraced(&mut self, id: ThreadId) {
        if self.thread(id).state != State::Traced {
            return;
        }
        let is_stopped = self.is_stopped(self.thread(id).process);
        self.thread_mut(id).state = if is_stopped { State::Stopped } else { State::Runnable };
        self.recalculate_attention(id);
        if !is_stopped {
            self.scheduler.enqueue(id);
        }
    }

    /// Lets threads of a process that have stopped for tracers go on, as they are to die.
    pub(crate) fn free_tracees(&mut self, process: ProcessId) {
        if self.tracing.count == 0 {
            return;
        }
        for id in self.process(process).threads.clone() {
            if let Some(trace) = &mut self.thread_mut(id).trace {
                (trace.stop, trace.is_news) = (None, false);
                self.go_on_untraced(id);
            }
        }
    }

    /// A thread that was to go one instruction has come into the kernel: no further trap is wanted, but for one that
    /// says so by itself.
    pub(crate) fn leave_step(&mut self, id: ThreadId, is_trap: bool) {
        let thread = self.thread_mut(id);
        if let Some(trace) = &mut thread.trace
            && trace.goes_on == GoesOn::OneStep
        {
            thread.registers.eflags &= !TRAP_FLAG;
            if is_trap {
                trace.goes_on = GoesOn::Freely;
            }
        }
    }

    /// The one instruction was a call, or a handler begins: it is over.
    pub(crate) fn end_step(&mut self, id: ThreadId) {
        let thread = self.thread_mut(id);
        let address = thread.registers.rip;
        if let Some(trace) = &mut thread.trace
            && trace.goes_on == GoesOn::OneStep
            && thread.registers.eflags & TRAP_FLAG == 0
        {
            trace.goes_on = GoesOn::Freely;
            self.force_signal(id, SignalInfo::exception(Signal::TRAP, TRAP_TRACE, address));
        }
    }

    /// Stops a thread that is about to end, once, if its tracer wants that; whether it does.
    pub(crate) fn shows_exit(&mut self, host: &mut dyn Host, id: ThreadId, status: u32) -> bool {
        let Some(trace) = &mut self.thread_mut(id).trace else { return false };
        if !trace.options.contains(TraceOptions::EXIT) || trace.told_exit {
            return false;
        }
        trace.told_exit = true;
        self.stop_for_tracer(host, id, Stop::Event(TraceEvent::Exit, status.into()));
        true
    }

    /// Stops a thread in the middle of its call for what has happened, if anything has; whether it does.
    pub(crate) fn shows_event(&mut self, host: &mut dyn Host, id: ThreadId) -> bool {
        let due = self.thread_mut(id).trace.as_mut().and_then(|trace| trace.due.take());
        if let Some((event, message)) = due {
            self.stop_for_tracer(host, id, Stop::Event(event, message));
        }
        due.is_some()
    }

    /// Something has happened to a thread that its tracer may want to know.
    pub(crate) fn note_event(&mut self, id: ThreadId, event: TraceEvent, message: u64) {
        if let Some(trace) = &mut self.thread_mut(id).trace
            && event.option().is_some_and(|option| trace.options.contains(option))
        {
            trace.due = Some((event, message));
        }
    }
}
