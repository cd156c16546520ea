//! The addresses of a simulated machine.

use alloc::vec::Vec;
use core::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bits of a node's address that all nodes have in common.
const PREFIX: u8 = 16;

/// An interface as `ip addr` shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interface {
    /// Its number.
    pub index: u32,
    /// Its name.
    pub name: &'static str,
    /// `IFF_*`.
    pub flags: u32,
    /// Most bytes of a packet.
    pub mtu: u32,
    /// Hardware address.
    pub hardware: [u8; 6],
    /// `ARPHRD_*`.
    pub kind: u16,
    /// Its addresses with the length of their prefix.
    pub addresses: Vec<(IpAddr, u8)>,
}

const UP: u32 = 0x1;
const BROADCAST: u32 = 0x2;
const LOOPBACK: u32 = 0x8;
const RUNNING: u32 = 0x40;
const MULTICAST: u32 = 0x1000;
const LOWER_UP: u32 = 0x10000;
const ARPHRD_ETHER: u16 = 1;
const ARPHRD_LOOPBACK: u16 = 772;

impl Interface {
    /// Whether it is the loopback device.
    #[must_use]
    pub fn is_loopback(&self) -> bool {
        self.flags & LOOPBACK != 0
    }

    /// Its first address of IPv4 with the length of its prefix.
    #[must_use]
    pub fn v4(&self) -> Option<(Ipv4Addr, u8)> {
        self.addresses.iter().find_map(|&(address, prefix)| match address {
            IpAddr::V4(v4) => Some((v4, prefix)),
            IpAddr::V6(_) => None,
        })
    }

    /// The mask of a prefix.
    #[must_use]
    pub fn mask(prefix: u8) -> Ipv4Addr {
        Ipv4Addr::from(u32::MAX.checked_shl(32 - u32::from(prefix)).unwrap_or(0))
    }

    /// The address that reaches all of its network, if it can.
    #[must_use]
    pub fn broadcast(&self) -> Option<Ipv4Addr> {
        let (address, prefix) = self.v4().filter(|_| !self.is_loopback())?;
        Some(Ipv4Addr::from(u32::from(address) | !u32::from(Self::mask(prefix))))
    }
}

/// A machine's interfaces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Interfaces([Interface; 2]);

impl Interfaces {
    /// Loopback, and one with this address.
    #[must_use]
    pub fn new(own: Ipv4Addr) -> Self {
        let [a, b, c, d] = own.octets();
        let loopback =
            [(IpAddr::V4(Ipv4Addr::LOCALHOST), 8), (IpAddr::V6(Ipv6Addr::LOCALHOST), 128)];
        Self([
            Interface {
                index: 1,
                name: "lo",
                flags: UP | LOOPBACK | RUNNING | LOWER_UP,
                mtu: 65536,
                hardware: [0; 6],
                kind: ARPHRD_LOOPBACK,
                addresses: loopback.to_vec(),
            },
            Interface {
                index: 2,
                name: "eth0",
                flags: UP | BROADCAST | RUNNING | MULTICAST | LOWER_UP,
                mtu: 1500,
                hardware: [2, 0, a, b, c, d],
                kind: ARPHRD_ETHER,
                addresses: [(IpAddr::V4(own), PREFIX)].to_vec(),
            },
        ])
    }

    /// All of them, by number.
    pub fn iter(&self) -> impl Iterator<Item = &Interface> {
        self.0.iter()
    }

    /// The interface of a name.
    #[must_use]
    pub fn by_name(&self, name: &[u8]) -> Option<&Interface> {
        self.iter().find(|interface| interface.name.as_bytes() == name)
    }

    /// The interface of a number.
    #[must_use]
    pub fn by_index(&self, index: u32) -> Option<&Interface> {
        self.iter().find(|interface| interface.index == index)
    }
}

/// Where something sent to the unspecified address goes: to the machine itself.
#[must_use]
pub fn destination(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V4(v4) if v4.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(v6) if v6.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        other => other,
    }
}
