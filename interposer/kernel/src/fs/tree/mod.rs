//! The tree of files: all access to the host's goes through here, and what the run does to it is noted here.
//!
//! - [`open`]: opening; [`change`]: making, removing and renaming; [`attributes`]: what files have besides contents; [`extended`]:
//!   their extended attributes;
//!   [`notify`]: telling those who watch.

use alloc::{
    collections::BTreeMap,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::cell::{Cell, RefCell};

pub mod attributes;
pub mod change;
pub mod extended;
pub mod notify;
pub mod open;

use super::{
    FileTime, Inode, Times,
    inode::Inodes,
    names::{Known, Names},
    walk,
};
use crate::{
    error::Result,
    file::{FileDescription, FileLocks, InotifyCounts, LockOwner, RecordLock},
    host::{FileArgument, FileCall, Follow, Host, HostStat},
    machine::Env,
    uapi::stat::FileKind,
};

/// What the kernel knows of the tree.
#[derive(Debug)]
pub struct Tree {
    /// Names, so that walks ask the host little.
    pub names: RefCell<Names>,
    /// Files.
    pub inodes: RefCell<Inodes>,
    /// Descriptions whose path changes when a directory above them is renamed.
    opened: RefCell<Vec<Weak<FileDescription>>>,
    opened_max: Cell<usize>,
    tokens: Cell<u64>,
    /// Which record lock each blocked owner waits for.
    pub lock_waits: RefCell<BTreeMap<LockOwner, (RecordLock, Weak<FileLocks>)>>,
    /// How much is watched.
    pub inotify: InotifyCounts,
    cookie: Cell<u32>,
    /// When the run began.
    started: FileTime,
}

/// Size shown for every directory, in bytes.
const DIRECTORY_SIZE: u64 = 4096;
/// Virtual device of files without names: the first that has no disk.
const MEMORY_DEVICE: u64 = 1;
/// Preferred size of transfers, in bytes.
const BLOCK_SIZE: u64 = 4096;
/// Descriptions noted before the dead are looked for.
const OPENED_MAX: usize = 64;

impl Tree {
    /// Nothing known yet, at the start of a run.
    #[must_use]
    pub fn new(started: FileTime) -> Self {
        Self {
            names: RefCell::default(),
            inodes: RefCell::default(),
            opened: RefCell::default(),
            opened_max: Cell::new(OPENED_MAX),
            tokens: Cell::new(0),
            lock_waits: RefCell::default(),
            inotify: InotifyCounts::default(),
            cookie: Cell::new(0),
            started,
        }
    }

    /// The file that the host describes.
    #[must_use]
    pub fn see(&self, stat: &HostStat) -> Rc<Inode> {
        self.inodes.borrow_mut().see(stat, self.started)
    }

    /// A number that no other description has.
    #[must_use]
    pub fn next_token(&self) -> u64 {
        self.tokens.set(self.tokens.get() + 1);
        self.tokens.get()
    }

    /// A file without a name in any tree.
    #[must_use]
    pub fn nameless(&self) -> Rc<Inode> {
        let inode = self.inodes.borrow_mut().nameless(MEMORY_DEVICE);
        inode.set_times(Times::all(self.started));
        inode
    }

    /// What a program sees of a file.
    #[must_use]
    pub fn shown(&self, stat: &HostStat) -> HostStat {
        show(stat, &self.see(stat))
    }

    /// The host's word on a path, whose last component is not followed; directories are remembered.
    ///
    /// # Errors
    /// As lstat(2).
    pub fn lstat(&self, host: &mut dyn Host, path: &[u8]) -> Result<HostStat> {
        let stat = host.stat(path, Follow::No)?;
        if FileKind::of(stat.mode) == FileKind::Directory {
            self.names.borrow_mut().insert(path, Known::Directory(self.see(&stat)));
        }
        Ok(stat)
    }

    /// The target of a symbolic link; it is remembered.
    ///
    /// # Errors
    /// As readlink(2).
    pub fn read_link(&self, host: &mut dyn Host, path: &[u8]) -> Result<Rc<[u8]>> {
        if let Some(Known::Link(target)) = self.names.borrow().get(path) {
            return Ok(Rc::clone(target));
        }
        let target: Rc<[u8]> = host.read_link(path)?.into();
        self.names.borrow_mut().insert(path, Known::Link(Rc::clone(&target)));
        Ok(target)
    }

    /// The directory at a path free of links.
    ///
    /// # Errors
    /// As lstat(2).
    pub fn directory(&self, host: &mut dyn Host, path: &[u8]) -> Result<Rc<Inode>> {
        if let Some(inode) = self.names.borrow().directory(path) {
            return Ok(Rc::clone(inode));
        }
        let stat = self.lstat(host, path)?;
        Ok(self.see(&stat))
    }

    /// Follows a description through renames from now on.
    pub fn follow(&self, file: &Rc<FileDescription>) {
        let mut opened = self.opened.borrow_mut();
        if opened.len() >= self.opened_max.get() {
            opened.retain(|file| file.strong_count() > 0);
            self.opened_max.set(OPENED_MAX.max(opened.len() * 2));
        }
        opened.push(Rc::downgrade(file));
    }

    /// Gives new paths to the descriptions of a renamed file and of what is below it.
    fn move_opened(&self, old: &[u8], new: &[u8]) {
        for file in self.opened.borrow().iter().filter_map(Weak::upgrade) {
            let moved = moved(&file.path.borrow(), old, new);
            if let Some(moved) = moved {
                *file.path.borrow_mut() = moved.into();
            }
        }
    }
}

impl Tree {
    /// Lets the descriptions of two names change places.
    fn exchange_opened(&self, one: &[u8], other: &[u8]) {
        for file in self.opened.borrow().iter().filter_map(Weak::upgrade) {
            let path = Rc::clone(&file.path.borrow());
            let moved = moved(&path, one, other).or_else(|| moved(&path, other, one));
            if let Some(moved) = moved {
                *file.path.borrow_mut() = moved.into();
            }
        }
    }

    /// Marks the descriptions of a name that is gone, as `/proc/PID/fd` does.
    fn remove_opened(&self, path: &[u8]) {
        for file in self.opened.borrow().iter().filter_map(Weak::upgrade) {
            if **file.path.borrow() == *path {
                *file.path.borrow_mut() = [path, DELETED].concat().into();
            }
        }
    }
}

/// What follows the path of a file whose name is gone.
pub const DELETED: &[u8] = b" (deleted)";

/// Where a path is after a rename; `None` if it did not move.
#[must_use]
pub fn moved(path: &[u8], old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(old)?;
    (rest.is_empty() || rest.starts_with(b"/")).then(|| [new, rest].concat())
}

/// What a program sees of a file: the host's word on owner, mode and length, the kernel's on the rest.
#[must_use]
pub fn show(stat: &HostStat, inode: &Inode) -> HostStat {
    let kind = FileKind::of(stat.mode);
    let size = if kind == FileKind::Directory { DIRECTORY_SIZE } else { stat.size };
    let blocks = match kind {
        FileKind::Regular | FileKind::Directory => size.div_ceil(BLOCK_SIZE) * (BLOCK_SIZE / 512),
        _ => 0,
    };
    let times = inode.times();
    HostStat {
        dev: inode.device,
        ino: inode.number,
        size,
        blksize: BLOCK_SIZE,
        blocks,
        atime_ns: times.access,
        mtime_ns: times.modification,
        ctime_ns: times.change,
        birth_ns: times.birth,
        ..*stat
    }
}

impl Env<'_> {
    /// The tree.
    #[must_use]
    pub fn tree(&self) -> Rc<Tree> {
        Rc::clone(&self.machine.tree)
    }

    /// Now, as files note it.
    #[must_use]
    pub fn file_time(&self) -> FileTime {
        self.machine.clock.wall().as_nanos() as FileTime
    }
}

/// A host call on files; arguments that are left out are zero.
fn call<const N: usize>(
    host: &mut dyn Host,
    number: u32,
    arguments: [FileArgument<'_>; N],
) -> Result<u64> {
    let mut all: [FileArgument<'_>; 6] = Default::default();
    for (place, argument) in all.iter_mut().zip(arguments) {
        *place = argument;
    }
    Ok(host.file_call(FileCall { number, arguments: all })?)
}

/// A directory's entries changed.
fn touch_parent(env: &mut Env<'_>, path: &[u8]) {
    let (tree, now) = (env.tree(), env.file_time());
    // The directory was there a moment ago; if it is not, nobody can look at its times.
    if let Ok(directory) = tree.directory(env.host, walk::parent(path)) {
        directory.modified(now);
    }
}
