//! The one clock of the simulated machine.

use core::{
    ops::{Add, Sub},
    time::Duration,
};

use super::Drift;

/// A point in simulated time, in nanoseconds since the machine was booted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Instant(u64);

impl Instant {
    /// When the machine was booted.
    pub const BOOT: Self = Self(0);
    /// Later than anything that happens.
    pub const NEVER: Self = Self(u64::MAX);

    /// The instant this many nanoseconds after boot.
    #[must_use]
    pub const fn from_nanos(nanos: u64) -> Self {
        Self(nanos)
    }

    /// Nanoseconds since boot.
    #[must_use]
    pub const fn as_nanos(self) -> u64 {
        self.0
    }

    /// Time since boot.
    #[must_use]
    pub const fn since_boot(self) -> Duration {
        Duration::from_nanos(self.0)
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    /// Saturates at [`Instant::NEVER`].
    fn add(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)))
    }
}

impl Sub for Instant {
    type Output = Duration;
    /// Zero if the other is later.
    fn sub(self, earlier: Self) -> Duration {
        Duration::from_nanos(self.0.saturating_sub(earlier.0))
    }
}

/// How long before the run the simulated machine was booted: programs must not see an uptime of zero.
const UPTIME_AT_START: Duration = Duration::from_secs(1000);
/// What any call costs, unless its row says otherwise.
pub const CALL_COST: Duration = Duration::from_micros(1);
/// Polls in a row that cost no more than any other call.
const POLLS_FREE: u32 = 64;
/// Most that one poll of the clock can cost.
const POLL_COST_MAX: Duration = Duration::from_millis(1);

/// What a scheduling point costs: about what taking an uncontended lock does.
const POINT_COST: Duration = Duration::from_nanos(50);
/// Points in a row at the same cost.
const POINTS_FREE: u32 = 4096;
/// How often the cost of a point can double: a thread that looks at a flag under a lock waits for a second of
/// simulated time within some 160 000 looks, and one that computes with locks is not slowed down beyond reason.
const POINT_DOUBLINGS_MAX: u32 = 7;

/// What the clocks of a machine show.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct NodeClock {
    /// What the wall clock shows, less what has passed since boot.
    wall_at_boot: Duration,
    drift: Drift,
    /// How far a fault has set the wall clock ahead.
    offset_ns: i64,
    /// When a second is inserted, if one is.
    leap: Option<Instant>,
}

/// What is to be said of a second that is inserted (adjtimex(2), "Return value").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leap {
    /// It will be.
    Insert,
    /// It is now.
    InProgress,
    /// It has been.
    Over,
}

/// The one clock.
#[derive(Clone, Debug)]
pub struct Clock {
    now: Instant,
    /// Those of the machine that acts.
    own: NodeClock,
    polls: u32,
    points: u32,
}

impl Clock {
    /// A clock that shows `start_ns` nanoseconds since 1970 when the run starts.
    #[must_use]
    pub fn new(start_ns: u64) -> Self {
        Self {
            now: Instant::BOOT + UPTIME_AT_START,
            own: NodeClock {
                wall_at_boot: Duration::from_nanos(start_ns).saturating_sub(UPTIME_AT_START),
                ..NodeClock::default()
            },
            polls: 0,
            points: 0,
        }
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.now
    }

    /// Simulated time since the run started.
    #[must_use]
    pub fn elapsed(&self) -> Duration {
        self.now - (Instant::BOOT + UPTIME_AT_START)
    }

    /// The instant this long after the start of the run.
    #[must_use]
    pub fn after_start(&self, duration: Duration) -> Instant {
        Instant::BOOT + UPTIME_AT_START + duration
    }

    /// Time since 1970.
    #[must_use]
    pub fn wall(&self) -> Duration {
        self.own.wall_at_boot + self.since_boot()
    }

    /// Time since boot, as the machine has it.
    #[must_use]
    pub fn since_boot(&self) -> Duration {
        Duration::from_nanos(self.own.drift.shown(self.now))
    }

    /// The instant at which so much has passed since boot, as the machine has it.
    #[must_use]
    pub fn at_since_boot(&self, shown: Duration) -> Instant {
        self.own.drift.reached(u64::try_from(shown.as_nanos()).unwrap_or(u64::MAX))
    }

    /// The instant at which so much more has passed, as the machine has it.
    #[must_use]
    pub fn after(&self, shown: Duration) -> Instant {
        self.now + self.own.drift.takes(shown)
    }

    /// How much is left until an instant, as the machine has it.
    #[must_use]
    pub fn left_until(&self, due: Instant) -> Duration {
        let shown = |at| Duration::from_nanos(self.own.drift.shown(at));
        shown(due).saturating_sub(shown(self.now))
    }

    /// The instant at which the wall clock shows this much since 1970; boot if that was before.
    #[must_use]
    pub fn at_wall(&self, wall: Duration) -> Instant {
        self.at_since_boot(wall.saturating_sub(self.own.wall_at_boot))
    }

    /// Time since 1970, leap seconds included (clock_gettime(2), `CLOCK_TAI`).
    #[must_use]
    pub fn atomic(&self) -> Duration {
        self.wall().saturating_add(self.leap_seconds())
    }

    /// What the wall clock shows when the one that counts leap seconds shows this, unless one comes until then.
    #[must_use]
    pub fn wall_at_atomic(&self, atomic: Duration) -> Duration {
        atomic.saturating_sub(self.leap_seconds())
    }

    /// Sets the wall clock, as `clock_settime` does; the monotonic clock goes on.
    pub fn set_wall(&mut self, wall: Duration) {
        self.own.wall_at_boot = wall.saturating_sub(self.since_boot());
    }

    /// Shows another machine's clocks; those of the one before.
    pub fn replace(&mut self, own: NodeClock) -> NodeClock {
        core::mem::replace(&mut self.own, own)
    }

    /// The clocks of a machine whose wall clock is ahead by so much.
    #[must_use]
    pub fn ahead(&self, offset_ns: i64) -> NodeClock {
        NodeClock { wall_at_boot: ahead(self.own.wall_at_boot, offset_ns), ..self.own }
    }

    /// From now on the machine's wall clock is off by so much, and its time passes so much faster or slower, in parts of
    /// 2^32.
    pub fn skew(&mut self, offset_ns: i64, rate: i64) {
        let more = offset_ns.saturating_sub(self.own.offset_ns);
        self.own.wall_at_boot = ahead(self.own.wall_at_boot, more);
        self.own.offset_ns = offset_ns;
        self.own.drift = self.own.drift.change(self.now, rate);
    }

    /// At an instant, a second will be inserted, at midnight: the wall clock is set so that it is midnight then.
    pub fn expect_leap(&mut self, at: Instant) {
        const DAY: u64 = 24 * 60 * 60;
        let midnight = Duration::from_secs(self.wall().as_secs() / DAY * DAY);
        let until = Duration::from_nanos(self.own.drift.shown(at));
        self.own.wall_at_boot = midnight.saturating_sub(until);
        self.own.leap = Some(at);
    }

    /// How far the insertion of a second is, if there is one.
    #[must_use]
    pub fn leap(&self) -> Option<Leap> {
        let since = self.now.as_nanos().checked_sub(self.own.leap?.as_nanos());
        Some(match since {
            None => Leap::Insert,
            Some(0..1_000_000_000) => Leap::InProgress,
            Some(_) => Leap::Over,
        })
    }

    /// How far the clock that counts leap seconds is ahead of the one that shows the last second of the day twice.
    fn leap_seconds(&self) -> Duration {
        match self.leap() {
            None | Some(Leap::Insert) => Duration::ZERO,
            Some(Leap::InProgress | Leap::Over) => Duration::from_secs(1),
        }
    }

    /// No second is inserted here.
    pub fn forget_leap(&mut self) {
        self.own.leap = None;
    }

    /// Moves to an instant; does nothing if it is past.
    pub fn advance_to(&mut self, instant: Instant) {
        self.now = self.now.max(instant);
        (self.polls, self.points) = (0, 0);
    }

    /// Charges a call that does something.
    pub fn charge(&mut self, cost: Duration) {
        self.now = self.now + cost;
        (self.polls, self.points) = (0, 0);
    }

    /// What was charged last takes so much longer.
    pub fn extend(&mut self, duration: Duration) {
        self.now = self.now + duration;
    }

    /// Charges a scheduling point: a thread may be waiting for time to pass, taking a lock again and again.
    pub fn charge_point(&mut self) {
        self.points = self.points.saturating_add(1);
        let doublings = (self.points / POINTS_FREE).min(POINT_DOUBLINGS_MAX);
        self.now = self.now + POINT_COST * (1 << doublings);
    }

    /// Whether programs have done nothing but poll for so long that the next poll costs more than other calls. Whoever
    /// polls then gives way: time must not run ahead of a thread that it has woken.
    #[must_use]
    pub fn is_polled(&self) -> bool {
        self.polls >= POLLS_FREE
    }

    /// Charges a call by which a program can wait for time to pass: reading the clock, yielding. The cost
    /// doubles with every so many polls between which nothing else happened anywhere, so that a program
    /// that only polls gets on.
    pub fn charge_poll(&mut self) {
        self.polls = self.polls.saturating_add(1);
        let doublings = (self.polls / POLLS_FREE).min(10);
        self.now = self.now + (CALL_COST * (1 << doublings)).min(POLL_COST_MAX);
    }
}

/// So much later, or earlier.
fn ahead(time: Duration, by_ns: i64) -> Duration {
    let by = Duration::from_nanos(by_ns.unsigned_abs());
    if by_ns < 0 { time.saturating_sub(by) } else { time.saturating_add(by) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn polling_alone_reaches_a_second_within_a_few_thousand_reads() {
        let mut clock = Clock::new(0);
        let mut reads = 0;
        while clock.elapsed() < Duration::from_secs(1) {
            clock.charge_poll();
            reads += 1;
        }
        assert!(reads < 3000, "{reads}");
    }

    #[test]
    fn a_poll_between_other_calls_stays_cheap() {
        let mut clock = Clock::new(0);
        for _ in 0..10_000 {
            clock.charge_poll();
            clock.charge(CALL_COST);
        }
        assert_eq!(clock.elapsed(), CALL_COST * 20_000);
    }

    #[test]
    fn a_second_passes_within_some_hundred_thousand_points() {
        let mut clock = Clock::new(0);
        let points = (1..).find(|_| {
            clock.charge_point();
            clock.elapsed() >= Duration::from_secs(1)
        });
        assert!(points.is_some_and(|points| (100_000..200_000).contains(&points)), "{points:?}");
    }

    #[test]
    fn setting_the_wall_clock_leaves_the_monotonic_one() {
        let mut clock = Clock::new(5_000_000_000_000);
        let before = clock.now();
        clock.set_wall(Duration::from_secs(9_000));
        assert_eq!((clock.wall(), clock.now()), (Duration::from_secs(9_000), before));
    }
}
