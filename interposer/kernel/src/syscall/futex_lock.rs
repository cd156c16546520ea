//! The operations of futex(2) that lock: `FUTEX_LOCK_PI` and kin.
//!
//! Priorities are not inherited, as there are none; what remains is that the kernel hands the lock over.

use super::futex::Request;
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    futex::{FutexKey, LockWord},
    outcome::{Outcome, Restart},
    process::{ThreadId, Tid},
    user::UserPtr,
};

fn read_word(cx: &mut Context<'_>, address: u64) -> Result<LockWord> {
    cx.read(UserPtr::<u32>::new(address)).map(LockWord)
}

fn write_word(cx: &mut Context<'_>, address: u64, word: LockWord) -> Result<()> {
    cx.write(UserPtr::new(address), &word.0)
}

/// Takes the lock for a thread if it is free; who holds it otherwise.
fn acquire(
    cx: &mut Context<'_>,
    key: FutexKey,
    address: u64,
    taker: Tid,
) -> Result<Option<ThreadId>> {
    let word = read_word(cx, address)?;
    match (cx.kernel.futexes.owner(key), word.owner()) {
        (_, Some(owner)) if owner == taker => {
            Err(Error::new(Errno::EDEADLK, "the thread holds the lock already"))
        }
        (Some(owner), _) => Ok(Some(owner)),
        (None, None) => {
            write_word(cx, address, word.held_by(taker))?;
            Ok(None)
        }
        (None, Some(owner)) => {
            let found = cx.kernel.tids.get(&owner).copied();
            found.map(Some).ok_or(Error::new(Errno::ESRCH, "the lock's holder is gone"))
        }
    }
}

/// `FUTEX_LOCK_PI`, `FUTEX_LOCK_PI2`.
pub fn lock(cx: &mut Context<'_>, request: &Request) -> Result<Outcome> {
    if let Some(result) = cx.call().woken_with {
        return Ok(Outcome::Done(result));
    }
    let key = request.key(cx)?;
    if !cx.kernel.futexes.is_waiting(cx.thread) {
        let own = cx.thread().tid;
        let Some(owner) = acquire(cx, key, request.address, own)? else {
            return Ok(Outcome::Done(0));
        };
        if cx.kernel.futexes.would_deadlock(cx.thread, owner) {
            return Err(Errno::EDEADLK.into());
        }
        let word = read_word(cx, request.address)?;
        write_word(cx, request.address, word.with_waiters())?;
        cx.kernel.futexes.add_to_lock(key, cx.thread, owner);
    }
    if cx.timed_out() {
        cx.kernel.futexes.remove(cx.thread);
        return Err(Errno::ETIMEDOUT.into());
    }
    Ok(cx.block_on(&[], Restart::Always, "a lock"))
}

/// `FUTEX_TRYLOCK_PI`.
pub fn try_lock(cx: &mut Context<'_>, request: &Request) -> Result<Outcome> {
    let key = request.key(cx)?;
    let own = cx.thread().tid;
    match acquire(cx, key, request.address, own)? {
        None => Ok(Outcome::Done(0)),
        Some(_) => Err(Errno::EAGAIN.into()),
    }
}

/// `FUTEX_UNLOCK_PI`.
pub fn unlock(cx: &mut Context<'_>, request: &Request) -> Result<Outcome> {
    let key = request.key(cx)?;
    let own = cx.thread().tid;
    if read_word(cx, request.address)?.owner() != Some(own) {
        return Err(Errno::EPERM.into());
    }
    let word = match cx.kernel.futexes.hand_over(key) {
        Some(next) => {
            let tid = cx.kernel.thread(next).tid;
            cx.kernel.wake_with(next, 0);
            LockWord(0).held_by(tid).with_waiters()
        }
        None => LockWord(0),
    };
    write_word(cx, request.address, word)?;
    Ok(Outcome::Done(0))
}

/// `FUTEX_CMP_REQUEUE_PI`: moves waiters to a lock; the first of them takes it if it is free.
pub fn move_waiters(cx: &mut Context<'_>, request: &Request, max: usize) -> Result<Outcome> {
    let (from, lock) = (request.key(cx)?, request.key2(cx)?);
    if from == lock {
        return Err(Errno::EINVAL.into());
    }
    read_word(cx, request.address2)?;
    let moved = cx.kernel.futexes.take_for_lock(from, lock, max);
    for &thread in &moved {
        let tid = cx.kernel.thread(thread).tid;
        match acquire(cx, lock, request.address2, tid) {
            Ok(None) => cx.kernel.wake_with(thread, 0),
            Ok(Some(owner)) => {
                let word = read_word(cx, request.address2)?;
                write_word(cx, request.address2, word.with_waiters())?;
                cx.kernel.futexes.add_to_lock(lock, thread, owner);
            }
            Err(error) => {
                let result = error.errno.as_result();
                cx.kernel.wake_with(thread, result);
            }
        }
    }
    Ok(Outcome::Done(moved.len() as u64))
}
