//! TCP as a kind of socket.

use alloc::{format, vec::Vec};
use core::{net::SocketAddr, time::Duration};

use linux_raw_sys::net as raw;
use simrun_abi::event::What;

use super::{Shut, TcpSocket, Urgency, bind::Binding, transfer::Taking};
use crate::{
    error::{Errno, Result},
    machine::Env,
    net::{
        address::{Address, Family},
        socket::{
            message::{Caller, MessageFlags, Outgoing, Received},
            object::{Kind, Socket, SocketObject},
            options::{Linger, Options},
        },
        stack::{OnlyV6, SocketId},
    },
    user::UserSlice,
    wait::{Readiness, WaitQueue},
};

const IPPROTO_TCP: u32 = 6;

/// The endpoint that an address means to a socket of this family.
///
/// # Errors
/// `EAFNOSUPPORT`, `EINVAL`, `ENETUNREACH`.
pub fn endpoint(family: Family, only_v6: OnlyV6, address: &Address) -> Result<SocketAddr> {
    match (family, address) {
        (Family::V4, Address::Inet(v4 @ SocketAddr::V4(_))) => Ok(*v4),
        (Family::V6, Address::Inet(v6 @ SocketAddr::V6(_))) => Ok(*v6),
        (Family::V6, Address::Mapped(v4)) if only_v6 == OnlyV6::No => Ok(SocketAddr::V4(*v4)),
        (Family::V6, Address::Mapped(_)) => Err(Errno::ENETUNREACH.into()),
        (Family::V6, Address::Inet(_)) if only_v6 == OnlyV6::Yes => Err(Errno::EINVAL.into()),
        _ => Err(Errno::EAFNOSUPPORT.into()),
    }
}

/// The address that bind(2) means to a socket of this family.
///
/// # Errors
/// `EAFNOSUPPORT`, `EINVAL`.
pub fn bound_endpoint(family: Family, only_v6: OnlyV6, address: &Address) -> Result<SocketAddr> {
    match endpoint(family, only_v6, address) {
        Err(error) if error.errno == Errno::ENETUNREACH => Err(Errno::EINVAL.into()),
        other => other,
    }
}

impl SocketObject for TcpSocket {
    fn id(&self) -> SocketId {
        self.id
    }

    fn kind(&self) -> Kind {
        Kind { domain: self.family.number(), kind: raw::SOCK_STREAM, protocol: IPPROTO_TCP }
    }

    fn options(&self) -> &Options {
        &self.options
    }

    fn queue(&self) -> &WaitQueue {
        &self.queue
    }

    fn readiness(&self) -> Readiness {
        self.poll()
    }

    fn bind(&self, env: &mut Env<'_>, address: &Address, caller: &Caller) -> Result<()> {
        let local = bound_endpoint(self.family, self.only_v6.get(), address)?;
        let only_v6 = self.only_v6.get();
        self.take_address(env.machine, Binding { local, only_v6, uid: caller.uid })
    }

    fn connect(&self, env: &mut Env<'_>, address: &Address, caller: &Caller) -> Result<()> {
        if *address == Address::Unspecified {
            self.disconnect(env.machine);
            return Ok(());
        }
        let remote = endpoint(self.family, self.only_v6.get(), address)?;
        let result = self.ask_for(env.machine, remote, caller.uid);
        match result {
            Err(error) if error.errno == Errno::EINPROGRESS => {
                let text = match self.ends() {
                    Some((local, remote)) => format!("tcp {local} connects to {remote}"),
                    None => format!("tcp connects to {remote}"),
                };
                env.machine.record(env.host, What::Message { text });
            }
            _ => {}
        }
        result
    }

    fn local(&self) -> Address {
        Address::Inet(self.local_end())
    }

    fn remote(&self) -> Result<Address> {
        self.remote_end().map(Address::Inet)
    }

    /// Also of a connection that is over already (`inet_getname` in net/ipv4/af_inet.c, asked by accept).
    fn accepted_from(&self) -> Result<Address> {
        let (_, remote) = self.ends().ok_or(Errno::ECONNABORTED)?;
        Ok(Address::Inet(self.family.show(remote)))
    }

    fn send(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        let urgent = message.flags.contains(MessageFlags::URGENT);
        let urgency = if urgent { Urgency::Urgent } else { Urgency::Normal };
        self.write(env, message.data, urgency)
    }

    fn receive(
        &self,
        env: &mut Env<'_>,
        into: &[UserSlice],
        skip: usize,
        flags: MessageFlags,
    ) -> Result<Received> {
        if flags.contains(MessageFlags::ERROR_QUEUE) {
            return Err(Errno::EAGAIN.into());
        }
        if flags.contains(MessageFlags::URGENT) {
            return self.read_urgent(env, into, flags);
        }
        let taking = if flags.contains(MessageFlags::PEEK) {
            Taking::Peek
        } else if flags.contains(MessageFlags::TRUNCATED) {
            Taking::Discard
        } else {
            Taking::Consume
        };
        let moved = self.read(env, into, skip, taking)?;
        Ok(Received { moved, full: moved, ..Received::default() })
    }

    fn shutdown(&self, env: &mut Env<'_>, what: Shut) -> Result<()> {
        self.shut_down(env.machine, what)
    }

    fn close(&self, env: &mut Env<'_>) {
        self.let_go(env.machine);
    }

    fn unread(&self) -> Result<usize> {
        if self.is_listening() { Err(Errno::EINVAL.into()) } else { Ok(self.readable_at_once()) }
    }

    fn is_listening(&self) -> bool {
        self.takes_connections()
    }

    fn is_stream(&self) -> bool {
        true
    }

    fn lingers(&self) -> Option<Duration> {
        match self.options.linger.get() {
            Linger::Seconds(seconds @ 1..) if self.has_under_way() => {
                Some(Duration::from_secs(seconds.into()))
            }
            _ => None,
        }
    }

    fn is_at_mark(&self) -> bool {
        self.is_before_urgent()
    }

    fn unsent(&self) -> usize {
        self.unacknowledged()
    }

    fn listen(&self, env: &mut Env<'_>, backlog: u32, caller: &Caller) -> Result<()> {
        self.begin_listening(env.machine, backlog, caller.uid)
    }

    fn accept(&self, _env: &mut Env<'_>) -> Result<Socket> {
        self.next_connection().map(Socket::Tcp)
    }

    fn on_keep_alive(&self, env: &mut Env<'_>) {
        self.ask_anew(env.machine);
    }

    fn set_option(&self, env: &mut Env<'_>, level: u32, name: u32, value: &[u8]) -> Result<()> {
        self.set(env, level, name, value)
    }

    fn option(&self, env: &mut Env<'_>, level: u32, name: u32) -> Result<Vec<u8>> {
        self.get(env, level, name)
    }

    fn receive_bytes(&self, env: &mut Env<'_>, into: &mut [u8]) -> Result<usize> {
        self.read_bytes(env.machine, into)
    }

    fn send_bytes(&self, env: &mut Env<'_>, from: &[u8]) -> Result<usize> {
        self.write_bytes(env.machine, from)
    }
}
