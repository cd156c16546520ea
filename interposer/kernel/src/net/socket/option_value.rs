//! The values of options as programs spell them.

use alloc::vec::Vec;
use core::cell::Cell;

use linux_raw_sys::net as raw;

use crate::error::{Errno, Result};

/// Something that an option's value can be.
pub trait Value {
    /// The bytes a program reads.
    fn value(self) -> Vec<u8>;
}

impl Value for u32 {
    fn value(self) -> Vec<u8> {
        self.to_ne_bytes().to_vec()
    }
}

impl Value for bool {
    fn value(self) -> Vec<u8> {
        u32::from(self).value()
    }
}

/// The `int` that a program passed.
///
/// # Errors
/// `EINVAL` for fewer bytes than an `int` has.
pub fn read_int(value: &[u8]) -> Result<i32> {
    let bytes = value.get(..4).and_then(|bytes| bytes.try_into().ok());
    Ok(i32::from_ne_bytes(bytes.ok_or(Errno::EINVAL)?))
}

/// The `int` that a program passed, as yes or no.
///
/// # Errors
/// As [`read_int`].
pub fn read_flag(value: &[u8]) -> Result<bool> {
    Ok(read_int(value)? != 0)
}

/// The options of ip(7) and ipv6(7) that every socket of theirs has.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "ip(7) and ipv6(7) describe each")]
pub struct IpOptions {
    pub type_of_service: Cell<u32>,
    pub time_to_live: Cell<u32>,
    pub hops: Cell<i32>,
    pub traffic_class: Cell<u32>,
    pub packet_info: Cell<bool>,
    pub packet_info_v6: Cell<bool>,
    pub receive_tos: Cell<bool>,
    pub receive_ttl: Cell<bool>,
    pub receive_class: Cell<bool>,
    pub receive_hops: Cell<bool>,
    pub receive_errors: Cell<bool>,
    pub multicast_ttl: Cell<u32>,
    pub multicast_loop: Cell<bool>,
    pub path_mtu: Cell<u32>,
    pub free_bind: Cell<bool>,
    pub bind_no_port: Cell<bool>,
}

/// `net.ipv4.ip_default_ttl`.
pub const TIME_TO_LIVE: u32 = 64;

impl Default for IpOptions {
    fn default() -> Self {
        Self {
            type_of_service: Cell::new(0),
            time_to_live: Cell::new(TIME_TO_LIVE),
            hops: Cell::new(TIME_TO_LIVE as i32),
            traffic_class: Cell::new(0),
            packet_info: Cell::new(false),
            packet_info_v6: Cell::new(false),
            receive_tos: Cell::new(false),
            receive_ttl: Cell::new(false),
            receive_class: Cell::new(false),
            receive_hops: Cell::new(false),
            receive_errors: Cell::new(false),
            multicast_ttl: Cell::new(1),
            multicast_loop: Cell::new(true),
            path_mtu: Cell::new(raw::IP_PMTUDISC_WANT),
            free_bind: Cell::new(false),
            bind_no_port: Cell::new(false),
        }
    }
}

impl IpOptions {
    /// `setsockopt` at `SOL_IP`.
    ///
    /// # Errors
    /// `ENOPROTOOPT`, `EINVAL`.
    pub fn set(&self, name: u32, value: &[u8]) -> Result<()> {
        // Unlike other levels, this one takes a single byte for a number too (do_ip_setsockopt).
        let number = match value {
            [byte] | [byte, _] | [byte, _, _] => i32::from(*byte),
            _ => read_int(value)?,
        };
        match name {
            raw::IP_TOS => self.type_of_service.set(number as u32 & 0xff),
            raw::IP_TTL => match number {
                -1 => self.time_to_live.set(TIME_TO_LIVE),
                1..=255 => self.time_to_live.set(number as u32),
                _ => return Err(Errno::EINVAL.into()),
            },
            raw::IP_PKTINFO => self.packet_info.set(number != 0),
            raw::IP_RECVTOS => self.receive_tos.set(number != 0),
            raw::IP_RECVTTL => self.receive_ttl.set(number != 0),
            raw::IP_RECVERR => self.receive_errors.set(number != 0),
            raw::IP_MTU_DISCOVER => self.path_mtu.set(number as u32),
            raw::IP_FREEBIND => self.free_bind.set(number != 0),
            raw::IP_BIND_ADDRESS_NO_PORT => self.bind_no_port.set(number != 0),
            raw::IP_MULTICAST_TTL => match number {
                -1 => self.multicast_ttl.set(1),
                0..=255 => self.multicast_ttl.set(number as u32),
                _ => return Err(Errno::EINVAL.into()),
            },
            raw::IP_MULTICAST_LOOP => self.multicast_loop.set(number != 0),
            raw::IP_RECVOPTS | raw::IP_RETOPTS | raw::IP_MULTICAST_ALL | raw::IP_OPTIONS => {}
            raw::IP_MULTICAST_IF => {}
            _ => return Err(Errno::ENOPROTOOPT.into()),
        }
        Ok(())
    }

    /// `getsockopt` at `SOL_IP`.
    ///
    /// # Errors
    /// `ENOPROTOOPT`.
    pub fn get(&self, name: u32) -> Result<Vec<u8>> {
        Ok(match name {
            raw::IP_TOS => self.type_of_service.get().value(),
            raw::IP_TTL => self.time_to_live.get().value(),
            raw::IP_PKTINFO => self.packet_info.get().value(),
            raw::IP_RECVTOS => self.receive_tos.get().value(),
            raw::IP_RECVTTL => self.receive_ttl.get().value(),
            raw::IP_RECVERR => self.receive_errors.get().value(),
            raw::IP_MTU_DISCOVER => self.path_mtu.get().value(),
            raw::IP_FREEBIND => self.free_bind.get().value(),
            raw::IP_BIND_ADDRESS_NO_PORT => self.bind_no_port.get().value(),
            raw::IP_MULTICAST_TTL => self.multicast_ttl.get().value(),
            raw::IP_MULTICAST_LOOP => self.multicast_loop.get().value(),
            raw::IP_OPTIONS => Vec::new(),
            _ => return Err(Errno::ENOPROTOOPT.into()),
        })
    }

    /// `setsockopt` at `SOL_IPV6`.
    ///
    /// # Errors
    /// `ENOPROTOOPT`, `EINVAL`.
    pub fn set_v6(&self, name: u32, value: &[u8]) -> Result<()> {
        match name {
            raw::IPV6_ADD_MEMBERSHIP | raw::IPV6_DROP_MEMBERSHIP => return Ok(()),
            _ => {}
        }
        let number = read_int(value)?;
        match name {
            raw::IPV6_UNICAST_HOPS => match number {
                -1 => self.hops.set(TIME_TO_LIVE as i32),
                0..=255 => self.hops.set(number),
                _ => return Err(Errno::EINVAL.into()),
            },
            raw::IPV6_TCLASS => match number {
                -1 => self.traffic_class.set(0),
                0..=255 => self.traffic_class.set(number as u32),
                _ => return Err(Errno::EINVAL.into()),
            },
            raw::IPV6_RECVPKTINFO => self.packet_info_v6.set(number != 0),
            raw::IPV6_RECVTCLASS => self.receive_class.set(number != 0),
            raw::IPV6_RECVHOPLIMIT => self.receive_hops.set(number != 0),
            raw::IPV6_RECVERR => self.receive_errors.set(number != 0),
            raw::IPV6_MULTICAST_HOPS => match number {
                -1 => self.multicast_ttl.set(1),
                0..=255 => self.multicast_ttl.set(number as u32),
                _ => return Err(Errno::EINVAL.into()),
            },
            raw::IPV6_MULTICAST_LOOP => self.multicast_loop.set(number != 0),
            raw::IPV6_MTU_DISCOVER => self.path_mtu.set(number as u32),
            raw::IPV6_FREEBIND => self.free_bind.set(number != 0),
            raw::IPV6_MULTICAST_IF | raw::IPV6_DONTFRAG | raw::IPV6_AUTOFLOWLABEL => {}
            _ => return Err(Errno::ENOPROTOOPT.into()),
        }
        Ok(())
    }

    /// `getsockopt` at `SOL_IPV6`.
    ///
    /// # Errors
    /// `ENOPROTOOPT`.
    pub fn get_v6(&self, name: u32) -> Result<Vec<u8>> {
        Ok(match name {
            raw::IPV6_UNICAST_HOPS => (self.hops.get() as u32).value(),
            raw::IPV6_TCLASS => self.traffic_class.get().value(),
            raw::IPV6_RECVPKTINFO => self.packet_info_v6.get().value(),
            raw::IPV6_RECVTCLASS => self.receive_class.get().value(),
            raw::IPV6_RECVHOPLIMIT => self.receive_hops.get().value(),
            raw::IPV6_RECVERR => self.receive_errors.get().value(),
            raw::IPV6_MULTICAST_HOPS => self.multicast_ttl.get().value(),
            raw::IPV6_MULTICAST_LOOP => self.multicast_loop.get().value(),
            raw::IPV6_MTU_DISCOVER => self.path_mtu.get().value(),
            raw::IPV6_FREEBIND => self.free_bind.get().value(),
            _ => return Err(Errno::ENOPROTOOPT.into()),
        })
    }
}
