//! Files as such: the numbers and times that a program sees, whatever the host's are.

use alloc::{
    collections::BTreeMap,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::cell::{Cell, RefCell};

use super::ExtendedAttributes;
use crate::{
    file::{FileLocks, Inotify, LockOwner, Pipe, Told},
    host::HostStat,
    machine::Machine,
    wait::{Readiness, Wakes},
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

/// A file that the run has seen, under whatever names it has.
#[derive(Debug)]
pub struct Inode {
    /// `st_dev`.
    pub device: u64,
    /// `st_ino`.
    pub number: u64,
    times: Cell<Option<Times>>,
    fifo: RefCell<Weak<Pipe>>,
    locks: RefCell<Option<Rc<FileLocks>>>,
    /// Who watches it, and as which of their watches.
    watchers: RefCell<Vec<(Weak<Inotify>, i32)>>,
    nameless: Cell<bool>,
    /// Extended attributes, from when the run first asked for any.
    pub extended: RefCell<Option<ExtendedAttributes>>,
}

impl Inode {
    /// A file of this number.
    #[must_use]
    pub const fn new(device: u64, number: u64) -> Self {
        Self {
            device,
            number,
            times: Cell::new(None),
            fifo: RefCell::new(Weak::new()),
            locks: RefCell::new(None),
            watchers: RefCell::new(Vec::new()),
            nameless: Cell::new(false),
            extended: RefCell::new(None),
        }
    }

    /// Whether its last name is gone.
    #[must_use]
    pub fn is_nameless(&self) -> bool {
        self.nameless.get()
    }

    /// Its last name is gone.
    pub fn set_nameless(&self) {
        self.nameless.set(true);
    }

    /// An instance watches it from now on.
    pub fn watched_by(&self, instance: Weak<Inotify>, watch: i32) {
        self.watchers.borrow_mut().push((instance, watch));
    }

    /// An instance no longer watches it.
    pub fn unwatched_by(&self, instance: &Inotify, watch: i32) {
        let is_it = |other: &Weak<Inotify>, number: i32| {
            number == watch && core::ptr::eq(other.as_ptr(), instance)
        };
        self.watchers.borrow_mut().retain(|(other, number)| !is_it(other, *number));
    }

    /// Tells those who watch it what happened.
    pub fn tell(&self, told: &Told<'_>, wakes: &mut Wakes) {
        if self.watchers.borrow().is_empty() {
            return;
        }
        let watchers = self.watchers.borrow().clone();
        for (instance, watch) in watchers {
            if let Some(instance) = instance.upgrade() {
                instance.tell(watch, told, wakes);
            }
        }
    }

    /// Ends all watches: the file is gone.
    pub fn end_watches(&self, wakes: &mut Wakes) {
        for (instance, watch) in self.watchers.take() {
            if let Some(instance) = instance.upgrade() {
                // One shot may have ended it before.
                let _ = instance.unwatch(watch, wakes);
            }
        }
    }

    /// What flows through it, if it is a FIFO; `make` is asked when nobody has it open.
    pub fn fifo(&self, make: impl FnOnce() -> Rc<Pipe>) -> Rc<Pipe> {
        let open = self.fifo.borrow().upgrade();
        open.unwrap_or_else(|| {
            let pipe = make();
            *self.fifo.borrow_mut() = Rc::downgrade(&pipe);
            pipe
        })
    }

    /// The locks on it.
    pub fn locks(&self) -> Rc<FileLocks> {
        Rc::clone(self.locks.borrow_mut().get_or_insert_default())
    }

    /// Ends all locks of a description.
    pub fn forget_description(&self, token: u64, machine: &mut Machine) {
        let Some(locks) = self.locks.borrow().clone() else { return };
        if locks.forget_description(token) {
            locks.queue.wake(Readiness::all(), &mut machine.wakes);
        }
    }

    /// Ends all record locks of a process.
    pub fn forget_process(&self, pid: u32, machine: &mut Machine) {
        let Some(locks) = self.locks.borrow().clone() else { return };
        if locks.unlock(LockOwner::Process(pid), 0, u64::MAX) {
            locks.queue.wake(Readiness::all(), &mut machine.wakes);
        }
    }

    /// Its times; those of 1970 if nobody looked at the file yet.
    #[must_use]
    pub fn times(&self) -> Times {
        self.times.get().unwrap_or(Times::all(0))
    }

    /// Sets its times.
    pub fn set_times(&self, times: Times) {
        self.times.set(Some(times));
    }

    fn update(&self, change: impl FnOnce(&mut Times)) {
        let mut times = self.times();
        change(&mut times);
        self.times.set(Some(times));
    }

    /// It was read.
    pub fn accessed(&self, now: FileTime) {
        let times = self.times();
        let stale = times.access <= times.modification
            || times.access <= times.change
            || now - times.access >= ACCESS_STALE_NS;
        if stale {
            self.update(|times| times.access = now);
        }
    }

    /// Its contents changed.
    pub fn modified(&self, now: FileTime) {
        self.update(|times| (times.modification, times.change) = (now, now));
    }

    /// Its name, owner, mode or another attribute changed.
    pub fn changed(&self, now: FileTime) {
        self.update(|times| times.change = now);
    }
}

/// All files that the run has seen, by their host numbers.
#[derive(Debug, Default)]
pub struct Inodes {
    by_host: BTreeMap<(u64, u64), Rc<Inode>>,
    devices: Vec<u64>,
    last: u64,
}

/// The first virtual device: 8:1, a disk's first partition.
const DEVICE_FIRST: u64 = 0x801;
/// Numbers below are for the trees that no host file backs, and for a file system's own files.
const NUMBER_FIRST: u64 = 1000;

impl Inodes {
    /// The file with these host numbers.
    pub fn get(&mut self, device: u64, number: u64) -> Rc<Inode> {
        if let Some(inode) = self.by_host.get(&(device, number)) {
            return Rc::clone(inode);
        }
        self.fresh(device, number)
    }

    /// A file that was just made with these host numbers: what had them before is gone.
    pub fn fresh(&mut self, device: u64, number: u64) -> Rc<Inode> {
        let inode = Rc::new(Inode::new(self.device(device), NUMBER_FIRST + self.last));
        self.last += 1;
        self.by_host.insert((device, number), Rc::clone(&inode));
        inode
    }

    /// A file without host numbers.
    pub fn nameless(&mut self, device: u64) -> Rc<Inode> {
        self.last += 1;
        Rc::new(Inode::new(device, NUMBER_FIRST + self.last - 1))
    }

    /// Forgets a file whose last name is gone: the host may give its number to another one.
    pub fn forget(&mut self, device: u64, number: u64) {
        self.by_host.remove(&(device, number));
    }

    /// The file that the host describes. Its times are taken from there the first time only, and never lie after
    /// `latest`, when the run began: from then on, what the run does to the file counts.
    pub fn see(&mut self, stat: &HostStat, latest: FileTime) -> Rc<Inode> {
        let inode = self.get(stat.dev, stat.ino);
        if inode.times.get().is_none() {
            inode.set_times(Times::all(stat.mtime_ns.min(latest)));
        }
        inode
    }

    fn device(&mut self, host: u64) -> u64 {
        let known = self.devices.iter().position(|&device| device == host);
        let index = known.unwrap_or_else(|| {
            self.devices.push(host);
            self.devices.len() - 1
        });
        DEVICE_FIRST + index as u64
    }
}
