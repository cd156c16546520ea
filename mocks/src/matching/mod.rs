//! Which route a request takes, and what keeps it from the others.
//!
//! - [`path`]: paths with places for parts of them.
//! - [`matcher`]: all that must be so.

mod matcher;
mod path;
pub use matcher::{Captures, Criterion, Matcher};
pub use path::Path;
