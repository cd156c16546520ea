//! Calls about whether memory is there, locked or written back; and protection keys, which this machine has not.

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    mm::{MapFlags, Range},
    outcome::Outcome,
    process::{Capabilities, Resource},
    uapi::limits::PAGE_SIZE,
    user,
};

use simrun_abi::layout;

/// The pages that hold any byte of a range, all of them mapped.
fn mapped_pages(cx: &mut Context<'_>, address: u64, len: u64) -> Result<Option<Range>> {
    let start = address & !(PAGE_SIZE - 1);
    let len = len.checked_add(address - start).ok_or(Errno::EINVAL)?;
    if len == 0 {
        return Ok(None);
    }
    let range = Range::pages(start, len)?;
    if range.touches_simrun() || !cx.space().covers(range) {
        return Err(Errno::ENOMEM.into());
    }
    Ok(Some(range))
}

/// mincore(2): all that is mapped is there.
pub fn mincore(cx: &mut Context<'_>, [address, len, to, ..]: [u64; 6]) -> Result<Outcome> {
    if !address.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL.into());
    }
    if let Some(range) = mapped_pages(cx, address, len)? {
        const CHUNK: u64 = 4096;
        let (pages, ones) = (range.len() / PAGE_SIZE, [1; CHUNK as usize]);
        let mut done = 0;
        while done < pages {
            let step = (pages - done).min(CHUNK);
            user::write_bytes(cx.host, to.wrapping_add(done), &ones[..step as usize])?;
            done += step;
        }
    }
    Ok(Outcome::Done(0))
}

/// Whether a process may lock anything at all, and how many bytes (`can_do_mlock`).
fn lock_limit(cx: &mut Context<'_>) -> Result<u64> {
    let process = cx.process();
    if process.credentials.can(Capabilities::IPC_LOCK) {
        return Ok(u64::MAX);
    }
    match process.limits.soft(Resource::Locked) {
        0 => Err(Errno::EPERM.into()),
        limit => Ok(limit),
    }
}

/// Refuses so many more bytes locked than there are by now (`mlock_future_ok`).
pub(super) fn check_more_locked(cx: &mut Context<'_>, more: u64) -> Result<()> {
    let limit = lock_limit(cx).unwrap_or_default();
    if cx.space().locked().saturating_add(more) > limit {
        return Err(Error::new(Errno::EAGAIN, "more than RLIMIT_MEMLOCK"));
    }
    Ok(())
}

/// Whether a new mapping of so many bytes is locked.
pub(super) fn locks_new(cx: &mut Context<'_>, flags: MapFlags, len: u64) -> Result<bool> {
    if flags.contains(MapFlags::LOCKED) {
        lock_limit(cx)?;
    } else if !cx.space().locks_new {
        return Ok(false);
    }
    check_more_locked(cx, len)?;
    Ok(true)
}

/// mlock(2): memory never leaves here, so it is only noted.
pub fn mlock(cx: &mut Context<'_>, [address, len, ..]: [u64; 6]) -> Result<Outcome> {
    let limit = lock_limit(cx)?;
    let start = address & !(PAGE_SIZE - 1);
    let pages =
        len.checked_add(address - start).and_then(|len| len.checked_next_multiple_of(PAGE_SIZE));
    let pages = pages.ok_or(Errno::EINVAL)?;
    let range = Range { start, end: start.saturating_add(pages) };
    // What is locked already does not count twice (`do_mlock`).
    let twice = cx.space().within(range).into_iter().filter(|(_, mapping)| mapping.is_locked);
    let twice: u64 = twice.map(|(part, _)| part.len()).sum();
    if cx.space().locked().saturating_add(pages) - twice > limit {
        return Err(Error::new(Errno::ENOMEM, "more than RLIMIT_MEMLOCK"));
    }
    lock(cx, address, len, true)
}

/// Locks or unlocks the pages of a range, up to the first gap in it.
fn lock(cx: &mut Context<'_>, address: u64, len: u64, is_locked: bool) -> Result<Outcome> {
    let start = address & !(PAGE_SIZE - 1);
    let len = len.checked_add(address - start).ok_or(Errno::EINVAL)?;
    if len == 0 {
        return Ok(Outcome::Done(0));
    }
    let range = Range::pages(start, len)?;
    let mut end = range.start;
    for (part, _) in cx.space().within(range) {
        if part.start != end || part.touches_simrun() {
            break;
        }
        end = part.end;
    }
    cx.space().change(Range { end, ..range }, |mapping| mapping.is_locked = is_locked);
    if end < range.end { Err(Errno::ENOMEM.into()) } else { Ok(Outcome::Done(0)) }
}

/// mlock2 (mlock(2)).
pub fn mlock2(cx: &mut Context<'_>, [address, len, flags, ..]: [u64; 6]) -> Result<Outcome> {
    const ON_FAULT: u32 = 1;
    if flags as u32 & !ON_FAULT != 0 {
        return Err(Errno::EINVAL.into());
    }
    mlock(cx, [address, len, 0, 0, 0, 0])
}

/// munlock (mlock(2)).
pub fn munlock(cx: &mut Context<'_>, [address, len, ..]: [u64; 6]) -> Result<Outcome> {
    lock(cx, address, len, false)
}

/// mlockall (mlock(2)).
pub fn mlockall(cx: &mut Context<'_>, [flags, ..]: [u64; 6]) -> Result<Outcome> {
    const CURRENT: u32 = 1;
    const FUTURE: u32 = 2;
    const ON_FAULT: u32 = 4;
    let flags = flags as u32;
    if flags == 0 || flags > 7 || flags == ON_FAULT {
        return Err(Errno::EINVAL.into());
    }
    let limit = lock_limit(cx)?;
    let locks_mapped = flags & CURRENT != 0;
    if locks_mapped && cx.space().mapped() > limit {
        return Err(Error::new(Errno::ENOMEM, "more than RLIMIT_MEMLOCK"));
    }
    cx.space().locks_new = flags & FUTURE != 0;
    if locks_mapped {
        let all = Range { start: 0, end: layout::USER_END };
        cx.space().change(all, |mapping| mapping.is_locked = true);
    }
    Ok(Outcome::Done(0))
}

/// munlockall (mlock(2)).
pub fn munlockall(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    cx.space().locks_new = false;
    cx.space().unlock_all();
    Ok(Outcome::Done(0))
}

/// msync(2).
pub fn msync(cx: &mut Context<'_>, [address, len, flags, ..]: [u64; 6]) -> Result<Outcome> {
    const ASYNC: u32 = 1;
    const INVALIDATE: u32 = 2;
    const SYNC: u32 = 4;
    let flags = flags as u32;
    let contradicts = flags & ASYNC != 0 && flags & SYNC != 0;
    if !address.is_multiple_of(PAGE_SIZE)
        || flags & !(ASYNC | INVALIDATE | SYNC) != 0
        || contradicts
    {
        return Err(Errno::EINVAL.into());
    }
    // All processes see the same pages, so nothing need be written back for any to see it; for the disk it is.
    let Some(range) = mapped_pages(cx, address, len)? else { return Ok(Outcome::Done(0)) };
    let is_locked = cx.space().within(range).iter().any(|(_, mapping)| mapping.is_locked);
    if flags & INVALIDATE != 0 && is_locked {
        return Err(Errno::EBUSY.into());
    }
    if flags & SYNC != 0 {
        for (_, mapping) in cx.space().within(range) {
            cx.env().synchronize_number(mapping.inode)?;
        }
    }
    Ok(Outcome::Done(0))
}

/// pkey_alloc(2).
pub fn pkey_alloc(_: &mut Context<'_>, [flags, rights, ..]: [u64; 6]) -> Result<Outcome> {
    const RIGHTS: u64 = 3;
    if flags != 0 || rights & !RIGHTS != 0 {
        return Err(Errno::EINVAL.into());
    }
    Err(Error::new(Errno::ENOSPC, "the processor has no protection keys"))
}

/// pkey_free(2).
pub fn pkey_free(_: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    Err(Errno::EINVAL.into())
}

/// pkey_mprotect(2): without keys only -1 is one.
pub fn pkey_mprotect(
    cx: &mut Context<'_>,
    [address, len, prot, key, ..]: [u64; 6],
) -> Result<Outcome> {
    if key as i32 != -1 {
        return Err(Errno::EINVAL.into());
    }
    super::memory::mprotect(cx, [address, len, prot, 0, 0, 0])
}
