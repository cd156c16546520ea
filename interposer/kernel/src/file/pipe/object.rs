//! The pipe itself, which its ends share.

use alloc::rc::Rc;
use core::cell::{Cell, OnceCell, RefCell};

use super::ring::{Framing, Ring};
use crate::{
    error::{Errno, Error, Result},
    file::{
        FileLocks,
        transfer::{Sink, Source},
    },
    fs::Inode,
    host::HostStat,
    machine::Machine,
    uapi::limits::PAGE_SIZE,
    wait::{Readiness, WaitQueue},
};

/// Most bytes an unprivileged user may make a pipe hold (`/proc/sys/fs/pipe-max-size`).
const SIZE_MAX: u64 = 1 << 20;

/// One kind of end of a pipe: how many there are, and how many there have been.
#[derive(Debug, Default)]
pub(super) struct Ends {
    open: Cell<u32>,
    opened: Cell<u64>,
}

impl Ends {
    pub fn any(&self) -> bool {
        self.open.get() > 0
    }

    pub fn opened(&self) -> u64 {
        self.opened.get()
    }

    pub fn add(&self) {
        self.open.set(self.open.get() + 1);
        self.opened.set(self.opened.get() + 1);
    }

    pub fn remove(&self) {
        self.open.set(self.open.get() - 1);
    }
}

/// How a pipe gives another one what it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Giving {
    /// For good, as splice(2) does.
    Away,
    /// As tee(2) does.
    Copies,
}

/// A pipe or FIFO.
pub struct Pipe {
    ring: RefCell<Ring>,
    pub(super) readers: Ends,
    pub(super) writers: Ends,
    pub(super) queue: WaitQueue,
    /// What it is called by.
    pub(super) name: PipeName,
    /// The locks on one without a name.
    locks: OnceCell<Rc<FileLocks>>,
}

/// What a pipe is called by, from which fstat(2) follows.
pub(super) enum PipeName {
    /// Nothing: this is its status.
    None(HostStat),
    /// Names of a FIFO in the tree.
    Fifo(Rc<Inode>),
}

impl Pipe {
    /// An empty pipe without ends and names, of which `fstat` says this.
    #[must_use]
    pub fn nameless(stat: HostStat) -> Self {
        Self::new(PipeName::None(stat))
    }

    /// What flows through a FIFO.
    #[must_use]
    pub fn of_fifo(inode: &Rc<Inode>) -> Self {
        Self::new(PipeName::Fifo(Rc::clone(inode)))
    }

    fn new(name: PipeName) -> Self {
        Self {
            ring: RefCell::default(),
            readers: Ends::default(),
            writers: Ends::default(),
            queue: WaitQueue::default(),
            name,
            locks: OnceCell::new(),
        }
    }

    /// The locks on it, which both ends share.
    pub fn locks(&self) -> Rc<FileLocks> {
        match &self.name {
            PipeName::Fifo(inode) => inode.locks(),
            PipeName::None(_) => Rc::clone(self.locks.get_or_init(Rc::default)),
        }
    }

    /// Ends all locks of a description.
    pub(super) fn forget_description(&self, token: u64, machine: &mut Machine) {
        match (&self.name, self.locks.get()) {
            (PipeName::Fifo(inode), _) => inode.forget_description(token, machine),
            (_, Some(locks)) => locks.forget_description(token, &mut machine.wakes),
            _ => {}
        }
    }

    /// Ends all record locks of a process on one without a name.
    pub fn forget_process(&self, pid: u32, machine: &mut Machine) {
        if let Some(locks) = self.locks.get() {
            locks.forget_process(pid, &mut machine.wakes);
        }
    }

    /// Whether nobody can read what is written.
    #[must_use]
    pub fn is_broken(&self) -> bool {
        !self.readers.any()
    }

    pub(super) fn read(&self, machine: &mut Machine, sink: &mut dyn Sink) -> Result<usize> {
        let mut ring = self.ring.borrow_mut();
        let was_full = ring.is_full();
        let result = ring.read(sink);
        let has_room = was_full && !ring.is_full();
        drop(ring);
        if has_room {
            self.queue.wake(Readiness::WRITABLE, &mut machine.wakes);
        }
        match result {
            Err(Error { errno: Errno::EAGAIN, .. }) if !self.writers.any() => Ok(0),
            result => result,
        }
    }

    /// Readers are woken by every write, also where there is no room, as epoll's edges want it (`poll_usage` in fs/pipe.c).
    pub(super) fn write(
        &self,
        machine: &mut Machine,
        source: &mut dyn Source,
        framing: Framing,
    ) -> Result<usize> {
        if source.left() == 0 {
            return Ok(0);
        }
        if !self.readers.any() {
            return Err(Errno::EPIPE.into());
        }
        let result = self.ring.borrow_mut().write(source, framing);
        self.queue.wake(Readiness::READABLE, &mut machine.wakes);
        result
    }

    /// Puts in pages of a file, see [`Ring::put_pages`].
    pub fn put_pages(&self, machine: &mut Machine, bytes: &[u8], first: usize) -> usize {
        let done = self.ring.borrow_mut().put_pages(bytes, first);
        self.queue.wake(Readiness::READABLE, &mut machine.wakes);
        done
    }

    pub(super) fn read_readiness(&self) -> Readiness {
        if self.ring.borrow().is_empty() { Readiness::empty() } else { Readiness::READABLE }
    }

    pub(super) fn write_readiness(&self) -> Readiness {
        let room =
            if self.ring.borrow().is_full() { Readiness::empty() } else { Readiness::WRITABLE };
        if self.readers.any() { room } else { room | Readiness::ERR }
    }

    /// Tells everyone that one kind of end has come, or has gone for good.
    pub(super) fn wake_all(&self, machine: &mut Machine) {
        let all = Readiness::READABLE | Readiness::WRITABLE | Readiness::ERR | Readiness::HUP;
        self.queue.wake(all, &mut machine.wakes);
    }

    /// Bytes to read.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ring.borrow().len()
    }

    /// Whether there is nothing to read.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ring.borrow().is_empty()
    }

    /// Whether anyone can read.
    #[must_use]
    pub fn has_readers(&self) -> bool {
        self.readers.any()
    }

    /// Whether anyone can write.
    #[must_use]
    pub fn has_writers(&self) -> bool {
        self.writers.any()
    }

    /// Copies what comes next, and leaves it; how many bytes.
    pub fn peek(&self, into: &mut [u8]) -> usize {
        self.ring.borrow().peek(into)
    }

    /// Drops what comes next, whatever pieces it was written in.
    pub fn skip(&self, machine: &mut Machine, len: usize) {
        let mut ring = self.ring.borrow_mut();
        let was_full = ring.is_full();
        ring.skip(len);
        if was_full && !ring.is_full() {
            self.queue.wake(Readiness::WRITABLE, &mut machine.wakes);
        }
    }

    /// Whether nothing more can be written.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.ring.borrow().is_full()
    }

    /// Gives another pipe what is here, in the same pieces, as far as it has room: some or all of it for good, or
    /// copies; how many bytes.
    pub fn give(&self, machine: &mut Machine, to: &Self, len: usize, giving: Giving) -> usize {
        let mut ring = self.ring.borrow_mut();
        let was_full = ring.is_full();
        let done = match giving {
            Giving::Away => ring.pour(&mut to.ring.borrow_mut(), len),
            Giving::Copies => ring.copy_to(&mut to.ring.borrow_mut(), len),
        };
        let has_room = was_full && !ring.is_full();
        drop(ring);
        if has_room {
            self.queue.wake(Readiness::WRITABLE, &mut machine.wakes);
        }
        if done > 0 {
            to.queue.wake(Readiness::READABLE, &mut machine.wakes);
        }
        done
    }

    /// Bytes that fit for sure.
    #[must_use]
    pub fn room(&self) -> usize {
        self.ring.borrow().room()
    }

    /// Bytes it can hold: `F_GETPIPE_SZ`.
    #[must_use]
    pub fn capacity(&self) -> usize {
        self.ring.borrow().capacity()
    }

    /// Makes it hold at least this many bytes: `F_SETPIPE_SZ`; how many it holds then.
    ///
    /// # Errors
    /// `EINVAL`, `EPERM`, `EBUSY`.
    pub fn set_capacity(&self, size: u64, machine: &mut Machine) -> Result<usize> {
        if size > 1 << 31 {
            return Err(Errno::EINVAL.into());
        }
        let size = size.max(PAGE_SIZE).next_power_of_two();
        let mut ring = self.ring.borrow_mut();
        if size > SIZE_MAX && size > ring.capacity() as u64 {
            return Err(Error::new(Errno::EPERM, "larger than pipe-max-size"));
        }
        let was_full = ring.is_full();
        ring.resize((size / PAGE_SIZE) as usize)?;
        let has_room = was_full && !ring.is_full();
        drop(ring);
        if has_room {
            self.queue.wake(Readiness::WRITABLE, &mut machine.wakes);
        }
        Ok(size as usize)
    }
}
