//! Pipes and FIFOs (pipe(7), fifo(7)).

mod end;
mod object;
mod ring;
pub use end::{FifoOpening, PipeEnd};
pub use object::{Giving, Pipe};
