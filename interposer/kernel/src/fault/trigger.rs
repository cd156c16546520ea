//! When and how often a fault fires.

use simrun_abi::faults::Fault;

use super::{chance::Dice, raise::Raised, window::Opening};
use crate::random::Stream;

/// What says that a fault fires, and has kept count so far.
pub struct Trigger {
    /// How often it has fired.
    pub fired: u64,
    pub(super) opening: Opening,
    pub(super) dice: Dice,
    /// Where all that is random about the fault comes from.
    pub(super) stream: Stream,
    skip: u64,
    limit: u64,
    raised: Option<Raised>,
}

impl Trigger {
    /// Of a fault that has not fired yet.
    pub fn new(fault: &Fault, mut stream: Stream) -> Self {
        let opening = Opening::draw(&fault.window, &mut stream);
        let dice = Dice::new(&fault.chance, opening.after, &mut stream);
        Self { fired: 0, opening, dice, stream, skip: fault.skip, limit: fault.limit, raised: None }
    }

    /// Whether it has fired as often as it may.
    pub fn is_spent(&self) -> bool {
        self.fired >= self.limit
    }

    /// Whether it may fire at a time, in nanoseconds from the start of the run.
    pub fn may_fire(&self, elapsed: u64) -> bool {
        !self.is_spent() && self.opening.is_open(elapsed)
    }

    /// Whether one more is to be left alone.
    pub fn skips(&mut self) -> bool {
        let skips = self.skip > 0;
        self.skip -= u64::from(skips);
        skips
    }

    /// What the dice say.
    pub fn hits(&mut self, elapsed: u64) -> bool {
        let factor = self.factor(elapsed);
        self.dice.hits(elapsed, factor, &mut self.stream)
    }

    /// How many times as often as usual it comes now.
    pub fn factor(&self, elapsed: u64) -> u64 {
        let raised = self.raised.filter(|raised| elapsed < raised.until);
        raised.map_or(1, |raised| raised.factor)
    }

    /// It comes more often for a while.
    pub fn raise(&mut self, elapsed: u64, raised: Raised) {
        self.raised = Some(raised);
        if let Dice::Rate { due, .. } = &mut self.dice
            && let Some(left) = due.checked_sub(elapsed)
        {
            *due = elapsed + left / raised.factor;
        }
    }

    /// Whether it fires at something that matches; that is counted.
    pub fn fires(&mut self, elapsed: u64) -> bool {
        let fires = !self.skips() && self.hits(elapsed);
        self.fired += u64::from(fires);
        fires
    }
}
