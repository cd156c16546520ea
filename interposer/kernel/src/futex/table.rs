//! Who waits on which futex.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{mm::SpaceId, process::ThreadId};

/// What a futex is known by (`get_futex_key` in kernel/futex/core.c).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FutexKey {
    /// Its address, for calls with `FUTEX_PRIVATE_FLAG`.
    Private(SpaceId, u64),
    /// Its address, for calls without that flag on memory that is not shared.
    Local(SpaceId, u64),
    /// The shared object it lies in, and the offset there.
    Shared(u64, u64),
}

/// What a waiter waits for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// A wake-up that meets these bits.
    Wake(u32),
    /// The lock that the futex is (`FUTEX_LOCK_PI`).
    Lock,
    /// To be moved to the lock with this key (`FUTEX_WAIT_REQUEUE_PI`).
    MoveTo(FutexKey),
    /// Any wake-up, at one of several futexes: the one of this number (futex_waitv(2)). Never moved.
    AnyOf(u32),
}

/// One waiter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub thread: ThreadId,
    /// For what.
    pub purpose: Purpose,
}

type Place = (FutexKey, u64);

/// All futexes that anyone waits on; the waiters of one in the order they came.
#[derive(Debug, Default)]
pub struct FutexTable {
    waiters: BTreeMap<Place, Waiting>,
    places: BTreeMap<ThreadId, Place>,
    /// The places of those who wait on several.
    vectors: BTreeMap<ThreadId, Vec<Place>>,
    /// Who holds each lock that has waiters.
    owners: BTreeMap<FutexKey, ThreadId>,
    arrivals: u64,
    /// Whether who came last leaves first. Linux promises no order (futex(2), `FUTEX_WAKE`).
    pub reversed: bool,
}

impl FutexTable {
    /// Puts a waiter last.
    pub fn add(&mut self, key: FutexKey, waiting: Waiting) {
        let place = (key, self.arrivals);
        self.arrivals += 1;
        self.waiters.insert(place, waiting);
        self.places.insert(waiting.thread, place);
    }

    /// Lets a thread wait on several futexes at a time.
    pub fn add_vector(&mut self, thread: ThreadId, keys: &[FutexKey]) {
        for (number, &key) in keys.iter().enumerate() {
            let place = (key, self.arrivals);
            self.arrivals += 1;
            let purpose = Purpose::AnyOf(number as u32);
            self.waiters.insert(place, Waiting { thread, purpose });
            self.vectors.entry(thread).or_default().push(place);
        }
    }

    /// Whether a thread waits.
    #[must_use]
    pub fn is_waiting(&self, thread: ThreadId) -> bool {
        self.places.contains_key(&thread) || self.vectors.contains_key(&thread)
    }

    /// The first `max` waiters of a futex that `wanted` takes, or the last.
    fn first(
        &self,
        key: FutexKey,
        max: usize,
        wanted: impl Fn(Purpose) -> bool,
    ) -> Vec<(Place, Waiting)> {
        let all = self.waiters.range((key, 0)..=(key, u64::MAX));
        let found = all
            .filter(|(_, waiting)| wanted(waiting.purpose))
            .map(|(&place, &waiting)| (place, waiting));
        if self.reversed { found.rev().take(max).collect() } else { found.take(max).collect() }
    }

    /// Takes out the first `max` waiters whose bits meet `bits`, each with the number of its futex among those that it
    /// waits on.
    pub fn take(&mut self, key: FutexKey, max: usize, bits: u32) -> Vec<(ThreadId, u32)> {
        let met = |purpose| match purpose {
            Purpose::Wake(own) => own & bits != 0,
            Purpose::AnyOf(_) => true,
            _ => false,
        };
        let mut taken = Vec::new();
        // One by one: a thread may wait on the same futex twice.
        while taken.len() < max
            && let Some((place, waiting)) = self.first(key, 1, met).pop()
        {
            let number = match waiting.purpose {
                Purpose::AnyOf(number) => number,
                _ => 0,
            };
            taken.push((self.forget(place, waiting.thread), number));
        }
        taken
    }

    /// Moves the first `max` waiters to another futex; how many.
    pub fn requeue(&mut self, from: FutexKey, to: FutexKey, max: usize) -> usize {
        let moved = self.first(from, max, |purpose| matches!(purpose, Purpose::Wake(_)));
        for &(place, waiting) in &moved {
            self.forget(place, waiting.thread);
            self.add(to, waiting);
        }
        moved.len()
    }

    /// Takes out the first `max` waiters that want to be moved to a lock.
    pub fn take_for_lock(&mut self, from: FutexKey, lock: FutexKey, max: usize) -> Vec<ThreadId> {
        let moved = self.first(from, max, |purpose| purpose == Purpose::MoveTo(lock));
        moved.into_iter().map(|(place, waiting)| self.forget(place, waiting.thread)).collect()
    }

    fn forget(&mut self, place: Place, thread: ThreadId) -> ThreadId {
        self.waiters.remove(&place);
        self.places.remove(&thread);
        self.forget_vector(thread);
        thread
    }

    fn forget_vector(&mut self, thread: ThreadId) -> bool {
        let places = self.vectors.remove(&thread).unwrap_or_default();
        for place in &places {
            self.waiters.remove(place);
        }
        !places.is_empty()
    }

    /// Takes a waiter out, wherever it was moved to; whether it was still waiting.
    pub fn remove(&mut self, thread: ThreadId) -> bool {
        let Some(place) = self.places.remove(&thread) else { return self.forget_vector(thread) };
        self.waiters.remove(&place);
        if self.first(place.0, 1, |purpose| purpose == Purpose::Lock).is_empty() {
            self.owners.remove(&place.0);
        }
        true
    }

    /// How many threads wait on a futex.
    #[must_use]
    pub fn count(&self, key: FutexKey) -> usize {
        self.waiters.range((key, 0)..=(key, u64::MAX)).count()
    }

    // Locks.

    /// Who holds a lock that has waiters.
    #[must_use]
    pub fn owner(&self, lock: FutexKey) -> Option<ThreadId> {
        self.owners.get(&lock).copied()
    }

    /// Lets a thread wait for a lock that another holds.
    pub fn add_to_lock(&mut self, lock: FutexKey, thread: ThreadId, owner: ThreadId) {
        self.add(lock, Waiting { thread, purpose: Purpose::Lock });
        self.owners.insert(lock, owner);
    }

    /// Gives a lock to the first that waits for it.
    pub fn hand_over(&mut self, lock: FutexKey) -> Option<ThreadId> {
        self.owners.remove(&lock);
        let mut waiting = self.first(lock, 2, |purpose| purpose == Purpose::Lock).into_iter();
        let (place, next) = waiting.next()?;
        self.forget(place, next.thread);
        if waiting.next().is_some() {
            self.owners.insert(lock, next.thread);
        }
        Some(next.thread)
    }

    /// The locks with waiters that a thread holds.
    #[must_use]
    pub fn held_by(&self, thread: ThreadId) -> Vec<FutexKey> {
        self.owners.iter().filter(|&(_, &owner)| owner == thread).map(|(&key, _)| key).collect()
    }

    /// Whether `waiter` would wait for itself if it waited for `owner`.
    #[must_use]
    pub fn would_deadlock(&self, waiter: ThreadId, owner: ThreadId) -> bool {
        let mut holder = owner;
        // A cycle that does not hold the waiter cannot be: it would have been refused when it closed.
        for _ in 0..=self.owners.len() {
            if holder == waiter {
                return true;
            }
            let next = self.places.get(&holder).and_then(|&(lock, _)| self.owner(lock));
            let Some(next) = next else { return false };
            holder = next;
        }
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: FutexKey = FutexKey::Shared(1, 0);
    const THERE: FutexKey = FutexKey::Shared(1, 4);

    #[test]
    fn waiters_leave_in_the_order_they_came_and_only_if_their_bits_meet() {
        let [a, b, c] = crate::slab::ids_for_test();
        let mut table = FutexTable::default();
        for (thread, bits) in [(a, 1), (b, 2), (c, 3)] {
            table.add(HERE, Waiting { thread, purpose: Purpose::Wake(bits) });
        }
        assert_eq!(table.take(HERE, 1, 2), [(b, 0)]);
        assert_eq!(table.requeue(HERE, THERE, 1), 1);
        assert_eq!(table.take(HERE, 9, u32::MAX), [(c, 0)]);
        assert!(table.remove(a));
        assert!(!table.remove(a));
        assert_eq!(table.take(THERE, 9, u32::MAX), []);
    }

    #[test]
    fn a_lock_goes_to_the_first_that_waits_and_is_forgotten_with_the_last() {
        let [a, b, c] = crate::slab::ids_for_test();
        let mut table = FutexTable::default();
        table.add_to_lock(HERE, b, a);
        table.add_to_lock(HERE, c, a);
        assert_eq!(table.held_by(a), [HERE]);
        assert_eq!(table.hand_over(HERE), Some(b));
        assert_eq!(table.owner(HERE), Some(b));
        assert!(table.remove(c));
        assert_eq!(table.owner(HERE), None);
        assert_eq!(table.hand_over(HERE), None);
    }

    #[test]
    fn who_waits_on_several_is_woken_once_and_told_by_which() {
        let [a, b] = crate::slab::ids_for_test();
        let mut table = FutexTable::default();
        table.add_vector(a, &[HERE, THERE, THERE]);
        table.add(THERE, Waiting { thread: b, purpose: Purpose::Wake(1) });
        assert!(table.is_waiting(a));
        assert_eq!(table.take(THERE, 2, u32::MAX), [(a, 1), (b, 0)]);
        assert_eq!(table.take(HERE, 9, u32::MAX), []);
        table.add_vector(a, &[HERE]);
        assert!(table.remove(a) && !table.remove(a));
    }

    #[test]
    fn waiting_in_a_ring_is_seen() {
        let [a, b, c] = crate::slab::ids_for_test();
        let mut table = FutexTable::default();
        table.add_to_lock(HERE, a, b);
        table.add_to_lock(THERE, b, c);
        assert!(table.would_deadlock(c, a));
        assert!(!table.would_deadlock(a, c));
        table.remove(b);
        assert!(!table.would_deadlock(c, a));
    }

    #[test]
    fn a_condition_moves_only_those_who_asked_for_that_lock() {
        let [a, b] = crate::slab::ids_for_test();
        let mut table = FutexTable::default();
        table.add(HERE, Waiting { thread: a, purpose: Purpose::MoveTo(THERE) });
        table.add(HERE, Waiting { thread: b, purpose: Purpose::Wake(u32::MAX) });
        assert_eq!(table.take_for_lock(HERE, THERE, 9), [a]);
        assert_eq!(table.take(HERE, 9, u32::MAX), [(b, 0)]);
    }
}
