//! Reading, writing, and descriptors as such.

use alloc::rc::Rc;

use linux_raw_sys::general::SIGPIPE;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{Descriptor, Fd, FileDescription, OpenFlags, Whence},
    fs::views,
    machine::SignalTarget,
    outcome::Outcome,
    signal::{Signal, SignalInfo},
    uapi::limits::RW_COUNT_MAX,
    user::{self, UserSlice},
    wait::Readiness,
};

/// `si_code` of a signal that a process sends, as which this one counts (sigaction(2)).
const SI_USER: i32 = 0;

fn slice(address: u64, len: u64) -> Result<UserSlice> {
    let slice = UserSlice::new(address, len.min(RW_COUNT_MAX as u64));
    slice.check()?;
    Ok(slice)
}

/// read(2).
pub fn read(cx: &mut Context<'_>, [fd, buffer, len, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let into = slice(buffer, len)?;
    read_some(cx, &file, &[into])
}

/// readv(2).
pub fn readv(cx: &mut Context<'_>, [fd, vector, count, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let into = user::read_iovec(cx.host, vector, count)?;
    read_some(cx, &file, &into)
}

fn read_some(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    into: &[UserSlice],
) -> Result<Outcome> {
    let result = file.read(&mut cx.env(), into);
    cx.or_block_for(file, result, Readiness::READABLE, "data to read")
}

/// write(2).
pub fn write(cx: &mut Context<'_>, [fd, buffer, len, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let from = slice(buffer, len)?;
    write_all(cx, &file, &[from])
}

/// writev(2).
pub fn writev(cx: &mut Context<'_>, [fd, vector, count, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let from = user::read_iovec(cx.host, vector, count)?;
    write_all(cx, &file, &from)
}

/// Writes everything on a blocking descriptor, over as many attempts as it takes.
fn write_all(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    from: &[UserSlice],
) -> Result<Outcome> {
    let total = user::total_len(from);
    let mut done = cx.call().progress as usize;
    let result = if done == 0 {
        file.write(&mut cx.env(), from)
    } else {
        file.write(&mut cx.env(), &user::skip(from, done))
    };
    match result {
        Ok(moved) => {
            done += moved;
            if done >= total || moved == 0 || file.is_nonblocking() || file.queue().is_none() {
                return Ok(Outcome::Done(done as u64));
            }
            cx.call().progress = done as u64;
            wait_to_write(cx, file, Errno::EAGAIN.into())
        }
        Err(error) => {
            if error.errno == Errno::EPIPE {
                raise_broken_pipe(cx);
            }
            let waits = error.errno == Errno::EAGAIN && !file.is_nonblocking();
            if done > 0 && !waits {
                return Ok(Outcome::Done(done as u64));
            }
            wait_to_write(cx, file, error)
        }
    }
}

fn wait_to_write(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    error: Error,
) -> Result<Outcome> {
    cx.or_block_for(file, Err(error), Readiness::WRITABLE, "room to write")
}

/// Sends the calling thread the signal of one who writes where nobody can read any more.
pub(super) fn raise_broken_pipe(cx: &mut Context<'_>) {
    let signal = Signal::new(u64::from(SIGPIPE)).expect("a signal");
    let (pid, uid) = (cx.process().pid.raw(), cx.process().credentials.uid);
    let sender = u64::from(pid) | u64::from(uid) << 32;
    let info = SignalInfo { signal, code: SI_USER, errno: 0, fields: [sender, 0, 0] };
    cx.kernel.machine.post_signal(SignalTarget::Thread(cx.thread), info);
}

/// pread(2).
pub fn pread64(cx: &mut Context<'_>, [fd, buffer, len, offset, ..]: [u64; 6]) -> Result<Outcome> {
    let at = u64::try_from(offset as i64).map_err(|_| Errno::EINVAL)?;
    let file = cx.description(fd)?;
    let into = slice(buffer, len)?;
    if at == 0 {
        views::refresh(cx.kernel, cx.thread, &file);
    }
    Ok(Outcome::Done(file.read_at(&mut cx.env(), &[into], at)? as u64))
}

/// close(2).
pub fn close(cx: &mut Context<'_>, [fd, ..]: [u64; 6]) -> Result<Outcome> {
    cx.close(fd)?;
    Ok(Outcome::Done(0))
}

/// dup(2).
pub fn dup(cx: &mut Context<'_>, [fd, ..]: [u64; 6]) -> Result<Outcome> {
    let description = cx.description(fd)?;
    cx.add_descriptor(description, false).map(Outcome::Done)
}

/// dup2(2).
pub fn dup2(cx: &mut Context<'_>, [old, new, ..]: [u64; 6]) -> Result<Outcome> {
    if old as u32 == new as u32 {
        cx.description(old)?;
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
    let description = cx.description(old)?;
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

/// lseek(2).
pub fn lseek(cx: &mut Context<'_>, [fd, offset, whence, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let whence = Whence::from_register(whence)?;
    let at = file.seek(&mut cx.env(), offset as i64, whence)?;
    if at == 0 {
        views::refresh(cx.kernel, cx.thread, &file);
    }
    Ok(Outcome::Done(at))
}
