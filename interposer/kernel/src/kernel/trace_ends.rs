//! How tracing begins and ends.

use alloc::{boxed::Box, vec::Vec};

use super::Kernel;
use crate::{
    arch::x86_64::TRAP_FLAG,
    machine::SignalTarget,
    process::{
        EndedTracee, ProcessId, State, Stop, ThreadId, Tid, Trace, TraceEvent, TraceOptions,
    },
    signal::{Signal, SignalInfo, end_code},
    wait::Readiness,
};

impl Kernel {
    /// A process traces a thread from now on.
    pub(crate) fn begin_trace(&mut self, id: ThreadId, trace: Trace) {
        self.tracing.count += 1;
        self.thread_mut(id).trace = Some(Box::new(trace));
    }

    /// A process traces a thread of another from now on, and has it stop (`PTRACE_ATTACH`).
    pub(crate) fn attach(&mut self, id: ThreadId, tracer: ProcessId) {
        self.begin_trace(id, Trace::new(tracer, false, TraceOptions::empty()));
        let thread = self.thread_mut(id);
        let process = thread.process;
        if thread.state == State::Stopped
            && let Some(signal) = self.process(process).stopped_by
        {
            self.thread_mut(id).state = State::Traced;
            if let Some(trace) = &mut self.thread_mut(id).trace {
                (trace.stop, trace.is_news) = (Some(Stop::Group(signal)), true);
            }
            return;
        }
        let info = SignalInfo::from_kernel(Signal::STOP);
        self.machine.post_signal(SignalTarget::Thread(id), info);
    }

    /// Has a thread stop that is traced (`PTRACE_INTERRUPT`).
    pub(crate) fn interrupt_tracee(&mut self, id: ThreadId) {
        let thread = self.thread_mut(id);
        if let Some(trace) = &mut thread.trace
            && trace.stop.is_none()
        {
            trace.is_wanted = true;
            if let Some(call) = &mut thread.call {
                call.interrupted = true;
            }
            self.make_runnable(id);
        }
    }

    /// A traced thread has made another, or a process with it: it is traced like its maker, if the tracer wants that.
    pub(crate) fn trace_child(&mut self, maker: ThreadId, child: ThreadId, event: TraceEvent) {
        let tid = self.thread(child).tid.raw();
        self.note_event(maker, event, tid.into());
        let Some(trace) = &self.thread(maker).trace else { return };
        if trace.due.is_none() {
            return;
        }
        let mut of_child = Trace::new(trace.tracer, trace.is_seized, trace.options);
        of_child.is_wanted = of_child.is_seized;
        let stops = !of_child.is_seized;
        self.begin_trace(child, of_child);
        if stops {
            let info = SignalInfo::from_kernel(Signal::STOP);
            self.machine.post_signal(SignalTarget::Thread(child), info);
        }
    }

    /// A thread, which had this number before, executes a program.
    pub(crate) fn trace_exec(&mut self, id: ThreadId, old: Tid) {
        self.note_event(id, TraceEvent::Exec, old.raw().into());
        let thread = self.thread_mut(id);
        if let Some(trace) = &thread.trace
            && !trace.is_seized
            && !trace.options.contains(TraceOptions::EXEC)
        {
            self.raise_signal(id, Signal::TRAP);
        }
    }

    /// Nobody traces a thread any more. It goes on, and takes this signal, if any.
    pub(crate) fn end_trace(&mut self, id: ThreadId, signal: Option<Signal>) {
        let thread = self.thread_mut(id);
        let Some(trace) = thread.trace.take() else { return };
        thread.registers.eflags &= !TRAP_FLAG;
        self.tracing.count -= 1;
        if let Some(signal) = signal {
            let info = match trace.stop {
                Some(Stop::Signal(info)) if info.signal == signal => info,
                _ => SignalInfo::unknown(signal),
            };
            self.machine.post_signal(SignalTarget::Thread(id), info);
        }
        self.go_on_untraced(id);
    }

    /// The threads that a process traces, by number.
    #[must_use]
    pub fn tracees(&self, tracer: ProcessId) -> Vec<ThreadId> {
        if self.tracing.count == 0 {
            return Vec::new();
        }
        let is_one = |id: &ThreadId| {
            self.thread(*id).trace.as_ref().is_some_and(|trace| trace.tracer == tracer)
        };
        self.tids.values().copied().filter(is_one).collect()
    }

    /// A process ends: what it traces goes on without it, or ends, too.
    pub(crate) fn abandon_tracees(&mut self, tracer: ProcessId) {
        self.tracing.ended.retain(|ended| ended.tracer != tracer);
        for id in self.tracees(tracer) {
            let options = self.thread(id).trace.as_ref().map(|trace| trace.options);
            self.end_trace(id, None);
            if options.is_some_and(|options| options.contains(TraceOptions::EXIT_KILL)) {
                let process = self.thread(id).process;
                let info = SignalInfo::from_kernel(Signal::KILL);
                self.machine.post_signal(SignalTarget::Process(process), info);
            }
        }
    }

    /// A thread is about to end with this wait status.
    pub(crate) fn note_exit_status(&mut self, id: ThreadId, status: u32) {
        if self.tracing.count > 0
            && let Some(trace) = &mut self.thread_mut(id).trace
        {
            trace.exit_status = status;
        }
    }

    /// A thread has ended that was traced: its tracer is told, unless it collects the process as its own child.
    pub(crate) fn report_ended(&mut self, process: ProcessId, tid: Tid, trace: &Trace) {
        self.tracing.count -= 1;
        let of = self.process(process);
        if tid == of.pid && of.parent == Some(trace.tracer) {
            return;
        }
        let Some(tracer) = self.processes.get(trace.tracer) else { return };
        let queue = tracer.child_changed.clone();
        let (tracer, group, user) = (trace.tracer, of.group, of.credentials.uid);
        let (code, status) = end_code(trace.exit_status);
        let info = SignalInfo::child(Signal::CHLD, code, of, status);
        self.tracing.ended.push(EndedTracee {
            tracer,
            tid,
            group,
            user,
            status: trace.exit_status,
        });
        self.machine.post_signal(SignalTarget::Process(tracer), info);
        queue.wake(Readiness::READABLE, &mut self.machine.wakes);
    }
}
