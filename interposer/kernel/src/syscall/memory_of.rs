//! The memory of other processes, for who may look into them.

use crate::{
    context::Context,
    error::{Errno, Result},
    mm::{
        Protection, SpaceId,
        remote::{self, Direction},
    },
    outcome::Outcome,
    process::ThreadId,
    uapi::limits::RW_COUNT_MAX,
    user::{self, UserSlice},
};

/// Reads memory of a thread's process; all of it or nothing.
///
/// # Errors
/// `EIO` where there is none.
pub fn read(cx: &mut Context<'_>, of: ThreadId, from: u64, into: &mut [u8]) -> Result<()> {
    let (space, own) = (cx.kernel.space_of(of), cx.process().space);
    UserSlice::new(from, into.len() as u64).check().map_err(|_| Errno::EIO)?;
    let done = if space == own {
        user::read_bytes(cx.host, from, into).is_ok()
    } else {
        cx.host.read_space(space, from, into) == Ok(into.len())
    };
    if done { Ok(()) } else { Err(Errno::EIO.into()) }
}

/// Writes to memory of a thread's process, whether the process may write there itself or not; all or nothing.
///
/// # Errors
/// `EIO` where there is none.
pub fn write(cx: &mut Context<'_>, of: ThreadId, to: u64, bytes: &[u8]) -> Result<()> {
    UserSlice::new(to, bytes.len() as u64).check().map_err(|_| Errno::EIO)?;
    let space = cx.kernel.space_of(of);
    if cx.host.write_space(space, to, bytes) == Ok(bytes.len()) {
        Ok(())
    } else {
        Err(Errno::EIO.into())
    }
}

/// Most bytes moved at a time.
const CHUNK: usize = 64 << 10;

fn copy_memory(
    cx: &mut Context<'_>,
    [pid, local, locals, theirs, theirs_count, flags]: [u64; 6],
    direction: Direction,
) -> Result<Outcome> {
    if flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let local = user::read_iovec(cx.host, local, locals, RW_COUNT_MAX)?;
    let theirs = user::read_iovec(cx.host, theirs, theirs_count, RW_COUNT_MAX)?;
    let target = cx.kernel.find_process(cx.thread, pid)?;
    if pid == 0 || cx.kernel.process(target).threads.is_empty() {
        return Err(Errno::ESRCH.into());
    }
    cx.check_trace_access(target)?;
    let (space, own) = (cx.kernel.process(target).space, cx.process().space);
    if space == own {
        let (from, to): (&[UserSlice], &[UserSlice]) =
            if direction == Direction::Read { (&theirs, &local) } else { (&local, &theirs) };
        let bytes = user::gather(cx.host, from, user::total_len(to))?;
        return Ok(Outcome::Done(user::scatter(cx.host, to, &bytes)? as u64));
    }
    let mut done = 0;
    let wanted = user::total_len(&local);
    for slice in theirs {
        let mut at = 0;
        while at < slice.len && done < wanted {
            let len = (slice.len - at).min(wanted - done).min(CHUNK);
            match copy_part(cx, (space, slice.address + at as u64), &local, (done, len), direction)
            {
                Ok(0) => return Ok(Outcome::Done(done as u64)),
                Ok(moved) => {
                    at += moved;
                    done += moved;
                }
                Err(error) if done == 0 => return Err(error),
                Err(_) => return Ok(Outcome::Done(done as u64)),
            }
        }
    }
    Ok(Outcome::Done(done as u64))
}

/// Copies a part of the caller's buffers, from `done` on, to or from an address of another process; how much of it.
fn copy_part(
    cx: &mut Context<'_>,
    (space, address): (SpaceId, u64),
    local: &[UserSlice],
    (done, len): (usize, usize),
    direction: Direction,
) -> Result<usize> {
    let needed = if direction == Direction::Read { Protection::READ } else { Protection::WRITE };
    let allowed = cx.kernel.space_mut(space).allowed_from(address, needed);
    let len = len.min(usize::try_from(allowed).unwrap_or(usize::MAX));
    if len == 0 {
        return Err(Errno::EFAULT.into());
    }
    let local = user::skip(local, done);
    Ok(remote::transfer(cx.host, (space, address), &local, len, direction)??)
}

/// process_vm_readv(2).
pub fn process_vm_readv(cx: &mut Context<'_>, arguments: [u64; 6]) -> Result<Outcome> {
    copy_memory(cx, arguments, Direction::Read)
}

/// process_vm_writev (process_vm_readv(2)).
pub fn process_vm_writev(cx: &mut Context<'_>, arguments: [u64; 6]) -> Result<Outcome> {
    copy_memory(cx, arguments, Direction::Write)
}
