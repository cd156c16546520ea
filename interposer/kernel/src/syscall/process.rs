//! Making, ending and collecting processes and threads.

use alloc::rc::Rc;
use core::cell::RefCell;

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    outcome::{Outcome, Restart},
    process::{Process, ProcessState, Thread},
    signal::{PendingSignals, ProcessTimers},
    user::UserPtr,
    wait::WaitQueue,
};

bitflags::bitflags! {
    /// clone(2)'s flags.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    struct CloneFlags: u32 {
        const VM = raw::CLONE_VM;
        const FS = raw::CLONE_FS;
        const FILES = raw::CLONE_FILES;
        const SIGHAND = raw::CLONE_SIGHAND;
        const PIDFD = raw::CLONE_PIDFD;
        const PTRACE = raw::CLONE_PTRACE;
        const VFORK = raw::CLONE_VFORK;
        const PARENT = raw::CLONE_PARENT;
        const THREAD = raw::CLONE_THREAD;
        const NEWNS = raw::CLONE_NEWNS;
        const SYSVSEM = raw::CLONE_SYSVSEM;
        const SETTLS = raw::CLONE_SETTLS;
        const PARENT_SETTID = raw::CLONE_PARENT_SETTID;
        const CHILD_CLEARTID = raw::CLONE_CHILD_CLEARTID;
        const DETACHED = raw::CLONE_DETACHED;
        const UNTRACED = raw::CLONE_UNTRACED;
        const CHILD_SETTID = raw::CLONE_CHILD_SETTID;
        const NEWCGROUP = raw::CLONE_NEWCGROUP;
        const NEWUTS = raw::CLONE_NEWUTS;
        const NEWIPC = raw::CLONE_NEWIPC;
        const NEWUSER = raw::CLONE_NEWUSER;
        const NEWPID = raw::CLONE_NEWPID;
        const NEWNET = raw::CLONE_NEWNET;
        const IO = raw::CLONE_IO;
    }
}

impl CloneFlags {
    const NAMESPACES: Self = Self::NEWNS
        .union(Self::NEWCGROUP)
        .union(Self::NEWUTS)
        .union(Self::NEWIPC)
        .union(Self::NEWUSER)
        .union(Self::NEWPID)
        .union(Self::NEWNET);
}

/// What clone(2) was asked for.
struct Request {
    flags: CloneFlags,
    exit_signal: u32,
    stack: u64,
    parent_tid: u64,
    child_tid: u64,
    tls: u64,
}

/// clone(2).
pub fn clone(
    cx: &mut Context<'_>,
    [flags, stack, parent_tid, child_tid, tls, _]: [u64; 6],
) -> Result<Outcome> {
    let request = Request {
        flags: CloneFlags::from_bits_truncate(flags as u32 & !0xff),
        exit_signal: flags as u32 & 0xff,
        stack,
        parent_tid,
        child_tid,
        tls,
    };
    make(cx, &request)
}

/// fork(2).
pub fn fork(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    clone(cx, [u64::from(raw::SIGCHLD), 0, 0, 0, 0, 0])
}

/// vfork(2).
pub fn vfork(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    let flags = (CloneFlags::VM | CloneFlags::VFORK).bits() | raw::SIGCHLD;
    clone(cx, [u64::from(flags), 0, 0, 0, 0, 0])
}

fn make(cx: &mut Context<'_>, request: &Request) -> Result<Outcome> {
    let flags = request.flags;
    if let Some(child) = cx.call().woken_with {
        return await_release(cx, child);
    }
    let consistent = (!flags.contains(CloneFlags::THREAD) || flags.contains(CloneFlags::SIGHAND))
        && (!flags.contains(CloneFlags::SIGHAND) || flags.contains(CloneFlags::VM));
    if !consistent {
        return Err(Errno::EINVAL.into());
    }
    if flags.intersects(CloneFlags::NAMESPACES) {
        return Err(Error::new(Errno::EPERM, "no namespaces in a simulation"));
    }
    let tid = cx.kernel.allocate_tid();
    let mut registers = cx.thread().registers;
    registers.rax = 0;
    if request.stack != 0 {
        registers.rsp = request.stack;
    }
    let started = cx.now();
    let mut thread = Thread::new(tid, cx.thread().process, registers, started);
    let caller = cx.thread();
    (thread.fs_base, thread.gs_base, thread.name) = (caller.fs_base, caller.gs_base, caller.name);
    thread.scheduling = caller.scheduling.inherit();
    thread.signals = caller
        .signals
        .inherit(flags.contains(CloneFlags::VM) && !flags.contains(CloneFlags::VFORK));
    thread.extended_state = cx.host.extended_state().to_vec();
    if flags.contains(CloneFlags::SETTLS) {
        thread.fs_base = request.tls;
    }
    if flags.contains(CloneFlags::CHILD_CLEARTID) {
        thread.clear_child_tid = request.child_tid;
    }
    if flags.contains(CloneFlags::PARENT_SETTID) {
        cx.write(UserPtr::new(request.parent_tid), &tid.raw())?;
    }
    if flags.contains(CloneFlags::CHILD_SETTID) && flags.contains(CloneFlags::VM) {
        cx.write(UserPtr::new(request.child_tid), &tid.raw())?;
    }
    if flags.contains(CloneFlags::THREAD) {
        cx.kernel.add_thread(thread);
        return Ok(Outcome::Done(u64::from(tid.raw())));
    }
    make_process(cx, request, thread)
}

fn make_process(cx: &mut Context<'_>, request: &Request, thread: Thread) -> Result<Outcome> {
    let flags = request.flags;
    let pid = thread.tid;
    let shares_memory = flags.contains(CloneFlags::VM);
    let space = if shares_memory {
        cx.space().users += 1;
        cx.process().space
    } else {
        let mut copy = cx.space().clone();
        copy.users = 1;
        cx.kernel.spaces.insert(copy)
    };
    let parent = if flags.contains(CloneFlags::PARENT) {
        cx.process().parent
    } else {
        Some(cx.thread().process)
    };
    let released = flags.contains(CloneFlags::VFORK).then(WaitQueue::default);
    let caller = cx.process();
    let process = Process {
        pid,
        parent,
        children: alloc::vec::Vec::new(),
        group: caller.group,
        session: caller.session,
        state: ProcessState::Alive,
        job_change: None,
        leader_status: None,
        has_executed: false,
        settings: caller.settings.inherit(),
        limits: caller.limits.clone(),
        threads: alloc::vec::Vec::new(),
        space,
        files: share_or_copy(&caller.files, flags.contains(CloneFlags::FILES)),
        fs: share_or_copy(&caller.fs, flags.contains(CloneFlags::FS)),
        credentials: caller.credentials.clone(),
        actions: share_or_copy(&caller.actions, flags.contains(CloneFlags::SIGHAND)),
        pending: PendingSignals::default(),
        pending_shown: Rc::default(),
        stopped_by: None,
        timers: ProcessTimers::default(),
        program: Rc::clone(&caller.program),
        preload: caller.preload,
        command_line: caller.command_line.clone(),
        environment: caller.environment.clone(),
        auxiliary: caller.auxiliary.clone(),
        stack_start: caller.stack_start,
        exit_signal: request.exit_signal,
        child_changed: WaitQueue::default(),
        ended: WaitQueue::default(),
        has_ended: Rc::default(),
        released: released.clone(),
        dead_threads_time: core::time::Duration::ZERO,
        children_time: core::time::Duration::ZERO,
    };
    let sets_tid = flags.contains(CloneFlags::CHILD_SETTID) && !shares_memory;
    let (_, child_thread) = cx.kernel.add_process(cx.host, process, thread);
    if sets_tid {
        cx.kernel.thread_mut(child_thread).set_child_tid = request.child_tid;
    }
    if let Some(queue) = released {
        cx.call().woken_with = Some(u64::from(pid.raw()));
        if shares_memory {
            return Ok(cx.block_on(
                &[&queue],
                Restart::OnlyFatal,
                "its vfork child to exec or exit",
            ));
        }
    }
    if shares_memory {
        return Ok(Outcome::Done(u64::from(pid.raw())));
    }
    *cx.kernel.loaded_in(space) = Some(child_thread);
    Ok(Outcome::Fork(space, u64::from(pid.raw())))
}

fn share_or_copy<T: Clone>(of: &Rc<RefCell<T>>, share: bool) -> Rc<RefCell<T>> {
    if share { Rc::clone(of) } else { Rc::new(RefCell::new(of.borrow().clone())) }
}

/// Waits until a vfork child has executed a program or ended.
fn await_release(cx: &mut Context<'_>, child: u64) -> Result<Outcome> {
    let tid = crate::process::Tid::new(child as u32);
    let queue = cx.kernel.pids.get(&tid).and_then(|&id| cx.kernel.process(id).released.clone());
    match queue {
        Some(queue) => {
            Ok(cx.block_on(&[&queue], Restart::OnlyFatal, "its vfork child to exec or exit"))
        }
        None => Ok(Outcome::Done(child)),
    }
}

/// exit(2): the calling thread.
pub fn exit(cx: &mut Context<'_>, [status, ..]: [u64; 6]) -> Result<Outcome> {
    cx.kernel.exit_thread(cx.host, cx.thread, (status as u32 & 0xff) << 8);
    Ok(Outcome::Gone)
}

/// exit_group(2).
pub fn exit_group(cx: &mut Context<'_>, [status, ..]: [u64; 6]) -> Result<Outcome> {
    let process = cx.thread().process;
    cx.kernel.exit_process(cx.host, process, (status as u32 & 0xff) << 8);
    Ok(Outcome::Gone)
}
