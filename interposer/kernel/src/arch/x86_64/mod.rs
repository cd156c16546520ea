//! x86-64: registers as the host's signal frame holds them.
pub mod registers;
pub use registers::Registers;
