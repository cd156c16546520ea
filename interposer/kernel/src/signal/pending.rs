//! Signals sent and not yet taken.

use alloc::collections::VecDeque;

use linux_raw_sys::general as raw;

use super::{Signal, SignalInfo, SignalSet};
use crate::error::{Errno, Error, Result};

/// Signals sent and not yet taken: standard ones at most once each (but for those of
/// timers, each of which waits for its own), real-time ones as often as they were sent.
#[derive(Clone, Debug, Default)]
pub struct PendingSignals {
    set: SignalSet,
    /// In the order they came.
    queue: VecDeque<SignalInfo>,
}

impl PendingSignals {
    /// Which signals there are.
    #[must_use]
    pub fn set(&self) -> SignalSet {
        self.set
    }

    /// How many instances are queued.
    #[must_use]
    pub fn len(&self) -> usize {
        self.queue.len()
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.set.is_empty()
    }

    /// Puts a signal last (`__send_signal_locked` in kernel/signal.c). With no room (`RLIMIT_SIGPENDING`), what comes
    /// with it is lost.
    ///
    /// # Errors
    /// `EAGAIN` for a queued real-time signal without room.
    pub fn add(&mut self, info: SignalInfo, limit: u64) -> Result<()> {
        let signal = info.signal;
        if !signal.is_real_time() && self.set.contains(signal) && info.code != raw::SI_TIMER {
            return Ok(());
        }
        // Each timer has one place in the queue, which it keeps if it is set anew (`posixtimer_send_sigqueue`).
        if let Some(timer) = info.timer()
            && let Some(queued) = self.queue.iter_mut().find(|queued| queued.timer() == Some(timer))
        {
            *queued = info;
            return Ok(());
        }
        let is_urgent = !signal.is_real_time() && info.code >= 0;
        if is_urgent || (self.queue.len() as u64) < limit {
            self.queue.push_back(info);
        } else if signal.is_real_time() && info.code != raw::SI_USER as i32 {
            return Err(Error::new(Errno::EAGAIN, "too many signals are queued"));
        }
        self.set.insert(signal);
        Ok(())
    }

    /// Takes the first instance of a signal.
    pub fn take(&mut self, signal: Signal) -> Option<SignalInfo> {
        if !self.set.contains(signal) {
            return None;
        }
        let first = self.queue.iter().position(|info| info.signal == signal);
        let info = first.and_then(|at| self.queue.remove(at));
        if !self.queue.iter().any(|info| info.signal == signal) {
            self.set.remove(signal);
        }
        Some(info.unwrap_or(SignalInfo::unknown(signal)))
    }

    /// Takes the most urgent signal of those in `wanted`.
    pub fn take_any(&mut self, wanted: SignalSet) -> Option<SignalInfo> {
        self.take(self.set.intersection(wanted).most_urgent()?)
    }

    /// Forgets signals.
    pub fn discard(&mut self, unwanted: SignalSet) {
        if !self.set.intersection(unwanted).is_empty() {
            self.set = self.set.without(unwanted);
            self.queue.retain(|info| !unwanted.contains(info.signal));
        }
    }

    /// Changes the instances of a signal that are queued.
    pub fn find(&mut self, wanted: impl Fn(&SignalInfo) -> bool) -> Option<&mut SignalInfo> {
        self.queue.iter_mut().find(|info| wanted(info))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn info(number: u64, value: u64) -> SignalInfo {
        let signal = Signal::new(number).expect("a signal");
        SignalInfo { signal, code: raw::SI_QUEUE, errno: 0, fields: [0, value, 0] }
    }

    fn taken(pending: &mut PendingSignals) -> alloc::vec::Vec<(u32, u64)> {
        core::iter::from_fn(|| pending.take_any(SignalSet::ALL))
            .map(|info| (info.signal.number(), info.fields[1]))
            .collect()
    }

    #[test]
    fn standard_signals_merge_and_real_time_ones_queue_in_order() {
        let mut pending = PendingSignals::default();
        for (number, value) in [(35, 1), (10, 2), (34, 3), (10, 4), (35, 5), (34, 6), (2, 7)] {
            pending.add(info(number, value), 100).expect("room");
        }
        assert_eq!(taken(&mut pending), [(2, 7), (10, 2), (34, 3), (34, 6), (35, 1), (35, 5)]);
        assert!(pending.is_empty());
    }

    #[test]
    fn without_room_only_the_number_of_a_standard_signal_is_kept() {
        let mut pending = PendingSignals::default();
        pending.add(info(34, 1), 1).expect("room");
        assert_eq!(pending.add(info(34, 2), 1).map_err(|error| error.errno), Err(Errno::EAGAIN));
        pending.add(info(10, 3), 1).expect("standard signals are never refused");
        assert_eq!(taken(&mut pending), [(10, 0), (34, 1)]);
    }

    #[test]
    fn discarded_signals_are_gone() {
        let mut pending = PendingSignals::default();
        for number in [18, 20, 35] {
            pending.add(info(number, 0), 100).expect("room");
        }
        pending.discard(SignalSet::STOPS);
        assert_eq!(taken(&mut pending), [(18, 0), (35, 0)]);
    }
}
