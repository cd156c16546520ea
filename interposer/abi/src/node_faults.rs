//! What faults do to whole machines, and when what comes at a call comes.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

use crate::faults::{Direction, Quantity};

/// What a fault does to a machine: the one that calls, if it is for calls; else, at its time, one of those that it is for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnNodes {
    /// All its processes are killed, and its program starts again.
    Crash {
        /// How long after, in nanoseconds.
        off: Quantity,
        /// What becomes of its files.
        files: Files,
    },
    /// Its program is asked to end by `SIGTERM`, killed with all others if it has not, and starts again.
    Stop {
        /// How long it has to end, in nanoseconds; as long as the machine itself says, without it.
        grace: Option<Quantity>,
        /// How long after its end it starts again, in nanoseconds.
        off: Quantity,
    },
    /// All its processes stand still for so long, in nanoseconds.
    Pause(Quantity),
    /// Machines die in some way and come back, never too many at a time.
    Attrition(Attrition),
    /// Clocks go wrong from now on, each of all machines in its own way.
    SkewClock {
        /// How far the wall clock is off, in nanoseconds.
        offset: Quantity,
        /// How much too fast or slow time passes, as a share of it.
        drift: Quantity,
        /// Which way; drawn, without it.
        direction: Option<Direction>,
    },
    /// A second is inserted at midnight, and that is now. The wall clock is set at the start of the run so that it fits.
    LeapSecond,
    /// It is in this time zone, one of several, for the whole run.
    TimeZone(Vec<TimeZone>),
}

impl OnNodes {
    /// Whether a program may start more than once.
    #[must_use]
    pub const fn starts_again(&self) -> bool {
        matches!(self, Self::Crash { .. } | Self::Stop { .. } | Self::Attrition(_))
    }
}

/// Which machines a fault hits at its time, of those that it may hit.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Victims {
    /// One, drawn each time.
    One,
    /// All, together.
    All,
}

/// A time zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TimeZone {
    /// Its name, as `TZ` has it.
    pub name: String,
    /// Its file (RFC 9636), if its name is a rule and no file of the database.
    pub file: Option<Vec<u8>>,
}

/// What becomes of the files of a machine whose processes are killed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Files {
    /// They are as they were.
    Stay,
    /// Its disk is another one: it finds what it found first.
    Wiped,
}

/// How machines die.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Attrition {
    /// How many may be dead at a time.
    pub max_dead: u64,
    /// How long each is dead, in nanoseconds.
    pub off: Quantity,
    /// How long one that is stopped has to end, in nanoseconds; as long as it says itself, without it.
    pub grace: Option<Quantity>,
    /// How often, to one another: crash, stop, loss of power, crash with an empty disk.
    pub weights: [u64; 4],
}

/// When what comes at a call comes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Moment {
    /// Before it has done anything.
    #[default]
    Before,
    /// When it has done what it does, before its program knows.
    After,
}

/// That the firings of one fault have others come more often for a while.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Raise {
    /// Names of the others, as patterns, file and all.
    pub faults: Vec<String>,
    /// How many times as often.
    pub factor: u64,
    /// For how long after each firing, in nanoseconds.
    pub length: Quantity,
}

/// That faults are there in some runs only, and weaker in some than in others: all those of a family alike.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Family {
    /// Name of the file and its own.
    pub name: String,
    /// How probable it is that they are there.
    pub presence: crate::faults::Share,
    /// Share of their probability or rate that is left, drawn once for a run.
    pub strength: Option<Quantity>,
}
