//! flock(2), and the record locks of fcntl(2).

use alloc::rc::Rc;

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{FileDescription, FileLocks, LockKind, LockOwner, LockWaiter, RecordLock},
    outcome::{Outcome, Restart},
    process::{LockWait, State},
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
    let mut request = read_request(cx, &file, command, argument, by_description)?;
    // Whatever becomes of the file while the call waits.
    if let Some(LockWait::Range(start, last)) = cx.call().lock {
        (request.start, request.last) = (start, last);
    }
    let Some((locks, _)) = file.file.locks() else {
        return Err(Error::new(Errno::EINVAL, "only files of a tree have record locks"));
    };
    if matches!(command, raw::F_GETLK | raw::F_OFD_GETLK) {
        return test(cx, &locks, &request, argument);
    }
    let Some(kind) = request.kind else {
        if locks.unlock(request.owner, request.start, request.last) {
            locks.records_queue.wake(Readiness::all(), &mut cx.kernel.machine.wakes);
        }
        return Ok(Outcome::Done(0));
    };
    match kind {
        LockKind::Shared => file.check_reads()?,
        LockKind::Exclusive => file.check_writes()?,
    }
    let Request { owner, start, last, .. } = request;
    let lock = RecordLock { owner, kind, start, last };
    let waiting = cx.thread;
    cx.kernel.machine.tree.lock_waits.borrow_mut().retain(|_, waiter| waiter.thread != waiting);
    let Some(conflict) = locks.conflict(&lock) else {
        if locks.lock(lock) {
            locks.records_queue.wake(Readiness::all(), &mut cx.kernel.machine.wakes);
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
    if let LockOwner::Process(_) = lock.owner {
        let mut at = holder;
        for _ in 0..=cx.kernel.machine.tree.lock_waits.borrow().len() {
            if at == lock.owner {
                return Err(Errno::EDEADLK.into());
            }
            let Some(next) = awaited_by(cx, at) else { break };
            at = next;
        }
    }
    // Who waits for a description is not looked for (`locks_insert_global_blocked` in fs/locks.c).
    if let LockOwner::Process(_) = holder {
        let waiter = LockWaiter { thread: cx.thread, lock, file: Rc::downgrade(locks) };
        cx.kernel.machine.tree.lock_waits.borrow_mut().insert(lock.owner, waiter);
    }
    cx.call().lock = Some(LockWait::Range(lock.start, lock.last));
    Ok(cx.block_on(&[&locks.records_queue], Restart::IfAsked, "a record lock"))
}

/// The owner of the lock for which another waits, if it still does.
fn awaited_by(cx: &Context<'_>, owner: LockOwner) -> Option<LockOwner> {
    let waits = cx.kernel.machine.tree.lock_waits.borrow();
    let LockWaiter { thread, lock, file } = waits.get(&owner)?;
    let thread = cx.kernel.threads.get(*thread)?;
    let still_waits = matches!(thread.state, State::Blocked(_))
        && thread.call.as_ref()?.lock == Some(LockWait::Range(lock.start, lock.last));
    let conflict = file.upgrade().filter(|_| still_waits)?.conflict(lock)?;
    Some(conflict.owner)
}

fn read_request(
    cx: &mut Context<'_>,
    file: &FileDescription,
    command: u32,
    argument: u64,
    by_description: bool,
) -> Result<Request> {
    // The order of errors is that of fs/locks.c (`fcntl_getlk`, `flock64_to_posix_lock`).
    let raw = cx.read(UserPtr::<RawLock>::new(argument))?;
    let kind = match raw.kind as u16 as u32 {
        raw::F_RDLCK => Ok(Some(LockKind::Shared)),
        raw::F_WRLCK => Ok(Some(LockKind::Exclusive)),
        raw::F_UNLCK => Ok(None),
        _ => Err(Errno::EINVAL),
    };
    if command == raw::F_GETLK && !matches!(kind, Ok(Some(_))) {
        return Err(Errno::EINVAL.into());
    }
    let base = match raw.whence as u32 {
        raw::SEEK_SET => 0,
        raw::SEEK_CUR => file.offset.get() as i64,
        raw::SEEK_END => file.stat(&mut cx.env())?.size as i64,
        _ => return Err(Errno::EINVAL.into()),
    };
    let start = base.checked_add(raw.start).ok_or(Errno::EOVERFLOW)?;
    if start < 0 {
        return Err(Errno::EINVAL.into());
    }
    let (start, last) = match raw.len {
        0 => (start, RecordLock::LAST),
        len if len > 0 => {
            (start, start.checked_add(len - 1).ok_or(Errno::EOVERFLOW)?.cast_unsigned())
        }
        len => (start + len, (start - 1).cast_unsigned()),
    };
    let start = u64::try_from(start).map_err(|_| Errno::EINVAL)?;
    let kind = kind?;
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

/// Says what stands in a lock's way; of a description that would unlock, what it has locked there (`posix_test_lock` in
/// fs/locks.c).
fn test(cx: &mut Context<'_>, locks: &FileLocks, request: &Request, to: u64) -> Result<Outcome> {
    let Request { owner, start, last, .. } = *request;
    let found = match request.kind {
        Some(kind) => locks.conflict(&RecordLock { owner, kind, start, last }),
        None => locks.held(owner, start, last),
    };
    let answer = match found {
        None => RawLock { kind: raw::F_UNLCK as i16, ..request.raw },
        Some(held) => RawLock {
            kind: match held.kind {
                LockKind::Shared => raw::F_RDLCK as i16,
                LockKind::Exclusive => raw::F_WRLCK as i16,
            },
            whence: raw::SEEK_SET as i16,
            start: held.start as i64,
            len: match held.last {
                RecordLock::LAST => 0,
                last => (last - held.start + 1) as i64,
            },
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
    let file = cx.description(fd)?;
    // Nobody else can open what has no name: its locks stand in nobody's way.
    let Some((locks, token)) = file.file.locks() else { return Ok(Outcome::Done(0)) };
    if locks.whole_of(token) == kind {
        return Ok(Outcome::Done(0));
    }
    // Who waits for one lock does not care what becomes of the others.
    let stands = |blocker: &u64| {
        let held = locks.whole_of(*blocker);
        held.zip(kind).is_some_and(|(held, wanted)| held.conflicts(wanted))
    };
    let blocker = match cx.call().lock {
        Some(LockWait::Behind(blocker)) => Some(blocker).filter(stands),
        _ => None,
    };
    // The old lock is gone even if the new one is not to be had (`flock_lock_inode` in fs/locks.c).
    if blocker.is_none() && locks.unlock_whole(token) {
        locks.whole_queue.wake(Readiness::all(), &mut cx.kernel.machine.wakes);
    }
    let got = match (blocker, kind) {
        (Some(blocker), _) => Err(blocker),
        (None, Some(kind)) => locks.lock_whole(token, kind),
        (None, None) => Ok(()),
    };
    match got {
        Ok(()) => Ok(Outcome::Done(0)),
        Err(holder) if waits => {
            cx.call().lock = Some(LockWait::Behind(holder));
            cx.hold(fd, &file);
            Ok(cx.block_on(&[&locks.whole_queue], Restart::IfAsked, "a file lock"))
        }
        Err(_) => Err(Errno::EAGAIN.into()),
    }
}
