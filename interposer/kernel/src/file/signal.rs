//! signalfd(2).

use alloc::{format, rc::Rc, string::String};
use core::cell::Cell;

use super::FileObject;
use crate::{
    signal::SignalSet,
    wait::{Readiness, WaitQueue},
};

/// A descriptor from which signals are read.
///
/// What is read is pending for the reader, so reading is the kernel's (see [`crate::syscall`]). Readiness follows the
/// process that has made it, as epoll(7) has it in Linux.
#[derive(Debug)]
pub struct SignalFile {
    /// What is read from it.
    pub wanted: Cell<SignalSet>,
    /// What is pending for its maker.
    pub pending: Rc<Cell<SignalSet>>,
    /// Woken when a signal is sent to anybody.
    pub arrived: WaitQueue,
}

impl FileObject for SignalFile {
    fn readiness(&self) -> Readiness {
        match self.pending.get().intersection(self.wanted.get()).is_empty() {
            true => Readiness::empty(),
            false => Readiness::READABLE,
        }
    }

    fn details(&self) -> String {
        format!("sigmask:\t{:016x}\n", self.wanted.get().0)
    }

    fn queue(&self) -> Option<&WaitQueue> {
        Some(&self.arrived)
    }
}
