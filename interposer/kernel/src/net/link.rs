//! How anything gets from one socket to another: the one place where latency, loss and partition are decided.

use alloc::{
    format,
    rc::{Rc, Weak},
    string::{String, ToString},
};
use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use simrun_abi::{
    event::What,
    faults::{Protocol, Way},
};

use super::{
    socket::{
        tcp::{Segment, TcpSocket},
        udp::{Datagram, UdpSocket},
    },
    stack::{self, Stack},
};
use crate::{
    fault::link::{Cargo, Fate, Link, Passage, Wire},
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
    /// As faults see it.
    fn cargo(&self) -> Cargo {
        match self {
            Self::Datagram { datagram, .. } => Cargo::Datagram(datagram.bytes.len()),
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
    pub wire: Option<(Rc<Wire>, Way)>,
}

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
    for report in passage.reports.drain(..) {
        let Link { protocol, client, server, .. } = &wire.link;
        let protocol = match protocol {
            Protocol::Tcp => "tcp",
            Protocol::Udp => "udp",
        };
        let arrow = match way {
            Way::Request => "->",
            Way::Reply => "<-",
        };
        machine.injections.push(What::Fault {
            fault: String::from(&*report.fault),
            count: report.count,
            call: protocol.to_string(),
            subject: format!("{client} {arrow} {server}"),
            effect: report.effect,
        });
    }
    passage
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
) -> Instant {
    let Some(target) = stack.toward(path.to) else { return not_before };
    if stack.is_off() || target.is_off() {
        lose(machine, parcel);
        return not_before;
    }
    let mut due = machine.clock.now() + delay(stack, machine, path);
    let mut parcel = parcel;
    if let Some(wire) = &path.wire {
        let passage = pass(machine, wire, parcel.cargo());
        due = due + passage.delay();
        parcel = match meet_fate(stack, machine, wire, passage.fate, parcel) {
            Some((parcel, later)) => {
                due = due + later;
                parcel
            }
            None => return not_before,
        };
    }
    let due = not_before.max(due);
    arrive_at(&target, machine, due, parcel);
    due
}

/// Nothing of it arrives anywhere.
fn lose(machine: &mut Machine, parcel: Parcel) {
    if let Parcel::Segment { from, .. } = parcel
        && let Some(sender) = from.upgrade()
    {
        sender.on_silence(machine);
    }
}

/// What arrives in place of a parcel, and how much later; `None` if nothing does.
fn meet_fate(
    stack: &Rc<Stack>,
    machine: &mut Machine,
    (wire, way): &(Rc<Wire>, Way),
    fate: Fate,
    parcel: Parcel,
) -> Option<(Parcel, Duration)> {
    match (fate, parcel) {
        (Fate::Arrives, parcel) => Some((parcel, Duration::ZERO)),
        (Fate::Refused | Fate::Unreachable, Parcel::Syn { client, .. }) => {
            let refused = fate == Fate::Refused;
            let segment = if refused { Segment::Reset } else { Segment::Unreachable };
            let answer = Parcel::Segment { to: client, from: Weak::new(), segment };
            // The answer has to come back.
            let back = pass(machine, &(Rc::clone(wire), way.back()), Cargo::Control);
            Some((answer, back.delay()))
        }
        (Fate::Reset, Parcel::Segment { to, from, .. }) => {
            let segment = Segment::Reset;
            let now = machine.clock.now();
            let back = Parcel::Segment { to: from.clone(), from: to.clone(), segment };
            arrive_at(stack, machine, now, back);
            Some((Parcel::Segment { to, from, segment }, Duration::ZERO))
        }
        (Fate::Vanishes, Parcel::Segment { to, from, .. }) => {
            for end in [from, to].iter().filter_map(Weak::upgrade) {
                end.on_silence(machine);
            }
            None
        }
        _ => None,
    }
}

/// Lets a parcel arrive at an instant.
fn arrive_at(stack: &Rc<Stack>, machine: &mut Machine, due: Instant, parcel: Parcel) {
    if due <= machine.clock.now() {
        return stack.take_in(machine, parcel);
    }
    stack.take_in_later(due, parcel);
    let expire: Rc<dyn Expire> = Rc::<Stack>::clone(stack);
    machine.set_timer(due, Rc::downgrade(&expire));
}
