//! Which contexts there are.

use alloc::{collections::BTreeMap, rc::Rc, vec::Vec};

use super::AioContext;
use crate::{
    mm::{Range, SpaceId},
    node::NodeId,
};

/// What a new context is to have room for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Room {
    /// As many requests as the program has asked for.
    pub asked: u64,
    /// As many events.
    pub capacity: usize,
}

/// All contexts, by their address space and the address by which programs know them.
#[derive(Default)]
pub struct AioContexts {
    all: BTreeMap<(SpaceId, u64), Rc<AioContext>>,
    last: u64,
}

impl AioContexts {
    /// Makes a context whose ring is mapped there.
    pub fn add(&mut self, node: NodeId, space: SpaceId, ring: Range, room: Room) -> Rc<AioContext> {
        self.last += 1;
        let context = AioContext::new(self.last, node, room.asked, room.capacity, ring);
        self.all.insert((space, ring.start), Rc::clone(&context));
        context
    }

    /// The context at an address.
    #[must_use]
    pub fn get(&self, space: SpaceId, address: u64) -> Option<&Rc<AioContext>> {
        self.all.get(&(space, address))
    }

    /// Takes out the context at an address.
    pub fn remove(&mut self, space: SpaceId, address: u64) -> Option<Rc<AioContext>> {
        self.all.remove(&(space, address))
    }

    /// Takes out all contexts of an address space.
    pub fn remove_all(&mut self, space: SpaceId) -> Vec<Rc<AioContext>> {
        let of_space = self.all.range((space, 0)..=(space, u64::MAX));
        let addresses: Vec<_> = of_space.map(|(&(_, address), _)| address).collect();
        addresses.into_iter().filter_map(|address| self.remove(space, address)).collect()
    }

    /// How many requests those of a node were made for (`aio_nr`).
    #[must_use]
    pub fn asked_on(&self, node: NodeId) -> u64 {
        self.all.values().filter(|context| context.node == node).map(|context| context.asked).sum()
    }
}
