//! Paths and trees.
//!
//! - [`views`]: `/proc`, `/sys`, `/dev` of the simulated machine.

mod path;
pub mod views;
pub use path::join;
