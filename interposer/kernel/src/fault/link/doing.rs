//! What one fault makes of something that is sent over a link.

use alloc::{
    boxed::Box,
    format,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use simrun_abi::{
    faults::{Bursts, Effect, Fault, Protocol, Refusal, Tampering, Way},
    node::Node,
};

use super::{Cargo, Fate, Link, Passage, Report, partition::Partition, target::Target};
use crate::{
    fault::{
        armed::milliseconds,
        quantity::{Source, happens},
        trigger::Trigger,
    },
    random::Stream,
};

const NANOS_PER_SECOND: u128 = 1_000_000_000;
/// Least bytes of a stream that arrive together over a link that is narrow or breaks: a segment on Ethernet, with time
/// stamps.
const PIECE_MIN: u64 = 1448;
/// Time in which a narrow link carries what arrives together, if that is more, as a part of a second.
const PIECES_PER_SECOND: u64 = 100;

/// What a fault does, and where its numbers come from.
pub(super) enum Doing {
    Latency(Source),
    Bandwidth {
        rate: u64,
        queue: u64,
        /// When all that waits will be through, by way, in nanoseconds from the start of the run.
        busy_until: [u64; Way::COUNT],
    },
    Connect(Refusal),
    Reset(Source),
    Vanish(Source),
    SlowClose(Source),
    Close(Source),
    Lose,
    LoseInBursts {
        bursts: Bursts,
        /// Whether times are bad, by way.
        bad: [bool; Way::COUNT],
    },
    Duplicate(Source),
    Reorder(Source),
    Corrupt,
    Slice {
        size: Source,
        gap: Source,
    },
    Partition(Box<Partition>),
    Tamper(Tampering),
}

impl Doing {
    fn new(fault: &Fault, nodes: &[Node], stream: &mut Stream) -> Option<Self> {
        Some(match &fault.effect {
            Effect::Latency(by) => Self::Latency(Source::new(by)),
            Effect::Bandwidth { rate, queue } => {
                let busy_until = [0; Way::COUNT];
                Self::Bandwidth { rate: (*rate).max(1), queue: *queue, busy_until }
            }
            Effect::Connect(refusal) => Self::Connect(*refusal),
            Effect::Reset(after) => Self::Reset(Source::new(after)),
            Effect::Vanish(after) => Self::Vanish(Source::new(after)),
            Effect::SlowClose(by) => Self::SlowClose(Source::new(by)),
            Effect::Close(after) => Self::Close(Source::new(after)),
            Effect::Lose => Self::Lose,
            Effect::LoseInBursts(bursts) => {
                Self::LoseInBursts { bursts: *bursts, bad: [false; Way::COUNT] }
            }
            Effect::Duplicate(by) => Self::Duplicate(Source::new(by)),
            Effect::Reorder(by) => Self::Reorder(Source::new(by)),
            Effect::Corrupt => Self::Corrupt,
            Effect::Slice { size, gap } => {
                Self::Slice { size: Source::new(size), gap: Source::new(gap) }
            }
            Effect::Partition(plan) => {
                Self::Partition(Box::new(Partition::new(plan, &fault.matches, nodes, stream)))
            }
            Effect::Tamper(how) => Self::Tamper(*how),
            _ => return None,
        })
    }

    /// Whether it does anything to links of a protocol.
    pub fn is_for(&self, protocol: Protocol) -> bool {
        match self {
            Self::Latency(_)
            | Self::Bandwidth { .. }
            | Self::Lose
            | Self::LoseInBursts { .. }
            | Self::Reorder(_)
            | Self::Corrupt
            | Self::Partition(_) => true,
            Self::Duplicate(_) => protocol != Protocol::Tcp,
            // An echo is no message of a program to another.
            Self::Tamper(_) => protocol != Protocol::Icmp,
            Self::Connect(_)
            | Self::Reset(_)
            | Self::Vanish(_)
            | Self::SlowClose(_)
            | Self::Close(_)
            | Self::Slice { .. } => protocol == Protocol::Tcp,
        }
    }

    /// Whether it ends connections that have carried so many bytes.
    pub fn breaks(&self) -> bool {
        matches!(self, Self::Reset(_) | Self::Vanish(_) | Self::Close(_))
    }

    /// How many bytes of a stream arrive together at most, if it matters.
    pub fn piece(&self) -> Option<u64> {
        match self {
            Self::Bandwidth { rate, .. } => Some((rate / PIECES_PER_SECOND).max(PIECE_MIN)),
            // It is to have carried so many bytes when it breaks, and not a whole buffer more; what is lost is a segment.
            Self::Reset(_)
            | Self::Vanish(_)
            | Self::Close(_)
            | Self::Lose
            | Self::LoseInBursts { .. }
            | Self::Partition(_)
            | Self::Corrupt => Some(PIECE_MIN),
            _ => None,
        }
    }
}

/// A fault of links and what has become of it so far.
pub(super) struct LinkFault {
    pub name: Rc<str>,
    pub trigger: Trigger,
    pub target: Target,
    pub doing: Doing,
}

impl LinkFault {
    /// Of a fault; `None` if it is not one of links.
    pub fn new(fault: &Fault, nodes: &[Node], stream: Stream) -> Option<Self> {
        let mut trigger = Trigger::new(fault, stream);
        let doing = Doing::new(fault, nodes, &mut trigger.stream)?;
        let target = match doing {
            // It knows itself which nodes it is for.
            Doing::Partition(_) => Target::anywhere(&fault.matches, nodes),
            _ => Target::new(&fault.matches, nodes),
        };
        Some(Self { name: fault.name.as_str().into(), trigger, target, doing })
    }

    /// What has begun or healed, if it is a partition, since it was last asked for that.
    pub fn turn(&mut self, elapsed: u64) -> Vec<Report> {
        let Self { name, trigger, doing: Doing::Partition(partition), .. } = self else {
            return Vec::new();
        };
        let report = |(count, effect)| Report { fault: Rc::clone(name), count, effect };
        partition.turn(trigger, elapsed).into_iter().map(report).collect()
    }

    /// It is over; what has healed thereby.
    pub fn end(&mut self) -> Option<Report> {
        let Self { name, doing: Doing::Partition(partition), .. } = self else { return None };
        let (count, effect) = partition.heal()?;
        Some(Report { fault: Rc::clone(name), count, effect })
    }

    /// When it is to be asked first for what has begun, if it is a partition.
    pub fn first_turn(&self) -> Option<u64> {
        let is_partition = matches!(self.doing, Doing::Partition(_));
        Some(self.quiet_until(0)).filter(|&at| is_partition && at < u64::MAX)
    }

    /// When it is to be asked for that next, if it is a partition.
    pub fn next_turn(&self, elapsed: u64) -> Option<u64> {
        match &self.doing {
            Doing::Partition(partition) => partition.next_turn(&self.trigger, elapsed),
            _ => None,
        }
    }

    /// Until when it does nothing to whatever is sent; now, if it may do something.
    pub fn quiet_until(&self, elapsed: u64) -> u64 {
        match &self.doing {
            // One that has begun lasts, also if it is the last one.
            Doing::Partition(partition) => partition.quiet_until(&self.trigger, elapsed),
            _ if self.trigger.is_spent() => u64::MAX,
            _ => self.trigger.opening.next_open(elapsed),
        }
    }

    /// What it does to something that goes over a link that it is for.
    pub fn apply(
        &mut self,
        link: &Link,
        (way, cargo): (Way, Cargo),
        elapsed: u64,
        passage: &mut Passage,
    ) {
        if !self.target.takes(link, way) {
            return;
        }
        if let Doing::Partition(_) = self.doing {
            if let Some((words, count)) = self.cuts(link, way, elapsed) {
                passage.settle(Fate::Lost);
                passage.report(&self.name, count, words);
            }
            return;
        }
        if self.trigger.may_fire(elapsed)
            && let Some(words) = self.act((way, cargo), elapsed, passage)
        {
            passage.report(&self.name, self.trigger.fired, words);
        }
    }

    /// Whether it is a partition that cuts this way; how, and how often there has been one.
    pub fn cuts(&mut self, link: &Link, way: Way, elapsed: u64) -> Option<(String, u64)> {
        let Doing::Partition(partition) = &mut self.doing else { return None };
        if !self.target.takes(link, way) {
            return None;
        }
        let (words, count) = partition.cuts(&mut self.trigger, link.pair(way), elapsed)?;
        Some((words.into(), count))
    }

    /// What it does, in words, if it fires.
    fn act(
        &mut self,
        (way, cargo): (Way, Cargo),
        elapsed: u64,
        passage: &mut Passage,
    ) -> Option<String> {
        match (&mut self.doing, cargo) {
            // What says nothing of its own waits for the line without being counted.
            (Doing::Bandwidth { busy_until, .. }, _) if cargo.bytes() == 0 => {
                let waits = busy_until[way as usize].saturating_sub(elapsed);
                passage.queued = passage.queued.max(Duration::from_nanos(waits));
                None
            }
            (Doing::LoseInBursts { bursts, bad }, _) => {
                let is_lost = loses(bursts, &mut bad[way as usize], &mut self.trigger.stream);
                (is_lost && self.trigger.fires(elapsed)).then(|| lose(passage))
            }
            (doing, cargo) if !doing.is_about(cargo) => None,
            _ if !self.trigger.fires(elapsed) => None,
            (doing, cargo) => {
                Some(strike(doing, &mut self.trigger.stream, (way, cargo), elapsed, passage))
            }
        }
    }
}

impl Doing {
    /// Whether it does something to what is sent so.
    fn is_about(&self, cargo: Cargo) -> bool {
        match self {
            Self::Latency(_) | Self::Bandwidth { .. } | Self::Lose => true,
            Self::SlowClose(_) => cargo == Cargo::End,
            Self::Slice { .. } => matches!(cargo, Cargo::Data(_)),
            Self::Connect(_) => cargo == Cargo::Request,
            Self::Reorder(_) | Self::Corrupt => {
                matches!(cargo, Cargo::Data(_) | Cargo::Datagram(_))
            }
            Self::Duplicate(_) => matches!(cargo, Cargo::Datagram(_)),
            _ => false,
        }
    }
}

fn lose(passage: &mut Passage) -> String {
    passage.settle(Fate::Lost);
    "is lost".into()
}

/// What a fault that fires does, in words.
fn strike(
    doing: &mut Doing,
    stream: &mut Stream,
    (way, cargo): (Way, Cargo),
    elapsed: u64,
    passage: &mut Passage,
) -> String {
    let mut draw = |by: &mut Source| Duration::from_nanos(by.next(stream));
    match (doing, cargo) {
        (Doing::Latency(by), _) => {
            let by = draw(by);
            passage.delay = passage.delay.saturating_add(by);
            format!("arrives {} later", milliseconds(by))
        }
        (Doing::SlowClose(by), _) => {
            let by = draw(by);
            passage.delay = passage.delay.saturating_add(by);
            format!("closes {} later", milliseconds(by))
        }
        (Doing::Connect(refusal), _) => {
            let (fate, words) = match refusal {
                Refusal::Refuse => (Fate::Refused, "is refused"),
                Refusal::Hang => (Fate::Vanishes, "is never answered"),
                Refusal::Unreachable => (Fate::Unreachable, "finds no way to the host"),
                Refusal::Overflow => (Fate::Lost, "finds the listener's queue full"),
            };
            passage.settle(fate);
            words.to_string()
        }
        (Doing::Bandwidth { rate, queue, busy_until }, _) => {
            match carry((*rate, *queue), &mut busy_until[way as usize], cargo, elapsed) {
                Some(by) => {
                    passage.queued = passage.queued.max(by);
                    format!("is through in {}", milliseconds(by))
                }
                None => {
                    passage.settle(Fate::Lost);
                    "finds the queue full".to_string()
                }
            }
        }
        (Doing::Duplicate(by), _) => {
            let by = draw(by);
            passage.copies.push(by);
            format!("arrives once more {} later", milliseconds(by))
        }
        (Doing::Reorder(by), _) => {
            let by = draw(by);
            passage.delay = passage.delay.saturating_add(by);
            passage.is_overtaken = matches!(cargo, Cargo::Datagram(_));
            format!("arrives {} later, out of turn", milliseconds(by))
        }
        (Doing::Slice { gap, .. }, _) => {
            passage.gap = draw(gap);
            format!("arrives {} after what was before it", milliseconds(passage.gap))
        }
        (Doing::Corrupt, Cargo::Datagram(_)) => {
            passage.corrupts = Some(stream.next_u64());
            "arrives with a bit that is wrong".to_string()
        }
        (Doing::Corrupt, _) => {
            passage.settle(Fate::Lost);
            "is thrown away for its checksum".to_string()
        }
        _ => lose(passage),
    }
}

/// Whether something that is sent now is lost, in times that may change before.
fn loses(bursts: &Bursts, is_bad: &mut bool, stream: &mut Stream) -> bool {
    let changes = if *is_bad { bursts.end } else { bursts.begin };
    *is_bad ^= happens(stream, changes);
    happens(stream, if *is_bad { bursts.lost } else { bursts.lost_between })
}

/// When so much is through a line of this rate and queue; `None` if the queue is full. A stream is never lost there: its
/// sender sees that it is not taken, and waits.
fn carry(
    (rate, queue): (u64, u64),
    busy_until: &mut u64,
    cargo: Cargo,
    elapsed: u64,
) -> Option<Duration> {
    let bytes = u128::from(cargo.bytes());
    let waits = u128::from(busy_until.saturating_sub(elapsed));
    let waiting = waits * u128::from(rate) / NANOS_PER_SECOND;
    if matches!(cargo, Cargo::Datagram(_)) && waiting + bytes > u128::from(queue) {
        return None;
    }
    let takes = u64::try_from(bytes * NANOS_PER_SECOND / u128::from(rate)).unwrap_or(u64::MAX);
    *busy_until = elapsed.max(*busy_until).saturating_add(takes);
    Some(Duration::from_nanos(*busy_until - elapsed))
}
