//! Writes what a run did to its files to the host, below paths where that was asked for.
//!
//! It happens when the run has ended: until then the host's files are the run's input, and stay as they are.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{PermissionsExt, symlink},
    },
    path::{Path, PathBuf},
};

use nix::{sys::stat::Mode, unistd::mkfifo};
use simrun_abi::capture::{CapturedFile, CapturedKind, Change, Content};

use super::{Record, records, tree::copy_tree};

/// Why something could not be written.
#[derive(Debug, thiserror::Error)]
#[error("{}: {source}", path.display())]
pub struct Error {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    #[source]
    pub source: io::Error,
}

/// What is written, and where.
struct Wanted<'a> {
    record: &'a Record,
    place: PathBuf,
}

/// Writes all that a run with these nodes did below these paths; how many names it concerned. Of several nodes each has a
/// folder of its name there: they may have written different things to one path.
///
/// # Errors
/// The first thing that cannot be written; the rest is written all the same.
pub fn write_through(capture: &File, below: &[PathBuf], nodes: &[&str]) -> Result<usize, Error> {
    let fail = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error { path, source }
    };
    let all = records(capture).map_err(fail(Path::new("what the run wrote")))?;
    let wanted: Vec<_> = all.iter().filter_map(|record| want(record, below, nodes)).collect();
    if wanted.is_empty() {
        return Ok(0);
    }
    // What the run has moved is put aside first: its old name may be another file's new one.
    let aside = tempfile::tempdir().map_err(fail(Path::new("a temporary folder")))?;
    let mut first = None;
    let mut keep = |result: Result<(), Error>| {
        if let Err(error) = result {
            first.get_or_insert(error);
        }
    };
    for (number, Wanted { record, .. }) in wanted.iter().enumerate() {
        let moved = record.captured.file.as_ref().and_then(moved_from);
        if let Some(from) = moved {
            keep(put_aside(from, &aside.path().join(number.to_string())).map_err(fail(from)));
        }
    }
    for Wanted { record, place } in wanted.iter().rev() {
        if record.captured.change == Change::Removed {
            keep(remove(place).map_err(fail(place)));
        }
    }
    for (number, Wanted { record, place }) in wanted.iter().enumerate() {
        if let Some(file) = &record.captured.file {
            let moved = aside.path().join(number.to_string());
            keep(put(capture, record, file, (&moved, place)).map_err(fail(place)));
        }
    }
    for Wanted { record, place } in wanted.iter().rev() {
        if let Some(file) = record.captured.file.as_ref().filter(|file| is_directory(file)) {
            keep(set_mode(place, file).map_err(fail(place)));
        }
    }
    first.map_or(Ok(wanted.len()), Err)
}

/// Whether and where something is to be written.
fn want<'a>(record: &'a Record, below: &[PathBuf], nodes: &[&str]) -> Option<Wanted<'a>> {
    let captured = &record.captured;
    let path = Path::new(std::ffi::OsStr::from_bytes(&captured.path));
    let (above, rest) =
        below.iter().find_map(|above| Some((above, path.strip_prefix(above).ok()?)))?;
    if nodes.len() == 1 {
        return Some(Wanted { record, place: path.to_path_buf() });
    }
    let node = *nodes.get(usize::from(captured.node))?;
    let is_folder = captured.file.as_ref().is_some_and(is_directory);
    let place = match rest.file_name() {
        Some(_) => above.join(node).join(rest),
        None if is_folder => above.join(node),
        // There is no room for folders in a file.
        None => format!("{}.{node}", above.display()).into(),
    };
    // The host's file is all nodes', and no copy is made of it for this.
    let changes_nothing = captured.change == Change::Attributes && !place.exists();
    (!changes_nothing).then_some(Wanted { record, place })
}

fn is_directory(file: &CapturedFile) -> bool {
    file.kind == CapturedKind::Directory
}

/// Where the host has what is to be copied.
fn moved_from(file: &CapturedFile) -> Option<&Path> {
    let is_there = match file.kind {
        CapturedKind::Directory => true,
        CapturedKind::Regular { content, .. } => content == Content::OfHost,
        _ => false,
    };
    let from = file.moved_from.as_deref().filter(|_| is_there)?;
    Some(Path::new(std::ffi::OsStr::from_bytes(from)))
}

fn put_aside(from: &Path, to: &Path) -> io::Result<()> {
    if from.is_dir() { copy_tree(from, to) } else { fs::copy(from, to).map(drop) }
}

fn remove(path: &Path) -> io::Result<()> {
    match path.symlink_metadata() {
        Ok(status) if status.is_dir() => fs::remove_dir_all(path),
        Ok(_) => fs::remove_file(path),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// Makes a file; what the run has moved is at `moved`.
fn put(
    capture: &File,
    record: &Record,
    file: &CapturedFile,
    (moved, path): (&Path, &Path),
) -> io::Result<()> {
    if record.captured.change == Change::Attributes {
        return set_mode(path, file);
    }
    let is_directory_there = path.symlink_metadata().is_ok_and(|status| status.is_dir());
    match &file.kind {
        CapturedKind::Directory if is_directory_there => return Ok(()),
        CapturedKind::Regular { .. } if !is_directory_there && path.is_file() => {}
        _ => remove(path)?,
    }
    if let Some(parent) = path.parent() {
        fs::create_dir_all(parent)?;
    }
    match &file.kind {
        CapturedKind::Directory if moved.is_dir() => copy_tree(moved, path),
        CapturedKind::Directory => fs::create_dir(path),
        CapturedKind::Link { target } => symlink(std::ffi::OsStr::from_bytes(target), path),
        CapturedKind::Special => {
            mkfifo(path, Mode::from_bits_truncate(file.mode)).map_err(io::Error::from)
        }
        CapturedKind::Regular { content: Content::OfHost, .. } => {
            fs::copy(moved, path)?;
            set_mode(path, file)
        }
        CapturedKind::Regular { .. } => {
            record.copy(capture, &mut File::create(path)?)?;
            set_mode(path, file)
        }
    }
}

fn set_mode(path: &Path, file: &CapturedFile) -> io::Result<()> {
    match file.kind {
        CapturedKind::Link { .. } => Ok(()),
        _ => fs::set_permissions(path, Permissions::from_mode(file.mode & 0o7777)),
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use simrun_abi::capture::Captured;

    use super::*;

    fn regular(node: u16, path: &Path, change: Change, bytes: &[u8]) -> Vec<u8> {
        let kind = CapturedKind::Regular { size: bytes.len() as u64, content: Content::Kept };
        let file = CapturedFile {
            kind,
            moved_from: None,
            mode: 0o100_644,
            owner: 0,
            group: 0,
            modified_ns: 0,
        };
        let path = path.as_os_str().as_bytes().to_vec();
        let mut record = Captured { node, path, change, file: Some(file) }.encode();
        record.extend(bytes);
        record
    }

    #[test]
    fn of_several_nodes_each_writes_to_a_folder_of_its_own() {
        let folder = tempfile::tempdir().expect("a folder");
        let host = folder.path().join("host");
        fs::create_dir(&host).expect("a folder");
        for name in ["a", "b", "single"] {
            fs::write(host.join(name), "host's").expect("a file");
        }
        let mut capture = tempfile::tempfile().expect("a file");
        let removed = |path: &Path| {
            let path = path.as_os_str().as_bytes().to_vec();
            Captured { node: 1, path, change: Change::Removed, file: None }.encode()
        };
        for record in [
            regular(0, &host.join("a"), Change::Changed, b"one's"),
            regular(1, &host.join("a"), Change::Changed, b"two's"),
            regular(0, &host.join("b"), Change::Attributes, b""),
            regular(0, &host.join("single"), Change::Changed, b"one's"),
            regular(1, Path::new("/elsewhere"), Change::Made, b"not wanted"),
            removed(&host.join("b")),
        ] {
            capture.write_all(&record).expect("a file");
        }
        let nodes = ["one", "two"];
        let below = [host.join("single"), host.clone()];
        assert_eq!(write_through(&capture, &below, &nodes).expect("room"), 4);
        let read = |name: &str| fs::read_to_string(host.join(name)).expect("a file");
        let found = ["one/a", "two/a", "single.one", "a", "b", "single"].map(read);
        assert_eq!(found, ["one's", "two's", "one's", "host's", "host's", "host's"]);
        assert!(!host.join("one/b").exists() && !host.join("two/b").exists());
    }
}
