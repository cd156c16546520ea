//! Digests of files, computed once for each state of a file.
//!
//! A file that has the same device, inode, length and times as before is taken for unchanged, as git's index does. Times
//! of a file system tick slowly: one that was changed just now may change again within the tick, so that it is not kept.
//!
//! Digests are kept in a table in the [`cache`], and nothing depends on them but time. Only the places that are asked for
//! are read and written, so that one who needs few pays for few. The entries of one bucket push each other out, the
//! oldest first. Several may use the table at once: an entry that two have mixed up is told by its check.

use std::{
    ffi::OsString,
    fs::{self, File, Metadata},
    io,
    os::unix::{
        ffi::OsStrExt,
        fs::{FileExt, MetadataExt, OpenOptionsExt},
    },
    path::Path,
    time::SystemTime,
};

use crate::{cache, trace::base16};

/// Name of the table, with a number that changes whenever its form does.
const FILE: &str = "digests-2";
/// Bytes of a digest that are kept: enough against coincidence.
const DIGEST_LEN: usize = 16;
/// Bytes that tell whether the ones before them belong together.
const CHECK_LEN: usize = 8;
/// Bytes of an entry: the digest of a stamp, the digest of the file, the check.
const ENTRY_LEN: usize = 2 * DIGEST_LEN + CHECK_LEN;
/// Entries of a bucket.
const BUCKET_ENTRIES: usize = 8;
/// Bytes of a bucket.
const BUCKET_LEN: usize = BUCKET_ENTRIES * ENTRY_LEN;
/// Buckets of the table: room for 64 Ki files in 2.5 MiB.
const BUCKETS: u64 = 1 << 13;
/// A file changed less than so long ago may change again unnoticed, in nanoseconds.
const SETTLED_NS: i128 = 2_000_000_000;

type Digest = [u8; DIGEST_LEN];

/// A state of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stamp {
    device: u64,
    inode: u64,
    size: u64,
    modified_ns: i128,
    changed_ns: i128,
}

impl Stamp {
    /// Of a file with these attributes.
    fn of(file: &Metadata) -> Self {
        let ns = |seconds: i64, ns: i64| i128::from(seconds) * 1_000_000_000 + i128::from(ns);
        Self {
            device: file.dev(),
            inode: file.ino(),
            size: file.size(),
            modified_ns: ns(file.mtime(), file.mtime_nsec()),
            changed_ns: ns(file.ctime(), file.ctime_nsec()),
        }
    }

    fn digest(&self) -> Digest {
        let mut hasher = blake3::Hasher::new();
        for number in [self.device, self.inode, self.size] {
            hasher.update(&number.to_le_bytes());
        }
        for time in [self.modified_ns, self.changed_ns] {
            hasher.update(&time.to_le_bytes());
        }
        finish(&hasher)
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

fn finish<const LEN: usize>(hasher: &blake3::Hasher) -> [u8; LEN] {
    let mut digest = [0; LEN];
    hasher.finalize_xof().fill(&mut digest);
    digest
}

/// The table of digests that are known.
#[derive(Debug)]
struct Table(File);

impl Table {
    fn open(path: &Path) -> io::Result<Self> {
        let open = || {
            File::options()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(0o600)
                .open(path)
        };
        match (open(), path.parent()) {
            (Err(error), Some(folder)) if error.kind() == io::ErrorKind::NotFound => {
                fs::create_dir_all(folder)?;
                open().map(Self)
            }
            (opened, _) => opened.map(Self),
        }
    }

    /// A bucket and where it lies; what was never written is zero.
    fn bucket(&self, key: &Digest) -> io::Result<([u8; BUCKET_LEN], u64)> {
        let number = u64::from_le_bytes(key[..8].try_into().expect("eight bytes")) % BUCKETS;
        let at = number * BUCKET_LEN as u64;
        let mut bucket = [0; BUCKET_LEN];
        let mut done = 0;
        while done < BUCKET_LEN {
            match self.0.read_at(&mut bucket[done..], at + done as u64)? {
                0 => break,
                read => done += read,
            }
        }
        Ok((bucket, at))
    }

    fn get(&self, key: &Digest) -> Option<Digest> {
        let (bucket, _) = self.bucket(key).ok()?;
        let entry = bucket.chunks_exact(ENTRY_LEN).find(|entry| entry.starts_with(key))?;
        let digest = entry[DIGEST_LEN..2 * DIGEST_LEN].try_into().expect("sixteen bytes");
        (entry == Self::entry(key, &digest)).then_some(digest)
    }

    /// Puts an entry first in its bucket. What cannot be kept is computed again.
    fn put(&self, key: &Digest, digest: &Digest) {
        let Ok((mut bucket, at)) = self.bucket(key) else { return };
        bucket.copy_within(..BUCKET_LEN - ENTRY_LEN, ENTRY_LEN);
        bucket[..ENTRY_LEN].copy_from_slice(&Self::entry(key, digest));
        let _ = self.0.write_all_at(&bucket, at);
    }

    fn entry(key: &Digest, digest: &Digest) -> [u8; ENTRY_LEN] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(key).update(digest);
        let check: [u8; CHECK_LEN] = finish(&hasher);
        [&key[..], digest, &check].concat().try_into().expect("the length of an entry")
    }
}

/// Takes digests, and knows those that were taken before.
#[derive(Debug)]
pub struct Digests(Option<Table>);

impl Digests {
    /// With what earlier runs have left.
    pub fn open() -> Self {
        Self(cache::path(FILE).and_then(|path| Table::open(&path).ok()))
    }

    /// The digest of the bytes of a file with these attributes, or of a directory's names.
    ///
    /// # Errors
    /// When it cannot be read, or is neither.
    pub fn of(&self, path: &Path, before: &Metadata) -> io::Result<String> {
        if !before.is_file() && !before.is_dir() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let stamp = Stamp::of(before);
        let key = stamp.digest();
        if let Some(known) = self.0.as_ref().and_then(|table| table.get(&key)) {
            return Ok(base16(&known));
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
        let digest = finish(&hasher);
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        if let Some(table) = &self.0
            && stamp.is_settled(now.as_nanos() as i128)
            && Stamp::of(&file.metadata()?) == stamp
        {
            table.put(&key, &digest);
        }
        Ok(base16(&digest))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table(folder: &Path) -> Table {
        Table::open(&folder.join("deep/table")).expect("a table")
    }

    #[test]
    fn a_settled_file_is_read_once_and_a_changed_one_again() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "a").expect("a file");
        let digests = Digests(Some(table(folder.path())));
        let of = |path: &Path| digests.of(path, &path.metadata()?);
        let len = || folder.path().join("deep/table").metadata().expect("a table").len();
        let a = of(&file).expect("a digest");
        assert_eq!(len(), 0, "it may change again within the tick");
        fs::write(&file, "b").expect("a file");
        let b = of(&file).expect("a digest");
        assert_ne!(a, b);
        assert_eq!((a.len(), b.len()), (2 * DIGEST_LEN, 2 * DIGEST_LEN));

        let own = std::env::current_exe().expect("a path");
        let stamp = Stamp::of(&own.metadata().expect("attributes"));
        assert!(stamp.is_settled(i128::MAX) && !stamp.is_settled(stamp.changed_ns));
        digests.0.as_ref().expect("a table").put(&stamp.digest(), &[7; DIGEST_LEN]);
        assert_eq!(of(&own).expect("a digest"), "07".repeat(DIGEST_LEN));
        let names = of(folder.path()).expect("a digest");
        fs::write(folder.path().join("other"), "").expect("a file");
        assert_ne!(of(folder.path()).expect("a digest"), names);
        assert!(of(Path::new("/dev/null")).is_err(), "a device has none");
    }

    #[test]
    fn a_bucket_forgets_the_oldest_and_an_entry_that_is_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let table = table(folder.path());
        let key = |number: u8| {
            let mut key = [0; DIGEST_LEN];
            key[DIGEST_LEN - 1] = number;
            key
        };
        assert_eq!(table.get(&key(0)), None, "zeros are no entry");
        let count = BUCKET_ENTRIES as u8;
        (0..=count).for_each(|number| table.put(&key(number), &[number; DIGEST_LEN]));
        assert_eq!(table.get(&key(0)), None);
        for number in 1..=count {
            assert_eq!(table.get(&key(number)), Some([number; DIGEST_LEN]));
        }
        table.0.write_all_at(&[0], DIGEST_LEN as u64).expect("room");
        assert_eq!(table.get(&key(count)), None);
        assert_eq!(table.get(&key(1)), Some([1; DIGEST_LEN]));
    }
}
