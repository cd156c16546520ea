//! Turns by priority, as in probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi, Nagarakatte: A Randomized
//! Scheduler with Probabilistic Guarantees of Finding Bugs, 2010): each thread draws a priority, the highest that can run
//! does, and at a few points that are drawn beforehand the one that runs falls behind all others. A bug that needs `d`
//! events in some order is found with a probability that falls with the number of threads and not with that of schedules.

use alloc::{collections::BTreeMap, vec::Vec};

use crate::{process::ThreadId, random::Stream};

/// How often in a row a thread may keep its turn while others wait. The one that waits in a loop for another would keep it
/// for ever.
const TURNS_MAX: u32 = 10_000;
/// Above this are the priorities that are drawn; below, those of threads that have fallen behind.
const DRAWN: u64 = 1 << 32;

/// The priorities of threads.
pub struct Priorities {
    of: BTreeMap<ThreadId, u64>,
    random: Stream,
    /// Decisions at which the thread that runs falls behind, the next one last.
    changes: Vec<u64>,
    decisions: u64,
    turns: u32,
    lowest: u64,
}

impl Priorities {
    /// None drawn yet; so many changes are drawn among so many decisions.
    #[must_use]
    pub fn new(mut random: Stream, changes: u64, decisions: u64) -> Self {
        let mut changes: Vec<_> = (0..changes).map(|_| random.below(decisions)).collect();
        changes.sort_unstable_by(|a, b| b.cmp(a));
        Self { of: BTreeMap::new(), random, changes, decisions: 0, turns: 0, lowest: DRAWN }
    }

    /// Which of these threads is the first of the highest.
    pub(super) fn highest(&mut self, threads: impl Iterator<Item = ThreadId>) -> usize {
        self.turns = 0;
        let mut best = (0, 0);
        for (index, thread) in threads.enumerate() {
            let priority = self.of(thread);
            if priority > best.0 {
                best = (priority, index);
            }
        }
        best.1
    }

    /// Whether one of those that wait comes before the one that runs, and whether that has just fallen behind by a change
    /// that was drawn.
    pub(super) fn overtakes(
        &mut self,
        running: ThreadId,
        waiting: impl Iterator<Item = ThreadId>,
    ) -> (bool, bool) {
        let changes = self.changes.pop_if(|at| *at <= self.decisions).is_some();
        self.decisions += 1;
        self.turns += 1;
        if changes || self.turns >= TURNS_MAX {
            self.fall_behind(running);
        }
        let own = self.of(running);
        let mut overtakes = false;
        for thread in waiting {
            overtakes |= self.of(thread) > own;
        }
        (overtakes, changes)
    }

    /// A thread lets all others go first.
    pub(super) fn fall_behind(&mut self, thread: ThreadId) {
        self.lowest -= 1;
        self.of.insert(thread, self.lowest);
        self.turns = 0;
    }

    /// A thread is gone.
    pub(super) fn forget(&mut self, thread: ThreadId) {
        self.of.remove(&thread);
    }

    fn of(&mut self, thread: ThreadId) -> u64 {
        let random = &mut self.random;
        *self.of.entry(thread).or_insert_with(|| DRAWN + random.below(DRAWN))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_first_stays_first_but_for_the_changes_that_were_drawn() {
        let threads: [ThreadId; 3] = crate::slab::ids_for_test();
        let mut priorities = Priorities::new(Stream::new(1, 2), 3, 1000);
        let mut running = threads[priorities.highest(threads.iter().copied())];
        let mut changes = 0;
        for _ in 0..2000 {
            let waiting = threads.iter().copied().filter(|&thread| thread != running);
            let (overtaken, fell_behind) = priorities.overtakes(running, waiting);
            assert_eq!(overtaken, fell_behind);
            changes += u32::from(fell_behind);
            if overtaken {
                running = threads[priorities.highest(threads.iter().copied())];
            }
        }
        assert_eq!(changes, 3);
    }

    #[test]
    fn nobody_keeps_a_turn_for_ever() {
        let [a, b] = crate::slab::ids_for_test();
        let mut priorities = Priorities::new(Stream::new(1, 2), 0, 1);
        let (first, other) =
            if priorities.highest([a, b].into_iter()) == 0 { (a, b) } else { (b, a) };
        let turns = (1..).find(|_| priorities.overtakes(first, [other].into_iter()).0);
        assert_eq!(turns, Some(TURNS_MAX));
        priorities.fall_behind(other);
        assert_eq!(priorities.overtakes(first, [other].into_iter()), (false, false));
    }
}
