//! The memory of a process as a file (proc_pid_mem(5)).

use alloc::vec;

use super::{FileDescription, FileObject, Whence};
use crate::{
    error::{Errno, Result},
    host::HostStat,
    machine::Env,
    mm::{LifeWatch, SpaceId},
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

/// Which way bytes go.
#[derive(Clone, Copy)]
enum Direction<'a> {
    Read(&'a [UserSlice]),
    Write(&'a [UserSlice]),
}

impl MemoryFile {
    /// Moves bytes page by page, as far as there is memory (`mem_rw` in fs/proc/base.c).
    fn transfer(&self, env: &mut Env<'_>, direction: Direction<'_>, at: u64) -> Result<usize> {
        let (Direction::Read(slices) | Direction::Write(slices)) = direction;
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
            let moved = match direction {
                Direction::Read(_) => {
                    let mut bytes = vec![0; len];
                    let read = env.host.read_space(self.space, address, &mut bytes).unwrap_or(0);
                    user::scatter(env.host, &part, &bytes[..read])?
                }
                Direction::Write(_) => {
                    let bytes = user::gather(env.host, &part, len)?;
                    env.host.write_space(self.space, address, &bytes).unwrap_or(0)
                }
            };
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
        let done = self.transfer(env, Direction::Read(into), file.offset.get())?;
        file.offset.set(file.offset.get().saturating_add(done as u64));
        Ok(done)
    }

    fn write(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
    ) -> Result<usize> {
        let done = self.transfer(env, Direction::Write(from), file.offset.get())?;
        file.offset.set(file.offset.get().saturating_add(done as u64));
        Ok(done)
    }

    fn read_at(&self, env: &mut Env<'_>, into: &[UserSlice], at: u64) -> Result<usize> {
        self.transfer(env, Direction::Read(into), at)
    }

    fn write_at(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        from: &[UserSlice],
        at: u64,
    ) -> Result<usize> {
        self.transfer(env, Direction::Write(from), at)
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
