//! UDP as a kind of socket.

use alloc::vec::Vec;
use core::net::SocketAddr;

use linux_raw_sys::net as raw;

use super::socket::{Datagram, UdpSocket};
use crate::{
    error::{Errno, Result},
    machine::Env,
    net::{
        address::{Address, Family},
        socket::{
            arrival::Arrival,
            inbox::receive_nothing,
            message::{Caller, Control, MessageFlags, Outgoing, Received},
            object::{Kind, SocketObject},
            option_value::{Value, read_flag},
            options::Options,
            tcp::{Shut, bound_endpoint, endpoint},
        },
        stack::{OnlyV6, SocketId},
    },
    uapi::udp::UDP_CORK,
    user::{self, UserSlice},
    wait::{Readiness, WaitQueue},
};

impl UdpSocket {
    pub(super) fn endpoint(&self, address: &Address) -> Result<SocketAddr> {
        match (self.family, address) {
            // As Linux: a socket of IPv6 speaks to addresses of IPv4 too (udpv6_sendmsg).
            (Family::V6, Address::Inet(v4 @ SocketAddr::V4(_)))
                if self.only_v6.get() == OnlyV6::No =>
            {
                Ok(*v4)
            }
            _ => endpoint(self.family, self.only_v6.get(), address),
        }
    }

    /// The ancillary data that the program has asked for.
    fn control(&self, datagram: &Datagram) -> Vec<Control> {
        let Datagram { service, hops, .. } = *datagram;
        let arrival = Arrival { to: datagram.to.ip(), service, hops, at: datagram.arrived };
        let asked = (self.options.timestamp.get(), &self.ip);
        arrival.control(asked, self.family, self.stack.address)
    }
}

impl SocketObject for UdpSocket {
    fn id(&self) -> SocketId {
        self.id
    }

    fn kind(&self) -> Kind {
        let protocol = self.protocol.number();
        Kind { domain: self.family.number(), kind: raw::SOCK_DGRAM, protocol }
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

    fn bind(&self, env: &mut Env<'_>, address: &Address, caller: &Caller) -> Result<()> {
        let local = bound_endpoint(self.family, self.only_v6.get(), address)?;
        self.take_address(env.machine, local, caller.uid)
    }

    fn connect(&self, env: &mut Env<'_>, address: &Address, caller: &Caller) -> Result<()> {
        if *address == Address::Unspecified {
            self.clear_remote();
            return Ok(());
        }
        let remote = self.endpoint(address)?;
        self.set_remote(env.machine, remote, caller.uid)
    }

    fn local(&self) -> Address {
        Address::Inet(self.local_end())
    }

    fn remote(&self) -> Result<Address> {
        let remote = self.remote.get().ok_or(Errno::ENOTCONN)?;
        Ok(Address::Inet(self.family.show(remote)))
    }

    fn send(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        if message.flags.contains(MessageFlags::URGENT) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        self.put(env, message)
    }

    fn receive(
        &self,
        env: &mut Env<'_>,
        into: &[UserSlice],
        _skip: usize,
        flags: MessageFlags,
    ) -> Result<Received> {
        if flags.contains(MessageFlags::ERROR_QUEUE) {
            return Err(Errno::EAGAIN.into());
        }
        let Some(datagram) = self.inbox.front() else {
            return receive_nothing(&self.options, self.shut.get());
        };
        let full = datagram.bytes.len();
        let moved =
            user::scatter(env.host, into, &datagram.bytes[..full.min(user::total_len(into))])?;
        let control = self.control(&datagram);
        let from = Some(Address::Inet(self.family.show(datagram.from)));
        let mut shown = MessageFlags::empty();
        shown.set(MessageFlags::TRUNCATED, full > moved);
        drop(datagram);
        if !flags.contains(MessageFlags::PEEK) {
            self.inbox.pop();
        }
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

    fn unread(&self) -> Result<usize> {
        Ok(self.inbox.front().map_or(0, |datagram| datagram.bytes.len()))
    }

    fn set_option(&self, env: &mut Env<'_>, level: u32, name: u32, value: &[u8]) -> Result<()> {
        match (level, name) {
            (raw::SOL_IP, raw::IP_ADD_MEMBERSHIP | raw::IP_DROP_MEMBERSHIP) => Ok(()),
            (raw::SOL_IP, _) => self.ip.set(name, value),
            (raw::SOL_IPV6, raw::IPV6_V6ONLY) if self.family == Family::V6 => {
                if self.is_bound() {
                    return Err(Errno::EINVAL.into());
                }
                self.only_v6.set(if read_flag(value)? { OnlyV6::Yes } else { OnlyV6::No });
                Ok(())
            }
            (raw::SOL_IPV6, _) if self.family == Family::V6 => self.ip.set_v6(name, value),
            (raw::SOL_UDP | raw::SOL_UDPLITE, _) => {
                self.udp.set(self.protocol, name, value)?;
                let pulls_cork = name == UDP_CORK && !self.udp.corked.get();
                if pulls_cork { self.uncork(env.machine) } else { Ok(()) }
            }
            _ => Err(Errno::ENOPROTOOPT.into()),
        }
    }

    fn option(&self, _env: &mut Env<'_>, level: u32, name: u32) -> Result<Vec<u8>> {
        match (level, name) {
            (raw::SOL_IP, _) => self.ip.get(name),
            (raw::SOL_IPV6, raw::IPV6_V6ONLY) if self.family == Family::V6 => {
                Ok((self.only_v6.get() == OnlyV6::Yes).value())
            }
            (raw::SOL_IPV6, _) if self.family == Family::V6 => self.ip.get_v6(name),
            (raw::SOL_UDP | raw::SOL_UDPLITE, _) => self.udp.get(name),
            // What IPv4 says of a level that it has not (`do_ip_getsockopt`).
            _ if self.family == Family::V4 => Err(Errno::EOPNOTSUPP.into()),
            _ => Err(Errno::ENOPROTOOPT.into()),
        }
    }
}
