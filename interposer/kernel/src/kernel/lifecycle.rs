//! How threads and processes begin and end.

use alloc::{rc::Rc, vec::Vec};

use simrun_abi::event::What;

use super::Kernel;
use crate::{
    file::FileDescription,
    host::Host,
    machine::{Env, SignalTarget},
    node::NodeId,
    process::{Process, ProcessId, ProcessState, State, Thread, ThreadId},
    signal::{Signal, SignalInfo, SignalSet},
    user,
    wait::Readiness,
};

/// Wait status of a process that a signal ended.
pub(crate) fn killed_by(signal: u32, core: bool) -> u32 {
    signal | if core { 0x80 } else { 0 }
}

impl Kernel {
    /// Takes in a new process with its first thread.
    pub fn add_process(
        &mut self,
        host: &mut dyn Host,
        process: Process,
        mut thread: Thread,
    ) -> (ProcessId, ThreadId) {
        let (pid, parent) = (process.pid, process.parent);
        let id = self.processes.insert(process);
        self.pids.insert(pid, id);
        if let Some(parent) = parent {
            self.process_mut(parent).children.push(id);
        }
        thread.process = id;
        let thread = self.add_thread(thread);
        self.record_as(host, pid, What::Start { parent: self.machine.actor.0, thread: false });
        (id, thread)
    }

    fn record_as(&mut self, host: &mut dyn Host, pid: crate::process::Tid, what: What) {
        let actor = core::mem::replace(&mut self.machine.actor, (pid.raw(), pid.raw()));
        self.machine.record(host, what);
        self.machine.actor = actor;
    }

    /// Ends a thread; the last one ends its process with this wait status.
    pub fn exit_thread(&mut self, host: &mut dyn Host, id: ThreadId, status: u32) {
        let process = self.thread(id).process;
        if self.process(process).threads.len() == 1 {
            let status = self.process(process).leader_status.unwrap_or(status);
            return self.exit_process(host, process, status);
        }
        if self.thread(id).tid == self.process(process).pid {
            self.process_mut(process).leader_status = Some(status);
        }
        self.note_exit_status(id, status);
        self.bury_thread(host, id, true);
        self.settle(host);
    }

    fn bury_thread(&mut self, host: &mut dyn Host, id: ThreadId, in_its_space: bool) {
        self.unregister(id);
        self.scheduler.forget(id);
        self.futexes.remove(id);
        self.ipc.forget_waiter(id);
        if in_its_space {
            self.abandon_locks(host, id);
            let address = core::mem::take(&mut self.thread_mut(id).clear_child_tid);
            if address != 0 && user::write_bytes(host, address, &0u32.to_le_bytes()).is_ok() {
                let space = self.space_of(id);
                self.wake_shared_address(space, address, 1);
            }
        }
        let Some(thread) = self.threads.remove(id) else { return };
        self.tids.remove(&thread.tid);
        let orphaned = SignalSet::ALL.without(thread.signals.mask);
        if let Some(trace) = &thread.trace {
            self.report_ended(thread.process, thread.tid, trace);
        }
        if let Some(held) = thread.call.and_then(|call| call.held) {
            FileDescription::let_go(held.file, &mut Env { machine: &mut self.machine, host });
        }
        let process = self.process_mut(thread.process);
        process.threads.retain(|&other| other != id);
        process.dead_threads_time += thread.cpu_time;
        let orphaned = process.pending.set().intersection(orphaned);
        self.retarget(thread.process, orphaned);
        if self.current == Some(id) {
            self.current = None;
        }
    }

    /// Ends a process with this wait status.
    pub fn exit_process(&mut self, host: &mut dyn Host, id: ProcessId, status: u32) {
        if self.process(id).state == ProcessState::Alive {
            let node = self.process(id).node;
            self.on_node(node, |kernel| kernel.end_process(host, node, id, status));
        }
    }

    fn end_process(&mut self, host: &mut dyn Host, node: NodeId, id: ProcessId, status: u32) {
        let running_here =
            self.current.is_some_and(|current| self.space_of(current) == self.process(id).space);
        self.abandon_tracees(id);
        for thread in self.process(id).threads.clone() {
            self.note_exit_status(thread, status);
            self.bury_thread(host, thread, running_here);
        }
        self.undo_semaphores(id);
        self.release_resources(host, id);
        self.delete_timers(id);
        self.leave_terminal(id);
        let process = self.process_mut(id);
        process.state = ProcessState::Zombie(status);
        let (pid, space) = (process.pid, process.space);
        process.job_change = None;
        process.running = None;
        process.has_ended.set(true);
        let (ended, released) = (process.ended.clone(), process.released.take());
        ended.wake(Readiness::READABLE, &mut self.machine.wakes);
        if let Some(released) = released {
            released.wake(Readiness::all(), &mut self.machine.wakes);
        }
        self.record_as(host, pid, What::Exit { status });
        if self.space_mut(space).users == 1 {
            self.end_aio(host, space);
        }
        self.leave_space(space);
        self.recount_attachments(host);
        self.orphan_children(id);
        self.tell_parent(id);
        if self.main_of(node) == Some(id) {
            self.on_main_end(host, node, status);
        }
        self.settle(host);
    }

    /// The end of a session's leader takes its terminal away from the rest.
    fn leave_terminal(&mut self, id: ProcessId) {
        let process = self.process(id);
        if process.pid == process.session
            && let Some(terminal) = self.terminals.of_session(process.session)
        {
            terminal.leave_session(&mut self.machine);
        }
    }

    fn release_resources(&mut self, host: &mut dyn Host, id: ProcessId) {
        let files = core::mem::take(&mut self.process_mut(id).files);
        let Ok(files) = Rc::try_unwrap(files) else { return };
        let descriptors: Vec<_> = files.into_inner().remove_where(|_, _| true);
        let pid = self.process(id).pid.raw();
        for descriptor in descriptors {
            descriptor.description.closed_by(pid, &mut self.machine);
            let env = &mut Env { machine: &mut self.machine, host };
            FileDescription::let_go(descriptor.description, env);
        }
    }

    /// Lets go of an address space; the last user's going frees it, and its host process leaves.
    pub(crate) fn leave_space(&mut self, space: crate::mm::SpaceId) {
        let place = self.space_mut(space);
        place.users -= 1;
        if place.users == 0 {
            *self.loaded_in(space) = None;
            self.spaces.remove(space);
        }
    }

    /// Gives an ended process's children to the nearest ancestor that adopts orphans, else to init, which collects
    /// them at once.
    fn orphan_children(&mut self, id: ProcessId) {
        let adopter = self.adopter_for(id);
        for child in core::mem::take(&mut self.process_mut(id).children) {
            let orphan = self.process_mut(child);
            orphan.parent = adopter;
            orphan.exit_signal = linux_raw_sys::general::SIGCHLD;
            if let Some(signal) = orphan.settings.death_signal {
                let info = SignalInfo { signal, code: 0, errno: 0, fields: [0; 3] };
                self.machine.post_signal(SignalTarget::Process(child), info);
            }
            if let Some(adopter) = adopter {
                self.process_mut(adopter).children.push(child);
            }
            if matches!(self.process(child).state, ProcessState::Zombie(_)) {
                self.tell_parent(child);
            }
        }
    }

    fn adopter_for(&self, id: ProcessId) -> Option<ProcessId> {
        let mut ancestor = self.process(id).parent;
        while let Some(candidate) = ancestor {
            let process = self.process(candidate);
            if process.settings.is_subreaper && process.state == ProcessState::Alive {
                return Some(candidate);
            }
            ancestor = process.parent;
        }
        None
    }

    fn tell_parent(&mut self, id: ProcessId) {
        let Some(parent) = self.process(id).parent else {
            return self.reap(id);
        };
        let signal = self.process(id).exit_signal;
        let reaped = signal == Signal::CHLD.number()
            && self.process(parent).actions.borrow().reaps_children();
        if let Some(signal) = Signal::new(u64::from(signal)) {
            let info = SignalInfo::child_exited(signal, self.process(id));
            self.machine.post_signal(SignalTarget::Process(parent), info);
        }
        let queue = self.process(parent).child_changed.clone();
        queue.wake(Readiness::READABLE, &mut self.machine.wakes);
        if reaped {
            self.reap(id);
        }
    }

    /// Forgets a zombie.
    pub fn reap(&mut self, id: ProcessId) {
        let Some(process) = self.processes.remove(id) else { return };
        self.pids.remove(&process.pid);
        if let Some(parent) = process.parent.and_then(|parent| self.processes.get_mut(parent)) {
            parent.children.retain(|&child| child != id);
            parent.children_time += process.dead_threads_time + process.children_time;
        }
    }

    /// Ends all other threads of a thread's process, as `execve` does, and gives it the process's number.
    pub(crate) fn become_only_thread(&mut self, host: &mut dyn Host, id: ThreadId) {
        let process = self.thread(id).process;
        for other in self.process(process).threads.clone() {
            if other != id {
                self.bury_thread(host, other, true);
            }
        }
        self.abandon_locks(host, id);
        let (old, pid) = (self.thread(id).tid, self.process(process).pid);
        if old != pid {
            self.tids.remove(&old);
            self.tids.insert(pid, id);
            self.thread_mut(id).tid = pid;
            self.machine.set_actor(pid, pid);
        }
    }

    /// Does what a new thread owes to `CLONE_CHILD_SETTID`, in its own memory.
    pub(crate) fn write_child_tid(&mut self, host: &mut dyn Host, id: ThreadId) {
        let thread = self.thread_mut(id);
        let (address, tid) = (core::mem::take(&mut thread.set_child_tid), thread.tid);
        if address != 0 {
            // As in Linux (schedule_tail), a bad address is the caller's loss.
            let _ = user::write_bytes(host, address, &tid.raw().to_le_bytes());
        }
    }

    /// Whether a thread can still run.
    #[must_use]
    pub fn is_live(&self, id: ThreadId) -> bool {
        self.threads.get(id).is_some_and(|thread| thread.state != State::Dead)
    }
}
