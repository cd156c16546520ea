//! Regular files of the host.

use alloc::rc::Rc;
use core::{cell::Cell, cmp::Ordering};

use linux_raw_sys::general as raw;

use super::{FileDescription, FileObject, OpenFlags, Whence};
use crate::{
    error::{Errno, Result},
    fs::{Inode, Tree, tree},
    host::{HostFd, HostStat},
    machine::Env,
    user::{self, UserSlice},
};

/// In place of seals, for a file that takes none.
const NO_SEALS: u32 = u32::MAX;

/// An open regular file of the host.
#[derive(Debug)]
pub struct RegularFile {
    /// Its host descriptor.
    pub host: HostFd,
    /// The file.
    pub inode: Rc<Inode>,
    /// Whose its locks are.
    pub token: u64,
    seals: Cell<u32>,
}

impl RegularFile {
    /// An open file.
    #[must_use]
    pub fn new(tree: &Tree, host: HostFd, inode: Rc<Inode>) -> Self {
        Self::sealable(tree, host, inode, NO_SEALS)
    }

    /// An open file of memory with these seals.
    #[must_use]
    pub fn sealable(tree: &Tree, host: HostFd, inode: Rc<Inode>, seals: u32) -> Self {
        Self { host, inode, token: tree.next_token(), seals: Cell::new(seals) }
    }

    fn check_seals(&self, seals: u32) -> Result<()> {
        let own = self.seals.get();
        if own != NO_SEALS && own & seals != 0 { Err(Errno::EPERM.into()) } else { Ok(()) }
    }

    /// Refuses a shared mapping that can be written where a seal forbids writing.
    ///
    /// # Errors
    /// `EPERM`.
    pub fn check_shared_write(&self) -> Result<()> {
        self.check_seals(raw::F_SEAL_WRITE | raw::F_SEAL_FUTURE_WRITE)
    }

    /// Refuses a write up to `end` that a seal forbids.
    fn check_write(&self, env: &mut Env<'_>, end: u64) -> Result<()> {
        if self.seals.get() == NO_SEALS {
            return Ok(());
        }
        self.check_shared_write()?;
        if end > self.size(env)? { self.check_seals(raw::F_SEAL_GROW) } else { Ok(()) }
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// As fstat(2).
    pub fn size(&self, env: &mut Env<'_>) -> Result<u64> {
        Ok(env.host.fstat(self.host)?.size)
    }

    /// ftruncate(2).
    ///
    /// # Errors
    /// As there.
    pub fn truncate(&self, env: &mut Env<'_>, len: u64) -> Result<()> {
        if self.seals.get() != NO_SEALS {
            match len.cmp(&self.size(env)?) {
                Ordering::Less => self.check_seals(raw::F_SEAL_SHRINK)?,
                Ordering::Greater => self.check_seals(raw::F_SEAL_GROW)?,
                Ordering::Equal => {}
            }
        }
        tree::attributes::truncate_open(env, self.host, &self.inode, len)
    }

    /// fallocate(2).
    ///
    /// # Errors
    /// As there.
    pub fn allocate(&self, env: &mut Env<'_>, mode: u32, range: (u64, u64)) -> Result<()> {
        self.check_write(env, range.0.saturating_add(range.1))?;
        tree::attributes::allocate(env, self.host, &self.inode, mode, range)
    }

    /// Where the next write through a description goes.
    fn write_offset(&self, env: &mut Env<'_>, file: &FileDescription) -> Result<u64> {
        if file.flags.get().contains(OpenFlags::APPEND) {
            self.size(env)
        } else {
            Ok(file.offset.get())
        }
    }
}

impl FileObject for RegularFile {
    fn read(&self, env: &mut Env<'_>, file: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        let at = file.offset.get();
        let done = self.read_at(env, into, at)?;
        file.offset.set(at + done as u64);
        if !file.flags.get().contains(OpenFlags::NO_ACCESS_TIME) {
            self.inode.accessed(env.file_time());
        }
        Ok(done)
    }

    fn write(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
    ) -> Result<usize> {
        let at = self.write_offset(env, file)?;
        let done = self.write_at(env, file, from, at)?;
        file.offset.set(at + done as u64);
        Ok(done)
    }

    fn read_kernel(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        into: &mut [u8],
    ) -> Result<usize> {
        let at = file.offset.get();
        let done = env.host.pread(self.host, into, at)?;
        file.offset.set(at + done as u64);
        Ok(done)
    }

    fn write_kernel(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[u8],
    ) -> Result<usize> {
        let at = self.write_offset(env, file)?;
        self.check_write(env, at.saturating_add(from.len() as u64))?;
        let done = env.host.pwrite(self.host, from, at)?;
        self.inode.modified(env.file_time());
        file.offset.set(at + done as u64);
        Ok(done)
    }

    fn read_at(&self, env: &mut Env<'_>, into: &[UserSlice], at: u64) -> Result<usize> {
        transfer(into, at, |slice, at| {
            slice.check()?;
            Ok(env.host.pread_user(self.host, slice, at)?)
        })
    }

    /// On a description with `O_APPEND` Linux appends here too (pwrite(2), "BUGS").
    fn write_at(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
        at: u64,
    ) -> Result<usize> {
        let appends = file.flags.get().contains(OpenFlags::APPEND);
        let at = if appends { self.size(env)? } else { at };
        self.check_write(env, at.saturating_add(user::total_len(from) as u64))?;
        let done = transfer(from, at, |slice, at| {
            slice.check()?;
            Ok(env.host.pwrite_user(self.host, slice, at)?)
        })?;
        if done > 0 {
            self.inode.modified(env.file_time());
        }
        Ok(done)
    }

    /// A file has no holes here: where the host keeps some is its own affair.
    fn seek(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        offset: i64,
        whence: Whence,
    ) -> Result<u64> {
        let base = match whence {
            Whence::Start => 0,
            Whence::Current => file.offset.get(),
            Whence::End => self.size(env)?,
            Whence::Data | Whence::Hole => {
                let size = self.size(env)?;
                let from = u64::try_from(offset).map_err(|_| Errno::ENXIO)?;
                if from >= size {
                    return Err(Errno::ENXIO.into());
                }
                let target = if whence == Whence::Data { from } else { size };
                return file.seek_from(target, 0);
            }
        };
        file.seek_from(base, offset)
    }

    fn stat(&self, env: &mut Env<'_>) -> Result<HostStat> {
        Ok(tree::show(&env.host.fstat(self.host)?, &self.inode))
    }

    fn seals(&self) -> Result<u32> {
        let seals = self.seals.get();
        if seals == NO_SEALS { Err(Errno::EINVAL.into()) } else { Ok(seals) }
    }

    fn add_seals(&self, _: &mut Env<'_>, seals: u32) -> Result<()> {
        let known = raw::F_SEAL_SEAL
            | raw::F_SEAL_SHRINK
            | raw::F_SEAL_GROW
            | raw::F_SEAL_WRITE
            | raw::F_SEAL_FUTURE_WRITE
            | raw::F_SEAL_EXEC;
        let own = self.seals()?;
        if seals & !known != 0 {
            return Err(Errno::EINVAL.into());
        }
        self.check_seals(raw::F_SEAL_SEAL)?;
        self.seals.set(own | seals);
        Ok(())
    }

    fn release(&self, env: &mut Env<'_>) {
        self.inode.forget_description(self.token, env.machine);
        env.host.close(self.host);
    }
}

fn transfer(
    slices: &[UserSlice],
    at: u64,
    mut one: impl FnMut(UserSlice, u64) -> Result<usize>,
) -> Result<usize> {
    let mut done = 0;
    for &slice in slices {
        match one(slice, at + done as u64) {
            Ok(moved) => {
                done += moved;
                if moved < slice.len {
                    break;
                }
            }
            Err(error) if done == 0 => return Err(error),
            Err(_) => break,
        }
    }
    Ok(done)
}
