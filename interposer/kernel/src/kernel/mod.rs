//! The kernel as a whole: all state, and the one way in.
//!
//! - [`boot`]: the first process.
//! - [`run`]: the loop from a trap to the next return to a program.
//! - [`find`]: threads and processes by number.
//! - [`lifecycle`]: how threads and processes begin and end.
//! - [`patch`]: call sites that need not trap again.
//! - [`report`]: what is said of a run that cannot go on.

mod boot;
mod find;
mod lifecycle;
mod patch;
mod report;
mod run;
mod state;
pub use boot::BootError;
pub(crate) use boot::thread_name;
pub(crate) use lifecycle::killed_by;
pub use run::{Trap, Way};
pub use state::Kernel;
