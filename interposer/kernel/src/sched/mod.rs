//! Which thread runs next.

mod scheduler;
pub use scheduler::Scheduler;
