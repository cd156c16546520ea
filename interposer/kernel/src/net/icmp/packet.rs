//! A message of ICMP or ICMPv6 and what carries it (RFC 792, RFC 4443).

use alloc::vec::Vec;
use core::{
    net::{IpAddr, Ipv6Addr},
    time::Duration,
};

use crate::{
    net::socket::option_value::TIME_TO_LIVE,
    uapi::icmp::{
        ICMP_ECHO, ICMP_ECHOREPLY, ICMPV6_ECHO_REPLY, ICMPV6_ECHO_REQUEST, IPPROTO_ICMP,
        IPPROTO_ICMPV6,
    },
};

/// Bytes of a message's header: type, code, checksum, and what an echo has of its own: identifier and sequence number.
pub const HEADER: usize = 8;
/// Bytes of IPv4's header without options.
const IP_HEADER: usize = 20;
/// Version and length of such a header.
const IP_VERSION: u8 = 0x45;
/// `IP_DF`: it must not be cut.
const DONT_FRAGMENT: u16 = 0x4000;
/// What words of a message and its checksum add up to.
const INTACT: u16 = 0xffff;

/// What a message is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// An echo is asked for.
    Request,
    /// An echo.
    Reply,
    /// Something that nobody here answers.
    Other,
}

/// A message under way or received.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Packet {
    /// Where it comes from.
    pub from: IpAddr,
    /// Where it goes to. The family is that of `from`.
    pub to: IpAddr,
    /// What it says, from its type on; perhaps less than a header, if a raw socket sends it.
    pub bytes: Vec<u8>,
    /// Type of service, or traffic class.
    pub service: u32,
    /// Time to live, or hop limit.
    pub hops: u32,
    /// When it arrived, since 1970.
    pub arrived: Duration,
}

/// The sum of the 16-bit words of some bytes; a last byte counts as the first of a word (RFC 1071).
fn sum(bytes: &[u8]) -> u64 {
    let word = |pair: &[u8]| {
        u64::from(u16::from_be_bytes([pair[0], pair.get(1).copied().unwrap_or_default()]))
    };
    bytes.chunks(2).map(word).sum()
}

/// A sum in one's complement.
fn fold(mut sum: u64) -> u16 {
    while sum > u64::from(u16::MAX) {
        sum = (sum >> 16) + (sum & u64::from(u16::MAX));
    }
    sum as u16
}

/// What ICMPv6 adds to the sum of a message: the header that it would have of its own (RFC 8200, 8.1).
fn pseudo_header(from: Ipv6Addr, to: Ipv6Addr, len: usize) -> u64 {
    sum(&from.octets()) + sum(&to.octets()) + len as u64 + u64::from(IPPROTO_ICMPV6)
}

impl Packet {
    /// What it is about.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match (self.to, self.bytes.first()) {
            (IpAddr::V4(_), Some(&ICMP_ECHO)) => Kind::Request,
            (IpAddr::V4(_), Some(&ICMP_ECHOREPLY)) => Kind::Reply,
            (IpAddr::V6(_), Some(&ICMPV6_ECHO_REQUEST)) => Kind::Request,
            (IpAddr::V6(_), Some(&ICMPV6_ECHO_REPLY)) => Kind::Reply,
            _ => Kind::Other,
        }
    }

    /// Whose echo it is; zero if it is too short to say.
    #[must_use]
    pub fn identifier(&self) -> u16 {
        match self.bytes[..] {
            [_, _, _, _, high, low, ..] => u16::from_be_bytes([high, low]),
            _ => 0,
        }
    }

    /// Says whose echo it is, if it is long enough for that.
    pub fn set_identifier(&mut self, identifier: u16) {
        if let Some(place) = self.bytes.get_mut(4..6) {
            place.copy_from_slice(&identifier.to_be_bytes());
        }
    }

    fn total(&self) -> u16 {
        let around = match (self.from, self.to) {
            (IpAddr::V6(from), IpAddr::V6(to)) => pseudo_header(from, to, self.bytes.len()),
            _ => 0,
        };
        fold(around + sum(&self.bytes))
    }

    /// Gives it the right checksum, if it is long enough for one.
    pub fn seal(&mut self) {
        if let Some(place) = self.bytes.get_mut(2..4) {
            place.fill(0);
            let checksum = !self.total();
            self.bytes[2..4].copy_from_slice(&checksum.to_be_bytes());
        }
    }

    /// Whether its checksum is right.
    #[must_use]
    pub fn adds_up(&self) -> bool {
        self.total() == INTACT
    }

    /// Whether it has a header, and the checksum is right.
    #[must_use]
    pub fn is_intact(&self) -> bool {
        self.bytes.len() >= HEADER && self.adds_up()
    }

    /// The echo that is asked for (`icmp_echo` in net/ipv4/icmp.c, `icmpv6_echo_reply` in net/ipv6/icmp.c).
    #[must_use]
    pub fn answer(&self) -> Self {
        let kind = if self.to.is_ipv4() { ICMP_ECHOREPLY } else { ICMPV6_ECHO_REPLY };
        let mut bytes = self.bytes.clone();
        bytes.iter_mut().take(1).for_each(|first| *first = kind);
        let (from, to) = (self.to, self.from);
        let mut answer = Self { from, to, bytes, hops: TIME_TO_LIVE, ..*self };
        answer.seal();
        answer
    }

    /// The header of IPv4 that raw sockets show before the message: none with IPv6 (raw(7), ipv6(7)). Nothing is ever cut
    /// on its way, so that no packet needs an identification (RFC 6864).
    #[must_use]
    pub fn ip_header(&self) -> Option<[u8; IP_HEADER]> {
        let (IpAddr::V4(from), IpAddr::V4(to)) = (self.from, self.to) else { return None };
        let len = u16::try_from(IP_HEADER + self.bytes.len()).unwrap_or(u16::MAX);
        let mut header = [0; IP_HEADER];
        (header[0], header[1]) = (IP_VERSION, self.service as u8);
        header[2..4].copy_from_slice(&len.to_be_bytes());
        header[6..8].copy_from_slice(&DONT_FRAGMENT.to_be_bytes());
        (header[8], header[9]) = (self.hops as u8, IPPROTO_ICMP as u8);
        header[12..16].copy_from_slice(&from.octets());
        header[16..20].copy_from_slice(&to.octets());
        let checksum = !fold(sum(&header));
        header[10..12].copy_from_slice(&checksum.to_be_bytes());
        Some(header)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(from: &str, to: &str, bytes: &[u8]) -> Packet {
        let [from, to] = [from, to].map(|text| text.parse().unwrap());
        let arrived = Duration::ZERO;
        Packet { from, to, bytes: bytes.to_vec(), service: 0, hops: 64, arrived }
    }

    #[test]
    fn what_is_sealed_is_intact_until_a_bit_is_wrong() {
        for (ends, bytes) in [
            (["10.0.0.1", "10.0.0.2"], &b"\x08\0\0\0\0\x01\0\x01"[..]),
            (["10.0.0.1", "10.0.0.2"], b"\x08\0\0\0\xff\xff\xff\xffodd"),
            (["::1", "::1"], b"\x80\0\0\0\0\x01\0\x01some bytes"),
        ] {
            let mut sealed = packet(ends[0], ends[1], bytes);
            assert!(!sealed.is_intact());
            sealed.seal();
            assert!(sealed.is_intact());
            for bit in 0..sealed.bytes.len() * 8 {
                let mut wrong = sealed.clone();
                wrong.bytes[bit / 8] ^= 1 << (bit % 8);
                assert!(!wrong.is_intact(), "{bit}");
            }
        }
    }

    #[test]
    fn an_answer_goes_back_and_says_the_same() {
        for (ends, asked, answered) in [
            (["10.0.0.1", "10.0.0.2"], ICMP_ECHO, ICMP_ECHOREPLY),
            (["::1", "::1"], ICMPV6_ECHO_REQUEST, ICMPV6_ECHO_REPLY),
        ] {
            let mut request = packet(ends[0], ends[1], b"\0\0\0\0\x12\x34\0\x07what");
            request.bytes[0] = asked;
            assert_eq!(request.kind(), Kind::Request);
            let answer = request.answer();
            assert!(answer.is_intact());
            assert_eq!((answer.kind(), answer.bytes[0]), (Kind::Reply, answered));
            assert_eq!((answer.from, answer.to), (request.to, request.from));
            assert_eq!((answer.identifier(), &answer.bytes[6..]), (0x1234, &request.bytes[6..]));
        }
    }

    #[test]
    fn short_messages_are_of_no_use_and_do_no_harm() {
        for len in 0..HEADER {
            let mut short = packet("10.0.0.1", "10.0.0.2", &[ICMP_ECHO; HEADER][..len]);
            short.seal();
            assert!(!short.is_intact());
            assert!(len > 5 || short.identifier() == 0);
            let _ = (short.answer(), short.kind());
        }
    }

    #[test]
    fn the_header_of_ipv4_adds_up() {
        let asked = packet("10.0.0.1", "10.0.0.2", &[0; 8]);
        let header = asked.ip_header().unwrap();
        assert_eq!(fold(sum(&header)), INTACT);
        assert_eq!(header[..4], [0x45, 0, 0, 28]);
        assert_eq!(packet("::1", "::1", &[0; 8]).ip_header(), None);
    }
}
