//! When a node's program starts, and what its end means.
//!
//! A run of one program that starts once has its program in the host process that the supervisor has made. In any other,
//! that process is the keeper: it runs no program, and is copied whenever a node starts.

use alloc::{collections::VecDeque, format, rc::Rc, string::String, vec::Vec};
use core::time::Duration;

use simrun_abi::{
    boot::Boot,
    control::End,
    event::{StuckThread, What},
    faults::Effect,
    node::{Condition, Milestone, Restart, Role},
    node_faults::Files,
};

use super::{
    Kernel,
    nodes::{Fall, Stage},
};
use crate::{
    error::Error,
    fs::Tree,
    host::Host,
    machine::{Due, SignalTarget},
    mm::{AddressSpace, SpaceId},
    node::NodeId,
    outcome::Next,
    process::{Process, ProcessId, ProcessState, Tid},
    signal::{Signal, SignalInfo},
};

/// How nodes start.
#[derive(Debug, Default)]
pub(crate) struct Starts {
    /// The host process that is copied.
    pub keeper: Option<SpaceId>,
    /// Nodes whose time has come.
    pub due: VecDeque<NodeId>,
    /// A node whose program is to be loaded, and the copy that waits for it.
    pub loading: Option<(NodeId, SpaceId)>,
    /// Whether the conditions of any node do not hold yet.
    pub anyone_waits: bool,
    /// Whether any node is about to lose its processes.
    pub anyone_falls: bool,
    /// Whether faults are over.
    pub is_quiet: bool,
    /// The wait status that the run ends with, while services that were told so finish.
    pub ending: Option<u32>,
}

/// Whether programs start more than once, or several do.
pub(super) fn needs_keeper(boot: &Boot) -> bool {
    let starts_again = |effect: &Effect| match effect {
        Effect::LosePower { .. } => true,
        Effect::Nodes(effect) => effect.starts_again(),
        _ => false,
    };
    boot.nodes.len() > 1 || boot.faults.iter().any(|fault| starts_again(&fault.effect))
}

impl Kernel {
    /// Lets nodes start whose conditions hold.
    pub(super) fn start_what_can(&mut self) {
        if !self.starts.anyone_waits {
            return;
        }
        let waiting: Vec<_> = self.waiting_nodes().collect();
        let count = waiting.len();
        let ready: Vec<_> = waiting.into_iter().filter(|&node| self.may_start(node)).collect();
        self.starts.anyone_waits = ready.len() < count;
        for node in ready {
            let delay = self.nodes[node.index()].plan.start_delay_ns;
            self.start_after(node, Duration::from_nanos(delay));
        }
    }

    /// Ends all faults, links as they are aside, once what they end with has been so.
    pub(super) fn end_faults_if_quiet(&mut self, host: &mut dyn Host) {
        let hold = |all: &Vec<Condition>| all.iter().all(|condition| self.holds(condition));
        if self.starts.is_quiet || !self.boot.quiet_when.iter().any(hold) {
            return;
        }
        self.starts.is_quiet = true;
        let boot = alloc::rc::Rc::clone(&self.boot);
        let healed = self.machine.faults.as_mut().map(|faults| faults.end_others(&boot.links));
        self.report_faults(host, healed.unwrap_or_default());
        let text = "no more faults happen".into();
        self.machine.record(host, What::Message { text });
        let told = |node: NodeId| self.nodes[node.index()].plan.is_told_of_quiet;
        let told: Vec<_> = self.node_ids().filter(|&node| told(node)).collect();
        for node in told {
            if let Some(main) = self.main_of(node) {
                self.tell(host, node, main, Signal::USR1);
            }
        }
    }

    /// Sends a signal to the first process of a node.
    fn tell(&mut self, host: &mut dyn Host, node: NodeId, main: ProcessId, signal: Signal) {
        self.on_node(node, |kernel| {
            let info = SignalInfo::from_kernel(signal);
            kernel.machine.post_signal(SignalTarget::Process(main), info);
            kernel.settle(host);
        });
    }

    fn waiting_nodes(&self) -> impl Iterator<Item = NodeId> {
        self.node_ids().filter(|node| self.nodes[node.index()].stage == Stage::Waits)
    }

    fn may_start(&self, node: NodeId) -> bool {
        self.missing(node).next().is_none()
    }

    /// What a node waits for.
    fn missing(&self, node: NodeId) -> impl Iterator<Item = &Condition> {
        let conditions = &self.nodes[node.index()].plan.starts_when;
        conditions.iter().filter(|condition| !self.holds(condition))
    }

    fn holds(&self, Condition { node, reached }: &Condition) -> bool {
        let Some(other) = self.nodes.get(usize::from(*node)) else { return false };
        match reached {
            Milestone::Started => !matches!(other.stage, Stage::Waits | Stage::Due),
            Milestone::Succeeded => other.stage == Stage::Over(0),
            Milestone::Listens(port) => {
                other.parked.as_ref().map_or(&self.net, |own| &own.net).listens(*port)
            }
            Milestone::Printed(text) => self.machine.has_printed(NodeId::new(*node), text),
        }
    }

    /// A node starts so much later.
    pub(super) fn start_after(&mut self, node: NodeId, delay: Duration) {
        self.nodes[node.index()].stage = Stage::Due;
        if delay.is_zero() {
            self.starts.due.push_back(node);
        } else {
            let due = self.machine.clock.now() + delay;
            self.machine.timers.set(due, Due::Start(node));
        }
    }

    /// Starts the nodes whose time has come; what the shell must do for that, if it must.
    pub(super) fn start_nodes(&mut self, host: &mut dyn Host, here: SpaceId) -> Option<Next> {
        if let Some((node, space)) = self.starts.loading {
            if here != space {
                return Some(self.go_to(space, here));
            }
            self.starts.loading = None;
            self.note_start(host, node);
            if let Err(error) = self.start_main(host, node, space) {
                self.fail_to_start(host, node, error);
                return None;
            }
        }
        self.starts.due.front()?;
        let keeper = self.starts.keeper?;
        if here != keeper {
            return Some(self.go_to(keeper, here));
        }
        let node = self.starts.due.pop_front()?;
        let space = self.spaces.insert(AddressSpace::default());
        self.starts.loading = Some((node, space));
        self.switch_on(node);
        Some(Next::Fork(space))
    }

    /// Hands the token to another host process.
    pub(super) fn go_to(&self, space: SpaceId, here: SpaceId) -> Next {
        if self.spaces.get(here).is_some() { Next::Switch(space) } else { Next::Leave(space) }
    }

    /// Says so if a node does not start for the first time.
    fn note_start(&mut self, host: &mut dyn Host, node: NodeId) {
        let state = &mut self.nodes[node.index()];
        state.starts += 1;
        if state.starts > 1 {
            let text = format!("{} starts again", state.plan.name);
            self.on_node(node, |kernel| kernel.machine.record(host, What::Message { text }));
        }
    }

    fn fail_to_start(&mut self, host: &mut dyn Host, node: NodeId, error: Error) {
        let program = String::from_utf8_lossy(&self.nodes[node.index()].plan.program).into_owned();
        let effect = format!("it cannot be executed: {}", error.errno.name());
        self.machine.escape(host, "starting the program", &program, &effect);
        self.end(End::NotStarted, 0);
    }

    /// A node's program has ended with this wait status: so do its other processes, and perhaps the run.
    pub(super) fn on_main_end(&mut self, host: &mut dyn Host, node: NodeId, status: u32) {
        if let Some(off) = self.nodes[node.index()].stopping.take() {
            let again_after = Some(off);
            let fall = Fall { status: Some(status), again_after, files: Files::Stay };
            return self.fall(host, node, fall);
        }
        let again_after = match self.nodes[node.index()].plan.role {
            Role::Workload => {
                if status != 0 || self.is_last_workload(node) {
                    self.end_services(host, node, status);
                }
                None
            }
            Role::Service { .. } if self.starts.ending.is_some() => None,
            Role::Service { restart, delay_ns } => {
                let starts_again = match restart {
                    Restart::Never => false,
                    Restart::OnFailure => status != 0,
                    Restart::Always => true,
                };
                if !starts_again && status != 0 {
                    self.on_node(node, |kernel| {
                        kernel.machine.record(host, What::NodeEnded { status });
                    });
                }
                starts_again.then(|| Duration::from_nanos(delay_ns))
            }
        };
        self.fall(host, node, Fall { status: Some(status), again_after, files: Files::Stay });
        if let Some(status) = self.starts.ending
            && self.finishing().next().is_none()
        {
            self.end(End::Finished, status);
        }
    }

    /// The services that may finish before the run ends, and how long that may take.
    fn finishing(&self) -> impl Iterator<Item = (NodeId, ProcessId, Duration)> {
        self.node_ids().filter_map(|id| {
            let node = &self.nodes[id.index()];
            let grace = Duration::from_nanos(node.plan.stop_grace_ns);
            let is_service = matches!(node.plan.role, Role::Service { .. });
            let main = self.main_of(id).filter(|_| is_service && !grace.is_zero())?;
            Some((id, main, grace))
        })
    }

    /// The run is to end with this wait status, that of the program of a node, as soon as the services have finished that
    /// may.
    fn end_services(&mut self, host: &mut dyn Host, ended: NodeId, status: u32) {
        if self.starts.ending.is_some() {
            return;
        }
        let told: Vec<_> = self.finishing().collect();
        let Some(longest) = told.iter().map(|(.., grace)| *grace).max() else {
            return self.end(End::Finished, status);
        };
        self.starts.ending = Some(status);
        let is_workload =
            |node: &NodeId| *node != ended && self.nodes[node.index()].plan.role == Role::Workload;
        let workloads: Vec<_> = self.node_ids().filter(is_workload).collect();
        for node in workloads {
            if self.main_of(node).is_some() {
                let fall = Fall { status: None, again_after: None, files: Files::Stay };
                self.on_node(node, |kernel| kernel.fall(host, node, fall));
            }
        }
        for (node, main, _) in told {
            self.tell(host, node, main, Signal::TERM);
        }
        self.machine.timers.set(self.machine.clock.now() + longest, Due::Stop);
    }

    /// Nobody is waited for any longer.
    pub(super) fn end_anyway(&mut self) {
        if let Some(status) = self.starts.ending {
            self.end(End::Finished, status);
        }
    }

    fn is_last_workload(&self, node: NodeId) -> bool {
        let mut others = self.nodes.iter().enumerate().filter(|&(index, _)| index != node.index());
        !others.any(|(_, other)| {
            let is_over = matches!(
                other.stage,
                Stage::Over(_) | Stage::Falls(Fall { again_after: None, .. })
            );
            other.plan.role == Role::Workload && !is_over
        })
    }

    /// Has all processes of a node end.
    pub(super) fn fall(&mut self, host: &mut dyn Host, node: NodeId, fall: Fall) {
        self.nodes[node.index()].stage = Stage::Falls(fall);
        self.starts.anyone_falls = true;
        for id in self.left_on(node).collect::<Vec<_>>() {
            let info = SignalInfo::from_kernel(Signal::KILL);
            self.machine.post_signal(SignalTarget::Process(id), info);
        }
        self.settle(host);
    }

    /// The processes that have still to end before a node is empty.
    fn left_on(&self, node: NodeId) -> impl Iterator<Item = ProcessId> {
        let is_left = move |process: &Process| {
            process.node == node && process.state == ProcessState::Alive && process.pid != Tid::INIT
        };
        self.processes.iter().filter(move |(_, process)| is_left(process)).map(|(id, _)| id)
    }

    /// Sees to the nodes that have lost their processes.
    pub(super) fn finish_falls(&mut self, host: &mut dyn Host) {
        if !self.starts.anyone_falls {
            return;
        }
        self.starts.anyone_falls = false;
        for node in self.node_ids() {
            let Stage::Falls(fall) = self.nodes[node.index()].stage else { continue };
            if self.left_on(node).next().is_some() {
                self.starts.anyone_falls = true;
                continue;
            }
            self.on_node(node, |kernel| kernel.forget_everything(node, fall.files));
            match fall.again_after {
                Some(delay) => self.start_after(node, delay),
                None => self.nodes[node.index()].stage = Stage::Over(fall.status.unwrap_or(0)),
            }
        }
        self.settle(host);
    }

    /// What does not outlive the processes of a node.
    fn forget_everything(&mut self, node: NodeId, files: Files) {
        let gone: Vec<_> = self.own_processes().map(|(id, process)| (id, process.pid)).collect();
        for (id, pid) in gone {
            self.pids.remove(&pid);
            self.processes.remove(id);
        }
        let threads: Vec<_> = self.tids.iter().map(|(&tid, &id)| (tid, id)).collect();
        for (tid, id) in threads {
            self.scheduler.forget(id);
            self.tids.remove(&tid);
            let thread = self.threads.remove(id);
            self.tracing.count -= usize::from(thread.is_some_and(|thread| thread.trace.is_some()));
        }
        self.ipc = crate::ipc::Ipc::default();
        self.terminals = crate::file::tty::Terminals::default();
        self.settings.clear();
        match files {
            Files::Stay => self.machine.tree.forget_memory(),
            Files::Wiped => {
                let plan = Rc::clone(&self.nodes[node.index()].plan);
                self.machine.tree = Rc::new(Tree::new(&self.boot, &plan));
            }
        }
        self.next_tid = super::state::PID_FIRST;
    }

    /// A node that was without power is on again, and knows nothing of its connections.
    fn switch_on(&mut self, node: NodeId) {
        self.on_node(node, |kernel| {
            if kernel.net.is_off() {
                kernel.net = kernel.network.renew(node.index());
            }
        });
    }

    /// The main process of a node, while it has one.
    pub(super) fn main_of(&self, node: NodeId) -> Option<ProcessId> {
        match self.nodes[node.index()].stage {
            Stage::Up(main) => Some(main),
            _ => None,
        }
    }

    /// Nodes that wait for what will never be, as a report shows them.
    pub(super) fn stuck_nodes(&self) -> Vec<StuckThread> {
        let waits_for = |node| {
            let missing = self.missing(node).map(|condition| self.describe(condition));
            missing.collect::<Vec<_>>().join(", ")
        };
        self.waiting_nodes()
            .map(|node| StuckThread {
                node: node.raw(),
                pid: 0,
                tid: 0,
                program: self.nodes[node.index()].plan.name.clone(),
                call: "its start".into(),
                waits_for: waits_for(node),
            })
            .collect()
    }

    fn describe(&self, condition: &Condition) -> String {
        let name = self.nodes.get(usize::from(condition.node)).map_or("", |node| &node.plan.name);
        match &condition.reached {
            Milestone::Started => format!("{name} to start"),
            Milestone::Succeeded => format!("{name} to succeed"),
            Milestone::Listens(port) => format!("{name} to listen at port {port}"),
            Milestone::Printed(text) => {
                format!("{name} to print {:?}", String::from_utf8_lossy(text))
            }
        }
    }
}
