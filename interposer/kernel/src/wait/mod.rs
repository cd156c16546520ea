//! Waiting and waking.

mod notice;
mod queue;
pub use notice::{Notice, Notifies, Owner, OwnerKind, Reason};
pub use queue::{Observer, Readiness, WaitQueue, Wakes};
