//! Who is told when a description becomes ready (fcntl(2), "Managing signals").

use crate::signal::Signal;

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
    /// By which signal; `None` for SIGIO without further information.
    pub signal: Option<Signal>,
}
