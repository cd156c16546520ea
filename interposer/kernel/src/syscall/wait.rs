//! Collecting children: wait4(2), waitid(2).

use alloc::vec::Vec;
use core::time::Duration;

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use super::usage::Usage;
use crate::{
    context::Context,
    error::{Errno, Result},
    file::File,
    outcome::{Outcome, Restart},
    process::{JobChange, Pid, Process, ProcessId, ProcessState, ThreadId, Tid},
    signal::end_code,
    user::UserPtr,
};

bitflags::bitflags! {
    /// What is waited for and how.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct WaitFlags: u32 {
        const NO_HANG = raw::WNOHANG;
        const STOPPED = raw::WUNTRACED;
        const EXITED = raw::WEXITED;
        const CONTINUED = raw::WCONTINUED;
        const LEAVE = raw::WNOWAIT;
        const NO_THREAD = raw::__WNOTHREAD;
        const ALL = raw::__WALL;
        const CLONES = raw::__WCLONE;
    }
}

/// Which children.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whom {
    Any,
    One(Pid),
    Group(Pid),
}

impl Whom {
    /// Whether a process, or a thread, with this number and of this group is meant.
    fn includes(self, number: Tid, group: Pid) -> bool {
        match self {
            Self::Any => true,
            Self::One(wanted) => number == wanted,
            Self::Group(wanted) => group == wanted,
        }
    }
}

/// What became of a child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Ended(u32),
    Job(JobChange),
    /// It has stopped for the caller, who traces it, with this status.
    Traced(u32),
}

impl Change {
    /// The status as wait4(2) gives it.
    const fn status(self) -> u32 {
        match self {
            Self::Ended(status) | Self::Traced(status) => status,
            Self::Job(JobChange::Stopped(signal)) => signal << 8 | 0x7f,
            Self::Job(JobChange::Continued) => 0xffff,
        }
    }

    /// `si_code` and `si_status` as waitid(2) gives them.
    const fn code_and_status(self) -> (u32, u32) {
        const SIGCONT: u32 = raw::SIGCONT;
        match self {
            Self::Ended(status) => end_code(status),
            Self::Job(JobChange::Stopped(signal)) => (raw::CLD_STOPPED, signal),
            Self::Traced(status) => (raw::CLD_TRAPPED, status >> 8),
            Self::Job(JobChange::Continued) => (raw::CLD_CONTINUED, SIGCONT),
        }
    }
}

/// Who has changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Subject {
    Child(ProcessId),
    /// A thread that the caller traces.
    Tracee(ThreadId),
    /// One that has ended, by its place among those.
    EndedTracee(usize),
}

/// Somebody who was found to have changed.
struct Found {
    subject: Subject,
    pid: Pid,
    user: u32,
    change: Change,
    time: Duration,
}

/// What a look at the children gave.
enum Look {
    Found(Found),
    NotYet,
}

/// Looks for a change among the children, the oldest child first, as Linux does.
fn look(cx: &mut Context<'_>, whom: Whom, flags: WaitFlags) -> Result<Look> {
    let wanted = |process: &Process| {
        let is_clone = process.exit_signal != raw::SIGCHLD;
        whom.includes(process.pid, process.group)
            && (flags.contains(WaitFlags::ALL) || is_clone == flags.contains(WaitFlags::CLONES))
    };
    let children: Vec<_> = cx.process().children.clone();
    let mut any = false;
    for child in children {
        let process = cx.kernel.process(child);
        if !wanted(process) {
            continue;
        }
        if let Some(found) = traced_child(cx, process) {
            return Ok(Look::Found(found));
        }
        // Of one that has ended there is nothing else to wait for (`wait_task_zombie`).
        let is_over = matches!(process.state, ProcessState::Zombie(_));
        any |= !is_over || flags.contains(WaitFlags::EXITED);
        let change = match (process.state, process.job_change) {
            (ProcessState::Zombie(status), _) if flags.contains(WaitFlags::EXITED) => {
                Change::Ended(status)
            }
            (ProcessState::Alive, Some(job)) => {
                let flag = match job {
                    JobChange::Stopped(_) => WaitFlags::STOPPED,
                    JobChange::Continued => WaitFlags::CONTINUED,
                };
                if !flags.contains(flag) {
                    continue;
                }
                Change::Job(job)
            }
            _ => continue,
        };
        let (pid, user) = (process.pid, process.credentials.uid);
        let time = process.dead_threads_time + process.children_time;
        let subject = Subject::Child(child);
        return Ok(Look::Found(Found { subject, pid, user, change, time }));
    }
    match look_at_tracees(cx, whom) {
        Some(Look::NotYet) => any = true,
        Some(found) => return Ok(found),
        None => {}
    }
    if any { Ok(Look::NotYet) } else { Err(Errno::ECHILD.into()) }
}

/// What the caller has not been told yet of the first thread of a child that it traces.
fn traced_child(cx: &Context<'_>, child: &Process) -> Option<Found> {
    let &leader = child.threads.first()?;
    let thread = cx.kernel.thread(leader);
    let trace = thread.trace.as_ref()?;
    let is_own = trace.tracer == cx.kernel.thread(cx.thread).process && thread.tid == child.pid;
    let status = trace.news().filter(|_| is_own)?;
    Some(tracee_found(cx, leader, child, status))
}

fn tracee_found(cx: &Context<'_>, id: ThreadId, process: &Process, status: u32) -> Found {
    Found {
        subject: Subject::Tracee(id),
        pid: cx.kernel.thread(id).tid,
        user: process.credentials.uid,
        change: Change::Traced(status),
        time: Duration::ZERO,
    }
}

/// Looks at the threads that the caller's process traces, its children or not (`ptrace_do_wait` in kernel/exit.c);
/// nothing if there is none of those that are meant.
fn look_at_tracees(cx: &mut Context<'_>, whom: Whom) -> Option<Look> {
    let own = cx.thread().process;
    let mut any = None;
    for id in cx.kernel.tracees(own) {
        let thread = cx.kernel.thread(id);
        let process = cx.kernel.process(thread.process);
        if !whom.includes(thread.tid, process.group) {
            continue;
        }
        any = Some(Look::NotYet);
        if let Some(status) = thread.trace.as_ref().and_then(|trace| trace.news()) {
            return Some(Look::Found(tracee_found(cx, id, process, status)));
        }
    }
    let ended = cx.kernel.tracing.ended.iter().enumerate();
    let mut ended =
        ended.filter(|(_, ended)| ended.tracer == own && whom.includes(ended.tid, ended.group));
    ended.next().map_or(any, |(place, ended)| {
        Some(Look::Found(Found {
            subject: Subject::EndedTracee(place),
            pid: ended.tid,
            user: ended.user,
            change: Change::Ended(ended.status),
            time: Duration::ZERO,
        }))
    })
}

fn collect(cx: &mut Context<'_>, found: &Found, flags: WaitFlags) {
    if flags.contains(WaitFlags::LEAVE) {
        return;
    }
    match (found.subject, found.change) {
        (Subject::Child(child), Change::Ended(_)) => cx.kernel.reap(child),
        (Subject::Child(child), _) => cx.kernel.process_mut(child).job_change = None,
        (Subject::EndedTracee(place), _) => drop(cx.kernel.tracing.ended.remove(place)),
        (Subject::Tracee(thread), _) => {
            if let Some(trace) = &mut cx.kernel.thread_mut(thread).trace {
                trace.is_news = false;
            }
        }
    }
}

fn wait(cx: &mut Context<'_>) -> Outcome {
    let queue = cx.process().child_changed.clone();
    cx.block_on(&[&queue], Restart::IfAsked, "a child to change state")
}

/// wait4(2).
pub fn wait4(cx: &mut Context<'_>, [pid, status, options, usage, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = WaitFlags::from_bits(options as u32)
        .filter(|flags| !flags.intersects(WaitFlags::EXITED | WaitFlags::LEAVE))
        .ok_or(Errno::EINVAL)?;
    let whom = match pid as i32 {
        i32::MIN => return Err(Errno::ESRCH.into()),
        -1 => Whom::Any,
        0 => Whom::Group(cx.process().group),
        group @ ..0 => Whom::Group(Tid::new(group.unsigned_abs())),
        pid => Whom::One(Tid::new(pid as u32)),
    };
    let found = match look(cx, whom, flags | WaitFlags::EXITED)? {
        Look::Found(found) => found,
        Look::NotYet if flags.contains(WaitFlags::NO_HANG) => return Ok(Outcome::Done(0)),
        Look::NotYet => return Ok(wait(cx)),
    };
    collect(cx, &found, flags);
    cx.write_optional(status, &found.change.status())?;
    cx.write_optional(usage, &Usage::of_time(found.time))?;
    Ok(Outcome::Done(u64::from(found.pid.raw())))
}

/// The part of `siginfo_t` that waitid(2) fills.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct WaitInfo {
    signal: u32,
    errno: u32,
    code: u32,
    pad: u32,
    pid: u32,
    user: u32,
    status: u32,
}

/// waitid(2).
pub fn waitid(
    cx: &mut Context<'_>,
    [kind, id, info, options, usage, _]: [u64; 6],
) -> Result<Outcome> {
    const REPORTS: WaitFlags =
        WaitFlags::EXITED.union(WaitFlags::STOPPED).union(WaitFlags::CONTINUED);
    let flags = WaitFlags::from_bits(options as u32)
        .filter(|flags| flags.intersects(REPORTS))
        .ok_or(Errno::EINVAL)?;
    let mut polls = flags.contains(WaitFlags::NO_HANG);
    let mut when_polling = Ok(Outcome::Done(0));
    let whom = match (kind as u32, id as i32) {
        (raw::P_ALL, _) => Whom::Any,
        (raw::P_PID, pid @ 1..) => Whom::One(Tid::new(pid as u32)),
        (raw::P_PGID, 0) => Whom::Group(cx.process().group),
        (raw::P_PGID, group @ 1..) => Whom::Group(Tid::new(group as u32)),
        (raw::P_PIDFD, 0..) => {
            let file = cx.description(id)?;
            let File::Process(process) = &file.file else { return Err(Errno::EBADF.into()) };
            if file.is_nonblocking() && !polls {
                (polls, when_polling) = (true, Err(Errno::EAGAIN.into()));
            }
            Whom::One(process.pid)
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    let found = match look(cx, whom, flags)? {
        Look::Found(found) => found,
        Look::NotYet if polls => {
            if when_polling.is_ok() {
                cx.write_optional(info, &WaitInfo::default())?;
            }
            return when_polling;
        }
        Look::NotYet => return Ok(wait(cx)),
    };
    collect(cx, &found, flags);
    let (code, status) = found.change.code_and_status();
    let (pid, user) = (found.pid.raw(), found.user);
    let filled = WaitInfo { signal: raw::SIGCHLD, code, pid, user, status, ..WaitInfo::default() };
    cx.write_optional(usage, &Usage::of_time(found.time))?;
    if let Some(info) = UserPtr::new(info).non_null() {
        cx.write(info, &filled)?;
    }
    Ok(Outcome::Done(0))
}
