//! A link, what goes over it, and the faults that are for it.

use alloc::{rc::Rc, vec::Vec};
use core::{
    cell::{Cell, RefCell},
    net::SocketAddr,
};

use simrun_abi::faults::{Protocol, Way};

use crate::node::NodeId;

/// Two ends that may send each other something.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Link {
    /// What carries it.
    pub protocol: Protocol,
    /// The end that has connected; of datagrams the one whose port the kernel chose.
    pub client: SocketAddr,
    /// The other end.
    pub server: SocketAddr,
    /// Their nodes, in this order.
    pub nodes: (NodeId, NodeId),
    /// Path of the program that has connected, or sends the datagram.
    pub program: Rc<[u8]>,
}

impl Link {
    /// Sender and receiver of what goes this way.
    pub(super) fn pair(&self, way: Way) -> (NodeId, NodeId) {
        let (client, server) = self.nodes;
        match way {
            Way::Request => (client, server),
            Way::Reply => (server, client),
        }
    }
}

/// What is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cargo {
    /// A request for a connection.
    Request,
    /// So many bytes of a stream.
    Data(usize),
    /// That nothing follows on a stream.
    End,
    /// What else keeps a stream going.
    Control,
    /// A datagram of so many bytes.
    Datagram(usize),
}

impl Cargo {
    /// Bytes that it counts for.
    pub(super) fn bytes(self) -> u64 {
        match self {
            Self::Data(len) | Self::Datagram(len) => len as u64,
            Self::Request | Self::End | Self::Control => 0,
        }
    }
}

/// The end that a fault has in store for a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Breach {
    pub fault: u16,
    /// Bytes that the connection carries before.
    pub after: u64,
    /// Whether it comes for sure then, or when the fault fires next.
    pub is_sure: bool,
}

/// What all links have in common that lead from the same program to the same server: the faults that are for them.
#[derive(Debug, Default)]
pub(super) struct Route {
    /// The faults, by index.
    pub faults: Vec<u16>,
    /// Those of them that may do something now, as far as is known.
    pub awake: RefCell<Vec<u16>>,
    /// When one that does nothing now may do something, in nanoseconds from the start of the run.
    pub next_wakes: Cell<u64>,
    /// The round of all faults in which that was found out.
    pub round: Cell<u64>,
    /// Those of them that end connections, by index.
    pub breakers: Vec<u16>,
    /// Whether what is written may be cut into pieces, or tampered with.
    pub is_sliced: bool,
    /// See above.
    pub is_tampered: bool,
    /// How many bytes of a stream arrive together at most.
    pub piece: Option<usize>,
}

/// A link that faults are for.
#[derive(Debug)]
pub struct Wire {
    /// Its ends.
    pub link: Link,
    pub(super) route: Rc<Route>,
    pub(super) breaches: Vec<Breach>,
    /// Bytes carried so far, both ways together.
    pub(super) carried: Cell<u64>,
    /// Whether it has been broken.
    pub(super) is_broken: Cell<bool>,
    /// Whether nothing gets through any more.
    pub(super) is_silent: Cell<bool>,
    /// Whether somebody in the middle has closed it.
    pub(super) is_closed: Cell<bool>,
}

impl Wire {
    /// A link over which nothing has gone yet.
    pub(super) fn new(link: Link, route: Rc<Route>, breaches: Vec<Breach>) -> Self {
        Self {
            link,
            route,
            breaches,
            carried: Cell::new(0),
            is_broken: Cell::new(false),
            is_silent: Cell::new(false),
            is_closed: Cell::new(false),
        }
    }

    /// Which way goes what an end sends.
    #[must_use]
    pub fn way_from(&self, end: SocketAddr) -> Way {
        if end == self.link.client { Way::Request } else { Way::Reply }
    }

    /// Whether somebody in the middle may change what is sent.
    #[must_use]
    pub fn is_tampered(&self) -> bool {
        self.route.is_tampered
    }

    /// Whether nothing gets through any more.
    #[must_use]
    pub fn is_silent(&self) -> bool {
        self.is_silent.get()
    }
}
