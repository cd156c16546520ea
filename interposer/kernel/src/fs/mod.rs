//! Paths and trees.
//!
//! - [`preload`]: the preload library.
//! - [`views`]: `/proc`, `/sys`, `/dev` of the simulated machine.

mod path;
pub mod preload;
pub mod views;
pub use path::join;
