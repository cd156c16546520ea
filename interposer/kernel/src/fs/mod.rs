//! Paths and trees.
//!
//! - [`preload`]: the preload library.
//! - [`walk`]: from a path to what it names.
//! - [`tree`]: the host's tree, and what the run does to it; [`names`], [`inode`] and
//!   `extended`: what is known of it.
//! - [`views`]: `/proc`, `/sys`, `/dev` of the simulated machine.

mod extended;
pub mod inode;
pub mod names;
mod path;
pub mod preload;
pub mod tree;
pub mod views;
pub mod walk;
pub use extended::{ExtendedAttributes, Setting};
pub use inode::{FileTime, Inode, Times};
pub use path::join;
pub use tree::Tree;
pub use walk::{Found, Last, Place, Resolve, Walk};
