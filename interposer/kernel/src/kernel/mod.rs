//! The kernel as a whole: all state, and the one way in.
//!
//! - [`boot`]: the first process.
//! - [`run`]: the loop from a trap to the next return to a program.
//! - [`lifecycle`]: how threads and processes begin and end.
//! - [`report`]: what is said of a run that cannot go on.

mod boot;
mod lifecycle;
mod report;
mod run;
mod state;
pub use boot::BootError;
pub(crate) use boot::thread_name;
pub(crate) use lifecycle::killed_by;
pub use run::Trap;
pub use state::Kernel;
