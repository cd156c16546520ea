//! Reading and writing.

use alloc::rc::Rc;

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{File, FileDescription, Whence},
    fs::views,
    net::socket::MessageFlags,
    outcome::Outcome,
    signal::Signal,
    user::{self, UserSlice},
    wait::Readiness,
};

/// read(2).
pub fn read(cx: &mut Context<'_>, [fd, buffer, len, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let into = cx.buffer(buffer, len)?;
    read_some(cx, &file, &[into])
}

/// readv(2).
pub fn readv(cx: &mut Context<'_>, [fd, vector, count, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let into = cx.buffers(vector, count)?;
    read_some(cx, &file, &into)
}

pub(super) fn read_some(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    into: &[UserSlice],
) -> Result<Outcome> {
    if let File::Signal(signals) = &file.file {
        return super::signalfd::read(cx, file, signals, into);
    }
    if let File::Socket(_) = &file.file {
        return super::socket::read(cx, file, into, MessageFlags::empty());
    }
    let result = file.read(&mut cx.env(), into);
    cx.or_block_for(file, result, Readiness::READABLE, "data to read")
}

/// write(2).
pub fn write(cx: &mut Context<'_>, [fd, buffer, len, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let from = cx.buffer(buffer, len)?;
    write_all(cx, &file, &[from])
}

/// writev(2).
pub fn writev(cx: &mut Context<'_>, [fd, vector, count, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let from = cx.buffers(vector, count)?;
    write_all(cx, &file, &from)
}

/// Writes everything on a blocking descriptor, over as many attempts as it takes.
pub(super) fn write_all(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    from: &[UserSlice],
) -> Result<Outcome> {
    if let File::Socket(_) = &file.file {
        return super::socket::write(cx, file, from, MessageFlags::empty());
    }
    let total = user::total_len(from);
    let mut done = cx.call().progress as usize;
    loop {
        match file.write(&mut cx.env(), &user::skip(from, done)) {
            Ok(moved) => {
                done += moved;
                // Whoever writes to a file is told at once that not all fits.
                if done >= total || moved == 0 || matches!(file.file, File::Regular(_)) {
                    return Ok(Outcome::Done(done as u64));
                }
            }
            Err(error) => return stop_writing(cx, file, done, error),
        }
    }
}

/// What a write that cannot go on comes to, after so many bytes.
fn stop_writing(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    done: usize,
    error: Error,
) -> Result<Outcome> {
    if error.errno == Errno::EPIPE {
        raise_broken_pipe(cx);
    }
    let waits = error.errno == Errno::EAGAIN && !file.is_nonblocking() && file.queue().is_some();
    if done > 0 && !waits {
        return Ok(Outcome::Done(done as u64));
    }
    cx.call().progress = done as u64;
    cx.or_block_for(file, Err(error), Readiness::WRITABLE, "room to write")
}

/// Sends the calling thread the signal of one who writes where nobody can read any more.
pub(crate) fn raise_broken_pipe(cx: &mut Context<'_>) {
    cx.kernel.raise_signal(cx.thread, Signal::PIPE);
}

/// pread(2).
pub fn pread64(cx: &mut Context<'_>, [fd, buffer, len, offset, ..]: [u64; 6]) -> Result<Outcome> {
    let at = position(offset)?;
    let file = cx.description(fd)?;
    let into = cx.buffer(buffer, len)?;
    Ok(Outcome::Done(file.read_at(&mut cx.env(), &[into], at)? as u64))
}

/// pwrite(2).
pub fn pwrite64(cx: &mut Context<'_>, [fd, buffer, len, offset, ..]: [u64; 6]) -> Result<Outcome> {
    let at = position(offset)?;
    let file = cx.description(fd)?;
    let from = cx.buffer(buffer, len)?;
    Ok(Outcome::Done(file.write_at(&mut cx.env(), &[from], at)? as u64))
}

/// preadv(2).
pub fn preadv(cx: &mut Context<'_>, [fd, vector, count, offset, ..]: [u64; 6]) -> Result<Outcome> {
    let at = position(offset)?;
    let file = cx.description(fd)?;
    let into = cx.buffers(vector, count)?;
    Ok(Outcome::Done(file.read_at(&mut cx.env(), &into, at)? as u64))
}

/// pwritev(2).
pub fn pwritev(cx: &mut Context<'_>, [fd, vector, count, offset, ..]: [u64; 6]) -> Result<Outcome> {
    let at = position(offset)?;
    let file = cx.description(fd)?;
    let from = cx.buffers(vector, count)?;
    Ok(Outcome::Done(file.write_at(&mut cx.env(), &from, at)? as u64))
}

bitflags::bitflags! {
    /// preadv2(2)'s flags. Hints, and those that ask for durability, change nothing here.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub(super) struct TransferFlags: u32 {
        const HIGH_PRIORITY = raw::RWF_HIPRI;
        const DATA_SYNC = raw::RWF_DSYNC;
        const SYNC = raw::RWF_SYNC;
        const NO_WAIT = raw::RWF_NOWAIT;
        const APPEND = raw::RWF_APPEND;
    }
}

impl TransferFlags {
    /// Those of a transfer through a description (`kiocb_set_rw_flags`).
    ///
    /// # Errors
    /// `EOPNOTSUPP`.
    pub(super) fn of(file: &FileDescription, flags: u64) -> Result<Self> {
        let flags = Self::from_bits(flags as u32).ok_or(Errno::EOPNOTSUPP)?;
        let may_not_wait = matches!(
            file.file,
            File::Regular(_) | File::Pipe(_) | File::Socket(_) | File::Event(_)
        );
        if flags.contains(Self::NO_WAIT) && !may_not_wait {
            return Err(Error::new(Errno::EOPNOTSUPP, "the file cannot but wait"));
        }
        Ok(flags)
    }
}

/// preadv2(2). An offset of -1 stands for the file's own.
pub fn preadv2(
    cx: &mut Context<'_>,
    [fd, vector, count, offset, high, flags]: [u64; 6],
) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let flags = TransferFlags::of(&file, flags)?;
    if offset as i64 != -1 {
        return preadv(cx, [fd, vector, count, offset, high, 0]);
    }
    let into = cx.buffers(vector, count)?;
    read_with(cx, &file, &into, flags)
}

/// Reads at the file's own offset, waiting or not.
pub(super) fn read_with(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    into: &[UserSlice],
    flags: TransferFlags,
) -> Result<Outcome> {
    if !flags.contains(TransferFlags::NO_WAIT) {
        return read_some(cx, file, into);
    }
    if let File::Socket(_) = &file.file {
        return super::socket::read(cx, file, into, MessageFlags::DONT_WAIT);
    }
    Ok(Outcome::Done(file.read(&mut cx.env(), into)? as u64))
}

/// pwritev2(2).
pub fn pwritev2(
    cx: &mut Context<'_>,
    [fd, vector, count, offset, high, flags]: [u64; 6],
) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let flags = TransferFlags::of(&file, flags)?;
    let own_offset = offset as i64 == -1;
    if let (true, File::Regular(regular)) = (flags.contains(TransferFlags::APPEND), &file.file) {
        if !own_offset {
            position(offset)?;
        }
        let from = cx.buffers(vector, count)?;
        let end = regular.size();
        let done = file.write_at(&mut cx.env(), &from, end)? as u64;
        // Of nothing no end is looked for (generic_write_checks in Linux's mm/filemap.c).
        if own_offset && done > 0 {
            file.offset.set(end + done);
        }
        return Ok(Outcome::Done(done));
    }
    if !own_offset {
        return pwritev(cx, [fd, vector, count, offset, high, 0]);
    }
    let from = cx.buffers(vector, count)?;
    write_with(cx, &file, &from, flags)
}

/// Writes at the file's own offset, waiting or not.
pub(super) fn write_with(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    from: &[UserSlice],
    flags: TransferFlags,
) -> Result<Outcome> {
    if !flags.contains(TransferFlags::NO_WAIT) {
        return write_all(cx, file, from);
    }
    if let File::Socket(_) = &file.file {
        return super::socket::write(cx, file, from, MessageFlags::DONT_WAIT);
    }
    let written = file.write(&mut cx.env(), from);
    if matches!(written, Err(Error { errno: Errno::EPIPE, .. })) {
        raise_broken_pipe(cx);
    }
    Ok(Outcome::Done(written? as u64))
}

fn position(raw: u64) -> Result<u64> {
    u64::try_from(raw as i64).map_err(|_| Errno::EINVAL.into())
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
