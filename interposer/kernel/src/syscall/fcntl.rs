//! fcntl(2); its record locks are in [`locks`].

use linux_raw_sys::general as raw;

use super::locks;
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{Descriptor, Fd, File, FileDescription, OpenFlags, OwnerKind},
    outcome::Outcome,
    signal::Signal,
    user::UserPtr,
};

/// Commands that `linux_raw_sys` does not name (include/uapi/linux/fcntl.h).
const F_DUPFD_QUERY: u32 = 1027;
const F_CREATED_QUERY: u32 = 1028;

/// fcntl(2).
pub fn fcntl(cx: &mut Context<'_>, [fd, command, argument, ..]: [u64; 6]) -> Result<Outcome> {
    if let Some(result) = locks::record_lock(cx, fd, command as u32, argument) {
        return result;
    }
    let file = cx.description(fd)?;
    let value = match command as u32 {
        raw::F_DUPFD => duplicate(cx, fd, argument, false)?,
        raw::F_DUPFD_CLOEXEC => duplicate(cx, fd, argument, true)?,
        F_DUPFD_QUERY => {
            let other = cx.description(argument)?;
            u64::from(alloc::rc::Rc::ptr_eq(&file, &other))
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
        raw::F_SETFL => set_flags(&file, argument),
        raw::F_SETOWN
        | raw::F_GETOWN
        | raw::F_SETSIG
        | raw::F_GETSIG
        | raw::F_SETOWN_EX
        | raw::F_GETOWN_EX => owner(cx, &file, command as u32, argument)?,
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
            file.file.as_object().add_seals(&mut cx.env(), argument as u32)?;
            0
        }
        _ => return Err(Error::new(Errno::EINVAL, "no such command of fcntl")),
    };
    Ok(Outcome::Done(value))
}

fn pipe(file: &FileDescription) -> Result<&crate::file::PipeEnd> {
    match &file.file {
        File::Pipe(end) => Ok(end),
        _ => Err(Errno::EBADF.into()),
    }
}

fn duplicate(cx: &mut Context<'_>, fd: u64, from: u64, close_on_exec: bool) -> Result<u64> {
    let description = cx.description(fd)?;
    let limit = cx.kernel.descriptor_limit(cx.thread);
    let from = u32::try_from(from as i32).map_err(|_| Errno::EINVAL)?;
    if u64::from(from) >= limit {
        return Err(Errno::EINVAL.into());
    }
    let descriptor = Descriptor { description, close_on_exec };
    let added = cx.process().files.borrow_mut().add(descriptor, Fd(from), limit)?;
    Ok(u64::from(added.0))
}

fn set_flags(file: &FileDescription, flags: u64) -> u64 {
    let settable = OpenFlags::from_bits_truncate(flags as u32) & OpenFlags::SETTABLE;
    file.flags.set(file.flags.get().difference(OpenFlags::SETTABLE) | settable);
    0
}

/// Who is told that a description with `O_ASYNC` has become ready, and by what. Kept only: no file sends it yet.
fn owner(cx: &mut Context<'_>, file: &FileDescription, command: u32, argument: u64) -> Result<u64> {
    let mut owner = file.owner.get();
    match command {
        raw::F_SETOWN => {
            let id = argument as i32;
            owner.kind = if id < 0 { OwnerKind::Group } else { OwnerKind::Process };
            owner.id = id.checked_abs().ok_or(Errno::EINVAL)?;
        }
        raw::F_GETOWN => {
            let sign = if owner.kind == OwnerKind::Group { -1 } else { 1 };
            return Ok(i64::from(sign * owner.id) as u64);
        }
        raw::F_SETSIG => {
            owner.signal = match argument as u32 {
                0 => None,
                number => Some(Signal::new(number.into()).ok_or(Errno::EINVAL)?),
            };
        }
        raw::F_GETSIG => return Ok(owner.signal.map_or(0, |signal| u64::from(signal.number()))),
        raw::F_SETOWN_EX => {
            let [kind, id] = cx.read(UserPtr::<[i32; 2]>::new(argument))?;
            owner.kind = match kind as u32 {
                raw::F_OWNER_TID => OwnerKind::Thread,
                raw::F_OWNER_PID => OwnerKind::Process,
                raw::F_OWNER_PGRP => OwnerKind::Group,
                _ => return Err(Errno::EINVAL.into()),
            };
            owner.id = id;
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
    file.owner.set(owner);
    Ok(0)
}
