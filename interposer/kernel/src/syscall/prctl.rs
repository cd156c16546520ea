//! prctl(2), personality(2), membarrier(2).

use alloc::rc::Rc;

use linux_raw_sys::prctl as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    outcome::Outcome,
    process::{CAPABILITY_LAST, Capabilities},
    signal::Signal,
    user::{self, UserPtr},
};

/// Bytes of a thread's name, NUL included.
const NAME_SIZE: usize = 16;
const PR_TSC_ENABLE: u32 = 1;
/// <linux/prctl.h>; the host's own Yama, which this machine has not.
const PR_SET_PTRACER: u32 = 0x5961_6d61;

fn flag(raw: u64) -> Result<bool> {
    match raw {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(Errno::EINVAL.into()),
    }
}

fn value(value: impl Into<u64>) -> Result<Outcome> {
    Ok(Outcome::Done(value.into()))
}

fn given(cx: &mut Context<'_>, to: u64, value: u32) -> Result<Outcome> {
    cx.write(UserPtr::new(to), &value)?;
    Ok(Outcome::Done(0))
}

/// prctl(2).
pub fn prctl(cx: &mut Context<'_>, [option, a, b, c, d, _]: [u64; 6]) -> Result<Outcome> {
    let unused = b == 0 && c == 0 && d == 0;
    match option as u32 {
        raw::PR_SET_NAME => set_name(cx, a),
        raw::PR_GET_NAME => {
            let name = cx.thread().name;
            cx.write(UserPtr::new(a), &name)?;
            Ok(Outcome::Done(0))
        }
        raw::PR_SET_PDEATHSIG => {
            let signal = Signal::new(a);
            if a != 0 && signal.is_none() {
                return Err(Errno::EINVAL.into());
            }
            cx.process().settings.death_signal = signal;
            Ok(Outcome::Done(0))
        }
        raw::PR_GET_PDEATHSIG => {
            let signal = cx.process().settings.death_signal.map_or(0, Signal::number);
            given(cx, a, signal)
        }
        raw::PR_SET_DUMPABLE => {
            cx.process().settings.undumpable = !flag(a)?;
            Ok(Outcome::Done(0))
        }
        raw::PR_GET_DUMPABLE => value(!cx.process().settings.undumpable),
        raw::PR_SET_CHILD_SUBREAPER => {
            cx.process().settings.is_subreaper = a != 0;
            Ok(Outcome::Done(0))
        }
        raw::PR_GET_CHILD_SUBREAPER => {
            let is = cx.process().settings.is_subreaper;
            given(cx, a, u32::from(is))
        }
        raw::PR_SET_NO_NEW_PRIVS if a == 1 && unused => {
            cx.process().settings.no_new_privileges = true;
            Ok(Outcome::Done(0))
        }
        raw::PR_GET_NO_NEW_PRIVS if a == 0 && unused => {
            value(cx.process().settings.no_new_privileges)
        }
        raw::PR_SET_THP_DISABLE if unused => {
            cx.process().settings.no_huge_pages = a != 0;
            Ok(Outcome::Done(0))
        }
        raw::PR_GET_THP_DISABLE if a == 0 && unused => value(cx.process().settings.no_huge_pages),
        raw::PR_SET_TIMERSLACK => {
            let scheduling = &mut cx.thread().scheduling;
            let default = scheduling.timer_slack_default;
            scheduling.timer_slack = if a as i64 <= 0 { default } else { a };
            Ok(Outcome::Done(0))
        }
        raw::PR_GET_TIMERSLACK => value(cx.thread().scheduling.timer_slack),
        raw::PR_GET_TID_ADDRESS => {
            let address = cx.thread().clear_child_tid;
            cx.write(UserPtr::new(a), &address)?;
            Ok(Outcome::Done(0))
        }
        raw::PR_GET_SPECULATION_CTRL if !unused => Err(Errno::EINVAL.into()),
        raw::PR_CAP_AMBIENT => ambient(cx, a as u32, b, c == 0 && d == 0),
        option => capabilities(cx, option, a).unwrap_or_else(|| machine(cx, option, a)),
    }
}

fn set_name(cx: &mut Context<'_>, from: u64) -> Result<Outcome> {
    let mut name = [0; NAME_SIZE];
    for (index, place) in name[..NAME_SIZE - 1].iter_mut().enumerate() {
        let mut byte = [0];
        user::read_bytes(cx.host, from.wrapping_add(index as u64), &mut byte)?;
        if byte == [0] {
            break;
        }
        *place = byte[0];
    }
    cx.thread().name = name;
    Ok(Outcome::Done(0))
}

/// The capability with a number, if there is one.
fn capability_bit(number: u64) -> Option<Capabilities> {
    (number <= u64::from(CAPABILITY_LAST)).then(|| Capabilities::from_bits_retain(1 << number))
}

/// The options about capabilities; `None` for any other.
fn capabilities(cx: &mut Context<'_>, option: u32, a: u64) -> Option<Result<Outcome>> {
    let who = Rc::make_mut(&mut cx.process().credentials);
    Some(match option {
        raw::PR_GET_KEEPCAPS => value(who.keeps),
        raw::PR_SET_KEEPCAPS => flag(a).map(|keeps| {
            who.keeps = keeps;
            Outcome::Done(0)
        }),
        raw::PR_CAPBSET_READ => capability_bit(a)
            .map_or(Err(Errno::EINVAL.into()), |bit| value(who.bounding.contains(bit))),
        raw::PR_CAPBSET_DROP if !who.can(Capabilities::SETPCAP) => Err(Errno::EPERM.into()),
        raw::PR_CAPBSET_DROP => capability_bit(a).map_or(Err(Errno::EINVAL.into()), |bit| {
            who.bounding.remove(bit);
            Ok(Outcome::Done(0))
        }),
        raw::PR_GET_SECUREBITS => value(cx.process().settings.secure_bits),
        raw::PR_SET_SECUREBITS if who.can(Capabilities::SETPCAP) => {
            cx.process().settings.secure_bits = a as u32;
            Ok(Outcome::Done(0))
        }
        raw::PR_SET_SECUREBITS => Err(Errno::EPERM.into()),
        _ => return None,
    })
}

/// `PR_CAP_AMBIENT` (`cap_task_prctl` in security/commoncap.c).
fn ambient(cx: &mut Context<'_>, what: u32, capability: u64, unused: bool) -> Result<Outcome> {
    /// No capability may become ambient (capabilities(7), `SECBIT_NO_CAP_AMBIENT_RAISE`).
    const NO_RAISE: u32 = 1 << 6;
    let is_locked = cx.process().settings.secure_bits & NO_RAISE != 0;
    let who = Rc::make_mut(&mut cx.process().credentials);
    if what == raw::PR_CAP_AMBIENT_CLEAR_ALL && unused && capability == 0 {
        who.ambient = Capabilities::empty();
        return Ok(Outcome::Done(0));
    }
    let bit = capability_bit(capability).filter(|_| unused).ok_or(Errno::EINVAL)?;
    match what {
        raw::PR_CAP_AMBIENT_IS_SET => return value(who.ambient.contains(bit)),
        raw::PR_CAP_AMBIENT_RAISE if is_locked => return Err(Errno::EPERM.into()),
        raw::PR_CAP_AMBIENT_RAISE => who.set_ambient(bit, true)?,
        raw::PR_CAP_AMBIENT_LOWER => who.set_ambient(bit, false)?,
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(Outcome::Done(0))
}

/// The options about the machine, and those that a Linux without the feature refuses.
fn machine(cx: &mut Context<'_>, option: u32, a: u64) -> Result<Outcome> {
    match option {
        raw::PR_GET_TSC => given(cx, a, PR_TSC_ENABLE),
        raw::PR_SET_TSC if a as u32 == PR_TSC_ENABLE => Ok(Outcome::Done(0)),
        raw::PR_GET_TIMING | raw::PR_MCE_KILL_GET | raw::PR_GET_MDWE => Ok(Outcome::Done(0)),
        raw::PR_SET_TIMING if a == 0 => Ok(Outcome::Done(0)),
        raw::PR_MCE_KILL if a <= 1 => Ok(Outcome::Done(0)),
        raw::PR_TASK_PERF_EVENTS_DISABLE | raw::PR_TASK_PERF_EVENTS_ENABLE => Ok(Outcome::Done(0)),
        raw::PR_GET_SPECULATION_CTRL => Ok(Outcome::Done(0)),
        raw::PR_SET_SPECULATION_CTRL => Err(Errno::ENXIO.into()),
        raw::PR_SET_MM | raw::PR_SET_IO_FLUSHER | raw::PR_GET_IO_FLUSHER => {
            Err(Errno::EPERM.into())
        }
        raw::PR_SET_SECCOMP | raw::PR_GET_SECCOMP => {
            Err(Error::new(Errno::EINVAL, "as with CONFIG_SECCOMP off"))
        }
        raw::PR_SET_VMA => Err(Error::new(Errno::EINVAL, "as with CONFIG_ANON_VMA_NAME off")),
        PR_SET_PTRACER => Err(Error::new(Errno::EINVAL, "as with CONFIG_SECURITY_YAMA off")),
        _ => Err(Error::new(Errno::EINVAL, "not an option of this machine")),
    }
}

/// personality(2).
pub fn personality(cx: &mut Context<'_>, [wanted, ..]: [u64; 6]) -> Result<Outcome> {
    const ONLY_ASK: u32 = 0xffff_ffff;
    let settings = &mut cx.process().settings;
    let before = settings.personality;
    if wanted as u32 != ONLY_ASK {
        settings.personality = wanted as u32;
    }
    Ok(Outcome::Done(u64::from(before)))
}

/// Commands of membarrier(2) that this machine has: global, and private and global expedited with what registers
/// for them.
const BARRIERS: u32 = 0x1f;
/// The command that a registering command allows is the bit before it.
const BARRIERS_REGISTERING: u32 = 0x04 | 0x10;

/// membarrier(2). Exactly one thread runs at a time and a switch orders all, so there is nothing to do.
pub fn membarrier(cx: &mut Context<'_>, [command, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let command = command as u32;
    if flags != 0 || (command != 0 && (!command.is_power_of_two() || command & BARRIERS == 0)) {
        return Err(Errno::EINVAL.into());
    }
    let registered = &mut cx.process().settings.barriers;
    match command {
        0 => return Ok(Outcome::Done(u64::from(BARRIERS))),
        _ if command & BARRIERS_REGISTERING != 0 => *registered |= command,
        0x08 if *registered & 0x10 == 0 => {
            return Err(Error::new(Errno::EPERM, "not registered for it"));
        }
        _ => {}
    }
    Ok(Outcome::Done(0))
}
