//! Simulation files: several machines, what drives them, and what goes wrong.
//!
//! - [`file`]: what a simulation file may say; [`values`]: values that only such files have; [`words`]: commands as texts.
//! - [`described`]: a file as it was read, and what holds where it says nothing: all that is needed for any seed.
//! - [`world`]: which machines there are for a seed, by name.
//! - [`compile`]: from there to what the kernel takes; finds what cannot be.
//! - [`order`]: which machine waits for which.
//! - [`composed`]: folders of commands; [`meeting`]: how machines that run them wait for each other.
//! - [`probe`]: machines that ask others whether they are ready.
//! - [`references`]: `{{...}}` in commands and variables.
//! - [`chaos`]: when faults may happen at all; [`links`]: what is always so of links.
//! - [`topology`]: what programs are told of each other.
//! - [`compose`]: files of Compose made into simulation files.
//! - [`draw`]: what the seed decides.

mod chaos;
mod compile;
pub mod compose;
pub mod composed;
mod described;
mod draw;
mod file;
mod links;
pub mod meeting;
mod order;
mod probe;
mod references;
mod topology;
mod values;
mod words;
mod world;
pub use chaos::Bounds;
pub use compile::Machines;
pub use described::{Defaults, Described, Error};
pub use draw::Draw;
pub use file::SimulationFile;
pub use probe::PREFIX as PROBE;

#[cfg(test)]
mod tests;
