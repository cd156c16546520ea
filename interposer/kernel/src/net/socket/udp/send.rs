//! Datagrams going out.

use alloc::{format, vec::Vec};
use core::{
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    options::Protocol,
    socket::{Datagram, UdpSocket},
};
use crate::{
    error::{Errno, Error, Result},
    machine::{Env, Machine},
    net::{
        dns, host,
        link::{self, Parcel, Path},
        socket::{
            message::{Caller, MessageFlags, Outgoing, PacketChoices},
            tcp::Shut,
        },
    },
    user,
};

/// Most bytes of a datagram: what is left of 65535 by the headers of IPv4 and UDP.
const DATAGRAM_MAX: usize = 65_507;
/// The same with IPv6, which counts its own header apart.
const DATAGRAM_MAX_V6: usize = 65_527;
/// Most datagrams that a message is cut into (`UDP_MAX_SEGMENTS`).
const SEGMENTS_MAX: usize = 128;

/// How many links a socket remembers faults of.
const WIRES_MAX: usize = 1024;

/// A datagram that is being gathered (`MSG_MORE`, `UDP_CORK`): its first message says where it goes and how.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    to: SocketAddr,
    packet: PacketChoices,
    bytes: Vec<u8>,
}

impl UdpSocket {
    /// sendmsg(2).
    pub(super) fn put(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        let len = user::total_len(message.data);
        if len > usize::from(u16::MAX) {
            return Err(Errno::EMSGSIZE.into());
        }
        if self.shut.get().contains(Shut::SEND) {
            return Err(Errno::EPIPE.into());
        }
        self.options.check_error()?;
        let gathered = self.draft.take();
        let mut draft = match gathered {
            Some(draft) => draft,
            None => self.begin(env, message)?,
        };
        let longest = if draft.to.is_ipv4() { DATAGRAM_MAX } else { DATAGRAM_MAX_V6 };
        if draft.bytes.len() + len > longest {
            return Err(Errno::EMSGSIZE.into());
        }
        let bytes = user::gather(env.host, message.data, len)?;
        if bytes.len() < len {
            return Err(Errno::EFAULT.into());
        }
        draft.bytes.extend_from_slice(&bytes);
        if message.flags.contains(MessageFlags::MORE) || self.udp.corked.get() {
            self.draft.replace(Some(draft));
            return Ok(len);
        }
        if draft.to == dns::SERVER {
            self.report_foreign_name(env, &draft.bytes, message.caller);
        }
        self.finish(env.machine, draft)?;
        Ok(len)
    }

    /// Sends what was gathered, as the program has pulled the cork out.
    pub(super) fn uncork(&self, machine: &mut Machine) -> Result<()> {
        self.draft.take().map_or(Ok(()), |draft| self.finish(machine, draft))
    }

    /// The start of a datagram: looks where it goes.
    fn begin(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<Draft> {
        let to = match message.to {
            Some(address) => self.endpoint(address)?,
            None => self.remote.get().ok_or(Errno::EDESTADDRREQ)?,
        };
        if to.port() == 0 {
            return Err(Errno::EINVAL.into());
        }
        let to = SocketAddr::new(host::destination(to.ip()), to.port());
        if matches!(to.ip(), IpAddr::V4(v4) if v4.is_broadcast()) && !self.options.broadcast.get() {
            return Err(Errno::EACCES.into());
        }
        if !to.ip().is_multicast() && !self.stack.has_route_to(to.ip()) {
            return Err(Error::new(Errno::ENETUNREACH, "no route leaves the simulation"));
        }
        if let Some(source) = message.packet.source
            && !self.stack.is_local(source)
        {
            let errno = if source.is_ipv4() { Errno::ENETUNREACH } else { Errno::EINVAL };
            return Err(Error::new(errno, "the machine has no such address"));
        }
        self.bind_any(env.machine, message.caller.uid)?;
        Ok(Draft { to, packet: message.packet, bytes: Vec::new() })
    }

    /// Sends a datagram, or the several that it is cut into (`udp_send_skb` in net/ipv4/udp.c).
    fn finish(&self, machine: &mut Machine, draft: Draft) -> Result<()> {
        let Draft { to, packet, bytes } = draft;
        let segment = usize::from(packet.segment.unwrap_or(self.udp.segment.get()));
        if segment == 0 {
            self.send_on_way(machine, to, bytes, packet);
            return Ok(());
        }
        if bytes.len() > segment * SEGMENTS_MAX {
            return Err(Errno::EINVAL.into());
        }
        if self.protocol == Protocol::Lite {
            return Err(Errno::EIO.into());
        }
        if bytes.is_empty() {
            self.send_on_way(machine, to, bytes, packet);
            return Ok(());
        }
        for piece in bytes.chunks(segment) {
            self.send_on_way(machine, to, piece.to_vec(), packet);
        }
        Ok(())
    }

    fn send_on_way(
        &self,
        machine: &mut Machine,
        to: SocketAddr,
        bytes: Vec<u8>,
        packet: PacketChoices,
    ) {
        let Some(local) = self.bound_to() else { return };
        let own =
            if local.ip().is_unspecified() { self.stack.source_for(to.ip()) } else { local.ip() };
        let from = SocketAddr::new(packet.source.unwrap_or(own), local.port());
        let is_group = to.ip().is_multicast();
        let (service, hops) = match to {
            SocketAddr::V4(_) => (
                packet.type_of_service.unwrap_or(self.ip.type_of_service.get()),
                packet.time_to_live.unwrap_or(if is_group {
                    self.ip.multicast_ttl.get()
                } else {
                    self.ip.time_to_live.get()
                }),
            ),
            SocketAddr::V6(_) => (
                packet.traffic_class.unwrap_or(self.ip.traffic_class.get()),
                packet.hops.unwrap_or(if is_group {
                    self.ip.multicast_ttl.get()
                } else {
                    self.ip.hops.get() as u32
                }),
            ),
        };
        let protocol = self.protocol;
        let coverage = self.udp.partial_coverage(bytes.len());
        let arrived = Duration::ZERO;
        let datagram = Datagram { protocol, from, to, bytes, service, hops, coverage, arrived };
        let path = self.path_to(machine, from, to);
        for datagram in self.meet_tampering(machine, &path, datagram) {
            let parcel = Parcel::Datagram { datagram, sender: self.this.clone() };
            self.order.deliver((&self.stack, machine), &path, to, parcel);
        }
    }

    /// The way of a datagram. What faults there are for a link is found out once, as for a connection.
    fn path_to(&self, machine: &mut Machine, from: SocketAddr, to: SocketAddr) -> Path {
        let known = self.wires.borrow().get(&(from, to)).cloned();
        if let Some(wire) = known {
            return Path { from: from.ip(), to: to.ip(), wire };
        }
        let path = Path::of_datagram(&self.stack, machine, &self.program(), from, to);
        if machine.faults.is_some() {
            let mut wires = self.wires.borrow_mut();
            if wires.len() == WIRES_MAX {
                wires.clear();
            }
            wires.insert((from, to), path.wire.clone());
        }
        path
    }

    /// What somebody in the middle makes of a datagram, if there is one.
    fn meet_tampering(
        &self,
        machine: &mut Machine,
        path: &Path,
        datagram: Datagram,
    ) -> Vec<Datagram> {
        let tampered = path.wire.as_ref().filter(|(wire, _)| wire.is_tampered());
        let Some((wire, way)) = tampered else { return Vec::from([datagram]) };
        let tampers = link::tamper(machine, wire, *way);
        let mut messages = self.messages.borrow_mut();
        let all = messages.tampered(&datagram.bytes, &tampers);
        messages.keep(&datagram.bytes);
        all.into_iter().map(|bytes| Datagram { bytes, ..datagram.clone() }).collect()
    }

    /// Says so if a program asks for a name that only the world outside knows.
    fn report_foreign_name(&self, env: &mut Env<'_>, query: &[u8], caller: Caller) {
        let Some(query) = dns::Query::read(query) else { return };
        if query.is_known(&self.stack.network()) {
            return;
        }
        let (what, who) = (format!("name {}", query.name), format!("process {}", caller.pid));
        let effect = "it is outside the simulation and has no address";
        env.machine.escape(env.host, &what, &who, effect);
    }
}
