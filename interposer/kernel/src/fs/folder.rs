//! The names in a directory: those that the run has looked at or changed, over those of the host.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};
use core::{
    cell::{Cell, RefCell},
    iter,
};

use linux_raw_sys::general as raw;
use simrun_abi::event::{Found, Said};

use super::{Inode, Tree, contents, name::Name};
use crate::{
    error::{Errno, Result},
    host::{Follow, Host, HostEntry, HostResult},
};

/// Bytes of a directory of the host for each name opened that was not known before, from when on it is worth looking what
/// else there is: to ask for a name costs about as much as to list a kibibyte.
const LISTED_PER_NAME: u64 = 1 << 10;
/// What a directory counts at least, in bytes: not all file systems say how long theirs are.
const LISTED_MIN: u64 = 4 << 10;
/// Longest directory that is looked through for that.
const LISTED_MAX: u64 = 128 << 10;

/// Whether all that the host's directory holds can be opened without anybody noticing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Harmless {
    /// Nobody has looked: so many names have been opened.
    Unknown(u32),
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
    pub name: Name,
}

/// Files by name; `None` where there is none.
type Names = BTreeMap<Name, Option<Rc<Inode>>>;

/// The names in a directory.
#[derive(Debug, Default)]
pub struct Folder {
    /// The host's directory that lies underneath; `None` for one that the run has made.
    below: Option<Rc<[u8]>>,
    /// Bytes of that.
    below_size: u64,
    /// What is known of names; `None` for one that leads nowhere, whatever the host has.
    known: RefCell<Names>,
    /// Whether the run has made or removed names.
    is_changed: Cell<bool>,
    /// Whether programs can make and remove none.
    is_fixed: bool,
    harmless: Cell<Harmless>,
    /// The directory that it was in when it was removed: who stands in it can still go there.
    removed_from: RefCell<Option<Rc<Inode>>>,
}

impl Folder {
    /// With the names of the host's directory at a path, which has so many bytes.
    #[must_use]
    pub fn over(below: Rc<[u8]>, below_size: u64) -> Self {
        Self { below: Some(below), below_size, ..Self::default() }
    }

    /// Without names, and programs can neither make nor remove any.
    #[must_use]
    pub fn fixed() -> Self {
        Self { is_fixed: true, ..Self::default() }
    }

    /// Whether programs can make and remove no names.
    #[must_use]
    pub fn is_fixed(&self) -> bool {
        self.is_fixed
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
        let key = Name::from(name);
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(known.clone());
        }
        let Some(below) = &self.below else { return Ok(None) };
        tree.with_path(below, name, |path| self.ask(tree, host, key, path))
    }

    /// Asks the host for a name that is not known.
    fn ask(
        &self,
        tree: &Tree,
        host: &mut dyn Host,
        name: Name,
        path: &[u8],
    ) -> Result<Option<Rc<Inode>>> {
        let found = match host.stat(path, Follow::No) {
            _ if tree.hides(path) => None,
            Ok(stat) => Some(tree.adopt(host, path, &stat)?),
            Err(Errno::ENOENT) => {
                tree.note_input(host, path, Found::Status, Said::Absent);
                None
            }
            Err(errno) => return Err(errno.into()),
        };
        self.known.borrow_mut().insert(name, found.clone());
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
        let key = Name::from(name);
        if let Some(known) = self.known.borrow().get(&key) {
            return Ok(known.clone());
        }
        let Some(below) = &self.below else { return Ok(None) };
        let is_harmless = self.is_harmless(below, host);
        tree.with_path(below, name, |path| {
            // What is no file, or cannot be read, is asked for.
            let may_open = is_harmless && !tree.hides(path);
            let opened = if may_open { contents::open_host(host, path).ok() } else { None };
            let Some(opened) = opened else { return self.ask(tree, host, key, path) };
            let found = match host.fstat(opened) {
                Ok(stat) => tree.adopt(host, path, &stat),
                Err(errno) => Err(errno.into()),
            };
            let contents = found.as_ref().ok().and_then(|found| found.contents());
            if !contents.is_some_and(|contents| contents.take_open(opened)) {
                host.close(opened);
            }
            let found = found?;
            self.known.borrow_mut().insert(key, Some(Rc::clone(&found)));
            Ok(Some(found))
        })
    }

    /// Whether no name of the host's directory is of a FIFO or a device, for which it makes a difference that it is opened.
    fn is_harmless(&self, below: &[u8], host: &mut dyn Host) -> bool {
        match self.harmless.get() {
            Harmless::Yes => return true,
            Harmless::No => return false,
            Harmless::Unknown(opened) => {
                let listed_at = self.below_size.max(LISTED_MIN) / LISTED_PER_NAME;
                if self.below_size > LISTED_MAX || u64::from(opened) < listed_at {
                    self.harmless.set(Harmless::Unknown(opened.saturating_add(1)));
                    return false;
                }
            }
        }
        self.list_below(below, host, &mut |_| ()).is_ok() && self.harmless.get() == Harmless::Yes
    }

    /// The file that a name is known to lead to.
    #[must_use]
    pub fn known(&self, name: &[u8]) -> Option<Rc<Inode>> {
        self.known.borrow().get(&Name::from(name)).cloned().flatten()
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

    /// Takes away all names that [`Self::show`] or a program gave, or one of them, without the run's doing.
    pub fn hide(&self, mut which: impl FnMut(&[u8]) -> bool) {
        self.known.borrow_mut().retain(|name, _| !which(name.as_bytes()));
    }

    /// Lets a name lead nowhere.
    pub fn remove(&self, name: &[u8]) {
        self.is_changed.set(true);
        let mut known = self.known.borrow_mut();
        match self.below {
            Some(_) => drop(known.insert(name.into(), None)),
            None => drop(known.remove(&Name::from(name))),
        }
    }

    /// All names, sorted, so that the host's order does not show.
    ///
    /// # Errors
    /// What the host says to its directory being read.
    pub fn list(&self, tree: &Tree, host: &mut dyn Host) -> Result<Vec<DirectoryEntry>> {
        let (device, below) = self.names_below(tree, host)?;
        let known = self.known.borrow();
        let mut entries = Vec::with_capacity(below.len() + known.len());
        // What is known has its number.
        let numbered = |mut entry: DirectoryEntry| {
            entry.number = tree.number((device, entry.number));
            entry
        };
        let mut below = below.into_iter().peekable();
        for (name, file) in &*known {
            let before = iter::from_fn(|| below.next_if(|entry| entry.name < *name));
            entries.extend(before.map(numbered));
            below.next_if(|entry| entry.name == *name);
            entries.extend(file.as_ref().map(|file| DirectoryEntry {
                number: file.number,
                kind: file.kind().directory_type(),
                name: name.clone(),
            }));
        }
        entries.extend(below.map(numbered));
        Ok(entries)
    }

    /// The names of the host, sorted, with the host's numbers on a device.
    fn names_below(&self, tree: &Tree, host: &mut dyn Host) -> Result<(u64, Vec<DirectoryEntry>)> {
        let Some(below) = &self.below else { return Ok((0, Vec::new())) };
        tree.note_input(host, below, Found::Content, Said::Nothing);
        let mut entries = Vec::new();
        let device = self.list_below(below, host, &mut |HostEntry { name, ino, kind }| {
            entries.push(DirectoryEntry { number: ino, kind, name: name.into() });
        })?;
        entries.retain(|entry| !tree.hides_in(below, entry.name.as_bytes()));
        // The host's order must not show in the order of first sight either.
        entries.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        Ok((device, entries))
    }

    /// Lists the host's directory, which shows whether it is harmless; its device.
    fn list_below(
        &self,
        below: &[u8],
        host: &mut dyn Host,
        each: &mut dyn FnMut(HostEntry<'_>),
    ) -> HostResult<u64> {
        const KINDS: [u32; 3] = [raw::DT_REG, raw::DT_DIR, raw::DT_LNK];
        self.harmless.set(Harmless::No);
        let mut only_files = true;
        let directory = host.open(below, raw::O_RDONLY | raw::O_DIRECTORY | raw::O_NOFOLLOW, 0)?;
        let listed = host.fstat(directory).and_then(|stat| {
            host.read_directory(directory, &mut |entry| {
                only_files &= KINDS.contains(&u32::from(entry.kind));
                each(entry);
            })
            .map(|()| stat.dev)
        });
        host.close(directory);
        if listed.is_ok() && only_files {
            self.harmless.set(Harmless::Yes);
        }
        listed
    }

    /// What the run knows of names, in their order: for the list of what it has changed.
    pub fn for_each_known(&self, mut each: impl FnMut(&[u8], Option<&Rc<Inode>>)) {
        for (name, file) in &*self.known.borrow() {
            each(name.as_bytes(), file.as_ref());
        }
    }
}
