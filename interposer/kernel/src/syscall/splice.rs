//! sendfile(2), copy_file_range(2), splice(2), tee(2), vmsplice(2): from one file to another, through memory of the kernel.

use alloc::{rc::Rc, vec};

use super::io;
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{File, FileDescription, Giving, OpenFlags, PipeEnd, Whence},
    fs::{SIZE_MAX, Tree},
    outcome::{Outcome, Restart},
    uapi::limits::PAGE_SIZE,
    user::{self, UserPtr},
    wait::Readiness,
};

/// Most bytes moved at a time.
const CHUNK_MAX: usize = 64 << 10;
/// Flags of splice(2) that `linux_raw_sys` does not name.
const SPLICE_F_NONBLOCK: u32 = 2;
const SPLICE_F_ALL: u32 = 0xf;

/// Whether a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    Waits,
    Fails,
}

/// Where in a file a call reads or writes.
#[derive(Clone, Copy)]
enum Position {
    /// At the description's offset, or there is none.
    Own,
    /// At the offset stored here, which the call moves.
    Given(UserPtr<u64>),
}

impl Position {
    fn new(address: u64) -> Self {
        UserPtr::new(address).non_null().map_or(Self::Own, Self::Given)
    }

    /// Where it is.
    fn get(self, cx: &mut Context<'_>, file: &FileDescription) -> Result<u64> {
        match self {
            Self::Own => Ok(file.offset.get()),
            Self::Given(place) => cx.read(place),
        }
    }

    /// Moves it.
    fn set(self, cx: &mut Context<'_>, file: &FileDescription, at: u64) -> Result<()> {
        match self {
            Self::Own => file.offset.set(at),
            Self::Given(place) => cx.write(place, &at)?,
        }
        Ok(())
    }

    /// Where it is; refuses what cannot be moved from or to there (`rw_verify_area` in fs/read_write.c).
    fn check(self, cx: &mut Context<'_>, file: &FileDescription, len: u64) -> Result<u64> {
        if matches!(self, Self::Given(_)) && !has_positions(cx, file) {
            return Err(Errno::EINVAL.into());
        }
        let at = self.get(cx, file)?;
        let end = at.checked_add(len).filter(|&end| i64::try_from(end).is_ok());
        if end.is_some() { Ok(at) } else { Err(Errno::EINVAL.into()) }
    }

    /// Does something at the position, and moves that.
    fn apply(
        self,
        cx: &mut Context<'_>,
        file: &FileDescription,
        transfer: impl FnOnce(&mut Context<'_>) -> Result<usize>,
    ) -> Result<usize> {
        let Self::Given(place) = self else { return transfer(cx) };
        let at = cx.read(place)?;
        let own = file.offset.replace(at);
        let result = transfer(cx);
        let moved = file.offset.replace(own);
        if result.is_ok() {
            cx.write(place, &moved)?;
        }
        result
    }
}

/// Whether bytes can be read and written anywhere in it (`FMODE_PREAD`).
fn has_positions(cx: &mut Context<'_>, file: &FileDescription) -> bool {
    !matches!(file.file, File::Event(_) | File::Timer(_) | File::Signal(_) | File::Inotify(_))
        && can_seek(cx, file)
}

fn can_seek(cx: &mut Context<'_>, file: &FileDescription) -> bool {
    file.seek(&mut cx.env(), 0, Whence::Current).is_ok()
}

/// Where the longest file of its kind ends (`s_maxbytes`).
fn end_max(file: &FileDescription) -> u64 {
    let on_disk = file.file.inode().is_some_and(|inode| Tree::is_on_disk(inode));
    if on_disk { SIZE_MAX } else { i64::MAX as u64 }
}

/// Whether anything can be moved from it into a pipe: Linux has a way for each kind of file (`splice_read`).
fn can_give(file: &FileDescription) -> bool {
    let is_null = matches!(&file.file, File::Device(file) if file.is_null());
    can_take(file) && !is_null
}

/// Whether anything can be moved from a pipe into it (`splice_write`).
fn can_take(file: &FileDescription) -> bool {
    use File::{Device, HostStream, Regular, Socket, Terminal, Text};
    matches!(file.file, HostStream(_) | Regular(_) | Device(_) | Terminal(_) | Text(_) | Socket(_))
}

fn is_again(error: &Error) -> bool {
    error.errno == Errno::EAGAIN
}

/// Waits until a description may be ready, unless the call or the descriptor would rather fail.
fn wait_for(
    cx: &mut Context<'_>,
    file: &FileDescription,
    patience: Patience,
    wanted: Readiness,
) -> Result<Outcome> {
    match file.queue() {
        Some(queue) if patience == Patience::Waits && !file.is_nonblocking() => {
            cx.wait_in(queue, wanted);
            Ok(cx.block(Restart::IfAsked, "room or data for a splice"))
        }
        _ => Err(Errno::EAGAIN.into()),
    }
}

/// sendfile(2).
pub fn sendfile(cx: &mut Context<'_>, arguments: [u64; 6]) -> Result<Outcome> {
    let Some(offset) = UserPtr::<u64>::new(arguments[2]).non_null() else {
        return send_file(cx, arguments);
    };
    cx.read(offset)?;
    let sent = send_file(cx, arguments);
    // It is written back whatever has come of it (fs/read_write.c).
    let now = cx.read(offset)?;
    cx.write(offset, &now)?;
    sent
}

fn send_file(cx: &mut Context<'_>, [out, input, offset, count, ..]: [u64; 6]) -> Result<Outcome> {
    // The order of errors is that of fs/read_write.c (`do_sendfile`).
    let source = cx.description(input)?;
    source.check_reads()?;
    let position = Position::new(offset);
    if offset != 0 && !has_positions(cx, &source) {
        return Err(Errno::ESPIPE.into());
    }
    let at = position.check(cx, &source, count)?;
    let target = cx.description(out)?;
    target.check_writes()?;
    let end = end_max(&source).min(end_max(&target));
    let room = end.saturating_sub(at);
    if at >= end && at + count > end {
        return Err(Errno::EOVERFLOW.into());
    }
    let count = (count.min(room) as usize).min(cx.bytes_max());
    if let Some(pipe) = as_pipe(&target) {
        return fill(cx, &source, position, (&target, pipe), count, Patience::Waits);
    }
    if target.flags.get().contains(OpenFlags::APPEND) || !can_seek(cx, &source) {
        return Err(Errno::EINVAL.into());
    }
    if count == 0 {
        return Ok(Outcome::Done(0));
    }
    if !can_give(&source) {
        return Err(Errno::EINVAL.into());
    }
    let mut buffer = vec![0; count.min(CHUNK_MAX)];
    loop {
        let done = cx.call().progress as usize;
        let len = (count - done).min(CHUNK_MAX);
        if len == 0 {
            return Ok(Outcome::Done(done as u64));
        }
        let moved = send_part(cx, (&source, position), &target, &mut buffer[..len]);
        match moved {
            Ok(0) => return Ok(Outcome::Done(done as u64)),
            Ok(moved) => cx.call().progress += moved as u64,
            Err(error) if is_again(&error) && !target.is_nonblocking() => {
                return wait_for(cx, &target, Patience::Waits, Readiness::WRITABLE);
            }
            Err(error) => {
                raise_if_broken(cx, &error);
                return if done > 0 { Ok(Outcome::Done(done as u64)) } else { Err(error) };
            }
        }
    }
}

/// Sends at most as much as the buffer holds, and moves both positions. Both may be one description: what is written goes to
/// where it was before.
fn send_part(
    cx: &mut Context<'_>,
    (source, position): (&FileDescription, Position),
    target: &FileDescription,
    buffer: &mut [u8],
) -> Result<usize> {
    let read_at = position.get(cx, source)?;
    let (read, read_to) = read_part(cx, (source, read_at), buffer);
    let bytes = &buffer[..read?];
    if bytes.is_empty() {
        return Ok(0);
    }
    if !can_take(target) {
        return Err(Errno::EINVAL.into());
    }
    let written = target.write_kernel(&mut cx.env(), bytes)?;
    // A device of endless bytes has no offset that moves.
    if read_to != read_at {
        position.set(cx, source, read_at + written as u64)?;
    }
    Ok(written)
}

/// Reads at most as much as the buffer holds; the description's own offset stays. Where it would be, too.
fn read_part(
    cx: &mut Context<'_>,
    (source, read_at): (&FileDescription, u64),
    buffer: &mut [u8],
) -> (Result<usize>, u64) {
    let own = source.offset.replace(read_at);
    let read = source.read_kernel(&mut cx.env(), buffer);
    (read, source.offset.replace(own))
}

/// copy_file_range(2).
pub fn copy_file_range(
    cx: &mut Context<'_>,
    [input, from, out, to, count, flags]: [u64; 6],
) -> Result<Outcome> {
    let (source, target) = (cx.description(input)?, cx.description(out)?);
    let size = check_copied(&source, &target, flags)?;
    let (from, to) = (Position::new(from), Position::new(to));
    let (read_at, write_at) = (from.get(cx, &source)?, to.get(cx, &target)?);
    // The order of errors is that of fs/read_write.c (`generic_copy_file_checks`).
    if read_at.checked_add(count).is_none() || write_at.checked_add(count).is_none() {
        return Err(Errno::EOVERFLOW.into());
    }
    // What lies behind the end is not copied, and cannot overlap.
    let is_inside = read_at.cast_signed() < size.cast_signed();
    let count = if is_inside { count.min(size.wrapping_sub(read_at)) } else { 0 };
    let count = cx.kernel.machine.size_limit.room(write_at, count.max(1))?.min(count);
    if write_at.cast_signed() >= end_max(&target).cast_signed() {
        return Err(Errno::EFBIG.into());
    }
    let is_same = match (source.file.inode(), target.file.inode()) {
        (Some(one), Some(other)) => Rc::ptr_eq(one, other),
        _ => false,
    };
    let count = usize::try_from(count).unwrap_or(usize::MAX).min(cx.bytes_max());
    if is_same && read_at.abs_diff(write_at) < count as u64 {
        return Err(Error::new(Errno::EINVAL, "the ranges overlap"));
    }
    if read_at.cast_signed() < 0 || write_at.cast_signed() < 0 {
        return Err(Errno::EINVAL.into());
    }
    let mut buffer = vec![0; count.min(CHUNK_MAX)];
    let mut done = 0;
    while done < count {
        let part = &mut buffer[..(count - done).min(CHUNK_MAX)];
        let moved = copy_part(
            cx,
            (&source, read_at + done as u64),
            (&target, write_at + done as u64),
            part,
        );
        match moved {
            Ok(0) => break,
            Ok(moved) => done += moved,
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
    }
    from.set(cx, &source, read_at + done as u64)?;
    to.set(cx, &target, write_at + done as u64)?;
    Ok(Outcome::Done(done as u64))
}

/// What copy_file_range(2) demands of its files; the length of the first.
fn check_copied(source: &FileDescription, target: &FileDescription, flags: u64) -> Result<u64> {
    if flags as u32 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let files = [&source.file, &target.file];
    if files.iter().any(|file| matches!(file, File::Directory(_))) {
        return Err(Errno::EISDIR.into());
    }
    let [File::Regular(copied), File::Regular(_)] = files else {
        return Err(Errno::EINVAL.into());
    };
    source.check_reads()?;
    target.check_writes()?;
    if target.flags.get().contains(OpenFlags::APPEND) {
        return Err(Errno::EBADF.into());
    }
    if source.file.device() == target.file.device() {
        Ok(copied.size())
    } else {
        Err(Errno::EXDEV.into())
    }
}

/// Copies at most as much as the buffer holds; the descriptions' own offsets stay.
fn copy_part(
    cx: &mut Context<'_>,
    (source, read_at): (&FileDescription, u64),
    (target, write_at): (&FileDescription, u64),
    buffer: &mut [u8],
) -> Result<usize> {
    let (read, _) = read_part(cx, (source, read_at), buffer);
    let bytes = &buffer[..read?];
    if bytes.is_empty() {
        return Ok(0);
    }
    let own = target.offset.replace(write_at);
    let written = target.write_kernel(&mut cx.env(), bytes);
    target.offset.set(own);
    written
}

fn raise_if_broken(cx: &mut Context<'_>, error: &Error) {
    if error.errno == Errno::EPIPE {
        io::raise_broken_pipe(cx);
    }
}

fn as_pipe(file: &FileDescription) -> Option<&PipeEnd> {
    match &file.file {
        File::Pipe(end) => Some(end),
        _ => None,
    }
}

fn patience(flags: u64) -> Result<Patience> {
    match flags as u32 {
        flags if flags & !SPLICE_F_ALL != 0 => Err(Errno::EINVAL.into()),
        flags if flags & SPLICE_F_NONBLOCK != 0 => Ok(Patience::Fails),
        _ => Ok(Patience::Waits),
    }
}

/// splice(2).
pub fn splice(
    cx: &mut Context<'_>,
    [input, input_offset, out, out_offset, len, flags]: [u64; 6],
) -> Result<Outcome> {
    if len == 0 {
        return Ok(Outcome::Done(0));
    }
    let patience = patience(flags)?;
    let (source, target) = (cx.description(input)?, cx.description(out)?);
    let moves_pipe = |file: &FileDescription, offset| as_pipe(file).is_some() && offset != 0;
    if moves_pipe(&source, input_offset) || moves_pipe(&target, out_offset) {
        return Err(Errno::ESPIPE.into());
    }
    source.check_reads()?;
    target.check_writes()?;
    let (bytes, whole) = (len, usize::try_from(len).unwrap_or(usize::MAX));
    let len = whole.min(CHUNK_MAX);
    let (from, to) = (Position::new(input_offset), Position::new(out_offset));
    match (as_pipe(&source), as_pipe(&target)) {
        (None, None) => Err(Errno::EINVAL.into()),
        (Some(a), Some(b)) if Rc::ptr_eq(&a.pipe, &b.pipe) => Err(Errno::EINVAL.into()),
        (Some(from), Some(to)) => {
            give(cx, (&source, from), (&target, to), whole, patience, Giving::Away)
        }
        (None, Some(pipe)) => {
            from.check(cx, &source, bytes)?;
            fill(cx, &source, from, (&target, pipe), len, patience)
        }
        (Some(pipe), None) => {
            to.check(cx, &target, bytes)?;
            if target.flags.get().contains(OpenFlags::APPEND) {
                return Err(Errno::EINVAL.into());
            }
            drain(cx, (&source, pipe), &target, to, len, patience)
        }
    }
}

/// From anything but a pipe into one.
fn fill(
    cx: &mut Context<'_>,
    source: &FileDescription,
    from: Position,
    (target, pipe): (&FileDescription, &PipeEnd),
    len: usize,
    patience: Patience,
) -> Result<Outcome> {
    if !pipe.pipe.has_readers() {
        io::raise_broken_pipe(cx);
        return Err(Errno::EPIPE.into());
    }
    let room = pipe.pipe.room();
    if room == 0 {
        return wait_for(cx, target, patience, Readiness::WRITABLE);
    }
    if len == 0 {
        return Ok(Outcome::Done(0));
    }
    if !can_give(source) {
        return Err(Errno::EINVAL.into());
    }
    // What a file has comes by its pages.
    let first = match &source.file {
        File::Regular(_) => (from.get(cx, source)? % PAGE_SIZE) as usize,
        _ => 0,
    };
    let len = len.min(room - first).min(CHUNK_MAX);
    let mut buffer = vec![0; len];
    let result = from.apply(cx, source, |cx| source.read_kernel(&mut cx.env(), &mut buffer));
    match result {
        Ok(0) => Ok(Outcome::Done(0)),
        Ok(read) => {
            let bytes = &buffer[..read];
            let done = match &source.file {
                // In which pieces its bytes came, a socket does not remember.
                File::Socket(_) => target.write_kernel(&mut cx.env(), bytes)?,
                _ => pipe.pipe.put_pages(&mut cx.kernel.machine, bytes, first),
            };
            Ok(Outcome::Done(done as u64))
        }
        Err(error) if is_again(&error) => wait_for(cx, source, patience, Readiness::READABLE),
        Err(error) => Err(error),
    }
}

/// From a pipe into something else; what that does not take stays in the pipe.
fn drain(
    cx: &mut Context<'_>,
    (source, pipe): (&FileDescription, &PipeEnd),
    target: &FileDescription,
    to: Position,
    len: usize,
    patience: Patience,
) -> Result<Outcome> {
    if !can_take(target) {
        return Err(Errno::EINVAL.into());
    }
    let mut buffer = vec![0; len];
    let found = pipe.pipe.peek(&mut buffer);
    if found == 0 {
        if !pipe.pipe.has_writers() {
            return Ok(Outcome::Done(0));
        }
        return wait_for(cx, source, patience, Readiness::READABLE);
    }
    let result = to.apply(cx, target, |cx| target.write_kernel(&mut cx.env(), &buffer[..found]));
    match result {
        Ok(mut done) => {
            // A file that takes only a part is asked again (`iter_file_splice_write`).
            while done < found && matches!(target.file, File::Regular(_)) {
                let rest = &buffer[done..found];
                match to.apply(cx, target, |cx| target.write_kernel(&mut cx.env(), rest)) {
                    Ok(0) | Err(_) => break,
                    Ok(moved) => done += moved,
                }
            }
            pipe.pipe.skip(&mut cx.kernel.machine, done);
            Ok(Outcome::Done(done as u64))
        }
        Err(error) if is_again(&error) => wait_for(cx, target, patience, Readiness::WRITABLE),
        Err(error) => {
            raise_if_broken(cx, &error);
            Err(error)
        }
    }
}

/// From pipe to pipe (`splice_pipe_to_pipe` and `do_tee` in fs/splice.c).
fn give(
    cx: &mut Context<'_>,
    (source, from): (&FileDescription, &PipeEnd),
    (target, to): (&FileDescription, &PipeEnd),
    len: usize,
    patience: Patience,
    giving: Giving,
) -> Result<Outcome> {
    // Either one that does not block keeps the call from waiting for the other.
    let blocks = !source.is_nonblocking() && !target.is_nonblocking();
    let patience = if blocks { patience } else { Patience::Fails };
    if from.pipe.is_empty() && from.pipe.has_writers() {
        return wait_for(cx, source, patience, Readiness::READABLE);
    }
    if !to.pipe.has_readers() {
        io::raise_broken_pipe(cx);
        return Err(Errno::EPIPE.into());
    }
    if to.pipe.is_full() {
        return wait_for(cx, target, patience, Readiness::WRITABLE);
    }
    let done = from.pipe.give(&mut cx.kernel.machine, &to.pipe, len, giving);
    Ok(Outcome::Done(done as u64))
}

/// tee(2).
pub fn tee(cx: &mut Context<'_>, [input, out, len, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let patience = patience(flags)?;
    if len == 0 {
        return Ok(Outcome::Done(0));
    }
    let (source, target) = (cx.description(input)?, cx.description(out)?);
    source.check_reads()?;
    target.check_writes()?;
    match (as_pipe(&source), as_pipe(&target)) {
        (Some(from), Some(to)) if !Rc::ptr_eq(&from.pipe, &to.pipe) => {
            let len = usize::try_from(len).unwrap_or(usize::MAX);
            give(cx, (&source, from), (&target, to), len, patience, Giving::Copies)
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// vmsplice(2): as `writev` and `readv`, for pipes only. Pages that a program gives away are copied.
pub fn vmsplice(cx: &mut Context<'_>, [fd, vector, count, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let patience = patience(flags)?;
    let file = cx.description(fd)?;
    let slices = cx.buffers(vector, count)?;
    if user::total_len(&slices) == 0 {
        return Ok(Outcome::Done(0));
    }
    if as_pipe(&file).is_none() {
        return Err(Errno::EBADF.into());
    }
    let writes = file.flags.get().writes();
    if !writes && patience == Patience::Waits {
        return io::read_some(cx, &file, &slices);
    }
    let done =
        if writes { file.write(&mut cx.env(), &slices) } else { file.read(&mut cx.env(), &slices) };
    let done = done.inspect_err(|error| raise_if_broken(cx, error));
    if patience == Patience::Waits {
        // For some room, and not for enough (`vmsplice_to_pipe`).
        return cx.or_block_for(&file, done, Readiness::WRITABLE, "room to write");
    }
    done.map(|done| Outcome::Done(done as u64))
}
