//! What is known of names in the host's tree, so that a walk need not ask again.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};
use core::ops::Bound;

use super::Inode;

/// What an absolute path, free of `..` and symbolic links before its last component, is known to name.
#[derive(Clone, Debug)]
pub enum Known {
    /// A directory.
    Directory(Rc<Inode>),
    /// A symbolic link to this.
    Link(Rc<[u8]>),
}

/// Known names. What a run changes is forgotten; that something is *absent* is never remembered.
#[derive(Debug, Default)]
pub struct Names {
    known: BTreeMap<Vec<u8>, Known>,
}

impl Names {
    /// What is known of a path.
    #[must_use]
    pub fn get(&self, path: &[u8]) -> Option<&Known> {
        self.known.get(path)
    }

    /// The directory that a path is known to name.
    #[must_use]
    pub fn directory(&self, path: &[u8]) -> Option<&Rc<Inode>> {
        match self.known.get(path)? {
            Known::Directory(inode) => Some(inode),
            Known::Link(_) => None,
        }
    }

    /// Notes what a path names.
    pub fn insert(&mut self, path: &[u8], known: Known) {
        self.known.insert(path.to_vec(), known);
    }

    /// Forgets a path and all below it.
    pub fn forget(&mut self, path: &[u8]) {
        let Some(Known::Directory(_)) = self.known.remove(path) else { return };
        let mut below = path.to_vec();
        below.push(b'/');
        let lowest: Bound<&[u8]> = Bound::Included(&below);
        let paths: Vec<Vec<u8>> = self
            .known
            .range::<[u8], _>((lowest, Bound::Unbounded))
            .map(|(path, _)| path)
            .take_while(|path| path.starts_with(&below))
            .cloned()
            .collect();
        for path in paths {
            self.known.remove(&path);
        }
    }
}
