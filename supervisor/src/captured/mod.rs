//! What runs have done to their files.
//!
//! - [`records`]: as the kernel tells it at the end of a run.
//! - [`manifest`]: as it is kept with a run: `files.json`, and a file of `files/` for the bytes of each.
//! - [`tree`]: copied out as files again.
//! - [`artifacts`]: those that are for people, kept apart from the others, under their own names.
//! - [`write_through`]: written to the host after all, where that was asked for.

mod artifacts;
mod manifest;
mod records;
mod tree;
mod write_through;
use std::{fs::File, io, path::Path};

pub use manifest::{Entry, Kind, Manifest};
use records::{Record, records};
pub use tree::export;
pub use write_through::write_through;

/// Keeps what the nodes of a run wrote in a run's folder, artifacts in a folder of their own, which had to be kept within
/// so many bytes; what cannot be kept is returned in words.
///
/// # Errors
/// When something cannot be read or written.
pub fn keep(
    capture: &File,
    nodes: &[&str],
    run: &Path,
    artifacts: (&Path, u64),
) -> io::Result<Vec<String>> {
    let records = records(capture)?;
    let words = artifacts::keep(capture, &records, nodes, artifacts)?;
    let is_other = |record: &&Record| artifacts::name(&record.captured).is_none();
    Manifest::keep(capture, records.iter().filter(is_other), nodes, run)?;
    Ok(words)
}
