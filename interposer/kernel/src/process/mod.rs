//! Processes and threads.

mod exec;
mod ids;
mod state;
mod thread;
pub use exec::{Image, load};
pub use ids::{Pid, Tid};
pub use state::{Credentials, FsContext, Process, ProcessId, ProcessState};
pub use thread::{Call, Held, State, Thread, ThreadId};
