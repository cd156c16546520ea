//! What programs have left for people: kept as files under their own names.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::unix::ffi::OsStrExt,
    path::{Path, PathBuf},
};

use simrun_abi::capture::{ARTIFACTS, Captured, CapturedKind, Content};

use super::Record;
use crate::report::table::bytes;

/// The path of an artifact below the directory of artifacts, if a record is of one.
pub fn name(captured: &Captured) -> Option<&Path> {
    let artifacts = Path::new(OsStr::from_bytes(ARTIFACTS));
    Path::new(OsStr::from_bytes(&captured.path)).strip_prefix(artifacts).ok()
}

/// Copies the artifacts among these records to a folder, which is made if there are any; of several nodes each has a
/// folder there. What cannot be kept is returned in words.
///
/// # Errors
/// When something cannot be read or written.
pub fn keep(
    capture: &File,
    records: &[Record],
    nodes: &[&str],
    (folder, limit): (&Path, u64),
) -> io::Result<Vec<String>> {
    let mut words = Vec::new();
    let mut left_out: Vec<(PathBuf, u64)> = Vec::new();
    for record in records {
        let Some(name) = name(&record.captured) else { continue };
        let node = nodes.get(usize::from(record.captured.node)).copied().unwrap_or_default();
        let name = if nodes.len() > 1 { Path::new(node).join(name) } else { name.to_path_buf() };
        match record.captured.file.as_ref().map(|file| &file.kind) {
            None | Some(CapturedKind::Directory) => {}
            Some(CapturedKind::Link { .. } | CapturedKind::Special) => {
                words.push(format!("the artifact {} is no file, and not kept", name.display()));
            }
            Some(CapturedKind::Regular { size, content: Content::Left }) => {
                left_out.push((name, *size));
            }
            Some(CapturedKind::Regular { .. }) => {
                let place = folder.join(name);
                fs::create_dir_all(place.parent().unwrap_or(folder))?;
                record.copy(capture, &mut File::create_new(place)?)?;
            }
        }
    }
    if let [(first, size), others @ ..] = &left_out[..] {
        let others = match others.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        words.push(format!(
            "the artifact {} ({}){others} is not kept: those of a run may have {} in all (--artifact-limit)",
            first.display(),
            bytes(*size),
            bytes(limit),
        ));
    }
    Ok(words)
}
