//! Character devices: which there are, and those without state: null, zero, full, random (null(4), full(4), random(4)).

use alloc::rc::Rc;

use super::{FileDescription, FileObject, Whence};
use crate::{
    error::{Errno, Result},
    fs::Inode,
    host::HostStat,
    machine::Env,
    user::{self, UserSlice},
};

/// Most bytes made at a time.
const CHUNK_MAX: usize = 4096;

/// A character device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// `/dev/null`.
    Null,
    /// `/dev/zero`.
    Zero,
    /// `/dev/full`.
    Full,
    /// `/dev/random` and `/dev/urandom`.
    Random,
    /// `/dev/tty`: the controlling terminal.
    Terminal,
    /// `/dev/ptmx`: makes a pseudo-terminal.
    TerminalMaker,
    /// `/dev/pts/N`: the terminal side of a pseudo-terminal.
    PseudoTerminal(u32),
}

impl Device {
    /// The one with this number, as `st_rdev` has it (Documentation/admin-guide/devices.txt).
    #[must_use]
    pub const fn of_number(number: u64) -> Option<Self> {
        let (major, minor) = (number >> 8 & 0xfff, number & 0xff | number >> 12 & !0xff);
        Some(match (major, minor) {
            (1, 3) => Self::Null,
            (1, 5) => Self::Zero,
            (1, 7) => Self::Full,
            (1, 8 | 9) => Self::Random,
            (5, 0) => Self::Terminal,
            (5, 2) => Self::TerminalMaker,
            (TERMINALS, number) => Self::PseudoTerminal(number as u32),
            _ => return None,
        })
    }
}

/// Major number of pseudo-terminals.
const TERMINALS: u64 = 136;

/// The number of `/dev/pts/N`.
#[must_use]
pub const fn terminal_device(number: u32) -> u64 {
    device_number(TERMINALS, number as u64)
}

/// The number of a device as `st_rdev` has it.
#[must_use]
pub const fn device_number(major: u64, minor: u64) -> u64 {
    major << 8 | minor & 0xff | (minor & !0xff) << 12
}

/// An open device without state.
#[derive(Debug)]
pub struct DeviceFile {
    /// Which.
    pub device: Device,
    /// The file by which it was opened.
    pub inode: Rc<Inode>,
    /// Whose this description's locks are.
    pub token: u64,
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

    fn stat(&self, env: &mut Env<'_>) -> Result<HostStat> {
        Ok(self.inode.status(env.host))
    }

    fn release(&self, env: &mut Env<'_>) {
        self.inode.forget_description(self.token, env.machine);
    }
}
