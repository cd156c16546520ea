//! Character devices without state: null, zero, full, random (null(4), full(4), random(4)).

use super::{FileDescription, FileObject, Whence};
use crate::{
    error::{Errno, Result},
    fs::views::Device,
    host::HostStat,
    machine::Env,
    user::{self, UserSlice},
};

/// Most bytes made at a time.
const CHUNK_MAX: usize = 4096;

/// An open device.
#[derive(Clone, Copy, Debug)]
pub struct DeviceFile {
    /// Which.
    pub device: Device,
    /// What fstat(2) says of it.
    pub status: HostStat,
}

impl DeviceFile {
    /// Whether it is `/dev/null`.
    #[must_use]
    pub fn is_null(&self) -> bool {
        self.device == Device::Null
    }
}

impl FileObject for DeviceFile {
    fn read(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        into: &[UserSlice],
    ) -> Result<usize> {
        self.read_at(env, into, 0)
    }

    fn read_kernel(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        into: &mut [u8],
    ) -> Result<usize> {
        match self.device {
            Device::Null => return Ok(0),
            Device::Random => env.machine.random.entropy.fill(into),
            _ => into.fill(0),
        }
        Ok(into.len())
    }

    fn read_at(&self, env: &mut Env<'_>, into: &[UserSlice], _at: u64) -> Result<usize> {
        let wanted = if self.device == Device::Null { 0 } else { user::total_len(into) };
        let mut chunk = [0; CHUNK_MAX];
        let mut done = 0;
        while done < wanted {
            let part = &mut chunk[..(wanted - done).min(CHUNK_MAX)];
            if self.device == Device::Random {
                env.machine.random.entropy.fill(part);
            }
            match user::scatter(env.host, &user::skip(into, done), part) {
                Ok(moved) if moved == part.len() => done += moved,
                Ok(moved) => return Ok(done + moved),
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(done)
    }

    /// All is taken and forgotten, or nothing fits.
    fn write(
        &self,
        env: &mut Env<'_>,
        file: &FileDescription,
        from: &[UserSlice],
    ) -> Result<usize> {
        self.write_at(env, file, from, 0)
    }

    fn write_kernel(
        &self,
        _env: &mut Env<'_>,
        _file: &FileDescription,
        from: &[u8],
    ) -> Result<usize> {
        if self.device == Device::Full { Err(Errno::ENOSPC.into()) } else { Ok(from.len()) }
    }

    fn write_at(
        &self,
        _env: &mut Env<'_>,
        _file: &FileDescription,
        from: &[UserSlice],
        _at: u64,
    ) -> Result<usize> {
        let total = user::total_len(from);
        if self.device == Device::Full && total > 0 {
            return Err(Errno::ENOSPC.into());
        }
        Ok(total)
    }

    /// Seeking does nothing and says so (`null_lseek`, drivers/char/mem.c).
    fn seek(
        &self,
        _env: &mut Env<'_>,
        file: &FileDescription,
        _offset: i64,
        _whence: Whence,
    ) -> Result<u64> {
        file.offset.set(0);
        Ok(0)
    }

    fn stat(&self, _env: &mut Env<'_>) -> Result<HostStat> {
        Ok(self.status)
    }
}
