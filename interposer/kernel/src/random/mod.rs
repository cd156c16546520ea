//! Randomness: one master seed, an independent stream for each purpose.

mod stream;
pub use stream::{Purpose, Random, Stream};
