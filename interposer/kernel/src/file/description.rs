//! Open file descriptions.

use alloc::{
    rc::{Rc, Weak},
    string::String,
    vec::Vec,
};
use core::{
    cell::{Cell, RefCell},
    fmt,
};

use linux_raw_sys::general as raw;

use super::tty::TerminalEnd;
use super::{
    DeviceFile, Directory, EventFd, FileLocks, FileObject, Happening, HostStream, Inotify,
    MemoryFile, MessageQueueFile, Notifier, PipeEnd, PlaceFile, ProcessFile, RegularFile,
    SignalFile, TextFile, TimerFd,
};
use crate::{
    error::{Errno, Result},
    fs::{Inode, tree::notify},
    host::HostStat,
    machine::{Env, Machine},
    poll::Epoll,
    user::UserSlice,
    wait::{Owner, Readiness, WaitQueue},
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

impl Whence {
    /// The one with this number.
    ///
    /// # Errors
    /// `EINVAL`.
    pub fn from_register(number: u64) -> Result<Self> {
        Ok(match number as u32 {
            raw::SEEK_SET => Self::Start,
            raw::SEEK_CUR => Self::Current,
            raw::SEEK_END => Self::End,
            raw::SEEK_DATA => Self::Data,
            raw::SEEK_HOLE => Self::Hole,
            _ => return Err(Errno::EINVAL.into()),
        })
    }
}

/// The closed set of file types: a line for each, and an implementation of [`FileObject`] by what it holds.
macro_rules! file_types {
    ($($(#[$doc:meta])* $variant:ident($object:ty),)*) => {
        /// What a description refers to: the closed set of file types.
        pub enum File {
            $($(#[$doc])* $variant($object),)*
        }

        impl File {
            /// The file as what all of them are.
            pub(crate) fn as_object(&self) -> &dyn FileObject {
                match self {
                    $(Self::$variant(object) => object,)*
                }
            }
        }
    };
}

file_types! {
    /// A stream of the host that the run was started with.
    HostStream(HostStream),
    /// A regular file of the host.
    Regular(RegularFile),
    /// An end of a pipe or FIFO.
    Pipe(PipeEnd),
    /// A character device without state.
    Device(DeviceFile),
    /// An end of a pseudo-terminal.
    Terminal(TerminalEnd),
    /// A file of `/proc` or `/sys`.
    Text(TextFile),
    /// A process's memory.
    Memory(MemoryFile),
    /// A process.
    Process(ProcessFile),
    /// A counter that can be waited for.
    Event(EventFd),
    /// Where signals are read.
    Signal(SignalFile),
    /// What happens to watched files.
    Inotify(Rc<Inotify>),
    /// A timer that can be waited for.
    Timer(Rc<TimerFd>),
    /// A message queue.
    MessageQueue(Rc<MessageQueueFile>),
    /// An epoll instance.
    Epoll(Rc<Epoll>),
    /// A socket.
    Socket(crate::net::Socket),
    /// A directory.
    Directory(Directory),
    /// A place in the tree, opened with `O_PATH`.
    Place(PlaceFile),
}

/// Something that follows a description and has to know when it is gone.
pub trait Watcher {
    /// The last reference went.
    fn closed(&self);
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
    /// Who is told when it becomes ready.
    pub owner: Cell<Owner>,
    /// What has the owner told.
    notifier: RefCell<Option<Rc<Notifier>>>,
    watchers: RefCell<Vec<Weak<dyn Watcher>>>,
}

impl File {
    /// The file of a tree that it is.
    #[must_use]
    pub fn inode(&self) -> Option<&Rc<Inode>> {
        match self {
            Self::Regular(regular) => Some(&regular.inode),
            Self::Directory(directory) => directory.inode(),
            Self::Place(PlaceFile::Tree(inode)) => Some(inode),
            Self::Pipe(end) => end.fifo(),
            Self::Device(device) => Some(&device.inode),
            Self::Terminal(end) => Some(&end.inode),
            _ => None,
        }
    }

    /// The device that it is on, if it is of a tree.
    #[must_use]
    pub fn device(&self) -> Option<u64> {
        self.inode().map(|inode| inode.device)
    }

    /// The locks on it, and whose this description's are; `None` for what has none.
    #[must_use]
    pub fn locks(&self) -> Option<(Rc<FileLocks>, u64)> {
        match self {
            Self::Regular(regular) => Some((regular.inode.locks(), regular.token)),
            Self::Directory(directory) => Some((directory.inode()?.locks(), directory.token)),
            Self::Pipe(end) => Some((end.pipe.locks(), end.token)),
            Self::Device(device) => Some((device.inode.locks(), device.token)),
            Self::Terminal(end) => Some((end.inode.locks(), end.token)),
            _ => None,
        }
    }
}

impl FileDescription {
    /// A process closes a descriptor of it: that ends the process's record locks on the file, whichever descriptor
    /// they were set by (fcntl(2)), and its wish to be told of messages (mq_notify(3)). What is only a place ends nothing
    /// (`filp_flush`).
    pub fn closed_by(&self, pid: u32, machine: &mut Machine) {
        if self.is_place() {
            return;
        }
        if let Some(inode) = self.file.inode() {
            inode.forget_process(pid, machine);
        } else if let File::Pipe(end) = &self.file {
            end.pipe.forget_process(pid, machine);
        }
        if let File::MessageQueue(queue) = &self.file {
            queue.unregister(pid, machine);
        }
    }

    /// Whether it is only a place in the tree.
    #[must_use]
    pub fn is_place(&self) -> bool {
        self.flags.get().contains(OpenFlags::PATH)
    }

    /// A description at offset zero.
    #[must_use]
    pub fn new(file: File, flags: OpenFlags, path: &[u8]) -> Rc<Self> {
        Self::of(file, flags, path.into())
    }

    /// The same of a path that others have, too.
    #[must_use]
    pub fn of(file: File, flags: OpenFlags, path: Rc<[u8]>) -> Rc<Self> {
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
            path: RefCell::new(path),
            owner: Cell::default(),
            notifier: RefCell::default(),
            watchers: RefCell::default(),
        })
    }

    /// Whether operations fail rather than wait.
    #[must_use]
    pub fn is_nonblocking(&self) -> bool {
        self.flags.get().contains(OpenFlags::NONBLOCK)
    }

    /// The file, if it is read and written directly (open(2), `O_DIRECT`).
    fn direct(&self) -> Option<&RegularFile> {
        match &self.file {
            File::Regular(file) if self.flags.get().contains(OpenFlags::DIRECT) => Some(file),
            _ => None,
        }
    }

    /// Refuses a direct read that is not of whole blocks (`iomap_dio_bio_iter`); behind the end there is nothing to read.
    fn check_direct_read(&self, at: u64, into: &[UserSlice]) -> Result<()> {
        match self.direct() {
            Some(file) if at < file.size() => file.check_blocks(at, into),
            _ => Ok(()),
        }
    }

    /// Refuses a direct write that is not of whole blocks.
    fn check_direct_write(&self, at: u64, from: &[UserSlice]) -> Result<()> {
        let Some(file) = self.direct() else { return Ok(()) };
        let appends = self.flags.get().contains(OpenFlags::APPEND);
        file.check_blocks(if appends { file.size() } else { at }, from)
    }

    /// Reads at the offset and moves it.
    ///
    /// # Errors
    /// As read(2); `EAGAIN` where a blocking descriptor would wait.
    pub fn read(&self, env: &mut Env<'_>, into: &[UserSlice]) -> Result<usize> {
        self.check_reads()?;
        self.check_direct_read(self.offset.get(), into)?;
        let done = self.file.as_object().read(env, self, into);
        notify::transferred(env, self, Happening::ACCESS, done)
    }

    /// Writes at the offset and moves it.
    ///
    /// # Errors
    /// As write(2); `EAGAIN` where a blocking descriptor would wait.
    pub fn write(&self, env: &mut Env<'_>, from: &[UserSlice]) -> Result<usize> {
        self.check_writes()?;
        self.check_direct_write(self.offset.get(), from)?;
        let done = self.file.as_object().write(env, self, from);
        notify::transferred(env, self, Happening::MODIFY, done)
    }

    /// Reads at an offset of the caller's.
    ///
    /// # Errors
    /// As pread(2).
    pub fn read_at(&self, env: &mut Env<'_>, into: &[UserSlice], at: u64) -> Result<usize> {
        let object = self.file.as_object();
        match self.check_reads() {
            Ok(()) => {
                self.check_direct_read(at, into)?;
                let done = object.read_at(env, into, at);
                notify::transferred(env, self, Happening::ACCESS, done)
            }
            // Whether there are positions at all is what Linux looks at first.
            Err(refused) => object.read_at(env, &[], at).and(Err(refused)),
        }
    }

    /// Writes at an offset of the caller's.
    ///
    /// # Errors
    /// As pwrite(2).
    pub fn write_at(&self, env: &mut Env<'_>, from: &[UserSlice], at: u64) -> Result<usize> {
        let object = self.file.as_object();
        match self.check_writes() {
            Ok(()) => {
                self.check_direct_write(at, from)?;
                let done = object.write_at(env, self, from, at);
                notify::transferred(env, self, Happening::MODIFY, done)
            }
            Err(refused) => object.write_at(env, self, &[], at).and(Err(refused)),
        }
    }

    /// Moves the offset; where it is then.
    ///
    /// # Errors
    /// As lseek(2).
    pub fn seek(&self, env: &mut Env<'_>, offset: i64, whence: Whence) -> Result<u64> {
        self.file.as_object().seek(env, self, offset, whence)
    }

    /// Moves the offset relative to this base; where it is then.
    ///
    /// # Errors
    /// `EINVAL`, `EOVERFLOW`.
    pub fn seek_from(&self, base: u64, offset: i64) -> Result<u64> {
        let target = (base as i64).checked_add(offset).ok_or(Errno::EOVERFLOW)?;
        let target = u64::try_from(target).map_err(|_| Errno::EINVAL)?;
        self.offset.set(target);
        Ok(target)
    }

    /// Refuses a description that is not open for reading.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn check_reads(&self) -> Result<()> {
        if self.flags.get().reads() { Ok(()) } else { Err(Errno::EBADF.into()) }
    }

    /// Refuses a description that is not open for writing.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn check_writes(&self) -> Result<()> {
        if self.flags.get().writes() { Ok(()) } else { Err(Errno::EBADF.into()) }
    }

    /// What fstat(2) says of it.
    ///
    /// # Errors
    /// The host's.
    pub fn stat(&self, env: &mut Env<'_>) -> Result<HostStat> {
        self.file.as_object().stat(env)
    }

    /// Reads at the offset into memory of the kernel, for `sendfile` and `splice`.
    ///
    /// # Errors
    /// As read(2); `EINVAL` for a type that cannot.
    pub fn read_kernel(&self, env: &mut Env<'_>, into: &mut [u8]) -> Result<usize> {
        self.check_reads()?;
        let done = self.file.as_object().read_kernel(env, self, into);
        notify::transferred(env, self, Happening::ACCESS, done)
    }

    /// Writes at the offset from memory of the kernel, for `sendfile` and `splice`.
    ///
    /// # Errors
    /// As write(2); `EINVAL` for a type that cannot.
    pub fn write_kernel(&self, env: &mut Env<'_>, from: &[u8]) -> Result<usize> {
        self.check_writes()?;
        let done = self.file.as_object().write_kernel(env, self, from);
        notify::transferred(env, self, Happening::MODIFY, done)
    }

    /// Bytes that can be read at once: ioctl(2)'s `FIONREAD`.
    ///
    /// # Errors
    /// `ENOTTY` for a type without it.
    pub fn readable_bytes(&self, env: &mut Env<'_>) -> Result<usize> {
        self.file.as_object().readable_bytes(env, self)
    }

    /// What it is ready for.
    #[must_use]
    pub fn readiness(&self) -> Readiness {
        self.file.as_object().readiness()
    }

    /// What it may ever be ready for, of all that its queue is woken for.
    #[must_use]
    pub fn may_become(&self) -> Readiness {
        self.file.as_object().may_become()
    }

    /// The queue that is woken when its readiness changes; `None` for what is always ready.
    #[must_use]
    pub fn queue(&self) -> Option<&WaitQueue> {
        self.file.as_object().queue()
    }

    /// Whether an epoll instance can follow it.
    #[must_use]
    pub fn is_pollable(&self) -> bool {
        self.file.as_object().is_pollable()
    }

    /// Has its owner told of its readiness by a signal that names this descriptor; as long as it has one, or for as long
    /// as it has `O_ASYNC`.
    pub fn follow_for_owner(self: &Rc<Self>, fd: u32) {
        let wanted = self.flags.get().contains(OpenFlags::ASYNC) || self.owner.get().id != 0;
        let mut notifier = self.notifier.borrow_mut();
        if !wanted {
            *notifier = None;
        } else if notifier.is_none() {
            *notifier = Some(Notifier::follow(self, fd));
        }
    }

    /// Has something told when the last reference goes, if it still lives then.
    pub fn watch(&self, watcher: Weak<dyn Watcher>) {
        let mut watchers = self.watchers.borrow_mut();
        watchers.retain(|other| other.strong_count() > 0);
        watchers.push(watcher);
    }

    pub(crate) fn tell_watchers(&self) {
        for watcher in self.watchers.take().iter().filter_map(Weak::upgrade) {
            watcher.closed();
        }
    }

    /// Lets a reference go; with the last one the object is closed.
    pub fn let_go(this: Rc<Self>, env: &mut Env<'_>) {
        if let Some(last) = Rc::into_inner(this) {
            last.tell_watchers();
            notify::closed(env, &last);
            last.file.as_object().release(env);
        }
    }
}

impl fmt::Debug for FileDescription {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&String::from_utf8_lossy(&self.path.borrow()))
    }
}
