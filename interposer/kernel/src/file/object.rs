//! What every type of open file can be asked.

use alloc::string::String;

use super::{FileDescription, Whence};
use crate::{
    error::{Errno, Result},
    host::HostStat,
    machine::Env,
    user::UserSlice,
    wait::{Readiness, WaitQueue},
};

/// An open file of some type. What a type leaves out fails as in Linux for a file without that operation.
///
/// `file` is the description through which the object is used: its flags and its offset. Access modes have been
/// checked already. Nothing here blocks: `EAGAIN` says that a blocking descriptor would wait.
#[expect(unused_variables, reason = "defaults ignore what they are asked")]
pub(crate) trait FileObject {
    /// read(2).
    fn read(&self, env: &mut Env<'_>, file: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        Err(Errno::EINVAL.into())
    }

    /// write(2).
    fn write(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
    ) -> Result<usize> {
        Err(Errno::EINVAL.into())
    }

    /// read(2) into memory of the kernel, for `sendfile` and `splice`.
    fn read_kernel(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        into: &mut [u8],
    ) -> Result<usize> {
        Err(Errno::EINVAL.into())
    }

    /// write(2) from memory of the kernel, for `sendfile` and `splice`.
    fn write_kernel(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[u8],
    ) -> Result<usize> {
        Err(Errno::EINVAL.into())
    }

    /// pread(2).
    fn read_at(&self, env: &mut Env<'_>, into: &[UserSlice], at: u64) -> Result<usize> {
        Err(Errno::ESPIPE.into())
    }

    /// pwrite(2).
    fn write_at(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
        at: u64,
    ) -> Result<usize> {
        Err(Errno::ESPIPE.into())
    }

    /// lseek(2); sets the offset of `file`, and gives it.
    fn seek(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        offset: i64,
        whence: Whence,
    ) -> Result<u64> {
        Err(Errno::ESPIPE.into())
    }

    /// fstat(2). The default is that of all anonymous files, which have one inode in common.
    fn stat(&self, env: &mut Env<'_>) -> Result<HostStat> {
        Ok(HostStat {
            ino: ANONYMOUS_INODE,
            mode: 0o600,
            nlink: 1,
            blksize: 4096,
            ..HostStat::default()
        })
    }

    /// Bytes that can be read at once: ioctl(2)'s `FIONREAD`.
    fn readable_bytes(&self, env: &mut Env<'_>, file: &FileDescription) -> Result<usize> {
        Err(Errno::ENOTTY.into())
    }

    /// Its seals: fcntl(2)'s `F_GET_SEALS`.
    fn seals(&self) -> Result<u32> {
        Err(Errno::EINVAL.into())
    }

    /// Adds seals: fcntl(2)'s `F_ADD_SEALS`.
    fn add_seals(&self, env: &mut Env<'_>, seals: u32) -> Result<()> {
        Err(Errno::EINVAL.into())
    }

    /// What it is ready for.
    fn readiness(&self) -> Readiness {
        Readiness::READABLE | Readiness::WRITABLE
    }

    /// What it may ever be ready for, of all that its queue is woken for.
    fn may_become(&self) -> Readiness {
        Readiness::all()
    }

    /// The queue that is woken when its readiness changes; `None` for what is always ready.
    fn queue(&self) -> Option<&WaitQueue> {
        None
    }

    /// Whether an epoll instance can follow it.
    fn is_pollable(&self) -> bool {
        self.queue().is_some()
    }

    /// Whether a signal can tell of its readiness (`O_ASYNC`).
    fn can_notify(&self) -> bool {
        false
    }

    /// What `/proc/PID/fdinfo` says of it besides what it says of every file (proc(5)).
    fn details(&self) -> String {
        String::new()
    }

    /// Called when the last reference to its description goes.
    fn release(&self, env: &mut Env<'_>) {}
}

/// Inode number of all anonymous files.
const ANONYMOUS_INODE: u64 = 9;
