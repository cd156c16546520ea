//! futex(2).

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Result},
    futex::{FutexKey, Waiting},
    kernel::Kernel,
    mm::SpaceId,
    outcome::{Outcome, Restart},
    time::Instant,
    user::UserPtr,
};

fn key(cx: &mut Context<'_>, address: u64) -> Result<FutexKey> {
    if !address.is_multiple_of(4) {
        return Err(Errno::EINVAL.into());
    }
    let space = cx.process().space;
    Ok(FutexKey::Private(space, address))
}

/// Wakes waiters on an address of an address space; how many.
pub fn wake_address(kernel: &mut Kernel, space: SpaceId, address: u64, max: usize) -> usize {
    wake(kernel, FutexKey::Private(space, address), max, u32::MAX)
}

fn wake(kernel: &mut Kernel, key: FutexKey, max: usize, bits: u32) -> usize {
    let taken = kernel.futexes.take(key, max, bits);
    for &id in &taken {
        if let Some(call) = kernel.thread_mut(id).call.as_mut() {
            call.woken_with = Some(0);
        }
        kernel.machine.wakes.push(id);
    }
    taken.len()
}

/// futex(2).
pub fn futex(
    cx: &mut Context<'_>,
    [address, op, value, timeout, address2, value3]: [u64; 6],
) -> Result<Outcome> {
    let wall = op as u32 & raw::FUTEX_CLOCK_REALTIME != 0;
    match op as u32 & !(raw::FUTEX_PRIVATE_FLAG | raw::FUTEX_CLOCK_REALTIME) {
        raw::FUTEX_WAIT => {
            let limit = cx.read_timeout(timeout)?;
            cx.deadline_after(limit);
            wait(cx, address, value as u32, u32::MAX)
        }
        raw::FUTEX_WAIT_BITSET => {
            if let Some(at) = cx.read_timeout(timeout)? {
                let due =
                    if wall { cx.kernel.machine.clock.at_wall(at) } else { Instant::BOOT + at };
                cx.deadline_at(due);
            }
            wait(cx, address, value as u32, value3 as u32)
        }
        raw::FUTEX_WAKE => {
            let key = key(cx, address)?;
            Ok(Outcome::Done(wake(cx.kernel, key, value as u32 as usize, u32::MAX) as u64))
        }
        raw::FUTEX_WAKE_BITSET if value3 as u32 != 0 => {
            let key = key(cx, address)?;
            Ok(Outcome::Done(wake(cx.kernel, key, value as u32 as usize, value3 as u32) as u64))
        }
        raw::FUTEX_REQUEUE => requeue(cx, address, value, timeout, address2),
        raw::FUTEX_CMP_REQUEUE => {
            if cx.read(UserPtr::<u32>::new(address))? != value3 as u32 {
                return Err(Errno::EAGAIN.into());
            }
            requeue(cx, address, value, timeout, address2)
        }
        _ => Err(Errno::ENOSYS.into()),
    }
}

fn wait(cx: &mut Context<'_>, address: u64, expected: u32, bits: u32) -> Result<Outcome> {
    if let Some(result) = cx.call().woken_with {
        return Ok(Outcome::Done(result));
    }
    let key = key(cx, address)?;
    if bits == 0 {
        return Err(Errno::EINVAL.into());
    }
    let first = cx.call().attempts == 1;
    if !first {
        cx.kernel.futexes.remove(cx.thread);
    }
    if cx.timed_out() {
        return Err(Errno::ETIMEDOUT.into());
    }
    if first && cx.read(UserPtr::<u32>::new(address))? != expected {
        return Err(Errno::EAGAIN.into());
    }
    cx.kernel.futexes.add(key, Waiting { thread: cx.thread, bits });
    // One with a limit would start again as `restart_syscall` (futex_wait in kernel/futex/waitwake.c).
    let restart =
        if cx.call().deadline.is_some() { Restart::UnlessHandled } else { Restart::IfAsked };
    Ok(cx.block_on(&[], restart, "a futex"))
}

fn requeue(cx: &mut Context<'_>, from: u64, wakes: u64, moves: u64, to: u64) -> Result<Outcome> {
    let (from, to) = (key(cx, from)?, key(cx, to)?);
    let woken = wake(cx.kernel, from, wakes as u32 as usize, u32::MAX);
    let moved = cx.kernel.futexes.requeue(from, to, moves as u32 as usize);
    Ok(Outcome::Done((woken + moved) as u64))
}
