//! The memory of a process as a file (proc_pid_mem(5)).

use super::{FileDescription, FileObject, Whence};
use crate::{
    error::{Errno, Result},
    host::HostStat,
    machine::Env,
    mm::{
        LifeWatch, SpaceId,
        remote::{self, Direction},
    },
    uapi::limits::PAGE_SIZE,
    user::{self, UserSlice},
};

/// An open one: it is of the program that there was when it was opened.
#[derive(Clone, Debug)]
pub struct MemoryFile {
    /// Whose.
    pub space: SpaceId,
    /// Whether that is still there.
    pub life: LifeWatch,
    /// What fstat(2) says of it.
    pub status: HostStat,
}

impl MemoryFile {
    /// Moves bytes page by page, as far as there is memory (`mem_rw` in fs/proc/base.c).
    fn transfer(
        &self,
        env: &mut Env<'_>,
        slices: &[UserSlice],
        at: u64,
        direction: Direction,
    ) -> Result<usize> {
        let total = user::total_len(slices);
        let mut done = 0;
        while done < total && !self.life.is_over() {
            let Some(address) = at.checked_add(done as u64) else { break };
            let to_next = (PAGE_SIZE - address % PAGE_SIZE) as usize;
            let len = (total - done).min(to_next);
            if UserSlice::new(address, len as u64).check().is_err() {
                break;
            }
            let part = user::skip(slices, done);
            let there = (self.space, address);
            let moved = remote::transfer(env.host, there, &part, len, direction)?.unwrap_or(0);
            done += moved;
            if moved < len {
                break;
            }
        }
        if done == 0 && total > 0 && !self.life.is_over() {
            return Err(Errno::EIO.into());
        }
        Ok(done)
    }
}

impl FileObject for MemoryFile {
    fn read(&self, env: &mut Env<'_>, file: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        let done = self.transfer(env, into, file.offset.get(), Direction::Read)?;
        file.offset.set(file.offset.get().saturating_add(done as u64));
        Ok(done)
    }

    fn write(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
    ) -> Result<usize> {
        let done = self.transfer(env, from, file.offset.get(), Direction::Write)?;
        file.offset.set(file.offset.get().saturating_add(done as u64));
        Ok(done)
    }

    fn read_at(&self, env: &mut Env<'_>, into: &[UserSlice], at: u64) -> Result<usize> {
        self.transfer(env, into, at, Direction::Read)
    }

    fn write_at(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        from: &[UserSlice],
        at: u64,
    ) -> Result<usize> {
        self.transfer(env, from, at, Direction::Write)
    }

    /// Offsets are addresses: all are good (`mem_lseek`).
    fn seek(
        &self,
        _env: &mut Env<'_>,
        file: &FileDescription,
        offset: i64,
        whence: Whence,
    ) -> Result<u64> {
        let to = match whence {
            Whence::Start => offset as u64,
            Whence::Current => file.offset.get().wrapping_add_signed(offset),
            Whence::End | Whence::Data | Whence::Hole => return Err(Errno::EINVAL.into()),
        };
        file.offset.set(to);
        Ok(to)
    }

    fn stat(&self, _env: &mut Env<'_>) -> Result<HostStat> {
        Ok(self.status)
    }
}
