//! Waiting and waking.

mod queue;
pub use queue::{Observer, Readiness, WaitQueue, Wakes};
