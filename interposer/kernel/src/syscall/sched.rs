//! Priorities and affinity: kept, inherited and shown; the seed alone decides who runs.

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    outcome::Outcome,
    process::{Capabilities, Policy, ProcessId, Scheduling, ThreadId},
    uapi::time::Timespec,
    user::{self, UserPtr},
};

/// Bytes of a processor mask as the kernel gives it.
const MASK_SIZE: u64 = 8;

/// The processors there are.
fn processors(cx: &Context<'_>) -> u64 {
    match cx.kernel.machine.config.cpus {
        cpus @ 0..64 => (1 << cpus.max(1)) - 1,
        _ => u64::MAX,
    }
}

fn scheduling<'a>(cx: &'a mut Context<'_>, id: ThreadId) -> &'a mut Scheduling {
    &mut cx.kernel.thread_mut(id).scheduling
}

/// Whether the caller may change another's scheduling.
fn may_change(cx: &mut Context<'_>, target: ThreadId) -> Result<()> {
    let own = cx.process().credentials.clone();
    let other = &cx.kernel.process(cx.kernel.thread(target).process).credentials;
    if own.euid == other.uid || own.euid == other.euid || own.can(Capabilities::SYS_NICE) {
        Ok(())
    } else {
        Err(Errno::EPERM.into())
    }
}

/// The thread whose affinity a call is about: that there is none of a negative number is no error of its own.
fn affinity_target(cx: &Context<'_>, pid: u64) -> Result<ThreadId> {
    cx.kernel.find_thread(cx.thread, pid).map_err(|_| Errno::ESRCH.into())
}

/// sched_getaffinity(2).
pub fn sched_getaffinity(cx: &mut Context<'_>, [pid, len, to, ..]: [u64; 6]) -> Result<Outcome> {
    let cpus = u64::from(cx.kernel.machine.config.cpus);
    if len.saturating_mul(8) < cpus || !len.is_multiple_of(MASK_SIZE) {
        return Err(Errno::EINVAL.into());
    }
    let target = affinity_target(cx, pid)?;
    let mask = scheduling(cx, target).affinity & processors(cx);
    cx.write(UserPtr::new(to), &mask)?;
    Ok(Outcome::Done(MASK_SIZE))
}

/// sched_setaffinity(2).
pub fn sched_setaffinity(cx: &mut Context<'_>, [pid, len, from, ..]: [u64; 6]) -> Result<Outcome> {
    let mut mask = [0; MASK_SIZE as usize];
    user::read_bytes(cx.host, from, &mut mask[..len.min(MASK_SIZE) as usize])?;
    let target = affinity_target(cx, pid)?;
    may_change(cx, target)?;
    let mask = u64::from_le_bytes(mask) & processors(cx);
    if mask == 0 {
        return Err(Errno::EINVAL.into());
    }
    scheduling(cx, target).affinity = mask;
    Ok(Outcome::Done(0))
}

/// getcpu(2).
pub fn getcpu(cx: &mut Context<'_>, [cpu, node, ..]: [u64; 6]) -> Result<Outcome> {
    let mask = cx.thread().scheduling.affinity & processors(cx);
    cx.write_optional(cpu, &mask.trailing_zeros())?;
    cx.write_optional(node, &0u32)?;
    Ok(Outcome::Done(0))
}

/// A policy number, with the flag that may be set in it.
fn decode_policy(number: u32) -> Result<(Policy, bool)> {
    let resets = number & raw::SCHED_RESET_ON_FORK != 0;
    let policy = Policy::new(number & !raw::SCHED_RESET_ON_FORK).ok_or(Errno::EINVAL)?;
    Ok((policy, resets))
}

fn set_policy(
    cx: &mut Context<'_>,
    target: ThreadId,
    policy: Policy,
    priority: u32,
    resets_on_fork: bool,
) -> Result<()> {
    let (low, high) = policy.priorities();
    if !(low..=high).contains(&priority) {
        return Err(Errno::EINVAL.into());
    }
    may_change(cx, target)?;
    let privileged = cx.process().credentials.can(Capabilities::SYS_NICE);
    let place = scheduling(cx, target);
    let raises = high > 0 && (policy != place.policy || priority > place.priority);
    let drops_reset = place.resets_on_fork && !resets_on_fork;
    if !privileged && (raises || drops_reset) {
        return Err(Error::new(Errno::EPERM, "RLIMIT_RTPRIO is zero"));
    }
    (place.policy, place.priority) = (policy, priority);
    place.resets_on_fork = resets_on_fork;
    Ok(())
}

/// sched_setscheduler(2).
pub fn sched_setscheduler(
    cx: &mut Context<'_>,
    [pid, policy, parameters, ..]: [u64; 6],
) -> Result<Outcome> {
    if (policy as i32) < 0 || parameters == 0 {
        return Err(Errno::EINVAL.into());
    }
    let priority = cx.read(UserPtr::<u32>::new(parameters))?;
    let target = cx.kernel.find_thread(cx.thread, pid)?;
    let (policy, resets) = decode_policy(policy as u32)?;
    set_policy(cx, target, policy, priority, resets)?;
    Ok(Outcome::Done(0))
}

/// sched_getscheduler(2).
pub fn sched_getscheduler(cx: &mut Context<'_>, [pid, ..]: [u64; 6]) -> Result<Outcome> {
    let target = cx.kernel.find_thread(cx.thread, pid)?;
    let place = scheduling(cx, target);
    let flag = if place.resets_on_fork { raw::SCHED_RESET_ON_FORK } else { 0 };
    Ok(Outcome::Done(u64::from(place.policy.number() | flag)))
}

/// sched_setparam(2).
pub fn sched_setparam(cx: &mut Context<'_>, [pid, parameters, ..]: [u64; 6]) -> Result<Outcome> {
    if parameters == 0 {
        return Err(Errno::EINVAL.into());
    }
    let priority = cx.read(UserPtr::<u32>::new(parameters))?;
    let target = cx.kernel.find_thread(cx.thread, pid)?;
    let Scheduling { policy, resets_on_fork, .. } = *scheduling(cx, target);
    set_policy(cx, target, policy, priority, resets_on_fork)?;
    Ok(Outcome::Done(0))
}

/// sched_getparam(2).
pub fn sched_getparam(cx: &mut Context<'_>, [pid, parameters, ..]: [u64; 6]) -> Result<Outcome> {
    if parameters == 0 {
        return Err(Errno::EINVAL.into());
    }
    let target = cx.kernel.find_thread(cx.thread, pid)?;
    let priority = scheduling(cx, target).priority;
    cx.write(UserPtr::new(parameters), &priority)?;
    Ok(Outcome::Done(0))
}

/// `struct sched_attr`, as first published.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Attributes {
    size: u32,
    policy: u32,
    flags: u64,
    nice: i32,
    priority: u32,
    runtime: u64,
    deadline: u64,
    period: u64,
}

const ATTRIBUTES_SIZE: u32 = size_of::<Attributes>() as u32;
const SCHED_FLAG_RESET_ON_FORK: u64 = 1;

/// sched_setattr(2).
pub fn sched_setattr(cx: &mut Context<'_>, [pid, from, flags, ..]: [u64; 6]) -> Result<Outcome> {
    if from == 0 || flags != 0 {
        return Err(Errno::EINVAL.into());
    }
    let size = cx.read(UserPtr::<u32>::new(from))?;
    if size != 0 && size < ATTRIBUTES_SIZE {
        cx.write(UserPtr::new(from), &ATTRIBUTES_SIZE)?;
        return Err(Errno::E2BIG.into());
    }
    let wanted = cx.read(UserPtr::<Attributes>::new(from))?;
    let target = cx.kernel.find_thread(cx.thread, pid)?;
    let policy = Policy::new(wanted.policy).ok_or(Errno::EINVAL)?;
    if policy.priorities().1 == 0 && !(-20..=19).contains(&wanted.nice) {
        return Err(Errno::EINVAL.into());
    }
    let nice = wanted.nice;
    if policy.priorities().1 == 0 && nice < scheduling(cx, target).nice {
        may_raise_nice(cx)?;
    }
    set_policy(cx, target, policy, wanted.priority, wanted.flags & SCHED_FLAG_RESET_ON_FORK != 0)?;
    if policy.priorities().1 == 0 {
        scheduling(cx, target).nice = nice;
    }
    Ok(Outcome::Done(0))
}

/// sched_getattr(2).
pub fn sched_getattr(
    cx: &mut Context<'_>,
    [pid, to, size, flags, ..]: [u64; 6],
) -> Result<Outcome> {
    if to == 0 || flags != 0 || (size as u32) < ATTRIBUTES_SIZE || size > 4096 {
        return Err(Errno::EINVAL.into());
    }
    let target = cx.kernel.find_thread(cx.thread, pid)?;
    let place = scheduling(cx, target);
    let attributes = Attributes {
        size: ATTRIBUTES_SIZE,
        policy: place.policy.number(),
        flags: if place.resets_on_fork { SCHED_FLAG_RESET_ON_FORK } else { 0 },
        nice: place.nice,
        priority: place.priority,
        ..Attributes::default()
    };
    cx.write(UserPtr::new(to), &attributes)?;
    Ok(Outcome::Done(0))
}

fn policy_range(policy: u64) -> Result<(u32, u32)> {
    const SCHED_DEADLINE: u32 = 6;
    if policy as u32 == SCHED_DEADLINE {
        return Ok((0, 0));
    }
    Ok(Policy::new(policy as u32).ok_or(Errno::EINVAL)?.priorities())
}

/// sched_get_priority_max(2).
pub fn sched_get_priority_max(_: &mut Context<'_>, [policy, ..]: [u64; 6]) -> Result<Outcome> {
    Ok(Outcome::Done(u64::from(policy_range(policy)?.1)))
}

/// sched_get_priority_min(2).
pub fn sched_get_priority_min(_: &mut Context<'_>, [policy, ..]: [u64; 6]) -> Result<Outcome> {
    Ok(Outcome::Done(u64::from(policy_range(policy)?.0)))
}

/// sched_rr_get_interval(2).
pub fn sched_rr_get_interval(cx: &mut Context<'_>, [pid, to, ..]: [u64; 6]) -> Result<Outcome> {
    let target = cx.kernel.find_thread(cx.thread, pid)?;
    let nsec = match scheduling(cx, target).policy {
        Policy::Fifo => 0,
        Policy::RoundRobin => 100_000_000,
        Policy::Other | Policy::Batch | Policy::Idle => 4_000_000,
    };
    cx.write(UserPtr::new(to), &Timespec { sec: 0, nsec })?;
    Ok(Outcome::Done(0))
}

/// Whether the caller may take a better nice value than it has.
fn may_raise_nice(cx: &mut Context<'_>) -> Result<()> {
    if cx.process().credentials.can(Capabilities::SYS_NICE) {
        Ok(())
    } else {
        Err(Error::new(Errno::EACCES, "RLIMIT_NICE is zero"))
    }
}

/// The threads that `getpriority`'s or `ioprio_get`'s arguments name: kinds are a thread, a group, a user.
fn named(cx: &mut Context<'_>, kind: u32, who: u64) -> Result<alloc::vec::Vec<ThreadId>> {
    let threads_of = |cx: &Context<'_>, wanted: &dyn Fn(ProcessId) -> bool| {
        let processes = cx.kernel.own_processes().filter(|&(id, _)| wanted(id));
        processes.flat_map(|(_, process)| process.threads.iter().copied()).collect()
    };
    let found: alloc::vec::Vec<_> = match kind {
        0 => alloc::vec![cx.kernel.find_thread(cx.thread, who).map_err(|_| Errno::ESRCH)?],
        1 => {
            let own = cx.process().group;
            let group = if who as u32 == 0 { own } else { crate::process::Tid::new(who as u32) };
            threads_of(cx, &|id| cx.kernel.process(id).group == group)
        }
        2 => {
            let own = cx.process().credentials.uid;
            let user = if who as u32 == 0 { own } else { who as u32 };
            threads_of(cx, &|id| cx.kernel.process(id).credentials.uid == user)
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    if found.is_empty() { Err(Errno::ESRCH.into()) } else { Ok(found) }
}

/// getpriority(2): 20 minus the best nice value.
pub fn getpriority(cx: &mut Context<'_>, [kind, who, ..]: [u64; 6]) -> Result<Outcome> {
    let threads = named(cx, kind as u32, who)?;
    let best = threads.into_iter().map(|id| scheduling(cx, id).nice).min().unwrap_or(0);
    Ok(Outcome::Done((20 - best) as u64))
}

/// setpriority(2).
pub fn setpriority(cx: &mut Context<'_>, [kind, who, nice, ..]: [u64; 6]) -> Result<Outcome> {
    let nice = (nice as i32).clamp(-20, 19);
    for id in named(cx, kind as u32, who)? {
        may_change(cx, id)?;
        if nice < scheduling(cx, id).nice {
            may_raise_nice(cx)?;
        }
        scheduling(cx, id).nice = nice;
    }
    Ok(Outcome::Done(0))
}

/// ioprio_get(2).
pub fn ioprio_get(cx: &mut Context<'_>, [kind, who, ..]: [u64; 6]) -> Result<Outcome> {
    let threads = named(cx, (kind as u32).wrapping_sub(1), who)?;
    let best = threads.into_iter().map(|id| scheduling(cx, id).io_priority).min();
    Ok(Outcome::Done(u64::from(best.unwrap_or(0))))
}

/// Refuses a priority of I/O that there is not, or that the caller may not have (`ioprio_check_cap`).
///
/// # Errors
/// `EINVAL`, `EPERM`.
pub(super) fn check_io_priority(cx: &mut Context<'_>, priority: u32) -> Result<()> {
    match (priority >> 13, priority & 0x1fff) {
        (1, _) if !cx.process().credentials.can(Capabilities::SYS_NICE) => Err(Errno::EPERM.into()),
        (1 | 2, 0..8) | (0, 0) | (3, _) => Ok(()),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// ioprio_set(2).
pub fn ioprio_set(cx: &mut Context<'_>, [kind, who, priority, ..]: [u64; 6]) -> Result<Outcome> {
    let priority = priority as u32;
    check_io_priority(cx, priority)?;
    for id in named(cx, (kind as u32).wrapping_sub(1), who)? {
        may_change(cx, id)?;
        scheduling(cx, id).io_priority = priority;
    }
    Ok(Outcome::Done(0))
}
