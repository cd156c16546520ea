//! What the faults make of something that is sent, all together.

use alloc::{rc::Rc, string::String, vec::Vec};
use core::time::Duration;

use simrun_abi::event::What;

/// What becomes of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fate {
    /// It arrives.
    #[default]
    Arrives,
    /// It does not.
    Lost,
    /// It is answered as if nobody listened.
    Refused,
    /// It is answered with there being no way.
    Unreachable,
    /// Both ends are told that the connection is reset.
    Reset,
    /// It does not arrive, nor does anything after it on its link.
    Vanishes,
    /// Both ends are told that nothing follows.
    Closes,
    /// There is nobody any more who would take it: its sender is told.
    TooLate,
}

/// A fault that has fired.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// Its name.
    pub fault: Rc<str>,
    /// How often it has fired, this time included.
    pub count: u64,
    /// What it does, in words.
    pub effect: String,
}

impl Report {
    /// What the log says of it: what carries what it hit, if anything does, and who met it.
    #[must_use]
    pub fn event(self, call: &str, subject: String) -> What {
        What::Fault {
            fault: String::from(&*self.fault),
            count: self.count,
            call: call.into(),
            subject,
            effect: self.effect,
        }
    }
}

/// What the faults make of something that is sent, all together.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Passage {
    /// What becomes of it.
    pub fate: Fate,
    /// How long it takes besides what it waits for others.
    pub(super) delay: Duration,
    /// How long it takes until it is through the narrowest line.
    pub(super) queued: Duration,
    /// How long after what was sent before it arrives at least.
    pub gap: Duration,
    /// How much later it arrives again, each time.
    pub copies: Vec<Duration>,
    /// Whether those behind it do not wait for it.
    pub is_overtaken: bool,
    /// A random number by which a bit is chosen that is wrong, if one is.
    pub corrupts: Option<u64>,
    /// The faults that have a part in it.
    pub reports: Vec<Report>,
}

impl Passage {
    /// How much later it arrives.
    #[must_use]
    pub fn delay(&self) -> Duration {
        self.queued.saturating_add(self.delay)
    }

    /// Of several fates the first one is met.
    pub(super) fn settle(&mut self, fate: Fate) {
        if self.fate == Fate::Arrives {
            self.fate = fate;
        }
    }

    pub(super) fn report(&mut self, fault: &Rc<str>, count: u64, effect: String) {
        self.reports.push(Report { fault: Rc::clone(fault), count, effect });
    }
}
