//! What sock_diag(7) shows of a unix socket (`sk_diag_fill` in net/unix/diag.c).

use alloc::vec::Vec;

use super::socket::{State, UnixSocket};
use crate::net::{
    address::UnixName,
    socket::{shown::state, tcp::Shut},
    stack::SocketId,
};

/// What is shown of a unix socket.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnixShown {
    /// One of [`state`]'s.
    pub state: u8,
    /// Its name.
    pub name: Option<UnixName>,
    /// Whether it has, or had, another end.
    pub is_connected: bool,
    /// That end, if it is still there.
    pub peer: Option<SocketId>,
    /// What waits to be received: bytes, or connections.
    pub incoming: usize,
    /// Bytes that wait for the other end to take them; how many connections may wait, if it takes connections.
    pub outgoing: usize,
    /// Directions that are shut.
    pub shut: Shut,
}

impl UnixSocket {
    /// What is shown of it.
    #[must_use]
    pub fn shown(&self) -> UnixShown {
        let (number, incoming, outgoing) = match &*self.state.borrow() {
            State::Fresh => {
                let state =
                    if self.is_destination.get() { state::ESTABLISHED } else { state::CLOSE };
                (state, self.waiting(), self.sent.get())
            }
            State::Listening { backlog, ready } => (state::LISTEN, ready.len(), *backlog as usize),
            State::Connected { .. } => (state::ESTABLISHED, self.waiting(), self.sent.get()),
        };
        UnixShown {
            state: number,
            name: self.name.borrow().clone(),
            is_connected: matches!(*self.state.borrow(), State::Connected { .. }),
            peer: self.peer().map(|peer| peer.id),
            incoming,
            outgoing,
            shut: self.shut.get(),
        }
    }

    /// The connections that wait to be accepted: no program holds them yet.
    #[must_use]
    pub fn waiting_connections(&self) -> Vec<SocketId> {
        match &*self.state.borrow() {
            State::Listening { ready, .. } => ready.iter().map(|child| child.id).collect(),
            _ => Vec::new(),
        }
    }
}
