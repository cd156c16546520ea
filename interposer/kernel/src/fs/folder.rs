//! The names in a directory: those that the run has looked at or changed, over those of the host.

use alloc::{boxed::Box, collections::BTreeMap, rc::Rc, vec::Vec};
use core::cell::{Cell, RefCell};

use linux_raw_sys::general as raw;
use simrun_abi::event::{Found, Said};

use super::{Inode, Tree, contents, walk};
use crate::{
    error::{Errno, Result},
    host::{Follow, Host, HostResult},
};

/// Names opened that were not known before, after which it is worth looking what else there is.
const OPENED_MIN: u8 = 4;
/// Longest directory of the host that is looked through for that, in its bytes.
const LISTED_MAX: u64 = 128 << 10;

/// Whether all that the host's directory holds can be opened without anybody noticing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harmless {
    /// Nobody has looked: so many names have been opened.
    Unknown(u8),
    Yes,
    No,
}

impl Default for Harmless {
    fn default() -> Self {
        Self::Unknown(0)
    }
}

/// A name in a directory, as getdents64(2) shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryEntry {
    /// Inode number.
    pub number: u64,
    /// `DT_*`.
    pub kind: u8,
    /// The name.
    pub name: Vec<u8>,
}

/// Files by name; `None` where there is none.
type Names = BTreeMap<Box<[u8]>, Option<Rc<Inode>>>;

/// The names in a directory.
#[derive(Debug, Default)]
pub struct Folder {
    /// The host's directory that lies underneath; `None` for one that the run has made.
    below: Option<Rc<[u8]>>,
    /// What is known of names; `None` for one that leads nowhere, whatever the host has.
    known: RefCell<Names>,
    /// Whether the run has made or removed names.
    is_changed: Cell<bool>,
    harmless: Cell<Harmless>,
    /// The directory that it was in when it was removed: who stands in it can still go there.
    removed_from: RefCell<Option<Rc<Inode>>>,
}

impl Folder {
    /// With the names of the host's directory at a path.
    #[must_use]
    pub fn over(below: Rc<[u8]>) -> Self {
        Self { below: Some(below), ..Self::default() }
    }

    /// The directory is removed from another.
    pub fn remove_from(&self, parent: &Rc<Inode>) {
        self.removed_from.replace(Some(Rc::clone(parent)));
    }

    /// The directory that it was in when it was removed, if that is removed, too, and cannot be found by its path.
    #[must_use]
    pub fn removed_parent(&self) -> Option<Rc<Inode>> {
        self.removed_from.borrow().clone().filter(|parent| parent.is_nameless())
    }

    /// The host's directory that lies underneath.
    #[must_use]
    pub fn below(&self) -> Option<&[u8]> {
        self.below.as_deref()
    }

    /// Whether the run has made or removed names.
    #[must_use]
    pub fn is_changed(&self) -> bool {
        self.is_changed.get()
    }

    /// The file of a name, if there is one.
    ///
    /// # Errors
    /// What the host says to the question.
    pub fn get(&self, tree: &Tree, host: &mut dyn Host, name: &[u8]) -> Result<Option<Rc<Inode>>> {
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(known.clone());
        }
        let Some(below) = &self.below else { return Ok(None) };
        let path = walk::child(below, name);
        let found = match host.stat(&path, Follow::No) {
            _ if tree.hides(&path) => None,
            Ok(stat) => Some(tree.adopt(host, &path, &stat)?),
            Err(Errno::ENOENT) => {
                tree.note_input(host, &path, Found::Status, Said::Absent);
                None
            }
            Err(errno) => return Err(errno.into()),
        };
        self.known.borrow_mut().insert(name.into(), found.clone());
        Ok(found)
    }

    /// The file of a name, if there is one, which is about to be opened for reading: the host's is open then, if it was
    /// not known before and that costs less than to ask for it first.
    ///
    /// # Errors
    /// What the host says to the question.
    pub fn get_to_open(
        &self,
        tree: &Tree,
        host: &mut dyn Host,
        name: &[u8],
    ) -> Result<Option<Rc<Inode>>> {
        if let Some(known) = self.known.borrow().get(name) {
            return Ok(known.clone());
        }
        let Some(below) = self.below.as_ref().filter(|below| self.is_harmless(below, host)) else {
            return self.get(tree, host, name);
        };
        let path = walk::child(below, name);
        // What is no file, or cannot be read, is asked for.
        let opened = if tree.hides(&path) { None } else { contents::open_host(host, &path).ok() };
        let Some(opened) = opened else { return self.get(tree, host, name) };
        let found = match host.fstat(opened) {
            Ok(stat) => tree.adopt(host, &path, &stat),
            Err(errno) => Err(errno.into()),
        };
        let contents = found.as_ref().ok().and_then(|found| found.contents());
        if !contents.is_some_and(|contents| contents.take_open(opened)) {
            host.close(opened);
        }
        let found = found?;
        self.known.borrow_mut().insert(name.into(), Some(Rc::clone(&found)));
        Ok(Some(found))
    }

    /// Whether no name of the host's directory is of a FIFO or a device, for which it makes a difference that it is opened.
    fn is_harmless(&self, below: &[u8], host: &mut dyn Host) -> bool {
        match self.harmless.get() {
            Harmless::Yes => return true,
            Harmless::No => return false,
            Harmless::Unknown(OPENED_MIN) => {}
            Harmless::Unknown(opened) => {
                self.harmless.set(Harmless::Unknown(opened + 1));
                return false;
            }
        }
        let harmless = holds_files_only(below, host).unwrap_or(false);
        self.harmless.set(if harmless { Harmless::Yes } else { Harmless::No });
        harmless
    }

    /// The file that a name is known to lead to.
    #[must_use]
    pub fn known(&self, name: &[u8]) -> Option<Rc<Inode>> {
        self.known.borrow().get(name).cloned().flatten()
    }

    /// Lets a name lead to a file.
    pub fn insert(&self, name: &[u8], file: Rc<Inode>) {
        self.is_changed.set(true);
        self.known.borrow_mut().insert(name.into(), Some(file));
    }

    /// Lets a name lead to a file that is there without the run's doing.
    pub fn show(&self, name: &[u8], file: Rc<Inode>) {
        self.known.borrow_mut().insert(name.into(), Some(file));
    }

    /// Lets a name lead nowhere.
    pub fn remove(&self, name: &[u8]) {
        self.is_changed.set(true);
        let mut known = self.known.borrow_mut();
        match self.below {
            Some(_) => drop(known.insert(name.into(), None)),
            None => drop(known.remove(name)),
        }
    }

    /// All names, sorted, so that the host's order does not show.
    ///
    /// # Errors
    /// What the host says to its directory being read.
    pub fn list(&self, tree: &Tree, host: &mut dyn Host) -> Result<Vec<DirectoryEntry>> {
        let below = self.list_below(tree, host)?;
        let known = self.known.borrow();
        let unchanged = below.into_iter().filter(|entry| !known.contains_key(&*entry.name));
        let own = known.iter().filter_map(|(name, file)| {
            let file = file.as_ref()?;
            let kind = file.kind().directory_type();
            Some(DirectoryEntry { number: file.number, kind, name: name.to_vec() })
        });
        let mut entries: Vec<_> = own.chain(unchanged).collect();
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// The names of the host.
    fn list_below(&self, tree: &Tree, host: &mut dyn Host) -> Result<Vec<DirectoryEntry>> {
        let Some(below) = &self.below else { return Ok(Vec::new()) };
        tree.note_input(host, below, Found::Content, Said::Nothing);
        let flags = raw::O_RDONLY | raw::O_DIRECTORY | raw::O_NOFOLLOW;
        let directory = host.open(below, flags, 0)?;
        let listed = host
            .fstat(directory)
            .and_then(|stat| host.read_directory(directory).map(|entries| (stat.dev, entries)));
        host.close(directory);
        let (device, mut listed) = listed?;
        listed.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        let shown =
            listed.into_iter().filter(|entry| !tree.hides(&walk::child(below, &entry.name)));
        let entry = |entry: crate::host::HostEntry| DirectoryEntry {
            number: tree.number((device, entry.ino)),
            kind: entry.kind,
            name: entry.name,
        };
        Ok(shown.map(entry).collect())
    }

    /// What the run knows of names, in their order: for the list of what it has changed.
    pub fn for_each_known(&self, mut each: impl FnMut(&[u8], Option<&Rc<Inode>>)) {
        for (name, file) in &*self.known.borrow() {
            each(name, file.as_ref());
        }
    }
}

/// Whether all names of a directory of the host are known to be of files, directories and links.
fn holds_files_only(below: &[u8], host: &mut dyn Host) -> HostResult<bool> {
    const KINDS: [u32; 3] = [raw::DT_REG, raw::DT_DIR, raw::DT_LNK];
    let directory = host.open(below, raw::O_RDONLY | raw::O_DIRECTORY | raw::O_NOFOLLOW, 0)?;
    let listed = match host.fstat(directory) {
        Ok(stat) if stat.size <= LISTED_MAX => host.read_directory(directory),
        Ok(_) => Err(Errno::EFBIG),
        Err(errno) => Err(errno),
    };
    host.close(directory);
    Ok(listed?.iter().all(|entry| KINDS.contains(&u32::from(entry.kind))))
}
