//! pipe(2), and opening FIFOs.

use alloc::rc::Rc;

use crate::{
    context::Context,
    error::{Errno, Result},
    file::{FifoOpening, File, FileDescription, OpenFlags, Pipe, PipeEnd},
    outcome::{Outcome, Restart},
    process::Held,
    user::UserPtr,
};

/// pipe(2).
pub fn pipe(cx: &mut Context<'_>, [to, ..]: [u64; 6]) -> Result<Outcome> {
    pipe2(cx, [to, 0, 0, 0, 0, 0])
}

/// pipe2(2).
pub fn pipe2(cx: &mut Context<'_>, [to, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = OpenFlags::from_bits(flags as u32).ok_or(Errno::EINVAL)?;
    let close_on_exec = flags.contains(OpenFlags::CLOSE_ON_EXEC);
    if !(OpenFlags::CLOSE_ON_EXEC | OpenFlags::NONBLOCK | OpenFlags::DIRECT).contains(flags) {
        return Err(Errno::EINVAL.into());
    }
    let credentials = &cx.process().credentials;
    let owner = (credentials.fsuid, credentials.fsgid);
    let (reader, writer) = PipeEnd::pair(&mut cx.kernel.machine, owner, flags);
    let reader = match cx.add_descriptor(reader, close_on_exec) {
        Ok(fd) => fd,
        Err(error) => {
            cx.release(writer);
            return Err(error);
        }
    };
    let writer = match cx.add_descriptor(writer, close_on_exec) {
        Ok(fd) => fd,
        Err(error) => {
            let _ = cx.close(reader);
            return Err(error);
        }
    };
    let numbers = [reader as u32, writer as u32];
    if let Err(error) = cx.write(UserPtr::new(to), &numbers) {
        let _ = cx.close(reader).and(cx.close(writer));
        return Err(error);
    }
    Ok(Outcome::Done(0))
}

/// The part of open(2) that is special to FIFOs: waits until the other end is open too. The call holds the end in
/// the meantime; it is closed if the call ends otherwise.
///
/// # Errors
/// As open(2).
pub fn open_fifo(
    cx: &mut Context<'_>,
    pipe: &Rc<Pipe>,
    flags: OpenFlags,
    path: &[u8],
) -> Result<Outcome> {
    match PipeEnd::open_fifo(pipe, &mut cx.kernel.machine, flags, path)? {
        FifoOpening::Open(file) => add(cx, file, flags),
        FifoOpening::Waits(file, awaited) => {
            let call = cx.call();
            call.held = Some(Held { fd: None, file: Rc::clone(&file) });
            call.woken_with = Some(awaited);
            await_partner(cx, file, flags, awaited)
        }
    }
}

/// Goes on with the opening of a FIFO whose call has been woken; `None` if it is in no such opening.
pub fn resume_fifo(cx: &mut Context<'_>, flags: OpenFlags) -> Option<Result<Outcome>> {
    let (held, awaited) = (cx.call().held.clone()?, cx.call().woken_with?);
    Some(await_partner(cx, held.file, flags, awaited))
}

fn add(cx: &mut Context<'_>, file: Rc<FileDescription>, flags: OpenFlags) -> Result<Outcome> {
    cx.add_descriptor(file, flags.contains(OpenFlags::CLOSE_ON_EXEC)).map(Outcome::Done)
}

fn await_partner(
    cx: &mut Context<'_>,
    file: Rc<FileDescription>,
    flags: OpenFlags,
    awaited: u64,
) -> Result<Outcome> {
    match &file.file {
        File::Pipe(end) if !end.has_partner(awaited) => {
            Ok(cx.block_on(&[end.changes()], Restart::IfAsked, "the other end of a FIFO"))
        }
        _ => add(cx, file, flags),
    }
}
