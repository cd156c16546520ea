//! The signal state of threads and processes.

use alloc::collections::VecDeque;

use super::{SignalInfo, SignalSet};

/// Signals sent and not yet taken.
#[derive(Clone, Debug, Default)]
pub struct PendingSignals {
    /// In the order they came.
    pub queue: VecDeque<SignalInfo>,
}

/// What a process does with each signal.
#[derive(Clone, Debug, Default)]
pub struct Actions {}

/// The signal state of one thread.
#[derive(Clone, Debug, Default)]
pub struct ThreadSignals {
    /// Blocked signals.
    pub mask: SignalSet,
    /// The mask to go back to after a call that has set another for as long as it took (`ppoll`, `sigsuspend`). A
    /// handler that interrupts such a call finds this one in its frame.
    pub saved_mask: Option<SignalSet>,
    /// Signals pending for this thread.
    pub pending: PendingSignals,
}

impl ThreadSignals {
    /// What a new thread or process starts with.
    #[must_use]
    pub fn inherit(&self, _new_stack: bool) -> Self {
        Self { mask: self.mask, ..Self::default() }
    }

    /// Goes back to the mask from before the call.
    pub fn restore_mask(&mut self) {
        if let Some(mask) = self.saved_mask.take() {
            self.mask = mask;
        }
    }
}
