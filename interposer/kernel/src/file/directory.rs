//! Open directories.

use alloc::{rc::Rc, vec::Vec};
use core::cell::RefCell;

use super::{FileDescription, FileObject, Whence};
use crate::{
    error::{Errno, Result},
    fs::{DirectoryEntry, Inode, Tree},
    host::HostStat,
    machine::Env,
    user::UserSlice,
};

/// Whose directory it is.
#[derive(Debug)]
pub enum DirectorySource {
    /// The tree's.
    Tree(Rc<Inode>),
    /// One of a view, whose entries were looked up when it was opened.
    View(HostStat),
}

/// An open directory. Its entries are those of the last time that reading started, the same until it is rewound. The
/// offset counts entries.
#[derive(Debug)]
pub struct Directory {
    /// Whose it is.
    pub source: DirectorySource,
    /// Whose its locks are.
    pub token: u64,
    entries: RefCell<Option<Rc<Vec<DirectoryEntry>>>>,
}

impl Directory {
    /// One of the tree.
    #[must_use]
    pub fn of_tree(tree: &Tree, inode: Rc<Inode>) -> Self {
        let source = DirectorySource::Tree(inode);
        Self { source, token: tree.next_token(), entries: RefCell::default() }
    }

    /// One of a view.
    #[must_use]
    pub fn view(stat: HostStat, entries: Vec<DirectoryEntry>) -> Self {
        let source = DirectorySource::View(stat);
        Self {
            source,
            token: 0,
            entries: RefCell::new(Some(Rc::new(with_dots(entries, stat.ino)))),
        }
    }

    /// The file, if it is the tree's.
    #[must_use]
    pub fn inode(&self) -> Option<&Rc<Inode>> {
        match &self.source {
            DirectorySource::Tree(inode) => Some(inode),
            DirectorySource::View(_) => None,
        }
    }

    /// All entries, `.` and `..` first; from the start they are looked up again.
    ///
    /// # Errors
    /// As getdents(2).
    pub fn entries(&self, env: &mut Env<'_>, start: bool) -> Result<Rc<Vec<DirectoryEntry>>> {
        if let Some(entries) = self.entries.borrow().as_ref()
            && !(start && matches!(self.source, DirectorySource::Tree(_)))
        {
            return Ok(Rc::clone(entries));
        }
        let DirectorySource::Tree(inode) = &self.source else {
            return Err(Errno::ENOENT.into());
        };
        let folder = inode.folder().filter(|_| !inode.is_nameless()).ok_or(Errno::ENOENT)?;
        let tree = env.tree();
        let listed = folder.list(&tree, env.host)?;
        let entries = Rc::new(with_dots(listed, inode.number));
        *self.entries.borrow_mut() = Some(Rc::clone(&entries));
        Ok(entries)
    }
}

fn with_dots(mut entries: Vec<DirectoryEntry>, number: u64) -> Vec<DirectoryEntry> {
    let dot = |name: &[u8]| DirectoryEntry { number, kind: 4, name: name.into() };
    entries.splice(..0, [dot(b"."), dot(b"..")]);
    entries
}

impl FileObject for Directory {
    fn read(&self, _: &mut Env<'_>, _: &FileDescription, _: &[UserSlice]) -> Result<usize> {
        Err(Errno::EISDIR.into())
    }

    fn read_at(&self, _: &mut Env<'_>, _: &[UserSlice], _: u64) -> Result<usize> {
        Err(Errno::EISDIR.into())
    }

    /// No directory is ever open for writing.
    fn write_at(
        &self,
        _: &mut Env<'_>,
        _: &FileDescription,
        _: &[UserSlice],
        _: u64,
    ) -> Result<usize> {
        Err(Errno::EBADF.into())
    }

    fn seek(
        &self,
        _: &mut Env<'_>,
        file: &FileDescription,
        offset: i64,
        whence: Whence,
    ) -> Result<u64> {
        match whence {
            Whence::Start => file.seek_from(0, offset),
            Whence::Current => file.seek_from(file.offset.get(), offset),
            Whence::End => file.seek_from(i64::MAX as u64, offset),
            Whence::Data | Whence::Hole => Err(Errno::EINVAL.into()),
        }
    }

    fn stat(&self, env: &mut Env<'_>) -> Result<HostStat> {
        match &self.source {
            DirectorySource::Tree(inode) => Ok(inode.status(env.host)),
            DirectorySource::View(stat) => Ok(*stat),
        }
    }

    fn release(&self, env: &mut Env<'_>) {
        if let DirectorySource::Tree(inode) = &self.source {
            inode.forget_description(self.token, env.machine);
        }
    }
}
