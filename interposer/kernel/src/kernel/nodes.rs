//! The nodes of a run, each with things of its own.
//!
//! What belongs to the node that acts is in its place in [`Kernel`] and [`Machine`], where handlers and objects find it;
//! what belongs to the others is parked here. Whatever acts for a process or an object of another node
//! enters that node first.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};
use core::{mem::replace, time::Duration};

use simrun_abi::{node::Node, node_faults::Files};

use super::Kernel;
use crate::{
    file::tty::Terminals,
    fs::Tree,
    ipc::Ipc,
    machine::Config,
    net::Stack,
    node::NodeId,
    process::{Process, ProcessId, ThreadId, Tid},
    time::NodeClock,
};

/// How far a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stage {
    /// Its conditions do not hold yet.
    Waits,
    /// It starts when its time has come.
    Due,
    /// Its program runs.
    Up(ProcessId),
    /// Its program has ended, or power is lost; its other processes are about to end.
    Falls(Fall),
    /// Nothing runs on it, and it will not start again. Its program had this wait status.
    Over(u32),
}

/// Why a node's processes end, and what comes after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Fall {
    /// Wait status of its program, if that has ended by itself.
    pub status: Option<u32>,
    /// How much later it starts again, if it does.
    pub again_after: Option<Duration>,
    /// What becomes of its files.
    pub files: Files,
}

/// A node.
pub(crate) struct NodeState {
    /// What it was described as.
    pub plan: Rc<Node>,
    /// How far it is.
    pub stage: Stage,
    /// How often it has started.
    pub starts: u64,
    /// How often it has lost power.
    pub losses: u64,
    /// How long after its end it starts again, if it was asked to stop.
    pub stopping: Option<Duration>,
    /// What belongs to it, while another one acts.
    pub(super) parked: Option<Parked>,
}

/// What a node has of its own.
pub(crate) struct Parked {
    pub ipc: Ipc,
    pub terminals: Terminals,
    pub settings: BTreeMap<Vec<u8>, Vec<u8>>,
    pub net: Rc<Stack>,
    pub tids: BTreeMap<Tid, ThreadId>,
    pub pids: BTreeMap<Tid, ProcessId>,
    pub next_tid: u32,
    pub tree: Rc<Tree>,
    pub config: Config,
    /// What its clocks show.
    pub clock: NodeClock,
}

impl Kernel {
    /// Lets another node act; the one that acted until now.
    pub(crate) fn enter_node(&mut self, node: NodeId) -> NodeId {
        let before = self.machine.node;
        if before != node
            && let Some(own) = self.nodes[node.index()].parked.take()
        {
            let parked = self.exchange(own);
            self.nodes[before.index()].parked = Some(parked);
            self.machine.node = node;
        }
        before
    }

    /// Puts what belongs to a node in place; what was there.
    fn exchange(&mut self, own: Parked) -> Parked {
        let machine = &mut self.machine;
        Parked {
            ipc: replace(&mut self.ipc, own.ipc),
            terminals: replace(&mut self.terminals, own.terminals),
            settings: replace(&mut self.settings, own.settings),
            net: replace(&mut self.net, own.net),
            tids: replace(&mut self.tids, own.tids),
            pids: replace(&mut self.pids, own.pids),
            next_tid: replace(&mut self.next_tid, own.next_tid),
            tree: replace(&mut machine.tree, own.tree),
            config: replace(&mut machine.config, own.config),
            clock: machine.clock.replace(own.clock),
        }
    }

    /// Does something as a node.
    pub(crate) fn on_node<T>(&mut self, node: NodeId, act: impl FnOnce(&mut Self) -> T) -> T {
        let before = self.enter_node(node);
        let result = act(self);
        self.enter_node(before);
        result
    }

    /// The node that acts.
    #[must_use]
    pub fn node(&self) -> NodeId {
        self.machine.node
    }

    /// All nodes.
    pub(crate) fn node_ids(&self) -> impl Iterator<Item = NodeId> + use<> {
        (0..self.nodes.len() as u16).map(NodeId::new)
    }

    /// The processes of the node that acts, zombies too, by number.
    pub fn own_processes(&self) -> impl Iterator<Item = (ProcessId, &Process)> {
        self.pids.values().filter_map(|&id| Some((id, self.processes.get(id)?)))
    }

    /// The processes of all nodes, zombies too, by node and number.
    pub(crate) fn all_processes(&self) -> impl Iterator<Item = (ProcessId, &Process)> {
        let ids = self.nodes.iter().flat_map(move |node| match &node.parked {
            Some(own) => own.pids.values(),
            None => self.pids.values(),
        });
        ids.filter_map(|&id| Some((id, self.processes.get(id)?)))
    }
}
