//! The tree of files: the host's underneath, never changed, and what the run does to it.
//!
//! - [`open`]: opening; [`change`]: making, removing and renaming; [`attributes`]: what files have besides contents;
//!   [`extended`]: their extended attributes;
//!   `space`: how full the disk is; `sync`: what becomes durable; [`notify`]: telling those who watch; `placed`: files that
//!   are there from the start; `capture`: telling at the end what the run has done.

use alloc::{
    collections::BTreeMap,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::cell::{Cell, OnceCell, RefCell};

use linux_raw_sys::general as raw;
use simrun_abi::{
    boot::{Boot, Detail, FileTimes},
    event::{Event, Found, Said, Stamp, What},
    faults::{Disk, Effect, Fault},
    node::Node,
    node_faults::{Attrition, OnNodes},
};

pub mod attributes;
mod capture;
pub mod change;
mod devices;
pub mod extended;
mod mounts;
pub mod notify;
pub mod open;
mod placed;
mod space;
mod sync;

pub use capture::Progress;
use mounts::Mounts;
use space::Space;

use super::{
    Attributes, Body, Contents, FileTime, Folder, Inode, Moved, Times,
    durable::Journal,
    numbers::{HostNumbers, Numbers},
    times, walk,
};
use crate::{
    error::{Errno, Result},
    file::{FileDescription, InotifyCounts, LockOwner, LockWaiter},
    host::{Follow, Host, HostFd, HostStat},
    machine::Env,
    uapi::stat::FileKind,
};

/// The tree of files.
#[derive(Debug)]
pub struct Tree {
    root: OnceCell<Rc<Inode>>,
    /// What is mounted in it.
    mounts: Mounts,
    /// The host's files that have several names there.
    linked: RefCell<BTreeMap<HostNumbers, Rc<Inode>>>,
    /// All numbers.
    numbers: RefCell<Numbers>,
    /// Paths of the host that programs do not see.
    hidden: Vec<Vec<u8>>,
    /// Descriptions whose path changes when a directory above them is renamed.
    opened: RefCell<Vec<Weak<FileDescription>>>,
    opened_max: Cell<usize>,
    tokens: Cell<u64>,
    /// Which record lock each blocked owner waits for.
    pub lock_waits: RefCell<BTreeMap<LockOwner, LockWaiter>>,
    /// How much is watched.
    pub inotify: InotifyCounts,
    cookie: Cell<u32>,
    /// Files that are mapped as the host has them, and have been changed.
    pub moved: Rc<Moved>,
    /// What times the host's files show.
    file_times: FileTimes,
    /// When the run began.
    started: FileTime,
    /// Whether anybody wants to know what the run depends on.
    notes_inputs: bool,
    /// The file that was found last, by its number, and in which state.
    found: Cell<Option<(u64, Stamp)>>,
    /// Memory for what the supervisor is told of inputs.
    note: RefCell<Note>,
    /// Memory for a path of the host.
    room: RefCell<Vec<u8>>,
    /// What was put there before the first program ran, once it was.
    placed: OnceCell<Vec<Rc<Inode>>>,
    /// How full the disk is.
    pub space: Space,
    /// What is not durable, where power may be lost.
    pub journal: RefCell<Option<Journal>>,
}

/// Virtual device of the tree: 8:1, a disk's first partition.
const DISK: u64 = 0x801;
/// Virtual device of files without names: the first that has no disk.
const MEMORY_DEVICE: u64 = 1;
/// Descriptions noted before the dead are looked for.
const OPENED_MAX: usize = 64;

/// A name in the tree, where there may be nothing.
#[derive(Clone, Debug)]
pub struct Spot {
    /// Its absolute path, free of `..` and symbolic links but for its last component.
    pub path: Vec<u8>,
    /// The directory that holds the name; the root holds itself.
    pub parent: Rc<Inode>,
    /// The file that the name leads to.
    pub file: Option<Rc<Inode>>,
}

impl Spot {
    /// The last component of its path.
    #[must_use]
    pub fn name(&self) -> &[u8] {
        walk::name(&self.path)
    }

    /// The file.
    ///
    /// # Errors
    /// `ENOENT` if there is none.
    pub fn existing(&self) -> Result<&Rc<Inode>> {
        self.file.as_ref().ok_or(Errno::ENOENT.into())
    }
}

impl Tree {
    /// A node's, nothing of it looked at yet.
    #[must_use]
    pub fn new(boot: &Boot, node: &Node) -> Self {
        let started = boot.start_time_ns as FileTime;
        Self {
            root: OnceCell::new(),
            mounts: Mounts::new(started),
            linked: RefCell::default(),
            numbers: Numbers::new(boot.file_times).into(),
            hidden: boot.hidden.clone(),
            opened: RefCell::default(),
            opened_max: Cell::new(OPENED_MAX),
            tokens: Cell::new(0),
            lock_waits: RefCell::default(),
            inotify: InotifyCounts::default(),
            cookie: Cell::new(0),
            moved: Rc::default(),
            file_times: boot.file_times,
            started,
            notes_inputs: boot.detail >= Detail::Kept,
            found: Cell::new(None),
            note: RefCell::default(),
            room: RefCell::default(),
            placed: OnceCell::new(),
            space: Space::new(node.disk),
            journal: RefCell::new(disk_without_power(&boot.faults).map(Journal::new)),
        }
    }

    /// The root directory.
    ///
    /// # Errors
    /// What the host says of its own.
    pub fn root(&self, host: &mut dyn Host) -> Result<Rc<Inode>> {
        if let Some(root) = self.root.get() {
            return Ok(Rc::clone(root));
        }
        let stat = host.stat(b"/", Follow::No)?;
        let root = self.adopt(host, b"/", &stat)?;
        self.make_own(host, &root)?;
        Ok(Rc::clone(self.root.get_or_init(|| root)))
    }

    /// The root of what is mounted at a path, if anything is.
    ///
    /// # Errors
    /// As [`Self::root`].
    pub fn mounted(&self, host: &mut dyn Host, path: &[u8]) -> Result<Option<Rc<Inode>>> {
        match path {
            b"/" => self.root(host).map(Some),
            _ => Ok(self.mounts.at(path).map(Rc::clone)),
        }
    }

    /// The file at an absolute path free of links.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, what the host says.
    pub fn find(&self, host: &mut dyn Host, path: &[u8]) -> Result<Rc<Inode>> {
        let (mut at, rest) = match self.mounts.above(path) {
            Some((root, rest)) => (Rc::clone(root), rest),
            None => (self.root(host)?, path),
        };
        for name in rest.split(|&byte| byte == b'/').filter(|name| !name.is_empty()) {
            let next = at.folder().ok_or(Errno::ENOTDIR)?.get(self, host, name)?;
            at = next.ok_or(Errno::ENOENT)?;
        }
        Ok(at)
    }

    /// Lets the supervisor know that the run depends on what the host has at a path.
    pub fn note_input(&self, host: &mut dyn Host, path: &[u8], found: Found, said: Said) {
        if self.notes_inputs {
            self.note.borrow_mut().tell(host, path, found, said);
        }
    }

    /// Does something with the path of a name in a directory of the host.
    pub fn with_path<R>(&self, directory: &[u8], name: &[u8], act: impl FnOnce(&[u8]) -> R) -> R {
        let mut path = self.room.take();
        path.clear();
        path.extend_from_slice(directory);
        walk::enter(&mut path, name);
        let result = act(&path);
        *self.room.borrow_mut() = path;
        result
    }

    /// What the host said of the file with this number, if that was the last it was asked for.
    #[must_use]
    pub fn said_of(&self, number: u64) -> Said {
        match self.found.take() {
            Some((found, stamp)) if found == number => Said::There(stamp),
            _ => Said::Nothing,
        }
    }

    /// Whether programs do not see a path of the host.
    #[must_use]
    pub fn hides(&self, path: &[u8]) -> bool {
        self.hidden.iter().any(|hidden| hidden == path)
    }

    /// Whether programs do not see a name in a directory of the host.
    #[must_use]
    pub fn hides_in(&self, directory: &[u8], name: &[u8]) -> bool {
        self.hidden
            .iter()
            .any(|hidden| walk::name(hidden) == name && walk::parent(hidden) == directory)
    }

    /// The number of the host's file with these numbers.
    #[must_use]
    pub fn number(&self, host: HostNumbers) -> u64 {
        self.numbers.borrow_mut().of_host(host)
    }

    /// The host's file at a path, which the run sees for the first time under this name.
    ///
    /// # Errors
    /// What the host says to a link being read.
    pub fn adopt(&self, host: &mut dyn Host, path: &[u8], stat: &HostStat) -> Result<Rc<Inode>> {
        let (kind, from) = (FileKind::of(stat.mode), (stat.dev, stat.ino));
        let has_others = kind != FileKind::Directory && stat.nlink > 1;
        let number = self.number(from);
        self.found.set(Some((number, stamp_of(stat))));
        if has_others && let Some(known) = self.linked.borrow().get(&from) {
            return Ok(Rc::clone(known));
        }
        let path: Rc<[u8]> = path.into();
        let body = match kind {
            FileKind::Regular => Body::Regular(Contents::of_host(Rc::clone(&path), stat.size)),
            FileKind::Directory => Body::Directory(Folder::over(Rc::clone(&path), stat.size)),
            FileKind::Link => Body::Link(host.read_link(&path)?.into()),
            _ => Body::Special,
        };
        let attributes = Attributes {
            mode: stat.mode,
            owner: stat.uid,
            group: stat.gid,
            links: stat.nlink.max(1),
            device: stat.rdev,
        };
        let times = times::shown(self.file_times, self.started, &path, stat);
        let inode = Rc::new(Inode::of_host(path, (DISK, number), body, attributes, times));
        if kind == FileKind::Link {
            // Whoever comes here goes where it leads.
            inode.note_input(self, host, Found::Status);
        }
        if has_others {
            self.linked.borrow_mut().insert(from, Rc::clone(&inode));
        }
        Ok(inode)
    }

    /// Whether a file is on the disk, and not in memory.
    #[must_use]
    pub fn is_on_disk(file: &Inode) -> bool {
        file.device == DISK
    }

    /// Forgets what was in memory: that does not outlive a machine without power.
    pub fn forget_memory(&self) {
        self.mounts.forget_memory(self.started);
    }

    /// A number that no other description has.
    #[must_use]
    pub fn next_token(&self) -> u64 {
        self.tokens.set(self.tokens.get() + 1);
        self.tokens.get()
    }

    /// A new file on a device.
    #[must_use]
    pub fn make(
        &self,
        device: u64,
        body: Body,
        attributes: Attributes,
        now: FileTime,
    ) -> Rc<Inode> {
        let number = self.numbers.borrow_mut().next();
        Inode::new((device, number), body, attributes, Times::all(now)).into()
    }

    /// A memory file of the host as a file without a name in any tree.
    #[must_use]
    pub fn nameless(&self, file: HostFd, size: u64, seals: u32, now: FileTime) -> Rc<Inode> {
        let body = Body::Regular(Contents::of_memory(file, size, seals));
        self.make(MEMORY_DEVICE, body, NAMELESS, now)
    }

    /// A memory file of the host as one that only reads are made of.
    #[must_use]
    pub fn installed(&self, file: HostFd, size: u64) -> Rc<Inode> {
        self.nameless(file, size, raw::F_SEAL_SEAL | raw::F_SEAL_WRITE, self.started)
    }

    /// What is watched where nothing ever happens.
    #[must_use]
    pub fn nothing(&self) -> Rc<Inode> {
        self.make(MEMORY_DEVICE, Body::Special, NAMELESS, self.started)
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

/// What the supervisor is told of an input: there are many, so the memory is used again.
#[derive(Debug)]
struct Note {
    event: Event,
    encoded: Vec<u8>,
}

impl Default for Note {
    fn default() -> Self {
        let what = What::Input { path: Vec::new(), found: Found::Status, said: Said::Nothing };
        let event = Event { number: 0, time_ns: 0, node: 0, pid: 0, tid: 0, what };
        Self { event, encoded: Vec::new() }
    }
}

impl Note {
    fn tell(&mut self, host: &mut dyn Host, at: &[u8], found_there: Found, said_of_it: Said) {
        if let What::Input { path, found, said } = &mut self.event.what {
            path.clear();
            path.extend_from_slice(at);
            (*found, *said) = (found_there, said_of_it);
        }
        self.encoded.clear();
        self.event.encode_to(&mut self.encoded);
        host.emit(&self.encoded);
    }
}

/// What the host says of a file, as the supervisor wants it.
fn stamp_of(stat: &HostStat) -> Stamp {
    Stamp {
        device: stat.dev,
        inode: stat.ino,
        mode: stat.mode,
        size: stat.size,
        modified_ns: stat.mtime_ns,
        changed_ns: stat.ctime_ns,
    }
}

/// The disk that may lose power, if any fault takes it.
fn disk_without_power(faults: &[Fault]) -> Option<Disk> {
    faults.iter().find_map(|fault| match fault.effect {
        Effect::LosePower { disk, .. } => Some(disk),
        Effect::Nodes(OnNodes::Attrition(Attrition { weights, .. })) => {
            (weights[2] > 0).then_some(Disk::Ext4)
        }
        _ => None,
    })
}

/// What follows the path of a file whose name is gone.
pub const DELETED: &[u8] = b" (deleted)";

/// What a file without a name shows.
const NAMELESS: Attributes =
    Attributes { mode: raw::S_IFREG | 0o777, owner: 0, group: 0, links: 0, device: 0 };

/// Where a path is after a rename; `None` if it did not move.
#[must_use]
pub fn moved(path: &[u8], old: &[u8], new: &[u8]) -> Option<Vec<u8>> {
    let rest = path.strip_prefix(old)?;
    (rest.is_empty() || rest.starts_with(b"/")).then(|| [new, rest].concat())
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
