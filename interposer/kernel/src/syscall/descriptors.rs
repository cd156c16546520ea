//! Descriptors as such.

use alloc::rc::Rc;
use core::cell::RefCell;

use crate::{
    context::Context,
    error::{Errno, Result},
    file::{Descriptor, Fd, FdTable, File, FileDescription, OpenFlags},
    outcome::{Outcome, Restart},
    process::Held,
};

/// Flags of close_range(2), which `linux_raw_sys` does not name.
const CLOSE_RANGE_UNSHARE: u32 = 2;
const CLOSE_RANGE_CLOEXEC: u32 = 4;

/// close(2).
pub fn close(cx: &mut Context<'_>, [fd, ..]: [u64; 6]) -> Result<Outcome> {
    if let Some(held) = cx.call().held.clone() {
        return linger(cx, &held.file);
    }
    let fd = Fd::from_register(fd)?;
    let file = cx.process().files.borrow_mut().remove(fd)?.description;
    let lingers = match &file.file {
        File::Socket(socket) if Rc::strong_count(&file) == 1 => socket.as_object().lingers(),
        _ => None,
    };
    if lingers.is_none() {
        cx.release(file);
        return Ok(Outcome::Done(0));
    }
    cx.deadline_after(lingers);
    cx.call().held = Some(Held { fd: None, file: Rc::clone(&file) });
    linger(cx, &file)
}

/// Waits until what a socket has sent has arrived, or for as long as it lingers (socket(7), `SO_LINGER`). The call's end
/// closes it. A signal ends the waiting, but is no error (`sk_stream_wait_close`).
fn linger(cx: &mut Context<'_>, file: &Rc<FileDescription>) -> Result<Outcome> {
    let File::Socket(socket) = &file.file else { return Ok(Outcome::Done(0)) };
    if cx.timed_out() || cx.call().interrupted || socket.as_object().lingers().is_none() {
        return Ok(Outcome::Done(0));
    }
    Ok(cx.block_on(&[socket.as_object().queue()], Restart::Never, "what it has sent to arrive"))
}

/// close_range(2).
pub fn close_range(cx: &mut Context<'_>, [first, last, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let (first, last, flags) = (first as u32, last as u32, flags as u32);
    if first > last || flags & !(CLOSE_RANGE_UNSHARE | CLOSE_RANGE_CLOEXEC) != 0 {
        return Err(Errno::EINVAL.into());
    }
    if flags & CLOSE_RANGE_UNSHARE != 0 {
        unshare(cx);
    }
    let files = Rc::clone(&cx.process().files);
    let range = Fd(first)..=Fd(last);
    if flags & CLOSE_RANGE_CLOEXEC != 0 {
        files.borrow_mut().mark_close_on_exec(&range);
        return Ok(Outcome::Done(0));
    }
    let closed = files.borrow_mut().remove_where(|fd, _| range.contains(&fd));
    for descriptor in closed {
        cx.release(descriptor.description);
    }
    Ok(Outcome::Done(0))
}

/// Gives the process a descriptor table of its own, if it shares one with another process.
fn unshare(cx: &mut Context<'_>) {
    let process = cx.process();
    if Rc::strong_count(&process.files) > 1 {
        let own: FdTable = process.files.borrow().clone();
        process.files = Rc::new(RefCell::new(own));
    }
}

/// dup(2).
pub fn dup(cx: &mut Context<'_>, [fd, ..]: [u64; 6]) -> Result<Outcome> {
    let description = cx.description_or_place(fd)?;
    cx.add_descriptor(description, false).map(Outcome::Done)
}

/// dup2(2).
pub fn dup2(cx: &mut Context<'_>, [old, new, ..]: [u64; 6]) -> Result<Outcome> {
    if old as u32 == new as u32 {
        cx.description_or_place(old)?;
        return Ok(Outcome::Done(new & 0xffff_ffff));
    }
    duplicate_to(cx, old, new, false)
}

/// dup3(2).
pub fn dup3(cx: &mut Context<'_>, [old, new, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = OpenFlags::from_bits(flags as u32).ok_or(Errno::EINVAL)?;
    if !OpenFlags::CLOSE_ON_EXEC.contains(flags) || old as u32 == new as u32 {
        return Err(Errno::EINVAL.into());
    }
    duplicate_to(cx, old, new, !flags.is_empty())
}

fn duplicate_to(cx: &mut Context<'_>, old: u64, new: u64, close_on_exec: bool) -> Result<Outcome> {
    let description = cx.description_or_place(old)?;
    let new = Fd::from_register(new)?;
    if u64::from(new.0) >= cx.kernel.descriptor_limit(cx.thread) {
        return Err(Errno::EBADF.into());
    }
    let replaced =
        cx.process().files.borrow_mut().set(new, Descriptor { description, close_on_exec });
    if let Some(replaced) = replaced {
        cx.release(replaced.description);
    }
    Ok(Outcome::Done(u64::from(new.0)))
}
