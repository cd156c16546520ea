//! What a thread does with signals: actions, masks, stacks, waiting.

use core::time::Duration;

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    outcome::{Outcome, Restart},
    signal::{Action, AlternateStack, Signal, SignalSet},
    uapi::signal::{RawAction, RawStack, SIGSET_SIZE},
    user::UserPtr,
};

pub(super) fn check_set_size(size: u64) -> Result<()> {
    if size == SIGSET_SIZE {
        Ok(())
    } else {
        Err(Error::new(Errno::EINVAL, "not the kernel's sigset_t"))
    }
}

pub(super) fn read_set(cx: &mut Context<'_>, address: u64) -> Result<SignalSet> {
    Ok(SignalSet(cx.read(UserPtr::<u64>::new(address))?))
}

/// rt_sigaction(2).
pub fn rt_sigaction(
    cx: &mut Context<'_>,
    [signal, new, old, size, ..]: [u64; 6],
) -> Result<Outcome> {
    check_set_size(size)?;
    let signal = Signal::new(signal & 0xffff_ffff).ok_or(Errno::EINVAL)?;
    let new = match UserPtr::<RawAction>::new(new).non_null() {
        Some(new) => Some(Action::from_raw(&cx.read(new)?)),
        None => None,
    };
    if new.is_some() && SignalSet::UNMASKABLE.contains(signal) {
        return Err(Error::new(Errno::EINVAL, "SIGKILL and SIGSTOP do what they do"));
    }
    let before = *cx.process().actions.borrow().get(signal);
    if let Some(new) = new {
        cx.process().actions.borrow_mut().set(signal, new);
        cx.kernel.forget_ignored(cx.thread, signal);
    }
    cx.write_optional(old, &before.to_raw())?;
    Ok(Outcome::Done(0))
}

/// rt_sigprocmask(2).
pub fn rt_sigprocmask(
    cx: &mut Context<'_>,
    [how, new, old, size, ..]: [u64; 6],
) -> Result<Outcome> {
    check_set_size(size)?;
    let before = cx.thread().signals.mask;
    if new != 0 {
        let set = read_set(cx, new)?;
        let mask = match how as u32 {
            raw::SIG_BLOCK => before.union(set),
            raw::SIG_UNBLOCK => before.without(set),
            raw::SIG_SETMASK => set,
            _ => return Err(Errno::EINVAL.into()),
        };
        cx.kernel.set_signal_mask(cx.thread, mask);
    }
    cx.write_optional(old, &before.0)?;
    Ok(Outcome::Done(0))
}

/// rt_sigpending(2).
pub fn rt_sigpending(cx: &mut Context<'_>, [to, size, ..]: [u64; 6]) -> Result<Outcome> {
    if size > SIGSET_SIZE {
        return Err(Errno::EINVAL.into());
    }
    let shared = cx.process().pending.set();
    let signals = &cx.thread().signals;
    let pending = signals.pending.set().union(shared).intersection(signals.mask);
    crate::user::write_bytes(cx.host, to, &pending.0.to_le_bytes()[..size as usize])?;
    Ok(Outcome::Done(0))
}

/// sigaltstack(2).
pub fn sigaltstack(cx: &mut Context<'_>, [new, old, ..]: [u64; 6]) -> Result<Outcome> {
    let pointer = cx.thread().registers.rsp;
    let before = cx.thread().signals.stack;
    if let Some(new) = UserPtr::<RawStack>::new(new).non_null() {
        let new = cx.read(new)?;
        if before.is_in_use(pointer) {
            return Err(Error::new(Errno::EPERM, "the thread runs on its alternate stack"));
        }
        cx.thread().signals.stack = AlternateStack::from_raw(&new)?;
    }
    cx.write_optional(old, &before.describe(pointer))?;
    Ok(Outcome::Done(0))
}

/// rt_sigreturn(2).
pub fn rt_sigreturn(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    if cx.kernel.leave_handler(cx.host, cx.thread).is_err() {
        cx.kernel.refuse_return(cx.thread);
    }
    Ok(Outcome::RegistersSet)
}

/// rt_sigsuspend(2).
pub fn rt_sigsuspend(cx: &mut Context<'_>, [set, size, ..]: [u64; 6]) -> Result<Outcome> {
    check_set_size(size)?;
    let set = read_set(cx, set)?;
    cx.set_call_mask(set);
    Ok(cx.block_on(&[], Restart::UnlessHandled, "a signal"))
}

/// pause(2).
pub fn pause(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    Ok(cx.block_on(&[], Restart::UnlessHandled, "a signal"))
}

/// rt_sigtimedwait(2).
pub fn rt_sigtimedwait(
    cx: &mut Context<'_>,
    [set, info, timeout, size, ..]: [u64; 6],
) -> Result<Outcome> {
    check_set_size(size)?;
    let wanted = read_set(cx, set)?.without(SignalSet::UNMASKABLE);
    let timeout = cx.read_timeout(timeout)?;
    cx.thread().signals.awaited = SignalSet::EMPTY;
    if let Some(found) = cx.kernel.take_awaited(cx.thread, wanted) {
        cx.write_optional(info, &found.to_raw())?;
        return Ok(Outcome::Done(u64::from(found.signal.number())));
    }
    cx.deadline_after(timeout);
    if timeout == Some(Duration::ZERO) || cx.timed_out() {
        return Err(Errno::EAGAIN.into());
    }
    cx.thread().signals.awaited = wanted;
    Ok(cx.block_on(&[], Restart::Never, "one of some signals"))
}

/// restart_syscall(2). Interrupted calls go on by themselves here, so nobody is sent to it.
pub fn restart_syscall(_: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    Err(Errno::EINTR.into())
}
