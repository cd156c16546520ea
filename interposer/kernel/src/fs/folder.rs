//! The names in a directory: those that the run has looked at or changed, over those of the host.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};
use core::cell::{Cell, RefCell};

use linux_raw_sys::general as raw;
use simrun_abi::event::Found;

use super::{Inode, Tree, walk};
use crate::{
    error::{Errno, Result},
    host::{Follow, Host},
};

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

/// The names in a directory.
#[derive(Debug, Default)]
pub struct Folder {
    /// The host's directory that lies underneath; `None` for one that the run has made.
    below: Option<Rc<[u8]>>,
    /// What is known of names; `None` for one that leads nowhere, whatever the host has.
    known: RefCell<BTreeMap<Vec<u8>, Option<Rc<Inode>>>>,
    /// Whether the run has made or removed names.
    is_changed: Cell<bool>,
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
            Ok(stat) => Some(tree.adopt(host, path.into(), &stat)?),
            Err(Errno::ENOENT) => {
                tree.note_input(host, &path, Found::Status);
                None
            }
            Err(errno) => return Err(errno.into()),
        };
        self.known.borrow_mut().insert(name.to_vec(), found.clone());
        Ok(found)
    }

    /// The file that a name is known to lead to.
    #[must_use]
    pub fn known(&self, name: &[u8]) -> Option<Rc<Inode>> {
        self.known.borrow().get(name).cloned().flatten()
    }

    /// Lets a name lead to a file.
    pub fn insert(&self, name: &[u8], file: Rc<Inode>) {
        self.is_changed.set(true);
        self.known.borrow_mut().insert(name.to_vec(), Some(file));
    }

    /// Lets a name lead to a file that is there without the run's doing.
    pub fn show(&self, name: &[u8], file: Rc<Inode>) {
        self.known.borrow_mut().insert(name.to_vec(), Some(file));
    }

    /// Lets a name lead nowhere.
    pub fn remove(&self, name: &[u8]) {
        self.is_changed.set(true);
        let mut known = self.known.borrow_mut();
        match self.below {
            Some(_) => drop(known.insert(name.to_vec(), None)),
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
        let unchanged = below.into_iter().filter(|entry| !known.contains_key(&entry.name));
        let own = known.iter().filter_map(|(name, file)| {
            let file = file.as_ref()?;
            let kind = file.kind().directory_type();
            Some(DirectoryEntry { number: file.number, kind, name: name.clone() })
        });
        let mut entries: Vec<_> = own.chain(unchanged).collect();
        entries.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Ok(entries)
    }

    /// The names of the host.
    fn list_below(&self, tree: &Tree, host: &mut dyn Host) -> Result<Vec<DirectoryEntry>> {
        let Some(below) = &self.below else { return Ok(Vec::new()) };
        tree.note_input(host, below, Found::Content);
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
