//! Names of simulated machines, and what they wait for.

use alloc::vec::Vec;

/// Names a node: its index in the boot parameters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct NodeId(u16);

impl NodeId {
    /// The node of an index.
    #[must_use]
    pub const fn new(index: u16) -> Self {
        Self(index)
    }

    /// Its index.
    #[must_use]
    pub const fn index(self) -> usize {
        self.0 as usize
    }

    /// Its index as events show it.
    #[must_use]
    pub const fn raw(self) -> u16 {
        self.0
    }
}

/// Something that a node may print, and that another waits for.
#[derive(Clone, Debug)]
pub struct Awaited {
    node: NodeId,
    text: Vec<u8>,
    /// The line that is being written.
    line: Vec<u8>,
    /// Whether it was printed.
    pub seen: bool,
}

impl Awaited {
    /// What a node shall print.
    #[must_use]
    pub fn new(node: NodeId, text: &[u8]) -> Self {
        Self { node, text: text.to_vec(), line: Vec::new(), seen: false }
    }

    /// Whether this is what it is.
    #[must_use]
    pub fn is(&self, node: NodeId, text: &[u8]) -> bool {
        self.node == node && self.text == text
    }

    /// A node has written to a standard stream.
    pub fn look_at(&mut self, node: NodeId, bytes: &[u8]) {
        if self.seen || node != self.node {
            return;
        }
        for part in bytes.split_inclusive(|&byte| byte == b'\n') {
            self.line.extend_from_slice(part);
            let has_it =
                |line: &[u8]| line.windows(self.text.len().max(1)).any(|at| at == self.text);
            self.seen |= has_it(&self.line);
            if part.ends_with(b"\n") {
                self.line.clear();
            }
        }
    }
}
