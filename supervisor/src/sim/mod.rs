//! Simulation files: several machines, what drives them, and what goes wrong.
//!
//! - [`file`]: what a simulation file may say; [`values`]: values that only such files have; [`words`]: commands as texts.
//! - [`described`]: a file as it was read, and what holds where it says nothing: all that is needed for any seed.
//! - [`world`]: which machines there are for a seed, by name.
//! - [`compile`]: from there to what the kernel takes; finds what cannot be.
//! - [`order`]: which machine waits for which.
//! - [`references`]: `{{...}}` in commands and variables.
//! - [`topology`]: what programs are told of each other.
//! - [`draw`]: what the seed decides.

mod compile;
mod described;
mod draw;
mod file;
mod order;
mod references;
mod topology;
mod values;
mod words;
mod world;
pub use compile::Machines;
pub use described::{Defaults, Described, Error};
pub use file::SimulationFile;

#[cfg(test)]
mod tests;
