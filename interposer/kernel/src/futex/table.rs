//! Who waits on which futex.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{mm::SpaceId, process::ThreadId};

/// What a futex is known by: its address in one address space, or its place in shared memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FutexKey {
    /// Only threads of one address space meet here.
    Private(SpaceId, u64),
    /// Object that is shared, and the offset in it.
    Shared(u64, u64),
}

/// One waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub thread: ThreadId,
    /// Bits of `FUTEX_WAIT_BITSET`.
    pub bits: u32,
}

/// All futexes that anyone waits on; the waiters of one in the order they came.
#[derive(Debug, Default)]
pub struct FutexTable {
    waiters: BTreeMap<FutexKey, Vec<Waiting>>,
}

impl FutexTable {
    /// Puts a waiter last.
    pub fn add(&mut self, key: FutexKey, waiting: Waiting) {
        self.waiters.entry(key).or_default().push(waiting);
    }

    /// Takes out the first `max` waiters whose bits meet `bits`.
    pub fn take(&mut self, key: FutexKey, max: usize, bits: u32) -> Vec<ThreadId> {
        let Some(list) = self.waiters.get_mut(&key) else { return Vec::new() };
        let mut taken = Vec::new();
        list.retain(|waiting| {
            let goes = taken.len() < max && waiting.bits & bits != 0;
            if goes {
                taken.push(waiting.thread);
            }
            !goes
        });
        if list.is_empty() {
            self.waiters.remove(&key);
        }
        taken
    }

    /// Moves the first `max` waiters to another futex; how many.
    pub fn requeue(&mut self, from: FutexKey, to: FutexKey, max: usize) -> usize {
        let Some(mut list) = self.waiters.remove(&from) else { return 0 };
        let stays = list.split_off(max.min(list.len()));
        let moved = list.len();
        if !stays.is_empty() {
            self.waiters.insert(from, stays);
        }
        if moved > 0 {
            self.waiters.entry(to).or_default().extend(list);
        }
        moved
    }

    /// Takes a waiter out, wherever it was moved to; whether it was still waiting.
    pub fn remove(&mut self, thread: ThreadId) -> bool {
        let mut found = false;
        self.waiters.retain(|_, list| {
            list.retain(|waiting| {
                found |= waiting.thread == thread;
                waiting.thread != thread
            });
            !list.is_empty()
        });
        found
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waiters_leave_in_the_order_they_came_and_only_if_their_bits_meet() {
        let [a, b, c] = crate::slab::ids_for_test();
        let (here, there) = (FutexKey::Shared(1, 0), FutexKey::Shared(1, 4));
        let mut table = FutexTable::default();
        for (thread, bits) in [(a, 1), (b, 2), (c, 3)] {
            table.add(here, Waiting { thread, bits });
        }
        assert_eq!(table.take(here, 1, 2), [b]);
        assert_eq!(table.requeue(here, there, 1), 1);
        assert_eq!(table.take(here, 9, u32::MAX), [c]);
        assert!(table.remove(a));
        assert!(!table.remove(a));
        assert_eq!(table.take(there, 9, u32::MAX), []);
    }
}
