//! Files as such: the numbers, attributes and times that a program sees, whatever the host's are.

use alloc::{
    boxed::Box,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::{
    cell::{Cell, OnceCell, RefCell},
    cmp::Ordering,
};

use linux_raw_sys::general as raw;
use simrun_abi::event::Found;

use super::{Contents, ExtendedAttributes, Folder, Tree, durable::Pages};
use crate::{
    error::{Errno, Result},
    file::{FileLocks, Inotify, Pipe, Told},
    host::{Host, HostStat},
    machine::Machine,
    uapi::stat::FileKind,
    wait::Wakes,
};

/// Nanoseconds since 1970.
pub type FileTime = i64;

/// The times of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Times {
    /// Last read, as with `relatime`.
    pub access: FileTime,
    /// Last change of the contents.
    pub modification: FileTime,
    /// Last change of anything.
    pub change: FileTime,
    /// Creation.
    pub birth: FileTime,
}

impl Times {
    /// All the same.
    #[must_use]
    pub const fn all(time: FileTime) -> Self {
        Self { access: time, modification: time, change: time, birth: time }
    }
}

/// After a day a read shows even in an unchanged file (mount(8), `relatime`).
const ACCESS_STALE_NS: i64 = 86_400_000_000_000;

/// What a file has besides contents, numbers and times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Attributes {
    /// Type and permissions, as `st_mode`.
    pub mode: u32,
    /// User that owns it.
    pub owner: u32,
    /// Group that owns it.
    pub group: u32,
    /// Names that it has; of a directory, two and one for each directory in it.
    pub links: u64,
    /// Device number, for a device.
    pub device: u64,
}

/// What a file holds, by its type.
#[derive(Debug)]
pub enum Body {
    /// Bytes.
    Regular(Contents),
    /// Names.
    Directory(Folder),
    /// The target of a symbolic link.
    Link(Rc<[u8]>),
    /// Nothing: a FIFO, a socket or a device.
    Special,
}

/// A file that the run has seen, under whatever names it has.
#[derive(Debug)]
pub struct Inode {
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub number: u64,
    /// What it holds.
    pub body: Body,
    /// Where the host has it, for one that the run did not make.
    origin: Option<Rc<[u8]>>,
    /// What the supervisor knows that the run has found in it.
    noted: Cell<Option<Found>>,
    /// Whether the run has set attributes or times.
    is_touched: Cell<bool>,
    attributes: Cell<Attributes>,
    times: Cell<Times>,
    /// Whether it was made without a name and may be given its first one (open(2), `O_TMPFILE`).
    is_linkable: Cell<bool>,
    /// How many have it open for writing.
    writers: Cell<u32>,
    /// How many processes execute it.
    runners: Cell<u32>,
    /// Changes that are not durable and would bring it back.
    changes: Cell<u32>,
    rare: OnceCell<Box<Rare>>,
}

/// What few files have: a run may see many thousands, and each costs memory.
#[derive(Debug, Default)]
pub struct Rare {
    /// Its bytes as they are on the disk, where they are others and that matters.
    pub pages: RefCell<Option<Pages>>,
    /// The part of it that programs can write to through memory: offset and length.
    pub mapped: Cell<Option<(u64, u64)>>,
    /// Extended attributes, from when the run first asked for any.
    pub extended: RefCell<Option<ExtendedAttributes>>,
    fifo: RefCell<Weak<Pipe>>,
    locks: OnceCell<Rc<FileLocks>>,
    /// Who watches it, and as which of their watches.
    watchers: RefCell<Vec<(Weak<Inotify>, i32)>>,
}

/// A file that a process executes, for as long as this is kept.
#[derive(Debug)]
pub struct Running(Rc<Inode>);

impl Running {
    /// Of a file.
    #[must_use]
    pub fn new(file: Rc<Inode>) -> Self {
        file.runners.set(file.runners.get().saturating_add(1));
        Self(file)
    }
}

impl Clone for Running {
    fn clone(&self) -> Self {
        Self::new(Rc::clone(&self.0))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        self.0.runners.set(self.0.runners.get().saturating_sub(1));
    }
}

/// Size shown for every directory, in bytes.
const DIRECTORY_SIZE: u64 = 4096;
/// Preferred size of transfers, in bytes.
const BLOCK_SIZE: u64 = 4096;

impl Inode {
    /// A file of these numbers.
    #[must_use]
    pub fn new(
        (device, number): (u64, u64),
        body: Body,
        attributes: Attributes,
        times: Times,
    ) -> Self {
        Self {
            device,
            number,
            body,
            origin: None,
            noted: Cell::new(None),
            is_touched: Cell::new(false),
            is_linkable: Cell::new(false),
            attributes: Cell::new(attributes),
            times: Cell::new(times),
            writers: Cell::new(0),
            runners: Cell::new(0),
            changes: Cell::new(0),
            rare: OnceCell::new(),
        }
    }

    /// The host's file at a path.
    #[must_use]
    pub fn of_host(
        path: Rc<[u8]>,
        numbers: (u64, u64),
        body: Body,
        attributes: Attributes,
        times: Times,
    ) -> Self {
        Self { origin: Some(path), ..Self::new(numbers, body, attributes, times) }
    }

    /// Where the host has it, for one that the run did not make.
    #[must_use]
    pub fn origin(&self) -> Option<&Rc<[u8]>> {
        self.origin.as_ref()
    }

    /// What few files have; nothing of it yet, if it is asked for the first time.
    #[must_use]
    pub fn rare(&self) -> &Rare {
        self.rare.get_or_init(Box::default)
    }

    /// Its type.
    #[must_use]
    pub fn kind(&self) -> FileKind {
        FileKind::of(self.attributes.get().mode)
    }

    /// What it has besides contents, numbers and times.
    #[must_use]
    pub fn attributes(&self) -> Attributes {
        self.attributes.get()
    }

    /// Whether the run has set its mode, owner, times or extended attributes.
    #[must_use]
    pub fn is_touched(&self) -> bool {
        self.is_touched.get()
    }

    /// The run sets its mode, owner, times or extended attributes.
    pub fn touch(&self) {
        self.is_touched.set(true);
    }

    /// Whether it was made without a name and may be given its first one.
    #[must_use]
    pub fn is_linkable(&self) -> bool {
        self.is_linkable.get()
    }

    /// It may be given its first name from now on, or not.
    pub fn set_linkable(&self, is_linkable: bool) {
        self.is_linkable.set(is_linkable);
    }

    /// Changes attributes; who changes them says so with [`Self::changed`].
    pub fn update(&self, change: impl FnOnce(&mut Attributes)) {
        let mut attributes = self.attributes.get();
        change(&mut attributes);
        self.attributes.set(attributes);
    }

    /// The names in it, if it is a directory.
    #[must_use]
    pub fn folder(&self) -> Option<&Folder> {
        match &self.body {
            Body::Directory(folder) => Some(folder),
            _ => None,
        }
    }

    /// Its bytes, if it is a regular file.
    #[must_use]
    pub fn contents(&self) -> Option<&Contents> {
        match &self.body {
            Body::Regular(contents) => Some(contents),
            _ => None,
        }
    }

    /// Refuses a new length that a seal forbids.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn check_resize(&self, len: u64) -> Result<()> {
        let Some(contents) = self.contents() else { return Ok(()) };
        match len.cmp(&contents.size()) {
            Ordering::Less => contents.check_seals(raw::F_SEAL_SHRINK),
            Ordering::Greater => contents.check_seals(raw::F_SEAL_GROW),
            Ordering::Equal => Ok(()),
        }
    }

    /// What a program sees of it.
    #[must_use]
    pub fn status(&self, host: &mut dyn Host) -> HostStat {
        let Attributes { mode, owner, group, links, device } = self.attributes.get();
        let (size, blocks) = match &self.body {
            Body::Regular(contents) => (contents.size(), contents.blocks(host)),
            Body::Directory(_) => (DIRECTORY_SIZE, DIRECTORY_SIZE / 512),
            Body::Link(target) => (target.len() as u64, 0),
            Body::Special => (0, 0),
        };
        let times = self.times.get();
        HostStat {
            dev: self.device,
            ino: self.number,
            mode,
            nlink: links,
            uid: owner,
            gid: group,
            rdev: device,
            size,
            blksize: BLOCK_SIZE,
            blocks,
            mtime_ns: times.modification,
            atime_ns: times.access,
            ctime_ns: times.change,
            birth_ns: times.birth,
        }
    }

    /// One more or less has it open for writing.
    pub fn count_writers(&self, by: i32) {
        self.writers.set(self.writers.get().saturating_add_signed(by));
    }

    /// Refuses to execute what somebody may be writing (execve(2)).
    ///
    /// # Errors
    /// `ETXTBSY`.
    pub fn check_unwritten(&self) -> Result<()> {
        if self.writers.get() > 0 { Err(Errno::ETXTBSY.into()) } else { Ok(()) }
    }

    /// Refuses to write to what is being executed (open(2)).
    ///
    /// # Errors
    /// `ETXTBSY`.
    pub fn check_idle(&self) -> Result<()> {
        if self.runners.get() > 0 { Err(Errno::ETXTBSY.into()) } else { Ok(()) }
    }

    /// Whether it is a directory.
    #[must_use]
    pub fn is_directory(&self) -> bool {
        matches!(self.body, Body::Directory(_))
    }

    /// A change that is not durable would bring it back, or does no longer.
    pub fn count_changes(&self, by: i32) {
        self.changes.set(self.changes.get().saturating_add_signed(by));
    }

    /// Whether its last name is gone.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        self.attributes.get().links == 0
    }

    /// One name more or less.
    pub fn count_links(&self, by: i64) {
        self.update(|attributes| attributes.links = attributes.links.saturating_add_signed(by));
    }

    /// Lets the supervisor know, once, what the run has found in a file of the host.
    pub fn note_input(&self, tree: &Tree, host: &mut dyn Host, found: Found) {
        if let Some(path) = &self.origin
            && self.noted.get() < Some(found)
        {
            self.noted.set(Some(found));
            tree.note_input(host, path, found, tree.said_of(self.number));
        }
    }

    /// Gives up what it holds if nobody can reach it any more.
    pub fn discard_unreachable(&self, host: &mut dyn Host) {
        if let Body::Regular(contents) = &self.body
            && self.is_nameless()
            && self.changes.get() == 0
        {
            contents.discard_unused(host);
        }
    }

    /// An instance watches it from now on.
    pub fn watched_by(&self, instance: Weak<Inotify>, watch: i32) {
        self.rare().watchers.borrow_mut().push((instance, watch));
    }

    /// An instance no longer watches it.
    pub fn unwatched_by(&self, instance: &Inotify, watch: i32) {
        let is_it = |other: &Weak<Inotify>, number: i32| {
            number == watch && core::ptr::eq(other.as_ptr(), instance)
        };
        self.rare().watchers.borrow_mut().retain(|(other, number)| !is_it(other, *number));
    }

    /// Tells those who watch it what happened.
    pub fn tell(&self, told: &Told<'_>, wakes: &mut Wakes) {
        let Some(rare) = self.rare.get() else { return };
        if rare.watchers.borrow().is_empty() {
            return;
        }
        let watchers = rare.watchers.borrow().clone();
        for (instance, watch) in watchers {
            if let Some(instance) = instance.upgrade() {
                instance.tell(watch, told, wakes);
            }
        }
    }

    /// Ends all watches: the file is gone.
    pub fn end_watches(&self, wakes: &mut Wakes) {
        let Some(rare) = self.rare.get() else { return };
        for (instance, watch) in rare.watchers.take() {
            if let Some(instance) = instance.upgrade() {
                // One shot may have ended it before.
                let _ = instance.unwatch(watch, wakes);
            }
        }
    }

    /// What flows through it, if it is a FIFO; `make` is asked when nobody has it open.
    pub fn fifo(&self, make: impl FnOnce() -> Rc<Pipe>) -> Rc<Pipe> {
        let fifo = &self.rare().fifo;
        let open = fifo.borrow().upgrade();
        open.unwrap_or_else(|| {
            let pipe = make();
            *fifo.borrow_mut() = Rc::downgrade(&pipe);
            pipe
        })
    }

    /// The locks on it.
    pub fn locks(&self) -> Rc<FileLocks> {
        Rc::clone(self.rare().locks.get_or_init(Rc::default))
    }

    /// Ends all locks of a description.
    pub fn forget_description(&self, token: u64, machine: &mut Machine) {
        if let Some(locks) = self.rare.get().and_then(|rare| rare.locks.get()) {
            locks.forget_description(token, &mut machine.wakes);
        }
    }

    /// Ends all record locks of a process.
    pub fn forget_process(&self, pid: u32, machine: &mut Machine) {
        if let Some(locks) = self.rare.get().and_then(|rare| rare.locks.get()) {
            locks.forget_process(pid, &mut machine.wakes);
        }
    }

    /// Its times.
    #[must_use]
    pub fn times(&self) -> Times {
        self.times.get()
    }

    /// Sets its times.
    pub fn set_times(&self, times: Times) {
        self.times.set(times);
    }

    /// It was read.
    pub fn accessed(&self, now: FileTime) {
        let times = self.times.get();
        let stale = times.access <= times.modification
            || times.access <= times.change
            || now - times.access >= ACCESS_STALE_NS;
        if stale {
            self.times.set(Times { access: now, ..times });
        }
    }

    /// Its contents changed.
    pub fn modified(&self, now: FileTime) {
        self.times.set(Times { modification: now, change: now, ..self.times.get() });
    }

    /// Its name, owner, mode or another attribute changed.
    pub fn changed(&self, now: FileTime) {
        self.times.set(Times { change: now, ..self.times.get() });
    }
}
