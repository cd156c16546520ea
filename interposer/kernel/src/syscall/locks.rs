//! flock(2), and the record locks of fcntl(2).

use alloc::rc::Rc;

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{FileDescription, FileLocks, LockKind, LockOwner, RecordLock},
    outcome::{Outcome, Restart},
    user::UserPtr,
    wait::Readiness,
};

/// `struct flock`.
#[repr(C)]
#[derive(Clone, Copy, Zeroable, Pod)]
struct RawLock {
    kind: i16,
    whence: i16,
    pad0: u32,
    start: i64,
    len: i64,
    pid: i32,
    pad1: u32,
}

/// What is to become of a range.
struct Request {
    raw: RawLock,
    owner: LockOwner,
    /// `None` to unlock.
    kind: Option<LockKind>,
    start: u64,
    last: u64,
}

/// The record-lock commands of fcntl(2); `None` for any other.
pub fn record_lock(
    cx: &mut Context<'_>,
    fd: u64,
    command: u32,
    argument: u64,
) -> Option<Result<Outcome>> {
    let by_description = match command {
        raw::F_GETLK | raw::F_SETLK | raw::F_SETLKW => false,
        raw::F_OFD_GETLK | raw::F_OFD_SETLK | raw::F_OFD_SETLKW => true,
        _ => return None,
    };
    Some(serve(cx, fd, command, argument, by_description))
}

fn serve(
    cx: &mut Context<'_>,
    fd: u64,
    command: u32,
    argument: u64,
    by_description: bool,
) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let request = read_request(cx, &file, argument, by_description)?;
    let Some((locks, _)) = file.file.locks() else {
        return Err(Error::new(Errno::EINVAL, "only files of a tree have record locks"));
    };
    if matches!(command, raw::F_GETLK | raw::F_OFD_GETLK) {
        return test(cx, &locks, &request, argument);
    }
    let Some(kind) = request.kind else {
        if locks.unlock(request.owner, request.start, request.last) {
            locks.queue.wake(Readiness::all(), &mut cx.kernel.machine.wakes);
        }
        return Ok(Outcome::Done(0));
    };
    match kind {
        LockKind::Shared => file.check_reads()?,
        LockKind::Exclusive => file.check_writes()?,
    }
    let Request { owner, start, last, .. } = request;
    let lock = RecordLock { owner, kind, start, last };
    cx.kernel.machine.tree.lock_waits.borrow_mut().remove(&owner);
    let Some(conflict) = locks.conflict(&lock) else {
        if locks.lock(lock) {
            locks.queue.wake(Readiness::all(), &mut cx.kernel.machine.wakes);
        }
        return Ok(Outcome::Done(0));
    };
    if !matches!(command, raw::F_SETLKW | raw::F_OFD_SETLKW) {
        return Err(Errno::EAGAIN.into());
    }
    wait_for(cx, &locks, lock, conflict.owner)
}

/// Waits for a lock, unless its holder already waits for one of the caller's.
fn wait_for(
    cx: &mut Context<'_>,
    locks: &Rc<FileLocks>,
    lock: RecordLock,
    holder: LockOwner,
) -> Result<Outcome> {
    let mut waits = cx.kernel.machine.tree.lock_waits.borrow_mut();
    if let LockOwner::Process(_) = lock.owner {
        let mut at = holder;
        for _ in 0..=waits.len() {
            if at == lock.owner {
                return Err(Errno::EDEADLK.into());
            }
            let Some((wanted, file)) = waits.get(&at) else { break };
            let Some(conflict) = file.upgrade().and_then(|file| file.conflict(wanted)) else {
                break;
            };
            at = conflict.owner;
        }
        waits.insert(lock.owner, (lock, Rc::downgrade(locks)));
    }
    drop(waits);
    Ok(cx.block_on(&[&locks.queue], Restart::IfAsked, "a record lock"))
}

fn read_request(
    cx: &mut Context<'_>,
    file: &FileDescription,
    argument: u64,
    by_description: bool,
) -> Result<Request> {
    let raw = cx.read(UserPtr::<RawLock>::new(argument))?;
    let kind = match raw.kind as u16 as u32 {
        raw::F_RDLCK => Some(LockKind::Shared),
        raw::F_WRLCK => Some(LockKind::Exclusive),
        raw::F_UNLCK => None,
        _ => return Err(Errno::EINVAL.into()),
    };
    let base = match raw.whence as u32 {
        raw::SEEK_SET => 0,
        raw::SEEK_CUR => file.offset.get() as i64,
        raw::SEEK_END => file.stat(&mut cx.env())?.size as i64,
        _ => return Err(Errno::EINVAL.into()),
    };
    let start = base.checked_add(raw.start).ok_or(Errno::EOVERFLOW)?;
    let (start, last) = match raw.len {
        0 => (start, u64::MAX),
        len if len > 0 => {
            (start, start.checked_add(len - 1).ok_or(Errno::EOVERFLOW)?.cast_unsigned())
        }
        len => {
            (start.checked_add(len).ok_or(Errno::EINVAL)?, start.wrapping_sub(1).cast_unsigned())
        }
    };
    let start = u64::try_from(start).map_err(|_| Errno::EINVAL)?;
    let owner = if by_description {
        if raw.pid != 0 {
            return Err(Errno::EINVAL.into());
        }
        LockOwner::Description(file.file.locks().map_or(0, |(_, token)| token))
    } else {
        LockOwner::Process(cx.process().pid.raw())
    };
    Ok(Request { raw, owner, kind, start, last })
}

/// Says what stands in a lock's way.
fn test(cx: &mut Context<'_>, locks: &FileLocks, request: &Request, to: u64) -> Result<Outcome> {
    let Some(kind) = request.kind else { return Err(Errno::EINVAL.into()) };
    let Request { owner, start, last, .. } = *request;
    let answer = match locks.conflict(&RecordLock { owner, kind, start, last }) {
        None => RawLock { kind: raw::F_UNLCK as i16, ..request.raw },
        Some(held) => RawLock {
            kind: match held.kind {
                LockKind::Shared => raw::F_RDLCK as i16,
                LockKind::Exclusive => raw::F_WRLCK as i16,
            },
            whence: raw::SEEK_SET as i16,
            start: held.start as i64,
            len: if held.last == u64::MAX { 0 } else { (held.last - held.start + 1) as i64 },
            pid: match held.owner {
                LockOwner::Process(pid) => pid as i32,
                LockOwner::Description(_) => -1,
            },
            ..request.raw
        },
    };
    cx.write(UserPtr::new(to), &answer)?;
    Ok(Outcome::Done(0))
}

/// Mandatory locks: Linux knows the flag and ignores the call (fs/locks.c).
const LOCK_MAND: u32 = 32;

/// flock(2).
pub fn flock(cx: &mut Context<'_>, [fd, operation, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let operation = operation as u32;
    if operation & LOCK_MAND != 0 {
        return Ok(Outcome::Done(0));
    }
    let waits = operation & raw::LOCK_NB == 0;
    let kind = match operation & !raw::LOCK_NB {
        raw::LOCK_SH => Some(LockKind::Shared),
        raw::LOCK_EX => Some(LockKind::Exclusive),
        raw::LOCK_UN => None,
        _ => return Err(Errno::EINVAL.into()),
    };
    // Nobody else can open what has no name: its locks stand in nobody's way.
    let Some((locks, token)) = file.file.locks() else { return Ok(Outcome::Done(0)) };
    let held_before = locks.unlock_whole(token);
    let got = kind.is_none_or(|kind| locks.lock_whole(token, kind));
    if held_before {
        locks.queue.wake(Readiness::all(), &mut cx.kernel.machine.wakes);
    }
    match (got, waits) {
        (true, _) => Ok(Outcome::Done(0)),
        (false, true) => {
            cx.hold(fd, &file);
            Ok(cx.block_on(&[&locks.queue], Restart::IfAsked, "a file lock"))
        }
        (false, false) => Err(Errno::EAGAIN.into()),
    }
}
