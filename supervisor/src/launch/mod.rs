//! From boot parameters to the end of a run.
//!
//! - [`image`]: the embedded kernel image.
//! - [`memory`]: the memory files that all processes of a run share.
//! - [`child`]: the first process.
//! - [`ring`]: the events, as they come.
//! - [`run`]: all of it, in order.

mod child;
mod image;
mod memory;
mod ring;
mod run;
pub use run::{Error, processor, run};
