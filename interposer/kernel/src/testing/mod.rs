//! What the kernel's own tests use in place of the real machine, and programs made of bytes.

mod bytes;
mod elf;
mod host;
mod machine;
pub(crate) mod program;

pub use bytes::Bytes;
pub use elf::{damaged_program, smallest_program};
pub use host::FakeHost;
pub use machine::FakeMachine;
pub use program::{Played, boot, boots, node, play};

#[cfg(test)]
mod models;
#[cfg(test)]
mod tests;
