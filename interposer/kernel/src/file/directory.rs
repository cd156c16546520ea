//! Open directories.

use alloc::{rc::Rc, vec::Vec};
use core::cell::RefCell;

use super::{FileDescription, FileObject, Whence};
use crate::{
    error::{Errno, Result},
    fs::{Inode, Tree, tree},
    host::{HostFd, HostStat},
    machine::Env,
    user::UserSlice,
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

/// Whose directory it is.
#[derive(Debug)]
pub enum DirectorySource {
    /// The host's.
    Host(HostFd, Rc<Inode>),
    /// One of a view, whose entries were looked up when it was opened.
    View(HostStat),
}

/// An open directory. Its entries are those of the last time that reading started: sorted, so that the host's order
/// does not show, and the same until it is rewound. The offset counts entries.
#[derive(Debug)]
pub struct Directory {
    /// Whose it is.
    pub source: DirectorySource,
    /// Whose its locks are.
    pub token: u64,
    entries: RefCell<Option<Rc<[DirectoryEntry]>>>,
}

impl Directory {
    /// One of the host.
    #[must_use]
    pub fn host(tree: &Tree, host: HostFd, inode: Rc<Inode>) -> Self {
        let source = DirectorySource::Host(host, inode);
        Self { source, token: tree.next_token(), entries: RefCell::default() }
    }

    /// One of a view.
    #[must_use]
    pub fn view(stat: HostStat, entries: Vec<DirectoryEntry>) -> Self {
        let source = DirectorySource::View(stat);
        Self { source, token: 0, entries: RefCell::new(Some(with_dots(entries, stat.ino).into())) }
    }

    /// The file, if it is the host's.
    #[must_use]
    pub fn inode(&self) -> Option<&Rc<Inode>> {
        match &self.source {
            DirectorySource::Host(_, inode) => Some(inode),
            DirectorySource::View(_) => None,
        }
    }

    /// The host's descriptor, if it is the host's.
    #[must_use]
    pub fn host_fd(&self) -> Option<HostFd> {
        match &self.source {
            DirectorySource::Host(host, _) => Some(*host),
            DirectorySource::View(_) => None,
        }
    }

    /// All entries, `.` and `..` first; from the start they are looked up again.
    ///
    /// # Errors
    /// As getdents(2).
    pub fn entries(&self, env: &mut Env<'_>, start: bool) -> Result<Rc<[DirectoryEntry]>> {
        if let Some(entries) = self.entries.borrow().as_ref()
            && !(start && matches!(self.source, DirectorySource::Host(..)))
        {
            return Ok(Rc::clone(entries));
        }
        let DirectorySource::Host(host, inode) = &self.source else {
            return Err(Errno::ENOENT.into());
        };
        let device = env.host.fstat(*host)?.dev;
        let mut listed = env.host.read_directory(*host)?;
        listed.sort_by(|a, b| a.name.cmp(&b.name));
        let tree = env.tree();
        let mut inodes = tree.inodes.borrow_mut();
        let entries = listed
            .into_iter()
            .map(|entry| DirectoryEntry {
                number: inodes.get(device, entry.ino).number,
                kind: entry.kind,
                name: entry.name,
            })
            .collect();
        let entries: Rc<[DirectoryEntry]> = with_dots(entries, inode.number).into();
        *self.entries.borrow_mut() = Some(Rc::clone(&entries));
        Ok(entries)
    }
}

fn with_dots(entries: Vec<DirectoryEntry>, number: u64) -> Vec<DirectoryEntry> {
    let dot = |name: &[u8]| DirectoryEntry { number, kind: 4, name: name.to_vec() };
    [dot(b"."), dot(b"..")].into_iter().chain(entries).collect()
}

impl FileObject for Directory {
    fn read(&self, _: &mut Env<'_>, _: &FileDescription, _: &[UserSlice]) -> Result<usize> {
        Err(Errno::EISDIR.into())
    }

    fn read_at(&self, _: &mut Env<'_>, _: &[UserSlice], _: u64) -> Result<usize> {
        Err(Errno::EISDIR.into())
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
            DirectorySource::Host(host, inode) => Ok(tree::show(&env.host.fstat(*host)?, inode)),
            DirectorySource::View(stat) => Ok(*stat),
        }
    }

    fn release(&self, env: &mut Env<'_>) {
        if let DirectorySource::Host(host, inode) = &self.source {
            inode.forget_description(self.token, env.machine);
            env.host.close(*host);
        }
    }
}
