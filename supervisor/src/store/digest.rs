//! Digests of files, computed once for each state of a file.
//!
//! A file that has the same device, inode, length and times as before is taken for unchanged, as git's index does. Times
//! of a file system tick slowly: one that was changed just now may change again within the tick, so that it is not kept.
//! The digests are kept in the [`cache`], and nothing depends on them but time.

use std::{
    collections::BTreeMap,
    ffi::OsString,
    fs::{self, File, Metadata},
    io,
    os::unix::{ffi::OsStrExt, fs::MetadataExt},
    path::{Path, PathBuf},
    time::SystemTime,
};

use serde::{Deserialize, Serialize};

use crate::{cache, trace::base16};

/// Name of the file, with a number that changes whenever what is in it does.
const FILE: &str = "digests-1";
/// Most digests that are kept: all of them are read when one is needed.
const DIGESTS_MAX: usize = 2048;
/// Bytes of a digest that are kept: enough against coincidence.
const DIGEST_LEN: usize = 16;
/// A file changed less than so long ago may change again unnoticed, in nanoseconds.
const SETTLED_NS: i128 = 2_000_000_000;

type Digest = [u8; DIGEST_LEN];

/// A state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified_ns: i128,
    changed_ns: i128,
}

impl Stamp {
    /// Of a file with these attributes.
    pub fn of(file: &Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified_ns: ns(file.mtime(), file.mtime_nsec()),
            changed_ns: ns(file.ctime(), file.ctime_nsec()),
        }
    }

    fn is_settled(&self, now_ns: i128) -> bool {
        self.modified_ns.max(self.changed_ns) + SETTLED_NS < now_ns
    }
}

/// The names in a directory, sorted; not that of what simrun keeps there itself.
fn names(folder: &Path) -> io::Result<Vec<OsString>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.file_name()));
    let mut names = entries.collect::<io::Result<Vec<_>>>()?;
    names.retain(|name| name != super::place::FOLDER);
    names.sort();
    Ok(names)
}

/// The digests that are known.
#[derive(Debug, Default)]
pub struct Digests {
    path: Option<PathBuf>,
    known: BTreeMap<Stamp, Digest>,
    has_new: bool,
}

impl Digests {
    /// What earlier runs have left.
    pub fn load() -> Self {
        let Some(path) = cache::path(FILE) else { return Self::default() };
        let known = cache::load(&path).unwrap_or_default();
        Self { path: Some(path), known, has_new: false }
    }

    /// The digest of a file's bytes, or of a directory's names.
    ///
    /// # Errors
    /// When it cannot be read, or is neither.
    pub fn of(&mut self, path: &Path) -> io::Result<String> {
        let before = fs::metadata(path)?;
        if !before.is_file() && !before.is_dir() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let stamp = Stamp::of(&before);
        if let Some(known) = self.known.get(&stamp) {
            return Ok(base16(known));
        }
        let file = File::open(path)?;
        let mut hasher = blake3::Hasher::new();
        if before.is_dir() {
            for name in names(path)? {
                // No name has a slash in it.
                hasher.update(name.as_bytes()).update(b"/");
            }
        } else {
            hasher.update_reader(&file)?;
        }
        let mut digest = [0; DIGEST_LEN];
        hasher.finalize_xof().fill(&mut digest);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        if Stamp::of(&file.metadata()?) == stamp && stamp.is_settled(now.as_nanos() as i128) {
            self.known.insert(stamp, digest);
            self.has_new = true;
        }
        Ok(base16(&digest))
    }

    /// Keeps what is new. Of two runs that end at one time one is forgotten, and will be computed again.
    pub fn save(mut self) {
        let Some(path) = self.path.filter(|_| self.has_new) else { return };
        while self.known.len() > DIGESTS_MAX {
            // Nobody knows which will be missed.
            self.known.pop_first();
        }
        cache::save(&path, &self.known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_settled_file_is_read_once_and_a_changed_one_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "a").expect("a file");
        let mut digests = Digests::default();
        let a = digests.of(&file).expect("a digest");
        assert!(digests.known.is_empty(), "it may change again within the tick");
        fs::write(&file, "b").expect("a file");
        let b = digests.of(&file).expect("a digest");
        assert_ne!(a, b);
        assert_eq!((a.len(), b.len()), (2 * DIGEST_LEN, 2 * DIGEST_LEN));

        let own = std::env::current_exe().expect("a path");
        let stamp = Stamp::of(&own.metadata().expect("attributes"));
        assert!(stamp.is_settled(i128::MAX) && !stamp.is_settled(stamp.changed_ns));
        digests.known.insert(stamp, [7; DIGEST_LEN]);
        assert_eq!(digests.of(&own).expect("a digest"), "07".repeat(DIGEST_LEN));
        let names = digests.of(folder.path()).expect("a digest");
        fs::write(folder.path().join("other"), "").expect("a file");
        assert_ne!(digests.of(folder.path()).expect("a digest"), names);
        assert!(digests.of(Path::new("/dev/null")).is_err(), "a device has none");
    }
}
