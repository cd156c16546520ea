//! One failure that makes others likely.

use alloc::{rc::Rc, vec::Vec};

use simrun_abi::faults::Fault;

use super::{family, pattern::Pattern, quantity::Source};
use crate::random::{Random, Stream};

/// What the firings of a fault do to others.
pub(super) struct Raiser {
    name: Rc<str>,
    /// How often it had fired when it was last seen to: what it does over and over is one firing.
    fired: u64,
    others: Vec<Pattern>,
    factor: u64,
    length: Source,
    stream: Stream,
}

/// That some faults come more often until some time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Raised {
    /// How many times as often.
    pub factor: u64,
    /// Until when, in nanoseconds from the start of the run.
    pub until: u64,
}

impl Raiser {
    /// Of a fault that raises others.
    pub fn new(fault: &Fault, random: &Random) -> Option<Self> {
        let raise = fault.raises.as_ref()?;
        Some(Self {
            name: fault.name.as_str().into(),
            fired: 0,
            others: raise.faults.iter().map(|text| Pattern::new(text)).collect(),
            factor: raise.factor,
            length: Source::new(&raise.length),
            stream: family::stream(random, ["raise ", &fault.name]),
        })
    }

    /// Whether it is one of those that have fired, given with how often they have.
    pub fn has_fired<'a>(&mut self, fired: impl Iterator<Item = (&'a str, u64)>) -> bool {
        let own = fired.filter(|(name, _)| **name == *self.name).map(|(_, count)| count);
        let before = self.fired;
        self.fired = own.fold(before, u64::max);
        self.fired > before
    }

    /// Whether it raises this one: never itself.
    pub fn raises(&self, name: &str) -> bool {
        *name != *self.name && self.others.iter().any(|like| like.matches(name.as_bytes()))
    }

    /// What the others become, at so many nanoseconds from the start of the run.
    pub fn raised(&mut self, elapsed: u64) -> Raised {
        let length = self.length.next(&mut self.stream);
        Raised { factor: self.factor, until: elapsed.saturating_add(length) }
    }
}
