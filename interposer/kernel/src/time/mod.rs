//! Simulated time: the clock, timers, what a call costs.

mod clock;
mod drift;
mod timers;
pub use clock::{CALL_COST, Clock, Instant, Leap, NodeClock};
pub use drift::Drift;
pub use timers::{TimerKey, Timers};
