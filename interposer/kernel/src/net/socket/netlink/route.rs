//! Questions of `NETLINK_ROUTE` and their answers (rtnetlink(7)).

use alloc::{vec, vec::Vec};
use core::net::IpAddr;

use linux_raw_sys::net as raw;

use super::message::{self, Question};
use crate::{
    error::Errno,
    net::host::{Interface, Interfaces},
};

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
/// Bytes in `struct ifinfomsg`.
const LINK_HEADER: usize = 16;

impl Question<'_> {
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

    fn addresses(&self, interfaces: &Interfaces) -> Vec<Vec<u8>> {
        let wanted = |address: &IpAddr| match u32::from(self.family()) {
            raw::AF_INET => address.is_ipv4(),
            raw::AF_INET6 => address.is_ipv6(),
            _ => true,
        };
        let all = interfaces.iter().flat_map(|interface| {
            interface.addresses.iter().map(move |&(address, prefix)| (interface, address, prefix))
        });
        all.filter(|(_, address, _)| wanted(address))
            .map(|(interface, address, prefix)| self.address(interface, address, prefix))
            .collect()
    }

    /// The interface that a question for one names, by number or by name.
    fn named<'a>(&self, interfaces: &'a Interfaces) -> Option<&'a Interface> {
        let index = u32::from_ne_bytes(self.body.get(4..8)?.try_into().ok()?);
        if index != 0 {
            return interfaces.by_index(index);
        }
        let mut asked = message::attributes(self.body.get(LINK_HEADER..)?);
        let (_, value) = asked.find(|&(kind, _)| kind == IFLA_IFNAME)?;
        let name = value.split(|&byte| byte == 0).next()?;
        interfaces.by_name(name)
    }

    /// The datagrams that answer it.
    fn routes(&self, interfaces: &Interfaces) -> Vec<Vec<u8>> {
        let all = match (self.header.kind, self.is_dump()) {
            (kind, _) if kind & KIND_MASK != KIND_GET => {
                return vec![self.error(Some(Errno::EPERM))];
            }
            (RTM_GETLINK, true) => interfaces.iter().map(|each| self.link(each)).collect(),
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
        self.dump(all)
    }
}

/// The datagrams that answer what a program sent from a port.
pub(super) fn answer(sent: &[u8], port: u32, interfaces: &Interfaces) -> Vec<Vec<u8>> {
    message::answer(sent, port, |question| question.routes(interfaces))
}

#[cfg(test)]
mod tests {
    use super::{
        super::message::{
            ALIGNMENT, Header, Message, NLM_F_ACK, NLM_F_DUMP, NLMSG_DONE, NLMSG_ERROR,
        },
        *,
    };

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
