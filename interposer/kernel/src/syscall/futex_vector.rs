//! Waiting on several futexes: futex_waitv(2).

use alloc::vec::Vec;

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    futex::Sharing,
    outcome::{Outcome, Restart},
    uapi::time::Timespec,
    user::{self, UserPtr},
};

/// Most futexes of one call (`FUTEX_WAITV_MAX`).
const FUTEXES_MAX: u64 = 128;
/// Futexes of 32 bits, the only ones there are.
const FUTEX_32: u32 = 2;

/// `struct futex_waitv`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct Wanted {
    value: u64,
    address: u64,
    flags: u32,
    reserved: u32,
}

/// futex_waitv(2): waits on any of several futexes; which one woke it.
pub fn futex_waitv(
    cx: &mut Context<'_>,
    [list, count, flags, timeout, clock, _]: [u64; 6],
) -> Result<Outcome> {
    if let Some(number) = cx.call().woken_with {
        return Ok(Outcome::Done(number));
    }
    let count = u64::from(count as u32);
    if flags as u32 != 0 || count == 0 || count > FUTEXES_MAX || list == 0 {
        return Err(Errno::EINVAL.into());
    }
    read_deadline(cx, timeout, clock)?;
    if !cx.kernel.futexes.is_waiting(cx.thread) {
        let wanted = user::read_vec(cx.host, UserPtr::<Wanted>::new(list), count as usize)?;
        add(cx, &wanted)?;
    }
    if cx.timed_out() {
        cx.kernel.futexes.remove(cx.thread);
        return Err(Errno::ETIMEDOUT.into());
    }
    Ok(cx.block_on(&[], Restart::IfAsked, "one of several futexes"))
}

/// When the call gives up: an absolute time of one of two clocks.
fn read_deadline(cx: &mut Context<'_>, timeout: u64, clock: u64) -> Result<()> {
    let Some(timeout) = UserPtr::<Timespec>::new(timeout).non_null() else { return Ok(()) };
    let is_wall = match clock as u32 {
        raw::CLOCK_REALTIME => true,
        raw::CLOCK_MONOTONIC => false,
        _ => return Err(Errno::EINVAL.into()),
    };
    let at = cx.read(timeout)?.duration()?;
    match is_wall {
        true => cx.deadline_at_wall(at),
        false => cx.deadline_at_since_boot(at),
    };
    Ok(())
}

fn add(cx: &mut Context<'_>, wanted: &[Wanted]) -> Result<()> {
    let space = cx.process().space;
    let mut keys = Vec::with_capacity(wanted.len());
    for one in wanted {
        let kind = one.flags & !raw::FUTEX_PRIVATE_FLAG;
        if kind != FUTEX_32 || one.reserved != 0 {
            return Err(Error::new(Errno::EINVAL, "not a futex of 32 bits"));
        }
        let private = one.flags & raw::FUTEX_PRIVATE_FLAG != 0;
        let sharing = if private { Sharing::Private } else { Sharing::Shared };
        keys.push(cx.kernel.futex_key(space, one.address, sharing)?);
    }
    for one in wanted {
        if u64::from(cx.read(UserPtr::<u32>::new(one.address))?) != one.value {
            return Err(Errno::EAGAIN.into());
        }
    }
    cx.kernel.futexes.add_vector(cx.thread, &keys);
    Ok(())
}
