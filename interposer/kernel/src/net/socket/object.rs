//! What every kind of socket can be asked, and sockets as files.

use alloc::{rc::Rc, vec::Vec};
use core::time::Duration;

use linux_raw_sys::{
    general::S_IFSOCK,
    net::{AF_INET, AF_INET6},
};

use super::{
    icmp::IcmpSocket,
    message::{Caller, MessageFlags, Outgoing, Received},
    netlink::NetlinkSocket,
    options::Options,
    tcp::{Shut, TcpSocket},
    udp::UdpSocket,
    unix::UnixSocket,
};
use crate::{
    error::{Errno, Result},
    file::{FileDescription, FileObject},
    host::HostStat,
    machine::{Env, Machine},
    net::{address::Address, stack::SocketId},
    uapi::icmp::{IPPROTO_ICMP, IPPROTO_ICMPV6},
    user::UserSlice,
    wait::{Readiness, WaitQueue},
};

/// A socket: the closed set of kinds.
#[derive(Clone)]
pub enum Socket {
    /// A stream of the internet protocols.
    Tcp(Rc<TcpSocket>),
    /// Datagrams of the internet protocols.
    Udp(Rc<UdpSocket>),
    /// Echoes, and other messages about the network.
    Icmp(Rc<IcmpSocket>),
    /// A unix socket of any kind.
    Unix(Rc<UnixSocket>),
    /// Questions to the kernel about its network.
    Netlink(Rc<NetlinkSocket>),
}

/// Domain, type and protocol, as socket(2) takes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Kind {
    /// `AF_*`.
    pub domain: u32,
    /// `SOCK_*`.
    pub kind: u32,
    /// `IPPROTO_*`.
    pub protocol: u32,
}

impl Kind {
    /// Whether it is of IPv4 or IPv6.
    #[must_use]
    pub fn is_inet(&self) -> bool {
        self.domain == AF_INET || self.domain == AF_INET6
    }

    /// Whether it is of ICMP or ICMPv6.
    #[must_use]
    pub fn is_icmp(&self) -> bool {
        self.is_inet() && matches!(self.protocol, IPPROTO_ICMP | IPPROTO_ICMPV6)
    }
}

/// What every kind of socket can be asked. What a kind leaves out fails as on Linux for one without it. Nothing here
/// blocks.
#[expect(unused_variables, reason = "defaults ignore what they are asked")]
pub trait SocketObject {
    /// Names it.
    fn id(&self) -> SocketId;
    /// What it was made as.
    fn kind(&self) -> Kind;
    /// Options that all have.
    fn options(&self) -> &Options;
    /// Woken when its readiness changes.
    fn queue(&self) -> &WaitQueue;
    /// What it is ready for.
    fn readiness(&self) -> Readiness;
    /// bind(2).
    fn bind(&self, env: &mut Env<'_>, address: &Address, caller: &Caller) -> Result<()>;
    /// connect(2).
    fn connect(&self, env: &mut Env<'_>, address: &Address, caller: &Caller) -> Result<()>;
    /// getsockname(2).
    fn local(&self) -> Address;
    /// getpeername(2).
    fn remote(&self) -> Result<Address>;
    /// sendmsg(2).
    fn send(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize>;
    /// recvmsg(2), leaving out the first `skip` bytes of a stream.
    fn receive(
        &self,
        env: &mut Env<'_>,
        into: &[UserSlice],
        skip: usize,
        flags: MessageFlags,
    ) -> Result<Received>;
    /// shutdown(2).
    fn shutdown(&self, env: &mut Env<'_>, what: Shut) -> Result<()>;
    /// The program has closed it.
    fn close(&self, env: &mut Env<'_>);
    /// Bytes that can be read at once (`FIONREAD`).
    fn unread(&self) -> Result<usize>;

    /// What keeps it from sending whatever goes along with the bytes.
    ///
    /// # Errors
    /// As sendmsg(2).
    fn check_before_control(&self) -> Result<()> {
        Ok(())
    }
    /// Whether it takes connections.
    fn is_listening(&self) -> bool {
        false
    }
    /// Whether it is a stream of bytes rather than of messages.
    fn is_stream(&self) -> bool {
        false
    }
    /// How long `close` waits for what was sent to arrive; `None` if it need not (`SO_LINGER`).
    fn lingers(&self) -> Option<Duration> {
        None
    }
    /// Whether the next byte to be read is urgent (`SIOCATMARK`).
    fn is_at_mark(&self) -> bool {
        false
    }
    /// Who is at the other end (`SO_PEERCRED`).
    fn peer_credentials(&self) -> Option<Caller> {
        None
    }
    /// Bytes sent and not taken in by the other end (`SIOCOUTQ`).
    fn unsent(&self) -> usize {
        0
    }
    /// Takes a message of the kernel itself; only sockets for talking to it do.
    fn deliver(&self, machine: &mut Machine, message: Vec<u8>) {}
    /// listen(2).
    fn listen(&self, env: &mut Env<'_>, backlog: u32, caller: &Caller) -> Result<()> {
        Err(Errno::EOPNOTSUPP.into())
    }
    /// The address that accept(2) shows of the other end.
    fn accepted_from(&self) -> Result<Address> {
        self.remote()
    }
    /// accept(2).
    fn accept(&self, env: &mut Env<'_>) -> Result<Socket> {
        Err(Errno::EOPNOTSUPP.into())
    }
    /// `SO_KEEPALIVE` has been set.
    fn on_keep_alive(&self, env: &mut Env<'_>) {}
    /// setsockopt(2) beyond `SOL_SOCKET`.
    fn set_option(&self, env: &mut Env<'_>, level: u32, name: u32, value: &[u8]) -> Result<()> {
        Err(Errno::ENOPROTOOPT.into())
    }
    /// getsockopt(2) beyond `SOL_SOCKET`.
    fn option(&self, env: &mut Env<'_>, level: u32, name: u32) -> Result<Vec<u8>> {
        Err(Errno::ENOPROTOOPT.into())
    }
    /// read(2) into memory of the kernel.
    fn receive_bytes(&self, env: &mut Env<'_>, into: &mut [u8]) -> Result<usize> {
        Err(Errno::EINVAL.into())
    }
    /// write(2) from memory of the kernel.
    fn send_bytes(&self, env: &mut Env<'_>, from: &[u8]) -> Result<usize> {
        Err(Errno::EINVAL.into())
    }
}

impl Socket {
    /// The socket as what all of them are.
    #[must_use]
    pub fn as_object(&self) -> &dyn SocketObject {
        match self {
            Self::Tcp(socket) => &**socket,
            Self::Udp(socket) => &**socket,
            Self::Icmp(socket) => &**socket,
            Self::Unix(socket) => &**socket,
            Self::Netlink(socket) => &**socket,
        }
    }
}

impl FileObject for Socket {
    fn read(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        into: &[UserSlice],
    ) -> Result<usize> {
        Ok(self.as_object().receive(env, into, 0, MessageFlags::empty())?.moved)
    }

    fn write(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        from: &[UserSlice],
    ) -> Result<usize> {
        let message = Outgoing::plain(from, env.machine);
        self.as_object().send(env, &message)
    }

    fn read_kernel(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        into: &mut [u8],
    ) -> Result<usize> {
        self.as_object().receive_bytes(env, into)
    }

    fn write_kernel(
        &self,
        env: &mut Env<'_>,
        _file: &FileDescription,
        from: &[u8],
    ) -> Result<usize> {
        self.as_object().send_bytes(env, from)
    }

    fn stat(&self, _env: &mut Env<'_>) -> Result<HostStat> {
        Ok(HostStat {
            dev: SOCKFS_DEVICE,
            ino: self.as_object().id().0,
            mode: S_IFSOCK | 0o777,
            nlink: 1,
            blksize: 4096,
            ..HostStat::default()
        })
    }

    fn readable_bytes(&self, _env: &mut Env<'_>, _file: &FileDescription) -> Result<usize> {
        self.as_object().unread()
    }

    fn readiness(&self) -> Readiness {
        self.as_object().readiness()
    }

    fn queue(&self) -> Option<&WaitQueue> {
        Some(self.as_object().queue())
    }

    fn can_notify(&self) -> bool {
        true
    }

    fn release(&self, env: &mut Env<'_>) {
        self.as_object().close(env);
    }
}

/// Device number of the file system that sockets are on.
const SOCKFS_DEVICE: u64 = 8;
