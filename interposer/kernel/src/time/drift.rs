//! How a machine's oscillator differs from the run's time.

use core::time::Duration;

use super::Instant;

/// The whole, of which a rate is a part.
const WHOLE: i128 = 1 << 32;

/// How far a machine's idea of time is from the run's: so much until some instant, and from then on more by a share of what
/// passes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Drift {
    since: Instant,
    gained_ns: i64,
    /// Parts of 2^32; less than none for a clock that is slow.
    rate: i64,
}

impl Drift {
    /// From an instant on, time passes by another rate; none jumps.
    #[must_use]
    pub fn change(self, now: Instant, rate: i64) -> Self {
        let gained = i128::from(self.shown(now)) - i128::from(now.as_nanos());
        Self { since: now, gained_ns: gained as i64, rate: rate.clamp(-(1 << 31), 1 << 32) }
    }

    /// Nanoseconds since boot as the machine has them.
    #[must_use]
    pub fn shown(self, at: Instant) -> u64 {
        if self == Self::default() {
            return at.as_nanos();
        }
        let since = i128::from(at.as_nanos()) - i128::from(self.since.as_nanos());
        let gained = i128::from(self.gained_ns) + since * i128::from(self.rate) / WHOLE;
        (i128::from(at.as_nanos()) + gained).clamp(0, i128::from(u64::MAX)) as u64
    }

    /// When the machine has come so far: the first instant at which it shows this or more.
    #[must_use]
    pub fn reached(self, shown: u64) -> Instant {
        if self == Self::default() || shown == u64::MAX {
            return Instant::from_nanos(shown);
        }
        let since = i128::from(self.since.as_nanos());
        let passed = i128::from(shown) - since - i128::from(self.gained_ns);
        let pace = WHOLE + i128::from(self.rate);
        // What is past may be told roughly: it is past.
        let takes = if passed <= 0 { passed } else { (passed * WHOLE + pace - 1) / pace };
        let at = (since + takes).clamp(0, i128::from(u64::MAX));
        Instant::from_nanos(at as u64)
    }

    /// How long it takes until so much has passed on the machine.
    #[must_use]
    pub fn takes(self, shown: Duration) -> Duration {
        if self.rate == 0 {
            return shown;
        }
        let nanos = shown.as_nanos().min(u128::from(u64::MAX)) as i128;
        let pace = WHOLE + i128::from(self.rate);
        let takes = (nanos * WHOLE + pace - 1) / pace;
        Duration::from_nanos(takes.min(i128::from(u64::MAX)) as u64)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_clock_shows_is_reached_when_it_shows_it() {
        let parts = |ppm: i64| ppm * (1 << 32) / 1_000_000;
        for ppm in [-200_000, -50, 0, 50, 100_000] {
            let second = 1_000_000_000u64;
            let start = Instant::from_nanos(1000 * second);
            let drift = Drift::default().change(start, parts(ppm));
            assert_eq!(drift.shown(start), start.as_nanos(), "it goes on from where it is");
            let later = Instant::from_nanos(2000 * second);
            let shown = drift.shown(later) as i64 - later.as_nanos() as i64;
            // A thousand seconds: a thousand microseconds for each millionth.
            assert!((shown - 1_000_000 * ppm).abs() < 1000, "{ppm}: {shown}");
            for step in 0..1000 {
                let wanted = start.as_nanos() + step * 777_777_777;
                let at = drift.reached(wanted);
                assert!(drift.shown(at) >= wanted, "{ppm}");
                assert!(drift.shown(Instant::from_nanos(at.as_nanos() - 1)) <= wanted, "{ppm}");
            }
            let again = drift.change(later, 0);
            assert_eq!(again.shown(later), drift.shown(later), "nor does it jump when that ends");
            assert_eq!(again.takes(Duration::from_secs(1)), Duration::from_secs(1));
        }
    }
}
