//! What comes with a signal.

use super::Signal;

/// What comes with a signal: the parts of `siginfo_t` (sigaction(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignalInfo {
    /// The signal.
    pub signal: Signal,
    /// `si_code`.
    pub code: i32,
    /// `si_errno`.
    pub errno: i32,
    /// The words after the header, as they lie in `siginfo_t` from offset 16.
    pub fields: [u64; 3],
}
