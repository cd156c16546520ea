//! Paths and trees.
//!
//! - [`preload`]: the preload library.
//! - [`walk`]: from a path to what it names.
//! - [`tree`]: the tree of files, the host's underneath and what the run does to it above.
//! - `inode`, `contents`, `bytes`, `partly`, `memory_file`, `read_ahead`, `folder`, `name`, `extended`: what a file is;
//!   `times`, `numbers`: when it was made, and how it is known; `moved`: what of it mappings have to learn; [`access`]: who may use it.
//! - [`durable`]: what of it would outlive a loss of power.
//! - [`views`]: `/proc` and `/sys` of the simulated machine.

pub mod access;
mod bytes;
mod contents;
pub mod durable;
mod extended;
mod folder;
mod inode;
mod memory_file;
mod moved;
mod name;
mod numbers;
mod partly;
mod path;
pub mod preload;
mod read_ahead;
mod times;
pub mod tree;
pub mod views;
pub mod walk;
pub use contents::{Contents, Extent, SIZE_MAX, Sharing};
pub use extended::{ExtendedAttributes, Setting};
pub use folder::{DirectoryEntry, Folder};
pub use inode::{Attributes, Body, FileTime, Inode, Running, Times};
pub use moved::Moved;
pub use name::Name;
pub use path::join;
pub use tree::{Progress, Spot, Tree};
pub use walk::{Found, Last, Place, Resolve, Standing, Walk};
