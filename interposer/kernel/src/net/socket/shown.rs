//! What sock_diag(7) shows of a socket of the internet protocols.

use core::net::SocketAddr;

use super::tcp::Shut;
use crate::net::{
    address::Family,
    stack::{OnlyV6, SocketId},
};

/// Numbers of states (include/net/tcp_states.h).
pub mod state {
    /// It has another end.
    pub const ESTABLISHED: u8 = 1;
    /// It asks for a connection.
    pub const SYN_SENT: u8 = 2;
    /// Its connection is over, and its port still taken.
    pub const TIME_WAIT: u8 = 6;
    /// It has no other end.
    pub const CLOSE: u8 = 7;
    /// It takes connections.
    pub const LISTEN: u8 = 10;
}

/// What sock_diag(7) shows of a socket of the internet protocols.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shown {
    /// Names it.
    pub id: SocketId,
    /// Whether a program holds it, so that it has an inode.
    pub is_held: bool,
    /// The family it was made for.
    pub family: Family,
    /// See [`state`].
    pub state: u8,
    /// This end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: Option<SocketAddr>,
    /// What waits to be received: bytes, or connections.
    pub incoming: usize,
    /// What waits for the other end to take it; how many connections may wait, if it takes connections.
    pub outgoing: usize,
    /// Whose it is.
    pub uid: u32,
    /// Directions that its program has shut.
    pub shut: Shut,
    /// Whether it leaves IPv4 alone.
    pub only_v6: OnlyV6,
}
