//! What has arrived for a socket and was not received yet.

use alloc::collections::VecDeque;
use core::cell::{Cell, Ref, RefCell};

use super::{message::Received, options::Options, tcp::Shut};
use crate::{
    error::{Errno, Result},
    wait::Readiness,
};

/// Memory that a packet takes up besides its bytes (`SKB_TRUESIZE(0)`).
const PACKET_OVERHEAD: usize = 768;

/// Packets in the order in which they came, no more than the receive buffer has room for.
pub struct Inbox<T> {
    /// Each with the memory that it takes up.
    packets: RefCell<VecDeque<(T, usize)>>,
    used: Cell<usize>,
}

impl<T> Default for Inbox<T> {
    fn default() -> Self {
        Self { packets: RefCell::default(), used: Cell::new(0) }
    }
}

impl<T> Inbox<T> {
    /// Takes in a packet of so many bytes, if a receive buffer of this size has room for it; whether it has.
    pub fn take_in(&self, packet: T, bytes: usize, buffer: u32) -> bool {
        let cost = bytes + PACKET_OVERHEAD;
        if self.used.get() + cost > buffer as usize {
            return false;
        }
        self.used.set(self.used.get() + cost);
        self.packets.borrow_mut().push_back((packet, cost));
        true
    }

    /// The oldest packet.
    pub fn front(&self) -> Option<Ref<'_, T>> {
        Ref::filter_map(self.packets.borrow(), |packets| packets.front().map(|(packet, _)| packet))
            .ok()
    }

    /// Takes the oldest packet out.
    pub fn pop(&self) -> Option<T> {
        let (packet, cost) = self.packets.borrow_mut().pop_front()?;
        self.used.set(self.used.get() - cost);
        Some(packet)
    }

    /// Memory that all of them take up.
    pub fn used(&self) -> usize {
        self.used.get()
    }

    /// Whether there is nothing to receive.
    pub fn is_empty(&self) -> bool {
        self.packets.borrow().is_empty()
    }

    /// What a socket is ready for whose inbox it is (`datagram_poll` in net/core/datagram.c).
    pub fn readiness(&self, options: &Options, shut: Shut) -> Readiness {
        let mut ready = Readiness::WRITABLE;
        if options.error.get().is_some() {
            ready |= Readiness::ERR;
        }
        if shut.contains(Shut::RECEIVE) {
            ready |= Readiness::RDHUP | Readiness::READABLE;
        }
        if shut == Shut::all() {
            ready |= Readiness::HUP;
        }
        if !self.is_empty() {
            ready |= Readiness::READABLE;
        }
        ready
    }
}

/// What receiving comes to where there is nothing: an error that waits, the end, or a wait.
///
/// # Errors
/// That error; `EAGAIN`.
pub fn receive_nothing(options: &Options, shut: Shut) -> Result<Received> {
    options.check_error()?;
    if shut.contains(Shut::RECEIVE) { Ok(Received::default()) } else { Err(Errno::EAGAIN.into()) }
}
