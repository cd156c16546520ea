//! Program code that must not run as it is: instructions that draw randomness from the processor.
//!
//! `rdrand`, `rdseed` and `rdpid` do not trap. When a file's code is mapped, those that a disassembly finds are made
//! invalid instructions, one byte each, and the exception is served from the entropy stream. What a program makes up
//! while it runs is out of reach.
//!
//! - [`find`]: where they are in a file.
//! - [`unwind`]: where functions begin, for the disassembly to start from.
//! - [`instruction`]: what is found and patched.
//! - [`patch`]: into mapped memory, and the cache of what was found.

mod find;
mod instruction;
mod patch;
mod unwind;
pub use find::Site;
pub use instruction::Trapping;
pub use patch::{CodeFiles, INVALID, overwrite, take_over};
