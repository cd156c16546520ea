//! All faults of a run, by the call that they are for.

use alloc::{rc::Rc, vec, vec::Vec};
use core::time::Duration;

use simrun_abi::faults::{Effect, Fault};

use super::{
    armed::{Armed, Hit},
    scene::Scene,
};
use crate::{
    error::Errno,
    event::Fingerprint,
    random::{Purpose, Random},
    time::Instant,
};

/// One more than the largest number of a call that a fault can be for.
const NUMBERS: usize = 512;

/// Faults that look at the same call, by index.
type Indices = Vec<u16>;

/// All faults of a run.
pub struct Faults {
    armed: Vec<Armed>,
    /// Those that look at a call before it is made, by its number.
    at_call: Vec<Indices>,
    /// Those that look at a call when it begins to wait.
    at_wait: Vec<Indices>,
}

/// A fault that has fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Firing {
    /// Its name.
    pub fault: Rc<str>,
    /// How often it has fired, this time included.
    pub count: u64,
    /// What it does.
    pub hit: Hit,
}

/// What the faults do to a call, all together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verdict {
    /// How much later it begins.
    pub delay: Duration,
    /// How it fails. Of several faults that would have it fail, the first one does.
    pub fail: Option<Errno>,
    /// How many bytes it moves at most.
    pub bytes_max: Option<u64>,
    /// The faults that have a part in it.
    pub firings: Vec<Firing>,
}

/// What faults have done, or will do, to a call that is being served.
#[derive(Clone, Copy, Debug, Default)]
pub struct Injected {
    /// When it begins.
    pub begins: Option<Instant>,
    /// How it fails then.
    pub fail: Option<Errno>,
    /// How many bytes it moves at most.
    pub bytes_max: Option<u64>,
    /// Whether it was asked about when it began to wait.
    pub wait_considered: bool,
    /// Whether it must not wait, as if a signal had come.
    pub interrupts: bool,
}

impl Faults {
    /// The faults of a plan; `None` without any, so that there is nothing to ask.
    #[must_use]
    pub fn new(plan: &[Fault], random: &Random) -> Option<Self> {
        if plan.is_empty() {
            return None;
        }
        let mut faults = Self {
            armed: Vec::with_capacity(plan.len()),
            at_call: vec![Vec::new(); NUMBERS],
            at_wait: vec![Vec::new(); NUMBERS],
        };
        for (index, fault) in (0..).zip(plan) {
            let mut name = Fingerprint::default();
            name.fold_bytes(fault.name.as_bytes());
            faults.armed.push(Armed::new(fault, random.derive(Purpose::Fault, name.value())));
            let lists = match fault.effect {
                Effect::Interrupt => &mut faults.at_wait,
                Effect::Fail(_) | Effect::Shorten(_) | Effect::Delay(_) | Effect::Throttle(_) => {
                    &mut faults.at_call
                }
            };
            for &number in &fault.matches.calls {
                if let Some(list) = lists.get_mut(usize::from(number)) {
                    list.push(index);
                }
            }
        }
        Some(faults)
    }

    /// Whether any fault looks at this call before it is made.
    #[must_use]
    pub fn watch_call(&self, number: u64) -> bool {
        self.at_call.get(number as usize).is_some_and(|list| !list.is_empty())
    }

    /// Whether any fault looks at this call when it begins to wait.
    #[must_use]
    pub fn watch_wait(&self, number: u64) -> bool {
        self.at_wait.get(number as usize).is_some_and(|list| !list.is_empty())
    }

    /// What becomes of a call that begins, at so many nanoseconds after the start of the run. All faults that look at it
    /// decide, also when another has decided already: what one draws must not depend on the others.
    pub fn at_call(&mut self, number: u64, elapsed: u64, scene: &mut dyn Scene) -> Verdict {
        let mut verdict = Verdict::default();
        for &index in self.at_call.get(number as usize).into_iter().flatten() {
            let armed = &mut self.armed[usize::from(index)];
            let Some(hit) = armed.consider(elapsed, scene) else { continue };
            match hit {
                Hit::Fail(_) if verdict.fail.is_some() => {
                    armed.fired -= 1;
                    continue;
                }
                Hit::Fail(errno) => verdict.fail = Some(errno),
                Hit::Shorten { to, .. } => {
                    verdict.bytes_max = Some(verdict.bytes_max.map_or(to, |max| max.min(to)));
                }
                Hit::Delay(by) => verdict.delay = verdict.delay.saturating_add(by),
                Hit::Interrupt => {}
            }
            verdict.firings.push(Firing { fault: Rc::clone(&armed.name), count: armed.fired, hit });
        }
        verdict
    }

    /// Whether a call that begins to wait is interrupted, and by which fault.
    pub fn at_wait(&mut self, number: u64, elapsed: u64, scene: &mut dyn Scene) -> Option<Firing> {
        let mut first = None;
        for &index in self.at_wait.get(number as usize).into_iter().flatten() {
            let armed = &mut self.armed[usize::from(index)];
            let Some(hit) = armed.consider(elapsed, scene) else { continue };
            let firing = Firing { fault: Rc::clone(&armed.name), count: armed.fired, hit };
            first = first.or(Some(firing));
        }
        first
    }
}
