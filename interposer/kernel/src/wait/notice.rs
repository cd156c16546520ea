//! Signals that tell of readiness (fcntl(2), "Managing signals").

use alloc::vec::Vec;

use super::Wakes;

/// What the number of an [`Owner`] names.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum OwnerKind {
    /// A process.
    #[default]
    Process,
    /// A process group.
    Group,
    /// A thread.
    Thread,
}

/// Who is told when a description becomes ready.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Owner {
    /// What the number names.
    pub kind: OwnerKind,
    /// The number; zero for nobody.
    pub id: i32,
    /// By which signal; zero for SIGIO without further information.
    pub signal: u32,
    /// Real and effective user of who set it: the one told must be theirs.
    pub users: (u32, u32),
}

/// Why a signal is sent: `si_code` (sigaction(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "sigaction(2) describes each")]
pub enum Reason {
    In = 1,
    Out = 2,
    Error = 4,
    Priority = 5,
    HangUp = 6,
    /// Urgent data: SIGURG instead.
    Urgent = 0,
}

/// A signal to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notice {
    /// To whom.
    pub owner: Owner,
    /// Of which descriptor.
    pub fd: u32,
    /// Why.
    pub reason: Reason,
}

/// Somebody who has signals sent. Asked once the current handler is through: nothing is borrowed then.
pub trait Notifies {
    /// The signals for what has happened since the last time. It may wake others, too.
    fn notices(&self, wakes: &mut Wakes) -> Vec<Notice>;
}
