//! Calls about the calling thread.

use crate::{
    context::Context,
    error::{Errno, Result},
    outcome::Outcome,
    process::Capabilities,
    user::UserPtr,
};

const ARCH_SET_GS: u64 = 0x1001;
const ARCH_SET_FS: u64 = 0x1002;
const ARCH_GET_FS: u64 = 0x1003;
const ARCH_GET_GS: u64 = 0x1004;

/// arch_prctl(2).
pub fn arch_prctl(cx: &mut Context<'_>, [code, address, ..]: [u64; 6]) -> Result<Outcome> {
    match code {
        ARCH_SET_FS | ARCH_SET_GS if address >= simrun_abi::layout::USER_END => {
            return Err(Errno::EPERM.into());
        }
        ARCH_SET_FS => cx.thread().fs_base = address,
        ARCH_SET_GS => cx.thread().gs_base = address,
        ARCH_GET_FS => {
            let base = cx.thread().fs_base;
            cx.write(UserPtr::new(address), &base)?;
        }
        ARCH_GET_GS => {
            let base = cx.thread().gs_base;
            cx.write(UserPtr::new(address), &base)?;
        }
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(Outcome::Done(0))
}

/// set_tid_address(2).
pub fn set_tid_address(cx: &mut Context<'_>, [address, ..]: [u64; 6]) -> Result<Outcome> {
    cx.thread().clear_child_tid = address;
    Ok(Outcome::Done(u64::from(cx.thread().tid.raw())))
}

/// Size of `struct robust_list_head`.
const ROBUST_HEAD_SIZE: u64 = 24;

/// set_robust_list(2).
pub fn set_robust_list(cx: &mut Context<'_>, [head, len, ..]: [u64; 6]) -> Result<Outcome> {
    if len != ROBUST_HEAD_SIZE {
        return Err(Errno::EINVAL.into());
    }
    cx.thread().robust_list = head;
    Ok(Outcome::Done(0))
}

/// A place where threads meet without a system call; the preload library makes this call there.
pub fn point(_: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    Ok(Outcome::Done(0))
}

/// get_robust_list(2).
pub fn get_robust_list(cx: &mut Context<'_>, [tid, head, len, ..]: [u64; 6]) -> Result<Outcome> {
    let target = cx.kernel.find_thread(cx.thread, tid).map_err(|_| Errno::ESRCH)?;
    let own = cx.process().credentials.clone();
    let other = &cx.kernel.process(cx.kernel.thread(target).process).credentials;
    if other.uid != own.uid && !own.can(Capabilities::SYS_PTRACE) {
        return Err(Errno::EPERM.into());
    }
    let list = cx.kernel.thread(target).robust_list;
    cx.write(UserPtr::new(len), &ROBUST_HEAD_SIZE)?;
    cx.write(UserPtr::new(head), &list)?;
    Ok(Outcome::Done(0))
}

/// sched_yield(2).
pub fn sched_yield(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    cx.kernel.yields = true;
    Ok(Outcome::Done(0))
}
