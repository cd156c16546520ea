//! How anything gets from one socket to another: the one place where latency, loss and partition are decided.

use alloc::rc::{Rc, Weak};
use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
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

/// Least time from one socket of a machine to another: a loopback device with its softirq and wake-up.
const LOOPBACK_DELAY_MIN: Duration = Duration::from_micros(20);
/// Spread of that time, in nanoseconds.
const LOOPBACK_DELAY_SPREAD_NS: u64 = 40_000;

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

/// What becomes of a parcel.
enum Verdict {
    /// It arrives after this time.
    Arrives(Duration),
}

fn decide(machine: &mut Machine, _path: Path) -> Verdict {
    let spread = machine.random.network.below(LOOPBACK_DELAY_SPREAD_NS);
    Verdict::Arrives(LOOPBACK_DELAY_MIN + Duration::from_nanos(spread))
}

/// Sends a parcel on its way. It arrives no earlier than `not_before`, so that what belongs to one stream stays in
/// order; the result is what to pass as `not_before` for the next parcel of the stream.
pub fn deliver(
    stack: &Rc<Stack>,
    machine: &mut Machine,
    path: Path,
    not_before: Instant,
    parcel: Parcel,
) -> Instant {
    let Verdict::Arrives(delay) = decide(machine, path);
    let due = not_before.max(machine.clock.now() + delay);
    stack.take_in(due, parcel);
    let expire: Rc<dyn Expire> = Rc::<Stack>::clone(stack);
    machine.set_timer(due, Rc::downgrade(&expire));
    due
}
