//! Booting: the first process.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};
use core::{cell::RefCell, time::Duration};

use simrun_abi::{
    boot::{Boot, PlacedFile, Streams},
    event::{Stream, What},
    layout::fds,
    node::{Node, Role},
};

use super::{
    Kernel,
    nodes::{NodeState, Parked, Stage},
    start::{Starts, needs_keeper},
    state::PID_FIRST,
};
use crate::{
    aio::AioContexts,
    error::Error,
    file::tty::Terminals,
    file::{Descriptor, Fd, FdTable, File, FileDescription, HostStream, OpenFlags},
    fs::{Resolve, Standing, Tree, Walk},
    futex::FutexTable,
    host::{Follow, Host, HostFd},
    ipc::Ipc,
    machine::{Config, Due, Machine},
    mm::{AddressSpace, SharedObjects, SpaceId},
    net::Network,
    node::NodeId,
    process::{
        Credentials, FsContext, Image, Limits, Process, ProcessState, Settings, Thread, Tid,
        Tracing, load,
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
    /// The nodes of a run, and the address space of the host process that runs now. It holds the program of the only node,
    /// or is the keeper.
    ///
    /// # Errors
    /// When the program cannot be executed.
    pub fn boot(host: &mut dyn Host, boot: &Boot) -> Result<(Self, SpaceId), BootError> {
        let machine = Machine::new(boot);
        let scheduler =
            Scheduler::new(boot.strategy, machine.random.schedule.clone(), &boot.forced);
        let network = Network::new(&boot.nodes);
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
            aio: AioContexts::default(),
            ipc: Ipc::default(),
            terminals: Terminals::default(),
            settings: BTreeMap::new(),
            net: network.stack(0),
            network,
            next_tid: PID_FIRST,
            nodes: Vec::new(),
            starts: Starts::default(),
            current: None,
            loaded: Vec::new(),
            tracing: Tracing::default(),
            yields: false,
            memory_calls: 0,
            processor: boot.processor,
            boot: Rc::new(Boot { searched: Vec::new(), ..boot.clone() }),
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
        kernel.announce_faults();
        kernel.arm_priorities();
        kernel.add_nodes(boot);
        kernel.arm_faults();
        let space = kernel.spaces.insert(AddressSpace::default());
        if needs_keeper(boot) {
            kernel.starts.keeper = Some(space);
            kernel.starts.anyone_waits = true;
        } else {
            kernel.start_main(host, NodeId::default(), space).map_err(BootError)?;
            if let Some((first, _)) = kernel.scheduler.pick(kernel.machine.clock.now()) {
                kernel.make_current(first);
            }
        }
        Ok((kernel, space))
    }

    /// Takes the nodes in; the first one acts.
    fn add_nodes(&mut self, boot: &Boot) {
        for (index, plan) in boot.nodes.iter().enumerate() {
            let clock = self.machine.clock.ahead(plan.clock_offset_ns);
            let parked = (index > 0).then(|| Parked {
                ipc: Ipc::default(),
                terminals: Terminals::default(),
                settings: BTreeMap::new(),
                net: self.network.stack(index),
                tids: BTreeMap::new(),
                pids: BTreeMap::new(),
                next_tid: PID_FIRST,
                tree: Rc::new(Tree::new(boot, plan)),
                config: Config::new(boot, plan),
                clock,
            });
            let plan = Rc::new(plan.clone());
            self.nodes.push(NodeState {
                plan,
                stage: Stage::Waits,
                starts: 0,
                losses: 0,
                stopping: None,
                parked,
            });
        }
        let own = self.machine.clock.ahead(boot.nodes[0].clock_offset_ns);
        self.machine.clock.replace(own);
    }

    /// Starts a node's program in the host process that runs now.
    pub(super) fn start_main(
        &mut self,
        host: &mut dyn Host,
        node: NodeId,
        space: SpaceId,
    ) -> Result<(), Error> {
        self.on_node(node, |kernel| kernel.load_main(host, node, space))
    }

    fn load_main(
        &mut self,
        host: &mut dyn Host,
        node: NodeId,
        space: SpaceId,
    ) -> Result<(), Error> {
        let (boot, plan) = (Rc::clone(&self.boot), Rc::clone(&self.nodes[node.index()].plan));
        let tid = self.allocate_tid();
        let tree = Rc::clone(&self.machine.tree);
        let caller = first_credentials(&boot);
        let is_here = |file: &&PlacedFile| file.node.is_none_or(|index| index == node.raw());
        let zone = self.zone_of(node);
        tree.place(host, boot.files.iter().filter(is_here), zone.as_ref())?;
        let directory = Standing::at(&tree, host, plan.directory.clone())?;
        let environment = self.environment_of(host, node);
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
                open_program(walk, &directory, path, Follow::Yes)
            },
            &plan.program,
            plan.arguments.clone(),
            environment,
        )?;
        let first = first_process((node, tid), space, &boot, &plan);
        first.fs.borrow_mut().directory = directory;
        let process = self.processes.insert(first);
        let Self { machine, processes, spaces, .. } = self;
        let (Some(new), Some(place)) = (processes.get_mut(process), spaces.get_mut(space)) else {
            unreachable!("both were just inserted")
        };
        let registers = load(host, machine, new, place, image, boot.processor)?;
        let thread =
            self.add_thread(Thread::new(tid, process, registers, self.machine.clock.now()));
        self.thread_mut(thread).name = thread_name(&plan.program);
        self.pids.insert(tid, process);
        self.nodes[node.index()].stage = Stage::Up(process);
        self.add_init(&boot, &plan);
        *self.loaded_in(space) = Some(thread);
        let actor = core::mem::replace(&mut self.machine.actor, (tid.raw(), tid.raw()));
        self.machine.record(host, What::Start { parent: Tid::INIT.raw(), thread: false });
        let path = alloc::string::String::from_utf8_lossy(&plan.program).into_owned();
        self.machine.record(host, What::Exec { path });
        self.machine.actor = actor;
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

pub(super) fn first_process(
    (node, pid): (NodeId, Tid),
    space: SpaceId,
    boot: &Boot,
    plan: &Node,
) -> Process {
    Process {
        node,
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
        limits: Limits::of_machine(plan.descriptors),
        threads: Vec::new(),
        space,
        files: Rc::new(RefCell::new(standard_streams(streams(boot, plan)))),
        fs: Rc::new(RefCell::new(FsContext {
            directory: Standing { path: plan.directory.clone(), inode: None },
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
        program: plan.program.as_slice().into(),
        executable: plan.program.as_slice().into(),
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

/// Services speak to the log only: the streams are the workload's.
fn streams(boot: &Boot, plan: &Node) -> Streams {
    match plan.role {
        Role::Workload => boot.streams,
        Role::Service { .. } => Streams::Told,
    }
}

fn standard_streams(streams: Streams) -> FdTable {
    let mut table = FdTable::default();
    let all = [
        (fds::STDIN, None, OpenFlags::empty(), "pipe:[1]"),
        (fds::STDOUT, Some(Stream::Stdout), OpenFlags::WRITE_ONLY, "pipe:[2]"),
        (fds::STDERR, Some(Stream::Stderr), OpenFlags::WRITE_ONLY, "pipe:[3]"),
    ];
    for (number, (host, output, flags, name)) in all.into_iter().enumerate() {
        let host = (streams == Streams::OfHost).then_some(HostFd(host));
        let stream = File::HostStream(HostStream { host, output });
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
