//! The trees that show the simulated machine instead of the host: `/proc`, `/sys`, `/dev/mqueue`.
//!
//! - `node`: what a path can lead to.
//! - `lookup`: from a path to its node; [`covers`] says which paths are asked for here.
//! - `open`: opening a node, its status, what writing to it does.
//! - `fixed`: tables of files whose directories follow from their paths.
//! - `proc`, `sys`: the large ones.

mod fixed;
mod lookup;
mod node;
mod open;
mod proc;
mod sys;
pub use lookup::{covers, is_magic, lookup, root};
pub use node::{DescriptionLink, Entry, Node};
pub use open::{apply_written, inode_number, open, refresh, status};
pub use proc::numbers;
