//! The object: identifiers, addresses, and messages coming in.

use alloc::rc::{Rc, Weak};
use core::{
    cell::Cell,
    net::{IpAddr, SocketAddr},
};

use super::filter::Filter;
use crate::{
    error::{Errno, Error, Result},
    machine::Machine,
    net::{
        address::{Address, Family},
        host,
        icmp::Packet,
        socket::{
            inbox::Inbox,
            option_value::IpOptions,
            options::{BUFFER_DEFAULT, Options},
            tcp::Shut,
        },
        stack::{OnlyV6, SocketId, Stack},
    },
    uapi::icmp::{IPPROTO_ICMP, IPPROTO_ICMPV6},
    wait::{Readiness, WaitQueue},
};

/// What a socket is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Use {
    /// Echoes of its own (`SOCK_DGRAM`).
    Echo,
    /// Any message (`SOCK_RAW`).
    Raw,
}

/// Who makes the checksum of what a raw socket sends, and looks at that of what it receives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Checksum {
    /// The kernel, as it does unless asked not to with IPv6, whose checksum covers addresses.
    Kernel,
    /// The program.
    Program,
}

/// A socket of ICMP or ICMPv6.
pub struct IcmpSocket {
    this: Weak<Self>,
    pub(super) stack: Rc<Stack>,
    pub(super) id: SocketId,
    pub(super) family: Family,
    pub(super) r#use: Use,
    pub(super) only_v6: Cell<OnlyV6>,
    pub(super) options: Options,
    pub(super) ip: IpOptions,
    /// For raw sockets.
    pub(super) filter: Cell<Filter>,
    /// For raw sockets.
    pub(super) checksum: Cell<Checksum>,
    /// The address that it has, perhaps unspecified.
    pub(super) address: Cell<IpAddr>,
    /// Whether bind(2) has chosen that.
    has_own_address: Cell<bool>,
    /// What its echoes are known by; a raw socket has none.
    identifier: Cell<Option<u16>>,
    /// Whether bind(2) has chosen that.
    has_own_identifier: Cell<bool>,
    pub(super) remote: Cell<Option<SocketAddr>>,
    pub(super) shut: Cell<Shut>,
    pub(super) inbox: Inbox<Packet>,
    pub(super) queue: WaitQueue,
}

impl IcmpSocket {
    /// A fresh socket.
    #[must_use]
    pub fn new(stack: &Rc<Stack>, family: Family, r#use: Use) -> Rc<Self> {
        let checksum = match family {
            Family::V4 => Checksum::Program,
            Family::V6 => Checksum::Kernel,
        };
        let socket = Rc::new_cyclic(|this| Self {
            this: this.clone(),
            stack: Rc::clone(stack),
            id: stack.allocate_id(),
            family,
            r#use,
            only_v6: Cell::new(OnlyV6::Yes),
            options: Options::new(BUFFER_DEFAULT, BUFFER_DEFAULT),
            ip: IpOptions::default(),
            filter: Cell::default(),
            checksum: Cell::new(checksum),
            address: Cell::new(family.any()),
            has_own_address: Cell::new(false),
            identifier: Cell::new(None),
            has_own_identifier: Cell::new(false),
            remote: Cell::new(None),
            shut: Cell::new(Shut::empty()),
            inbox: Inbox::default(),
            queue: WaitQueue::default(),
        });
        // As their entries among the kinds of sockets say (`INET_PROTOSW_REUSE`).
        socket.options.reuse_address.set(true);
        if r#use == Use::Raw {
            stack.icmp.show_all(socket.id, socket.this.clone());
        }
        socket
    }

    /// `IPPROTO_*`.
    pub(super) fn protocol(&self) -> u32 {
        match self.family {
            Family::V4 => IPPROTO_ICMP,
            Family::V6 => IPPROTO_ICMPV6,
        }
    }

    /// What stands for a port in its address: its identifier, or the protocol of a raw socket (`inet_create`).
    pub(super) fn port(&self) -> u16 {
        match self.r#use {
            Use::Echo => self.identifier.get().unwrap_or(0),
            Use::Raw => self.protocol() as u16,
        }
    }

    /// Whether an address was bound or an identifier taken.
    pub(super) fn is_bound(&self) -> bool {
        self.port() != 0
    }

    /// The endpoint that a program means. A socket of IPv6 speaks to no addresses of IPv4.
    pub(super) fn endpoint(&self, address: &Address, mapped: Errno) -> Result<SocketAddr> {
        match (self.family, address) {
            (Family::V4, Address::Inet(to @ SocketAddr::V4(_)))
            | (Family::V6, Address::Inet(to @ SocketAddr::V6(_))) => Ok(*to),
            (Family::V6, Address::Mapped(_)) => Err(mapped.into()),
            _ => Err(Errno::EAFNOSUPPORT.into()),
        }
    }

    /// Takes an address, and an identifier: any free one for zero (`ping_bind` in net/ipv4/ping.c, `raw_bind`).
    pub(super) fn take_address(&self, machine: &mut Machine, wanted: SocketAddr) -> Result<()> {
        let ip = wanted.ip();
        if ip.is_multicast() && self.r#use == Use::Echo {
            let errno = if ip.is_ipv4() { Errno::EADDRNOTAVAIL } else { Errno::EINVAL };
            return Err(errno.into());
        }
        if !ip.is_unspecified() && !ip.is_multicast() && !self.stack.is_local(ip) {
            return Err(Error::new(Errno::EADDRNOTAVAIL, "the machine has no such address"));
        }
        match self.r#use {
            Use::Raw if self.remote.get().is_some() => return Err(Errno::EINVAL.into()),
            Use::Raw => {}
            Use::Echo if self.is_bound() => return Err(Errno::EINVAL.into()),
            Use::Echo => {
                self.take_identifier(machine, wanted.port()).ok_or(Errno::EADDRINUSE)?;
                self.has_own_identifier.set(wanted.port() != 0);
            }
        }
        self.address.set(ip);
        self.has_own_address.set(!ip.is_unspecified());
        Ok(())
    }

    /// Takes an identifier if it has none and needs one.
    pub(super) fn identify(&self, machine: &mut Machine) -> Result<()> {
        if !self.is_bound() {
            self.take_identifier(machine, 0).ok_or(Errno::EAGAIN)?;
        }
        Ok(())
    }

    fn take_identifier(&self, machine: &mut Machine, wanted: u16) -> Option<()> {
        let echoes = &self.stack.icmp.echoes;
        let identifier = match wanted {
            0 => self.stack.icmp.choose(&mut machine.random.network)?,
            wanted => {
                let shares = |other: &Rc<Self>| {
                    self.options.reuse_address.get() && other.options.reuse_address.get()
                };
                echoes.holders(wanted).iter().all(shares).then_some(wanted)?
            }
        };
        self.identifier.set(Some(identifier));
        echoes.hold(identifier, self.id, self.this.clone());
        Some(())
    }

    fn release_identifier(&self) {
        if let Some(identifier) = self.identifier.take() {
            self.stack.icmp.echoes.release(identifier, self.id);
        }
    }

    /// Settles where messages go to.
    pub(super) fn set_remote(&self, machine: &mut Machine, remote: SocketAddr) -> Result<()> {
        self.identify(machine)?;
        let remote = SocketAddr::new(host::destination(remote.ip()), remote.port());
        if !self.stack.has_route_to(remote.ip()) {
            return Err(Error::new(Errno::ENETUNREACH, "no route leaves the simulation"));
        }
        if self.address.get().is_unspecified() {
            self.address.set(self.stack.source_for(remote.ip()));
        }
        self.remote.set(Some(remote));
        Ok(())
    }

    /// Lets messages go anywhere again; what bind(2) has not chosen is given back (`__udp_disconnect` in net/ipv4/udp.c).
    pub(super) fn clear_remote(&self) {
        self.remote.set(None);
        if !self.has_own_address.get() {
            self.address.set(self.family.any());
        }
        if !self.has_own_identifier.get() {
            self.release_identifier();
        }
    }

    /// Whether a message that has arrived is for it; of echoes, one with its identifier (`ping_lookup`, `raw_v4_match`).
    /// Only raw sockets mind where it comes from.
    pub(in crate::net) fn wants(&self, packet: &Packet) -> bool {
        let own = self.address.get();
        if own.is_ipv4() != packet.to.is_ipv4() || !own.is_unspecified() && own != packet.to {
            return false;
        }
        match self.r#use {
            Use::Echo => true,
            Use::Raw => {
                let is_from = |remote: SocketAddr| remote.ip() == packet.from;
                self.remote.get().is_none_or(is_from)
                    && packet.bytes.first().is_none_or(|&kind| self.filter.get().passes(kind))
                    && (self.checksum.get() == Checksum::Program || packet.adds_up())
            }
        }
    }

    /// Takes a message in, if there is room.
    pub(in crate::net) fn take_in(&self, machine: &mut Machine, packet: Packet) {
        let (bytes, buffer) = (packet.bytes.len(), self.options.receive_buffer.get().shown());
        if self.inbox.take_in(packet, bytes, buffer) {
            self.queue.wake(Readiness::READABLE, &mut machine.wakes);
        }
    }

    /// The program has closed it.
    pub(super) fn let_go(&self) {
        self.release_identifier();
        self.stack.icmp.show_no_more(self.id);
    }
}
