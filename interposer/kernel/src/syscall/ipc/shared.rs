//! Shared memory: shmget(2), shmop(2), shmctl(2).

use alloc::{format, rc::Rc, vec::Vec};

use linux_raw_sys::general as raw;

use super::{Naming, READ, WRITE, check_access, get_or_make, named, owned, setting, write_status};
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{FileObject, OpenFlags, RegularFile},
    fs::Sharing,
    host::{Backing, HostFd},
    ipc::{DESTROYED, Id, Ipc, LOCKED, Object, Permission, RawPermission, Registry, Segment},
    mm::{MapFlags, Mapping, Protection, Range},
    outcome::Outcome,
    process::Capabilities,
    syscall::memory::{OURS, afford, place},
    uapi::{
        ipc::{self as uapi, AttachFlags, SegmentStatus, command},
        limits::PAGE_SIZE,
    },
    user::UserPtr,
};

fn segments(ipc: &mut Ipc) -> &mut Registry<Segment> {
    &mut ipc.segments
}

const fn pages(size: u64) -> u64 {
    size.div_ceil(PAGE_SIZE)
}

/// shmget(2).
pub fn shmget(cx: &mut Context<'_>, [key, size, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let check = |segment: &Segment| {
        if size > segment.size { Err(Errno::EINVAL.into()) } else { Ok(()) }
    };
    get_or_make(cx, segments, [key, flags], check, |cx, permission| {
        make(cx, permission, size, flags as u32)
    })
}

fn make(
    cx: &mut Context<'_>,
    permission: Permission,
    size: u64,
    flags: u32,
) -> Result<(Segment, u64)> {
    if size == 0 || size > setting(cx, "shmmax") {
        return Err(Error::new(Errno::EINVAL, "less than SHMMIN or more than SHMMAX"));
    }
    let places = setting(cx, "shmmni");
    let used: u64 = cx.kernel.ipc.segments.iter().map(|(_, one)| pages(one.size)).sum();
    if used.saturating_add(pages(size)) > setting(cx, "shmall")
        || cx.kernel.ipc.segments.len() as u64 >= places
    {
        return Err(Error::new(Errno::ENOSPC, "more than SHMALL or SHMMNI"));
    }
    if flags & uapi::SHM_HUGE_PAGES != 0 {
        let may = cx.process().credentials.can(Capabilities::IPC_LOCK);
        return Err(if may { Errno::ENOMEM } else { Errno::EPERM }.into());
    }
    if size > cx.kernel.machine.config.memory && flags & uapi::SHM_NO_RESERVE == 0 {
        return Err(Error::new(Errno::ENOMEM, "the machine has no more memory"));
    }
    let host = cx.host.memory_file(b"SYSV")?;
    let tree = cx.env().tree();
    let inode = tree.nameless(host, 0, raw::F_SEAL_SEAL, cx.env().file_time());
    let memory = RegularFile::open(&tree, cx.host, inode, OpenFlags::empty())?;
    if memory.truncate(&mut cx.env(), size).is_err() {
        memory.release(&mut cx.env());
        return Err(Errno::ENOMEM.into());
    }
    let name = format!("/SYSV{:08x} (deleted)", permission.key);
    let segment = Segment {
        permission,
        name: name.as_bytes().into(),
        memory,
        size,
        object: cx.kernel.objects.fresh(),
        attached: 0,
        attach_time: 0,
        detach_time: 0,
        change_time: cx.kernel.ipc_time(),
        maker: cx.process().pid.raw(),
        last: 0,
    };
    Ok((segment, places))
}

/// Where a program wants a segment; zero where it does not care.
fn wanted_address(address: u64, flags: AttachFlags) -> Result<u64> {
    if address == 0 {
        return if flags.contains(AttachFlags::REMAP) { Err(Errno::EINVAL.into()) } else { Ok(0) };
    }
    if address.is_multiple_of(PAGE_SIZE) {
        return Ok(address);
    }
    let rounded = address & !(PAGE_SIZE - 1);
    if !flags.contains(AttachFlags::ROUND) || (rounded == 0 && flags.contains(AttachFlags::REMAP)) {
        return Err(Error::new(Errno::EINVAL, "not at a page boundary"));
    }
    Ok(rounded)
}

/// shmat (shmop(2)).
pub fn shmat(cx: &mut Context<'_>, [id, address, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = AttachFlags::from_bits_truncate(flags as u32);
    let id = Id::from_register(id)?;
    let address = wanted_address(address, flags)?;
    let (mut prot, mut wanted) = (Protection::READ | Protection::WRITE, READ | WRITE);
    if flags.contains(AttachFlags::READ_ONLY) {
        (prot, wanted) = (Protection::READ, READ);
    }
    if flags.contains(AttachFlags::EXEC) {
        prot |= Protection::EXEC;
        wanted |= 0o111;
    }
    check_access(cx, segments, id, wanted)?;
    let tree = cx.env().tree();
    let segment = cx.kernel.ipc.segments.get(id)?;
    let (host, size) = (segment.memory.to_map(&tree, cx.host, Sharing::Shared)?, segment.size);
    let mapping = Mapping {
        object: segment.object,
        is_segment: true,
        name: Rc::clone(&segment.name),
        inode: id.raw().into(),
        ..Mapping::anonymous(prot, MapFlags::SHARED, b"")
    };
    let placing = match address {
        0 => MapFlags::empty(),
        _ if flags.contains(AttachFlags::REMAP) => MapFlags::FIXED,
        _ => MapFlags::FIXED_NOREPLACE,
    };
    let range = place(cx, address, size, placing).map_err(|error| match error.errno {
        Errno::EEXIST => Error::new(Errno::EINVAL, "something is mapped there"),
        _ => error,
    })?;
    if range.touches_simrun() {
        return Err(OURS);
    }
    afford(cx, 0, range.len())?;
    map(cx, range, prot, host)?;
    cx.space().insert(range, mapping);
    cx.kernel.recount_attachments(cx.host);
    Ok(Outcome::Done(range.start))
}

/// Maps a segment's memory: what may only be read through a descriptor that only reads, so that mprotect(2) cannot
/// change it.
fn map(cx: &mut Context<'_>, range: Range, prot: Protection, host: HostFd) -> Result<()> {
    let map = |cx: &mut Context<'_>, host| {
        let backing = Backing::File(host, 0);
        cx.host.map(range.start, range.len(), prot, MapFlags::SHARED, backing)
    };
    if prot.contains(Protection::WRITE) {
        return Ok(map(cx, host)?);
    }
    let path = format!("/proc/self/fd/{}", host.0);
    let reading = cx.host.open(path.as_bytes(), raw::O_RDONLY, 0)?;
    let mapped = map(cx, reading);
    cx.host.close(reading);
    Ok(mapped?)
}

/// shmdt (shmop(2)).
pub fn shmdt(cx: &mut Context<'_>, [address, ..]: [u64; 6]) -> Result<Outcome> {
    if !address.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL.into());
    }
    let attached_at = |range: Range, mapping: &Mapping| {
        mapping.is_segment && range.start.checked_sub(address) == Some(mapping.offset)
    };
    let space = cx.space();
    let mut parts = space.iter().filter(|&(range, mapping)| attached_at(range, mapping));
    let (first, Mapping { object, .. }) = parts.next().ok_or(Errno::EINVAL)?;
    // What is left of an attachment with holes goes with it.
    let rest = parts.filter(|(_, mapping)| mapping.object == *object).map(|(range, _)| range);
    let parts: Vec<Range> = core::iter::once(first).chain(rest).collect();
    for part in parts {
        cx.host.unmap(part.start, part.len())?;
        cx.space().remove(part);
    }
    cx.kernel.recount_attachments(cx.host);
    Ok(Outcome::Done(0))
}

/// shmctl(2).
pub fn shmctl(cx: &mut Context<'_>, [id, command, argument, ..]: [u64; 6]) -> Result<Outcome> {
    if (id as i32) < 0 || (command as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    match command as u32 {
        command::INFO => limits(cx, argument),
        command::SHM_INFO => totals(cx, argument),
        command::STAT => status(cx, id, Naming::Id, argument),
        command::SHM_STAT => status(cx, id, Naming::Place, argument),
        command::SHM_STAT_ANY => status(cx, id, Naming::PlaceForAll, argument),
        command::SET => {
            let new = cx.read(UserPtr::<RawPermission>::new(argument))?;
            let id = owned(cx, segments, id)?;
            let now = cx.kernel.ipc_time();
            let segment = cx.kernel.ipc.segments.get_mut(id)?;
            segment.permission.set(&new)?;
            segment.change_time = now;
            Ok(Outcome::Done(0))
        }
        command::REMOVE => {
            let id = owned(cx, segments, id)?;
            cx.kernel.ipc.segments.forget_key(id);
            let segment = cx.kernel.ipc.segments.get_mut(id)?;
            segment.permission.mode |= DESTROYED;
            if segment.is_finished() {
                cx.kernel.destroy_segment(cx.host, id);
            }
            Ok(Outcome::Done(0))
        }
        command::SHM_LOCK | command::SHM_UNLOCK => lock(cx, id, command as u32),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// Memory never leaves here, so that only the mark is kept.
fn lock(cx: &mut Context<'_>, id: u64, command: u32) -> Result<Outcome> {
    let id = Id::from_register(id)?;
    let who = cx.process().credentials.clone();
    let segment = cx.kernel.ipc.segments.get_mut(id)?;
    let owns = [segment.permission.uid, segment.permission.maker_uid].contains(&who.euid);
    if !owns && !who.can(Capabilities::IPC_LOCK) {
        return Err(Errno::EPERM.into());
    }
    match command {
        command::SHM_LOCK => segment.permission.mode |= LOCKED,
        _ => segment.permission.mode &= !LOCKED,
    }
    Ok(Outcome::Done(0))
}

fn status(cx: &mut Context<'_>, raw: u64, naming: Naming, to: u64) -> Result<Outcome> {
    let who = cx.process().credentials.clone();
    let (id, result) = named(&cx.kernel.ipc.segments, raw, naming, &who)?;
    let segment = cx.kernel.ipc.segments.get(id)?;
    let permission = segment.permission().to_raw(id.sequence());
    let status = SegmentStatus {
        size: segment.size,
        attach_time: segment.attach_time,
        detach_time: segment.detach_time,
        change_time: segment.change_time,
        maker: segment.maker,
        last: segment.last,
        attached: segment.attached,
        unused: [0; 2],
    };
    write_status(cx, to, &permission, &status)?;
    Ok(Outcome::Done(result))
}

/// `IPC_INFO`: `struct shminfo64`.
fn limits(cx: &mut Context<'_>, to: u64) -> Result<Outcome> {
    let [max, places, all] = ["shmmax", "shmmni", "shmall"].map(|name| setting(cx, name));
    cx.write(UserPtr::<[u64; 9]>::new(to), &[max, 1, places, places, all, 0, 0, 0, 0])?;
    Ok(Outcome::Done(cx.kernel.ipc.segments.last_place().into()))
}

/// `SHM_INFO`: `struct shm_info`. All memory counts as being there.
fn totals(cx: &mut Context<'_>, to: u64) -> Result<Outcome> {
    let segments = &cx.kernel.ipc.segments;
    let (count, last) = (segments.len() as u64, segments.last_place());
    let total: u64 = segments.iter().map(|(_, segment)| pages(segment.size)).sum();
    cx.write(UserPtr::<[u64; 6]>::new(to), &[count, total, total, 0, 0, 0])?;
    Ok(Outcome::Done(last.into()))
}
