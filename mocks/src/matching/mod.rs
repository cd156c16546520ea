//! Which route a request takes, and what keeps it from the others.
//!
//! - [`path`]: paths with places for parts of them.
//! - [`text`]: what a text must be.
//! - [`json`]: what a value of JSON must be.
//! - [`body`]: what a body must be.
//! - [`criterion`]: something that must be so.
//! - [`matcher`]: all that must be so.
//! - [`index`]: finding routes by their paths.
//! - [`compile`]: from a file to that.

mod body;
mod compile;
mod criterion;
mod index;
pub mod json;
mod matcher;
mod path;
mod text;
pub use compile::{body, compile, header_name, method};
pub use criterion::Miss;
pub use index::Index;
pub use matcher::{Captures, Matcher};
pub use text::Text;

#[cfg(test)]
mod tests;
