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
use simrun_abi::capture::{Captured, CapturedFile, CapturedKind, Change, Content};

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

/// Writes all that a run did below these paths; how many names it concerned.
///
/// # Errors
/// The first thing that cannot be written; the rest is written all the same.
pub fn write_through(capture: &File, below: &[PathBuf]) -> Result<usize, Error> {
    let fail = |path: &Path| {
        let path = path.to_path_buf();
        move |source| Error { path, source }
    };
    let all = records(capture).map_err(fail(Path::new("what the run wrote")))?;
    let wanted: Vec<_> = all
        .iter()
        .filter(|record| below.iter().any(|above| path(&record.captured).starts_with(above)))
        .collect();
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
    for (number, record) in wanted.iter().enumerate() {
        let moved = record.captured.file.as_ref().and_then(moved_from);
        if let Some(from) = moved {
            keep(put_aside(from, &aside.path().join(number.to_string())).map_err(fail(from)));
        }
    }
    for record in wanted.iter().rev().filter(|record| record.captured.change == Change::Removed) {
        keep(remove(path(&record.captured)).map_err(fail(path(&record.captured))));
    }
    for (number, record) in wanted.iter().enumerate() {
        if let Some(file) = &record.captured.file {
            let moved = aside.path().join(number.to_string());
            keep(put(capture, record, file, &moved).map_err(fail(path(&record.captured))));
        }
    }
    for record in wanted.iter().rev() {
        if let Some(file) = record.captured.file.as_ref().filter(|file| is_directory(file)) {
            keep(set_mode(path(&record.captured), file).map_err(fail(path(&record.captured))));
        }
    }
    first.map_or(Ok(wanted.len()), Err)
}

fn path(captured: &Captured) -> &Path {
    Path::new(std::ffi::OsStr::from_bytes(&captured.path))
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

fn put(capture: &File, record: &Record, file: &CapturedFile, moved: &Path) -> io::Result<()> {
    let path = path(&record.captured);
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
