//! The two protocols of datagrams, and the options of their own (udp(7), udplite(7)).

use alloc::vec::Vec;
use core::cell::Cell;

use crate::{
    error::{Errno, Result},
    net::socket::option_value::{Value, read_int},
    uapi::udp as raw,
};

/// Bytes of a header: the checksum covers it always (RFC 3828).
const COVERAGE_MIN: u16 = 8;

/// A protocol of datagrams. Each has ports of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// UDP.
    Udp,
    /// UDP-Lite, whose checksum may leave out the end of a datagram.
    Lite,
}

impl Protocol {
    /// `IPPROTO_*`.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Udp => 17,
            Self::Lite => 136,
        }
    }
}

/// Options of the protocols' own.
#[derive(Debug, Default)]
pub(super) struct UdpOptions {
    /// Whether messages are gathered to one datagram (`UDP_CORK`).
    pub(super) corked: Cell<bool>,
    /// Bytes of each datagram that a message is cut into; zero does not cut (`UDP_SEGMENT`).
    pub(super) segment: Cell<u16>,
    no_check_sent: Cell<bool>,
    no_check_received: Cell<bool>,
    coverage_sent: Cell<Option<u16>>,
    coverage_least: Cell<Option<u16>>,
}

fn coverage(asked: i32) -> u16 {
    match asked {
        0 => 0,
        _ => asked.clamp(i32::from(COVERAGE_MIN), i32::from(u16::MAX)) as u16,
    }
}

impl UdpOptions {
    /// `setsockopt` at `SOL_UDP` or `SOL_UDPLITE`, which are one (`udp_setsockopt` in net/ipv4/udp.c).
    pub(super) fn set(&self, protocol: Protocol, name: u32, value: &[u8]) -> Result<()> {
        let number = read_int(value)?;
        match name {
            raw::UDP_CORK => self.corked.set(number != 0),
            raw::UDP_NO_CHECK6_TX => self.no_check_sent.set(number != 0),
            raw::UDP_NO_CHECK6_RX => self.no_check_received.set(number != 0),
            raw::UDP_SEGMENT => self.segment.set(number.try_into().map_err(|_| Errno::EINVAL)?),
            raw::UDPLITE_SEND_CSCOV if protocol == Protocol::Lite => {
                self.coverage_sent.set(Some(coverage(number)));
            }
            raw::UDPLITE_RECV_CSCOV if protocol == Protocol::Lite => {
                self.coverage_least.set(Some(coverage(number)));
            }
            _ => return Err(Errno::ENOPROTOOPT.into()),
        }
        Ok(())
    }

    /// `getsockopt` at `SOL_UDP` or `SOL_UDPLITE`.
    pub(super) fn get(&self, name: u32) -> Result<Vec<u8>> {
        let coverage = |cell: &Cell<Option<u16>>| u32::from(cell.get().unwrap_or(0)).value();
        Ok(match name {
            raw::UDP_CORK => self.corked.get().value(),
            raw::UDP_NO_CHECK6_TX => self.no_check_sent.get().value(),
            raw::UDP_NO_CHECK6_RX => self.no_check_received.get().value(),
            raw::UDP_SEGMENT => u32::from(self.segment.get()).value(),
            raw::UDPLITE_SEND_CSCOV => coverage(&self.coverage_sent),
            raw::UDPLITE_RECV_CSCOV => coverage(&self.coverage_least),
            _ => return Err(Errno::ENOPROTOOPT.into()),
        })
    }

    /// Bytes of a datagram that its checksum covers, unless it covers all (`udplite_csum` in include/net/udplite.h).
    pub(super) fn partial_coverage(&self, bytes: usize) -> Option<u16> {
        let whole = bytes + usize::from(COVERAGE_MIN);
        self.coverage_sent.get().filter(|&sent| sent > 0 && usize::from(sent) < whole)
    }

    /// Whether it takes a datagram in whose checksum covers this much (`udp_queue_rcv_one_skb`).
    pub(super) fn accepts_coverage(&self, partial: Option<u16>) -> bool {
        match (self.coverage_least.get(), partial) {
            (None, _) | (_, None) => true,
            (Some(least), Some(partial)) => least != 0 && partial >= least,
        }
    }
}
