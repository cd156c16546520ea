//! Faults of links: what becomes of what one socket sends another.

use alloc::{
    format,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};
use core::{
    cell::Cell,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use simrun_abi::faults::{Effect, Fault, LinkMatch, Network, Protocol, Refusal, Way};

use super::{
    armed::milliseconds,
    chance::Dice,
    pattern::{Pattern, matches_program},
    quantity::Source,
    trigger::Trigger,
};
use crate::random::Stream;

const NANOS_PER_SECOND: u128 = 1_000_000_000;
/// Least bytes of a stream that arrive together over a link that is narrow or breaks: a segment on Ethernet, with time
/// stamps.
const PIECE_MIN: u64 = 1448;
/// Time in which a narrow link carries what arrives together, if that is more, as a part of a second.
const PIECES_PER_SECOND: u64 = 100;

/// Two ends that may send each other something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What carries it.
    pub protocol: Protocol,
    /// The end that has connected; of datagrams the one whose port the kernel chose.
    pub client: SocketAddr,
    /// The other end.
    pub server: SocketAddr,
    /// Path of the program that has connected, or sends the datagram.
    pub program: Rc<[u8]>,
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cargo {
    /// A request for a connection.
    Request,
    /// So many bytes of a stream.
    Data(usize),
    /// That nothing follows on a stream.
    End,
    /// What else keeps a stream going.
    Control,
    /// A datagram of so many bytes.
    Datagram(usize),
}

impl Cargo {
    fn bytes(self) -> u64 {
        match self {
            Self::Data(len) | Self::Datagram(len) => len as u64,
            Self::Request | Self::End | Self::Control => 0,
        }
    }
}

/// What becomes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    #[default]
    Arrives,
    /// It does not.
    Lost,
    /// It is answered as if nobody listened.
    Refused,
    /// It is answered with there being no way.
    Unreachable,
    /// Both ends are told that the connection is reset.
    Reset,
    /// It does not arrive, nor does anything after it on its link.
    Vanishes,
}

/// A fault that has fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub fault: Rc<str>,
    /// How often it has fired, this time included.
    pub count: u64,
    /// What it does, in words.
    pub effect: String,
}

/// What the faults make of something that is sent, all together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// What becomes of it.
    pub fate: Fate,
    /// How long it takes besides what it waits for others.
    delay: Duration,
    /// How long it takes until it is through the narrowest line.
    queued: Duration,
    /// The faults that have a part in it.
    pub reports: Vec<Report>,
}

impl Passage {
    /// How much later it arrives.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.queued.saturating_add(self.delay)
    }

    /// Of several fates the first one is met.
    fn settle(&mut self, fate: Fate) {
        if self.fate == Fate::Arrives {
            self.fate = fate;
        }
    }

    fn report(&mut self, fault: &Rc<str>, count: u64, effect: String) {
        self.reports.push(Report { fault: Rc::clone(fault), count, effect });
    }
}

/// The end that a fault has in store for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Breach {
    fault: u16,
    /// Bytes that the connection carries before.
    after: u64,
    /// Whether it comes for sure then, or when the fault fires next.
    is_sure: bool,
}

/// A link that faults are for.
#[derive(Debug)]
pub struct Wire {
    /// Its ends.
    pub link: Link,
    /// The faults, by index.
    faults: Vec<u16>,
    breaches: Vec<Breach>,
    /// Bytes carried so far, both ways together.
    carried: Cell<u64>,
    /// Whether it has been broken.
    is_broken: Cell<bool>,
    /// Whether nothing gets through any more.
    is_silent: Cell<bool>,
    /// How many bytes of a stream arrive together at most.
    pub piece: Option<usize>,
}

impl Wire {
    /// Which way goes what an end sends.
    #[must_use]
    pub fn way_from(&self, end: SocketAddr) -> Way {
        if end == self.link.client { Way::Request } else { Way::Reply }
    }

    /// Whether nothing gets through any more.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.is_silent.get()
    }
}

/// Which links a fault is for.
struct Target {
    link: LinkMatch,
    hosts: Vec<Pattern>,
    processes: Vec<Pattern>,
}

/// An address as networks are compared with.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn is_any<T>(wanted: &[T], is_it: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is_it)
}

impl Target {
    fn matches(&self, link: &Link, names: &[&str]) -> bool {
        let address = bits(link.server.ip());
        is_any(&self.link.protocols, |&protocol| protocol == link.protocol)
            && is_any(&self.link.ports, |&port| port == link.server.port())
            && is_any(&self.link.networks, |network: &Network| network.contains(address))
            && is_any(&self.hosts, |host| names.iter().any(|name| host.matches(name.as_bytes())))
            && matches_program(&self.processes, &link.program)
    }
}

/// What a fault does, and where its numbers come from.
enum Doing {
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
}

impl Doing {
    fn new(effect: &Effect) -> Option<Self> {
        Some(match effect {
            Effect::Latency(by) => Self::Latency(Source::new(by)),
            Effect::Bandwidth { rate, queue } => {
                let busy_until = [0; Way::COUNT];
                Self::Bandwidth { rate: (*rate).max(1), queue: *queue, busy_until }
            }
            Effect::Connect(refusal) => Self::Connect(*refusal),
            Effect::Reset(after) => Self::Reset(Source::new(after)),
            Effect::Vanish(after) => Self::Vanish(Source::new(after)),
            Effect::SlowClose(by) => Self::SlowClose(Source::new(by)),
            _ => return None,
        })
    }

    /// Whether it does anything to links of a protocol.
    fn is_for(&self, protocol: Protocol) -> bool {
        match self {
            Self::Latency(_) | Self::Bandwidth { .. } => true,
            Self::Connect(_) | Self::Reset(_) | Self::Vanish(_) | Self::SlowClose(_) => {
                protocol == Protocol::Tcp
            }
        }
    }
}

/// A fault of links and what has become of it so far.
struct LinkFault {
    name: Rc<str>,
    trigger: Trigger,
    target: Target,
    doing: Doing,
}

impl LinkFault {
    /// What it does to something that goes over a link that it is for.
    fn apply(&mut self, (way, cargo): (Way, Cargo), elapsed: u64, passage: &mut Passage) {
        if !is_any(&self.target.link.ways, |&wanted| wanted == way)
            || !self.trigger.may_fire(elapsed)
        {
            return;
        }
        let trigger = &mut self.trigger;
        let effect = match (&mut self.doing, cargo) {
            (Doing::Latency(by), _) if trigger.fires(elapsed) => {
                let by = Duration::from_nanos(by.next(&mut trigger.stream));
                passage.delay = passage.delay.saturating_add(by);
                format!("arrives {} later", milliseconds(by))
            }
            (Doing::SlowClose(by), Cargo::End) if trigger.fires(elapsed) => {
                let by = Duration::from_nanos(by.next(&mut trigger.stream));
                passage.delay = passage.delay.saturating_add(by);
                format!("closes {} later", milliseconds(by))
            }
            (Doing::Connect(refusal), Cargo::Request) if trigger.fires(elapsed) => {
                let (fate, words) = match refusal {
                    Refusal::Refuse => (Fate::Refused, "is refused"),
                    Refusal::Hang => (Fate::Vanishes, "is never answered"),
                    Refusal::Unreachable => (Fate::Unreachable, "finds no way to the host"),
                };
                passage.settle(fate);
                words.to_string()
            }
            (Doing::Bandwidth { busy_until, .. }, _) if cargo.bytes() == 0 => {
                let waits = busy_until[way as usize].saturating_sub(elapsed);
                passage.queued = passage.queued.max(Duration::from_nanos(waits));
                return;
            }
            (Doing::Bandwidth { rate, queue, busy_until }, _) if trigger.fires(elapsed) => {
                let busy_until = &mut busy_until[way as usize];
                match carry((*rate, *queue), busy_until, cargo, elapsed) {
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
            _ => return,
        };
        passage.report(&self.name, self.trigger.fired, effect);
    }
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

/// All faults of links.
#[derive(Default)]
pub struct Links {
    all: Vec<LinkFault>,
}

impl Links {
    /// One more; one that is of no link is left out.
    pub fn add(&mut self, fault: &Fault, stream: Stream) {
        let Some(doing) = Doing::new(&fault.effect) else { return };
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
        self.all.push(LinkFault {
            name: fault.name.as_str().into(),
            trigger: Trigger::new(fault, stream),
            target: Target {
                hosts: patterns(&fault.matches.link.hosts),
                processes: patterns(&fault.matches.processes),
                link: fault.matches.link.clone(),
            },
            doing,
        });
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.all.is_empty()
    }

    /// What is known of a link whose server has these names; `None` if no fault is for it.
    pub fn wire(&mut self, link: Link, names: &[&str]) -> Option<Rc<Wire>> {
        let is_for = |fault: &LinkFault| {
            fault.doing.is_for(link.protocol) && fault.target.matches(&link, names)
        };
        let faults: Vec<u16> =
            (0..).zip(&self.all).filter(|(_, fault)| is_for(fault)).map(|(at, _)| at).collect();
        if faults.is_empty() {
            return None;
        }
        let breaches = faults.iter().filter_map(|&index| self.plan_breach(index)).collect();
        let piece = |&index: &u16| match self.all[usize::from(index)].doing {
            Doing::Bandwidth { rate, .. } => Some((rate / PIECES_PER_SECOND).max(PIECE_MIN)),
            // It is to have carried so many bytes when it breaks, and not a whole buffer more.
            Doing::Reset(_) | Doing::Vanish(_) => Some(PIECE_MIN),
            _ => None,
        };
        let piece = faults.iter().filter_map(piece).min();
        Some(Rc::new(Wire {
            piece: piece.map(|piece| usize::try_from(piece).unwrap_or(usize::MAX)),
            link,
            faults,
            breaches,
            carried: Cell::new(0),
            is_broken: Cell::new(false),
            is_silent: Cell::new(false),
        }))
    }

    /// The end that a fault has in store for a connection that is being made, if it has one.
    fn plan_breach(&mut self, index: u16) -> Option<Breach> {
        let LinkFault { trigger, doing, .. } = &mut self.all[usize::from(index)];
        let (Doing::Reset(after) | Doing::Vanish(after)) = doing else { return None };
        let after = after.next(&mut trigger.stream);
        let is_sure = matches!(trigger.dice, Dice::Probability { .. });
        // That it will happen is decided now, and counted when it does.
        let is_planned = !is_sure || !trigger.skips() && trigger.hits(0);
        is_planned.then_some(Breach { fault: index, after, is_sure })
    }

    /// What becomes of something that is sent, at so many nanoseconds after the start of the run. All faults decide, also
    /// when another has decided already: what one draws must not depend on the others.
    pub fn pass(&mut self, wire: &Wire, way: Way, cargo: Cargo, elapsed: u64) -> Passage {
        let mut passage = Passage::default();
        if wire.is_silent() {
            passage.fate = Fate::Lost;
            return passage;
        }
        for &index in &wire.faults {
            self.all[usize::from(index)].apply((way, cargo), elapsed, &mut passage);
        }
        if matches!(cargo, Cargo::Data(_)) && !wire.is_broken.get() {
            wire.carried.set(wire.carried.get().saturating_add(cargo.bytes()));
            self.breach(wire, way, elapsed, &mut passage);
        }
        if passage.fate == Fate::Vanishes {
            wire.is_silent.set(true);
        }
        passage
    }

    /// Breaks a connection for which the time has come.
    fn breach(&mut self, wire: &Wire, way: Way, elapsed: u64, passage: &mut Passage) {
        let carried = wire.carried.get();
        for breach in wire.breaches.iter().filter(|breach| carried >= breach.after) {
            let fault = &mut self.all[usize::from(breach.fault)];
            let may = fault.trigger.may_fire(elapsed)
                && is_any(&fault.target.link.ways, |&wanted| wanted == way);
            if !may || !breach.is_sure && !fault.trigger.fires(elapsed) {
                continue;
            }
            fault.trigger.fired += u64::from(breach.is_sure);
            let (fate, words) = match fault.doing {
                Doing::Reset(_) => (Fate::Reset, "is reset"),
                _ => (Fate::Vanishes, "is cut without a word"),
            };
            let effect = format!("{words} after {carried} bytes");
            passage.report(&fault.name, fault.trigger.fired, effect);
            passage.settle(fate);
            wire.is_broken.set(true);
            return;
        }
    }
}
