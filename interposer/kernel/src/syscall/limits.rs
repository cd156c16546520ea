//! Resource limits (getrlimit(2)).

use crate::{
    context::Context,
    error::{Errno, Result},
    outcome::Outcome,
    process::{Capabilities, DESCRIPTORS_MAX, Limit, ProcessId, RESOURCES, Resource},
    user::UserPtr,
};

fn read_limit(cx: &mut Context<'_>, of: ProcessId, resource: u64) -> Result<Limit> {
    cx.kernel.process(of).limits.get(resource as u32 as usize).ok_or(Errno::EINVAL.into())
}

fn set_limit(cx: &mut Context<'_>, of: ProcessId, resource: u64, new: Limit) -> Result<()> {
    let number = resource as u32 as usize;
    let old = read_limit(cx, of, resource)?;
    if new.soft > new.hard {
        return Err(Errno::EINVAL.into());
    }
    let may_raise = cx.process().credentials.can(Capabilities::SYS_RESOURCE);
    let beyond = number == Resource::Descriptors as usize && new.hard > DESCRIPTORS_MAX;
    if beyond || (new.hard > old.hard && !may_raise) {
        return Err(Errno::EPERM.into());
    }
    cx.kernel.process_mut(of).limits.set(number, new);
    cx.kernel.machine.size_limit.max = cx.process().limits.soft(Resource::FileSize);
    Ok(())
}

/// getrlimit(2).
pub fn getrlimit(cx: &mut Context<'_>, [resource, to, ..]: [u64; 6]) -> Result<Outcome> {
    prlimit64(cx, [0, resource, 0, to, 0, 0])
}

/// setrlimit(2).
pub fn setrlimit(cx: &mut Context<'_>, [resource, from, ..]: [u64; 6]) -> Result<Outcome> {
    let new = cx.read(UserPtr::<Limit>::new(from))?;
    let process = cx.thread().process;
    set_limit(cx, process, resource, new)?;
    Ok(Outcome::Done(0))
}

/// prlimit64 (getrlimit(2)).
pub fn prlimit64(cx: &mut Context<'_>, [pid, resource, new, old, ..]: [u64; 6]) -> Result<Outcome> {
    if resource as u32 as usize >= RESOURCES {
        return Err(Errno::EINVAL.into());
    }
    let wanted = match UserPtr::<Limit>::new(new).non_null() {
        Some(place) => Some(cx.read(place)?),
        None => None,
    };
    let target = cx.kernel.find_process(cx.thread, pid)?;
    if target != cx.thread().process {
        let (own, other) =
            (&cx.process().credentials.clone(), &cx.kernel.process(target).credentials);
        let same_user = [other.uid, other.euid, other.suid].iter().all(|&id| id == own.uid);
        if !same_user && !own.can(Capabilities::SYS_RESOURCE) {
            return Err(Errno::EPERM.into());
        }
    }
    let before = read_limit(cx, target, resource)?;
    if let Some(wanted) = wanted {
        set_limit(cx, target, resource, wanted)?;
    }
    cx.write_optional(old, &before)?;
    Ok(Outcome::Done(0))
}
