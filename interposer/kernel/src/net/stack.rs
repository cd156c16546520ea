//! One node's network: its ports, and what is under way to it.

use alloc::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    rc::{Rc, Weak},
    vec::Vec,
};
use core::{
    cell::{Cell, RefCell},
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

use super::{
    dns,
    host::Interfaces,
    icmp::Exchange,
    link::Parcel,
    network::Network,
    socket::{
        netlink::Subject,
        tcp::TcpSocket,
        udp::{Protocol, UdpSocket},
        unix::{UnixKey, UnixSocket},
    },
};
use crate::{
    machine::{Expire, Machine},
    node::NodeId,
    random::Stream,
    time::Instant,
};

/// Ports given to sockets that ask for none (`net.ipv4.ip_local_port_range`): first and last.
pub const EPHEMERAL_PORTS: (u16, u16) = (32768, 60999);

/// Whether a port is one of those.
#[must_use]
pub fn is_ephemeral(port: u16) -> bool {
    (EPHEMERAL_PORTS.0..=EPHEMERAL_PORTS.1).contains(&port)
}

/// Names a socket within its stack, and serves as its inode number.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SocketId(pub u64);

/// Inode number of the first socket.
const FIRST_ID: u64 = 10_001;

/// One node's network.
pub struct Stack {
    this: Weak<Self>,
    /// Its node.
    pub node: NodeId,
    /// Its node's address on `eth0`.
    pub address: Ipv4Addr,
    /// What it shows of its devices.
    pub interfaces: Interfaces,
    network: Weak<Network>,
    /// Whether its node is without power: nothing leaves it or arrives.
    off: Cell<bool>,
    next_id: Cell<u64>,
    /// What is under way, by the instant at which it arrives and in the order in which it was sent.
    under_way: RefCell<BTreeMap<(Instant, u64), Parcel>>,
    sent: Cell<u64>,
    /// What arrives now.
    arriving: RefCell<VecDeque<Parcel>>,
    /// Whether some of that is being handed over.
    hands_over: Cell<bool>,
    /// Sockets of TCP that hold a port.
    pub(super) tcp: Ports<TcpSocket>,
    /// Those of them that take connections.
    pub(super) listeners: Ports<TcpSocket>,
    /// Sockets of UDP that hold a port.
    udp: Ports<UdpSocket>,
    /// Sockets of UDP-Lite that do.
    udp_lite: Ports<UdpSocket>,
    /// Its part in ICMP.
    pub(super) icmp: Exchange,
    /// Unix sockets that have a name.
    pub(super) unix: RefCell<BTreeMap<UnixKey, Weak<UnixSocket>>>,
    /// All unix sockets.
    pub(super) all_unix: RefCell<BTreeMap<SocketId, Weak<UnixSocket>>>,
    /// Ports that sockets of netlink hold.
    pub(super) netlink_ports: RefCell<BTreeSet<(Subject, u32)>>,
    /// Sockets whose program has closed them but whose connection is not over.
    pub(super) orphans: RefCell<BTreeMap<SocketId, Rc<TcpSocket>>>,
}

impl Stack {
    /// A stack without sockets.
    #[must_use]
    pub fn new(node: NodeId, address: Ipv4Addr, network: &Rc<Network>) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            node,
            address,
            interfaces: Interfaces::new(address),
            network: Rc::downgrade(network),
            off: Cell::new(false),
            next_id: Cell::new(FIRST_ID),
            under_way: RefCell::default(),
            sent: Cell::new(0),
            arriving: RefCell::default(),
            hands_over: Cell::new(false),
            tcp: Ports::default(),
            listeners: Ports::default(),
            udp: Ports::default(),
            udp_lite: Ports::default(),
            icmp: Exchange::default(),
            unix: RefCell::default(),
            all_unix: RefCell::default(),
            netlink_ports: RefCell::default(),
            orphans: RefCell::default(),
        })
    }

    /// What it is connected to.
    ///
    /// # Panics
    /// If the network is gone: it lives as long as the kernel.
    #[must_use]
    pub fn network(&self) -> Rc<Network> {
        self.network.upgrade().expect("a network outlives its stacks")
    }

    /// Whether something sent to this address arrives at this very machine.
    #[must_use]
    pub fn is_local(&self, address: IpAddr) -> bool {
        match address {
            IpAddr::V4(v4) => v4.is_loopback() || v4 == self.address,
            IpAddr::V6(v6) => v6 == Ipv6Addr::LOCALHOST,
        }
    }

    /// Whether there is a machine with this address.
    #[must_use]
    pub fn has_route_to(&self, address: IpAddr) -> bool {
        self.is_local(address) || address == dns::NOBODY || self.network().at(address).is_some()
    }

    /// Where something sent to this address arrives.
    #[must_use]
    pub fn toward(&self, address: IpAddr) -> Option<Rc<Self>> {
        if self.is_local(address) || address.is_multicast() {
            return self.this.upgrade();
        }
        self.network().at(address)
    }

    /// The address from which it speaks to another (the route's preferred source).
    #[must_use]
    pub fn source_for(&self, destination: IpAddr) -> IpAddr {
        match destination {
            IpAddr::V4(v4) if v4.is_loopback() => Ipv4Addr::LOCALHOST.into(),
            IpAddr::V4(_) => self.address.into(),
            IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
        }
    }

    /// Whether any of the names that lead to an address is such a one.
    pub fn any_name(&self, address: IpAddr, is_it: &dyn Fn(&[u8]) -> bool) -> bool {
        match address.is_loopback() {
            true => is_it(b"localhost"),
            false => self.network().any_name(address, is_it),
        }
    }

    /// The node that has an address; its own if none has.
    #[must_use]
    pub fn node_at(&self, address: IpAddr) -> NodeId {
        self.network().at(address).map_or(self.node, |stack| stack.node)
    }

    /// Its node loses power. What is under way to it will be missed by those who have sent it, and those who ask from time
    /// to time whether it is there will notice.
    pub fn switch_off(&self, machine: &mut Machine) {
        self.off.set(true);
        let under_way = self.under_way.take().into_values().chain(self.arriving.take());
        for parcel in under_way.collect::<Vec<_>>() {
            parcel.miss(machine);
        }
        for socket in self.tcp.all() {
            socket.leave_without_a_word(machine);
        }
    }

    /// Whether its node is without power.
    #[must_use]
    pub fn is_off(&self) -> bool {
        self.off.get()
    }

    /// An id for a new socket.
    #[must_use]
    pub fn allocate_id(&self) -> SocketId {
        let id = self.next_id.get();
        self.next_id.set(id + 1);
        SocketId(id)
    }

    /// The sockets that hold a port of a protocol of datagrams.
    pub(super) fn datagrams(&self, protocol: Protocol) -> &Ports<UdpSocket> {
        match protocol {
            Protocol::Udp => &self.udp,
            Protocol::Lite => &self.udp_lite,
        }
    }

    /// Whether a socket of TCP takes connections at a port.
    #[must_use]
    pub fn listens(&self, port: u16) -> bool {
        self.listeners.holders(port).iter().any(|socket| socket.takes_connections())
    }

    /// The unix socket that is found by this, if it is still open.
    #[must_use]
    pub fn unix_socket(&self, key: &UnixKey) -> Option<Rc<UnixSocket>> {
        self.unix.borrow().get(key).and_then(Weak::upgrade)
    }

    /// The unix sockets that are open, oldest first.
    #[must_use]
    pub fn unix_sockets(&self) -> Vec<Rc<UnixSocket>> {
        self.all_unix.borrow().values().filter_map(Weak::upgrade).collect()
    }

    /// Notes a parcel that arrives at this instant.
    pub(super) fn take_in_later(&self, due: Instant, parcel: Parcel) {
        let number = self.sent.get();
        self.sent.set(number + 1);
        self.under_way.borrow_mut().insert((due, number), parcel);
    }

    /// Lets a parcel arrive, and what its arrival brings about. A parcel sent while another arrives waits until that
    /// is dealt with, so that no socket is entered twice.
    pub(super) fn take_in(&self, machine: &mut Machine, parcel: Parcel) {
        self.arriving.borrow_mut().push_back(parcel);
        if self.hands_over.replace(true) {
            return;
        }
        while let Some(parcel) = self.next_arrival() {
            self.hand_over(machine, parcel);
        }
        self.hands_over.set(false);
    }

    fn next_arrival(&self) -> Option<Parcel> {
        self.arriving.borrow_mut().pop_front()
    }

    fn next_due(&self, now: Instant) -> Option<Parcel> {
        let mut under_way = self.under_way.borrow_mut();
        let entry = under_way.first_entry()?;
        (entry.key().0 <= now).then(|| entry.remove())
    }

    fn hand_over(&self, machine: &mut Machine, parcel: Parcel) {
        if self.is_off() {
            return parcel.miss(machine);
        }
        match parcel {
            Parcel::Syn { client, from, to, wire } => {
                if let Some(stack) = self.this.upgrade() {
                    TcpSocket::on_request(&stack, machine, &client, (from, to), wire);
                }
            }
            Parcel::Datagram { datagram, sender } => {
                if let Some(stack) = self.this.upgrade() {
                    UdpSocket::arrive(&stack, machine, datagram, &sender);
                }
            }
            Parcel::Unreachable { sender, destination } => {
                if let Some(sender) = sender.upgrade() {
                    sender.on_unreachable(machine, destination);
                }
            }
            Parcel::Icmp { packet, wire } => {
                if let Some(stack) = self.this.upgrade() {
                    self.icmp.arrive(&stack, machine, packet, wire);
                }
            }
            Parcel::Segment { to, from, segment } => {
                TcpSocket::arrive(&to, &from, segment, machine);
            }
        }
    }
}

impl Expire for Stack {
    fn expire(&self, machine: &mut Machine) {
        let now = machine.clock.now();
        while let Some(parcel) = self.next_due(now) {
            self.take_in(machine, parcel);
        }
    }
}

/// The sockets of one protocol by port.
pub struct Ports<T> {
    sockets: RefCell<BTreeMap<(u16, SocketId), Weak<T>>>,
}

impl<T> Default for Ports<T> {
    fn default() -> Self {
        Self { sockets: RefCell::default() }
    }
}

impl<T> Ports<T> {
    /// The sockets that hold a port, oldest first.
    pub fn holders(&self, port: u16) -> Vec<Rc<T>> {
        let range = (port, SocketId(0))..=(port, SocketId(u64::MAX));
        self.sockets.borrow().range(range).filter_map(|(_, socket)| socket.upgrade()).collect()
    }

    /// All sockets that hold a port.
    pub fn all(&self) -> Vec<Rc<T>> {
        self.sockets.borrow().values().filter_map(Weak::upgrade).collect()
    }

    /// Lets a socket hold a port.
    pub fn hold(&self, port: u16, id: SocketId, socket: Weak<T>) {
        self.sockets.borrow_mut().insert((port, id), socket);
    }

    /// Lets a port go.
    pub fn release(&self, port: u16, id: SocketId) {
        self.sockets.borrow_mut().remove(&(port, id));
    }

    /// A port that `is_free`, chosen at random from those for sockets that ask for none.
    pub fn choose(&self, random: &mut Stream, is_free: impl Fn(u16) -> bool) -> Option<u16> {
        let (first, last) = EPHEMERAL_PORTS;
        let count = u64::from(last - first) + 1;
        let start = random.below(count);
        (0..count).map(|step| first + ((start + step) % count) as u16).find(|&port| is_free(port))
    }
}

/// Whether a socket bound to `held` receives what one bound to `wanted` would.
#[must_use]
pub fn overlap(held: (IpAddr, OnlyV6), wanted: (IpAddr, OnlyV6)) -> bool {
    match (held.0, wanted.0) {
        (IpAddr::V4(a), IpAddr::V4(b)) => a == b || a.is_unspecified() || b.is_unspecified(),
        (IpAddr::V6(a), IpAddr::V6(b)) => a == b || a.is_unspecified() || b.is_unspecified(),
        (IpAddr::V4(_), IpAddr::V6(v6)) => v6.is_unspecified() && wanted.1 == OnlyV6::No,
        (IpAddr::V6(v6), IpAddr::V4(_)) => v6.is_unspecified() && held.1 == OnlyV6::No,
    }
}

/// Whether a socket of IPv6 leaves IPv4 alone (`IPV6_V6ONLY`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnlyV6 {
    /// It does.
    Yes,
    /// It takes both.
    No,
}
