//! Questions of `NETLINK_SOCK_DIAG` and their answers: the sockets of the node (sock_diag(7)).

use alloc::{collections::BTreeSet, vec, vec::Vec};
use core::net::{IpAddr, SocketAddr};

use linux_raw_sys::net as raw;

use super::message::{self, Question};
use crate::{
    error::Errno,
    net::{
        address::{Address, Family},
        socket::{
            object::SocketObject,
            shown::{Shown, state},
            udp::Protocol,
            unix::UnixSocket,
        },
        stack::{OnlyV6, SocketId, Stack},
    },
};

/// `SOCK_DIAG_BY_FAMILY`.
const BY_FAMILY: u16 = 20;
/// What was asked before there was that: `TCPDIAG_GETSOCK`, `DCCPDIAG_GETSOCK`.
const OLD_QUESTIONS: [u16; 2] = [18, 19];
const IPPROTO_TCP: u32 = 6;
/// A protocol whose number takes more than a byte.
const INET_DIAG_REQ_PROTOCOL: u16 = 3;
const INET_DIAG_SHUTDOWN: u16 = 8;
const INET_DIAG_SKV6ONLY: u16 = 11;
const UNIX_DIAG_NAME: u16 = 0;
const UNIX_DIAG_PEER: u16 = 2;
const UNIX_DIAG_RQLEN: u16 = 4;
const UNIX_DIAG_SHUTDOWN: u16 = 6;
const UDIAG_SHOW_NAME: u32 = 1;
const UDIAG_SHOW_PEER: u32 = 4;
const UDIAG_SHOW_RQLEN: u32 = 0x10;
/// Bytes in `struct inet_diag_req_v2`.
const INET_REQUEST: usize = 56;
/// Bytes in `struct unix_diag_req`.
const UNIX_REQUEST: usize = 24;
/// Bytes of an address in `struct inet_diag_sockid`.
const ADDRESS: usize = 16;

fn word(bytes: &[u8], at: usize) -> u32 {
    let bytes = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_ne_bytes)
}

fn port(bytes: &[u8], at: usize) -> u16 {
    let bytes = bytes.get(at..at + 2).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u16::from_be_bytes)
}

/// A queue's length as messages have it.
fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_ne_bytes()
}

/// Which sockets of the internet protocols are asked for.
struct InetRequest {
    family: u8,
    protocol: u32,
    /// A bit for each state.
    states: u32,
    /// Zero for any.
    local_port: u16,
    /// Zero for any.
    remote_port: u16,
}

impl InetRequest {
    /// Of a body that is long enough.
    fn read(body: &[u8]) -> Self {
        let (states, local_port, remote_port) = (word(body, 4), port(body, 8), port(body, 10));
        let mut asked = message::attributes(&body[INET_REQUEST..]);
        let long = asked.find(|&(kind, _)| kind == INET_DIAG_REQ_PROTOCOL);
        let protocol = long.map_or(u32::from(body[1]), |(_, value)| word(value, 0));
        Self { family: body[0], protocol, states, local_port, remote_port }
    }

    /// `inet_diag_dump_icsk` in net/ipv4/inet_diag.c.
    fn wants(&self, shown: &Shown) -> bool {
        let is_port = |wanted: u16, found: u16| wanted == 0 || wanted == found;
        shown.family.number() == u32::from(self.family)
            && self.states & (1 << shown.state) != 0
            && is_port(self.local_port, shown.local.port())
            && is_port(self.remote_port, shown.remote.map_or(0, |remote| remote.port()))
    }
}

/// The sockets of TCP: those that take connections first, as Linux has a table for them; each kind by its port.
fn tcp_sockets(stack: &Stack) -> Vec<Shown> {
    let all = stack.tcp.all();
    let waiting: BTreeSet<SocketId> =
        all.iter().flat_map(|socket| socket.waiting_connections()).collect();
    let shown = all
        .iter()
        .filter_map(|socket| socket.shown())
        .map(|shown| Shown { is_held: shown.is_held && !waiting.contains(&shown.id), ..shown });
    let (mut listening, others): (Vec<_>, Vec<_>) =
        shown.partition(|shown| shown.state == state::LISTEN);
    listening.extend(others);
    listening
}

fn udp_sockets(stack: &Stack, protocol: Protocol) -> Vec<Shown> {
    stack.datagrams(protocol).all().iter().filter_map(|socket| socket.shown()).collect()
}

/// An address in `struct inet_diag_sockid`.
fn address(address: IpAddr) -> [u8; ADDRESS] {
    let mut bytes = [0; ADDRESS];
    match address {
        IpAddr::V4(v4) => bytes[..4].copy_from_slice(&v4.octets()),
        IpAddr::V6(v6) => bytes.copy_from_slice(&v6.octets()),
    }
    bytes
}

fn cookie(id: SocketId) -> [u8; 8] {
    id.0.to_ne_bytes()
}

fn inode(id: SocketId) -> [u8; 4] {
    (id.0 as u32).to_ne_bytes()
}

impl Question<'_> {
    /// `struct inet_diag_msg` and what follows it.
    fn inet(&self, shown: &Shown) -> Vec<u8> {
        let mut message = self.message(BY_FAMILY);
        let nowhere = SocketAddr::new(shown.family.any(), 0);
        let remote = shown.remote.unwrap_or(nowhere);
        // No timer, nothing sent again.
        message.put(&[shown.family.number() as u8, shown.state, 0, 0]);
        message.put(&shown.local.port().to_be_bytes());
        message.put(&remote.port().to_be_bytes());
        message.put(&address(shown.local.ip()));
        message.put(&address(remote.ip()));
        // Any interface.
        message.put(&[0; 4]);
        message.put(&cookie(shown.id));
        // Nothing expires.
        message.put(&[0; 4]);
        message.put(&length(shown.incoming));
        message.put(&length(shown.outgoing));
        message.put(&if shown.is_held { shown.uid } else { 0 }.to_ne_bytes());
        message.put(&if shown.is_held { inode(shown.id) } else { [0; 4] });
        message.attribute(INET_DIAG_SHUTDOWN, &[shown.shut.bits()]);
        let is_alone = matches!(shown.state, state::LISTEN | state::CLOSE);
        if shown.family == Family::V6 && is_alone {
            message.attribute(INET_DIAG_SKV6ONLY, &[u8::from(shown.only_v6 == OnlyV6::Yes)]);
        }
        message.finish()
    }

    fn inet_sockets(&self, stack: &Stack) -> Vec<Vec<u8>> {
        if self.body.len() < INET_REQUEST {
            return vec![self.error(Some(Errno::EINVAL))];
        }
        if !self.is_dump() {
            return vec![self.error(Some(Errno::EOPNOTSUPP))];
        }
        let request = InetRequest::read(self.body);
        let sockets = match request.protocol {
            IPPROTO_TCP => tcp_sockets(stack),
            number if number == Protocol::Udp.number() => udp_sockets(stack, Protocol::Udp),
            number if number == Protocol::Lite.number() => udp_sockets(stack, Protocol::Lite),
            // As without a module for the protocol; programs look into /proc/net then.
            _ => return vec![self.done(Some(Errno::ENOENT))],
        };
        let wanted = sockets.iter().filter(|shown| request.wants(shown));
        self.dump(wanted.map(|shown| self.inet(shown)))
    }

    /// `struct unix_diag_msg` and what is asked for besides; `waiting` are sockets that no program holds yet.
    fn unix(&self, socket: &UnixSocket, waiting: &BTreeSet<SocketId>) -> Option<Vec<u8>> {
        let (states, wanted_inode, asked) =
            (word(self.body, 4), word(self.body, 8), word(self.body, 12));
        let (id, shown) = (socket.id(), socket.shown());
        let is_wanted = states & (1 << shown.state) != 0
            && (wanted_inode == 0 || wanted_inode == id.0 as u32)
            && !waiting.contains(&id);
        if !is_wanted {
            return None;
        }
        let mut message = self.message(BY_FAMILY);
        message.put(&[raw::AF_UNIX as u8, socket.kind().kind as u8, shown.state, 0]);
        message.put(&inode(id));
        message.put(&cookie(id));
        if asked & UDIAG_SHOW_NAME != 0 && shown.name.is_some() {
            // Without the family in front.
            let name = Address::Unix(shown.name).encode();
            message.attribute(UNIX_DIAG_NAME, name.get(2..).unwrap_or_default());
        }
        if asked & UDIAG_SHOW_PEER != 0 && shown.is_connected {
            let peer = shown.peer.filter(|peer| !waiting.contains(peer));
            message.attribute(UNIX_DIAG_PEER, &peer.map_or([0; 4], inode));
        }
        if asked & UDIAG_SHOW_RQLEN != 0 {
            let lengths = [length(shown.incoming), length(shown.outgoing)].concat();
            message.attribute(UNIX_DIAG_RQLEN, &lengths);
        }
        message.attribute(UNIX_DIAG_SHUTDOWN, &[shown.shut.bits()]);
        Some(message.finish())
    }

    fn unix_sockets(&self, stack: &Stack) -> Vec<Vec<u8>> {
        if self.body.len() < UNIX_REQUEST {
            return vec![self.error(Some(Errno::EINVAL))];
        }
        if !self.is_dump() {
            return vec![self.error(Some(Errno::EOPNOTSUPP))];
        }
        let all = stack.unix_sockets();
        let waiting = all.iter().flat_map(|socket| socket.waiting_connections()).collect();
        self.dump(all.iter().filter_map(|socket| self.unix(socket, &waiting)))
    }

    /// The datagrams that answer it.
    fn sockets(&self, stack: &Stack) -> Vec<Vec<u8>> {
        match (self.header.kind, u32::from(self.family())) {
            (BY_FAMILY, raw::AF_INET | raw::AF_INET6) => self.inet_sockets(stack),
            (BY_FAMILY, raw::AF_UNIX) => self.unix_sockets(stack),
            (BY_FAMILY, _) => vec![self.error(Some(Errno::ENOENT))],
            // As without a module for that.
            (kind, _) if OLD_QUESTIONS.contains(&kind) => vec![self.done(Some(Errno::ENOENT))],
            _ => vec![self.error(Some(Errno::EINVAL))],
        }
    }
}

/// The datagrams that answer what a program sent from a port.
pub(super) fn answer(sent: &[u8], port: u32, stack: &Stack) -> Vec<Vec<u8>> {
    message::answer(sent, port, |question| question.sockets(stack))
}

#[cfg(test)]
mod tests {
    use super::{
        super::message::{Header, Message, NLM_F_DUMP, NLMSG_DONE, NLMSG_ERROR},
        *,
    };
    use crate::net::{Network, socket::unix::UnixKind};

    /// The kind of each message that answers a question, and the number that follows its header.
    fn answers(stack: &Stack, kind: u16, flags: u16, body: &[u8]) -> Vec<(u16, i32)> {
        let mut message = Message::new(kind, flags, 7, 0);
        message.put(body);
        let datagrams = answer(&message.finish(), 1, stack);
        let read = |datagram: &Vec<u8>| {
            let header = Header::read(datagram).expect("a message");
            assert_eq!((header.sequence, header.len), (7, datagram.len()));
            (header.kind, word(datagram, 16) as i32)
        };
        datagrams.iter().map(read).collect()
    }

    #[test]
    fn what_is_not_asked_right_is_refused() {
        let network = Network::new(&[crate::testing::node()]);
        let stack = network.stack(0);
        let refused = |errno: Errno| [(NLMSG_ERROR, -i32::from(errno.number()))];
        let (v4, unix) = (raw::AF_INET as u8, raw::AF_UNIX as u8);
        let mut inet = [v4; INET_REQUEST];
        inet[1] = IPPROTO_TCP as u8;
        for len in 0..INET_REQUEST {
            let expected = if len == 0 { Errno::ENOENT } else { Errno::EINVAL };
            assert_eq!(answers(&stack, BY_FAMILY, NLM_F_DUMP, &inet[..len]), refused(expected));
        }
        let short = answers(&stack, BY_FAMILY, NLM_F_DUMP, &[unix; UNIX_REQUEST - 1]);
        assert_eq!(short, refused(Errno::EINVAL));
        assert_eq!(answers(&stack, BY_FAMILY, 1, &inet), refused(Errno::EOPNOTSUPP));
        assert_eq!(answers(&stack, BY_FAMILY, NLM_F_DUMP, &[99; 60]), refused(Errno::ENOENT));
        assert_eq!(answers(&stack, BY_FAMILY + 1, NLM_F_DUMP, &inet), refused(Errno::EINVAL));
        assert_eq!(answers(&stack, BY_FAMILY, NLM_F_DUMP, &inet), [(NLMSG_DONE, 0)]);
        let unknown = [(NLMSG_DONE, -i32::from(Errno::ENOENT.number()))];
        // Multipath TCP, whose number ends in that of TCP.
        let long = [&inet[..], &[8, 0, INET_DIAG_REQ_PROTOCOL as u8, 0, 6, 1, 0, 0]].concat();
        assert_eq!(answers(&stack, BY_FAMILY, NLM_F_DUMP, &long), unknown);
        inet[1] = u8::MAX;
        assert_eq!(answers(&stack, BY_FAMILY, NLM_F_DUMP, &inet), unknown);
        assert_eq!(answers(&stack, OLD_QUESTIONS[0], NLM_F_DUMP, &inet), unknown);
    }

    #[test]
    fn sockets_that_are_gone_are_not_listed() {
        let network = Network::new(&[crate::testing::node()]);
        let stack = network.stack(0);
        let mut body = [0xff; UNIX_REQUEST];
        body[0] = raw::AF_UNIX as u8;
        body[8..12].fill(0);
        let kept = UnixSocket::new(&stack, UnixKind::Stream);
        drop(UnixSocket::new(&stack, UnixKind::Datagram));
        let kinds = |answers: Vec<(u16, i32)>| answers.into_iter().map(|(kind, _)| kind);
        let listed = answers(&stack, BY_FAMILY, NLM_F_DUMP, &body);
        assert!(kinds(listed).eq([BY_FAMILY, NLMSG_DONE]));
        drop(kept);
        assert_eq!(answers(&stack, BY_FAMILY, NLM_F_DUMP, &body), [(NLMSG_DONE, 0)]);
    }
}
