//! From boot parameters to the end of a run.
//!
//! - [`image`]: the embedded kernel image.
//! - [`memory`]: the memory files that all processes of a run share.
//! - [`searched`]: what was found in the code of files.
//! - [`limits`]: what the host must allow for that.
//! - [`placement`]: the processor a run is kept on.
//! - [`child`]: the first process.
//! - [`processes`]: collecting and ending the processes of a run.
//! - [`watch`]: waiting for whatever happens next.
//! - [`spin`]: noticing a thread that never enters the kernel.
//! - [`input`]: noticing that a run waits for its input.
//! - [`listener`]: who is told of events.
//! - [`ring`]: the events, as they come.
//! - [`outcome`]: how a run ended.
//! - [`run`]: all of it, in order.

mod child;
mod image;
mod input;
mod limits;
mod listener;
mod memory;
mod outcome;
mod placement;
mod processes;
mod ring;
mod run;
mod searched;
mod spin;
mod watch;
pub use child::Streams;
pub use limits::{Shortage, shortages};
pub use listener::Listener;
pub use outcome::{Ending, Outcome};
pub use processes::Leaving;
pub use run::{Error, processor, run, run_until_told};
pub use spin::learn;
