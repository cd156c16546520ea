//! Which thread runs next.
//!
//! - [`scheduler`]: the run queue, and the choices made from it.
//! - [`priorities`]: turns by priorities that a fault draws.

mod priorities;
mod scheduler;
pub use priorities::Priorities;
pub use scheduler::Scheduler;
