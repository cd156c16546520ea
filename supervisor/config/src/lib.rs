//! Files in strict YAML: whatever is wrong is told with its place, the text that is wrong, and the nearest that is right.
//!
//! A file is read into types that derive `serde::Deserialize` with `deny_unknown_fields`; their JSON Schema comes from
//! the same types.
//!
//! - [`node`]: what a file holds, with the place of each value.
//! - [`read`]: from there into types.
//! - [`problem`]: what is wrong, and where.
//! - [`spelling`]: the nearest word.
//! - [`spanned`]: values that remember their place, and one or many of something, a word or more.
//! - [`json`]: any value, with the types that JSON has.
//! - [`units`]: durations, sizes, shares and rates.
//! - [`quantity`]: a value, or how it is drawn.
//! - [`quantile`]: distributions as tables.

mod json;
mod node;
mod problem;
mod quantile;
mod quantity;
mod read;
mod spanned;
pub mod spelling;
pub mod units;
pub use json::Json;
pub use problem::{Position, Problem, Wrong};
pub use quantity::Quantity;
pub use read::parse;
pub use spanned::{Named, OneOrMany, Spanned, WordOr};

#[cfg(test)]
mod tests;
