//! Making sockets, naming them, connecting them.

use alloc::format;
use core::net::SocketAddr;

use linux_raw_sys::{general, net as raw};

use super::{Open, Patience, caller, read_address, unix_path, wait, write_address};
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{File, FileDescription, OpenFlags},
    fs::views,
    net::{
        Socket,
        address::{Address, Family},
        socket::{
            icmp::{IcmpSocket, Use},
            netlink::{NetlinkSocket, Subject},
            tcp::{Shut, TcpSocket},
            udp::{Protocol, UdpSocket},
            unix::{UnixKind, UnixSocket},
        },
    },
    outcome::Outcome,
    process::Capabilities,
    uapi::icmp::{IPPROTO_ICMP, IPPROTO_ICMPV6},
    user::UserPtr,
};

/// `SOCK_NONBLOCK` and `SOCK_CLOEXEC`: the same bits as in open(2).
const FLAGS: u32 = general::O_NONBLOCK | general::O_CLOEXEC;
const SOCK_TYPE_MASK: u32 = 0xf;
const IPPROTO_TCP: u32 = 6;
const IPPROTO_UDP: u32 = 17;
const IPPROTO_UDPLITE: u32 = 136;

/// Splits a type argument into the type and flags.
fn split_flags(argument: u64) -> Result<(u32, OpenFlags)> {
    let argument = argument as u32;
    let (kind, flags) = (argument & SOCK_TYPE_MASK, argument & !SOCK_TYPE_MASK);
    if flags & !FLAGS != 0 {
        return Err(Errno::EINVAL.into());
    }
    Ok((kind, OpenFlags::from_bits_retain(flags)))
}

fn make_socket(cx: &mut Context<'_>, domain: u32, kind: u32, protocol: u32) -> Result<Socket> {
    match domain {
        raw::AF_INET => make_inet_socket(cx, Family::V4, kind, protocol),
        raw::AF_INET6 => make_inet_socket(cx, Family::V6, kind, protocol),
        raw::AF_UNIX => {
            let kind = unix_kind(kind)?;
            if protocol != 0 && protocol != raw::AF_UNIX {
                return Err(Errno::EPROTONOSUPPORT.into());
            }
            Ok(Socket::Unix(UnixSocket::new(&cx.kernel.net, kind)))
        }
        raw::AF_NETLINK => {
            if !matches!(kind, raw::SOCK_RAW | raw::SOCK_DGRAM) {
                return Err(Errno::ESOCKTNOSUPPORT.into());
            }
            let subject = Subject::of(protocol).ok_or(Errno::EPROTONOSUPPORT)?;
            Ok(Socket::Netlink(NetlinkSocket::new(&cx.kernel.net, subject, kind)))
        }
        raw::AF_PACKET => Err(Errno::EPERM.into()),
        _ => Err(Errno::EAFNOSUPPORT.into()),
    }
}

fn make_inet_socket(
    cx: &mut Context<'_>,
    family: Family,
    kind: u32,
    protocol: u32,
) -> Result<Socket> {
    let stack = &cx.kernel.net;
    let icmp = match family {
        Family::V4 => IPPROTO_ICMP,
        Family::V6 => IPPROTO_ICMPV6,
    };
    match (kind, protocol) {
        (raw::SOCK_STREAM, 0 | IPPROTO_TCP) => Ok(Socket::Tcp(TcpSocket::new(stack, family))),
        (raw::SOCK_DGRAM, 0 | IPPROTO_UDP) => {
            Ok(Socket::Udp(UdpSocket::new(stack, family, Protocol::Udp)))
        }
        (raw::SOCK_DGRAM, IPPROTO_UDPLITE) => {
            Ok(Socket::Udp(UdpSocket::new(stack, family, Protocol::Lite)))
        }
        (raw::SOCK_DGRAM, protocol) if protocol == icmp => {
            check_may_ping(cx)?;
            Ok(Socket::Icmp(IcmpSocket::new(&cx.kernel.net, family, Use::Echo)))
        }
        (raw::SOCK_RAW, 0) => Err(Errno::EPROTONOSUPPORT.into()),
        (raw::SOCK_RAW, _) if !cx.process().credentials.can(Capabilities::NET_RAW) => {
            Err(Error::new(Errno::EPERM, "raw sockets are for root"))
        }
        (raw::SOCK_RAW, protocol) if protocol == icmp => {
            Ok(Socket::Icmp(IcmpSocket::new(&cx.kernel.net, family, Use::Raw)))
        }
        (raw::SOCK_RAW, _) => Err(Error::new(Errno::EPERM, "no other packets are sent by hand")),
        (raw::SOCK_STREAM | raw::SOCK_DGRAM, _) => Err(Errno::EPROTONOSUPPORT.into()),
        _ => Err(Errno::ESOCKTNOSUPPORT.into()),
    }
}

/// Whether one of the caller's groups may ask for echoes (`ping_init_sock` in net/ipv4/ping.c).
fn check_may_ping(cx: &mut Context<'_>) -> Result<()> {
    let range = views::numbers(cx.kernel, "net/ipv4/ping_group_range");
    let credentials = &cx.process().credentials;
    let mut groups = [credentials.egid].into_iter().chain(credentials.groups.iter().copied());
    let may = |group: u32| match range[..] {
        [first, last] => (first..=last).contains(&u64::from(group)),
        _ => false,
    };
    match groups.any(may) {
        true => Ok(()),
        false => Err(Error::new(Errno::EACCES, "no group of its is in net.ipv4.ping_group_range")),
    }
}

fn unix_kind(kind: u32) -> Result<UnixKind> {
    match kind {
        raw::SOCK_STREAM => Ok(UnixKind::Stream),
        raw::SOCK_DGRAM | raw::SOCK_RAW => Ok(UnixKind::Datagram),
        raw::SOCK_SEQPACKET => Ok(UnixKind::SeqPacket),
        _ => Err(Errno::ESOCKTNOSUPPORT.into()),
    }
}

/// socketpair(2).
pub fn socketpair(
    cx: &mut Context<'_>,
    [domain, kind, protocol, to, ..]: [u64; 6],
) -> Result<Outcome> {
    let (kind, flags) = split_flags(kind)?;
    if domain as u32 != raw::AF_UNIX {
        make_socket(cx, domain as u32, kind, protocol as u32)?;
        return Err(Errno::EOPNOTSUPP.into());
    }
    let kind = unix_kind(kind)?;
    if !matches!(protocol as u32, 0 | raw::AF_UNIX) {
        return Err(Errno::EPROTONOSUPPORT.into());
    }
    let caller = caller(cx);
    let (a, b) = UnixSocket::pair(&cx.kernel.net, kind, caller);
    let a = add(cx, Socket::Unix(a), flags)?;
    let b = match add(cx, Socket::Unix(b), flags) {
        Ok(b) => b,
        Err(error) => {
            cx.close(a)?;
            return Err(error);
        }
    };
    if let Err(error) = cx.write(UserPtr::new(to), &[a as u32, b as u32]) {
        cx.close(a)?;
        cx.close(b)?;
        return Err(error);
    }
    Ok(Outcome::Done(0))
}

/// Gives a socket a descriptor.
fn add(cx: &mut Context<'_>, socket: Socket, flags: OpenFlags) -> Result<u64> {
    let path = format!("socket:[{}]", socket.as_object().id().0);
    let close_on_exec = flags.contains(OpenFlags::CLOSE_ON_EXEC);
    let flags = flags | OpenFlags::READ_WRITE;
    let description = FileDescription::new(File::Socket(socket), flags, path.as_bytes());
    cx.add_descriptor(description, close_on_exec)
}

/// socket(2).
pub fn socket(cx: &mut Context<'_>, [domain, kind, protocol, ..]: [u64; 6]) -> Result<Outcome> {
    let (kind, flags) = split_flags(kind)?;
    let socket = make_socket(cx, domain as u32, kind, protocol as u32)?;
    add(cx, socket, flags).map(Outcome::Done)
}

/// bind(2).
pub fn bind(cx: &mut Context<'_>, [fd, address, len, ..]: [u64; 6]) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let address = read_address(cx, address, len)?;
    let address = match open.socket() {
        Socket::Unix(_) if open.object().local() == Address::Unix(None) => {
            unix_path::create(cx, address)?
        }
        _ => address,
    };
    let caller = caller(cx);
    open.object().bind(&mut cx.env(), &address, &caller)?;
    Ok(Outcome::Done(0))
}

/// listen(2).
pub fn listen(cx: &mut Context<'_>, [fd, backlog, ..]: [u64; 6]) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let caller = caller(cx);
    // A negative number counts as a huge one.
    open.object().listen(&mut cx.env(), backlog as u32, &caller)?;
    Ok(Outcome::Done(0))
}

/// accept(2).
pub fn accept(cx: &mut Context<'_>, [fd, address, len, ..]: [u64; 6]) -> Result<Outcome> {
    accept4(cx, [fd, address, len, 0, 0, 0])
}

/// accept4(2).
pub fn accept4(cx: &mut Context<'_>, [fd, address, len, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let (kind, flags) = split_flags(flags)?;
    if kind != 0 {
        return Err(Errno::EINVAL.into());
    }
    let open = Open::at(cx, fd)?;
    let socket = match open.object().accept(&mut cx.env()) {
        Ok(socket) => socket,
        Err(Error { errno: Errno::EAGAIN, .. }) => {
            let patience = if open.description.is_nonblocking() {
                Patience::None
            } else {
                Patience::Until(open.object().options().receive_timeout.get())
            };
            return wait(cx, &open, patience, Errno::EAGAIN, "a connection");
        }
        Err(error) => return Err(error),
    };
    let peer = socket.as_object().accepted_from();
    let accepted = add(cx, socket, flags)?;
    if address != 0
        && let Err(error) = peer.and_then(|peer| write_address(cx, address, len, &peer))
    {
        cx.close(accepted)?;
        return Err(error);
    }
    Ok(Outcome::Done(accepted))
}

/// connect(2).
pub fn connect(cx: &mut Context<'_>, [fd, address, len, ..]: [u64; 6]) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let address = read_address(cx, address, len)?;
    let address = unix_path::find(cx, address)?;
    let caller = caller(cx);
    let patience = if open.description.is_nonblocking() {
        Patience::None
    } else {
        Patience::Until(open.object().options().send_timeout.get())
    };
    let mut result = open.object().connect(&mut cx.env(), &address, &caller);
    if result.as_ref().is_err_and(|error| error.errno == Errno::EINPROGRESS)
        && patience != Patience::None
    {
        // The answer may be there already.
        result = open.object().connect(&mut cx.env(), &address, &caller);
    }
    match result {
        Ok(()) => Ok(Outcome::Done(0)),
        Err(Error { errno: errno @ (Errno::EINPROGRESS | Errno::EALREADY), .. }) => {
            let errno = if cx.call().deadline.is_some() { Errno::EINPROGRESS } else { errno };
            wait(cx, &open, patience, errno, "the connection to be made")
        }
        Err(Error { errno: Errno::EAGAIN, .. }) => {
            wait(cx, &open, patience, Errno::EAGAIN, "the listener to take connections")
        }
        Err(error) => {
            if error.errno == Errno::ENETUNREACH {
                report_escape(cx, &address);
            }
            Err(error)
        }
    }
}

/// Says that a program wanted to reach something outside the simulation, if the address is: a datagram is refused for
/// the address it shall come from, too.
pub(super) fn report_escape(cx: &mut Context<'_>, address: &Address) {
    let endpoint = match address {
        Address::Inet(endpoint) => *endpoint,
        Address::Mapped(endpoint) => SocketAddr::V4(*endpoint),
        _ => return,
    };
    if cx.kernel.net.has_route_to(endpoint.ip()) {
        return;
    }
    let what = match endpoint.port() {
        // What is for the machine itself.
        0 => format!("message to {}", endpoint.ip()),
        _ => format!("connection to {endpoint}"),
    };
    let program = cx.program();
    cx.kernel.machine.escape(
        cx.host,
        &what,
        &program,
        "it is outside the simulation and failed with ENETUNREACH",
    );
}

/// getsockname(2).
pub fn getsockname(cx: &mut Context<'_>, [fd, address, len, ..]: [u64; 6]) -> Result<Outcome> {
    let local = Open::at(cx, fd)?.object().local();
    write_address(cx, address, len, &local)?;
    Ok(Outcome::Done(0))
}

/// getpeername(2).
pub fn getpeername(cx: &mut Context<'_>, [fd, address, len, ..]: [u64; 6]) -> Result<Outcome> {
    let remote = Open::at(cx, fd)?.object().remote()?;
    write_address(cx, address, len, &remote)?;
    Ok(Outcome::Done(0))
}

/// shutdown(2).
pub fn shutdown(cx: &mut Context<'_>, [fd, how, ..]: [u64; 6]) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let what = Shut::from_how(how as u32).ok_or(Errno::EINVAL)?;
    open.object().shutdown(&mut cx.env(), what)?;
    Ok(Outcome::Done(0))
}
