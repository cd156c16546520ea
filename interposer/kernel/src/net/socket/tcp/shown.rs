//! What sock_diag(7) shows of a socket of TCP (`inet_sk_diag_fill` in net/ipv4/inet_diag.c, `tcp_diag_get_info`).

use alloc::vec::Vec;

use super::{Phase, Shut, State, TcpSocket};
use crate::net::{
    socket::shown::{Shown, state},
    stack::SocketId,
};

/// The request for a connection takes a place among the numbers of bytes.
const REQUEST: usize = 1;

impl TcpSocket {
    /// What is shown of it; nothing if it neither has a connection nor asks for one nor takes any.
    #[must_use]
    pub fn shown(&self) -> Option<Shown> {
        let nothing_shut = Shut::empty();
        let (number, incoming, outgoing, shut) = match &*self.state.borrow() {
            State::Fresh(_) => return None,
            State::Listening(listening) => {
                let (waiting, most) = (listening.ready.len(), listening.backlog as usize);
                (state::LISTEN, waiting, most, nothing_shut)
            }
            State::Connecting(_) => (state::SYN_SENT, 0, REQUEST, nothing_shut),
            State::Connected(connected) => match connected.phase {
                Phase::Ended(_) => return None,
                Phase::TimeWait(_) => (state::TIME_WAIT, 0, 0, nothing_shut),
                phase => {
                    // That nothing follows takes a place among the numbers of bytes, too.
                    let end = usize::from(matches!(phase, Phase::CloseWait(_)));
                    let (unread, unsent) = (self.readable_at_once(), self.unacknowledged());
                    (phase.number(), unread + end, unsent, connected.shut)
                }
            },
        };
        let remote = self.ends().map(|(_, remote)| self.family.show(remote));
        Some(Shown {
            id: self.id,
            is_held: !self.orphaned.get() && number != state::TIME_WAIT,
            family: self.family,
            state: number,
            local: self.local_end(),
            remote,
            incoming,
            outgoing,
            uid: self.binding.get().map_or(0, |binding| binding.uid),
            shut,
            only_v6: self.only_v6.get(),
        })
    }

    /// The connections that wait to be accepted: no program holds them yet.
    #[must_use]
    pub fn waiting_connections(&self) -> Vec<SocketId> {
        match &*self.state.borrow() {
            State::Listening(listening) => listening.ready.iter().map(|child| child.id).collect(),
            _ => Vec::new(),
        }
    }
}
