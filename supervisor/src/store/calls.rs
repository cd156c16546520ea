//! The calls that the mocks of a run took: what they wrote, a line of JSON for each.

use std::{fmt::Write, fs, io, path::Path};

use serde_json::Value;

use super::{ARTIFACTS, output::Reader, pinned::Pinned};
use crate::mocks::is_mock;

/// The artifact that has them.
const NAME: &str = "mocks.jsonl";

/// Reads them, in the order in which they were told of.
///
/// # Errors
/// When the output cannot be read.
pub fn read(folder: &Path, pinned: &Pinned) -> io::Result<Vec<Value>> {
    let nodes = pinned.nodes.iter().filter(|node| is_mock(&node.tags));
    let mocks: Vec<&str> = nodes.map(|node| node.name.as_str()).collect();
    if mocks.is_empty() {
        return Ok(Vec::new());
    }
    let mut reader = Reader::new(folder);
    let mut lines = reader.lines()?;
    lines.extend(reader.unfinished());
    let calls = lines.iter().filter(|line| mocks.contains(&line.node.as_str()));
    let calls = calls.filter_map(|line| {
        let mut call: Value = serde_json::from_str(&line.text).ok().filter(Value::is_object)?;
        call["time_ns"] = line.time_ns.into();
        Some(call)
    });
    Ok(calls.collect())
}

/// Keeps them as an artifact, if there are any.
///
/// # Errors
/// When they cannot be written.
pub fn keep(folder: &Path, pinned: &Pinned) -> io::Result<()> {
    let calls = read(folder, pinned)?;
    if calls.is_empty() {
        return Ok(());
    }
    let mut text = String::new();
    for call in calls {
        let _ = writeln!(text, "{call}");
    }
    let artifacts = folder.join(ARTIFACTS);
    fs::create_dir_all(&artifacts)?;
    fs::write(artifacts.join(NAME), text)
}
