//! Regular files of the host.

use crate::{error::Result, host::HostFd, machine::Env, user::UserSlice};

/// An open regular file of the host.
#[derive(Debug)]
pub struct RegularFile {
    /// Its host descriptor.
    pub host: HostFd,
}

impl RegularFile {
    /// Reads at an offset.
    ///
    /// # Errors
    /// As pread(2).
    pub fn read_at(&self, env: &mut Env<'_>, into: &[UserSlice], at: u64) -> Result<usize> {
        transfer(into, at, |slice, at| {
            slice.check()?;
            Ok(env.host.pread_user(self.host, slice, at)?)
        })
    }

    /// Writes at an offset.
    ///
    /// # Errors
    /// As pwrite(2).
    pub fn write_at(&self, env: &mut Env<'_>, from: &[UserSlice], at: u64) -> Result<usize> {
        transfer(from, at, |slice, at| {
            slice.check()?;
            Ok(env.host.pwrite_user(self.host, slice, at)?)
        })
    }

    /// Its length in bytes.
    ///
    /// # Errors
    /// As fstat(2).
    pub fn size(&self, env: &mut Env<'_>) -> Result<u64> {
        Ok(env.host.fstat(self.host)?.size)
    }

    /// Closes it.
    pub fn release(&self, env: &mut Env<'_>) {
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
