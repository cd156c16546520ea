//! Where faults meet whole machines, and their clocks.

use alloc::{format, rc::Rc, string::String, vec::Vec};
use core::time::Duration;

use simrun_abi::{
    event::What,
    node_faults::{Files, TimeZone},
};

use super::{
    Kernel,
    nodes::{Fall, Stage},
};
use crate::{
    fault::{Machines, NodeHit, NodesVerdict, Timed, Zone},
    host::Host,
    machine::{Due, SignalTarget},
    node::NodeId,
    process::ProcessState,
    signal::{Signal, SignalInfo},
};

/// How long a machine that is stopped has to end, if nobody says otherwise: what Docker gives a container.
const GRACE: Duration = Duration::from_secs(10);

impl Kernel {
    /// The time has come of a fault that hits machines.
    pub(super) fn fire_on_nodes(&mut self, host: &mut dyn Host, index: u16) {
        let Some(faults) = &self.machine.faults else { return };
        let Some(doing) = faults.of_nodes(index) else { return };
        let (of_clocks, spares_nobody) = (doing.is_of_clocks(), doing.spares_nobody());
        let exposed = match spares_nobody {
            true => self.node_ids().filter(|&node| faults.is_for(index, node)).collect(),
            false => self.exposed_nodes(index),
        };
        let dead = exposed.iter().filter(|&&node| self.is_dead(node)).count() as u64;
        let may_die = |node: &NodeId| self.main_of(*node).is_some() && !self.is_dead(*node);
        let candidates: Vec<_> =
            exposed.into_iter().filter(|node| of_clocks || may_die(node)).collect();
        let elapsed = self.machine.clock.elapsed().as_nanos() as u64;
        let machines = Machines { candidates: candidates.len(), dead };
        let Some(faults) = &mut self.machine.faults else { return };
        let NodesVerdict { hits, next } = faults.at_time_on_nodes(index, elapsed, machines);
        if let Some(next) = next {
            self.machine.set_fault_timer(Timed::Fault(index), next);
        }
        for (victim, firing) in hits {
            let node = candidates[victim];
            let actor = core::mem::take(&mut self.machine.actor);
            let what = firing.event("", self.nodes[node.index()].plan.name.clone());
            self.on_node(node, |kernel| kernel.machine.record(host, what));
            self.machine.actor = actor;
            if let crate::fault::Hit::Node(hit) = firing.hit {
                self.hit_node(host, node, hit);
            }
        }
    }

    /// Whether a node has started and is off, or is about to be.
    fn is_dead(&self, node: NodeId) -> bool {
        let state = &self.nodes[node.index()];
        let is_off = match state.stage {
            Stage::Falls(_) => true,
            Stage::Due => state.starts > 0,
            Stage::Waits | Stage::Up(_) | Stage::Over(_) => false,
        };
        is_off || state.stopping.is_some()
    }

    /// Does something to a machine.
    pub(super) fn hit_node(&mut self, host: &mut dyn Host, node: NodeId, hit: NodeHit) {
        match hit {
            NodeHit::Crash { off, files } => self.crash(host, node, off, files),
            NodeHit::Stop { grace, off } => self.ask_to_stop(host, node, grace, off),
            NodeHit::LosePower(off) => self.lose_power(host, node, off),
            NodeHit::Pause(by) => {
                let alive = self.all_processes().filter(|(id, process)| {
                    let lives = process.state == ProcessState::Alive;
                    process.node == node && lives && !self.is_init(*id)
                });
                for id in alive.map(|(id, _)| id).collect::<Vec<_>>() {
                    self.pause(id, by);
                }
            }
            NodeHit::SkewClock { offset_ns, drift } => self.on_node(node, |kernel| {
                kernel.machine.clock.skew(offset_ns, drift);
                kernel.wall_clock_was_set();
            }),
            NodeHit::LeapSecond => self.on_node(node, |kernel| {
                let wall = kernel.machine.clock.wall();
                kernel.machine.clock.set_wall(wall.saturating_sub(Duration::from_secs(1)));
                kernel.wall_clock_was_set();
            }),
        }
    }

    /// All processes of a node are killed, and its program starts again.
    fn crash(&mut self, host: &mut dyn Host, node: NodeId, off: Duration, files: Files) {
        if self.main_of(node).is_some() {
            self.nodes[node.index()].stopping = None;
            self.fall(host, node, Fall { status: None, again_after: Some(off), files });
        }
    }

    /// A node's program is to end by itself; if it does not in time, all its processes are killed.
    fn ask_to_stop(
        &mut self,
        host: &mut dyn Host,
        node: NodeId,
        grace: Option<Duration>,
        off: Duration,
    ) {
        let Some(main) = self.main_of(node) else { return };
        let state = &mut self.nodes[node.index()];
        if state.stopping.is_some() {
            return;
        }
        let own = Some(Duration::from_nanos(state.plan.stop_grace_ns));
        let grace = grace.or(own.filter(|own| !own.is_zero())).unwrap_or(GRACE);
        state.stopping = Some(off);
        let starts = state.starts;
        let due = self.machine.clock.now() + grace;
        self.machine.timers.set(due, Due::Grace(node, starts));
        let info = SignalInfo::from_kernel(Signal::TERM);
        self.machine.post_signal(SignalTarget::Process(main), info);
        self.settle(host);
    }

    /// A node has had its time to stop, since it has started so often.
    pub(super) fn end_grace(&mut self, host: &mut dyn Host, node: NodeId, starts: u64) {
        let state = &self.nodes[node.index()];
        let Some(off) = state.stopping.filter(|_| state.starts == starts) else { return };
        let text = format!("{} has not stopped in time and is killed", state.plan.name);
        self.on_node(node, |kernel| kernel.machine.record(host, What::Message { text }));
        self.crash(host, node, off, Files::Stay);
    }

    /// The time zone that a fault has given a node, if one has. That is what its machine is in, as `/etc/localtime` says, and
    /// `TZ`, unless that was said to be something else: then only who does not look there is in this zone.
    pub(super) fn zone_of(&self, node: NodeId) -> Option<TimeZone> {
        let zone = self.machine.faults.as_ref()?.time_zone(node)?;
        Some(zone.zone.clone())
    }

    /// What a node's program finds in its environment.
    pub(super) fn environment_of(&mut self, host: &mut dyn Host, node: NodeId) -> Vec<Vec<u8>> {
        let plan = Rc::clone(&self.nodes[node.index()].plan);
        let mut environment = plan.environment.clone();
        let faults = self.machine.faults.as_ref();
        let Some(Zone { fault, zone }) = faults.and_then(|faults| faults.time_zone(node)).cloned()
        else {
            return environment;
        };
        let name = zone.name;
        let set = environment.iter().find_map(|entry| entry.strip_prefix(b"TZ="));
        let effect = match set.map(String::from_utf8_lossy) {
            Some(other) => format!("its time zone is {name}, but its program is told TZ={other}"),
            None => format!("its time zone is {name}"),
        };
        if set.is_none() {
            environment.push(format!("TZ={name}").into_bytes());
        }
        let (call, subject) = (String::new(), plan.name.clone());
        self.machine.record(host, What::Fault { fault, count: 1, call, subject, effect });
        environment
    }
}
