//! Asynchronous I/O (fs/aio.c).
//!
//! - [`context`]: what was submitted together, and what came of it.
//! - [`poll`]: a request that waits until a descriptor is ready.
//! - [`registry`]: which contexts there are.

mod context;
mod poll;
mod registry;
pub use context::{AioContext, Request};
pub use poll::PollRequest;
pub use registry::{AioContexts, Room};
