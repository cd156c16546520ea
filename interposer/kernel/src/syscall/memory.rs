//! Memory: mmap(2) and kin.

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{Device, DeviceFile, File, FileDescription},
    fs::Sharing,
    host::Backing,
    kernel::Kernel,
    mm::{MapFlags, Mapping, Protection, Range, prefault},
    outcome::Outcome,
    process::{INFINITY, Resource, code},
    uapi::limits::PAGE_SIZE,
};

use linux_raw_sys::general as raw;
use simrun_abi::layout;

use super::residence;

/// Mappings from this size on are aligned to it, so that the host can use huge pages.
const HUGE_PAGE: u64 = 2 << 20;

/// mmap(2).
pub fn mmap(
    cx: &mut Context<'_>,
    [address, len, prot, flags, fd, offset]: [u64; 6],
) -> Result<Outcome> {
    let prot = Protection::from_bits_truncate(prot as u32);
    if !offset.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL.into());
    }
    // Before anything else is looked at (`ksys_mmap_pgoff`).
    if flags as u32 & raw::MAP_ANONYMOUS == 0 {
        cx.description(fd)?;
    }
    if len == 0 {
        return Err(Errno::EINVAL.into());
    }
    let flags = MapFlags::of_call(flags as u32)?;
    let zeros = zeros(cx, fd, prot, flags)?;
    let flags = if zeros.is_some() { flags | MapFlags::ANONYMOUS } else { flags };
    let range = place(cx, address, len, flags)?;
    let locks = residence::locks_new(cx, flags, range.len())?;
    let (backing, mut mapping) = match zeros {
        Some(zeros) => (Backing::Anonymous, map_zeros(cx, prot, flags, zeros)),
        None => map_file(cx, fd, (offset, len), prot, flags)?,
    };
    mapping.is_locked = locks;
    if range.touches_simrun() {
        return if prot.is_empty() { Ok(Outcome::Done(range.start)) } else { Err(OURS) };
    }
    afford(cx, mapping.committed(range.len()), range.len())?;
    let kernels_own = MapFlags::FIXED
        | MapFlags::FIXED_NOREPLACE
        | MapFlags::LOW
        | MapFlags::GROWSDOWN
        | MapFlags::LOCKED;
    let host_flags = (flags - kernels_own) | prefault(flags, prot, range.len());
    cx.host.map(range.start, range.len(), prot, host_flags, backing)?;
    cx.space().insert(range, mapping);
    cx.kernel.recount_attachments(cx.host);
    if let Backing::File(fd, offset) = backing
        && prot.contains(Protection::EXEC)
        && !flags.contains(MapFlags::SHARED)
    {
        let space = cx.process().space;
        let Kernel { machine, spaces, .. } = &mut *cx.kernel;
        if let Some(space) = spaces.get_mut(space) {
            code::take_over(cx.host, &mut machine.code, space, range, prot, (fd, offset));
        }
    }
    Ok(Outcome::Done(range.start))
}

/// Memory full of zeros.
fn map_zeros(cx: &mut Context<'_>, prot: Protection, flags: MapFlags, zeros: Zeros) -> Mapping {
    if !flags.contains(MapFlags::SHARED) {
        return Mapping::anonymous(prot, kept(flags), b"");
    }
    let is_read_only = zeros == Zeros::OfReadOnlyDevice;
    Mapping { is_read_only, ..shared_zeros(cx, prot, flags, b"/dev/zero (deleted)") }
}

/// Memory full of zeros that others see, too, under this name.
fn shared_zeros(cx: &mut Context<'_>, prot: Protection, flags: MapFlags, name: &[u8]) -> Mapping {
    let object = cx.kernel.objects.fresh();
    Mapping { object, ..Mapping::anonymous(prot, kept(flags), name) }
}

/// Maps zeroed memory that the kernel shares with a program, under this name.
///
/// # Errors
/// `ENOMEM`.
pub(super) fn map_shared(cx: &mut Context<'_>, len: u64, name: &[u8]) -> Result<Range> {
    let prot = Protection::READ | Protection::WRITE;
    let flags = MapFlags::SHARED | MapFlags::ANONYMOUS;
    let range = place(cx, 0, len, flags)?;
    afford(cx, 0, range.len())?;
    let mapping = shared_zeros(cx, prot, flags, name);
    cx.host.map(range.start, range.len(), prot, flags, Backing::Anonymous)?;
    cx.space().insert(range, mapping);
    Ok(range)
}

/// What is mapped of a file, so many bytes from an offset on.
fn map_file(
    cx: &mut Context<'_>,
    fd: u64,
    (offset, len): (u64, u64),
    prot: Protection,
    flags: MapFlags,
) -> Result<(Backing, Mapping)> {
    let file = cx.description(fd)?;
    let is_shared = flags.contains(MapFlags::SHARED);
    let writes = is_shared && prot.contains(Protection::WRITE);
    check_open_to_map(&file, writes)?;
    let File::Regular(regular) = &file.file else { return Err(Errno::ENODEV.into()) };
    if flags.contains(MapFlags::GROWSDOWN) {
        return Err(Errno::EINVAL.into());
    }
    if writes {
        regular.check_shared_write()?;
    }
    let object = if is_shared { cx.kernel.objects.of_file(regular.inode.number) } else { 0 };
    // Later on it may be made writable, if the file is open for writing and no seal forbids it.
    let can_write = file.flags.get().writes() && regular.check_shared_write().is_ok();
    let mapping = Mapping {
        offset,
        inode: regular.inode.number,
        object,
        is_read_only: is_shared && !can_write,
        ..Mapping::anonymous(prot, kept(flags), &file.path.borrow())
    };
    let shares_writes = is_shared && can_write;
    let sharing = if shares_writes { Sharing::Shared } else { Sharing::Private };
    if shares_writes {
        cx.env().will_map(&regular.inode, offset, len)?;
    }
    regular.was_read(&mut cx.env(), &file);
    let tree = cx.env().tree();
    Ok((Backing::File(regular.to_map(&tree, cx.host, sharing)?, offset), mapping))
}

/// Refuses to map what is not open for it.
fn check_open_to_map(file: &FileDescription, writes: bool) -> Result<()> {
    let flags = file.flags.get();
    if flags.reads() && (flags.writes() || !writes) { Ok(()) } else { Err(Errno::EACCES.into()) }
}

/// What a mapping full of zeros is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Zeros {
    /// No file, or `/dev/zero`, which is as good (zero(4)).
    Plain,
    /// `/dev/zero`, open for reading alone.
    OfReadOnlyDevice,
}

/// What a mapping is of, if it is full of zeros.
fn zeros(
    cx: &mut Context<'_>,
    fd: u64,
    prot: Protection,
    flags: MapFlags,
) -> Result<Option<Zeros>> {
    if flags.contains(MapFlags::ANONYMOUS) {
        return Ok(Some(Zeros::Plain));
    }
    let file = cx.description(fd)?;
    let File::Device(DeviceFile { device: Device::Zero, .. }) = &file.file else {
        return Ok(None);
    };
    check_open_to_map(&file, flags.contains(MapFlags::SHARED) && prot.contains(Protection::WRITE))?;
    let may_write = file.flags.get().writes();
    Ok(Some(if may_write { Zeros::Plain } else { Zeros::OfReadOnlyDevice }))
}

/// How often all address spaces together may commit the machine's memory: they share much of it after fork.
const OVERCOMMIT: u64 = 4;

/// Refuses memory that the machine has not, or that the process's limits forbid.
pub(super) fn afford(cx: &mut Context<'_>, commits: u64, maps: u64) -> Result<()> {
    let memory = cx.kernel.machine.config.memory;
    let limits = cx.process().limits.clone();
    let (space_limit, data_limit) =
        (limits.soft(Resource::AddressSpace), limits.soft(Resource::Data));
    let committed = cx.space().committed.saturating_add(commits);
    if commits > 0 {
        let all: u64 = cx.kernel.spaces.iter().map(|(_, space)| space.committed).sum();
        if committed > memory || all.saturating_add(commits) > memory.saturating_mul(OVERCOMMIT) {
            return Err(Error::new(Errno::ENOMEM, "the machine has no more memory"));
        }
        if committed > data_limit {
            return Err(Error::new(Errno::ENOMEM, "more than RLIMIT_DATA"));
        }
    }
    if space_limit != INFINITY && cx.space().mapped().saturating_add(maps) > space_limit {
        return Err(Error::new(Errno::ENOMEM, "more than RLIMIT_AS"));
    }
    Ok(())
}

pub(super) const OURS: Error = Error::new(Errno::ENOMEM, "the range belongs to simrun");

/// The flags that are remembered. Stacks count as not accounted for: nobody fills thousands of them.
fn kept(mut flags: MapFlags) -> MapFlags {
    flags.set(MapFlags::NORESERVE, flags.intersects(MapFlags::NORESERVE | MapFlags::STACK));
    flags & (MapFlags::SHARED | MapFlags::PRIVATE | MapFlags::NORESERVE | MapFlags::ANONYMOUS)
}

/// Where a new mapping goes.
pub(super) fn place(
    cx: &mut Context<'_>,
    address: u64,
    len: u64,
    flags: MapFlags,
) -> Result<Range> {
    let space = cx.space();
    if flags.intersects(MapFlags::FIXED | MapFlags::FIXED_NOREPLACE) {
        let range = Range::pages(address, len)?;
        if range.start < layout::USER_START {
            return Err(Errno::EPERM.into());
        }
        if flags.contains(MapFlags::FIXED_NOREPLACE) && !space.within(range).is_empty() {
            return Err(Errno::EEXIST.into());
        }
        return Ok(range);
    }
    let size = len.checked_next_multiple_of(PAGE_SIZE).ok_or(Errno::ENOMEM)?;
    let hint = address & !(PAGE_SIZE - 1);
    if hint >= layout::USER_START
        && let Ok(range) = Range::pages(hint, size)
        && !range.touches_simrun()
        && space.within(range).is_empty()
        && !(flags.contains(MapFlags::LOW) && range.end > 1 << 31)
    {
        return Ok(range);
    }
    let align = if size >= HUGE_PAGE { HUGE_PAGE } else { PAGE_SIZE };
    let start = if flags.contains(MapFlags::LOW) {
        space.find_free_below(1 << 31, size, PAGE_SIZE)?
    } else {
        space.find_free(size, align).or_else(|_| space.find_free(size, PAGE_SIZE))?
    };
    Range::pages(start, size)
}

/// munmap(2).
pub fn munmap(cx: &mut Context<'_>, [address, len, ..]: [u64; 6]) -> Result<Outcome> {
    let range = Range::pages(address, len).map_err(|_| Errno::EINVAL)?;
    if range.touches_simrun() {
        // To the program nothing is mapped where simrun is.
        for (part, _) in cx.space().within(range) {
            cx.host.unmap(part.start, part.len())?;
        }
    } else {
        cx.host.unmap(range.start, range.len())?;
    }
    cx.space().remove(range);
    cx.kernel.recount_attachments(cx.host);
    Ok(Outcome::Done(0))
}

/// mprotect(2). What lies before a gap, or before what may not be changed so, is changed all the same
/// (`do_mprotect_pkey`).
pub fn mprotect(cx: &mut Context<'_>, [address, len, prot, ..]: [u64; 6]) -> Result<Outcome> {
    if len == 0 && address.is_multiple_of(PAGE_SIZE) {
        return Ok(Outcome::Done(0));
    }
    let range = Range::pages(address, len)?;
    let prot =
        Protection::from_bits_truncate(prot as u32) - Protection::GROWSDOWN - Protection::GROWSUP;
    if range.touches_simrun() {
        return Err(Errno::ENOMEM.into());
    }
    let writes = prot.contains(Protection::WRITE);
    let (mut end, mut commits, mut refused) = (range.start, 0, None);
    for (part, mapping) in cx.space().within(range) {
        if part.start != end {
            break;
        }
        if writes && mapping.is_read_only {
            refused = Some(Error::new(Errno::EACCES, "the file is not open for writing"));
            break;
        }
        let now = Mapping { prot, ..mapping.clone() }.committed(part.len());
        commits += now.saturating_sub(mapping.committed(part.len()));
        end = part.end;
    }
    let done = Range { start: range.start, end };
    if !done.is_empty() {
        afford(cx, commits, 0)?;
        cx.host.protect(done.start, done.len(), prot)?;
        cx.space().change(done, |mapping| mapping.prot = prot);
        cx.kernel.recount_attachments(cx.host);
    }
    match refused {
        Some(error) => Err(error),
        None if end < range.end => Err(Errno::ENOMEM.into()),
        None => Ok(Outcome::Done(0)),
    }
}

/// brk(2).
pub fn brk(cx: &mut Context<'_>, [address, ..]: [u64; 6]) -> Result<Outcome> {
    let (start, end) = (cx.space().break_start, cx.space().break_end);
    if address < start || address > start + layout::BREAK_SIZE_MAX {
        return Ok(Outcome::Done(end));
    }
    let (old, new) = (end.next_multiple_of(PAGE_SIZE), address.next_multiple_of(PAGE_SIZE));
    let prot = Protection::READ | Protection::WRITE;
    let flags = MapFlags::PRIVATE | MapFlags::ANONYMOUS;
    if new > old {
        let range = Range { start: old, end: new };
        // The first time is more than most small programs need.
        let at_once =
            if old > start { prefault(flags, prot, range.len()) } else { MapFlags::empty() };
        let locks = residence::locks_new(cx, flags, range.len());
        if !cx.space().within(range).is_empty()
            || locks.is_err()
            || afford(cx, range.len(), range.len()).is_err()
            || cx.host.map(old, new - old, prot, flags | at_once, Backing::Anonymous).is_err()
        {
            return Ok(Outcome::Done(end));
        }
        let is_locked = locks.is_ok_and(|locks| locks);
        let heap = Mapping { is_locked, ..Mapping::anonymous(prot, flags, b"[heap]") };
        cx.space().insert(range, heap);
    } else if new < old {
        cx.host.unmap(new, old - new)?;
        cx.space().remove(Range { start: new, end: old });
    }
    cx.space().break_end = address;
    Ok(Outcome::Done(address))
}

/// madvise(2).
pub fn madvise(cx: &mut Context<'_>, [address, len, advice, ..]: [u64; 6]) -> Result<Outcome> {
    let advice = advice as u32;
    if !is_advice(advice) || !address.is_multiple_of(PAGE_SIZE) {
        return Err(Errno::EINVAL.into());
    }
    if len == 0 {
        return Ok(Outcome::Done(0));
    }
    let range = Range::pages(address, len)?;
    if range.touches_simrun() {
        return Err(OURS);
    }
    // What is in front of a mapping that refuses it is advised all the same.
    let parts = cx.space().within(range);
    let refusal =
        |(part, mapping): &(Range, Mapping)| Some((part.start, refuses(advice, mapping)?));
    let refused = parts.iter().find_map(refusal);
    let end = refused.map_or(range.end, |(end, _)| end);
    let range = Range { end, ..range };
    let advised = if range.is_empty() { Ok(()) } else { advise(cx, range, advice) };
    match (advised, refused) {
        // A gap counts when all else is well.
        (Ok(()) | Err(Error { errno: Errno::ENOMEM, .. }), Some((_, errno))) => Err(errno.into()),
        (Err(error), _) => Err(error),
        _ if !cx.space().covers(range) => Err(Errno::ENOMEM.into()),
        _ => Ok(Outcome::Done(0)),
    }
}

/// Why this cannot be advised of a mapping, if so (`madvise_vma_behavior`).
fn refuses(advice: u32, mapping: &Mapping) -> Option<Errno> {
    let is_shared = mapping.flags.contains(MapFlags::SHARED);
    let is_plain = mapping.inode == 0 && !is_shared;
    match advice {
        raw::MADV_DONTNEED
        | raw::MADV_FREE
        | raw::MADV_COLD
        | raw::MADV_PAGEOUT
        | raw::MADV_REMOVE
            if mapping.is_locked =>
        {
            Some(Errno::EINVAL)
        }
        raw::MADV_FREE | raw::MADV_WIPEONFORK if !is_plain => Some(Errno::EINVAL),
        raw::MADV_REMOVE if is_plain => Some(Errno::EINVAL),
        // Bytes of a file are given up, as by writing.
        raw::MADV_REMOVE if !is_shared || mapping.is_read_only => Some(Errno::EACCES),
        _ => None,
    }
}

fn advise(cx: &mut Context<'_>, range: Range, advice: u32) -> Result<()> {
    let mut tell = |advice: u32| cx.host.advise(range.start, range.len(), advice as i32);
    match advice {
        raw::MADV_HWPOISON | raw::MADV_SOFT_OFFLINE => return Err(Errno::EPERM.into()),
        // When the host gives freed pages up depends on its load; at once is as good.
        raw::MADV_FREE => tell(raw::MADV_DONTNEED)?,
        raw::MADV_DONTNEED
        | raw::MADV_REMOVE
        | raw::MADV_WIPEONFORK
        | raw::MADV_KEEPONFORK
        | raw::MADV_POPULATE_READ
        | raw::MADV_POPULATE_WRITE
        | raw::MADV_DONTNEED_LOCKED => tell(advice)?,
        // Only the host's speed depends on these.
        raw::MADV_HUGEPAGE | raw::MADV_NOHUGEPAGE => drop(tell(advice)),
        // The host says what a gap comes to when it has done the rest, and so does what follows here.
        raw::MADV_DONTFORK | raw::MADV_DOFORK => {
            let _ = tell(advice);
            let stays_behind = advice == raw::MADV_DONTFORK;
            cx.space().change(range, |mapping| mapping.stays_behind = stays_behind);
        }
        _ => {}
    }
    Ok(())
}

/// Whether it is advice that Linux knows (`madvise_behavior_valid`).
fn is_advice(advice: u32) -> bool {
    // Pages of equal contents are not merged here, as with CONFIG_KSM off.
    let merges = matches!(advice, raw::MADV_MERGEABLE | raw::MADV_UNMERGEABLE);
    let is_known = matches!(
        advice,
        raw::MADV_NORMAL..=raw::MADV_DONTNEED
            | raw::MADV_FREE..=raw::MADV_COLLAPSE
            | raw::MADV_HWPOISON
            | raw::MADV_SOFT_OFFLINE
    );
    is_known && !merges
}

const MREMAP_MAYMOVE: u64 = 1;
const MREMAP_FIXED: u64 = 2;
const MREMAP_DONTUNMAP: u64 = 4;

/// mremap(2).
pub fn mremap(
    cx: &mut Context<'_>,
    [address, old_len, new_len, flags, target, _]: [u64; 6],
) -> Result<Outcome> {
    let new_size = new_len.checked_next_multiple_of(PAGE_SIZE).unwrap_or(0);
    let old_size = old_len.checked_next_multiple_of(PAGE_SIZE).unwrap_or(0);
    check_mremap((address, old_size), (target, new_size), flags)?;
    let shared_copy = old_len == 0;
    let old = Range::pages(address, old_len.max(1))?;
    let parts = cx.space().within(old);
    let first = parts.first().filter(|(part, _)| part.start == old.start && !old.touches_simrun());
    let (first, mapping) = first.cloned().ok_or(Errno::EFAULT)?;
    if shared_copy && !mapping.flags.contains(MapFlags::SHARED) {
        return Err(Error::new(Errno::EINVAL, "there is no second view of private memory"));
    }
    let stays = flags & (MREMAP_FIXED | MREMAP_DONTUNMAP) == 0 && !shared_copy;
    if stays && new_size <= old.len() {
        cut(cx, Range { start: old.start + new_size, end: old.end })?;
        return Ok(Outcome::Done(address));
    }
    // Several mappings can only be moved, and only by a host that is new enough.
    if first != old && new_size != old.len() {
        return Err(Errno::EFAULT.into());
    }
    let grows = new_size.saturating_sub(if shared_copy { 0 } else { old.len() });
    if mapping.is_locked {
        residence::check_more_locked(cx, grows)?;
    }
    afford(cx, mapping.committed(grows), grows)?;
    let grown = Range { start: old.start, end: old.start + new_size };
    let tail = Range { start: old.end, end: grown.end };
    if stays
        && tail.end <= layout::USER_END
        && !tail.touches_simrun()
        && cx.space().within(tail).is_empty()
    {
        cx.host.remap(old.start, old.len(), old.start, new_size, false)?;
        cx.space().insert(grown, mapping);
        return Ok(Outcome::Done(address));
    }
    if flags & MREMAP_MAYMOVE == 0 {
        return Err(Errno::ENOMEM.into());
    }
    let start = if flags & MREMAP_FIXED != 0 {
        target
    } else {
        let align = if new_size >= HUGE_PAGE { HUGE_PAGE } else { PAGE_SIZE };
        cx.space().find_free(new_size, align)?
    };
    let to = Range::pages(start, new_size)?;
    if to.touches_simrun() {
        return Err(OURS);
    }
    let keeps_old = flags & MREMAP_DONTUNMAP != 0 || shared_copy;
    let host_len = if shared_copy { 0 } else { old.len() };
    cx.host.remap(old.start, host_len, to.start, new_size, flags & MREMAP_DONTUNMAP != 0)?;
    if !keeps_old {
        cx.space().remove(old);
    }
    if new_size == old.len() {
        // The host moves several mappings at once, if it is new enough, and refuses otherwise.
        cx.space().remove(to);
        for (part, mapping) in parts {
            let at = to.start + (part.start - old.start);
            cx.space().insert(Range { start: at, end: at + part.len() }, mapping);
        }
    } else {
        cx.space().insert(to, mapping);
    }
    cx.kernel.recount_attachments(cx.host);
    Ok(Outcome::Done(to.start))
}

/// Unmaps what a mapping loses at its end, if anything.
fn cut(cx: &mut Context<'_>, tail: Range) -> Result<()> {
    if !tail.is_empty() {
        cx.host.unmap(tail.start, tail.len())?;
        cx.space().remove(tail);
        cx.kernel.recount_attachments(cx.host);
    }
    Ok(())
}

/// What Linux finds wrong before it looks at what is mapped (`check_mremap_params`).
fn check_mremap((from, old): (u64, u64), (to, new): (u64, u64), flags: u64) -> Result<()> {
    let (fixed, keeps) = (flags & MREMAP_FIXED != 0, flags & MREMAP_DONTUNMAP != 0);
    let overlaps = || from.saturating_add(old) > to && to + new > from;
    let is_wrong = flags & !(MREMAP_MAYMOVE | MREMAP_FIXED | MREMAP_DONTUNMAP) != 0
        || !from.is_multiple_of(PAGE_SIZE)
        || new == 0
        || new > layout::USER_END
        || ((fixed || keeps) && flags & MREMAP_MAYMOVE == 0)
        || (fixed && (!to.is_multiple_of(PAGE_SIZE) || to > layout::USER_END - new || overlaps()))
        || (keeps && old != new);
    if is_wrong { Err(Errno::EINVAL.into()) } else { Ok(()) }
}
