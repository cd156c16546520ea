//! What comes out of a system call, and what the shell must do next.

use crate::{mm::SpaceId, time::Instant};

/// What a handler makes of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It is over, with this result.
    Done(u64),
    /// It has to wait: the handler has registered the thread where it will be woken (see
    /// [`crate::context::Context::block_on`]), and is called again then.
    Blocked(Restart),
    /// It is over and has set the thread's registers itself (`execve`, `rt_sigreturn`).
    RegistersSet,
    /// The thread is gone, or stopped; there is nothing to return to.
    Gone,
    /// A host process for this address space must be made by copying the current one; then the call
    /// is over with this result in the parent. The child's threads are already runnable.
    Fork(SpaceId, u64),
    /// As [`Outcome::Fork`], but the call is made again in the parent.
    ForkAndRestart(SpaceId),
    /// As [`Outcome::Fork`], but the call is made again in the new address space, in which the calling
    /// thread lives from now on.
    MoveTo(SpaceId),
}

/// What a signal handler's interruption does to a blocked call (signal(7), "Interruption of system calls").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Restart {
    /// Starts again if the handler has `SA_RESTART`, else fails with `EINTR` (Linux's `ERESTARTSYS`).
    IfAsked,
    /// Fails with `EINTR` if a handler runs, starts again otherwise (`ERESTARTNOHAND`, `ERESTART_RESTARTBLOCK`).
    UnlessHandled,
    /// Starts again once the handler is through (`ERESTARTNOINTR`).
    Always,
    /// Always fails with `EINTR`.
    Never,
    /// Only a signal that ends the process interrupts it (`TASK_KILLABLE`).
    OnlyFatal,
}

/// What the shell must do after [`crate::kernel::Kernel::enter`] or [`crate::kernel::Kernel::run`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Next {
    /// Return to the program with the registers of the current thread.
    Resume,
    /// Give the token to the host process of this address space, wait until it comes back, then call `run`.
    Switch(SpaceId),
    /// As `Switch`, but the host process that runs now is no longer needed: it must leave.
    Leave(SpaceId),
    /// Make a host process for this address space by copying the current one. The parent calls `run` at
    /// once, the child when it first holds the token.
    Fork(SpaceId),
    /// The simulation is over.
    End,
}

/// Why nothing can run any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Idle {
    /// Time moves to this instant, when the next timer is due.
    Until(Instant),
    /// No timer is set either.
    Forever,
}
