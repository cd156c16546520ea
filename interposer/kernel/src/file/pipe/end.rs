//! An end of a pipe: what a description refers to.

use alloc::{format, rc::Rc};
use core::cell::Cell;

use super::{Pipe, object::PipeName, ring::Framing};
use crate::{
    error::{Errno, Error, Result},
    file::{File, FileDescription, FileObject, OpenFlags, transfer::UserBuffers},
    fs::Inode,
    host::HostStat,
    machine::{Env, Machine},
    user::UserSlice,
    wait::{Readiness, WaitQueue},
};

/// Type and permissions of a pipe without a name.
const PIPE_MODE: u32 = linux_raw_sys::general::S_IFIFO | 0o600;
/// Device number that `fstat` gives for pipes.
const PIPE_DEVICE: u64 = 14;

/// An end of a pipe, or both.
pub struct PipeEnd {
    /// What it is an end of.
    pub pipe: Rc<Pipe>,
    reads: bool,
    writes: bool,
    /// A reader that came before any writer sees no hang-up until one has come and gone: the number of writers that
    /// there had been then.
    writers_before: Cell<Option<u64>>,
    /// Whose its locks are.
    pub token: u64,
}

/// What opening a FIFO comes to.
pub enum FifoOpening {
    /// It is open.
    Open(Rc<FileDescription>),
    /// It is open when somebody opens the other end: the pipe's count of those is no longer this.
    Waits(Rc<FileDescription>, u64),
}

impl PipeEnd {
    /// Both ends of a new pipe (pipe(2)).
    #[must_use]
    pub fn pair(
        machine: &mut Machine,
        (uid, gid): (u32, u32),
        flags: OpenFlags,
    ) -> (Rc<FileDescription>, Rc<FileDescription>) {
        let ino = machine.allocate_inode();
        let pipe = Rc::new(Pipe::nameless(HostStat {
            dev: PIPE_DEVICE,
            ino,
            mode: PIPE_MODE,
            nlink: 1,
            uid,
            gid,
            blksize: super::ring::PAGE as u64,
            ..HostStat::default()
        }));
        let path = format!("pipe:[{ino}]");
        let end = |flags| Self::describe(&pipe, machine, flags, path.as_bytes());
        // Only writing makes packets (`create_pipe_files`).
        (end(flags - OpenFlags::DIRECT), end(flags | OpenFlags::WRITE_ONLY))
    }

    /// The file by which it is opened, if it is a FIFO.
    #[must_use]
    pub fn fifo(&self) -> Option<&Rc<Inode>> {
        match &self.pipe.name {
            PipeName::Fifo(inode) => Some(inode),
            PipeName::None(_) => None,
        }
    }

    fn describe(
        pipe: &Rc<Pipe>,
        machine: &Machine,
        flags: OpenFlags,
        path: &[u8],
    ) -> Rc<FileDescription> {
        let (reads, writes) = (flags.reads(), flags.writes());
        if reads {
            pipe.readers.add();
        }
        if writes {
            pipe.writers.add();
        }
        let (writers_before, token) = (Cell::new(None), machine.tree.next_token());
        let end = Self { pipe: Rc::clone(pipe), reads, writes, writers_before, token };
        FileDescription::new(File::Pipe(end), flags, path)
    }

    /// Opens an end of a FIFO (fifo(7), fs/pipe.c `fifo_open`).
    ///
    /// # Errors
    /// `ENXIO` for a writer that does not wait while there is no reader.
    pub fn open_fifo(
        pipe: &Rc<Pipe>,
        machine: &mut Machine,
        flags: OpenFlags,
        path: &[u8],
    ) -> Result<FifoOpening> {
        let waits = !flags.contains(OpenFlags::NONBLOCK);
        if !flags.reads() && !waits && !pipe.readers.any() {
            return Err(Error::new(Errno::ENXIO, "nobody reads the FIFO"));
        }
        let (had_readers, had_writers) = (pipe.readers.any(), pipe.writers.any());
        let file = Self::describe(pipe, machine, flags, path);
        if (flags.reads() && !had_readers) || (flags.writes() && !had_writers) {
            pipe.wake_all(machine);
        }
        let awaited = match (flags.reads(), flags.writes()) {
            (true, false) if !had_writers => pipe.writers.opened(),
            (false, true) if !had_readers => pipe.readers.opened(),
            _ => return Ok(FifoOpening::Open(file)),
        };
        if waits {
            return Ok(FifoOpening::Waits(file, awaited));
        }
        if let File::Pipe(end) = &file.file {
            end.writers_before.set(Some(awaited));
        }
        Ok(FifoOpening::Open(file))
    }

    /// Whether somebody has opened the other end since there had been this many.
    #[must_use]
    pub fn has_partner(&self, awaited: u64) -> bool {
        let others = if self.reads { &self.pipe.writers } else { &self.pipe.readers };
        others.opened() != awaited
    }

    /// The queue that is woken when the pipe changes.
    #[must_use]
    pub fn changes(&self) -> &WaitQueue {
        &self.pipe.queue
    }

    fn hung_up(&self) -> bool {
        !self.pipe.writers.any() && self.writers_before.get() != Some(self.pipe.writers.opened())
    }
}

fn framing(file: &FileDescription) -> Framing {
    if file.flags.get().contains(OpenFlags::DIRECT) { Framing::Packet } else { Framing::Stream }
}

impl FileObject for PipeEnd {
    fn read(&self, env: &mut Env<'_>, _: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        self.pipe.read(env.machine, &mut UserBuffers::new(env.host, into))
    }

    fn write(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
    ) -> Result<usize> {
        self.pipe.write(env.machine, &mut UserBuffers::new(env.host, from), framing(file))
    }

    fn read_kernel(
        &self,
        env: &mut Env<'_>,
        _: &FileDescription,
        mut into: &mut [u8],
    ) -> Result<usize> {
        self.pipe.read(env.machine, &mut into)
    }

    fn write_kernel(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        mut from: &[u8],
    ) -> Result<usize> {
        self.pipe.write(env.machine, &mut from, framing(file))
    }

    fn stat(&self, env: &mut Env<'_>) -> Result<HostStat> {
        Ok(match &self.pipe.name {
            PipeName::None(stat) => *stat,
            PipeName::Fifo(inode) => inode.status(env.host),
        })
    }

    fn readable_bytes(&self, _: &mut Env<'_>, _: &FileDescription) -> Result<usize> {
        Ok(self.pipe.len())
    }

    fn readiness(&self) -> Readiness {
        let mut ready = Readiness::empty();
        if self.reads {
            ready |= self.pipe.read_readiness();
            if self.hung_up() {
                ready |= Readiness::HUP;
            }
        }
        if self.writes {
            ready |= self.pipe.write_readiness();
        }
        ready
    }

    /// Readers and writers of a pipe wait apart in Linux (`rd_wait`, `wr_wait`).
    fn may_become(&self) -> Readiness {
        let reads =
            if self.reads { Readiness::READABLE | Readiness::HUP } else { Readiness::empty() };
        let writes = Readiness::WRITABLE | Readiness::ERR;
        if self.writes { reads | writes } else { reads }
    }

    fn queue(&self) -> Option<&WaitQueue> {
        Some(&self.pipe.queue)
    }

    fn can_notify(&self) -> bool {
        true
    }

    fn release(&self, env: &mut Env<'_>) {
        if self.reads {
            self.pipe.readers.remove();
        }
        if self.writes {
            self.pipe.writers.remove();
        }
        if self.pipe.readers.any() != self.pipe.writers.any() {
            self.pipe.wake_all(env.machine);
        }
        self.pipe.forget_description(self.token, env.machine);
    }
}
