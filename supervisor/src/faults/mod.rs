//! Fault files: what goes wrong in a run, by name.
//!
//! - [`file`]: what a fault file may say.
//! - [`compile`]: from there to the plan that the kernel takes; finds what cannot be.
//! - [`errors`]: which call may fail with which error.
//! - [`links`], [`threads`]: the same for faults of links, and of the turns of threads.
//! - [`network`]: what a fault file may say of links, partitions and names.
//! - [`machines`]: the same for faults of whole machines and their clocks.
//! - [`groups`]: families of faults, and those that raise others.
//! - [`nodes`]: nodes by name and tag, and hosts by name.
//! - [`calls`]: system calls by name.
//! - [`netem`]: fault files in JSON, in the words of netem.
//! - [`catalog`]: files by name, those that come with simrun and those of a project.

mod calls;
mod catalog;
mod compile;
mod errors;
mod file;
mod groups;
mod links;
mod machines;
mod netem;
mod network;
mod nodes;
mod threads;
mod zones;
pub use catalog::{Catalog, Error, Injection, TOGETHER, ends_like_file, in_words, is_path};
pub use compile::compile;
pub use file::FaultFile;
pub use nodes::Asked;

#[cfg(test)]
mod tests;
