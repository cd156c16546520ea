//! What sockets take by ioctl(2): queues and interfaces (netdevice(7), tcp(7)).

use alloc::rc::Rc;
use core::net::{Ipv4Addr, SocketAddr, SocketAddrV4};

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::{ioctl as raw, net::SOCK_DGRAM};

use crate::{
    context::Context,
    error::{Errno, Result},
    net::{
        Socket,
        address::Address,
        host::{Interface, Interfaces},
        socket::SocketObject,
    },
    outcome::Outcome,
    user::{self, UserPtr},
};

/// Bytes in an interface's name.
const NAME_LEN: usize = 16;
/// Transmission queue of every interface, in packets.
const QUEUE_LENGTH: u32 = 1000;

/// `struct ifreq`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
struct Request {
    name: [u8; NAME_LEN],
    value: [u8; 24],
}

/// `struct ifconf`.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Pod, Zeroable)]
struct List {
    len: i32,
    pad: u32,
    buffer: u64,
}

impl Request {
    fn named(interface: &Interface) -> Self {
        let mut name = [0; NAME_LEN];
        name[..interface.name.len()].copy_from_slice(interface.name.as_bytes());
        Self { name, value: [0; 24] }
    }

    fn set(&mut self, bytes: &[u8]) {
        self.value[..bytes.len()].copy_from_slice(bytes);
    }

    fn set_address(&mut self, address: Ipv4Addr) {
        let endpoint = SocketAddr::V4(SocketAddrV4::new(address, 0));
        self.set(&Address::Inet(endpoint).encode());
    }

    /// The interface it names; an alias' suffix is left out (`dev_load`).
    fn interface<'a>(&self, interfaces: &'a Interfaces) -> Result<&'a Interface> {
        let name = self.name.split(|&byte| byte == 0 || byte == b':').next().unwrap_or_default();
        interfaces.by_name(name).ok_or(Errno::ENODEV.into())
    }
}

/// ioctl(2) on a socket.
pub fn control(
    cx: &mut Context<'_>,
    socket: &Socket,
    number: u32,
    argument: u64,
) -> Result<Outcome> {
    match number {
        raw::TIOCOUTQ => {
            let unsent = match socket {
                Socket::Tcp(_) if socket.as_object().is_listening() => {
                    return Err(Errno::EINVAL.into());
                }
                Socket::Netlink(_) => return Err(Errno::ENOTTY.into()),
                Socket::Icmp(socket) if socket.kind().kind == SOCK_DGRAM => {
                    return Err(Errno::ENOTTY.into());
                }
                _ => socket.as_object().unsent(),
            };
            cx.write(UserPtr::new(argument), &i32::try_from(unsent).unwrap_or(i32::MAX))?;
        }
        raw::SIOCATMARK if matches!(socket, Socket::Tcp(_)) => {
            let at_mark = socket.as_object().is_at_mark();
            cx.write(UserPtr::new(argument), &i32::from(at_mark))?;
        }
        raw::SIOCGIFCONF => {
            let stack = Rc::clone(&cx.kernel.net);
            list(cx, &stack.interfaces, UserPtr::new(argument))?;
        }
        _ => {
            let at = UserPtr::<Request>::new(argument);
            let kind = Kind::of(number)?;
            let request = cx.read(at)?;
            let answered = answer(&cx.kernel.net.interfaces, kind, request)?;
            cx.write(at, &answered)?;
        }
    }
    Ok(Outcome::Done(0))
}

/// What is asked about one interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Name,
    Flags,
    Address,
    Broadcast,
    Mask,
    Metric,
    Mtu,
    Hardware,
    Index,
    Queue,
}

impl Kind {
    fn of(number: u32) -> Result<Self> {
        Ok(match number {
            raw::SIOCGIFNAME => Self::Name,
            raw::SIOCGIFFLAGS => Self::Flags,
            raw::SIOCGIFADDR | raw::SIOCGIFDSTADDR => Self::Address,
            raw::SIOCGIFBRDADDR => Self::Broadcast,
            raw::SIOCGIFNETMASK => Self::Mask,
            raw::SIOCGIFMETRIC => Self::Metric,
            raw::SIOCGIFMTU => Self::Mtu,
            raw::SIOCGIFHWADDR => Self::Hardware,
            raw::SIOCGIFINDEX => Self::Index,
            raw::SIOCGIFTXQLEN => Self::Queue,
            raw::SIOCSIFFLAGS
            | raw::SIOCSIFADDR
            | raw::SIOCSIFNETMASK
            | raw::SIOCSIFMTU
            | raw::SIOCSIFHWADDR => return Err(Errno::EPERM.into()),
            _ => return Err(Errno::ENOTTY.into()),
        })
    }
}

fn answer(interfaces: &Interfaces, kind: Kind, mut request: Request) -> Result<Request> {
    if kind == Kind::Name {
        let [a, b, c, d, ..] = request.value;
        let index = u32::from_ne_bytes([a, b, c, d]);
        let interface = interfaces.by_index(index);
        request.name = Request::named(interface.ok_or(Errno::ENODEV)?).name;
        return Ok(request);
    }
    let interface = request.interface(interfaces)?;
    let v4 = interface.v4().ok_or(Errno::EADDRNOTAVAIL);
    match kind {
        Kind::Name => {}
        // The upper half came later and shows only by netlink.
        Kind::Flags => request.set(&(interface.flags as u16).to_ne_bytes()),
        Kind::Address => request.set_address(v4?.0),
        Kind::Mask => request.set_address(Interface::mask(v4?.1)),
        Kind::Broadcast => {
            request.set_address(interface.broadcast().unwrap_or(Ipv4Addr::UNSPECIFIED));
        }
        Kind::Metric => request.set(&0u32.to_ne_bytes()),
        Kind::Mtu => request.set(&interface.mtu.to_ne_bytes()),
        Kind::Hardware => {
            request.value = [0; 24];
            request.set(&[&interface.kind.to_ne_bytes()[..], &interface.hardware].concat());
        }
        Kind::Index => request.set(&interface.index.to_ne_bytes()),
        Kind::Queue => request.set(&QUEUE_LENGTH.to_ne_bytes()),
    }
    Ok(request)
}

/// `SIOCGIFCONF`: the interfaces that have an address of IPv4, as many as there is room for; without a buffer, the
/// room they need.
fn list(cx: &mut Context<'_>, interfaces: &Interfaces, at: UserPtr<List>) -> Result<()> {
    let mut list = cx.read(at)?;
    let room = usize::try_from(list.len).map_err(|_| Errno::EINVAL)?;
    let mut len = 0;
    for interface in interfaces.iter() {
        let Some((address, _)) = interface.v4() else { continue };
        let mut request = Request::named(interface);
        request.set_address(address);
        if list.buffer != 0 {
            if room - len < size_of::<Request>() {
                break;
            }
            user::write_bytes(cx.host, list.buffer + len as u64, bytemuck::bytes_of(&request))?;
        }
        len += size_of::<Request>();
    }
    list.len = len as i32;
    cx.write(at, &list)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn named(name: &[u8]) -> Request {
        let mut request = Request::zeroed();
        request.name[..name.len()].copy_from_slice(name);
        request
    }

    #[test]
    fn interfaces_tell_about_themselves() {
        let interfaces = Interfaces::new(Ipv4Addr::new(10, 0, 0, 1));
        let cases: [(&[u8], Kind, &[u8]); 6] = [
            (b"lo", Kind::Address, &[2, 0, 0, 0, 127, 0, 0, 1]),
            (b"lo", Kind::Mask, &[2, 0, 0, 0, 255, 0, 0, 0]),
            (b"lo", Kind::Flags, &[0x49, 0]),
            (b"eth0", Kind::Broadcast, &[2, 0, 0, 0, 10, 0, 255, 255]),
            (b"eth0:1", Kind::Index, &[2, 0, 0, 0]),
            (b"eth0", Kind::Hardware, &[1, 0, 2, 0, 10, 0, 0, 1]),
        ];
        for (name, kind, expected) in cases {
            let answer = answer(&interfaces, kind, named(name)).expect("an answer");
            assert_eq!(&answer.value[..expected.len()], expected, "{kind:?}");
        }
        let absent = answer(&interfaces, Kind::Index, named(b"wlan0")).map_err(|error| error.errno);
        assert_eq!(absent, Err(Errno::ENODEV));
    }
}
