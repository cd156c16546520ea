//! Booting: the first process.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};
use core::{cell::RefCell, time::Duration};

use simrun_abi::{
    boot::Boot,
    event::{Stream, What},
    layout::fds,
};

use super::{Kernel, state::PID_FIRST};
use crate::{
    error::Error,
    file::tty::Terminals,
    file::{Descriptor, Fd, FdTable, File, FileDescription, HostStream, OpenFlags},
    fs::{Resolve, Standing, Walk},
    futex::FutexTable,
    host::{Host, HostFd},
    ipc::Ipc,
    machine::{Due, Machine},
    mm::{AddressSpace, SharedObjects, SpaceId},
    process::{
        Credentials, FsContext, Image, Limits, Process, ProcessState, Settings, Thread, Tid, load,
    },
    sched::Scheduler,
    signal::{Actions, PendingSignals, ProcessTimers},
    slab::Slab,
    syscall::exec::open_program,
    wait::WaitQueue,
};

/// Why the first program could not be started.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BootError(pub Error);

impl Kernel {
    /// A machine with its first process, whose program is loaded into the host process that runs now.
    ///
    /// # Errors
    /// When the program cannot be executed.
    pub fn boot(host: &mut dyn Host, boot: &Boot) -> Result<Self, BootError> {
        let machine = Machine::new(boot);
        let scheduler =
            Scheduler::new(boot.strategy, machine.random.schedule.clone(), &boot.forced);
        let mut kernel = Self {
            machine,
            scheduler,
            threads: Slab::default(),
            processes: Slab::default(),
            spaces: Slab::default(),
            futexes: FutexTable::default(),
            objects: SharedObjects::default(),
            tids: BTreeMap::new(),
            pids: BTreeMap::new(),
            ipc: Ipc::default(),
            terminals: Terminals::default(),
            settings: BTreeMap::new(),
            net: crate::net::Stack::new(),
            next_tid: PID_FIRST,
            first: None,
            current: None,
            loaded: Vec::new(),
            yields: false,
            memory_calls: 0,
            processor: boot.processor,
            boot: Rc::new(Boot { searched: Vec::new(), ..boot.clone() }),
            off: None,
            losses: 0,
            patching: boot.patching,
            search_wanted: None,
            renewals: Vec::new(),
            ended: None,
            entries: 0,
            switches: 0,
        };
        if let Some(timeout) = boot.timeout_ns {
            let due = kernel.machine.clock.after_start(Duration::from_nanos(timeout));
            kernel.machine.timers.set(due, Due::Timeout);
        }
        kernel.arm_faults();
        let space = kernel.spaces.insert(AddressSpace::default());
        kernel.start_first(host, boot, space).map_err(BootError)?;
        Ok(kernel)
    }

    /// Starts the first process in the space of the host process that runs now.
    pub(super) fn start_first(
        &mut self,
        host: &mut dyn Host,
        boot: &Boot,
        space: SpaceId,
    ) -> Result<(), Error> {
        let tid = self.allocate_tid();
        let tree = Rc::clone(&self.machine.tree);
        let caller = first_credentials(boot);
        let directory = Standing::at(&tree, host, boot.directory.clone())?;
        let image = Image::open(
            host,
            &mut |host, path| {
                let walk = Walk {
                    tree: &tree,
                    host,
                    views: &|_| None,
                    caller: &caller,
                    root: b"/",
                    resolve: Resolve::default(),
                };
                open_program(walk, &directory, path)
            },
            &boot.program,
            boot.arguments.clone(),
            boot.environment.clone(),
        )?;
        let first = first_process(tid, space, boot);
        first.fs.borrow_mut().directory = directory;
        let process = self.processes.insert(first);
        let Self { machine, processes, spaces, .. } = self;
        let (Some(new), Some(place)) = (processes.get_mut(process), spaces.get_mut(space)) else {
            unreachable!("both were just inserted")
        };
        let registers = load(host, machine, new, place, image, boot.processor)?;
        let thread =
            self.add_thread(Thread::new(tid, process, registers, self.machine.clock.now()));
        self.thread_mut(thread).name = thread_name(&boot.program);
        self.pids.insert(tid, process);
        self.first = Some(process);
        self.add_init(boot);
        *self.loaded_in(space) = Some(thread);
        self.scheduler.dequeue(thread);
        self.current = Some(thread);
        self.machine.set_actor(tid, tid);
        self.machine.record(host, What::Start { parent: Tid::INIT.raw(), thread: false });
        let path = alloc::string::String::from_utf8_lossy(&boot.program).into_owned();
        self.machine.record(host, What::Exec { path });
        Ok(())
    }
}

/// A thread's name after exec: the program's file name, cut to fifteen bytes.
#[must_use]
pub(crate) fn thread_name(path: &[u8]) -> [u8; 16] {
    let base = path.rsplit(|&b| b == b'/').next().unwrap_or(path);
    let mut name = [0; 16];
    let len = base.len().min(15);
    name[..len].copy_from_slice(&base[..len]);
    name
}

pub(super) fn first_process(pid: Tid, space: crate::mm::SpaceId, boot: &Boot) -> Process {
    Process {
        pid,
        parent: None,
        children: Vec::new(),
        group: pid,
        session: pid,
        state: ProcessState::Alive,
        job_change: None,
        leader_status: None,
        has_executed: true,
        settings: Settings::default(),
        limits: Limits::default(),
        threads: Vec::new(),
        space,
        files: Rc::new(RefCell::new(standard_streams())),
        fs: Rc::new(RefCell::new(FsContext {
            directory: Standing { path: boot.directory.clone(), inode: None },
            root: b"/".to_vec(),
            umask: boot.umask,
        })),
        credentials: first_credentials(boot).into(),
        actions: Rc::new(RefCell::new(Actions::default())),
        pending: PendingSignals::default(),
        pending_shown: Rc::default(),
        stopped_by: None,
        paused_until: None,
        timers: ProcessTimers::default(),
        program: boot.program.as_slice().into(),
        executable: boot.program.as_slice().into(),
        running: None,
        preload: false,
        command_line: Vec::new(),
        environment: Vec::new(),
        auxiliary: Vec::new(),
        stack_start: 0,
        exit_signal: 0,
        child_changed: WaitQueue::default(),
        ended: WaitQueue::default(),
        has_ended: Rc::default(),
        released: None,
        undo_list: Rc::default(),
        dead_threads_time: Duration::ZERO,
        children_time: Duration::ZERO,
    }
}

fn first_credentials(boot: &Boot) -> Credentials {
    let who = &boot.identity;
    Credentials::new(who.uid, who.gid, who.groups.clone())
}

fn standard_streams() -> FdTable {
    let mut table = FdTable::default();
    let streams = [
        (fds::STDIN, None, OpenFlags::empty(), "pipe:[1]"),
        (fds::STDOUT, Some(Stream::Stdout), OpenFlags::WRITE_ONLY, "pipe:[2]"),
        (fds::STDERR, Some(Stream::Stderr), OpenFlags::WRITE_ONLY, "pipe:[3]"),
    ];
    for (number, (host, output, flags, name)) in streams.into_iter().enumerate() {
        let stream = File::HostStream(HostStream { host: HostFd(host), output });
        let description = FileDescription::new(stream, flags, name.as_bytes());
        table.set(Fd(number as u32), Descriptor { description, close_on_exec: false });
    }
    table
}

impl Kernel {
    /// Takes a thread in and makes it runnable.
    pub(crate) fn add_thread(&mut self, thread: Thread) -> crate::process::ThreadId {
        let (tid, process) = (thread.tid, thread.process);
        let id = self.threads.insert(thread);
        self.tids.insert(tid, id);
        self.process_mut(process).threads.push(id);
        self.scheduler.enqueue(id);
        id
    }
}
