//! A thread: a saved register frame and what it waits for.

use alloc::{boxed::Box, rc::Rc, vec::Vec};
use core::time::Duration;

use super::{ProcessId, Scheduling, Tid, Trace};
use crate::{
    arch::x86_64::Registers,
    fault::Injected,
    file::FileDescription,
    outcome::Restart,
    signal::ThreadSignals,
    spin::Circle,
    time::{Instant, TimerKey},
    wait::WaitQueue,
};

/// Names a thread for the kernel.
pub type ThreadId = crate::slab::Id<Thread>;

/// What a thread does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Runs, or stands in the run queue.
    Runnable,
    /// Waits until one of its queues or its timer wakes it.
    Blocked(Restart),
    /// Stopped by a signal.
    Stopped,
    /// Stopped for its tracer.
    Traced,
    /// Ended, and not yet forgotten.
    Dead,
}

/// A description that a blocked call goes on with: closing the descriptor meanwhile does not end the call (close(2),
/// "Multithreaded processes and close()").
#[derive(Clone, Debug)]
pub struct Held {
    /// The descriptor that it had when the call began; `None` for one that is only being opened.
    pub fd: Option<u32>,
    /// The description.
    pub file: Rc<FileDescription>,
}

/// A system call that a thread is in.
#[derive(Clone, Debug, Default)]
pub struct Call {
    /// Its number.
    pub number: u64,
    /// Its arguments.
    pub arguments: [u64; 6],
    /// Bytes or items already transferred by earlier attempts.
    pub progress: u64,
    /// Attempts so far, this one included.
    pub attempts: u32,
    /// When it gives up; set by the first attempt that blocks.
    pub deadline: Option<Instant>,
    /// Whether that time is one of the wall clock's, and has to be found again when that is set.
    pub wall_deadline: bool,
    /// Whether that time has come.
    pub timed_out: bool,
    /// Whether a signal wants the thread: it must not block (again).
    pub interrupted: bool,
    /// How a signal that is about to be taken has interrupted it.
    pub restart: Option<Restart>,
    /// What a waker left for the call to find, such as the result of a futex wait.
    pub woken_with: Option<u64>,
    /// What faults do to it, if they do anything.
    pub injected: Option<Box<Injected>>,
    /// A description that it uses until it is over.
    pub held: Option<Held>,
    /// The lock that it waits for.
    pub lock: Option<LockWait>,
    /// How far it has come with asynchronous I/O.
    pub aio: AioProgress,
    /// What the log says it waits for.
    pub waits_for: &'static str,
}

/// What earlier attempts of a call of asynchronous I/O leave for the next one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AioProgress {
    /// Number of the context that it is about.
    pub context: Option<u64>,
    /// How many requests have been submitted.
    pub submitted: u64,
    /// How much later the request ends for which it waits, once faults were asked about that.
    pub delay: Option<Duration>,
}

/// What an attempt to lock a file has found out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockWait {
    /// Which bytes are to be locked: the first and the last.
    Range(u64, u64),
    /// The description of this token stood in the way of a lock on the whole file.
    Behind(u64),
}

impl Call {
    /// When its wait ends at the latest: at its time-out, or later by a fault.
    #[must_use]
    pub fn wakes(&self) -> Option<Instant> {
        let late = self.injected.as_ref().map_or(Duration::ZERO, |injected| injected.oversleep);
        self.deadline.map(|due| due + late)
    }
}

/// One thread.
pub struct Thread {
    /// Its number.
    pub tid: Tid,
    /// Its process.
    pub process: ProcessId,
    /// What it does.
    pub state: State,
    /// Its registers while it does not run, and during a call.
    pub registers: Registers,
    /// Base of fs: thread-local storage.
    pub fs_base: u64,
    /// Base of gs.
    pub gs_base: u64,
    /// Its vector and floating-point state while another thread of its address space is loaded.
    pub extended_state: Vec<u8>,
    /// The call it is in.
    pub call: Option<Call>,
    /// The loop without a call that it waits in.
    pub circle: Option<Rc<Circle>>,
    /// Queues it is registered in while blocked.
    pub queues: Vec<WaitQueue>,
    /// Its time-out while blocked.
    pub timer: Option<TimerKey>,
    /// Signals: mask, pending, alternate stack.
    pub signals: ThreadSignals,
    /// Address to clear and wake when it ends (`set_tid_address`), or zero.
    pub clear_child_tid: u64,
    /// Address to which it writes its number when it first runs (`CLONE_CHILD_SETTID`), or zero.
    pub set_child_tid: u64,
    /// Head of its list of robust futexes, or zero.
    pub robust_list: u64,
    /// Name (`PR_SET_NAME`), NUL-padded.
    pub name: [u8; 16],
    /// How it wants to be scheduled.
    pub scheduling: Scheduling,
    /// Processor time it has used.
    pub cpu_time: Duration,
    /// When it began.
    pub started: Instant,
    /// Who traces it, and what they know of it.
    pub trace: Option<Box<Trace>>,
}

impl Thread {
    /// A thread of a process, ready to run with these registers.
    #[must_use]
    pub fn new(tid: Tid, process: ProcessId, registers: Registers, started: Instant) -> Self {
        Self {
            tid,
            process,
            state: State::Runnable,
            registers,
            fs_base: 0,
            gs_base: 0,
            extended_state: Vec::new(),
            call: None,
            circle: None,
            queues: Vec::new(),
            timer: None,
            signals: ThreadSignals::default(),
            clear_child_tid: 0,
            set_child_tid: 0,
            robust_list: 0,
            name: [0; 16],
            scheduling: Scheduling::default(),
            cpu_time: Duration::ZERO,
            started,
            trace: None,
        }
    }
}
