//! A process.

use alloc::{rc::Rc, vec::Vec};
use core::{
    cell::{Cell, RefCell},
    time::Duration,
};

use super::{Credentials, Limits, Pid, Settings, ThreadId};
use crate::{
    file::FdTable,
    fs::{Running, Standing},
    mm::SpaceId,
    node::NodeId,
    signal::{Actions, PendingSignals, ProcessTimers, Signal, SignalSet},
    time::Instant,
    wait::WaitQueue,
};

/// Names a process for the kernel.
pub type ProcessId = crate::slab::Id<Process>;

/// Whether a process lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProcessState {
    /// It has threads.
    Alive,
    /// It has ended with this wait status, which its parent has not collected.
    Zombie(u32),
}

/// A stop or a going on that its parent may collect once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JobChange {
    /// This signal stopped it.
    Stopped(u32),
    /// `SIGCONT` let it go on.
    Continued,
}

/// Where a process stands in the file system; shared under `CLONE_FS`.
#[derive(Clone, Debug)]
pub struct FsContext {
    /// Working directory.
    pub directory: Standing,
    /// Root directory, absolute; `/` unless changed.
    pub root: Vec<u8>,
    /// File mode creation mask.
    pub umask: u32,
}

/// One process.
pub struct Process {
    /// The node it is on.
    pub node: NodeId,
    /// Its number.
    pub pid: Pid,
    /// Its parent; `None` for the children of init.
    pub parent: Option<ProcessId>,
    /// Its children, oldest first.
    pub children: Vec<ProcessId>,
    /// Process group.
    pub group: Pid,
    /// Session.
    pub session: Pid,
    /// Whether it lives.
    pub state: ProcessState,
    /// The last stop or going on that its parent has not collected.
    pub job_change: Option<JobChange>,
    /// Wait status of its first thread, if that has ended before the others: it becomes the process's.
    pub leader_status: Option<u32>,
    /// Whether it has executed a program since it was made (setpgid(2)).
    pub has_executed: bool,
    /// What it has set for itself.
    pub settings: Settings,
    /// Resource limits.
    pub limits: Limits,
    /// Its threads, oldest first.
    pub threads: Vec<ThreadId>,
    /// Where it lives.
    pub space: SpaceId,
    /// Its descriptors; shared under `CLONE_FILES`.
    pub files: Rc<RefCell<FdTable>>,
    /// Directory, root and mask.
    pub fs: Rc<RefCell<FsContext>>,
    /// Who it acts as.
    pub credentials: Rc<Credentials>,
    /// What it does with signals; shared under `CLONE_SIGHAND`.
    pub actions: Rc<RefCell<Actions>>,
    /// Signals pending for the process as a whole.
    pub pending: PendingSignals,
    /// What is pending for it and its threads, kept up to date while a signalfd follows it.
    pub pending_shown: Rc<Cell<SignalSet>>,
    /// The signal that stopped it, while it is stopped.
    pub stopped_by: Option<Signal>,
    /// Until when a fault has it stand still. Nobody can see that it does.
    pub paused_until: Option<Instant>,
    /// Timers that send it signals.
    pub timers: ProcessTimers,
    /// Path of its program, as it was called.
    pub program: Rc<[u8]>,
    /// The same, absolute and behind symbolic links.
    pub executable: Rc<[u8]>,
    /// The file that it executes, which nobody may write to meanwhile.
    pub running: Option<Running>,
    /// Whether its program is one that loads the preload library.
    pub preload: bool,
    /// Argument vector, as `/proc/self/cmdline` shows it.
    pub command_line: Vec<u8>,
    /// Environment at the start of the program, as `/proc/self/environ` shows it.
    pub environment: Vec<u8>,
    /// The auxiliary vector, as `/proc/self/auxv` shows it.
    pub auxiliary: Vec<u8>,
    /// Where the stack started.
    pub stack_start: u64,
    /// Signal its parent gets when it ends; zero for none.
    pub exit_signal: u32,
    /// Waited on by its parent in `wait4`: woken when a child changes.
    pub child_changed: WaitQueue,
    /// Waited on by holders of a pidfd: woken when it ends.
    pub ended: WaitQueue,
    /// Whether it has ended, for holders of a pidfd.
    pub has_ended: Rc<Cell<bool>>,
    /// Waited on by its parent in `vfork`: woken when it execs or ends.
    pub released: Option<WaitQueue>,
    /// Number of the list of what its end undoes at semaphores, zero for none yet; shared under `CLONE_SYSVSEM`.
    pub undo_list: Rc<Cell<u64>>,
    /// Processor time of its ended threads.
    pub dead_threads_time: Duration,
    /// Processor time of its collected children.
    pub children_time: Duration,
}

impl Process {
    /// The last part of its program's path, as text.
    #[must_use]
    pub fn program_name(&self) -> alloc::borrow::Cow<'_, str> {
        let name = self.program.rsplit(|&byte| byte == b'/').next().unwrap_or(&self.program);
        alloc::string::String::from_utf8_lossy(name)
    }
}
