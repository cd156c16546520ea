//! Socket addresses as programs spell them.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use linux_raw_sys::net as raw;

use crate::error::{Errno, Result};

/// Bytes in `struct sockaddr_in`.
pub const INET_LEN: usize = 16;
/// Bytes in `struct sockaddr_in6`.
pub const INET6_LEN: usize = 28;
/// Bytes in `struct sockaddr_in6` before it got a scope, which Linux still takes.
const INET6_LEN_MIN: usize = 24;
/// Bytes in `struct sockaddr_storage`: the longest address.
pub const ADDRESS_MAX: usize = 128;
/// Bytes of a unix address's path.
const UNIX_PATH_MAX: usize = 108;

/// The version of the internet protocol that a socket was made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// `AF_INET`.
    V4,
    /// `AF_INET6`.
    V6,
}

impl Family {
    /// `AF_*`.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::V4 => raw::AF_INET,
            Self::V6 => raw::AF_INET6,
        }
    }

    /// Its unspecified address.
    #[must_use]
    pub fn any(self) -> IpAddr {
        match self {
            Self::V4 => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
            Self::V6 => IpAddr::V6(Ipv6Addr::UNSPECIFIED),
        }
    }

    /// An endpoint as a socket of this family shows it: IPv4 mapped into IPv6 where it must.
    #[must_use]
    pub fn show(self, endpoint: SocketAddr) -> SocketAddr {
        match (self, endpoint) {
            (Self::V6, SocketAddr::V4(v4)) => {
                SocketAddrV6::new(v4.ip().to_ipv6_mapped(), v4.port(), 0, 0).into()
            }
            _ => endpoint,
        }
    }
}

/// A file, by which a unix socket in the file tree is found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Inode {
    /// Device.
    pub device: u64,
    /// Number on it.
    pub number: u64,
}

/// The name of a unix socket.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnixName {
    /// A place in the file tree, as it was given.
    Path {
        /// The path.
        path: Vec<u8>,
        /// What is there, once somebody has looked.
        inode: Option<Inode>,
    },
    /// A name of its own, outside the file tree.
    Abstract(Vec<u8>),
}

/// A socket address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Address {
    /// `AF_UNSPEC`.
    Unspecified,
    /// An endpoint of either internet protocol; never a mapped one of IPv6.
    Inet(SocketAddr),
    /// As [`Address::Inet`], spelt as a mapped address of IPv6.
    Mapped(SocketAddrV4),
    /// A unix socket; `None` for one without a name.
    Unix(Option<UnixName>),
    /// A netlink port and multicast groups.
    Netlink {
        /// Port.
        port: u32,
        /// Groups.
        groups: u32,
    },
    /// Some other family.
    Other(u16),
}

fn array<const N: usize>(bytes: &[u8], at: usize) -> Option<[u8; N]> {
    bytes.get(at..at + N)?.try_into().ok()
}

impl Address {
    /// Reads what a program passed.
    ///
    /// # Errors
    /// `EINVAL` for one that is too short for its family.
    pub fn decode(bytes: &[u8]) -> Result<Self> {
        let family = u16::from_ne_bytes(array(bytes, 0).ok_or(Errno::EINVAL)?);
        match u32::from(family) {
            raw::AF_UNSPEC => Ok(Self::Unspecified),
            raw::AF_INET => Self::decode_inet(bytes).ok_or(Errno::EINVAL.into()),
            raw::AF_INET6 if bytes.len() >= INET6_LEN_MIN => {
                Self::decode_inet6(bytes).ok_or(Errno::EINVAL.into())
            }
            raw::AF_INET6 => Err(Errno::EINVAL.into()),
            raw::AF_UNIX => Self::decode_unix(&bytes[2..]),
            raw::AF_NETLINK => match (array(bytes, 4), array(bytes, 8)) {
                (Some(port), Some(groups)) => Ok(Self::Netlink {
                    port: u32::from_ne_bytes(port),
                    groups: u32::from_ne_bytes(groups),
                }),
                _ => Err(Errno::EINVAL.into()),
            },
            _ => Ok(Self::Other(family)),
        }
    }

    fn decode_inet(bytes: &[u8]) -> Option<Self> {
        if bytes.len() < INET_LEN {
            return None;
        }
        let port = u16::from_be_bytes(array(bytes, 2)?);
        let ip = Ipv4Addr::from(array::<4>(bytes, 4)?);
        Some(Self::Inet(SocketAddrV4::new(ip, port).into()))
    }

    fn decode_inet6(bytes: &[u8]) -> Option<Self> {
        let port = u16::from_be_bytes(array(bytes, 2)?);
        let ip = Ipv6Addr::from(array::<16>(bytes, 8)?);
        if let Some(v4) = ip.to_ipv4_mapped() {
            return Some(Self::Mapped(SocketAddrV4::new(v4, port)));
        }
        let scope = array(bytes, 24).map_or(0, u32::from_ne_bytes);
        Some(Self::Inet(SocketAddrV6::new(ip, port, 0, scope).into()))
    }

    fn decode_unix(path: &[u8]) -> Result<Self> {
        if path.len() > UNIX_PATH_MAX {
            return Err(Errno::EINVAL.into());
        }
        Ok(Self::Unix(match path {
            [] => None,
            [0, name @ ..] => Some(UnixName::Abstract(name.to_vec())),
            _ => {
                let path = path.split(|&byte| byte == 0).next().unwrap_or_default().to_vec();
                Some(UnixName::Path { path, inode: None })
            }
        }))
    }

    /// The bytes a program reads.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut family = |number: u32| bytes.extend_from_slice(&(number as u16).to_ne_bytes());
        match self {
            Self::Unspecified => family(raw::AF_UNSPEC),
            Self::Other(number) => family(u32::from(*number)),
            Self::Inet(SocketAddr::V4(v4)) => {
                family(raw::AF_INET);
                bytes.extend_from_slice(&v4.port().to_be_bytes());
                bytes.extend_from_slice(&v4.ip().octets());
                bytes.resize(INET_LEN, 0);
            }
            Self::Inet(SocketAddr::V6(v6)) => {
                family(raw::AF_INET6);
                bytes.extend_from_slice(&v6.port().to_be_bytes());
                bytes.extend_from_slice(&v6.flowinfo().to_be_bytes());
                bytes.extend_from_slice(&v6.ip().octets());
                bytes.extend_from_slice(&v6.scope_id().to_ne_bytes());
            }
            Self::Mapped(v4) => {
                return Self::Inet(Family::V6.show(SocketAddr::V4(*v4))).encode();
            }
            Self::Unix(name) => {
                family(raw::AF_UNIX);
                match name {
                    None => {}
                    Some(UnixName::Path { path, .. }) => {
                        bytes.extend_from_slice(path);
                        bytes.push(0);
                    }
                    Some(UnixName::Abstract(name)) => {
                        bytes.push(0);
                        bytes.extend_from_slice(name);
                    }
                }
            }
            Self::Netlink { port, groups } => {
                family(raw::AF_NETLINK);
                bytes.extend_from_slice(&[0; 2]);
                bytes.extend_from_slice(&port.to_ne_bytes());
                bytes.extend_from_slice(&groups.to_ne_bytes());
            }
        }
        bytes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_survive_encoding() {
        let cases = [
            Address::Unspecified,
            Address::Inet("127.0.0.1:80".parse().unwrap()),
            Address::Inet("[::1]:443".parse().unwrap()),
            Address::Mapped("10.0.0.1:9".parse().unwrap()),
            Address::Unix(None),
            Address::Unix(Some(UnixName::Path { path: b"/tmp/s".to_vec(), inode: None })),
            Address::Unix(Some(UnixName::Abstract(b"a\0b".to_vec()))),
            Address::Netlink { port: 7, groups: 3 },
        ];
        for address in cases {
            assert_eq!(Address::decode(&address.encode()), Ok(address.clone()));
        }
    }

    #[test]
    fn short_addresses_are_refused() {
        let inet = Address::Inet("127.0.0.1:80".parse().unwrap()).encode();
        let inet6 = Address::Inet("[::1]:80".parse().unwrap()).encode();
        for (bytes, len, valid) in [
            (&inet, 16, true),
            (&inet, 15, false),
            (&inet6, 24, true),
            (&inet6, 23, false),
            (&inet, 1, false),
        ] {
            assert_eq!(Address::decode(&bytes[..len]).is_ok(), valid, "{len}");
        }
    }
}
