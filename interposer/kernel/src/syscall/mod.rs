//! System calls: the table, and a file of decoders for each family.
//!
//! A new call is a row in [`table`] and a function here. A handler decodes its arguments into types, refuses what
//! it does not know, calls an object, and writes the results out.

pub mod exec;
pub mod file;
pub mod futex;
mod identity;
mod io;
mod mask;
mod memory;
pub mod pipe;
mod process;
mod readiness;
pub mod table;
mod thread;
mod time;
