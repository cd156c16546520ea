//! Faults of whole machines, and of their clocks.

use alloc::{format, string::String};
use core::time::Duration;

use simrun_abi::{
    faults::Direction,
    node_faults::{Files, OnNodes},
};

use super::{armed::milliseconds, quantity::Source};
use crate::random::Stream;

/// What a fault does to a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeHit {
    /// All its processes are killed.
    Crash {
        /// How long after its program starts again.
        off: Duration,
        /// What becomes of its files.
        files: Files,
    },
    /// Its program is asked to end.
    Stop {
        /// How long it has for that, if not as long as it says itself.
        grace: Option<Duration>,
        /// How long after its end it starts again.
        off: Duration,
    },
    /// It loses power for so long.
    LosePower(Duration),
    /// All its processes stand still.
    Pause(Duration),
    /// Its clocks go wrong.
    SkewClock {
        /// How far the wall clock is ahead, in nanoseconds.
        offset_ns: i64,
        /// How much too fast time passes, in parts of 2^32.
        drift: i64,
    },
    /// A second is inserted.
    LeapSecond,
}

impl NodeHit {
    /// In words.
    pub fn describe(&self) -> String {
        match self {
            Self::Crash { off, files } => {
                let files = match files {
                    Files::Stay => "",
                    Files::Wiped => " with an empty disk",
                };
                let off = milliseconds(*off);
                format!(
                    "all processes of the machine are killed, to start again{files} {off} later"
                )
            }
            Self::Stop { grace, off } => {
                let within = grace
                    .map_or_else(String::new, |grace| format!(" within {}", milliseconds(grace)));
                format!(
                    "the machine is to stop{within}, and starts again {} after",
                    milliseconds(*off)
                )
            }
            Self::LosePower(off) => {
                format!("the machine loses power and is off for {}", milliseconds(*off))
            }
            Self::Pause(by) => format!("the machine stands still for {}", milliseconds(*by)),
            Self::SkewClock { offset_ns, drift } => {
                let offset = milliseconds(Duration::from_nanos(offset_ns.unsigned_abs()));
                let way = if *offset_ns < 0 { "behind" } else { "ahead" };
                let billionths = (i128::from(drift.unsigned_abs()) * 1_000_000_000) >> 32;
                let pace = if *drift < 0 { "slow" } else { "fast" };
                format!("the clock is {offset} {way} and {billionths} billionths too {pace}")
            }
            Self::LeapSecond => "a second is inserted".into(),
        }
    }
}

/// What a fault does to machines, and where its numbers come from.
pub enum Doing {
    Crash { off: Source, files: Files },
    Stop { grace: Option<Source>, off: Source },
    Pause(Source),
    LosePower(Source),
    Attrition { max_dead: u64, off: Source, grace: Option<Source>, weights: [u64; 4] },
    SkewClock { offset: Source, drift: Source, direction: Option<Direction> },
    LeapSecond,
}

/// What a fault that hits machines at its time has to know of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Machines {
    /// How many it may hit.
    pub candidates: usize,
    /// How many are dead.
    pub dead: u64,
}

impl Doing {
    /// `None` for what is no event.
    pub fn new(effect: &OnNodes) -> Option<Self> {
        Some(match effect {
            OnNodes::Crash { off, files } => Self::Crash { off: Source::new(off), files: *files },
            OnNodes::Stop { grace, off } => {
                Self::Stop { grace: grace.as_ref().map(Source::new), off: Source::new(off) }
            }
            OnNodes::Pause(by) => Self::Pause(Source::new(by)),
            OnNodes::Attrition(attrition) => Self::Attrition {
                max_dead: attrition.max_dead,
                off: Source::new(&attrition.off),
                grace: attrition.grace.as_ref().map(Source::new),
                weights: attrition.weights,
            },
            OnNodes::SkewClock { offset, drift, direction } => Self::SkewClock {
                offset: Source::new(offset),
                drift: Source::new(drift),
                direction: *direction,
            },
            OnNodes::LeapSecond => Self::LeapSecond,
            OnNodes::TimeZone(_) => return None,
        })
    }

    /// Whether it is about clocks: then it hits every machine, each in its own way, and also one that is off.
    pub fn is_of_clocks(&self) -> bool {
        matches!(self, Self::SkewClock { .. } | Self::LeapSecond)
    }

    /// Whether it hits workloads, too.
    pub fn spares_nobody(&self) -> bool {
        matches!(self, Self::LeapSecond)
    }

    /// Whether it may set somebody going who waits for ever.
    pub fn could_help(&self) -> bool {
        matches!(
            self,
            Self::Crash { .. } | Self::Stop { .. } | Self::LosePower(_) | Self::Attrition { .. }
        )
    }

    /// Whether it may hit one more.
    pub fn may_hit(&self, machines: Machines) -> bool {
        let has_room = match self {
            Self::Attrition { max_dead, .. } => machines.dead < *max_dead,
            _ => true,
        };
        has_room && machines.candidates > 0
    }

    /// What it does to the next one.
    pub fn aim(&mut self, stream: &mut Stream) -> NodeHit {
        let duration =
            |source: &mut Source, stream: &mut Stream| Duration::from_nanos(source.next(stream));
        match self {
            Self::Crash { off, files } => {
                NodeHit::Crash { off: duration(off, stream), files: *files }
            }
            Self::Stop { grace, off } => {
                let grace = grace.as_mut().map(|grace| duration(grace, stream));
                NodeHit::Stop { grace, off: duration(off, stream) }
            }
            Self::Pause(by) => NodeHit::Pause(duration(by, stream)),
            Self::LosePower(off) => NodeHit::LosePower(duration(off, stream)),
            Self::Attrition { off, grace, weights, .. } => {
                let off = duration(off, stream);
                let grace = grace.as_mut().map(|grace| duration(grace, stream));
                match choose(weights, stream) {
                    0 => NodeHit::Crash { off, files: Files::Stay },
                    1 => NodeHit::Stop { grace, off },
                    2 => NodeHit::LosePower(off),
                    _ => NodeHit::Crash { off, files: Files::Wiped },
                }
            }
            Self::SkewClock { offset, drift, direction } => {
                let (by, rate) = (offset.next(stream), drift.next(stream));
                let sign = |stream: &mut Stream| match direction {
                    Some(Direction::Forward) => 1,
                    Some(Direction::Backward) => -1,
                    None => [1, -1][stream.below(2) as usize],
                };
                let offset_ns = i64::try_from(by).unwrap_or(i64::MAX) * sign(stream);
                NodeHit::SkewClock { offset_ns, drift: rate as i64 * sign(stream) }
            }
            Self::LeapSecond => NodeHit::LeapSecond,
        }
    }
}

/// One of several, as likely as it weighs.
fn choose(weights: &[u64], stream: &mut Stream) -> usize {
    let mut drawn = stream.below(weights.iter().sum());
    for (index, &weight) in weights.iter().enumerate() {
        match drawn.checked_sub(weight) {
            Some(rest) => drawn = rest,
            None => return index,
        }
    }
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kinds_of_death_are_as_frequent_as_they_weigh() {
        let mut stream = Stream::new(1, 2);
        let mut counts = [0; 4];
        for _ in 0..8000 {
            counts[choose(&[3, 0, 4, 1], &mut stream)] += 1;
        }
        let [crash, stop, power, wipe] = counts;
        assert!((2800..3200).contains(&crash) && stop == 0, "{counts:?}");
        assert!((3800..4200).contains(&power) && (850..1150).contains(&wipe), "{counts:?}");
    }
}
