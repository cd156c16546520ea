//! What runs have done to their files.
//!
//! - [`records`]: as the kernel tells it at the end of a run.
//! - [`manifest`]: as it is kept with a run: `files.json`, and a file of `files/` for the bytes of each.
//! - [`tree`]: copied out as files again.
//! - [`write_through`]: written to the host after all, where that was asked for.

mod manifest;
mod records;
mod tree;
mod write_through;
pub use manifest::{Entry, Kind, Manifest};
pub use records::{Record, records};
pub use tree::export;
pub use write_through::write_through;
