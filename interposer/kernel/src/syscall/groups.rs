//! Process groups and sessions (setpgid(2), setsid(2)).

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    outcome::Outcome,
    process::{Pid, Tid},
};

fn done(pid: Pid) -> Result<Outcome> {
    Ok(Outcome::Done(u64::from(pid.raw())))
}

/// setpgid(2).
pub fn setpgid(cx: &mut Context<'_>, [pid, group, ..]: [u64; 6]) -> Result<Outcome> {
    if (group as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let caller = cx.thread().process;
    let target = cx.kernel.find_process(cx.thread, pid)?;
    let process = cx.kernel.process(target);
    let session = cx.kernel.process(caller).session;
    if target != caller {
        if process.parent != Some(caller) {
            return Err(Errno::ESRCH.into());
        }
        if process.session != session {
            return Err(Errno::EPERM.into());
        }
        if process.has_executed {
            return Err(Error::new(Errno::EACCES, "the child has executed a program"));
        }
    }
    if process.session == process.pid {
        return Err(Error::new(Errno::EPERM, "a session leader stays in its group"));
    }
    let group = if group as u32 == 0 { process.pid } else { Tid::new(group as u32) };
    let joins =
        |member: &crate::process::Process| member.group == group && member.session == session;
    if group != process.pid && !cx.kernel.own_processes().any(|(_, member)| joins(member)) {
        return Err(Error::new(Errno::EPERM, "no such group in the session"));
    }
    cx.kernel.process_mut(target).group = group;
    Ok(Outcome::Done(0))
}

/// getpgid(2).
pub fn getpgid(cx: &mut Context<'_>, [pid, ..]: [u64; 6]) -> Result<Outcome> {
    let process = cx.kernel.find_process(cx.thread, pid)?;
    done(cx.kernel.process(process).group)
}

/// getpgrp(2).
pub fn getpgrp(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    done(cx.process().group)
}

/// getsid(2).
pub fn getsid(cx: &mut Context<'_>, [pid, ..]: [u64; 6]) -> Result<Outcome> {
    let process = cx.kernel.find_process(cx.thread, pid)?;
    done(cx.kernel.process(process).session)
}

/// setsid(2).
pub fn setsid(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    let pid = cx.process().pid;
    if !cx.kernel.group_members(pid).is_empty() {
        return Err(Error::new(Errno::EPERM, "its number is that of a group already"));
    }
    let process = cx.process();
    (process.session, process.group) = (pid, pid);
    done(pid)
}
