//! How anything gets from one socket to another: the one place where latency, loss and partition are decided.

use alloc::{
    collections::BTreeMap,
    format,
    rc::{Rc, Weak},
    string::ToString,
    vec::Vec,
};
use core::{
    cell::RefCell,
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use simrun_abi::faults::{Protocol, Way};

use super::{
    icmp::Packet,
    socket::{
        tcp::{Segment, TcpSocket},
        udp::{Datagram, UdpSocket},
    },
    stack::{self, Stack},
};
use crate::{
    fault::link::{Cargo, Fate, Link, Passage, Report, Tamper, Wire},
    machine::{Expire, Machine},
    time::Instant,
};

/// Least time from one machine to another: a switched network with its interrupts and wake-ups.
const LINK_DELAY_MIN: Duration = Duration::from_micros(20);
/// Spread of that time, in nanoseconds.
const LINK_DELAY_SPREAD_NS: u64 = 40_000;

/// What is under way.
pub enum Parcel {
    /// A datagram.
    Datagram {
        /// What it says, and the endpoints.
        datagram: Datagram,
        /// Who sent it: it is told if nobody receives it.
        sender: Weak<UdpSocket>,
    },
    /// Nobody receives datagrams at an endpoint.
    Unreachable {
        /// Who sent one there.
        sender: Weak<UdpSocket>,
        /// The endpoint.
        destination: SocketAddr,
    },
    /// A message of ICMP.
    Icmp {
        /// What it says, and the endpoints.
        packet: Packet,
        /// The link and the way over it, if faults are for it: an answer goes back over the same.
        wire: Wired,
    },
    /// A request for a connection.
    Syn {
        /// Who asks.
        client: Weak<TcpSocket>,
        /// Its endpoint.
        from: SocketAddr,
        /// The endpoint it wants to reach.
        to: SocketAddr,
        /// The link, if faults are for it.
        wire: Option<Rc<Wire>>,
    },
    /// Something for one end of a stream.
    Segment {
        /// The end it goes to.
        to: Weak<TcpSocket>,
        /// The end it comes from: it is told if there is nobody any more.
        from: Weak<TcpSocket>,
        /// What it is.
        segment: Segment,
    },
}

impl Parcel {
    /// It will never arrive: who has sent it will find out, if it has to arrive.
    pub(super) fn miss(self, machine: &mut Machine) {
        if let Self::Segment { from, segment, .. } = self
            && let Some(sender) = from.upgrade()
        {
            sender.on_lost(machine, segment);
        }
    }

    /// The same once more, if it is a datagram or the like: nothing else is copied on its way.
    fn copy(&self) -> Option<Self> {
        match self {
            Self::Datagram { datagram, sender } => {
                Some(Self::Datagram { datagram: datagram.clone(), sender: sender.clone() })
            }
            Self::Icmp { packet, wire } => {
                Some(Self::Icmp { packet: packet.clone(), wire: wire.clone() })
            }
            _ => None,
        }
    }

    /// Makes a bit of a datagram or the like wrong.
    fn flip_bit(&mut self, random: u64) {
        let bytes = match self {
            Self::Datagram { datagram, .. } => &mut datagram.bytes,
            Self::Icmp { packet, .. } => &mut packet.bytes,
            _ => return,
        };
        if let Some(bit) = random.checked_rem(bytes.len() as u64 * 8) {
            bytes[(bit / 8) as usize] ^= 1 << (bit % 8);
        }
    }

    /// As faults see it.
    fn cargo(&self) -> Cargo {
        match self {
            Self::Datagram { datagram, .. } => Cargo::Datagram(datagram.bytes.len()),
            Self::Icmp { packet, .. } => Cargo::Datagram(packet.bytes.len()),
            Self::Unreachable { .. } => Cargo::Control,
            Self::Syn { .. } => Cargo::Request,
            Self::Segment { segment: Segment::Data(len, _), .. } => Cargo::Data(*len),
            Self::Segment { segment: Segment::Fin, .. } => Cargo::End,
            Self::Segment { .. } => Cargo::Control,
        }
    }
}

/// From where to where.
#[derive(Clone, Debug)]
pub struct Path {
    /// The sender's address.
    pub from: IpAddr,
    /// The receiver's.
    pub to: IpAddr,
    /// The link and the way over it, if faults are for it.
    pub wire: Wired,
}

/// A link and the way over it, if faults are for it.
pub type Wired = Option<(Rc<Wire>, Way)>;

impl Path {
    /// Of a stream from one end to the other.
    #[must_use]
    pub fn of_stream(from: SocketAddr, to: SocketAddr, wire: Option<Rc<Wire>>) -> Self {
        let wire = wire.map(|wire| {
            let way = wire.way_from(from);
            (wire, way)
        });
        Self { from: from.ip(), to: to.ip(), wire }
    }

    /// Of a datagram. Its client is the end whose port the kernel chose, if there is one such.
    #[must_use]
    pub fn of_datagram(
        stack: &Stack,
        machine: &mut Machine,
        program: &Rc<[u8]>,
        from: SocketAddr,
        to: SocketAddr,
    ) -> Self {
        let is_reply = !stack::is_ephemeral(from.port()) && stack::is_ephemeral(to.port());
        let (client, server, way) =
            if is_reply { (to, from, Way::Reply) } else { (from, to, Way::Request) };
        let wire = wire(stack, machine, Protocol::Udp, program, (client, server));
        Self { from: from.ip(), to: to.ip(), wire: wire.map(|wire| (wire, way)) }
    }
}

/// What faults there are for a link.
pub fn wire(
    stack: &Stack,
    machine: &mut Machine,
    protocol: Protocol,
    program: &Rc<[u8]>,
    (client, server): (SocketAddr, SocketAddr),
) -> Option<Rc<Wire>> {
    let faults = machine.faults.as_mut().filter(|faults| !faults.links.is_empty())?;
    let nodes = (stack.node_at(client.ip()), stack.node_at(server.ip()));
    let link = Link { protocol, client, server, nodes, program: Rc::clone(program) };
    faults.links.wire(link, &|like| stack.any_name(server.ip(), &|name| like.matches(name)))
}

/// What faults make of something that is sent over a link.
fn pass(machine: &mut Machine, (wire, way): &(Rc<Wire>, Way), cargo: Cargo) -> Passage {
    let elapsed = machine.clock.elapsed().as_nanos() as u64;
    let Some(faults) = &mut machine.faults else { return Passage::default() };
    let mut passage = faults.links.pass(wire, *way, cargo, elapsed);
    note(machine, wire, *way, core::mem::take(&mut passage.reports));
    passage
}

/// Notes what faults have done to something that goes over a link.
fn note(machine: &mut Machine, wire: &Wire, way: Way, reports: Vec<Report>) {
    if reports.is_empty() {
        return;
    }
    machine.raise_after(reports.iter().map(|report| (&*report.fault, report.count)));
    let Link { protocol, client, server, .. } = &wire.link;
    let (protocol, client, server) = match protocol {
        Protocol::Tcp => ("tcp", client.to_string(), server.to_string()),
        Protocol::Udp => ("udp", client.to_string(), server.to_string()),
        // It knows no ports.
        Protocol::Icmp => ("icmp", client.ip().to_string(), server.ip().to_string()),
    };
    let arrow = match way {
        Way::Request => "->",
        Way::Reply => "<-",
    };
    for report in reports {
        let subject = format!("{client} {arrow} {server}");
        machine.injections.push(report.event(protocol, subject));
    }
}

/// How many bytes of those that are written to a stream arrive together at most.
pub fn piece(machine: &mut Machine, wire: &Wire, from: SocketAddr) -> Option<usize> {
    let elapsed = machine.clock.elapsed().as_nanos() as u64;
    let faults = machine.faults.as_mut()?;
    faults.links.piece(wire, wire.way_from(from), elapsed)
}

/// What somebody in the middle does to a message that an end sends.
pub fn tamper(machine: &mut Machine, wire: &Wire, way: Way) -> Vec<Tamper> {
    let elapsed = machine.clock.elapsed().as_nanos() as u64;
    let Some(faults) = &mut machine.faults else { return Vec::new() };
    let tampers = faults.links.tamper(wire, way, elapsed);
    note(machine, wire, way, tampers.iter().map(|tamper| tamper.report.clone()).collect());
    tampers
}

/// How long it takes from one address to another. Within one machine it takes no time: the sender's own call carries
/// a packet through the loopback device to the receiver's queue (`loopback_xmit` in drivers/net/loopback.c), so that
/// whoever looks after it finds it there.
fn delay(stack: &Stack, machine: &mut Machine, path: &Path) -> Duration {
    if stack.is_local(path.from) && (stack.is_local(path.to) || path.to.is_multicast()) {
        return Duration::ZERO;
    }
    let spread = machine.random.network.below(LINK_DELAY_SPREAD_NS);
    LINK_DELAY_MIN + Duration::from_nanos(spread)
}

/// Whether something that was sent is on its way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// It is, or will not be missed. What belongs behind it arrives at this instant at the earliest.
    At(Instant),
    /// It is, but its answer would be lost.
    Unanswered(Instant),
    /// It is lost.
    Lost,
}

/// Sends a parcel on its way. It arrives no earlier than `not_before`, so that what belongs to one stream stays in
/// order; the result is what to pass as `not_before` for the next parcel of the stream.
///
/// What takes no time has arrived when this returns, unless another parcel is just arriving: then it does after that
/// one. So the caller must hold no borrow of a socket's state unless it serves an arrival itself.
pub fn deliver(
    stack: &Rc<Stack>,
    machine: &mut Machine,
    path: &Path,
    not_before: Instant,
    parcel: Parcel,
) -> Delivery {
    let unchanged = Delivery::At(not_before);
    let Some(target) = stack.toward(path.to).filter(|_| !stack.is_off()) else { return unchanged };
    let mut due = machine.clock.now() + delay(stack, machine, path);
    let mut parcel = parcel;
    let mut passage = Passage::default();
    if let Some(wire) = &path.wire {
        passage = pass(machine, wire, parcel.cargo());
        due = due + passage.delay();
        parcel = match meet_fate(stack, machine, wire, (passage.fate, due), parcel) {
            Met::Goes(parcel, later) => {
                due = due + later;
                parcel
            }
            Met::Ends => return unchanged,
            Met::Lost => return Delivery::Lost,
        };
    }
    if target.is_off() {
        return Delivery::Lost;
    }
    if let Some(random) = passage.corrupts {
        parcel.flip_bit(random);
    }
    let due = (not_before + passage.gap).max(due);
    let is_answered = !expects_answer(&parcel) || !is_cut_off(machine, path);
    let copies: Vec<_> = passage.copies.iter().filter_map(|_| parcel.copy()).collect();
    arrive_at(&target, machine, due, parcel);
    for (copy, later) in copies.into_iter().zip(passage.copies) {
        arrive_at(&target, machine, due + later, copy);
    }
    match passage.is_overtaken {
        true => unchanged,
        false if is_answered => Delivery::At(due),
        false => Delivery::Unanswered(due),
    }
}

/// When what was sent last to each of several destinations arrives, if it has not yet: what is sent to one of them arrives
/// in the order in which it was sent, unless a fault lets it be overtaken.
pub struct Order<K>(RefCell<BTreeMap<K, Instant>>);

impl<K> Default for Order<K> {
    fn default() -> Self {
        Self(RefCell::default())
    }
}

impl<K: Copy + Ord> Order<K> {
    /// Sends a parcel on its way after what was sent to the same destination before.
    pub fn deliver(
        &self,
        (stack, machine): (&Rc<Stack>, &mut Machine),
        path: &Path,
        to: K,
        parcel: Parcel,
    ) {
        let now = machine.clock.now();
        let before = self.0.borrow().get(&to).copied().unwrap_or(Instant::BOOT);
        let delivery = deliver(stack, machine, path, before, parcel);
        if let Delivery::At(due) = delivery
            && due > now
        {
            let mut last_due = self.0.borrow_mut();
            last_due.retain(|_, due| *due > now);
            last_due.insert(to, due);
        }
    }
}

/// Whether its sender is told that it has arrived.
fn expects_answer(parcel: &Parcel) -> bool {
    let Parcel::Segment { segment, .. } = parcel else { return false };
    matches!(segment, Segment::Data(..) | Segment::Fin | Segment::Again)
}

/// Whether a partition would keep an answer from getting back.
fn is_cut_off(machine: &mut Machine, path: &Path) -> bool {
    let elapsed = machine.clock.elapsed().as_nanos() as u64;
    let Some(faults) = &mut machine.faults else { return false };
    path.wire.as_ref().is_some_and(|(wire, way)| faults.links.is_cut_off(wire, way.back(), elapsed))
}

/// Whether a partition keeps what goes over a link from arriving, whichever way.
pub fn is_cut(machine: &mut Machine, wire: &Wire) -> bool {
    let elapsed = machine.clock.elapsed().as_nanos() as u64;
    let Some(faults) = &mut machine.faults else { return false };
    [Way::Request, Way::Reply].iter().any(|&way| faults.links.is_cut_off(wire, way, elapsed))
}

/// What becomes of a parcel at once.
enum Met {
    /// This arrives in its place, so much later.
    Goes(Parcel, Duration),
    /// Nothing of it is left to wait for.
    Ends,
    /// It is lost.
    Lost,
}

fn meet_fate(
    stack: &Rc<Stack>,
    machine: &mut Machine,
    (wire, way): &(Rc<Wire>, Way),
    (fate, due): (Fate, Instant),
    parcel: Parcel,
) -> Met {
    let now = machine.clock.now();
    match (fate, parcel) {
        (Fate::Arrives, parcel) => Met::Goes(parcel, Duration::ZERO),
        (Fate::Refused | Fate::Unreachable, Parcel::Syn { client, .. }) => {
            let refused = fate == Fate::Refused;
            let segment = if refused { Segment::Reset } else { Segment::Unreachable };
            let answer = Parcel::Segment { to: client, from: Weak::new(), segment };
            // The answer has to come back.
            let back = pass(machine, &(Rc::clone(wire), way.back()), Cargo::Control);
            arrive_at(stack, machine, due + back.delay(), answer);
            Met::Ends
        }
        (Fate::Reset | Fate::Closes, Parcel::Segment { to, from, .. }) => {
            let segment = if fate == Fate::Reset { Segment::Reset } else { Segment::Fin };
            let back = Parcel::Segment { to: from.clone(), from: to.clone(), segment };
            // That nothing follows comes after what is under way, a reset before.
            let under_way = to.upgrade().filter(|_| fate == Fate::Closes);
            let last = under_way.map_or(now, |other| other.last_due());
            arrive_at(stack, machine, last.max(now), back);
            Met::Goes(Parcel::Segment { to, from, segment }, Duration::ZERO)
        }
        // Who ends the stream is answered in the other end's place, and who goes on is told that nobody is there.
        (Fate::TooLate, Parcel::Segment { to, from, segment }) => {
            let answer = match segment {
                Segment::Fin => Segment::FinAck,
                Segment::Data(..) => Segment::Reset,
                _ => return Met::Ends,
            };
            arrive_at(stack, machine, now, Parcel::Segment { to: from, from: to, segment: answer });
            Met::Ends
        }
        (Fate::Vanishes, Parcel::Segment { to, from, .. }) => {
            for end in [from, to].iter().filter_map(Weak::upgrade) {
                end.on_silence(machine);
            }
            Met::Lost
        }
        (Fate::Lost | Fate::Vanishes, _) => Met::Lost,
        _ => Met::Ends,
    }
}

/// Lets a parcel arrive at an instant.
fn arrive_at(stack: &Rc<Stack>, machine: &mut Machine, due: Instant, parcel: Parcel) {
    if due <= machine.clock.now() {
        return stack.take_in(machine, parcel);
    }
    stack.take_in_later(due, parcel);
    let expire: Rc<dyn Expire> = Rc::<Stack>::clone(stack);
    machine.set_timer_on(stack.node, due, Rc::downgrade(&expire));
}
