//! Places in the tree: descriptors opened with `O_PATH`.

use alloc::rc::Rc;

use super::{FileDescription, FileObject, Whence};
use crate::{
    error::{Errno, Result},
    fs::Inode,
    host::HostStat,
    machine::Env,
};

/// A place in the tree that was opened with `O_PATH`: it can be asked for its status and walked from, no more.
#[derive(Debug)]
pub enum PlaceFile {
    /// The tree's.
    Tree(Rc<Inode>),
    /// One of a view, with the status it had.
    View(HostStat),
}

impl PlaceFile {
    /// A place of the tree.
    #[must_use]
    pub fn of_tree(inode: Rc<Inode>) -> Self {
        if let Some(contents) = inode.contents() {
            contents.hold();
        }
        Self::Tree(inode)
    }
}

impl FileObject for PlaceFile {
    fn stat(&self, env: &mut Env<'_>) -> Result<HostStat> {
        match self {
            Self::Tree(inode) => Ok(inode.status(env.host)),
            Self::View(stat) => Ok(*stat),
        }
    }

    fn seek(&self, _: &mut Env<'_>, _: &FileDescription, _: i64, _: Whence) -> Result<u64> {
        Err(Errno::EBADF.into())
    }

    fn release(&self, env: &mut Env<'_>) {
        if let Self::Tree(inode) = self {
            env.let_go(inode);
        }
    }
}
