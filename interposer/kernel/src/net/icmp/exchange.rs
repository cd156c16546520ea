//! One node's part in ICMP: who gets a message that arrives, and the kernel's own answers.

use alloc::{
    collections::BTreeMap,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::{
    cell::RefCell,
    net::{IpAddr, SocketAddr},
};

use simrun_abi::faults::{Protocol, Way};

use super::{Kind, Packet};
use crate::{
    machine::Machine,
    net::{
        link::{self, Order, Parcel, Path, Wired},
        socket::icmp::IcmpSocket,
        stack::{Ports, SocketId, Stack},
    },
    random::Stream,
};

/// One node's part in ICMP.
#[derive(Default)]
pub struct Exchange {
    /// Sockets that hold an identifier.
    pub(in crate::net) echoes: Ports<IcmpSocket>,
    /// Sockets that see all messages.
    raw: RefCell<BTreeMap<SocketId, Weak<IcmpSocket>>>,
    /// Keeps what is sent to a machine in order.
    order: Order<IpAddr>,
}

impl Exchange {
    /// Shows a socket all messages from now on.
    pub(in crate::net) fn show_all(&self, id: SocketId, socket: Weak<IcmpSocket>) {
        let mut raw = self.raw.borrow_mut();
        // Of a socket that was never given a descriptor nobody says that it is closed.
        raw.retain(|_, socket| socket.strong_count() > 0);
        raw.insert(id, socket);
    }

    /// Shows a socket no more messages.
    pub(in crate::net) fn show_no_more(&self, id: SocketId) {
        self.raw.borrow_mut().remove(&id);
    }

    /// An identifier that nobody holds, never zero (`ping_get_port` in net/ipv4/ping.c).
    pub(in crate::net) fn choose(&self, random: &mut Stream) -> Option<u16> {
        let count = u64::from(u16::MAX);
        let start = random.below(count);
        let all = (0..count).map(|step| 1 + ((start + step) % count) as u16);
        let mut free = all.filter(|&identifier| self.echoes.holders(identifier).is_empty());
        free.next()
    }

    /// Sends what a program asks to be sent.
    pub(in crate::net) fn send(&self, stack: &Rc<Stack>, machine: &mut Machine, packet: Packet) {
        let program = Rc::clone(&machine.program);
        let client = SocketAddr::new(packet.from, packet.identifier());
        // Nobody listens for it: it is for the machine.
        let server = SocketAddr::new(packet.to, 0);
        let wire = link::wire(stack, machine, Protocol::Icmp, &program, (client, server));
        self.put(stack, machine, packet, wire.map(|wire| (wire, Way::Request)));
    }

    fn put(&self, stack: &Rc<Stack>, machine: &mut Machine, packet: Packet, wire: Wired) {
        let (from, to) = (packet.from, packet.to);
        let path = Path { from, to, wire: wire.clone() };
        self.order.deliver((stack, machine), &path, to, Parcel::Icmp { packet, wire });
    }

    /// A message has arrived at the machine. Raw sockets see it as it is (`raw_local_deliver` in net/ipv4/raw.c); what is
    /// damaged goes no further (`icmp_rcv`). What is sent to all is not answered (`net.ipv4.icmp_echo_ignore_broadcasts`).
    pub(in crate::net) fn arrive(
        &self,
        stack: &Rc<Stack>,
        machine: &mut Machine,
        mut packet: Packet,
        wire: Wired,
    ) {
        if packet.to.is_multicast() {
            return;
        }
        packet.arrived = machine.clock.wall();
        let raw: Vec<_> = self.raw.borrow().values().filter_map(Weak::upgrade).collect();
        for socket in raw.iter().filter(|socket| socket.wants(&packet)) {
            socket.take_in(machine, packet.clone());
        }
        if !packet.is_intact() {
            return;
        }
        match packet.kind() {
            Kind::Request => {
                let back = wire.map(|(wire, way)| (wire, way.back()));
                self.put(stack, machine, packet.answer(), back);
            }
            Kind::Reply => {
                let holders = self.echoes.holders(packet.identifier());
                // Of those that share an identifier, the newest receives (`ping_lookup`).
                if let Some(socket) = holders.iter().rev().find(|socket| socket.wants(&packet)) {
                    socket.take_in(machine, packet);
                }
            }
            Kind::Other => {}
        }
    }
}
