//! What a program may ask to be told of the packets that come in (ip(7), ipv6(7), socket(7)).

use alloc::vec::Vec;
use core::{
    net::{IpAddr, Ipv4Addr},
    time::Duration,
};

use linux_raw_sys::net as raw;

use super::{
    message::Control,
    option_value::{IpOptions, Value},
    options::Timestamp,
};
use crate::{
    net::address::Family,
    uapi::time::{Timespec, Timeval},
};

/// Number of the interface that all packets come in by.
const LOOPBACK_INDEX: u32 = 1;

/// How a packet came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Arrival {
    /// The address that it was sent to.
    pub to: IpAddr,
    /// Type of service, or traffic class.
    pub service: u32,
    /// Time to live, or hop limit.
    pub hops: u32,
    /// When it arrived, since 1970.
    pub at: Duration,
}

impl Arrival {
    /// The ancillary data that a program has asked for, with a socket of this family on a machine with this address.
    #[must_use]
    pub fn control(
        &self,
        (timestamp, ip): (Timestamp, &IpOptions),
        family: Family,
        own: Ipv4Addr,
    ) -> Vec<Control> {
        let mut control = Vec::new();
        let mut put = |level, kind, data| control.push(Control::Plain { level, kind, data });
        match timestamp {
            Timestamp::Off => {}
            Timestamp::Micros => {
                let time = Timeval::from(self.at);
                put(raw::SOL_SOCKET, raw::SO_TIMESTAMP, bytemuck::bytes_of(&time).to_vec());
            }
            Timestamp::Nanos => {
                let time = Timespec::from(self.at);
                put(raw::SOL_SOCKET, raw::SO_TIMESTAMPNS, bytemuck::bytes_of(&time).to_vec());
            }
        }
        match self.to {
            IpAddr::V4(to) => {
                if family == Family::V6 && ip.packet_info_v6.get() {
                    let index = LOOPBACK_INDEX.to_ne_bytes();
                    let info = [&to.to_ipv6_mapped().octets()[..], &index].concat();
                    put(raw::SOL_IPV6, raw::IPV6_PKTINFO, info);
                }
                if ip.packet_info.get() {
                    let own = if to.is_multicast() { own } else { to };
                    let index = LOOPBACK_INDEX.to_ne_bytes();
                    put(raw::SOL_IP, raw::IP_PKTINFO, [index, own.octets(), to.octets()].concat());
                }
                if ip.receive_ttl.get() {
                    put(raw::SOL_IP, raw::IP_TTL, self.hops.value());
                }
                if ip.receive_tos.get() {
                    put(raw::SOL_IP, raw::IP_TOS, [self.service as u8].to_vec());
                }
            }
            IpAddr::V6(to) => {
                if ip.packet_info_v6.get() {
                    let index = LOOPBACK_INDEX.to_ne_bytes();
                    let info = [&to.octets()[..], &index].concat();
                    put(raw::SOL_IPV6, raw::IPV6_PKTINFO, info);
                }
                if ip.receive_hops.get() {
                    put(raw::SOL_IPV6, raw::IPV6_HOPLIMIT, self.hops.value());
                }
                if ip.receive_class.get() {
                    put(raw::SOL_IPV6, raw::IPV6_TCLASS, self.service.value());
                }
            }
        }
        control
    }
}
