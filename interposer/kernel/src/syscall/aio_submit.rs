//! Submitting asynchronous I/O: io_submit(2).
//!
//! As in Linux without direct I/O, what is asked for is done in the call itself; only what waits for a descriptor, or
//! what faults delay, ends later. Faults meet a request as they meet the call that it stands for.

use alloc::{boxed::Box, rc::Rc, vec::Vec};

use linux_raw_sys::general as nr;

use super::{
    aio::find,
    io::{self, TransferFlags},
    sched, volume,
};
use crate::{
    aio::{AioContext, PollRequest, Request},
    context::Context,
    error::{Errno, Error, Result},
    fault::{NodeHit, Strike, Verdict},
    file::{Device, File, FileDescription},
    fs::durable::Synchronized,
    outcome::Outcome,
    process::{AioProgress, Held},
    uapi::aio::{self, Iocb},
    user::{UserPtr, UserSlice},
    wait::Readiness,
};

/// What became of a request that was found sound.
enum Submitted {
    /// It has ended, or will.
    Yes,
    /// Its thread waits.
    Waits(Outcome),
    /// It was not looked at: a fault ends its process or machine before.
    Never,
}

/// What a request that moves bytes asks for.
struct Transfer {
    buffers: Vec<UserSlice>,
    at: u64,
    writes: bool,
    flags: TransferFlags,
}

/// What a request asks for.
enum Operation {
    Transfer(Transfer),
    Synchronize(Synchronized),
}

/// io_submit(2).
pub fn io_submit(cx: &mut Context<'_>, [address, count, list, ..]: [u64; 6]) -> Result<Outcome> {
    let count = u64::try_from(count as i64).map_err(|_| Errno::EINVAL)?;
    let done = cx.call().aio.submitted;
    let context = match find(cx, address) {
        Ok(context) => context,
        Err(_) if done > 0 => return Ok(Outcome::Done(done)),
        Err(error) => return Err(error),
    };
    let list = UserPtr::<u64>::new(list);
    for index in done..count.min(context.capacity as u64) {
        let was_struck = is_struck(cx);
        match submit(cx, &context, list.add(index)) {
            Ok(Submitted::Yes) => end_request(cx, index + 1),
            Ok(Submitted::Waits(outcome)) => return Ok(outcome),
            Ok(Submitted::Never) if index == 0 => return Err(Errno::EAGAIN.into()),
            Err(error) if index == 0 => return Err(error),
            Ok(Submitted::Never) | Err(_) => return Ok(Outcome::Done(index)),
        }
        // A request's own strike comes before the next one is looked at.
        if is_struck(cx) && !was_struck {
            return Ok(Outcome::Done(index + 1));
        }
    }
    Ok(Outcome::Done(cx.call().aio.submitted))
}

/// Forgets what an attempt has kept of a request that is submitted, so that the next one begins anew.
fn end_request(cx: &mut Context<'_>, submitted: u64) {
    let call = cx.call();
    call.aio = AioProgress { submitted, ..AioProgress::default() };
    (call.progress, call.deadline, call.timed_out) = (0, None, false);
    if let Some(injected) = &mut call.injected {
        injected.bytes_max = None;
    }
    cx.kernel.machine.damage = None;
    if let Some(Held { file, .. }) = cx.call().held.take() {
        FileDescription::let_go(file, &mut cx.env());
    }
}

/// Whether a fault comes upon the thread, its process or machine when the call is over.
fn is_struck(cx: &mut Context<'_>) -> bool {
    let injected = cx.call().injected.as_ref();
    injected.is_some_and(|injected| injected.after != Strike::default())
}

/// Submits the request that a list's entry points to (`io_submit_one`).
fn submit(
    cx: &mut Context<'_>,
    context: &Rc<AioContext>,
    entry: UserPtr<u64>,
) -> Result<Submitted> {
    let address = cx.read(entry)?;
    let iocb = cx.read(UserPtr::<Iocb>::new(address))?;
    if iocb.reserved != 0 || (iocb.len as i64) < 0 {
        return Err(Errno::EINVAL.into());
    }
    if !context.has_room() {
        return Err(Error::new(Errno::EAGAIN, "as many requests as the context has room for"));
    }
    let file = cx.description(iocb.fd.into())?;
    let mut tells = None;
    if iocb.flags & aio::FLAG_EVENT != 0 {
        let event = cx.description(iocb.event_fd.into())?;
        if !matches!(event.file, File::Event(_)) {
            return Err(Errno::EINVAL.into());
        }
        tells = Some(Rc::downgrade(&event));
    }
    cx.write(UserPtr::new(address.wrapping_add(aio::KEY_OFFSET)), &aio::KEY)?;
    let request = Request { data: iocb.data, address, tells };
    let operation = match iocb.opcode {
        aio::PREAD | aio::PREADV => Operation::Transfer(read(cx, &iocb, &file)?),
        aio::PWRITE | aio::PWRITEV => Operation::Transfer(write(cx, &iocb, &file)?),
        aio::FSYNC => Operation::Synchronize(synchronize(&iocb, &file, Synchronized::File)?),
        aio::FDSYNC => Operation::Synchronize(synchronize(&iocb, &file, Synchronized::Data)?),
        aio::POLL => {
            poll(cx, context, &iocb, request, &file)?;
            return Ok(Submitted::Yes);
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    perform(cx, context, &iocb, request, &file, &operation)
}

/// What is common to reads and writes (`aio_prep_rw`).
fn prepare(cx: &mut Context<'_>, iocb: &Iocb, file: &FileDescription) -> Result<TransferFlags> {
    if iocb.flags & aio::FLAG_PRIORITY != 0 {
        sched::check_io_priority(cx, u32::from(iocb.priority as u16))?;
    }
    TransferFlags::of(file, iocb.transfer_flags.into())
}

/// Buffers and place of a transfer (`aio_setup_rw`, `rw_verify_area`).
fn transfer(
    cx: &mut Context<'_>,
    iocb: &Iocb,
    flags: TransferFlags,
    writes: bool,
) -> Result<Transfer> {
    let buffers = match iocb.opcode {
        aio::PREADV | aio::PWRITEV => cx.buffers(iocb.buffer, u64::from(iocb.len as u32))?,
        _ => Vec::from([cx.buffer(iocb.buffer, iocb.len)?]),
    };
    let at = u64::try_from(iocb.offset as i64).map_err(|_| Errno::EINVAL)?;
    let len = crate::user::total_len(&buffers) as u64;
    if at + len > i64::MAX as u64 {
        return Err(Errno::EINVAL.into());
    }
    Ok(Transfer { buffers, at, writes, flags })
}

fn read(cx: &mut Context<'_>, iocb: &Iocb, file: &FileDescription) -> Result<Transfer> {
    let flags = prepare(cx, iocb, file)?;
    file.check_reads()?;
    let can_be_read = matches!(
        file.file,
        File::Regular(_)
            | File::HostStream(_)
            | File::Pipe(_)
            | File::Device(_)
            | File::Terminal(_)
            | File::Text(_)
            | File::Event(_)
            | File::Socket(_)
    );
    if !can_be_read {
        return Err(Error::new(Errno::EINVAL, "a file without read_iter"));
    }
    transfer(cx, iocb, flags, false)
}

fn write(cx: &mut Context<'_>, iocb: &Iocb, file: &FileDescription) -> Result<Transfer> {
    let flags = prepare(cx, iocb, file)?;
    file.check_writes()?;
    let can_be_written = match &file.file {
        File::Device(device) => device.device != Device::Full,
        File::Regular(_)
        | File::HostStream(_)
        | File::Pipe(_)
        | File::Terminal(_)
        | File::Socket(_) => true,
        _ => false,
    };
    if !can_be_written {
        return Err(Error::new(Errno::EINVAL, "a file without write_iter"));
    }
    transfer(cx, iocb, flags, true)
}

fn synchronize(iocb: &Iocb, file: &FileDescription, what: Synchronized) -> Result<Synchronized> {
    if iocb.buffer != 0 || iocb.offset != 0 || iocb.len != 0 || iocb.transfer_flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    match file.file {
        File::Regular(_) | File::Directory(_) => Ok(what),
        _ => Err(Errno::EINVAL.into()),
    }
}

fn poll(
    cx: &mut Context<'_>,
    context: &Rc<AioContext>,
    iocb: &Iocb,
    request: Request,
    file: &Rc<FileDescription>,
) -> Result<()> {
    let wanted = u16::try_from(iocb.buffer).map_err(|_| Errno::EINVAL)?;
    if iocb.offset != 0 || iocb.len != 0 || iocb.transfer_flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let wanted = Readiness::from_bits_truncate(wanted.into());
    PollRequest::submit(context, request, file, wanted, &mut cx.kernel.machine.wakes)
}

/// Does what was asked for, unless faults have it fail.
fn perform(
    cx: &mut Context<'_>,
    context: &Rc<AioContext>,
    iocb: &Iocb,
    request: Request,
    file: &Rc<FileDescription>,
    operation: &Operation,
) -> Result<Submitted> {
    let mut failure = None;
    if cx.call().aio.delay.is_none() {
        let (number, arguments) = stands_for(iocb, file, operation);
        let verdict = cx.kernel.ask_faults_of_request(cx.host, cx.thread, number, arguments);
        if inject(cx, &verdict) {
            return Ok(Submitted::Never);
        }
        failure = verdict.fail;
    }
    let result = match failure {
        Some(errno) => Err(Error::new(errno, "a fault")),
        None => match operation {
            Operation::Synchronize(what) => volume::synchronize_file(cx, file, *what),
            Operation::Transfer(transfer) => move_bytes(cx, iocb.fd, file, transfer),
        },
    };
    let result = match result {
        Ok(Outcome::Done(done)) => done as i64,
        Err(error) => error.errno.as_result() as i64,
        Ok(outcome) if !cx.is_interrupted() => return Ok(Submitted::Waits(outcome)),
        // Others have been submitted, so the call cannot begin again (`aio_rw_done`).
        Ok(_) => {
            cx.kernel.unregister(cx.thread);
            match cx.call().progress {
                0 => Errno::EINTR.as_result() as i64,
                done => done as i64,
            }
        }
    };
    let delay = cx.call().aio.delay.unwrap_or_default();
    let machine = &mut cx.kernel.machine;
    if delay.is_zero() {
        context.finish(&request, result, &mut machine.wakes);
    } else {
        let due = machine.clock.now() + delay;
        context.finish_at(request, result, due, machine);
    }
    Ok(Submitted::Yes)
}

/// Whether a file is read and written at the offset that a request names: others have no positions.
fn has_positions(file: &File) -> bool {
    matches!(file, File::Regular(_) | File::Device(_) | File::Text(_))
}

/// The call that a request stands for.
fn stands_for(iocb: &Iocb, file: &FileDescription, operation: &Operation) -> (u64, [u64; 6]) {
    let positions = has_positions(&file.file);
    let number = match (operation, iocb.opcode) {
        (Operation::Synchronize(Synchronized::File), _) => nr::__NR_fsync,
        (Operation::Synchronize(Synchronized::Data), _) => nr::__NR_fdatasync,
        (_, aio::PREAD) if positions => nr::__NR_pread64,
        (_, aio::PREAD) => nr::__NR_read,
        (_, aio::PREADV) if positions => nr::__NR_preadv,
        (_, aio::PREADV) => nr::__NR_readv,
        (_, aio::PWRITE) if positions => nr::__NR_pwrite64,
        (_, aio::PWRITE) => nr::__NR_write,
        _ if positions => nr::__NR_pwritev,
        _ => nr::__NR_writev,
    };
    (number.into(), [iocb.fd.into(), iocb.buffer, iocb.len, iocb.offset, 0, 0])
}

/// Notes what faults do to a request; whether they end its process or machine before.
fn inject(cx: &mut Context<'_>, verdict: &Verdict) -> bool {
    cx.call().aio.delay = Some(verdict.delay);
    if verdict.firings.is_empty() {
        return false;
    }
    cx.kernel.machine.damage = verdict.damage;
    let before = verdict.before;
    let is_before = before != Strike::default();
    let injected = cx.call().injected.get_or_insert_with(Box::default);
    injected.bytes_max = verdict.bytes_max;
    let strike = if is_before { before } else { verdict.after };
    if strike != Strike::default() {
        injected.after = strike;
    }
    // What only keeps them standing still may as well come after.
    let ends = matches!(
        before.node,
        Some(NodeHit::Crash { .. } | NodeHit::Stop { .. } | NodeHit::LosePower(_))
    );
    before.signal.is_some() || ends
}

fn move_bytes(
    cx: &mut Context<'_>,
    fd: u32,
    file: &Rc<FileDescription>,
    transfer: &Transfer,
) -> Result<Outcome> {
    let max = cx.bytes_max();
    let buffers = crate::user::first(&transfer.buffers, max);
    let (flags, at) = (transfer.flags, transfer.at);
    if has_positions(&file.file) {
        let done = if !transfer.writes {
            file.read_at(&mut cx.env(), &buffers, at)?
        } else if let (true, File::Regular(regular)) =
            (flags.contains(TransferFlags::APPEND), &file.file)
        {
            file.write_at(&mut cx.env(), &buffers, regular.size())?
        } else {
            file.write_at(&mut cx.env(), &buffers, at)?
        };
        return Ok(Outcome::Done(done as u64));
    }
    if matches!(file.file, File::Socket(_)) && at != 0 {
        return Err(Errno::ESPIPE.into());
    }
    // What waits goes on with this file, whatever becomes of the descriptor.
    cx.hold(fd.into(), file);
    if transfer.writes {
        io::write_with(cx, file, &buffers, flags)
    } else {
        io::read_with(cx, file, &buffers, flags)
    }
}
