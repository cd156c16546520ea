//! Unix sockets as a kind of socket.

use linux_raw_sys::net as raw;

use super::socket::{State, UnixKind, UnixSocket};
use crate::{
    error::{Errno, Result},
    machine::Env,
    net::{
        address::Address,
        socket::{
            message::{Caller, MessageFlags, Outgoing, Received},
            object::{Kind, Socket, SocketObject},
            options::Options,
            tcp::Shut,
        },
        stack::SocketId,
    },
    user::UserSlice,
    wait::{Readiness, WaitQueue},
};

impl SocketObject for UnixSocket {
    fn id(&self) -> SocketId {
        self.id
    }

    fn kind(&self) -> Kind {
        let kind = match self.unix_kind {
            UnixKind::Stream => raw::SOCK_STREAM,
            UnixKind::Datagram => raw::SOCK_DGRAM,
            UnixKind::SeqPacket => raw::SOCK_SEQPACKET,
        };
        Kind { domain: raw::AF_UNIX, kind, protocol: 0 }
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

    /// `unix_seqpacket_sendmsg`, which comes before `scm_send`.
    fn check_before_control(&self) -> Result<()> {
        if self.unix_kind == UnixKind::SeqPacket { self.check_packets() } else { Ok(()) }
    }

    fn bind(&self, env: &mut Env<'_>, address: &Address, _caller: &Caller) -> Result<()> {
        match address {
            Address::Unix(name) => self.take_name(env.machine, name.as_ref()),
            _ => Err(Errno::EINVAL.into()),
        }
    }

    fn connect(&self, env: &mut Env<'_>, address: &Address, caller: &Caller) -> Result<()> {
        match address {
            Address::Unix(Some(name)) => self.connect_to(env, name, *caller),
            Address::Unspecified if !self.unix_kind.is_connected() => {
                self.disconnect(env);
                Ok(())
            }
            _ => Err(Errno::EINVAL.into()),
        }
    }

    fn local(&self) -> Address {
        Address::Unix(self.name.borrow().clone())
    }

    fn remote(&self) -> Result<Address> {
        match &*self.state.borrow() {
            State::Connected { peer } => {
                Ok(Address::Unix(peer.upgrade().and_then(|peer| peer.name.borrow().clone())))
            }
            _ => Err(Errno::ENOTCONN.into()),
        }
    }

    fn peer_credentials(&self) -> Option<Caller> {
        self.peer_credentials.get()
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
        skip: usize,
        flags: MessageFlags,
    ) -> Result<Received> {
        if flags.contains(MessageFlags::URGENT) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        self.take(env, into, skip, flags)
    }

    fn shutdown(&self, env: &mut Env<'_>, what: Shut) -> Result<()> {
        self.shut_down(env.machine, what);
        Ok(())
    }

    fn close(&self, env: &mut Env<'_>) {
        self.let_go(env);
    }

    fn unread(&self) -> Result<usize> {
        if self.is_listening() { Err(Errno::EINVAL.into()) } else { Ok(self.waiting()) }
    }

    fn is_listening(&self) -> bool {
        matches!(*self.state.borrow(), State::Listening { .. })
    }

    fn is_stream(&self) -> bool {
        self.unix_kind == UnixKind::Stream
    }

    fn unsent(&self) -> usize {
        self.sent.get()
    }

    fn listen(&self, env: &mut Env<'_>, backlog: u32, caller: &Caller) -> Result<()> {
        self.begin_listening(env.machine, backlog, *caller)
    }

    fn accept(&self, env: &mut Env<'_>) -> Result<Socket> {
        self.next_connection(env.machine).map(Socket::Unix)
    }

    fn set_option(&self, _: &mut Env<'_>, _level: u32, _name: u32, _value: &[u8]) -> Result<()> {
        Err(Errno::EOPNOTSUPP.into())
    }

    fn option(&self, _env: &mut Env<'_>, _level: u32, _name: u32) -> Result<alloc::vec::Vec<u8>> {
        Err(Errno::EOPNOTSUPP.into())
    }

    fn receive_bytes(&self, env: &mut Env<'_>, into: &mut [u8]) -> Result<usize> {
        if self.is_stream() { self.take_bytes(env, into) } else { Err(Errno::EINVAL.into()) }
    }

    fn send_bytes(&self, env: &mut Env<'_>, from: &[u8]) -> Result<usize> {
        if self.is_stream() { self.put_bytes(env, from) } else { Err(Errno::EINVAL.into()) }
    }
}
