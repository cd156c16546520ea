//! Digests of files, computed once for each state of a file.
//!
//! A file that has the same device, inode, length and times as before is taken for unchanged, as git's index does. Times
//! of a file system tick slowly: one that was changed just now may change again within the tick, so that it is not kept.
//!
//! Digests are kept in a table in the [`cache`], and nothing depends on them but time. Only the places that are asked for
//! are read and written, so that one who needs few pays for few; who needs many reads all at once. The entries of one
//! bucket push each other out, the oldest first. Several may use the table at once: an entry that two have mixed up is
//! told by its check.

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

use simrun_abi::event::Stamp;

use crate::{cache, trace::base16};

/// Name of the table, with a number that changes whenever its form does.
const FILE: &str = "digests-3";
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
/// After so many questions the table is read as a whole, which takes about as long as they took.
const ASKED_MAX: u32 = 1024;
/// A file changed less than so long ago may change again unnoticed, in nanoseconds.
const SETTLED_NS: i64 = 2_000_000_000;

type Digest = [u8; DIGEST_LEN];

/// The state of a file with these attributes.
pub fn stamp(file: &Metadata) -> Stamp {
    let ns = |seconds: i64, rest: i64| seconds.saturating_mul(1_000_000_000).saturating_add(rest);
    Stamp {
        device: file.dev(),
        inode: file.ino(),
        mode: file.mode(),
        size: file.size(),
        modified_ns: ns(file.mtime(), file.mtime_nsec()),
        changed_ns: ns(file.ctime(), file.ctime_nsec()),
    }
}

/// Under what the digest of a file in this state is kept.
fn key(stamp: &Stamp) -> Digest {
    let Stamp { device, inode, mode: _, size, modified_ns, changed_ns } = *stamp;
    let mut hasher = blake3::Hasher::new();
    for number in [device, inode, size, modified_ns.cast_unsigned(), changed_ns.cast_unsigned()] {
        hasher.update(&number.to_le_bytes());
    }
    finish(&hasher)
}

fn is_settled(stamp: &Stamp, now_ns: i64) -> bool {
    stamp.modified_ns.max(stamp.changed_ns).saturating_add(SETTLED_NS) < now_ns
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
struct Table {
    file: File,
    /// How many digests it was asked for.
    asked: u32,
    /// What it held when it was read as a whole, if it was.
    held: Vec<u8>,
}

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
                Ok(open()?.into())
            }
            (opened, _) => Ok(opened?.into()),
        }
    }

    /// Reads it as a whole.
    fn hold(&mut self) -> io::Result<()> {
        self.held.resize(BUCKETS as usize * BUCKET_LEN, 0);
        read_available(&self.file, &mut self.held, 0)
    }

    /// Where a bucket lies.
    fn place(key: &Digest) -> u64 {
        let number = u64::from_le_bytes(key[..8].try_into().expect("eight bytes")) % BUCKETS;
        number * BUCKET_LEN as u64
    }

    /// A bucket as it is now; what was never written is zero.
    fn bucket(&self, key: &Digest) -> io::Result<[u8; BUCKET_LEN]> {
        let mut bucket = [0; BUCKET_LEN];
        read_available(&self.file, &mut bucket, Self::place(key))?;
        Ok(bucket)
    }

    fn get(&mut self, key: &Digest) -> Option<Digest> {
        self.asked = self.asked.saturating_add(1);
        if self.asked == ASKED_MAX && self.hold().is_err() {
            self.held.clear();
        }
        let read;
        let held = Self::place(key) as usize;
        let bucket = match self.held.get(held..held + BUCKET_LEN) {
            Some(bucket) => bucket,
            None => {
                read = self.bucket(key).ok()?;
                &read[..]
            }
        };
        let entry = bucket.chunks_exact(ENTRY_LEN).find(|entry| entry.starts_with(key))?;
        let digest = entry[DIGEST_LEN..2 * DIGEST_LEN].try_into().expect("sixteen bytes");
        (entry == Self::entry(key, &digest)).then_some(digest)
    }

    /// Puts an entry first in its bucket. What cannot be kept is computed again.
    fn put(&self, key: &Digest, digest: &Digest) {
        let Ok(mut bucket) = self.bucket(key) else { return };
        bucket.copy_within(..BUCKET_LEN - ENTRY_LEN, ENTRY_LEN);
        bucket[..ENTRY_LEN].copy_from_slice(&Self::entry(key, digest));
        let _ = self.file.write_all_at(&bucket, Self::place(key));
    }

    fn entry(key: &Digest, digest: &Digest) -> [u8; ENTRY_LEN] {
        let mut hasher = blake3::Hasher::new();
        hasher.update(key).update(digest);
        let check: [u8; CHECK_LEN] = finish(&hasher);
        [&key[..], digest, &check].concat().try_into().expect("the length of an entry")
    }
}

impl From<File> for Table {
    fn from(file: File) -> Self {
        Self { file, asked: 0, held: Vec::new() }
    }
}

/// Fills a buffer from an offset on, as far as there are bytes.
fn read_available(file: &File, mut into: &mut [u8], mut at: u64) -> io::Result<()> {
    while !into.is_empty() {
        match file.read_at(into, at)? {
            0 => break,
            read => {
                into = &mut into[read..];
                at += read as u64;
            }
        }
    }
    Ok(())
}

/// Takes digests, and knows those that were taken before.
#[derive(Debug)]
pub struct Digests(Option<Table>);

impl Digests {
    /// With what earlier runs have left.
    pub fn open() -> Self {
        Self(cache::path(FILE).and_then(|path| Table::open(&path).ok()))
    }

    /// The digest of the bytes of a file in this state, or of a directory's names.
    ///
    /// # Errors
    /// When it cannot be read, or is neither.
    pub fn of(&mut self, path: &Path, before: &Stamp) -> io::Result<String> {
        let kind = before.mode & libc::S_IFMT;
        if kind != libc::S_IFREG && kind != libc::S_IFDIR {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let key = key(before);
        if let Some(known) = self.0.as_mut().and_then(|table| table.get(&key)) {
            return Ok(base16(&known));
        }
        // Whatever it is by now, nobody waits for it.
        let file = File::options().read(true).custom_flags(libc::O_NONBLOCK).open(path)?;
        let mut hasher = blake3::Hasher::new();
        if kind == libc::S_IFDIR {
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
            && is_settled(before, i64::try_from(now.as_nanos()).unwrap_or(i64::MAX))
            && stamp(&file.metadata()?) == *before
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
        let mut digests = Digests(Some(table(folder.path())));
        let of = |digests: &mut Digests, path: &Path| digests.of(path, &stamp(&path.metadata()?));
        let len = || folder.path().join("deep/table").metadata().expect("a table").len();
        let a = of(&mut digests, &file).expect("a digest");
        assert_eq!(len(), 0, "it may change again within the tick");
        fs::write(&file, "b").expect("a file");
        let b = of(&mut digests, &file).expect("a digest");
        assert_ne!(a, b);
        assert_eq!((a.len(), b.len()), (2 * DIGEST_LEN, 2 * DIGEST_LEN));

        let own = std::env::current_exe().expect("a path");
        let settled = stamp(&own.metadata().expect("attributes"));
        assert!(is_settled(&settled, i64::MAX) && !is_settled(&settled, settled.changed_ns));
        digests.0.as_ref().expect("a table").put(&key(&settled), &[7; DIGEST_LEN]);
        assert_eq!(of(&mut digests, &own).expect("a digest"), "07".repeat(DIGEST_LEN));
        let names = of(&mut digests, folder.path()).expect("a digest");
        fs::write(folder.path().join("other"), "").expect("a file");
        assert_ne!(of(&mut digests, folder.path()).expect("a digest"), names);
        assert!(of(&mut digests, Path::new("/dev/null")).is_err(), "a device has none");
    }

    #[test]
    fn a_bucket_forgets_the_oldest_and_an_entry_that_is_damaged() {
        let folder = tempfile::tempdir().expect("a folder");
        let mut table = table(folder.path());
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
        table.hold().expect("a table");
        table.file.write_all_at(&[0], DIGEST_LEN as u64).expect("room");
        assert_eq!(table.get(&key(count)), Some([count; DIGEST_LEN]), "it was read before");
        table.hold().expect("a table");
        assert_eq!(table.get(&key(count)), None);
        assert_eq!(table.get(&key(1)), Some([1; DIGEST_LEN]));
        assert_eq!(table.held.len() as u64, BUCKETS * BUCKET_LEN as u64);
    }
}
