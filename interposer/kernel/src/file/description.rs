//! Open file descriptions.

use alloc::rc::Rc;
use core::cell::{Cell, RefCell};

use linux_raw_sys::general as raw;

use super::{HostStream, RegularFile};
use crate::{
    error::{Errno, Result},
    machine::Env,
    user::UserSlice,
    wait::{Readiness, WaitQueue},
};

bitflags::bitflags! {
    /// open(2)'s flags.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct OpenFlags: u32 {
        /// Writing only.
        const WRITE_ONLY = raw::O_WRONLY;
        /// Reading and writing.
        const READ_WRITE = raw::O_RDWR;
        /// Make it if it is not there.
        const CREATE = raw::O_CREAT;
        /// Fail if it is there.
        const EXCLUSIVE = raw::O_EXCL;
        /// Do not make it the controlling terminal.
        const NO_TERMINAL = raw::O_NOCTTY;
        /// Empty it.
        const TRUNCATE = raw::O_TRUNC;
        /// Write at the end.
        const APPEND = raw::O_APPEND;
        /// Do not block.
        const NONBLOCK = raw::O_NONBLOCK;
        /// Data is durable when a write returns.
        const DATA_SYNC = raw::O_DSYNC;
        /// Send SIGIO.
        const ASYNC = raw::FASYNC;
        /// Bypass the page cache.
        const DIRECT = raw::O_DIRECT;
        /// Ignored on 64-bit.
        const LARGE = raw::O_LARGEFILE;
        /// Fail if it is no directory.
        const DIRECTORY = raw::O_DIRECTORY;
        /// Fail if it is a symbolic link.
        const NO_FOLLOW = raw::O_NOFOLLOW;
        /// Leave the access time.
        const NO_ACCESS_TIME = raw::O_NOATIME;
        /// Close on exec.
        const CLOSE_ON_EXEC = raw::O_CLOEXEC;
        /// Data and metadata are durable when a write returns.
        const SYNC = raw::O_SYNC & !raw::O_DSYNC;
        /// Only a place in the tree.
        const PATH = raw::O_PATH;
        /// A nameless file in this directory.
        const TEMPORARY = raw::O_TMPFILE & !raw::O_DIRECTORY;
    }
}

impl OpenFlags {
    /// What `fcntl(F_SETFL)` may change.
    pub const SETTABLE: Self = Self::APPEND
        .union(Self::NONBLOCK)
        .union(Self::ASYNC)
        .union(Self::DIRECT)
        .union(Self::NO_ACCESS_TIME);

    /// Whether reading is allowed.
    #[must_use]
    pub const fn reads(self) -> bool {
        !self.contains(Self::WRITE_ONLY) && !self.contains(Self::PATH)
    }

    /// Whether writing is allowed.
    #[must_use]
    pub const fn writes(self) -> bool {
        self.intersects(Self::WRITE_ONLY.union(Self::READ_WRITE)) && !self.contains(Self::PATH)
    }
}

/// Where a seek counts from (lseek(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whence {
    /// The start.
    Start,
    /// The current offset.
    Current,
    /// The end.
    End,
    /// The next data at or after the offset.
    Data,
    /// The next hole at or after the offset.
    Hole,
}

/// What a description refers to: the closed set of file types.
pub enum File {
    /// A stream of the host that the run was started with.
    HostStream(HostStream),
    /// A regular file of the host.
    Regular(RegularFile),
}

/// An open file description: what `open` makes and `dup` and `fork` share.
pub struct FileDescription {
    /// What it refers to.
    pub file: File,
    /// Access mode and status flags.
    pub flags: Cell<OpenFlags>,
    /// File offset, for what has one.
    pub offset: Cell<u64>,
    /// What `/proc/self/fd` shows.
    pub path: RefCell<Rc<[u8]>>,
}

impl FileDescription {
    /// A description at offset zero.
    #[must_use]
    pub fn new(file: File, flags: OpenFlags, path: &[u8]) -> Rc<Self> {
        let flags = flags.difference(
            OpenFlags::CREATE
                | OpenFlags::EXCLUSIVE
                | OpenFlags::NO_TERMINAL
                | OpenFlags::TRUNCATE
                | OpenFlags::CLOSE_ON_EXEC,
        );
        Rc::new(Self {
            file,
            flags: Cell::new(flags),
            offset: Cell::new(0),
            path: RefCell::new(path.into()),
        })
    }

    /// Whether operations fail rather than wait.
    #[must_use]
    pub fn is_nonblocking(&self) -> bool {
        self.flags.get().contains(OpenFlags::NONBLOCK)
    }

    /// Reads at the offset and moves it.
    ///
    /// # Errors
    /// As read(2); `EAGAIN` where a blocking descriptor would wait.
    pub fn read(&self, env: &mut Env<'_>, into: &[UserSlice]) -> Result<usize> {
        if !self.flags.get().reads() {
            return Err(Errno::EBADF.into());
        }
        match &self.file {
            File::HostStream(stream) => stream.read(env, into),
            File::Regular(file) => {
                let done = file.read_at(env, into, self.offset.get())?;
                self.offset.set(self.offset.get() + done as u64);
                Ok(done)
            }
        }
    }

    /// Writes at the offset and moves it.
    ///
    /// # Errors
    /// As write(2); `EAGAIN` where a blocking descriptor would wait.
    pub fn write(&self, env: &mut Env<'_>, from: &[UserSlice]) -> Result<usize> {
        if !self.flags.get().writes() {
            return Err(Errno::EBADF.into());
        }
        match &self.file {
            File::HostStream(stream) => stream.write(env, from),
            File::Regular(file) => {
                let at = if self.flags.get().contains(OpenFlags::APPEND) {
                    file.size(env)?
                } else {
                    self.offset.get()
                };
                let done = file.write_at(env, from, at)?;
                self.offset.set(at + done as u64);
                Ok(done)
            }
        }
    }

    /// What it is ready for.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        match &self.file {
            File::HostStream(_) | File::Regular(_) => Readiness::READABLE | Readiness::WRITABLE,
        }
    }

    /// The queue that is woken when its readiness changes; `None` for what is always ready.
    #[must_use]
    pub fn queue(&self) -> Option<&WaitQueue> {
        match &self.file {
            File::HostStream(_) | File::Regular(_) => None,
        }
    }

    /// Called when the last reference goes.
    pub fn release(&self, env: &mut Env<'_>) {
        match &self.file {
            File::HostStream(_) => {}
            File::Regular(file) => file.release(env),
        }
    }
}
