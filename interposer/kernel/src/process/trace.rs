//! What is kept of a thread that is traced (ptrace(2)), and why it has stopped.

use alloc::vec::Vec;

use linux_raw_sys::ptrace as raw;

use super::{Pid, ProcessId, Tid};
use crate::signal::{Signal, SignalInfo};

bitflags::bitflags! {
    /// What a tracer wants to be told (`PTRACE_O_*`).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct TraceOptions: u32 {
        /// Stops at calls can be told from others.
        const MARKS_CALLS = raw::PTRACE_O_TRACESYSGOOD;
        /// A process forks.
        const FORK = raw::PTRACE_O_TRACEFORK;
        /// A process makes another and waits for it.
        const VFORK = raw::PTRACE_O_TRACEVFORK;
        /// A thread is made.
        const CLONE = raw::PTRACE_O_TRACECLONE;
        /// A program is executed.
        const EXEC = raw::PTRACE_O_TRACEEXEC;
        /// The wait after `VFORK` is over.
        const VFORK_DONE = raw::PTRACE_O_TRACEVFORKDONE;
        /// A thread is about to end.
        const EXIT = raw::PTRACE_O_TRACEEXIT;
        /// What is traced ends with its tracer.
        const EXIT_KILL = raw::PTRACE_O_EXITKILL;
    }
}

/// Something that a tracer is told of (`PTRACE_EVENT_*`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "ptrace(2) describes each")]
pub enum TraceEvent {
    Fork,
    Vfork,
    Clone,
    Exec,
    VforkDone,
    Exit,
    /// The tracer has asked for it, or tracing begins.
    Stop,
}

impl TraceEvent {
    /// As the status of a stop has it.
    #[must_use]
    pub const fn number(self) -> u32 {
        match self {
            Self::Fork => raw::PTRACE_EVENT_FORK,
            Self::Vfork => raw::PTRACE_EVENT_VFORK,
            Self::Clone => raw::PTRACE_EVENT_CLONE,
            Self::Exec => raw::PTRACE_EVENT_EXEC,
            Self::VforkDone => raw::PTRACE_EVENT_VFORK_DONE,
            Self::Exit => raw::PTRACE_EVENT_EXIT,
            Self::Stop => raw::PTRACE_EVENT_STOP,
        }
    }

    /// What asks for it; `None` for what is not asked for.
    #[must_use]
    pub const fn option(self) -> Option<TraceOptions> {
        Some(match self {
            Self::Fork => TraceOptions::FORK,
            Self::Vfork => TraceOptions::VFORK,
            Self::Clone => TraceOptions::CLONE,
            Self::Exec => TraceOptions::EXEC,
            Self::VforkDone => TraceOptions::VFORK_DONE,
            Self::Exit => TraceOptions::EXIT,
            Self::Stop => return None,
        })
    }
}

/// Why a thread has stopped for its tracer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stop {
    /// It is about to take this signal, if the tracer lets it.
    Signal(SignalInfo),
    /// Its process was stopped by this signal.
    Group(Signal),
    /// It is about to make a call.
    CallEntry,
    /// A call is over.
    CallExit,
    /// This has happened, with this number to it.
    Event(TraceEvent, u64),
}

impl Stop {
    /// The signal by which the tracer is told, and the event beside it: what is above the lowest byte of a status.
    #[must_use]
    pub fn code(&self, trace: &Trace) -> u32 {
        let marked = if trace.options.contains(TraceOptions::MARKS_CALLS) { 0x80 } else { 0 };
        let trap = Signal::TRAP.number();
        match self {
            Self::Signal(info) => info.signal.number(),
            Self::Group(signal) if trace.is_seized => {
                signal.number() | TraceEvent::Stop.number() << 8
            }
            Self::Group(signal) => signal.number(),
            Self::CallEntry | Self::CallExit => trap | marked,
            Self::Event(event, _) => trap | event.number() << 8,
        }
    }

    /// What `PTRACE_GETSIGINFO` says of it; `None` where a job was stopped.
    #[must_use]
    pub fn info(&self, trace: &Trace) -> Option<SignalInfo> {
        match self {
            Self::Signal(info) => Some(*info),
            Self::Group(_) => None,
            _ => {
                let code = self.code(trace) as i32;
                Some(SignalInfo { signal: Signal::TRAP, code, errno: 0, fields: [0; 3] })
            }
        }
    }
}

/// How far a thread goes when its tracer lets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub enum GoesOn {
    /// Until something happens that stops it.
    #[default]
    Freely,
    /// To the next call's beginning or end.
    ToCall,
    /// One instruction.
    OneStep,
}

/// What is kept of a thread that is traced.
#[derive(Clone, Debug)]
pub struct Trace {
    /// Who traces it. Linux has one thread trace; here any of its process may.
    pub tracer: ProcessId,
    /// Whether it began without a stop (`PTRACE_SEIZE`).
    pub is_seized: bool,
    /// What the tracer wants to be told.
    pub options: TraceOptions,
    /// Why it stands still, if it does.
    pub stop: Option<Stop>,
    /// Whether the tracer has not yet been told of that.
    pub is_news: bool,
    /// What the last event had to it.
    pub message: u64,
    /// How far it goes.
    pub goes_on: GoesOn,
    /// A signal that the tracer lets it take.
    pub taken: Option<SignalInfo>,
    /// What it stops for next.
    pub due: Option<(TraceEvent, u64)>,
    /// The tracer wants it to stop.
    pub is_wanted: bool,
    /// The call that the tracer was told the beginning of.
    pub in_call: Option<u64>,
    /// Whether the tracer was told that it ends.
    pub told_exit: bool,
    /// The status that it ends with.
    pub exit_status: u32,
}

impl Trace {
    /// By a process, nothing of it told yet.
    #[must_use]
    pub fn new(tracer: ProcessId, is_seized: bool, options: TraceOptions) -> Self {
        Self {
            tracer,
            is_seized,
            options,
            stop: None,
            is_news: false,
            message: 0,
            goes_on: GoesOn::Freely,
            taken: None,
            due: None,
            is_wanted: false,
            in_call: None,
            told_exit: false,
            exit_status: 0,
        }
    }

    /// The status of its stop as wait4(2) gives it, if the tracer has not seen it yet.
    #[must_use]
    pub fn news(&self) -> Option<u32> {
        let stop = self.stop.filter(|_| self.is_news)?;
        Some(stop.code(self) << 8 | 0x7f)
    }
}

/// A traced thread that has ended, of which its tracer does not know yet.
#[derive(Clone, Copy, Debug)]
pub struct EndedTracee {
    /// Who traced it.
    pub tracer: ProcessId,
    /// The thread.
    pub tid: Tid,
    /// Its process's group.
    pub group: Pid,
    /// Its user.
    pub user: u32,
    /// Its wait status.
    pub status: u32,
}

/// All that goes on.
#[derive(Debug, Default)]
pub struct Tracing {
    /// Threads that are traced.
    pub count: usize,
    /// Those that have ended, in that order.
    pub ended: Vec<EndedTracee>,
}
