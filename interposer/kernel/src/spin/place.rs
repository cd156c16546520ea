//! The places in code where threads are known to wait.

use alloc::{rc::Rc, vec::Vec};

use super::{Circle, Machine};
use crate::{arch::x86_64::Branch, host::Host};

/// Most circles known at one place: the last ones, one for each of so many threads.
const CIRCLES_MAX: usize = 64;
/// How often threads may come by a place otherwise before it is given up: each time costs a trap, and most loops that wait
/// also do other things at other times.
const PASSES_MAX: u32 = 1000;
/// The same for a place that was given with the command, where coming by is all that is known.
const GIVEN_PASSES_MAX: u32 = 100_000;

/// How a thread that comes by a place is doing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// It goes in this circle.
    Waits(Rc<Circle>),
    /// It may wait: others may go first.
    MayWait,
    /// It passes.
    Passes,
    /// It was here just before in the same state: so many instructions of it are to be looked at.
    Search(u64),
}

/// A place where threads are known to wait. Its jump is patched, if it has one that can be.
#[derive(Clone, Debug)]
pub struct Place {
    /// The jump, and the bytes that the patch has taken the place of.
    pub patched: Option<(Branch, [u8; 2])>,
    circles: Vec<Rc<Circle>>,
    passes: u32,
    is_given: bool,
    /// Who came by last, and at which entry into the kernel.
    last: Option<(Machine, u64)>,
}

/// Rounds to look at of a thread that has come by a place twice as it was, each as long as the longest circle known there.
const ROUNDS: u64 = 8;
/// Instructions to look at, at least.
const STEPS_MIN: u64 = 1000;

impl Place {
    /// A place that was given with the command.
    #[must_use]
    pub fn given(branch: Branch, code: [u8; 2]) -> Self {
        Self {
            patched: Some((branch, code)),
            circles: Vec::new(),
            passes: 0,
            is_given: true,
            last: None,
        }
    }

    /// A place where a circle was found.
    #[must_use]
    pub fn found(patched: Option<(Branch, [u8; 2])>) -> Self {
        Self { patched, circles: Vec::new(), passes: 0, is_given: false, last: None }
    }

    /// Takes in a circle.
    pub fn add(&mut self, circle: Circle) {
        if self.circles.len() == CIRCLES_MAX {
            self.circles.remove(0);
        }
        self.circles.push(Rc::new(circle));
        self.passes = 0;
    }

    /// How a thread that stands here is doing. `entry` numbers the entries into the kernel.
    pub fn judge(&mut self, host: &mut dyn Host, machine: &Machine, entry: u64) -> Verdict {
        let mut circles = self.circles.iter();
        if let Some(circle) =
            circles.find(|circle| circle.machine == *machine && circle.is_closed(host))
        {
            self.passes = 0;
            return Verdict::Waits(Rc::clone(circle));
        }
        self.passes = self.passes.saturating_add(1);
        if self.is_given {
            return Verdict::MayWait;
        }
        let last = self.last.replace((*machine, entry));
        if last != Some((*machine, entry - 1)) {
            return Verdict::Passes;
        }
        let longest = self.circles.iter().map(|circle| circle.period).max().unwrap_or(0);
        Verdict::Search((longest * ROUNDS).max(STEPS_MIN))
    }

    /// Whether threads have come by so often without waiting that the place is not worth its cost.
    #[must_use]
    pub fn is_spent(&self) -> bool {
        self.passes > if self.is_given { GIVEN_PASSES_MAX } else { PASSES_MAX }
    }
}
