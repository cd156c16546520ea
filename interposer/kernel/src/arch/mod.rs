//! What depends on the processor: data only.
pub mod x86_64;
