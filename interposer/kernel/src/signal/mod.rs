//! Signals.

mod deliver;
mod info;
mod set;
mod state;
pub use info::SignalInfo;
pub use set::{Signal, SignalSet};
pub use state::{Actions, PendingSignals, ThreadSignals};
