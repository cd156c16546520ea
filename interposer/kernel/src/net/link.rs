//! How anything gets from one socket to another: the one place where latency, loss and partition are decided.

use alloc::rc::{Rc, Weak};
use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    host,
    socket::{
        tcp::{Segment, TcpSocket},
        udp::{Datagram, UdpSocket},
    },
    stack::Stack,
};
use crate::{
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

/// From where to where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path {
    /// The sender's address.
    pub from: IpAddr,
    /// The receiver's.
    pub to: IpAddr,
}

/// How long it takes from one address to another. Within one machine it takes no time: the sender's own call carries
/// a packet through the loopback device to the receiver's queue (`loopback_xmit` in drivers/net/loopback.c), so that
/// whoever looks after it finds it there.
fn delay(machine: &mut Machine, path: Path) -> Duration {
    if host::is_local(path.from) && (host::is_local(path.to) || path.to.is_multicast()) {
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
    path: Path,
    not_before: Instant,
    parcel: Parcel,
) -> Instant {
    let now = machine.clock.now();
    let due = not_before.max(now + delay(machine, path));
    if due <= now {
        stack.take_in(machine, parcel);
        return due;
    }
    stack.take_in_later(due, parcel);
    let expire: Rc<dyn Expire> = Rc::<Stack>::clone(stack);
    machine.set_timer(due, Rc::downgrade(&expire));
    due
}
