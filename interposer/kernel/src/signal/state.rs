//! The signal state of threads and processes.

use super::{AlternateStack, PendingSignals, SignalSet};

/// The last exception of the processor, as frames show it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exception {
    /// Its number.
    pub number: u64,
    /// The processor's error code.
    pub error: u64,
    /// Address of the last page fault.
    pub address: u64,
}

/// The signal state of one thread.
#[derive(Clone, Debug, Default)]
pub struct ThreadSignals {
    /// Blocked signals. Change it by [`crate::kernel::Kernel::set_signal_mask`] only.
    pub mask: SignalSet,
    /// The mask to go back to after a call that has set another for as long as it took (`ppoll`, `sigsuspend`). A
    /// handler that interrupts such a call finds this one in its frame.
    pub saved_mask: Option<SignalSet>,
    /// Signals pending for this thread.
    pub pending: PendingSignals,
    /// Whether it has to look for signals before it returns to its program (Linux's `TIF_SIGPENDING`).
    pub attention: bool,
    /// What it waits for in `sigtimedwait`.
    pub awaited: SignalSet,
    /// Where handlers with `SA_ONSTACK` run.
    pub stack: AlternateStack,
    /// The last exception.
    pub exception: Exception,
}

impl ThreadSignals {
    /// What a new thread or process starts with. Only a thread on a new stack in the same memory loses the
    /// alternate stack (`CLONE_VM` without `CLONE_VFORK`, clone(2)).
    #[must_use]
    pub fn inherit(&self, new_stack: bool) -> Self {
        Self {
            mask: self.saved_mask.unwrap_or(self.mask),
            stack: if new_stack { AlternateStack::disabled() } else { self.stack },
            exception: self.exception,
            ..Self::default()
        }
    }

    /// What a new program starts with: mask and pending signals stay.
    pub fn reset_for_exec(&mut self) {
        self.stack = self.stack.forgotten();
        self.exception = Exception::default();
    }
}
