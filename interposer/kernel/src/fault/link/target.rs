//! Which links a fault is for.

use alloc::{string::String, vec::Vec};
use core::net::IpAddr;

use simrun_abi::{
    faults::{LinkMatch, Match, Network, NodeMatch, Way},
    node::Node,
};

use super::Link;
use crate::fault::{
    pattern::{Pattern, matches_program},
    place::Place,
};

/// Which links a fault is for, and which way.
pub(super) struct Target {
    link: Ends,
    unless: Vec<Ends>,
    processes: Vec<Pattern>,
    place: Place,
    /// Whether what stays within a node is spared unless its server is asked for: that is not the network, if there is one.
    spares_loopback: bool,
}

/// What is said of a link's server, and of what carries it.
struct Ends {
    wanted: LinkMatch,
    hosts: Vec<Pattern>,
}

impl Ends {
    fn new(wanted: &LinkMatch) -> Self {
        let hosts = wanted.hosts.iter().map(|text| Pattern::new(text)).collect();
        Self { wanted: wanted.clone(), hosts }
    }

    fn fit(&self, link: &Link, has_name: &dyn Fn(&Pattern) -> bool) -> bool {
        let address = bits(link.server.ip());
        is_any(&self.wanted.protocols, |&protocol| protocol == link.protocol)
            && is_any(&self.wanted.ports, |&port| port == link.server.port())
            && is_any(&self.wanted.networks, |network: &Network| network.contains(address))
            && is_any(&self.hosts, has_name)
    }
}

/// An address as networks are compared with.
fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn is_any<T>(wanted: &[T], is_it: impl Fn(&T) -> bool) -> bool {
    wanted.is_empty() || wanted.iter().any(is_it)
}

impl Target {
    /// What is asked for, in a run of these nodes.
    pub fn new(wanted: &Match, nodes: &[Node]) -> Self {
        let patterns = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
        let asks_for_server = !wanted.link.hosts.is_empty() || !wanted.link.networks.is_empty();
        Self {
            processes: patterns(&wanted.processes),
            link: Ends::new(&wanted.link),
            unless: wanted.unless_links.iter().map(Ends::new).collect(),
            place: Place::new(wanted, nodes),
            spares_loopback: nodes.len() > 1 && !asks_for_server,
        }
    }

    /// What is asked for of links alone, whatever their nodes.
    pub fn anywhere(wanted: &Match, nodes: &[Node]) -> Self {
        let nobody = Vec::new();
        let any = Match { nodes: NodeMatch::default(), unless: nobody, ..wanted.clone() };
        Self::new(&any, nodes)
    }

    /// Whether it is for a link, at least one way. `has_name` tells whether the server has a name like a pattern.
    pub fn matches(&self, link: &Link, has_name: &dyn Fn(&Pattern) -> bool) -> bool {
        self.link.fit(link, has_name)
            && !(self.spares_loopback && link.nodes.0 == link.nodes.1)
            && [Way::Request, Way::Reply].into_iter().any(|way| self.takes(link, way))
            && matches_program(&self.processes, &link.program)
            && !self.unless.iter().any(|spared| spared.fit(link, has_name))
    }

    /// Whether it is for what goes this way over a link that it is for.
    pub fn takes(&self, link: &Link, way: Way) -> bool {
        let (node, peer) = link.pair(way);
        is_any(&self.link.wanted.ways, |&wanted| wanted == way)
            && self.place.is_for_pair(node, peer)
    }
}
