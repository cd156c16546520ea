//! The one trait through which the kernel reaches the real machine.
//!
//! The image implements it with host system calls from its gate; [`crate::testing`] with plain vectors.
//! Nothing that differs from run to run may come through it unmapped: host times, inode numbers,
//! descriptor numbers and addresses stop in the layer that asked for them.

use alloc::vec::Vec;

use crate::{
    error::{self, Errno},
    mm::{MapFlags, Protection, SpaceId},
    user::UserSlice,
};

/// A descriptor of the host. All processes of a simulation share one host descriptor table, so it means the
/// same in each.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HostFd(pub i32);

/// The user memory that was touched is not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault;

impl From<Fault> for crate::error::Error {
    fn from(_: Fault) -> Self {
        Errno::EFAULT.into()
    }
}

/// What the host says of a file; raw numbers, to be mapped before a program sees them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HostStat {
    /// Device that holds it.
    pub dev: u64,
    /// Inode number on it.
    pub ino: u64,
    /// Type and permissions.
    pub mode: u32,
    /// Hard links.
    pub nlink: u64,
    /// Owner.
    pub uid: u32,
    /// Group.
    pub gid: u32,
    /// Device number, for a device.
    pub rdev: u64,
    /// Bytes.
    pub size: u64,
    /// Preferred block size.
    pub blksize: u64,
    /// Blocks of 512 bytes.
    pub blocks: u64,
    /// Last modification, in nanoseconds since 1970.
    pub mtime_ns: i64,
    /// Last access; the kernel's, never the host's.
    pub atime_ns: i64,
    /// Last change of anything; the host's is for the supervisor alone.
    pub ctime_ns: i64,
    /// Creation; the kernel's, never the host's.
    pub birth_ns: i64,
}

/// One name in a host directory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostEntry<'a> {
    /// The name, without a slash or NUL.
    pub name: &'a [u8],
    /// Host inode number.
    pub ino: u64,
    /// `DT_*`.
    pub kind: u8,
}

/// What is mapped.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Backing {
    /// Zeroed memory.
    Anonymous,
    /// A host file from this offset in bytes.
    File(HostFd, u64),
}

/// Result of a host call.
pub type HostResult<T> = Result<T, Errno>;

/// The real machine, as far as the kernel may reach it.
pub trait Host {
    // User memory of the process that runs now.

    /// Reads user memory.
    fn read_user(&mut self, address: u64, into: &mut [u8]) -> Result<(), Fault>;
    /// Writes user memory.
    fn write_user(&mut self, address: u64, bytes: &[u8]) -> Result<(), Fault>;

    // The processor state of the process that runs now, besides general registers.

    /// The extended state of the thread that entered, in the standard form of XSAVE, without magic numbers.
    fn extended_state(&mut self) -> &mut [u8];
    /// Sets the extended state to what a new program finds.
    fn reset_extended_state(&mut self);
    /// The base registers (fs, gs) of the thread that entered.
    fn segment_bases(&mut self) -> (u64, u64);
    /// Loads the base registers.
    fn set_segment_bases(&mut self, fs: u64, gs: u64);

    // Memory of the process that runs now. Addresses are always the kernel's choice.

    /// Maps at exactly this address, over what is there.
    fn map(
        &mut self,
        at: u64,
        len: u64,
        prot: Protection,
        flags: MapFlags,
        backing: Backing,
    ) -> HostResult<()>;
    /// Unmaps.
    fn unmap(&mut self, at: u64, len: u64) -> HostResult<()>;
    /// Writes over code that is mapped privately and not writable, if the host lets a process do that.
    fn overwrite_code(&mut self, _at: u64, _bytes: &[u8]) -> HostResult<()> {
        Err(Errno::EACCES)
    }
    /// Reads memory of a process, which may be another; how many bytes there were.
    fn read_space(&mut self, _space: SpaceId, _from: u64, _into: &mut [u8]) -> HostResult<usize> {
        Err(Errno::EIO)
    }
    /// Writes to memory of a process, which may be another, whatever its protection is; how many bytes there were.
    fn write_space(&mut self, _space: SpaceId, _to: u64, _bytes: &[u8]) -> HostResult<usize> {
        Err(Errno::EIO)
    }
    /// Changes protection.
    fn protect(&mut self, at: u64, len: u64, prot: Protection) -> HostResult<()>;
    /// Moves a mapping to exactly this address (`mremap` with `MREMAP_FIXED`).
    fn remap(
        &mut self,
        from: u64,
        old_len: u64,
        to: u64,
        new_len: u64,
        keep_old: bool,
    ) -> HostResult<()>;
    /// `madvise`.
    fn advise(&mut self, at: u64, len: u64, advice: i32) -> HostResult<()>;
    /// `msync`.
    fn sync_memory(&mut self, at: u64, len: u64, flags: i32) -> HostResult<()>;
    /// Unmaps all that is not simrun's: the program is gone.
    fn unmap_program(&mut self);
    /// Shows the new program to the host's tools: name, and where arguments, environment and auxiliary vector are.
    fn describe_program(&mut self, program: &ProgramPlaces<'_>);

    /// Where the stub of a patched call site jumps to, with the return address in rcx.
    fn call_entry(&self) -> u64;
    /// How often this call site has trapped lately, this time included, or fewer; a matter of speed alone.
    fn traps_at(&mut self, site: u64) -> u64;

    // Files. Paths are absolute and free of symbolic links but for their last component.

    /// Opens with flags as in `openat` (`O_CLOEXEC` and `O_NONBLOCK` have no meaning here).
    fn open(&mut self, path: &[u8], flags: u32, mode: u32) -> HostResult<HostFd>;
    /// Closes.
    fn close(&mut self, fd: HostFd);
    /// Closes one of a file that was only read, now or later.
    fn close_later(&mut self, fd: HostFd) {
        self.close(fd);
    }
    /// Reads into user memory at an offset.
    fn pread_user(&mut self, fd: HostFd, into: UserSlice, offset: u64) -> HostResult<usize>;
    /// Writes from user memory at an offset.
    fn pwrite_user(&mut self, fd: HostFd, from: UserSlice, offset: u64) -> HostResult<usize>;
    /// Reads at an offset.
    fn pread(&mut self, fd: HostFd, into: &mut [u8], offset: u64) -> HostResult<usize>;
    /// Writes at an offset.
    fn pwrite(&mut self, fd: HostFd, from: &[u8], offset: u64) -> HostResult<usize>;
    /// Reads a stream (standard input): waits for at least a byte or the end.
    fn read_stream(&mut self, fd: HostFd, into: &mut [u8]) -> HostResult<usize>;
    /// Writes a stream (standard output and error), all of it.
    fn write_stream(&mut self, fd: HostFd, from: &[u8]) -> HostResult<usize>;
    /// Status by path; `follow` as `AT_SYMLINK_NOFOLLOW` absent.
    fn stat(&mut self, path: &[u8], follow: Follow) -> HostResult<HostStat>;
    /// Status by descriptor.
    fn fstat(&mut self, fd: HostFd) -> HostResult<HostStat>;
    /// Target of a symbolic link.
    fn read_link(&mut self, path: &[u8]) -> HostResult<Vec<u8>>;
    /// Tells all names of a directory that has just been opened but `.` and `..`, in the host's order.
    fn read_directory(&mut self, fd: HostFd, each: &mut dyn FnMut(HostEntry<'_>))
    -> HostResult<()>;
    /// A memory file of length zero.
    fn memory_file(&mut self, name: &[u8]) -> HostResult<HostFd>;
    /// Any other call on files, by number: what changes a tree, sets attributes, syncs.
    fn file_call(&mut self, call: FileCall<'_>) -> HostResult<u64>;

    // The run.

    /// Takes one encoded event for the supervisor.
    fn emit(&mut self, event: &[u8]);
}

/// Fills a buffer by reads from an offset on, each of which may be short; how many bytes there were before the end.
///
/// # Errors
/// What a read fails with.
pub fn read_full(
    into: &mut [u8],
    at: u64,
    mut read: impl FnMut(&mut [u8], u64) -> error::Result<usize>,
) -> error::Result<usize> {
    let mut done = 0;
    while done < into.len() {
        match read(&mut into[done..], at + done as u64)? {
            0 => break,
            moved => done += moved,
        }
    }
    Ok(done)
}

/// Whether a symbolic link in last place is followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Follow {
    /// It is.
    Yes,
    /// It is not.
    No,
}

/// A host call on files with its own number and arguments; see [`Host::file_call`].
#[derive(Debug)]
pub struct FileCall<'a> {
    /// System call number.
    pub number: u32,
    /// The arguments in order; absent ones are zero.
    pub arguments: [FileArgument<'a>; 6],
}

impl<'a> FileCall<'a> {
    /// A call with these arguments, the first ones.
    #[must_use]
    pub fn new<const N: usize>(number: u32, arguments: [FileArgument<'a>; N]) -> Self {
        let mut all: [FileArgument<'a>; 6] = Default::default();
        for (place, argument) in all.iter_mut().zip(arguments) {
            *place = argument;
        }
        Self { number, arguments: all }
    }
}

/// An argument of a [`FileCall`].
#[derive(Debug, Default)]
pub enum FileArgument<'a> {
    /// Not given.
    #[default]
    None,
    /// A number or a user address.
    Number(u64),
    /// A string without a NUL; the host sees it with one.
    String(&'a [u8]),
    /// Bytes to read from; the length is an argument of its own.
    Input(&'a [u8]),
    /// A buffer to fill; the length is an argument of its own.
    Output(&'a mut [u8]),
}

/// Where a new program's parts are, for the host's tools (`PR_SET_MM_MAP`, prctl(2)).
#[derive(Clone, Copy, Debug)]
pub struct ProgramPlaces<'a> {
    /// File name without its folders.
    pub name: &'a [u8],
    /// Arguments: start and end.
    pub arguments: (u64, u64),
    /// Environment: start and end.
    pub environment: (u64, u64),
    /// Stack pointer at the start.
    pub stack: u64,
    /// Start of the program break.
    pub brk: u64,
}
