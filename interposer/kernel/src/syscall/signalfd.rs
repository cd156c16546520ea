//! signalfd(2).

use alloc::rc::Rc;
use core::cell::Cell;

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use super::signal::{check_set_size, read_set};
use crate::{
    context::Context,
    error::{Errno, Result},
    file::{File, FileDescription, OpenFlags, SignalFile},
    outcome::Outcome,
    signal::{Signal, SignalInfo, SignalSet},
    user::{self, UserSlice},
    wait::Readiness,
};

/// signalfd(2), as it was at first.
pub fn signalfd(cx: &mut Context<'_>, [fd, set, size, ..]: [u64; 6]) -> Result<Outcome> {
    signalfd4(cx, [fd, set, size, 0, 0, 0])
}

/// signalfd(2).
pub fn signalfd4(cx: &mut Context<'_>, [fd, set, size, flags, ..]: [u64; 6]) -> Result<Outcome> {
    check_set_size(size)?;
    let wanted = read_set(cx, set)?.without(SignalSet::UNMASKABLE);
    let flags = OpenFlags::from_bits(flags as u32).ok_or(Errno::EINVAL)?;
    if !(OpenFlags::CLOSE_ON_EXEC | OpenFlags::NONBLOCK).contains(flags) {
        return Err(Errno::EINVAL.into());
    }
    if fd as i32 != -1 {
        let file = cx.description(fd)?;
        let File::Signal(signals) = &file.file else { return Err(Errno::EINVAL.into()) };
        signals.wanted.set(wanted);
        signals.arrived.wake(Readiness::READABLE, &mut cx.kernel.machine.wakes);
        return Ok(Outcome::Done(fd & 0xffff_ffff));
    }
    let file = SignalFile {
        wanted: Cell::new(wanted),
        pending: cx.kernel.follow_pending(cx.thread),
        arrived: cx.kernel.machine.signal_arrived.clone(),
    };
    let description = FileDescription::new(
        File::Signal(file),
        flags | OpenFlags::READ_WRITE,
        b"anon_inode:[signalfd]",
    );
    cx.add_descriptor(description, flags.contains(OpenFlags::CLOSE_ON_EXEC)).map(Outcome::Done)
}

/// `struct signalfd_siginfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Record {
    signal: u32,
    errno: i32,
    code: i32,
    pid: u32,
    uid: u32,
    fd: i32,
    tid: u32,
    band: u32,
    overrun: u32,
    trap: u32,
    status: u32,
    int: u32,
    pointer: u64,
    user_time: u64,
    system_time: u64,
    address: u64,
    address_bits: u16,
    pad: [u16; 3],
    call_address: u64,
    arch: u32,
    pad2: [u32; 7],
}

impl Record {
    /// Which fields are filled goes by the code (`siginfo_layout` in kernel/signal.c).
    fn new(info: &SignalInfo) -> Self {
        let [first, second, third] = info.fields;
        let (low, high) = (first as u32, (first >> 32) as u32);
        let record = Self {
            signal: info.signal.number(),
            errno: info.errno,
            code: info.code,
            ..Self::default()
        };
        let is_fault = SignalSet::SYNCHRONOUS.contains(info.signal);
        match info.code {
            raw::SI_TIMER => {
                Self { tid: low, overrun: high, pointer: second, int: second as u32, ..record }
            }
            raw::SI_SIGIO => Self { band: low, fd: second as i32, ..record },
            i32::MIN..=-1 => {
                Self { pid: low, uid: high, pointer: second, int: second as u32, ..record }
            }
            1..0x80 if info.signal == Signal::CHLD => {
                let status = second as u32;
                Self { pid: low, uid: high, status, user_time: third, ..record }
            }
            1..0x80 if is_fault => Self { address: first, ..record },
            1..0x80 if info.signal == Signal::IO => Self { band: low, fd: second as i32, ..record },
            _ => Self { pid: low, uid: high, ..record },
        }
    }
}

/// read(2) of a signalfd: as many signals as there are and fit.
pub(super) fn read(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    signals: &SignalFile,
    into: &[UserSlice],
) -> Result<Outcome> {
    const SIZE: usize = size_of::<Record>();
    let room = user::total_len(into) / SIZE;
    if room == 0 {
        return Err(Errno::EINVAL.into());
    }
    let mut bytes = alloc::vec::Vec::new();
    while bytes.len() < room * SIZE
        && let Some(info) = cx.kernel.take_awaited(cx.thread, signals.wanted.get())
    {
        bytes.extend_from_slice(bytemuck::bytes_of(&Record::new(&info)));
    }
    let result = if bytes.is_empty() {
        Err(Errno::EAGAIN.into())
    } else {
        user::scatter(cx.host, into, &bytes)
    };
    cx.or_block_for(file, result, Readiness::READABLE, "a signal to read")
}
