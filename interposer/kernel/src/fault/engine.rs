//! All faults of a run, by the call that they are for.

use alloc::{collections::BTreeMap, rc::Rc, string::String, vec, vec::Vec};
use core::time::Duration;

use simrun_abi::{
    event::What,
    faults::{DiskOperation, Effect, Fault},
    node::Node,
    node_faults::{Moment, OnNodes, TimeZone},
    thread_faults::OnThreads,
};

use super::{
    Damage,
    armed::{Armed, Hit},
    family,
    link::Links,
    names::Names,
    nodes::{Machines, NodeHit},
    place::Place,
    raise::Raiser,
    scene::Scene,
    threads::Threads,
    timed::Timed,
};
use crate::{
    error::Errno,
    node::NodeId,
    random::Random,
    time::{Instant, TimerKey},
};

/// One more than the largest number of a call that a fault can be for.
const NUMBERS: usize = 512;

/// Faults that look at the same call, by index.
type Indices = Vec<u16>;

/// All faults of a run.
pub struct Faults {
    pub(super) armed: Vec<Armed>,
    /// Those that look at a call before it is made, by its number.
    pub(super) at_call: Vec<Indices>,
    /// Those that look at a call when it begins to wait.
    pub(super) at_wait: Vec<Indices>,
    /// Those that look at what is done with the disk, by operation.
    pub(super) at_disk: [Indices; DiskOperation::COUNT],
    /// Those that come at their time.
    pub(super) at_time: Indices,
    /// Those of links.
    pub links: Links,
    /// Those of the name server.
    pub names: Names,
    /// Those that are a state of threads.
    pub threads: Threads,
    /// The time zones of nodes.
    zones: Vec<(Place, Zone)>,
    /// What the families are in this run, in words.
    pub families: Vec<String>,
    /// Those that raise others.
    pub(super) raisers: Vec<Raiser>,
    /// Whether any that comes at its time may come sooner now.
    pub(super) has_raised: bool,
    /// When those are asked next that come at their time.
    pub(super) timers: BTreeMap<Timed, TimerKey>,
}

/// A fault that has fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firing {
    /// Its name.
    pub fault: Rc<str>,
    /// How often it has fired, this time included.
    pub count: u64,
    /// What it does.
    pub hit: Hit,
}

impl Firing {
    /// What the log says of it: a call, if it is one's, and who met it.
    #[must_use]
    pub fn event(&self, call: &str, subject: String) -> What {
        What::Fault {
            fault: String::from(&*self.fault),
            count: self.count,
            call: call.into(),
            subject,
            effect: self.hit.describe(),
        }
    }
}

/// The time zone that a fault has given a node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone {
    /// Name of the fault.
    pub fault: String,
    /// The zone.
    pub zone: TimeZone,
}

/// What the faults do to a call, all together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How much later it begins.
    pub delay: Duration,
    /// How it fails. Of several faults that would have it fail, the first one does.
    pub fail: Option<Errno>,
    /// How many bytes it moves at most.
    pub bytes_max: Option<u64>,
    /// What the disk does to its bytes.
    pub damage: Option<Damage>,
    /// What comes upon whom it belongs to before.
    pub before: Strike,
    /// What comes upon them after.
    pub after: Strike,
    /// Whether it wakes those first who came last.
    pub reverses_wakes: bool,
    /// The faults that have a part in it.
    pub firings: Vec<Firing>,
}

/// What comes upon a thread, its process or its machine.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Strike {
    /// A signal for the process.
    pub signal: Option<u8>,
    /// What the machine meets.
    pub node: Option<NodeHit>,
    /// For how long the process stands still.
    pub pause: Duration,
    /// For how long the thread has no turn while others can run.
    pub starve: Duration,
}

impl Strike {
    /// For how long the thread stands still.
    #[must_use]
    pub fn stands_still(&self) -> Duration {
        match self.node {
            Some(NodeHit::Pause(by)) => self.pause.max(by),
            _ => self.pause,
        }
    }

    /// Takes in what else comes; of several of a kind the first.
    fn add(&mut self, hit: Hit) {
        match hit {
            Hit::Kill(signal) => self.signal = self.signal.or(Some(signal)),
            Hit::Node(hit) => self.node = self.node.or(Some(hit)),
            Hit::Pause(by) => self.pause = self.pause.saturating_add(by),
            Hit::Starve { by, .. } => self.starve = self.starve.max(by),
            _ => {}
        }
    }
}

/// What the faults do to a call that begins to wait, all together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WaitVerdict {
    /// How its wait ends at once, if it does.
    pub ends: Option<WaitEnd>,
    /// How much longer it lasts than its time-out.
    pub oversleep: Duration,
    /// How much later the thread goes on when it is woken.
    pub wake_delay: Duration,
    /// The faults that have a part in it.
    pub firings: Vec<Firing>,
}

/// What a fault does at its time.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TimedVerdict {
    /// The fault, if it fires, and which of the programs it hits.
    pub firing: Option<(Option<usize>, Firing)>,
    /// When it is to be asked next, in nanoseconds from the start of the run.
    pub next: Option<u64>,
}

/// What a fault does at its time to machines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NodesVerdict {
    /// Which of those that it may hit, and how.
    pub hits: Vec<(usize, Firing)>,
    /// When it is to be asked next, in nanoseconds from the start of the run.
    pub next: Option<u64>,
}

/// How a fault ends a wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WaitEnd {
    /// As if a signal had come.
    Interrupted,
    /// As if somebody had woken it.
    Woken,
}

/// What faults have done, or will do, to a call that is being served.
#[derive(Clone, Copy, Debug, Default)]
pub struct Injected {
    /// When it begins.
    pub begins: Option<Instant>,
    /// How it fails then.
    pub fail: Option<Errno>,
    /// How many bytes it moves at most.
    pub bytes_max: Option<u64>,
    /// What the disk does to the bytes that it reads or writes.
    pub damage: Option<Damage>,
    /// What comes upon its thread, process or machine when it is over.
    pub after: Strike,
    /// Whether it was asked about when it began to wait.
    pub wait_considered: bool,
    /// How its wait ends at once.
    pub ends: Option<WaitEnd>,
    /// How much later than asked for it times out.
    pub oversleep: Duration,
    /// How much later its thread goes on when it is woken.
    pub wake_delay: Duration,
    /// Whether its thread has been woken and waits for that.
    pub is_late: bool,
    /// Whether it wakes those first who came last.
    pub reverses_wakes: bool,
}

impl Faults {
    /// The faults of a plan, in a run of these nodes; `None` without any, so that there is nothing to ask.
    #[must_use]
    pub fn new(plan: &[Fault], nodes: &[Node], random: &Random) -> Option<Self> {
        if plan.is_empty() {
            return None;
        }
        let mut faults = Self {
            armed: Vec::with_capacity(plan.len()),
            at_call: vec![Vec::new(); NUMBERS],
            at_wait: vec![Vec::new(); NUMBERS],
            at_disk: Default::default(),
            at_time: Vec::new(),
            links: Links::default(),
            names: Names::default(),
            threads: Threads::default(),
            zones: Vec::new(),
            families: family::describe(plan, random),
            raisers: Vec::new(),
            has_raised: false,
            timers: BTreeMap::new(),
        };
        let stream = |fault: &Fault| family::stream(random, ["", &fault.name]);
        let plan = family::present(plan, random);
        faults.raisers.extend(plan.iter().filter_map(|fault| Raiser::new(fault, random)));
        let (of_links, others): (Vec<_>, Vec<_>) =
            plan.iter().partition(|fault| fault.effect.is_of_links());
        for fault in of_links {
            faults.links.add(fault, nodes, stream(fault));
            faults.names.add(fault, nodes, stream(fault));
        }
        let others = others.into_iter().filter(|fault| match &fault.effect {
            Effect::Threads(effect) => !faults.threads.add(fault, effect, nodes, stream(fault)),
            Effect::Nodes(OnNodes::TimeZone(zones)) => {
                let drawn = stream(fault).below(zones.len() as u64) as usize;
                let zone = Zone { fault: fault.name.clone(), zone: zones[drawn].clone() };
                faults.zones.push((Place::new(&fault.matches, nodes), zone));
                false
            }
            _ => true,
        });
        for (index, fault) in (0..).zip(others.collect::<Vec<_>>()) {
            faults.armed.push(Armed::new(fault, nodes, stream(fault)));
            let lists = match fault.effect {
                Effect::Interrupt
                | Effect::Oversleep(_)
                | Effect::Wake
                | Effect::Threads(OnThreads::DelayWakeup(_)) => &mut faults.at_wait,
                _ => &mut faults.at_call,
            };
            if fault.matches.calls.is_empty() {
                faults.at_time.push(index);
            }
            for &operation in &fault.matches.disk {
                faults.at_disk[operation as usize].push(index);
            }
            for &number in &fault.matches.calls {
                if let Some(list) = lists.get_mut(usize::from(number)) {
                    list.push(index);
                }
            }
        }
        Some(faults)
    }

    /// Whether any fault looks at this call before it is made.
    #[must_use]
    pub fn watch_call(&self, number: u64) -> bool {
        self.at_call.get(number as usize).is_some_and(|list| !list.is_empty())
    }

    /// Whether any fault looks at this call when it begins to wait.
    #[must_use]
    pub fn watch_wait(&self, number: u64) -> bool {
        self.at_wait.get(number as usize).is_some_and(|list| !list.is_empty())
    }

    /// What becomes of a call that begins, at so many nanoseconds after the start of the run. All faults that look at it
    /// decide, also when another has decided already: what one draws must not depend on the others.
    pub fn at_call(&mut self, number: u64, elapsed: u64, scene: &mut dyn Scene) -> Verdict {
        let indices = self.at_call.get(number as usize).map_or(&[][..], Vec::as_slice);
        let verdict = judge(&mut self.armed, indices, elapsed, scene);
        self.raise_by(&verdict.firings, elapsed);
        verdict
    }

    /// What becomes of an operation on the disk that is no system call, such as reading a page that is mapped, or writing
    /// one back. The scene says what the file is, and how much of it is meant.
    pub fn disk(
        &mut self,
        operation: DiskOperation,
        elapsed: u64,
        scene: &mut dyn Scene,
    ) -> Verdict {
        let indices = &self.at_disk[operation as usize];
        let verdict = judge(&mut self.armed, indices, elapsed, scene);
        self.raise_by(&verdict.firings, elapsed);
        verdict
    }

    /// What becomes of a call that begins to wait.
    pub fn at_wait(
        &mut self,
        number: u64,
        elapsed: u64,
        scene: &mut dyn Scene,
        can_be_interrupted: bool,
    ) -> WaitVerdict {
        let mut verdict = WaitVerdict::default();
        for &index in self.at_wait.get(number as usize).into_iter().flatten() {
            let armed = &mut self.armed[usize::from(index)];
            if armed.interrupts() && !can_be_interrupted {
                continue;
            }
            let Some(hit) = armed.consider(elapsed, scene) else { continue };
            match hit {
                Hit::Oversleep(by) => verdict.oversleep = verdict.oversleep.saturating_add(by),
                Hit::DelayWakeup(by) => {
                    verdict.wake_delay = verdict.wake_delay.saturating_add(by);
                }
                _ if verdict.ends.is_some() => {
                    armed.trigger.fired -= 1;
                    continue;
                }
                Hit::Wake => verdict.ends = Some(WaitEnd::Woken),
                _ => verdict.ends = Some(WaitEnd::Interrupted),
            }
            verdict.firings.push(armed.firing(hit));
        }
        self.raise_by(&verdict.firings, elapsed);
        verdict
    }

    /// What a fault does at its time, with the program that it hits, and when it is to be asked next.
    pub fn at_time(&mut self, index: u16, elapsed: u64, programs: &[Rc<[u8]>]) -> TimedVerdict {
        let armed = &mut self.armed[usize::from(index)];
        let hit = armed.consider_time(elapsed, programs);
        let firing = hit.map(|(victim, hit)| (victim, armed.firing(hit)));
        let next = armed.next_time(elapsed + 1);
        if let Some((_, firing)) = &firing {
            self.raise_by(core::slice::from_ref(firing), elapsed);
        }
        TimedVerdict { firing, next }
    }

    /// Whether a fault hits machines, and whom besides those that may be hit by any.
    #[must_use]
    pub fn of_nodes(&self, index: u16) -> Option<&super::nodes::Doing> {
        self.armed[usize::from(index)].of_nodes()
    }

    /// What a fault does at its time to machines.
    pub fn at_time_on_nodes(
        &mut self,
        index: u16,
        elapsed: u64,
        machines: Machines,
    ) -> NodesVerdict {
        let armed = &mut self.armed[usize::from(index)];
        let before = armed.trigger.fired;
        let hits = armed.consider_nodes(elapsed, machines).into_iter();
        let firing = |((victim, hit), count)| {
            let fault = Rc::clone(&armed.name);
            (victim, Firing { fault, count, hit })
        };
        let hits: Vec<_> = hits.zip(before + 1..).map(firing).collect();
        let next = armed.next_time(elapsed + 1);
        let firings: Vec<_> = hits.iter().map(|(_, firing)| firing.clone()).collect();
        self.raise_by(&firings, elapsed);
        NodesVerdict { hits, next }
    }

    /// The time zone of a node, if a fault has given it one.
    #[must_use]
    pub fn time_zone(&self, node: NodeId) -> Option<&Zone> {
        let mut zones = self.zones.iter();
        zones.find(|(place, _)| place.is_for(node)).map(|(_, zone)| zone)
    }

    /// When a second is inserted, in nanoseconds from the start, if a fault does that.
    pub fn leap(&mut self) -> Option<u64> {
        self.armed.iter_mut().filter(|armed| armed.leaps()).find_map(|armed| armed.next_time(0))
    }

    /// Whether one is inserted on a node.
    #[must_use]
    pub fn leaps(&self, node: NodeId) -> bool {
        self.armed.iter().any(|armed| armed.leaps() && armed.is_for(node))
    }

    /// Has others come more often, if some that have fired do that.
    fn raise_by(&mut self, firings: &[Firing], elapsed: u64) {
        self.raise_after(firings.iter().map(|firing| (&*firing.fault, firing.count)), elapsed);
    }

    /// The same, after some have fired, of links and of the name server included, by their names and how often they have.
    pub fn raise_after<'a>(
        &mut self,
        fired: impl Iterator<Item = (&'a str, u64)> + Clone,
        elapsed: u64,
    ) {
        let Self { raisers, armed, links, names, has_raised, .. } = self;
        for raiser in raisers {
            if !raiser.has_fired(fired.clone()) {
                continue;
            }
            let raised = raiser.raised(elapsed);
            let is_raised = |name: &str| raiser.raises(name);
            let own = armed.iter_mut().map(|armed| (&armed.name, &mut armed.trigger));
            for (_, trigger) in own.chain(names.triggers()).filter(|(name, _)| is_raised(name)) {
                trigger.raise(elapsed, raised);
                *has_raised = true;
            }
            *has_raised |= links.raise(is_raised, elapsed, raised);
        }
    }

    /// Whether a fault is for what happens on a node.
    #[must_use]
    pub fn is_for(&self, index: u16, node: NodeId) -> bool {
        self.armed[usize::from(index)].is_for(node)
    }

    /// Whether a fault has processes stand still.
    #[must_use]
    pub fn pauses(&self, index: u16) -> bool {
        self.armed[usize::from(index)].pauses()
    }

    /// Whether a fault that comes at its time could set somebody going who waits for ever.
    #[must_use]
    pub fn could_help(&self, index: u16, programs: &[Rc<[u8]>]) -> bool {
        self.armed[usize::from(index)].could_help(programs)
    }
}

fn judge(all: &mut [Armed], indices: &[u16], elapsed: u64, scene: &mut dyn Scene) -> Verdict {
    let mut verdict = Verdict::default();
    for &index in indices {
        let armed = &mut all[usize::from(index)];
        let Some(hit) = armed.consider(elapsed, scene) else { continue };
        match hit {
            Hit::Fail(_) if verdict.fail.is_some() => {
                armed.trigger.fired -= 1;
                continue;
            }
            Hit::Fail(errno) => verdict.fail = Some(errno),
            Hit::Shorten { to, .. } => {
                verdict.bytes_max = Some(verdict.bytes_max.map_or(to, |max| max.min(to)));
            }
            Hit::Delay(by) => verdict.delay = verdict.delay.saturating_add(by),
            Hit::Damage(damage) => verdict.damage = verdict.damage.or(Some(damage)),
            Hit::Kill(_) | Hit::Pause(_) | Hit::Node(_) | Hit::Starve { .. } => {
                match armed.moment {
                    Moment::Before => verdict.before.add(hit),
                    Moment::After => verdict.after.add(hit),
                }
            }
            Hit::ReverseWakes => verdict.reverses_wakes = true,
            Hit::Interrupt
            | Hit::Oversleep(_)
            | Hit::Wake
            | Hit::JumpClock(..)
            | Hit::DelayWakeup(_)
            | Hit::Prioritize
            | Hit::FallBehind
            | Hit::SlowProcessor(_) => {}
        }
        verdict.firings.push(armed.firing(hit));
    }
    verdict
}
