//! The kernel as a whole: all state, and the one way in.
//!
//! - [`aio`]: what the end of an address space means to asynchronous I/O.
//! - [`boot`]: the first process.
//! - [`run`]: the loop from a trap to the next return to a program.
//! - [`init`]: the machine's own process.
//! - [`fault`]: where faults meet system calls.
//! - [`instruction`]: instructions that trap.
//! - [`interrupt`]: what a signal does to a call that waits.
//! - [`ipc`]: what processes' coming and going means to IPC.
//! - [`find`]: threads and processes by number.
//! - [`lifecycle`]: how threads and processes begin and end.
//! - [`nodes`]: the simulated machines, and which of them acts.
//! - [`node_fault`]: where faults meet whole machines.
//! - [`notice`]: telling the owners of descriptions by signals.
//! - [`patch`]: call sites that need not trap again.
//! - [`power`]: losing power, and starting again.
//! - [`renew`]: mappings of files that have changed since.
//! - [`report`]: what is said of a run that cannot go on.
//! - [`start`]: when a node's program starts, and what its end means.
//! - [`spin`]: threads that wait in a loop without a system call.
//! - [`threads`]: where faults meet the turns of threads.
//! - [`trace`]: where a traced thread stops, and how it goes on; [`trace_ends`]: how that begins and ends.

mod aio;
mod boot;
mod fault;
mod find;
mod init;
mod instruction;
mod interrupt;
mod ipc;
mod lifecycle;
mod node_fault;
mod nodes;
mod notice;
mod patch;
mod power;
mod renew;
mod report;
mod run;
mod spin;
mod start;
mod state;
mod threads;
mod trace;
mod trace_ends;
pub use boot::BootError;
pub(crate) use boot::thread_name;
pub(crate) use lifecycle::killed_by;
pub(crate) use renew::Renewal;
pub use run::{Trap, Way};
pub use spin::Placed;
pub use state::Kernel;
