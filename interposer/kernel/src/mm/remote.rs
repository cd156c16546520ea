//! Moving bytes between a program's buffers and the memory of another process.

use alloc::vec;

use super::SpaceId;
use crate::{
    error::Result,
    host::{Host, HostResult},
    user::{self, UserSlice},
};

/// Which way bytes go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Direction {
    /// From the other process into the buffers.
    Read,
    /// From the buffers to the other process.
    Write,
}

/// Moves so many bytes between buffers and an address of an address space, which may be any; how many, or what the host
/// says to its memory being reached.
///
/// # Errors
/// `EFAULT` for buffers that are none.
pub fn transfer(
    host: &mut dyn Host,
    (space, address): (SpaceId, u64),
    buffers: &[UserSlice],
    len: usize,
    direction: Direction,
) -> Result<HostResult<usize>> {
    match direction {
        Direction::Read => {
            let mut bytes = vec![0; len];
            match host.read_space(space, address, &mut bytes) {
                Ok(read) => user::scatter(host, buffers, &bytes[..read]).map(Ok),
                Err(errno) => Ok(Err(errno)),
            }
        }
        Direction::Write => {
            let bytes = user::gather(host, buffers, len)?;
            Ok(host.write_space(space, address, &bytes))
        }
    }
}
