//! What a socket of TCP is.

use alloc::{
    collections::VecDeque,
    rc::{Rc, Weak},
};
use core::net::SocketAddr;

use super::{Phase, Shut, TcpSocket, urgent::Urgent};
use crate::{net::ring::Ring, time::Instant};

/// Neither connected nor listening.
#[derive(Debug, Default)]
pub struct Fresh {
    /// Whether an attempt to connect failed of which `connect` has not told yet.
    pub failed: bool,
    /// What its program has shut, for which it was told that there is no connection.
    pub shut: Shut,
}

impl Fresh {
    /// After an attempt to connect that failed.
    #[must_use]
    pub fn failed() -> Self {
        Self { failed: true, shut: Shut::empty() }
    }

    /// Whether reading comes to an end here.
    #[must_use]
    pub fn is_over(&self) -> bool {
        self.failed || self.shut.contains(Shut::RECEIVE)
    }
}

/// Takes connections.
pub struct Listening {
    /// Most connections that wait, less one (`sk_acceptq_is_full` in include/net/sock.h).
    pub backlog: u32,
    /// Those that wait.
    pub ready: VecDeque<Rc<TcpSocket>>,
}

/// Asks for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Connecting {
    /// This end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// Times it has asked.
    pub attempts: u32,
}

/// Has, or had, a connection.
pub struct Connected {
    /// This end.
    pub local: SocketAddr,
    /// The other end.
    pub remote: SocketAddr,
    /// The other end's socket.
    pub peer: Weak<TcpSocket>,
    /// How far the connection is.
    pub phase: Phase,
    /// What this end's program has shut.
    pub shut: Shut,
    /// When what was sent last arrives.
    pub last_due: Instant,
    /// Whether `connect` has said so.
    pub told: bool,
    /// Whether the other end has said that nothing follows (`SOCK_DONE`).
    pub is_done: bool,
}

/// What a socket of TCP is.
#[allow(missing_docs, reason = "each holds the state it is named after")]
pub enum State {
    Fresh(Fresh),
    Listening(Listening),
    Connecting(Connecting),
    Connected(Connected),
}

impl Default for State {
    fn default() -> Self {
        Self::Fresh(Fresh::default())
    }
}

impl Connected {
    /// The directions that are shut, by whichever end.
    #[must_use]
    pub fn all_shut(&self) -> Shut {
        let mut shut = self.shut;
        if !self.phase.may_receive() {
            shut |= Shut::RECEIVE;
        }
        if !self.phase.may_send() {
            shut |= Shut::SEND;
        }
        shut
    }
}

impl Connecting {
    /// The other end has agreed.
    #[must_use]
    pub fn establish(self, peer: Weak<TcpSocket>, now: Instant) -> Connected {
        Connected {
            local: self.local,
            remote: self.remote,
            peer,
            phase: Phase::START,
            shut: Shut::empty(),
            last_due: now,
            told: false,
            is_done: false,
        }
    }
}

/// What the other end has written: some of it has arrived, the rest is under way.
#[derive(Debug, Default)]
pub struct Incoming {
    /// All of it.
    pub bytes: Ring,
    /// How much has arrived.
    pub arrived: usize,
    /// The urgent byte in it.
    pub urgent: Option<Urgent>,
}

impl Incoming {
    /// Bytes that can be read when the receiver takes at most `window`.
    #[must_use]
    pub fn readable(&self, window: usize) -> usize {
        self.arrived.min(window)
    }

    /// Bytes that still take up room at the sender.
    #[must_use]
    pub fn unacknowledged(&self, window: usize) -> usize {
        self.bytes.len() - self.readable(window)
    }

    /// Drops bytes that were read.
    pub fn consume(&mut self, len: usize) {
        self.bytes.consume(len);
        self.arrived -= len.min(self.arrived);
        self.pass_urgent(len);
    }
}
