//! Regular files of the host.

use alloc::rc::Rc;

use super::{FileDescription, FileObject, OpenFlags, Whence};
use crate::{
    error::{Errno, Result},
    fs::{Inode, tree},
    host::{HostFd, HostStat},
    machine::Env,
    user::UserSlice,
};

/// An open regular file of the host.
#[derive(Debug)]
pub struct RegularFile {
    /// Its host descriptor.
    pub host: HostFd,
    /// The file.
    pub inode: Rc<Inode>,
}

impl RegularFile {
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
        tree::attributes::truncate_open(env, self.host, &self.inode, len)
    }

    /// fallocate(2).
    ///
    /// # Errors
    /// As there.
    pub fn allocate(&self, env: &mut Env<'_>, mode: u32, range: (u64, u64)) -> Result<()> {
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

    fn release(&self, env: &mut Env<'_>) {
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
