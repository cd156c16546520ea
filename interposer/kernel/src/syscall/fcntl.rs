//! fcntl(2); its record locks are in [`locks`].

use alloc::rc::Rc;

use linux_raw_sys::general as raw;

use super::locks;
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{Descriptor, Fd, File, FileDescription, OpenFlags},
    mm::{MapFlags, Mapping},
    outcome::Outcome,
    process::Tid,
    signal::Signal,
    user::UserPtr,
    wait::{Owner, OwnerKind},
};

/// Commands that `linux_raw_sys` does not name (include/uapi/linux/fcntl.h).
const F_DUPFD_QUERY: u32 = 1027;
const F_CREATED_QUERY: u32 = 1028;

/// The commands for descriptors that were opened with `O_PATH` (`check_fcntl_cmd` in fs/fcntl.c).
const ON_PLACES: [u32; 7] = [
    raw::F_DUPFD,
    raw::F_DUPFD_CLOEXEC,
    F_DUPFD_QUERY,
    F_CREATED_QUERY,
    raw::F_GETFD,
    raw::F_SETFD,
    raw::F_GETFL,
];

/// fcntl(2).
pub fn fcntl(cx: &mut Context<'_>, [fd, command, argument, ..]: [u64; 6]) -> Result<Outcome> {
    if let Some(result) = locks::record_lock(cx, fd, command as u32, argument) {
        return result;
    }
    let file = cx.description_or_place(fd)?;
    if file.is_place() && !ON_PLACES.contains(&(command as u32)) {
        return Err(Errno::EBADF.into());
    }
    let value = match command as u32 {
        raw::F_DUPFD => duplicate(cx, fd, argument, false)?,
        raw::F_DUPFD_CLOEXEC => duplicate(cx, fd, argument, true)?,
        F_DUPFD_QUERY => {
            let other = cx.description_or_place(argument)?;
            u64::from(Rc::ptr_eq(&file, &other))
        }
        F_CREATED_QUERY => 0,
        raw::F_GETFD => {
            let marked = cx.process().files.borrow().get(Fd::from_register(fd)?)?.close_on_exec;
            if marked { u64::from(raw::FD_CLOEXEC) } else { 0 }
        }
        raw::F_SETFD => {
            let marked = argument as u32 & raw::FD_CLOEXEC != 0;
            let fd = Fd::from_register(fd)?;
            cx.process().files.borrow_mut().get_mut(fd)?.close_on_exec = marked;
            0
        }
        raw::F_GETFL => u64::from(file.flags.get().bits()),
        raw::F_SETFL => set_flags(cx, &file, fd, argument),
        raw::F_SETOWN
        | raw::F_GETOWN
        | raw::F_SETSIG
        | raw::F_GETSIG
        | raw::F_SETOWN_EX
        | raw::F_GETOWN_EX => owner(cx, &file, [fd, command, argument])?,
        // Nothing to watch for: what was watched for before, which is nothing too, ends.
        raw::F_NOTIFY if argument as u32 & !raw::DN_MULTISHOT == 0 => 0,
        raw::F_GETPIPE_SZ => pipe(&file)?.pipe.capacity() as u64,
        raw::F_SETPIPE_SZ => {
            let size = u64::from(argument as u32);
            pipe(&file)?.pipe.set_capacity(size, &mut cx.kernel.machine)? as u64
        }
        raw::F_GET_SEALS => u64::from(file.file.as_object().seals()?),
        raw::F_ADD_SEALS => {
            file.check_writes().map_err(|_| Errno::EPERM)?;
            check_unmapped(cx, &file, argument as u32)?;
            file.file.as_object().add_seals(&mut cx.env(), argument as u32)?;
            0
        }
        _ => return Err(Error::new(Errno::EINVAL, "no such command of fcntl")),
    };
    Ok(Outcome::Done(value))
}

/// Refuses a seal against writing while programs can write through memory (`mapping_deny_writable`).
fn check_unmapped(cx: &mut Context<'_>, file: &FileDescription, seals: u32) -> Result<()> {
    let is_new = file.file.as_object().seals()? & (raw::F_SEAL_WRITE | raw::F_SEAL_SEAL) == 0;
    let File::Regular(regular) = &file.file else { return Ok(()) };
    if seals & raw::F_SEAL_WRITE == 0 || !is_new {
        return Ok(());
    }
    let is_writable =
        |mapping: &Mapping| mapping.flags.contains(MapFlags::SHARED) && !mapping.is_read_only;
    let kernel = &*cx.kernel;
    let is_mapped = kernel.own_processes().any(|(_, process)| {
        let space = kernel.spaces.get(process.space);
        space.is_some_and(|space| {
            space.of_file(regular.inode.number).any(|(_, mapping)| is_writable(mapping))
        })
    });
    if is_mapped { Err(Errno::EBUSY.into()) } else { Ok(()) }
}

fn pipe(file: &FileDescription) -> Result<&crate::file::PipeEnd> {
    match &file.file {
        File::Pipe(end) => Ok(end),
        _ => Err(Errno::EBADF.into()),
    }
}

fn duplicate(cx: &mut Context<'_>, fd: u64, from: u64, close_on_exec: bool) -> Result<u64> {
    let description = cx.description_or_place(fd)?;
    let limit = cx.kernel.descriptor_limit(cx.thread);
    let from = u32::try_from(from as i32).map_err(|_| Errno::EINVAL)?;
    if u64::from(from) >= limit {
        return Err(Errno::EINVAL.into());
    }
    let descriptor = Descriptor { description, close_on_exec };
    let added = cx.process().files.borrow_mut().add(descriptor, Fd(from), limit)?;
    Ok(u64::from(added.0))
}

fn set_flags(cx: &mut Context<'_>, file: &Rc<FileDescription>, fd: u64, flags: u64) -> u64 {
    let settable = OpenFlags::from_bits_truncate(flags as u32) & OpenFlags::SETTABLE;
    let kept = file.flags.get().difference(OpenFlags::SETTABLE);
    file.flags.set(kept | (settable - OpenFlags::ASYNC));
    // What cannot send signals never shows that it should (`setfl` in fs/fcntl.c).
    if file.file.as_object().can_notify() {
        set_async(cx, file, fd, settable.contains(OpenFlags::ASYNC));
    }
    0
}

/// Begins or ends to tell a description's owner by signals.
pub(super) fn set_async(cx: &mut Context<'_>, file: &Rc<FileDescription>, fd: u64, on: bool) {
    let mut flags = file.flags.get();
    flags.set(OpenFlags::ASYNC, on);
    file.flags.set(flags);
    if let (true, File::Terminal(end)) = (on && file.owner.get().id == 0, &file.file) {
        // As `__tty_fasync` does, so that shells' jobs hear of their terminal.
        let (kind, number) = match end.terminal.foreground() {
            Some(group) => (OwnerKind::Group, group),
            None => (OwnerKind::Process, cx.process().pid),
        };
        let who = &cx.process().credentials;
        let (id, users) = (number.raw() as i32, (who.uid, who.euid));
        file.owner.set(Owner { kind, id, users, ..file.owner.get() });
    }
    file.follow_for_owner(fd as u32);
}

/// Names who is told of a description: a process, or with a negative number a process group.
///
/// # Errors
/// `ESRCH` if nobody has the number, `EINVAL`.
pub(super) fn set_owner(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    fd: u64,
    id: i32,
) -> Result<()> {
    let kind = if id < 0 { OwnerKind::Group } else { OwnerKind::Process };
    own(cx, file, fd, kind, id.checked_abs().ok_or(Errno::EINVAL)?)
}

fn own(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    fd: u64,
    kind: OwnerKind,
    id: i32,
) -> Result<()> {
    let number = Tid::new(id.unsigned_abs());
    let is_group = || cx.kernel.own_processes().any(|(_, one)| one.group == number);
    let exists = cx.kernel.tids.contains_key(&number) || cx.kernel.pids.contains_key(&number);
    if id != 0 && !exists && !is_group() {
        return Err(Errno::ESRCH.into());
    }
    let who = &cx.process().credentials;
    file.owner.set(Owner { kind, id, users: (who.uid, who.euid), ..file.owner.get() });
    if file.file.as_object().can_notify() {
        file.follow_for_owner(fd as u32);
    }
    Ok(())
}

/// Who is told of a description, as a number that is negative for a process group.
#[must_use]
pub(super) fn owner_number(file: &FileDescription) -> i32 {
    let owner = file.owner.get();
    if owner.kind == OwnerKind::Group { -owner.id } else { owner.id }
}

/// Who is told that a description with `O_ASYNC` has become ready, and by what.
fn owner(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    [fd, command, argument]: [u64; 3],
) -> Result<u64> {
    let owner = file.owner.get();
    match command as u32 {
        raw::F_SETOWN => set_owner(cx, file, fd, argument as i32)?,
        raw::F_GETOWN => return Ok(i64::from(owner_number(file)) as u64),
        raw::F_SETSIG => {
            let signal = argument as u32;
            if signal != 0 && Signal::new(signal.into()).is_none() {
                return Err(Errno::EINVAL.into());
            }
            file.owner.set(Owner { signal, ..owner });
        }
        raw::F_GETSIG => return Ok(owner.signal.into()),
        raw::F_SETOWN_EX => {
            let [kind, id] = cx.read(UserPtr::<[i32; 2]>::new(argument))?;
            let kind = match kind as u32 {
                raw::F_OWNER_TID => OwnerKind::Thread,
                raw::F_OWNER_PID => OwnerKind::Process,
                raw::F_OWNER_PGRP => OwnerKind::Group,
                _ => return Err(Errno::EINVAL.into()),
            };
            own(cx, file, fd, kind, id)?;
        }
        _ => {
            let kind = match owner.kind {
                OwnerKind::Thread => raw::F_OWNER_TID,
                OwnerKind::Process => raw::F_OWNER_PID,
                OwnerKind::Group => raw::F_OWNER_PGRP,
            };
            cx.write(UserPtr::new(argument), &[kind as i32, owner.id])?;
        }
    }
    Ok(0)
}
