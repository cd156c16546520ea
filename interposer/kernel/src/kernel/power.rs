//! Losing power.
//!
//! Every process is killed where it is; none gets to do anything more, and nothing of it reaches another node. When all are
//! gone, the node starts again with the files that the disk has left.

use core::time::Duration;

use simrun_abi::{control::End, node_faults::Files};

use super::{Kernel, nodes::Fall};
use crate::{host::Host, node::NodeId, random::Purpose};

impl Kernel {
    /// A node loses power now, for so long.
    pub(super) fn lose_power(&mut self, host: &mut dyn Host, node: NodeId, length: Duration) {
        if self.main_of(node).is_none() {
            return;
        }
        let state = &mut self.nodes[node.index()];
        state.losses += 1;
        let losses = state.losses | u64::from(node.raw()) << 32;
        let mut random = self.machine.random.derive(Purpose::Disk, losses);
        self.on_node(node, |kernel| {
            let net = alloc::rc::Rc::clone(&kernel.net);
            net.switch_off(&mut kernel.machine);
            let now = kernel.machine.clock.now();
            let tree = alloc::rc::Rc::clone(&kernel.machine.tree);
            if let Some(journal) = &mut *tree.journal.borrow_mut()
                && journal.lose_power(host, &mut random, now).is_err()
            {
                kernel.end(End::HostExhausted, 0);
            }
        });
        self.fall(host, node, Fall { status: None, again_after: Some(length), files: Files::Stay });
    }
}
