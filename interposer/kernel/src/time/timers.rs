//! The queue of things that are due at some instant.

use alloc::collections::BTreeMap;

use super::Instant;

/// Names a timer that was set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct TimerKey {
    due: Instant,
    number: u64,
}

/// What is due when; of things due at one instant, the one set first comes first.
#[derive(Debug)]
pub struct Timers<T> {
    queue: BTreeMap<TimerKey, T>,
    set: u64,
}

impl<T> Default for Timers<T> {
    fn default() -> Self {
        Self { queue: BTreeMap::new(), set: 0 }
    }
}

impl<T> Timers<T> {
    /// Sets a timer.
    pub fn set(&mut self, due: Instant, what: T) -> TimerKey {
        let key = TimerKey { due, number: self.set };
        self.set += 1;
        self.queue.insert(key, what);
        key
    }

    /// Takes a timer back; `None` if it has gone off.
    pub fn cancel(&mut self, key: TimerKey) -> Option<T> {
        self.queue.remove(&key)
    }

    /// When the next one is due.
    #[must_use]
    pub fn next_due(&self) -> Option<Instant> {
        self.queue.first_key_value().map(|(key, _)| key.due)
    }

    /// What is due next.
    #[must_use]
    pub fn next(&self) -> Option<&T> {
        self.queue.first_key_value().map(|(_, what)| what)
    }

    /// Whether such a timer is set.
    pub fn any(&self, is_such: impl FnMut(&T) -> bool) -> bool {
        self.each().any(is_such)
    }

    /// All that is due, in its order.
    pub fn each(&self) -> impl Iterator<Item = &T> {
        self.queue.values()
    }

    /// How many are set.
    #[must_use]
    pub fn count(&self) -> usize {
        self.queue.len()
    }

    /// Takes out the first that is due by `now`.
    pub fn pop_due(&mut self, now: Instant) -> Option<T> {
        let entry = self.queue.first_entry()?;
        (entry.key().due <= now).then(|| entry.remove())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timers_go_off_in_order_of_time_then_of_setting() {
        let mut timers = Timers::default();
        let at = Instant::from_nanos;
        timers.set(at(20), "later");
        timers.set(at(10), "first");
        timers.set(at(10), "second");
        let gone = timers.set(at(5), "cancelled");
        assert_eq!(timers.cancel(gone), Some("cancelled"));
        assert_eq!(timers.cancel(gone), None);
        assert_eq!(timers.next_due(), Some(at(10)));
        assert_eq!(timers.pop_due(at(9)), None);
        let order: alloc::vec::Vec<_> = core::iter::from_fn(|| timers.pop_due(at(30))).collect();
        assert_eq!(order, ["first", "second", "later"]);
    }
}
