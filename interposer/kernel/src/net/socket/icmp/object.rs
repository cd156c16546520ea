//! ICMP as a kind of socket.

use alloc::vec::Vec;
use core::net::SocketAddr;

use linux_raw_sys::net as raw;

use super::{IcmpSocket, Use, socket::Checksum};
use crate::{
    error::{Errno, Error, Result},
    machine::Env,
    net::{
        address::{Address, Family},
        socket::{
            arrival::Arrival,
            inbox::receive_nothing,
            message::{Caller, MessageFlags, Outgoing, Received},
            object::{Kind, SocketObject},
            option_value::{Value, read_flag, read_int},
            options::Options,
            tcp::Shut,
        },
        stack::{OnlyV6, SocketId},
    },
    uapi::icmp::{ICMP_FILTER, ICMPV6_FILTER, IPPROTO_ICMPV6, IPV6_CHECKSUM},
    user::{self, UserSlice},
    wait::{Readiness, WaitQueue},
};

/// Where the checksum of ICMPv6 is.
const CHECKSUM_OFFSET: i32 = 2;

impl IcmpSocket {
    /// Whether a raw socket is asked who makes the checksum (`do_rawv6_setsockopt` in net/ipv6/raw.c).
    fn is_checksum(&self, level: u32, name: u32) -> bool {
        let is_raw = self.r#use == Use::Raw && self.family == Family::V6;
        is_raw && (level, name) == (raw::SOL_RAW, IPV6_CHECKSUM)
    }

    fn set_checksum(&self, offset: i32) -> Result<()> {
        self.checksum.set(match offset {
            ..0 => Checksum::Program,
            CHECKSUM_OFFSET => Checksum::Kernel,
            _ => return Err(Error::new(Errno::EINVAL, "the checksum of ICMPv6 is elsewhere")),
        });
        Ok(())
    }

    /// Whether an option is this socket's filter.
    fn is_filter(&self, level: u32, name: u32) -> bool {
        let filter = match self.family {
            Family::V4 => (raw::SOL_RAW, ICMP_FILTER),
            Family::V6 => (IPPROTO_ICMPV6, ICMPV6_FILTER),
        };
        self.r#use == Use::Raw && (level, name) == filter
    }
}

impl SocketObject for IcmpSocket {
    fn id(&self) -> SocketId {
        self.id
    }

    fn kind(&self) -> Kind {
        let kind = match self.r#use {
            Use::Echo => raw::SOCK_DGRAM,
            Use::Raw => raw::SOCK_RAW,
        };
        Kind { domain: self.family.number(), kind, protocol: self.protocol() }
    }

    fn options(&self) -> &Options {
        &self.options
    }

    fn queue(&self) -> &WaitQueue {
        &self.queue
    }

    fn readiness(&self) -> Readiness {
        self.inbox.readiness(&self.options, self.shut.get())
    }

    fn bind(&self, env: &mut Env<'_>, address: &Address, _caller: &Caller) -> Result<()> {
        let wanted = self.endpoint(address, Errno::EINVAL)?;
        self.take_address(env.machine, wanted)
    }

    fn connect(&self, env: &mut Env<'_>, address: &Address, _caller: &Caller) -> Result<()> {
        if *address == Address::Unspecified {
            self.clear_remote();
            return Ok(());
        }
        let remote = self.endpoint(address, Errno::ENETUNREACH)?;
        self.set_remote(env.machine, remote)
    }

    fn local(&self) -> Address {
        Address::Inet(SocketAddr::new(self.address.get(), self.port()))
    }

    /// An end without a port counts as none (`inet_getname` in net/ipv4/af_inet.c).
    fn remote(&self) -> Result<Address> {
        let remote = self.remote.get().filter(|remote| remote.port() != 0);
        Ok(Address::Inet(remote.ok_or(Errno::ENOTCONN)?))
    }

    fn send(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        self.put(env, message)
    }

    fn receive(
        &self,
        env: &mut Env<'_>,
        into: &[UserSlice],
        _skip: usize,
        flags: MessageFlags,
    ) -> Result<Received> {
        if flags.contains(MessageFlags::URGENT) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if flags.contains(MessageFlags::ERROR_QUEUE) {
            return Err(Errno::EAGAIN.into());
        }
        let Some(packet) = self.inbox.front() else {
            return receive_nothing(&self.options, self.shut.get());
        };
        let header = packet.ip_header().filter(|_| self.r#use == Use::Raw);
        let bytes = [header.as_ref().map_or(&[][..], |header| header), &packet.bytes].concat();
        let moved =
            user::scatter(env.host, into, &bytes[..bytes.len().min(user::total_len(into))])?;
        let arrival = Arrival {
            to: packet.to,
            service: packet.service,
            hops: packet.hops,
            at: packet.arrived,
        };
        let asked = (self.options.timestamp.get(), &self.ip);
        let control = arrival.control(asked, self.family, self.stack.address);
        let from = Some(Address::Inet(SocketAddr::new(packet.from, 0)));
        let mut shown = MessageFlags::empty();
        shown.set(MessageFlags::TRUNCATED, bytes.len() > moved);
        drop(packet);
        if !flags.contains(MessageFlags::PEEK) {
            self.inbox.pop();
        }
        // Only of a raw socket `MSG_TRUNC` tells how long the message was (`ping_recvmsg`, `raw_recvmsg`).
        let full = if self.r#use == Use::Raw { bytes.len() } else { moved };
        Ok(Received { moved, full, flags: shown, from, control })
    }

    fn shutdown(&self, env: &mut Env<'_>, what: Shut) -> Result<()> {
        self.shut.set(self.shut.get() | what);
        self.queue.wake(Readiness::all(), &mut env.machine.wakes);
        if self.remote.get().is_some() { Ok(()) } else { Err(Errno::ENOTCONN.into()) }
    }

    fn close(&self, _env: &mut Env<'_>) {
        self.let_go();
    }

    /// A socket for echoes has no ioctl(2) of its own (`ping_prot` in net/ipv4/ping.c).
    fn unread(&self) -> Result<usize> {
        if self.r#use == Use::Echo {
            return Err(Errno::ENOTTY.into());
        }
        Ok(self.inbox.front().map_or(0, |packet| {
            packet.ip_header().map_or(0, |header| header.len()) + packet.bytes.len()
        }))
    }

    fn set_option(&self, _env: &mut Env<'_>, level: u32, name: u32, value: &[u8]) -> Result<()> {
        match (level, name) {
            _ if self.is_filter(level, name) => {
                let mut filter = self.filter.get();
                filter.set(self.family, value);
                self.filter.set(filter);
                Ok(())
            }
            (raw::SOL_IPV6, IPV6_CHECKSUM) => Err(Errno::EINVAL.into()),
            _ if self.is_checksum(level, name) => self.set_checksum(read_int(value)?),
            (raw::SOL_IP, _) if self.family == Family::V4 || self.r#use == Use::Echo => {
                self.ip.set(name, value)
            }
            (raw::SOL_IPV6, raw::IPV6_V6ONLY) if self.family == Family::V6 => {
                if self.is_bound() {
                    return Err(Errno::EINVAL.into());
                }
                self.only_v6.set(if read_flag(value)? { OnlyV6::Yes } else { OnlyV6::No });
                Ok(())
            }
            (raw::SOL_IPV6, _) if self.family == Family::V6 => self.ip.set_v6(name, value),
            _ => Err(Errno::ENOPROTOOPT.into()),
        }
    }

    fn option(&self, _env: &mut Env<'_>, level: u32, name: u32) -> Result<Vec<u8>> {
        match (level, name) {
            _ if self.is_filter(level, name) => Ok(self.filter.get().get(self.family)),
            _ if self.is_checksum(level, name) => Ok(match self.checksum.get() {
                Checksum::Kernel => (CHECKSUM_OFFSET as u32).value(),
                Checksum::Program => u32::MAX.value(),
            }),
            (raw::SOL_IP, _) => self.ip.get(name),
            (raw::SOL_IPV6, raw::IPV6_V6ONLY) if self.family == Family::V6 => {
                Ok((self.only_v6.get() == OnlyV6::Yes).value())
            }
            (raw::SOL_IPV6, _) if self.family == Family::V6 => self.ip.get_v6(name),
            // What IPv4 says of a level that it has not (`do_ip_getsockopt`).
            _ if self.family == Family::V4 => Err(Errno::EOPNOTSUPP.into()),
            _ => Err(Errno::ENOPROTOOPT.into()),
        }
    }
}
