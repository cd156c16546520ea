//! One fault, ready to fire.

use alloc::{format, rc::Rc, string::String, vec::Vec};
use core::time::Duration;

use simrun_abi::{
    faults::{DamageKind, Descriptor, Direction, DiskOperation, Effect, Fault, Match, Share},
    node::Node,
    node_faults::{Moment, Victims},
    thread_faults::OnThreads,
};

use super::{
    Damage,
    chance::Dice,
    engine::Firing,
    nodes::{self, Machines, NodeHit},
    pattern::{Pattern, matches_program},
    place::Place,
    quantity::Source,
    scene::Scene,
    trigger::Trigger,
};
use crate::{error::Errno, node::NodeId, random::Stream, uapi::signal::signal_name};

const NANOS_PER_SECOND: u128 = 1_000_000_000;
/// How many windows are looked at for a time that is drawn, before it is given up: one that all are too short for.
const TRIES_MAX: u32 = 1000;

/// What a fault does to a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hit {
    /// It fails.
    Fail(Errno),
    /// It moves fewer bytes than it was asked for.
    Shorten {
        /// At most so many.
        to: u64,
        /// So many were asked for.
        of: u64,
    },
    /// It begins later.
    Delay(Duration),
    /// Its wait is interrupted.
    Interrupt,
    /// Its wait lasts longer than its time-out.
    Oversleep(Duration),
    /// Its wait ends for no reason.
    Wake,
    /// Its process gets a signal.
    Kill(u8),
    /// All threads of its process stand still.
    Pause(Duration),
    /// The wall clock jumps.
    JumpClock(Direction, Duration),
    /// The disk damages the bytes that it reads or writes.
    Damage(Damage),
    /// Something is done to a whole machine.
    Node(NodeHit),
    /// A thread has no turn while others can run.
    Starve {
        /// For so long.
        by: Duration,
        /// Which of its process, if it comes at a time.
        random: u64,
    },
    /// A thread goes on later when it is woken.
    DelayWakeup(Duration),
    /// Who came last is woken first.
    ReverseWakes,
    /// Turns go by priorities.
    Prioritize,
    /// The thread that runs lets all others go first.
    FallBehind,
    /// What a process does takes so many times the time.
    SlowProcessor(u64),
}

/// A duration in words.
pub(super) fn milliseconds(duration: Duration) -> String {
    format!("{}.{:06}ms", duration.as_millis(), duration.as_nanos() % 1_000_000)
}

impl Hit {
    /// In words.
    #[must_use]
    pub fn describe(&self) -> String {
        match self {
            Self::Fail(errno) => format!("fails with {errno:?}"),
            Self::Shorten { to, of } => format!("moves at most {to} of {of} bytes"),
            Self::Delay(by) => format!("begins {} later", milliseconds(*by)),
            Self::Interrupt => "is interrupted".into(),
            Self::Oversleep(by) => format!("times out {} late", milliseconds(*by)),
            Self::Wake => "is woken for no reason".into(),
            Self::Kill(signal) => format!("is met by {}", signal_name(*signal)),
            Self::Pause(by) => format!("stands still for {}", milliseconds(*by)),
            Self::JumpClock(Direction::Forward, by) => {
                format!("the wall clock jumps {} ahead", milliseconds(*by))
            }
            Self::JumpClock(Direction::Backward, by) => {
                format!("the wall clock jumps {} back", milliseconds(*by))
            }
            Self::Damage(Damage { kind, .. }) => match kind {
                DamageKind::FlipBit => "reads a bit that is wrong",
                DamageKind::Tear => "reaches the disk up to some sector",
                DamageKind::Lose => "does not reach the disk",
                DamageKind::Misdirect => "reaches another place of the file",
            }
            .into(),
            Self::Node(hit) => hit.describe(),
            Self::Starve { by, .. } => {
                format!("has no turn for {} while others can run", milliseconds(*by))
            }
            Self::DelayWakeup(by) => {
                format!("goes on {} later when it is woken", milliseconds(*by))
            }
            Self::ReverseWakes => "wakes those first who came last".into(),
            Self::Prioritize => "threads take turns by priorities that are drawn".into(),
            Self::FallBehind => "the thread that runs lets all others go first".into(),
            Self::SlowProcessor(factor) => format!("takes {factor} times the time"),
        }
    }
}

/// What it does, and where its numbers come from.
enum Doing {
    Fail(Vec<Errno>),
    Interrupt,
    Shorten(Source),
    Delay(Source),
    Oversleep(Source),
    Wake,
    Kill(u8),
    Pause(Source),
    JumpClock(Direction, Source),
    Damage(DamageKind),
    Nodes(nodes::Doing),
    Starve(Source),
    DelayWakeup(Source),
    ReverseWakes,
    Throttle {
        bytes_per_second: u64,
        /// When all that was admitted so far will be through, in nanoseconds from the start of the run.
        busy_until: u64,
    },
}

impl Doing {
    fn new(effect: &Effect) -> Self {
        match effect {
            Effect::Fail(errors) => {
                Self::Fail(errors.iter().map(|&number| Errno::from_number(number)).collect())
            }
            Effect::Interrupt => Self::Interrupt,
            Effect::Shorten(to) => Self::Shorten(Source::new(to)),
            Effect::Delay(by) => Self::Delay(Source::new(by)),
            Effect::Throttle(rate) => {
                Self::Throttle { bytes_per_second: (*rate).max(1), busy_until: 0 }
            }
            Effect::Oversleep(by) => Self::Oversleep(Source::new(by)),
            Effect::Wake => Self::Wake,
            Effect::Kill(signal) => Self::Kill(*signal),
            Effect::Pause(by) => Self::Pause(Source::new(by)),
            Effect::JumpClock { by, direction } => Self::JumpClock(*direction, Source::new(by)),
            Effect::LosePower { off, .. } => Self::Nodes(nodes::Doing::LosePower(Source::new(off))),
            Effect::Damage(kind) => Self::Damage(*kind),
            Effect::Nodes(effect) => match nodes::Doing::new(effect) {
                Some(doing) => Self::Nodes(doing),
                None => unreachable!("it is a state"),
            },
            Effect::Threads(OnThreads::Starve(by)) => Self::Starve(Source::new(by)),
            Effect::Threads(OnThreads::DelayWakeup(by)) => Self::DelayWakeup(Source::new(by)),
            Effect::Threads(OnThreads::ReverseWakes) => Self::ReverseWakes,
            Effect::Threads(OnThreads::Prioritize { .. } | OnThreads::SlowProcessor(_)) => {
                unreachable!("it is a state")
            }
            _ => unreachable!("it is a fault of links"),
        }
    }
}

/// What it is for.
struct Target {
    place: Place,
    processes: Vec<Pattern>,
    paths: Vec<Pattern>,
    descriptors: Vec<Descriptor>,
    disk: Vec<DiskOperation>,
    arguments: Vec<simrun_abi::faults::Argument>,
    open_descriptors: u64,
}

impl Target {
    fn new(wanted: &Match, nodes: &[Node]) -> Self {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
        Self {
            place: Place::new(wanted, nodes),
            processes: patterns(&wanted.processes),
            paths: patterns(&wanted.paths),
            descriptors: wanted.descriptors.clone(),
            disk: wanted.disk.clone(),
            arguments: wanted.arguments.clone(),
            open_descriptors: wanted.open_descriptors,
        }
    }

    /// Whether all that is asked for is so; what costs most comes last.
    fn matches(&self, scene: &mut dyn Scene) -> bool {
        let argument = |scene: &mut dyn Scene, wanted: &simrun_abi::faults::Argument| {
            let value = scene.argument(usize::from(wanted.index));
            (wanted.least..=wanted.most).contains(&value) && value & wanted.bits == wanted.bits
        };
        self.place.is_for(scene.node())
            && self.arguments.iter().all(|wanted| argument(scene, wanted))
            && (self.open_descriptors == 0 || scene.open_descriptors() >= self.open_descriptors)
            && (self.descriptors.is_empty()
                || scene.descriptor().is_some_and(|found| self.descriptors.contains(&found)))
            && (self.disk.is_empty() || scene.disk().is_some_and(|op| self.disk.contains(&op)))
            && self.matches_program(&scene.program())
            && (self.paths.is_empty()
                || scene.paths().iter().any(|path| self.paths.iter().any(|p| p.matches(path))))
    }

    fn matches_program(&self, path: &[u8]) -> bool {
        matches_program(&self.processes, path)
    }
}

/// One fault and what has become of it so far.
pub struct Armed {
    /// Its name.
    pub name: Rc<str>,
    /// When and how often it fires.
    pub trigger: Trigger,
    /// Whether it comes before or after the call that it is for.
    pub moment: Moment,
    victims: Victims,
    target: Target,
    doing: Doing,
}

impl Armed {
    /// The fault, with a stream of its own.
    pub fn new(fault: &Fault, nodes: &[Node], stream: Stream) -> Self {
        Self {
            name: fault.name.as_str().into(),
            trigger: Trigger::new(fault, stream),
            moment: fault.moment,
            victims: fault.victims,
            target: Target::new(&fault.matches, nodes),
            doing: Doing::new(&fault.effect),
        }
    }

    /// Whether it ends waits as a signal does.
    pub fn interrupts(&self) -> bool {
        matches!(self.doing, Doing::Interrupt)
    }

    /// Whether it has processes stand still.
    pub fn pauses(&self) -> bool {
        matches!(self.doing, Doing::Pause(_))
    }

    /// Whether it inserts a second.
    pub fn leaps(&self) -> bool {
        matches!(self.doing, Doing::Nodes(nodes::Doing::LeapSecond))
    }

    /// Whether it is for what happens on a node.
    pub fn is_for(&self, node: NodeId) -> bool {
        self.target.place.is_for(node)
    }

    /// That it has just done this.
    pub fn firing(&self, hit: Hit) -> Firing {
        Firing { fault: Rc::clone(&self.name), count: self.trigger.fired, hit }
    }

    /// What it does to this call of one that it is for, if it fires.
    pub fn consider(&mut self, elapsed: u64, scene: &mut dyn Scene) -> Option<Hit> {
        if !self.trigger.may_fire(elapsed) || !self.target.matches(scene) {
            return None;
        }
        let possible = Possible::find(&self.doing, scene)?;
        if !self.trigger.fires(elapsed) {
            return None;
        }
        Some(self.aim(elapsed, possible))
    }

    /// What it does at its time, and to which of these programs; to none if it is not about programs.
    pub fn consider_time(
        &mut self,
        elapsed: u64,
        programs: &[Rc<[u8]>],
    ) -> Option<(Option<usize>, Hit)> {
        let victims: Vec<_> =
            (0..programs.len()).filter(|&at| self.target.matches_program(&programs[at])).collect();
        let needs_victim = !matches!(self.doing, Doing::JumpClock(..));
        let hits = self.trigger.hits(elapsed);
        if self.trigger.is_spent() || needs_victim && victims.is_empty() || !hits {
            return None;
        }
        if self.trigger.skips() {
            return None;
        }
        self.trigger.fired += 1;
        let victim = match needs_victim {
            true => Some(victims[self.trigger.stream.below(victims.len() as u64) as usize]),
            false => None,
        };
        Some((victim, self.aim(elapsed, Possible::Anything)))
    }

    /// What it does to machines, if it does anything to them.
    pub fn of_nodes(&self) -> Option<&nodes::Doing> {
        match &self.doing {
            Doing::Nodes(doing) => Some(doing),
            _ => None,
        }
    }

    /// What it does at its time to which of the machines that it may hit.
    pub fn consider_nodes(&mut self, elapsed: u64, machines: Machines) -> Vec<(usize, Hit)> {
        let hits = self.trigger.hits(elapsed);
        let Doing::Nodes(doing) = &mut self.doing else { return Vec::new() };
        if self.trigger.is_spent() || !doing.may_hit(machines) || !hits || self.trigger.skips() {
            return Vec::new();
        }
        let Trigger { stream, fired, .. } = &mut self.trigger;
        let hits_all = doing.is_of_clocks() || self.victims == Victims::All;
        let victims = match hits_all {
            true => 0..machines.candidates,
            false => {
                let victim = stream.below(machines.candidates as u64) as usize;
                victim..victim + 1
            }
        };
        let hit = |victim| {
            *fired += 1;
            (victim, Hit::Node(doing.aim(stream)))
        };
        victims.map(hit).collect()
    }

    /// When it is to be asked next: at `from` at the earliest, in nanoseconds from the start of the run.
    pub fn next_time(&mut self, from: u64) -> Option<u64> {
        if self.trigger.is_spent() {
            return None;
        }
        let Trigger { opening, dice, stream, .. } = &mut self.trigger;
        match dice {
            Dice::Probability { .. } => opening.next(from),
            Dice::Rate { interval, due } => {
                *due = (*due).max(from);
                // An interval that reaches beyond a window goes on in the next one.
                for _ in 0..TRIES_MAX {
                    if opening.is_open(*due) {
                        return Some(*due);
                    }
                    *due = opening.next(*due)?.saturating_add(interval.next(stream));
                }
                None
            }
        }
    }

    /// Whether what it does at its time could set somebody going who waits for ever.
    pub fn could_help(&self, programs: &[Rc<[u8]>]) -> bool {
        self.of_nodes().is_some_and(nodes::Doing::could_help)
            || matches!(self.doing, Doing::Kill(_))
                && programs.iter().any(|program| self.target.matches_program(program))
    }

    fn aim(&mut self, elapsed: u64, possible: Possible) -> Hit {
        let stream = &mut self.trigger.stream;
        match (&mut self.doing, possible) {
            (_, Possible::Errors(errors)) => {
                let index = match errors.len() {
                    1 => 0,
                    count => stream.below(count as u64) as usize,
                };
                Hit::Fail(errors[index])
            }
            (Doing::Shorten(source), Possible::Bytes(of)) => {
                let share = Share::from_parts(source.next(stream));
                Hit::Shorten { to: share.of(of).clamp(1, of - 1), of }
            }
            (Doing::Throttle { bytes_per_second, busy_until }, Possible::Bytes(bytes)) => {
                let takes = u128::from(bytes) * NANOS_PER_SECOND / u128::from(*bytes_per_second);
                let takes = u64::try_from(takes).unwrap_or(u64::MAX);
                *busy_until = elapsed.max(*busy_until).saturating_add(takes);
                Hit::Delay(Duration::from_nanos(*busy_until - elapsed))
            }
            (Doing::Delay(source), _) => Hit::Delay(Duration::from_nanos(source.next(stream))),
            (Doing::Oversleep(source), _) => {
                Hit::Oversleep(Duration::from_nanos(source.next(stream)))
            }
            (Doing::Wake, _) => Hit::Wake,
            (Doing::Kill(signal), _) => Hit::Kill(*signal),
            (Doing::Pause(source), _) => Hit::Pause(Duration::from_nanos(source.next(stream))),
            (Doing::JumpClock(direction, source), _) => {
                Hit::JumpClock(*direction, Duration::from_nanos(source.next(stream)))
            }
            (Doing::Damage(kind), _) => {
                Hit::Damage(Damage { kind: *kind, random: stream.next_u64() })
            }
            (Doing::Starve(source), _) => {
                let by = Duration::from_nanos(source.next(stream));
                Hit::Starve { by, random: stream.next_u64() }
            }
            (Doing::DelayWakeup(source), _) => {
                Hit::DelayWakeup(Duration::from_nanos(source.next(stream)))
            }
            (Doing::ReverseWakes, _) => Hit::ReverseWakes,
            (Doing::Nodes(doing), _) => Hit::Node(doing.aim(stream)),
            _ => Hit::Interrupt,
        }
    }
}

/// What a fault could do to a call.
enum Possible {
    /// Let it fail with one of these.
    Errors(Vec<Errno>),
    /// Divide so many bytes, two at least, or let them take their time.
    Bytes(u64),
    /// What can always be done.
    Anything,
}

impl Possible {
    fn find(doing: &Doing, scene: &mut dyn Scene) -> Option<Self> {
        match doing {
            Doing::Fail(errors) => {
                let fit = |errno: &Errno| scene.can_fail(*errno);
                let errors: Vec<_> = errors.iter().copied().filter(fit).collect();
                (!errors.is_empty()).then_some(Self::Errors(errors))
            }
            Doing::Shorten(_) => {
                scene.divisible_bytes().filter(|&bytes| bytes > 1).map(Self::Bytes)
            }
            Doing::Damage(_) => {
                let touches =
                    scene.disk().is_some() && scene.bytes().is_some_and(|bytes| bytes > 0);
                touches.then_some(Self::Anything)
            }
            Doing::Throttle { .. } => scene.bytes().filter(|&bytes| bytes > 0).map(Self::Bytes),
            Doing::Oversleep(_) => scene.has_deadline().then_some(Self::Anything),
            Doing::Wake => scene.may_wake().then_some(Self::Anything),
            Doing::ReverseWakes => scene.wakes_one_of_several().then_some(Self::Anything),
            Doing::Interrupt
            | Doing::Delay(_)
            | Doing::DelayWakeup(_)
            | Doing::Starve(_)
            | Doing::Nodes(_)
            | Doing::Kill(_)
            | Doing::Pause(_)
            | Doing::JumpClock(..) => Some(Self::Anything),
        }
    }
}
