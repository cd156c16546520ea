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
    /// Signals pending for this thread.
    pub pending: PendingSignals,
}

impl ThreadSignals {
    /// What a new thread or process starts with.
    #[must_use]
    pub fn inherit(&self, _new_stack: bool) -> Self {
        Self { mask: self.mask, pending: PendingSignals::default() }
    }
}
