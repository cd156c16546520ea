//! x86-64: registers as the host's signal frame holds them.
mod branch;
pub mod extended_state;
pub mod instruction;
pub mod padding;
pub mod registers;
pub use branch::Branch;
pub use registers::{Registers, TRAP_FLAG};
