//! Questions of `NETLINK_ROUTE` and their answers (rtnetlink(7)).

use alloc::{vec, vec::Vec};
use core::net::IpAddr;

use linux_raw_sys::net as raw;

use crate::{
    error::Errno,
    net::host::{Interface, Interfaces},
};

const NLMSG_ERROR: u16 = 2;
const NLMSG_DONE: u16 = 3;
const NLM_F_MULTI: u16 = 2;
const NLM_F_ACK: u16 = 4;
/// `NLM_F_DUMP`: all there is.
const NLM_F_DUMP: u16 = 0x300;
const RTM_NEWLINK: u16 = 16;
const RTM_GETLINK: u16 = 18;
const RTM_NEWADDR: u16 = 20;
const RTM_GETADDR: u16 = 22;
const RTM_GETROUTE: u16 = 26;
const RTM_GETNEIGH: u16 = 30;
/// Every fourth kind of message is a question; the others change something, which needs `CAP_NET_ADMIN`.
const KIND_MASK: u16 = 3;
const KIND_GET: u16 = 2;
const IFLA_ADDRESS: u16 = 1;
const IFLA_BROADCAST: u16 = 2;
const IFLA_IFNAME: u16 = 3;
const IFLA_MTU: u16 = 4;
const IFLA_QDISC: u16 = 6;
const IFLA_TXQLEN: u16 = 13;
const IFLA_OPERSTATE: u16 = 16;
const IFA_ADDRESS: u16 = 1;
const IFA_LOCAL: u16 = 2;
const IFA_LABEL: u16 = 3;
const IFA_BROADCAST: u16 = 4;
const IFA_CACHEINFO: u16 = 6;
const IFA_FLAGS: u16 = 8;
const IFA_F_PERMANENT: u8 = 0x80;
const SCOPE_HOST: u8 = 254;
const IF_OPER_UNKNOWN: u8 = 0;
const IF_OPER_UP: u8 = 6;
const QUEUE_LENGTH: u32 = 1000;
/// Bytes in `struct nlmsghdr`.
const HEADER: usize = 16;
/// Bytes in `struct ifinfomsg`.
const LINK_HEADER: usize = 16;
/// Messages and attributes are aligned to this.
const ALIGNMENT: usize = 4;

/// A message's header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Header {
    len: usize,
    kind: u16,
    flags: u16,
    sequence: u32,
}

impl Header {
    fn read(bytes: &[u8]) -> Option<Self> {
        let half = |at: usize| Some(u16::from_ne_bytes(bytes.get(at..at + 2)?.try_into().ok()?));
        let word = |at: usize| Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?));
        let len = word(0)? as usize;
        (HEADER..=bytes.len()).contains(&len).then_some(())?;
        Some(Self { len, kind: half(4)?, flags: half(6)?, sequence: word(8)? })
    }
}

/// A message under construction.
struct Message(Vec<u8>);

impl Message {
    fn new(kind: u16, flags: u16, sequence: u32, port: u32) -> Self {
        let mut bytes = vec![0; 4];
        bytes.extend_from_slice(&kind.to_ne_bytes());
        bytes.extend_from_slice(&flags.to_ne_bytes());
        bytes.extend_from_slice(&sequence.to_ne_bytes());
        bytes.extend_from_slice(&port.to_ne_bytes());
        Self(bytes)
    }

    fn put(&mut self, bytes: &[u8]) {
        self.0.extend_from_slice(bytes);
    }

    fn attribute(&mut self, kind: u16, data: &[u8]) {
        let len = (2 * size_of::<u16>() + data.len()) as u16;
        self.put(&len.to_ne_bytes());
        self.put(&kind.to_ne_bytes());
        self.put(data);
        self.pad();
    }

    fn text(&mut self, kind: u16, text: &str) {
        self.attribute(kind, &[text.as_bytes(), &[0]].concat());
    }

    fn pad(&mut self) {
        self.0.resize(self.0.len().next_multiple_of(ALIGNMENT), 0);
    }

    fn finish(mut self) -> Vec<u8> {
        let len = self.0.len() as u32;
        self.0[..4].copy_from_slice(&len.to_ne_bytes());
        self.pad();
        self.0
    }
}

/// One question and who asks it.
struct Question<'a> {
    header: Header,
    port: u32,
    body: &'a [u8],
}

impl Question<'_> {
    fn message(&self, kind: u16) -> Message {
        let flags = if self.is_dump() { NLM_F_MULTI } else { 0 };
        Message::new(kind, flags, self.header.sequence, self.port)
    }

    fn is_dump(&self) -> bool {
        self.header.flags & NLM_F_DUMP == NLM_F_DUMP
    }

    /// The family asked for; zero for any.
    fn family(&self) -> u8 {
        self.body.first().copied().unwrap_or(0)
    }

    fn link(&self, interface: &Interface) -> Vec<u8> {
        let mut message = self.message(RTM_NEWLINK);
        message.put(&[0, 0]);
        message.put(&interface.kind.to_ne_bytes());
        message.put(&interface.index.to_ne_bytes());
        message.put(&interface.flags.to_ne_bytes());
        message.put(&[0; 4]);
        message.text(IFLA_IFNAME, interface.name);
        message.attribute(IFLA_TXQLEN, &QUEUE_LENGTH.to_ne_bytes());
        let state = if interface.is_loopback() { IF_OPER_UNKNOWN } else { IF_OPER_UP };
        message.attribute(IFLA_OPERSTATE, &[state]);
        message.attribute(IFLA_MTU, &interface.mtu.to_ne_bytes());
        message.attribute(IFLA_ADDRESS, &interface.hardware);
        let broadcast = if interface.is_loopback() { [0; 6] } else { [0xff; 6] };
        message.attribute(IFLA_BROADCAST, &broadcast);
        message.text(IFLA_QDISC, "noqueue");
        message.finish()
    }

    fn address(&self, interface: &Interface, address: IpAddr, prefix: u8) -> Vec<u8> {
        let mut message = self.message(RTM_NEWADDR);
        let family = if address.is_ipv4() { raw::AF_INET } else { raw::AF_INET6 } as u8;
        let scope = if interface.is_loopback() { SCOPE_HOST } else { 0 };
        message.put(&[family, prefix, IFA_F_PERMANENT, scope]);
        message.put(&interface.index.to_ne_bytes());
        match address {
            IpAddr::V4(v4) => {
                message.attribute(IFA_ADDRESS, &v4.octets());
                message.attribute(IFA_LOCAL, &v4.octets());
                if let Some(broadcast) = interface.broadcast() {
                    message.attribute(IFA_BROADCAST, &broadcast.octets());
                }
                message.text(IFA_LABEL, interface.name);
            }
            IpAddr::V6(v6) => message.attribute(IFA_ADDRESS, &v6.octets()),
        }
        message.attribute(IFA_FLAGS, &u32::from(IFA_F_PERMANENT).to_ne_bytes());
        // Valid and preferred for ever; made at boot.
        let [forever, boot] = [u32::MAX, 0].map(u32::to_ne_bytes);
        message.attribute(IFA_CACHEINFO, &[forever, forever, boot, boot].concat());
        message.finish()
    }

    fn addresses(&self, interfaces: &Interfaces) -> Vec<u8> {
        let wanted = |address: &IpAddr| match u32::from(self.family()) {
            raw::AF_INET => address.is_ipv4(),
            raw::AF_INET6 => address.is_ipv6(),
            _ => true,
        };
        let all = interfaces.iter().flat_map(|interface| {
            interface.addresses.iter().map(move |&(address, prefix)| (interface, address, prefix))
        });
        all.filter(|(_, address, _)| wanted(address))
            .flat_map(|(interface, address, prefix)| self.address(interface, address, prefix))
            .collect()
    }

    /// The interface that a question for one names, by number or by name.
    fn named<'a>(&self, interfaces: &'a Interfaces) -> Option<&'a Interface> {
        let index = u32::from_ne_bytes(self.body.get(4..8)?.try_into().ok()?);
        if index != 0 {
            return interfaces.by_index(index);
        }
        let mut rest = self.body.get(LINK_HEADER..)?;
        while let Some((&[a, b, c, d], data)) = rest.split_first_chunk() {
            let (len, kind) = (u16::from_ne_bytes([a, b]), u16::from_ne_bytes([c, d]));
            let len = usize::from(len);
            let value = data.get(..len.checked_sub(4)?)?;
            if kind == IFLA_IFNAME {
                let name = value.split(|&byte| byte == 0).next()?;
                return interfaces.by_name(name);
            }
            rest = rest.get(len.next_multiple_of(ALIGNMENT)..)?;
        }
        None
    }

    fn error(&self, errno: Option<Errno>) -> Vec<u8> {
        let mut message = Message::new(NLMSG_ERROR, 0, self.header.sequence, self.port);
        let number = errno.map_or(0, |errno| -i32::from(errno.number()));
        message.put(&number.to_ne_bytes());
        let echo =
            Message::new(self.header.kind, self.header.flags, self.header.sequence, self.port);
        let at = message.0.len();
        message.put(&echo.0);
        message.0[at..at + 4].copy_from_slice(&(self.header.len as u32).to_ne_bytes());
        message.finish()
    }

    fn done(&self) -> Vec<u8> {
        let mut message = self.message(NLMSG_DONE);
        message.put(&[0; 4]);
        message.finish()
    }

    /// The datagrams that answer it.
    fn answer(&self, interfaces: &Interfaces) -> Vec<Vec<u8>> {
        let all = match (self.header.kind, self.is_dump()) {
            (kind, _) if kind & KIND_MASK != KIND_GET => {
                return vec![self.error(Some(Errno::EPERM))];
            }
            (RTM_GETLINK, true) => interfaces.iter().flat_map(|each| self.link(each)).collect(),
            (RTM_GETADDR, true) => self.addresses(interfaces),
            (RTM_GETROUTE | RTM_GETNEIGH, true) => Vec::new(),
            (RTM_GETLINK, false) => {
                return vec![match self.named(interfaces) {
                    Some(interface) => self.link(interface),
                    None => self.error(Some(Errno::ENODEV)),
                }];
            }
            (RTM_GETROUTE, false) => return vec![self.error(Some(Errno::ENETUNREACH))],
            _ => return vec![self.error(Some(Errno::EOPNOTSUPP))],
        };
        let mut datagrams = Vec::new();
        if !all.is_empty() {
            datagrams.push(all);
        }
        datagrams.push(self.done());
        datagrams
    }
}

/// The datagrams that answer what a program sent from a port.
pub(super) fn answer(mut sent: &[u8], port: u32, interfaces: &Interfaces) -> Vec<Vec<u8>> {
    /// Kinds below are the protocol's own (`NLMSG_MIN_TYPE`).
    const KIND_MIN: u16 = 16;
    let mut datagrams = Vec::new();
    while let Some(header) = Header::read(sent) {
        let question = Question { header, port, body: &sent[HEADER..header.len] };
        if header.kind >= KIND_MIN {
            datagrams.extend(question.answer(interfaces));
        } else if header.flags & NLM_F_ACK != 0 {
            datagrams.push(question.error(None));
        }
        sent = sent.get(header.len.next_multiple_of(ALIGNMENT)..).unwrap_or_default();
    }
    datagrams
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(sent: &[u8]) -> Vec<Vec<u8>> {
        super::answer(sent, 1, &Interfaces::new([10, 0, 0, 1].into()))
    }

    fn question(kind: u16, flags: u16, body: &[u8]) -> Vec<u8> {
        let mut message = Message::new(kind, flags, 7, 0);
        message.put(body);
        message.finish()
    }

    fn kinds(datagrams: &[Vec<u8>]) -> Vec<u16> {
        let mut kinds = Vec::new();
        for datagram in datagrams {
            let mut rest = &datagram[..];
            while let Some(header) = Header::read(rest) {
                assert_eq!(header.sequence, 7);
                kinds.push(header.kind);
                rest = &rest[header.len.next_multiple_of(ALIGNMENT)..];
            }
            assert!(rest.is_empty());
        }
        kinds
    }

    #[test]
    fn dumps_list_interfaces_and_addresses() {
        let dump = NLM_F_DUMP | 1;
        let (v4, v6) = (raw::AF_INET as u8, raw::AF_INET6 as u8);
        let cases: [(u16, u8, &[u16]); 4] = [
            (RTM_GETLINK, 0, &[RTM_NEWLINK, RTM_NEWLINK, NLMSG_DONE]),
            (RTM_GETADDR, 0, &[RTM_NEWADDR, RTM_NEWADDR, RTM_NEWADDR, NLMSG_DONE]),
            (RTM_GETADDR, v4, &[RTM_NEWADDR, RTM_NEWADDR, NLMSG_DONE]),
            (RTM_GETADDR, v6, &[RTM_NEWADDR, NLMSG_DONE]),
        ];
        for (kind, family, expected) in cases {
            let answer = answer(&question(kind, dump, &[family]));
            assert_eq!(kinds(&answer), expected, "{kind} {family}");
        }
    }

    #[test]
    fn changes_are_refused_and_garbage_is_ignored() {
        assert_eq!(kinds(&answer(&question(RTM_NEWLINK, 1, &[0; 16]))), [NLMSG_ERROR]);
        assert_eq!(kinds(&answer(&question(NLMSG_DONE, NLM_F_ACK, &[]))), [NLMSG_ERROR]);
        let whole = question(RTM_GETLINK, 1, &[0; 16]);
        for len in 0..whole.len() {
            assert!(answer(&whole[..len]).is_empty(), "{len}");
        }
    }

    #[test]
    fn one_interface_is_found_by_number_or_name() {
        let mut body = [0; LINK_HEADER].to_vec();
        assert_eq!(kinds(&answer(&question(RTM_GETLINK, 1, &body))), [NLMSG_ERROR]);
        body[4] = 1;
        assert_eq!(kinds(&answer(&question(RTM_GETLINK, 1, &body))), [RTM_NEWLINK]);
        body[4] = 0;
        body.extend_from_slice(&[9, 0, IFLA_IFNAME as u8, 0, b'e', b't', b'h', b'0', 0, 0, 0, 0]);
        assert_eq!(kinds(&answer(&question(RTM_GETLINK, 1, &body))), [RTM_NEWLINK]);
    }
}
