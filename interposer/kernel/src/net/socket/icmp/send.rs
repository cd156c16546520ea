//! Messages going out.

use core::{net::IpAddr, time::Duration};

use super::{IcmpSocket, Use, socket::Checksum};
use crate::{
    error::{Errno, Error, Result},
    machine::Env,
    net::{
        address::Family,
        host,
        icmp::{HEADER, Packet},
        socket::{
            message::{MessageFlags, Outgoing, PacketChoices},
            tcp::Shut,
        },
    },
    uapi::icmp::{ICMP_ECHO, ICMP_EXT_ECHO, ICMPV6_ECHO_REQUEST, ICMPV6_EXT_ECHO_REQUEST},
    user,
};

/// Most bytes of a message: what is left of 65535 by the header of IPv4.
const MESSAGE_MAX: usize = 65_515;

/// Whether a socket for echoes sends messages that begin so (`ping_supported` in net/ipv4/ping.c).
fn is_supported(family: Family, header: &[u8]) -> bool {
    let supported = match family {
        Family::V4 => [ICMP_ECHO, ICMP_EXT_ECHO],
        Family::V6 => [ICMPV6_ECHO_REQUEST, ICMPV6_EXT_ECHO_REQUEST],
    };
    matches!(header, [kind, 0, ..] if supported.contains(kind))
}

impl IcmpSocket {
    /// sendmsg(2) (`ping_v4_sendmsg` in net/ipv4/ping.c, `raw_sendmsg` in net/ipv4/raw.c).
    pub(super) fn put(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        self.identify(env.machine)?;
        let len = user::total_len(message.data);
        if len > usize::from(u16::MAX) {
            return Err(Errno::EMSGSIZE.into());
        }
        if self.r#use == Use::Echo && len < HEADER {
            return Err(Errno::EINVAL.into());
        }
        if message.flags.contains(MessageFlags::URGENT) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let bytes = user::gather(env.host, message.data, len)?;
        if bytes.len() < len {
            return Err(Errno::EFAULT.into());
        }
        if self.r#use == Use::Echo && !is_supported(self.family, &bytes) {
            return Err(Errno::EINVAL.into());
        }
        let to = self.destination(message)?;
        if self.family == Family::V4 && len > MESSAGE_MAX {
            return Err(Errno::EMSGSIZE.into());
        }
        if self.shut.get().contains(Shut::SEND) {
            return Err(Errno::EPIPE.into());
        }
        self.options.check_error()?;
        let from = message.packet.source.unwrap_or_else(|| self.source_for(to));
        let (service, hops) = self.carried(to, message.packet);
        let mut packet = Packet { from, to, bytes, service, hops, arrived: Duration::ZERO };
        match self.r#use {
            Use::Echo => {
                packet.set_identifier(self.port());
                packet.seal();
            }
            Use::Raw if self.checksum.get() == Checksum::Kernel => packet.seal(),
            Use::Raw => {}
        }
        self.stack.icmp.send(&self.stack, env.machine, packet);
        Ok(len)
    }

    /// Where a message goes.
    fn destination(&self, message: &Outgoing<'_>) -> Result<IpAddr> {
        let to = match message.to {
            Some(address) => self.endpoint(address, Errno::EINVAL)?,
            None => self.remote.get().ok_or(Errno::EDESTADDRREQ)?,
        };
        let to = host::destination(to.ip());
        if matches!(to, IpAddr::V4(v4) if v4.is_broadcast()) && !self.options.broadcast.get() {
            return Err(Errno::EACCES.into());
        }
        if !to.is_multicast() && !self.stack.has_route_to(to) {
            return Err(Error::new(Errno::ENETUNREACH, "no route leaves the simulation"));
        }
        if let Some(source) = message.packet.source
            && (!self.stack.is_local(source) || source.is_ipv4() != to.is_ipv4())
        {
            let errno = if to.is_ipv4() { Errno::ENETUNREACH } else { Errno::EINVAL };
            return Err(Error::new(errno, "the machine has no such address"));
        }
        Ok(to)
    }

    fn source_for(&self, to: IpAddr) -> IpAddr {
        let own = self.address.get();
        if own.is_unspecified() || own.is_multicast() { self.stack.source_for(to) } else { own }
    }

    /// Type of service and time to live, or traffic class and hop limit.
    fn carried(&self, to: IpAddr, asked: PacketChoices) -> (u32, u32) {
        match to {
            IpAddr::V4(_) => (
                asked.type_of_service.unwrap_or(self.ip.type_of_service.get()),
                asked.time_to_live.unwrap_or(self.ip.time_to_live.get()),
            ),
            IpAddr::V6(_) => (
                asked.traffic_class.unwrap_or(self.ip.traffic_class.get()),
                asked.hops.unwrap_or(self.ip.hops.get() as u32),
            ),
        }
    }
}
