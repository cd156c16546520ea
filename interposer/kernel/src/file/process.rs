//! Process descriptors (pidfd_open(2)).

use alloc::{format, string::String};

use super::FileObject;
use crate::{
    process::{Pid, ProcessId},
    wait::{Readiness, WaitQueue},
};

/// What a pidfd refers to.
#[derive(Debug)]
pub struct ProcessFile {
    /// The process; it may be gone.
    pub process: ProcessId,
    /// Its number.
    pub pid: Pid,
    /// Woken when it ends.
    pub ended: WaitQueue,
    /// Whether it has ended.
    pub has_ended: alloc::rc::Rc<core::cell::Cell<bool>>,
}

impl FileObject for ProcessFile {
    fn readiness(&self) -> Readiness {
        if self.has_ended.get() { Readiness::READABLE } else { Readiness::empty() }
    }

    fn details(&self) -> String {
        // Whoever has been waited for has no number any more.
        let pid = if self.has_ended.get() { -1 } else { i64::from(self.pid.raw()) };
        format!("Pid:\t{pid}\nNSpid:\t{pid}\n")
    }

    fn queue(&self) -> Option<&WaitQueue> {
        Some(&self.ended)
    }
}
