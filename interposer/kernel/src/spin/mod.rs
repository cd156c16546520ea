//! Threads that wait in a loop without a system call.
//!
//! Only one thread runs at a time and time moves by calls alone, so such a thread would wait forever. The shell lets
//! one that has computed for long go on step by step and shows each instruction to a [`Search`]. If registers and memory come back
//! to what they were, the thread does the same forever unless *somebody else* changes what it reads: it waits, which
//! is a proof and no guess. When the search happened to begin makes no difference: the thread is stopped at the one
//! place in its circle that any search chooses. From then on it counts as blocked there until another has run.
//!
//! - [`effects`]: what an instruction does to memory.
//! - [`search`]: whether a thread goes in a circle.
//! - [`place`]: the places in code where threads are known to.

mod effects;
mod place;
mod search;
pub use effects::{Machine, digest};
pub use place::{Place, Verdict};
pub use search::{Circle, Search, Step};
