//! Which nodes a fault is for.

use alloc::{string::String, vec::Vec};

use simrun_abi::{
    faults::{Match, NodeMatch},
    node::Node,
};

use super::pattern::Pattern;
use crate::node::NodeId;

/// Some of the nodes of a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Nodes {
    /// Any.
    All,
    /// Those of them for which this is true, by index.
    Some(Vec<bool>),
}

impl Nodes {
    /// Those of which a name or a tag is like one of the patterns, and those that have a tag which is like one of the
    /// others; without patterns, any.
    pub fn new(patterns: &[String], tags: &[String], nodes: &[Node]) -> Self {
        if patterns.is_empty() && tags.is_empty() {
            return Self::All;
        }
        let read = |texts: &[String]| texts.iter().map(|text| Pattern::new(text)).collect();
        let (patterns, tags): (Vec<Pattern>, Vec<Pattern>) = (read(patterns), read(tags));
        let has_tag = |node: &Node, wanted: &[Pattern]| {
            node.tags.iter().any(|tag| wanted.iter().any(|like| like.matches(tag.as_bytes())))
        };
        let is_one = |node: &Node| {
            let named = patterns.iter().any(|like| like.matches(node.name.as_bytes()));
            (patterns.is_empty() || named || has_tag(node, &patterns))
                && (tags.is_empty() || has_tag(node, &tags))
        };
        Self::Some(nodes.iter().map(is_one).collect())
    }

    /// Whether a node is one of them.
    pub fn has(&self, node: NodeId) -> bool {
        match self {
            Self::All => true,
            Self::Some(nodes) => nodes.get(node.index()).is_some_and(|&is_one| is_one),
        }
    }
}

/// Nodes that do something, and nodes that they do it to.
#[derive(Clone, Debug)]
struct Pairs {
    nodes: Nodes,
    peers: Nodes,
}

impl Pairs {
    fn new(wanted: &NodeMatch, nodes: &[Node]) -> Self {
        Self {
            nodes: Nodes::new(&wanted.nodes, &wanted.tags, nodes),
            peers: Nodes::new(&wanted.peers, &[], nodes),
        }
    }
}

/// The nodes that a fault is for.
#[derive(Clone, Debug)]
pub struct Place {
    wanted: Pairs,
    unless: Vec<Pairs>,
}

impl Place {
    /// Of a fault, in a run of these nodes.
    pub fn new(wanted: &Match, nodes: &[Node]) -> Self {
        Self {
            wanted: Pairs::new(&wanted.nodes, nodes),
            unless: wanted.unless.iter().map(|unless| Pairs::new(unless, nodes)).collect(),
        }
    }

    /// Whether it is for what a node does.
    pub fn is_for(&self, node: NodeId) -> bool {
        let spares = |unless: &Pairs| unless.nodes.has(node) && unless.peers == Nodes::All;
        self.wanted.nodes.has(node) && !self.unless.iter().any(spares)
    }

    /// Whether it is for what a node sends another.
    pub fn is_for_pair(&self, node: NodeId, peer: NodeId) -> bool {
        let has = |pairs: &Pairs| pairs.nodes.has(node) && pairs.peers.has(peer);
        has(&self.wanted) && !self.unless.iter().any(has)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    fn nodes() -> Vec<Node> {
        [("web", &["front"][..]), ("db-1", &["db", "main"]), ("db-2", &["db"])]
            .map(|(name, tags)| Node {
                name: name.into(),
                tags: tags.iter().map(|&tag| tag.into()).collect(),
                ..crate::testing::node()
            })
            .to_vec()
    }

    fn texts(texts: &[&str]) -> Vec<String> {
        texts.iter().map(|&text| text.into()).collect()
    }

    #[test]
    fn nodes_are_found_by_name_by_tag_and_by_what_they_are_not() {
        type Words = &'static [&'static str];
        // Names, tags, names spared, tags spared; who is left.
        let cases: [(Words, Words, Words, Words, Words); 9] = [
            (&[], &[], &[], &[], &["web", "db-1", "db-2"]),
            (&["web"], &[], &[], &[], &["web"]),
            (&["db-*"], &[], &[], &[], &["db-1", "db-2"]),
            (&["db"], &[], &[], &[], &["db-1", "db-2"]),
            (&["db"], &["main"], &[], &[], &["db-1"]),
            (&[], &["d*"], &["db-2"], &[], &["db-1"]),
            (&[], &[], &["web"], &[], &["db-1", "db-2"]),
            (&[], &[], &["db-*"], &["main"], &["web", "db-2"]),
            (&["ruby"], &[], &[], &[], &[]),
        ];
        let nodes = nodes();
        for (named, tags, spared, spared_tags, expected) in cases {
            let spares = spared.len() + spared_tags.len() > 0;
            let wanted = Match {
                nodes: NodeMatch { nodes: texts(named), tags: texts(tags), peers: Vec::new() },
                unless: spares
                    .then(|| NodeMatch {
                        nodes: texts(spared),
                        tags: texts(spared_tags),
                        peers: Vec::new(),
                    })
                    .into_iter()
                    .collect(),
                ..Match::default()
            };
            let place = Place::new(&wanted, &nodes);
            let found: Vec<_> = (0..)
                .zip(&nodes)
                .filter(|(index, _)| place.is_for(NodeId::new(*index)))
                .map(|(_, node)| node.name.as_str())
                .collect();
            assert_eq!(found, expected, "{wanted:?}");
        }
    }

    #[test]
    fn a_pair_is_spared_without_its_nodes() {
        let wanted = Match {
            nodes: NodeMatch { peers: texts(&["db"]), ..NodeMatch::default() },
            unless: vec![NodeMatch {
                nodes: texts(&["web"]),
                peers: texts(&["db-2"]),
                tags: Vec::new(),
            }],
            ..Match::default()
        };
        let place = Place::new(&wanted, &nodes());
        let pair = |from, to| place.is_for_pair(NodeId::new(from), NodeId::new(to));
        assert!(pair(0, 1) && pair(1, 2) && pair(2, 1));
        assert!(!pair(0, 2) && !pair(1, 0));
        assert!(place.is_for(NodeId::new(0)), "it does other things, too");
    }
}
