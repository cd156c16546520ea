//! futex(2).

use linux_raw_sys::general as raw;

use super::futex_lock as lock;
use crate::{
    context::Context,
    error::{Errno, Result},
    futex::{FutexKey, Purpose, Sharing, Waiting, WakeOperation},
    outcome::{Outcome, Restart},
    uapi::time::Timespec,
    user::UserPtr,
};

/// The arguments of one futex call.
pub struct Request {
    /// The futex.
    pub address: u64,
    /// Whether its address is all there is to know.
    pub sharing: Sharing,
    /// Whether an absolute time is the wall clock's.
    wall: bool,
    value: u32,
    /// A time-out, or a second count.
    timeout: u64,
    /// A second futex.
    pub address2: u64,
    value3: u32,
}

impl Request {
    /// The key of the futex.
    pub fn key(&self, cx: &mut Context<'_>) -> Result<FutexKey> {
        self.key_of(cx, self.address)
    }

    /// The key of the second futex.
    pub fn key2(&self, cx: &mut Context<'_>) -> Result<FutexKey> {
        self.key_of(cx, self.address2)
    }

    fn key_of(&self, cx: &mut Context<'_>, address: u64) -> Result<FutexKey> {
        let space = cx.process().space;
        let key = cx.kernel.futex_key(space, address, self.sharing)?;
        // What others may see is known by the page that is there (`get_futex_key`).
        if self.sharing == Sharing::Shared {
            cx.read(UserPtr::<u32>::new(address))?;
        }
        Ok(key)
    }

    fn absolute_deadline(&self, cx: &mut Context<'_>, wall: bool) -> Result<()> {
        let Some(pointer) = UserPtr::<Timespec>::new(self.timeout).non_null() else {
            return Ok(());
        };
        let at = cx.read(pointer)?.duration()?;
        match wall {
            true => cx.deadline_at_wall(at),
            false => cx.deadline_at_since_boot(at),
        };
        Ok(())
    }

    /// How many may be woken and moved; negative counts are refused.
    fn counts(&self) -> Result<(usize, usize)> {
        match (usize::try_from(self.value as i32), usize::try_from(self.timeout as i32)) {
            (Ok(wakes), Ok(moves)) => Ok((wakes, moves)),
            _ => Err(Errno::EINVAL.into()),
        }
    }
}

/// How many threads wait for the futex from which the current call wakes some, if it does that.
pub fn waiters_to_wake(cx: &mut Context<'_>) -> Option<usize> {
    let [address, op, ..] = cx.call().arguments;
    let private = op as u32 & raw::FUTEX_PRIVATE_FLAG != 0;
    let command = op as u32 & !(raw::FUTEX_PRIVATE_FLAG | raw::FUTEX_CLOCK_REALTIME);
    let wakes = matches!(
        command,
        raw::FUTEX_WAKE
            | raw::FUTEX_WAKE_BITSET
            | raw::FUTEX_WAKE_OP
            | raw::FUTEX_REQUEUE
            | raw::FUTEX_CMP_REQUEUE
    );
    let sharing = if private { Sharing::Private } else { Sharing::Shared };
    let space = cx.process().space;
    let key = cx.kernel.futex_key(space, address, sharing).ok().filter(|_| wakes)?;
    Some(cx.kernel.futexes.count(key))
}

/// futex(2).
pub fn futex(
    cx: &mut Context<'_>,
    [address, op, value, timeout, address2, value3]: [u64; 6],
) -> Result<Outcome> {
    let wall = op as u32 & raw::FUTEX_CLOCK_REALTIME != 0;
    let private = op as u32 & raw::FUTEX_PRIVATE_FLAG != 0;
    let sharing = if private { Sharing::Private } else { Sharing::Shared };
    let (value, value3) = (value as u32, value3 as u32);
    let request = Request { address, sharing, wall, value, timeout, address2, value3 };
    let command = op as u32 & !(raw::FUTEX_PRIVATE_FLAG | raw::FUTEX_CLOCK_REALTIME);
    let takes_wall = matches!(
        command,
        raw::FUTEX_WAIT_BITSET | raw::FUTEX_WAIT_REQUEUE_PI | raw::FUTEX_LOCK_PI2
    );
    if wall && !takes_wall {
        return Err(Errno::ENOSYS.into());
    }
    match command {
        raw::FUTEX_WAIT => {
            let limit = cx.read_timeout(timeout)?;
            cx.deadline_after(limit);
            wait(cx, &request, Purpose::Wake(u32::MAX))
        }
        raw::FUTEX_WAIT_BITSET => {
            request.absolute_deadline(cx, wall)?;
            wait(cx, &request, Purpose::Wake(value3))
        }
        raw::FUTEX_WAKE => wake(cx, &request, u32::MAX),
        raw::FUTEX_WAKE_BITSET => wake(cx, &request, value3),
        raw::FUTEX_WAKE_OP => wake_op(cx, &request),
        raw::FUTEX_REQUEUE => requeue(cx, &request),
        raw::FUTEX_CMP_REQUEUE => {
            request.key(cx)?;
            if cx.read(UserPtr::<u32>::new(address))? != value3 {
                return Err(Errno::EAGAIN.into());
            }
            requeue(cx, &request)
        }
        raw::FUTEX_LOCK_PI => {
            request.absolute_deadline(cx, true)?;
            lock::lock(cx, &request)
        }
        raw::FUTEX_LOCK_PI2 => {
            request.absolute_deadline(cx, wall)?;
            lock::lock(cx, &request)
        }
        raw::FUTEX_TRYLOCK_PI => lock::try_lock(cx, &request),
        raw::FUTEX_UNLOCK_PI => lock::unlock(cx, &request),
        raw::FUTEX_WAIT_REQUEUE_PI => {
            request.absolute_deadline(cx, request.wall)?;
            if value3 != 0 && value3 != u32::MAX {
                return Err(Errno::EINVAL.into());
            }
            let to = request.key2(cx)?;
            if request.key(cx)? == to {
                return Err(Errno::EINVAL.into());
            }
            wait(cx, &request, Purpose::MoveTo(to))
        }
        raw::FUTEX_CMP_REQUEUE_PI => {
            let (wakes, moves) = request.counts()?;
            if wakes != 1 {
                return Err(Errno::EINVAL.into());
            }
            request.key(cx)?;
            if cx.read(UserPtr::<u32>::new(address))? != value3 {
                return Err(Errno::EAGAIN.into());
            }
            lock::move_waiters(cx, &request, moves.saturating_add(1))
        }
        _ => Err(Errno::ENOSYS.into()),
    }
}

fn wait(cx: &mut Context<'_>, request: &Request, purpose: Purpose) -> Result<Outcome> {
    if let Some(result) = cx.call().woken_with {
        return Ok(Outcome::Done(result));
    }
    let key = request.key(cx)?;
    if purpose == Purpose::Wake(0) {
        return Err(Errno::EINVAL.into());
    }
    if !cx.kernel.futexes.is_waiting(cx.thread) {
        if cx.read(UserPtr::<u32>::new(request.address))? != request.value {
            return Err(Errno::EAGAIN.into());
        }
        cx.kernel.futexes.add(key, Waiting { thread: cx.thread, purpose });
    }
    if cx.timed_out() {
        cx.kernel.futexes.remove(cx.thread);
        return Err(Errno::ETIMEDOUT.into());
    }
    let limited = cx.call().deadline.is_some();
    let restart = if limited { Restart::UnlessHandled } else { Restart::IfAsked };
    Ok(cx.block_on(&[], restart, "a futex"))
}

fn wake(cx: &mut Context<'_>, request: &Request, bits: u32) -> Result<Outcome> {
    if bits == 0 {
        return Err(Errno::EINVAL.into());
    }
    let key = request.key(cx)?;
    // Linux wakes one even if asked for none.
    let max = usize::try_from(request.value as i32).unwrap_or(0).max(1);
    Ok(Outcome::Done(cx.kernel.wake_futex(key, max, bits) as u64))
}

fn wake_op(cx: &mut Context<'_>, request: &Request) -> Result<Outcome> {
    let (key, key2) = (request.key(cx)?, request.key2(cx)?);
    let operation = WakeOperation::decode(request.value3).ok_or(Errno::ENOSYS)?;
    let place = UserPtr::<u32>::new(request.address2);
    let (new, passes) = operation.apply(cx.read(place)?);
    cx.write(place, &new)?;
    let max = |count: u32| usize::try_from(count as i32).unwrap_or(0).max(1);
    let mut woken = cx.kernel.wake_futex(key, max(request.value), u32::MAX);
    if passes {
        woken += cx.kernel.wake_futex(key2, max(request.timeout as u32), u32::MAX);
    }
    Ok(Outcome::Done(woken as u64))
}

fn requeue(cx: &mut Context<'_>, request: &Request) -> Result<Outcome> {
    let (wakes, moves) = request.counts()?;
    let (from, to) = (request.key(cx)?, request.key2(cx)?);
    let woken = cx.kernel.wake_futex(from, wakes, u32::MAX);
    let moved = cx.kernel.futexes.requeue(from, to, moves);
    Ok(Outcome::Done((woken + moved) as u64))
}
