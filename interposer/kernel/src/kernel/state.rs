//! All state of a simulation.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};

use simrun_abi::{
    boot::{Boot, Patching, Processor},
    control::End,
};

use super::{nodes::NodeState, start::Starts};
use crate::{
    aio::AioContexts,
    file::tty::Terminals,
    futex::FutexTable,
    ipc::Ipc,
    machine::Machine,
    mm::{AddressSpace, SharedObjects, SpaceId},
    net::{Network, Stack},
    process::{Process, ProcessId, Resource, Thread, ThreadId, Tid, Tracing},
    sched::Scheduler,
    slab::Slab,
};

/// All state of a simulation.
pub struct Kernel {
    /// Clock, timers, randomness, log.
    pub machine: Machine,
    /// Run queue and choices.
    pub scheduler: Scheduler,
    /// Every thread.
    pub threads: Slab<Thread>,
    /// Every process, zombies too.
    pub processes: Slab<Process>,
    /// Every address space.
    pub spaces: Slab<AddressSpace>,
    /// Who waits on which futex.
    pub futexes: FutexTable,
    /// Numbers of what is mapped shared.
    pub objects: SharedObjects,
    /// Threads by number.
    pub tids: BTreeMap<Tid, ThreadId>,
    /// Processes by number, zombies too.
    pub pids: BTreeMap<Tid, ProcessId>,
    /// Contexts of asynchronous I/O.
    pub aio: AioContexts,
    /// Objects of IPC.
    pub ipc: Ipc,
    /// Every pseudo-terminal.
    pub terminals: Terminals,
    /// Settings that were written (`/proc/sys`), by path.
    pub settings: BTreeMap<Vec<u8>, Vec<u8>>,
    /// The network of the node that acts.
    pub net: Rc<Stack>,
    /// What connects the nodes.
    pub(crate) network: Rc<Network>,
    pub(crate) next_tid: u32,
    /// Every node.
    pub(crate) nodes: Vec<NodeState>,
    /// How nodes start.
    pub(crate) starts: Starts,
    pub(crate) current: Option<ThreadId>,
    /// The thread whose extended state each host process holds, by index of its address space.
    pub(crate) loaded: Vec<Option<ThreadId>>,
    /// Who traces whom.
    pub tracing: Tracing,
    /// Set when the thread gives way after its call.
    pub yields: bool,
    /// Calls of memory management since the last other one.
    pub(crate) memory_calls: u32,
    pub(crate) processor: Processor,
    /// What it was booted with, but for what is known of code.
    pub(crate) boot: Rc<Boot>,
    pub(crate) patching: Patching,
    /// A thread to be looked at step by step, and for how long.
    pub(crate) search_wanted: Option<(ThreadId, u64)>,
    /// Mappings that other processes have to make again.
    pub(crate) renewals: Vec<super::Renewal>,
    pub(crate) ended: Option<(End, u32)>,
    pub(crate) entries: u64,
    pub(crate) switches: u64,
}

impl Kernel {
    /// A live thread.
    ///
    /// # Panics
    /// If it is gone: only the kernel hands out ids.
    #[must_use]
    #[inline]
    pub fn thread(&self, id: ThreadId) -> &Thread {
        self.threads.get(id).expect("the thread is there")
    }

    /// A live thread.
    ///
    /// # Panics
    /// As [`Kernel::thread`].
    #[inline]
    pub fn thread_mut(&mut self, id: ThreadId) -> &mut Thread {
        self.threads.get_mut(id).expect("the thread is there")
    }

    /// A process.
    ///
    /// # Panics
    /// As [`Kernel::thread`].
    #[must_use]
    #[inline]
    pub fn process(&self, id: ProcessId) -> &Process {
        self.processes.get(id).expect("the process is there")
    }

    /// A process.
    ///
    /// # Panics
    /// As [`Kernel::thread`].
    pub fn process_mut(&mut self, id: ProcessId) -> &mut Process {
        self.processes.get_mut(id).expect("the process is there")
    }

    /// An address space.
    ///
    /// # Panics
    /// As [`Kernel::thread`].
    pub fn space_mut(&mut self, id: SpaceId) -> &mut AddressSpace {
        self.spaces.get_mut(id).expect("the address space is there")
    }

    /// The thread whose turn it is.
    #[must_use]
    pub fn current(&self) -> Option<ThreadId> {
        self.current
    }

    /// How the run ended, with the wait status of the first process.
    #[must_use]
    pub fn ended(&self) -> Option<(End, u32)> {
        self.ended
    }

    /// Traps taken so far.
    #[must_use]
    pub fn entries(&self) -> u64 {
        self.entries
    }

    /// Switches from one thread to another so far.
    #[must_use]
    pub fn switches(&self) -> u64 {
        self.switches
    }

    /// Whether anybody but the current thread could change something: a thread waits for its turn, or something is
    /// due besides the end of the run.
    #[must_use]
    pub fn has_others(&self) -> bool {
        // The end of the run is due for as long as it lasts.
        let due_anyway = usize::from(self.boot.timeout_ns.is_some());
        self.scheduler.has_waiting() || self.machine.timers.count() > due_anyway
    }

    /// The address space of a thread.
    #[must_use]
    pub fn space_of(&self, thread: ThreadId) -> SpaceId {
        self.process(self.thread(thread).process).space
    }

    /// Most descriptors that a thread's process may have.
    #[must_use]
    pub fn descriptor_limit(&self, thread: ThreadId) -> u64 {
        self.process(self.thread(thread).process).limits.soft(Resource::Descriptors)
    }

    /// A thread number that is not in use.
    pub fn allocate_tid(&mut self) -> Tid {
        loop {
            let tid = Tid::new(self.next_tid);
            self.next_tid = if self.next_tid >= PID_MAX { PID_FIRST } else { self.next_tid + 1 };
            if !self.tids.contains_key(&tid) && !self.pids.contains_key(&tid) {
                return tid;
            }
        }
    }

    pub(crate) fn loaded_in(&mut self, space: SpaceId) -> &mut Option<ThreadId> {
        let index = space.index();
        if index >= self.loaded.len() {
            self.loaded.resize(index + 1, None);
        }
        &mut self.loaded[index]
    }
}

/// Number of the first process. The ones below belong to the simulated machine itself.
pub(crate) const PID_FIRST: u32 = 100;
/// Largest number (the default of `/proc/sys/kernel/pid_max` on a small machine).
const PID_MAX: u32 = 32767;
