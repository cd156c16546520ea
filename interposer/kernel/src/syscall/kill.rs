//! Sending signals.

use alloc::vec::Vec;

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    machine::SignalTarget,
    outcome::Outcome,
    process::{Capabilities, ProcessId, Tid},
    signal::{Signal, SignalInfo},
    uapi::signal::RawSignalInfo,
    user::UserPtr,
};

/// The signal in a register; zero asks only whether one could be sent.
pub(super) fn signal(raw: u64) -> Result<Option<Signal>> {
    match raw & 0xffff_ffff {
        0 => Ok(None),
        number => Ok(Some(Signal::new(number).ok_or(Errno::EINVAL)?)),
    }
}

fn own_info(cx: &mut Context<'_>, signal: Signal, code: i32) -> SignalInfo {
    let (pid, uid) = (cx.process().pid, cx.process().credentials.uid);
    SignalInfo::from_process(signal, code, pid, uid)
}

/// Whether the caller may send this signal there (`check_kill_permission` in kernel/signal.c).
fn may_signal(cx: &mut Context<'_>, target: ProcessId, signal: Option<Signal>) -> bool {
    let own = cx.thread().process;
    let (sender, target) = (cx.kernel.process(own), cx.kernel.process(target));
    let (from, to) = (&sender.credentials, &target.credentials);
    from.can(Capabilities::KILL)
        || [from.euid, from.uid].iter().any(|&uid| uid == to.suid || uid == to.uid)
        || signal == Some(Signal::CONT) && sender.session == target.session
}

pub(super) fn send_to_process(
    cx: &mut Context<'_>,
    target: ProcessId,
    signal: Option<Signal>,
    info: Option<SignalInfo>,
) -> Result<()> {
    if !may_signal(cx, target, signal) {
        return Err(Errno::EPERM.into());
    }
    let Some(signal) = signal else { return Ok(()) };
    let info = info.unwrap_or_else(|| own_info(cx, signal, raw::SI_USER as i32));
    cx.kernel.queue_signal(SignalTarget::Process(target), info)
}

/// kill(2).
pub fn kill(cx: &mut Context<'_>, [pid, number, ..]: [u64; 6]) -> Result<Outcome> {
    let signal = signal(number)?;
    let own = cx.thread().process;
    let group = match pid as i32 {
        pid @ 1.. => {
            let target = cx.kernel.find_process(cx.thread, u64::from(pid.unsigned_abs()))?;
            send_to_process(cx, target, signal, None)?;
            return Ok(Outcome::Done(0));
        }
        0 => Some(cx.process().group),
        -1 => None,
        i32::MIN => return Err(Errno::ESRCH.into()),
        group => Some(Tid::new(group.unsigned_abs())),
    };
    let targets: Vec<ProcessId> = cx
        .kernel
        .processes
        .iter()
        .filter(|&(id, process)| match group {
            Some(group) => process.group == group,
            None => id != own && process.pid != Tid::INIT,
        })
        .map(|(id, _)| id)
        .collect();
    send_to_all(cx, &targets, signal)
}

/// Sends to several processes: it is enough if one could be reached (`__kill_pgrp_info`).
fn send_to_all(
    cx: &mut Context<'_>,
    targets: &[ProcessId],
    signal: Option<Signal>,
) -> Result<Outcome> {
    let mut result = Err(Errno::ESRCH.into());
    for &target in targets {
        let sent = send_to_process(cx, target, signal, None);
        if result.is_err() {
            result = sent;
        }
    }
    result.map(|()| Outcome::Done(0))
}

/// Sends to one thread, of this process if it is given.
fn send_to_thread(
    cx: &mut Context<'_>,
    process: Option<u64>,
    tid: u64,
    number: u64,
    info: Option<SignalInfo>,
) -> Result<Outcome> {
    if tid as i32 <= 0 || process.is_some_and(|pid| pid as i32 <= 0) {
        return Err(Errno::EINVAL.into());
    }
    let signal = signal(number)?;
    let thread = *cx.kernel.tids.get(&Tid::new(tid as u32)).ok_or(Errno::ESRCH)?;
    let owner = cx.kernel.thread(thread).process;
    if process.is_some_and(|pid| cx.kernel.process(owner).pid.raw() != pid as u32) {
        return Err(Error::new(Errno::ESRCH, "the thread is in another process"));
    }
    if !may_signal(cx, owner, signal) {
        return Err(Errno::EPERM.into());
    }
    if let Some(signal) = signal {
        let info = info.unwrap_or_else(|| own_info(cx, signal, raw::SI_TKILL));
        cx.kernel.queue_signal(SignalTarget::Thread(thread), info)?;
    }
    Ok(Outcome::Done(0))
}

/// tkill(2).
pub fn tkill(cx: &mut Context<'_>, [tid, number, ..]: [u64; 6]) -> Result<Outcome> {
    send_to_thread(cx, None, tid, number, None)
}

/// tgkill(2).
pub fn tgkill(cx: &mut Context<'_>, [pid, tid, number, ..]: [u64; 6]) -> Result<Outcome> {
    send_to_thread(cx, Some(pid), tid, number, None)
}

/// As [`read_info`], of a signal that it must name, too.
pub(super) fn read_info_of(
    cx: &mut Context<'_>,
    target: u64,
    number: u64,
    from: u64,
) -> Result<Option<SignalInfo>> {
    let info = cx.read(UserPtr::<RawSignalInfo>::new(from))?;
    if info.signal != number as i32 {
        return Err(Errno::EINVAL.into());
    }
    unforged(cx, target, number, &info)
}

/// Reads what a program wants to come with a signal.
pub(super) fn read_info(
    cx: &mut Context<'_>,
    target: u64,
    number: u64,
    from: u64,
) -> Result<Option<SignalInfo>> {
    let info = cx.read(UserPtr::<RawSignalInfo>::new(from))?;
    unforged(cx, target, number, &info)
}

/// What comes with a signal, unless it forges one of the kernel's own kinds for another process.
fn unforged(
    cx: &mut Context<'_>,
    target: u64,
    number: u64,
    info: &RawSignalInfo,
) -> Result<Option<SignalInfo>> {
    let own = cx.process().pid.raw();
    if (info.code >= 0 || info.code == raw::SI_TKILL) && target as u32 != own {
        return Err(Error::new(Errno::EPERM, "this si_code is the kernel's"));
    }
    Ok(signal(number)?.map(|signal| SignalInfo::from_raw(signal, info)))
}

/// rt_sigqueueinfo(2).
pub fn rt_sigqueueinfo(cx: &mut Context<'_>, [pid, number, from, ..]: [u64; 6]) -> Result<Outcome> {
    let info = read_info(cx, pid, number, from)?;
    if pid as i32 <= 0 {
        return Err(Errno::ESRCH.into());
    }
    let target = cx.kernel.find_process(cx.thread, pid)?;
    send_to_process(cx, target, info.map(|info| info.signal), info)?;
    Ok(Outcome::Done(0))
}

/// rt_tgsigqueueinfo(2).
pub fn rt_tgsigqueueinfo(
    cx: &mut Context<'_>,
    [pid, tid, number, from, ..]: [u64; 6],
) -> Result<Outcome> {
    let info = read_info(cx, pid, number, from)?;
    send_to_thread(cx, Some(pid), tid, number, info)
}
