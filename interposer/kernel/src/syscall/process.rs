//! Making, ending and collecting processes and threads.

use alloc::rc::Rc;
use core::cell::RefCell;

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;
use simrun_abi::{control, layout};

use super::extensible;
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::OpenFlags,
    mm::SpaceId,
    outcome::{Outcome, Restart},
    process::{
        Capabilities, Pid, Process, ProcessId, ProcessState, Resource, Thread, ThreadId, TraceEvent,
    },
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
    /// Where the descriptor of the child is written.
    pidfd: u64,
    /// Whether the child's signal handlers are reset (`CLONE_CLEAR_SIGHAND`).
    clears_handlers: bool,
}

/// `struct clone_args`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Pod, Zeroable)]
struct CloneArguments {
    flags: u64,
    pidfd: u64,
    child_tid: u64,
    parent_tid: u64,
    exit_signal: u64,
    stack: u64,
    stack_size: u64,
    tls: u64,
    set_tid: u64,
    set_tid_size: u64,
    cgroup: u64,
}

/// Bytes of the structure's first version (`CLONE_ARGS_SIZE_VER0`).
const CLONE_ARGUMENTS_MIN: usize = 64;
/// Most numbers that a new process may be given (`MAX_PID_NS_LEVEL`).
const NUMBERS_MAX: u64 = 32;
/// What a flag's lowest byte is to clone(2): the signal at exit.
const EXIT_SIGNAL: u64 = 0xff;

impl CloneArguments {
    /// What it asks for (`clone3_args_valid` in kernel/fork.c).
    fn request(&self) -> Result<Request> {
        const CLEAR_HANDLERS: u64 = 1 << 32;
        const INTO_CGROUP: u64 = 1 << 33;
        let [low, high] = [self.flags & 0xffff_ffff, self.flags & !0xffff_ffff];
        let flags = CloneFlags::from_bits_truncate(low as u32);
        let clears_handlers = high & CLEAR_HANDLERS != 0;
        let names_none = (self.set_tid == 0) == (self.set_tid_size == 0);
        let no_signal = flags.intersects(CloneFlags::THREAD | CloneFlags::PARENT);
        let valid = high & !(CLEAR_HANDLERS | INTO_CGROUP) == 0
            && low & EXIT_SIGNAL == 0
            && !flags.contains(CloneFlags::DETACHED)
            && !(clears_handlers && flags.contains(CloneFlags::SIGHAND))
            && !(no_signal && self.exit_signal != 0)
            && self.exit_signal <= 64
            && (self.stack == 0) == (self.stack_size == 0)
            && self.set_tid_size <= NUMBERS_MAX
            && names_none;
        let top = self.stack.checked_add(self.stack_size).filter(|&top| top <= layout::USER_END);
        let (true, Some(stack)) = (valid, top) else { return Err(Errno::EINVAL.into()) };
        if self.set_tid_size != 0 {
            return Err(Error::new(Errno::EPERM, "numbers of processes are the kernel's choice"));
        }
        if high & INTO_CGROUP != 0 {
            return Err(Error::new(Errno::EBADF, "there are no control groups"));
        }
        Ok(Request {
            flags,
            exit_signal: self.exit_signal as u32,
            stack,
            parent_tid: self.parent_tid,
            child_tid: self.child_tid,
            tls: self.tls,
            pidfd: self.pidfd,
            clears_handlers,
        })
    }
}

impl Request {
    /// Refuses what does not go together.
    fn check(&self) -> Result<()> {
        let flags = self.flags;
        let needs = |flag, other| !flags.contains(flag) || flags.contains(other);
        let excludes = |flag, other: CloneFlags| !flags.contains(flag) || !flags.intersects(other);
        let consistent = needs(CloneFlags::THREAD, CloneFlags::SIGHAND)
            && needs(CloneFlags::SIGHAND, CloneFlags::VM)
            && excludes(CloneFlags::FS, CloneFlags::NEWNS | CloneFlags::NEWUSER)
            && excludes(CloneFlags::THREAD, CloneFlags::NEWPID | CloneFlags::NEWUSER)
            && excludes(CloneFlags::PIDFD, CloneFlags::DETACHED)
            && !(flags.contains(CloneFlags::PIDFD | CloneFlags::PARENT_SETTID)
                && self.pidfd == self.parent_tid)
            && excludes(CloneFlags::PIDFD, CloneFlags::THREAD);
        if !consistent {
            return Err(Errno::EINVAL.into());
        }
        if flags.intersects(CloneFlags::NAMESPACES) {
            return Err(Error::new(Errno::EPERM, "no namespaces in a simulation"));
        }
        if flags.contains(CloneFlags::SETTLS) && self.tls >= layout::USER_END {
            return Err(Errno::EPERM.into());
        }
        Ok(())
    }
}

/// Most address spaces with a program in them: some places stay free for host processes that are about to leave.
const SPACES_MAX: usize = control::SPACES_MAX / 2;
/// Most threads: half the numbers there are.
const THREADS_MAX: usize = 16_000;

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
        pidfd: parent_tid,
        clears_handlers: false,
    };
    make(cx, &request)
}

/// clone3 (clone(2)).
pub fn clone3(cx: &mut Context<'_>, [arguments, size, ..]: [u64; 6]) -> Result<Outcome> {
    if let Some(child) = cx.call().woken_with {
        return await_release(cx, child);
    }
    let arguments: CloneArguments = extensible::read(cx, arguments, size, CLONE_ARGUMENTS_MIN)?;
    make(cx, &arguments.request()?)
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
    request.check()?;
    check_room(cx)?;
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
        if !flags.contains(CloneFlags::FILES | CloneFlags::FS) {
            let program = cx.program();
            let effect = "the thread shares descriptors and directory with its process";
            cx.kernel.machine.escape(cx.host, "clone(2) of a thread apart", &program, effect);
        }
        let child = cx.kernel.add_thread(thread);
        trace(cx, request, child);
        return Ok(Outcome::Done(u64::from(tid.raw())));
    }
    make_process(cx, request, thread)
}

/// Refuses a thread or process more than there may be.
fn check_room(cx: &mut Context<'_>) -> Result<()> {
    if cx.kernel.spaces.len() >= SPACES_MAX || cx.kernel.tids.len() >= THREADS_MAX {
        return Err(Error::new(Errno::EAGAIN, "the machine has as many processes as it can"));
    }
    let who = &cx.process().credentials;
    let user = who.uid;
    if user == 0 || who.can(Capabilities::SYS_RESOURCE) || who.can(Capabilities::SYS_ADMIN) {
        return Ok(());
    }
    let limit = cx.process().limits.soft(Resource::Processes);
    let processes = cx.kernel.own_processes().map(|(_, process)| process);
    let own = processes.filter(|process| process.credentials.uid == user);
    let count: usize = own.map(|process| process.threads.len().max(1)).sum();
    if count as u64 >= limit {
        return Err(Error::new(Errno::EAGAIN, "the user has as many as RLIMIT_NPROC allows"));
    }
    Ok(())
}

/// Gives the caller a descriptor of the child that is about to be made; the number of both.
fn reserve_pidfd(cx: &mut Context<'_>, request: &Request) -> Result<Option<u64>> {
    if !request.flags.contains(CloneFlags::PIDFD) {
        return Ok(None);
    }
    let fd = cx.process().files.borrow().lowest_free();
    if u64::from(fd.0) >= cx.kernel.descriptor_limit(cx.thread) {
        return Err(Errno::EMFILE.into());
    }
    cx.write(UserPtr::new(request.pidfd), &fd.0)?;
    Ok(Some(u64::from(fd.0)))
}

/// What a process starts with, as a child of its caller.
fn child_of(
    caller: &Process,
    flags: CloneFlags,
    (pid, parent): (Pid, Option<ProcessId>),
    space: SpaceId,
    exit_signal: u32,
    released: Option<WaitQueue>,
) -> Process {
    Process {
        node: caller.node,
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
        paused_until: None,
        timers: ProcessTimers::default(),
        program: Rc::clone(&caller.program),
        executable: Rc::clone(&caller.executable),
        running: caller.running.clone(),
        preload: caller.preload,
        command_line: caller.command_line.clone(),
        environment: caller.environment.clone(),
        auxiliary: caller.auxiliary.clone(),
        stack_start: caller.stack_start,
        exit_signal,
        child_changed: WaitQueue::default(),
        ended: WaitQueue::default(),
        has_ended: Rc::default(),
        released,
        undo_list: if flags.contains(CloneFlags::SYSVSEM) {
            Rc::clone(&caller.undo_list)
        } else {
            Rc::default()
        },
        dead_threads_time: core::time::Duration::ZERO,
        children_time: core::time::Duration::ZERO,
    }
}

fn make_process(cx: &mut Context<'_>, request: &Request, thread: Thread) -> Result<Outcome> {
    let flags = request.flags;
    let pid = thread.tid;
    let shares_memory = flags.contains(CloneFlags::VM);
    let exit_signal = if flags.contains(CloneFlags::PARENT) {
        cx.process().exit_signal
    } else {
        request.exit_signal
    };
    let pidfd = reserve_pidfd(cx, request)?;
    let space = if shares_memory {
        cx.space().users += 1;
        cx.process().space
    } else {
        let mut copy = cx.space().clone();
        copy.users = 1;
        copy.leave_behind();
        let copy = cx.kernel.spaces.insert(copy);
        cx.kernel.recount_attachments(cx.host);
        copy
    };
    let parent = if flags.contains(CloneFlags::PARENT) {
        cx.process().parent
    } else {
        Some(cx.thread().process)
    };
    let released = flags.contains(CloneFlags::VFORK).then(WaitQueue::default);
    let process =
        child_of(cx.process(), flags, (pid, parent), space, exit_signal, released.clone());
    let process = if request.clears_handlers { without_handlers(process) } else { process };
    let sets_tid = flags.contains(CloneFlags::CHILD_SETTID) && !shares_memory;
    let (child, child_thread) = cx.kernel.add_process(cx.host, process, thread);
    if pidfd.is_some() {
        let description = super::pidfd::describe(cx, child, OpenFlags::empty());
        cx.add_descriptor(description, true)?;
    }
    if sets_tid {
        cx.kernel.thread_mut(child_thread).set_child_tid = request.child_tid;
    }
    trace(cx, request, child_thread);
    if released.is_some() {
        cx.call().woken_with = Some(u64::from(pid.raw()));
        if shares_memory {
            return await_release(cx, pid.raw().into());
        }
    }
    if shares_memory {
        return Ok(Outcome::Done(u64::from(pid.raw())));
    }
    *cx.kernel.loaded_in(space) = Some(child_thread);
    if flags.contains(CloneFlags::VFORK) {
        return Ok(Outcome::ForkAndRestart(space));
    }
    Ok(Outcome::Fork(space, u64::from(pid.raw())))
}

/// Has the caller's tracer trace what it has made (`kernel_clone` in kernel/fork.c).
fn trace(cx: &mut Context<'_>, request: &Request, child: ThreadId) {
    let event = match request.flags {
        flags if flags.contains(CloneFlags::UNTRACED) => return,
        flags if flags.contains(CloneFlags::VFORK) => TraceEvent::Vfork,
        flags if flags.contains(CloneFlags::THREAD) => TraceEvent::Clone,
        _ if request.exit_signal != raw::SIGCHLD => TraceEvent::Clone,
        _ => TraceEvent::Fork,
    };
    cx.kernel.trace_child(cx.thread, child, event);
}

/// The process with all signal handlers reset; what is ignored stays so.
fn without_handlers(process: Process) -> Process {
    let actions = process.actions.borrow().after_exec();
    Process { actions: Rc::new(RefCell::new(actions)), ..process }
}

fn share_or_copy<T: Clone>(of: &Rc<RefCell<T>>, share: bool) -> Rc<RefCell<T>> {
    if share { Rc::clone(of) } else { Rc::new(RefCell::new(of.borrow().clone())) }
}

/// unshare(2).
pub fn unshare(cx: &mut Context<'_>, [flags, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = CloneFlags::from_bits(flags as u32).ok_or(Errno::EINVAL)?;
    let of_threads = CloneFlags::THREAD | CloneFlags::SIGHAND | CloneFlags::VM;
    let known = of_threads
        | CloneFlags::FILES
        | CloneFlags::FS
        | CloneFlags::SYSVSEM
        | CloneFlags::NAMESPACES;
    let alone = cx.process().threads.len() == 1;
    if !known.contains(flags) || (flags.intersects(of_threads) && !alone) {
        return Err(Errno::EINVAL.into());
    }
    if flags.intersects(CloneFlags::NAMESPACES) {
        return Err(Error::new(Errno::EPERM, "no namespaces in a simulation"));
    }
    if flags.contains(CloneFlags::SYSVSEM) {
        let process = cx.thread().process;
        cx.kernel.undo_semaphores(process);
    }
    let process = cx.process();
    if flags.contains(CloneFlags::FILES) {
        process.files = share_or_copy(&process.files, false);
    }
    if flags.contains(CloneFlags::FS) {
        process.fs = share_or_copy(&process.fs, false);
    }
    Ok(Outcome::Done(0))
}

/// Waits until a vfork child has executed a program or ended.
fn await_release(cx: &mut Context<'_>, child: u64) -> Result<Outcome> {
    if cx.kernel.shows_event(cx.host, cx.thread) {
        return Ok(Outcome::Gone);
    }
    let tid = crate::process::Tid::new(child as u32);
    let queue = cx.kernel.pids.get(&tid).and_then(|&id| cx.kernel.process(id).released.clone());
    match queue {
        Some(queue) => {
            Ok(cx.block_on(&[&queue], Restart::OnlyFatal, "its vfork child to exec or exit"))
        }
        None => {
            cx.kernel.note_event(cx.thread, TraceEvent::VforkDone, child);
            Ok(Outcome::Done(child))
        }
    }
}

/// exit(2): the calling thread.
pub fn exit(cx: &mut Context<'_>, [status, ..]: [u64; 6]) -> Result<Outcome> {
    let status = (status as u32 & 0xff) << 8;
    if !cx.kernel.shows_exit(cx.host, cx.thread, status) {
        cx.kernel.exit_thread(cx.host, cx.thread, status);
    }
    Ok(Outcome::Gone)
}

/// exit_group(2).
pub fn exit_group(cx: &mut Context<'_>, [status, ..]: [u64; 6]) -> Result<Outcome> {
    let (process, status) = (cx.thread().process, (status as u32 & 0xff) << 8);
    if !cx.kernel.shows_exit(cx.host, cx.thread, status) {
        cx.kernel.exit_process(cx.host, process, status);
    }
    Ok(Outcome::Gone)
}
