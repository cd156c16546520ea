//! Simulated time: the clock, timers, what a call costs.

mod clock;
mod timers;
pub use clock::{CALL_COST, Clock, Instant};
pub use timers::{TimerKey, Timers};
