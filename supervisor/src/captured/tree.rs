//! Copies what a run wrote out as files.

use std::{
    fs::{self, File, Permissions},
    io,
    os::unix::fs::{PermissionsExt, symlink},
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use super::{
    Entry,
    manifest::{KeptFile, Kind},
};
use crate::store::Error;

/// What was copied out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Exported {
    /// Files, directories and links.
    pub copied: usize,
    /// Files whose bytes were not kept.
    pub missing: usize,
}

/// Copies what a run has made or changed to a folder, each at its path below it.
///
/// # Errors
/// When it cannot be written.
pub fn export<'a>(
    entries: impl IntoIterator<Item = &'a Entry>,
    run: &Path,
    to: &Path,
) -> Result<Exported, Error> {
    let mut exported = Exported::default();
    let mut directories = Vec::new();
    for entry in entries {
        let Some(file) = &entry.file else { continue };
        let path = entry.path.as_os_str();
        let place = to.join(Path::new(path).strip_prefix("/").unwrap_or(Path::new(path)));
        let fail = |error| Error::File(place.clone(), error);
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent).map_err(fail)?;
        }
        match put(file, run, &place).map_err(fail)? {
            true => exported.copied += 1,
            false => exported.missing += 1,
        }
        if file.kind == Kind::Directory {
            directories.push((place, file));
        }
    }
    // Only now: what is in them could not have been written before.
    for (place, file) in directories.iter().rev() {
        finish(file, place).map_err(|error| Error::File(place.clone(), error))?;
    }
    Ok(exported)
}

/// Makes one of them; whether its bytes were there.
fn put(file: &KeptFile, run: &Path, place: &PathBuf) -> io::Result<bool> {
    match &file.kind {
        Kind::Directory => {
            if let Some(from) = &file.moved_from {
                copy_tree(Path::new(from.as_os_str()), place)?;
            }
            fs::create_dir_all(place)?;
        }
        Kind::Link(target) => symlink(target.as_os_str(), place)?,
        // Nothing would be at its other end.
        Kind::Special => {}
        Kind::Regular => {
            let mut to = File::create(place)?;
            match &file.bytes {
                None => {}
                Some(bytes) => match bytes.place(run) {
                    Some(from) => drop(io::copy(&mut File::open(from)?, &mut to)?),
                    None => return Ok(false),
                },
            }
            finish(file, place)?;
        }
    }
    Ok(true)
}

/// Sets permissions and times.
fn finish(file: &KeptFile, place: &Path) -> io::Result<()> {
    fs::set_permissions(place, Permissions::from_mode(file.mode & 0o7777))?;
    let since = Duration::from_nanos(u64::try_from(file.modified_ns).unwrap_or(0));
    File::open(place)?.set_modified(SystemTime::UNIX_EPOCH + since)
}

/// Copies what the host has below a directory that the run has moved.
pub(super) fn copy_tree(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let (kind, place) = (entry.file_type()?, to.join(entry.file_name()));
        if kind.is_dir() {
            copy_tree(&entry.path(), &place)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(entry.path())?, &place)?;
        } else if kind.is_file() {
            fs::copy(entry.path(), &place)?;
        }
    }
    Ok(())
}
