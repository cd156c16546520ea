//! How often a fault hits.

use simrun_abi::faults::{Chance, Share};

use super::quantity::{Source, happens};
use crate::random::Stream;

/// How often, and what has been decided so far.
#[derive(Clone, Debug)]
pub enum Dice {
    /// With a probability, each time.
    Probability { share: Share, correlation: Share, last: Option<bool> },
    /// At the next opportunity after an instant, in nanoseconds from the start of the run.
    Rate { interval: Source, due: u64 },
}

impl Dice {
    /// Nothing decided; the first interval of a rate begins when the fault's window opens.
    pub fn new(chance: &Chance, opens: u64, stream: &mut Stream) -> Self {
        match chance {
            Chance::Probability { share, correlation } => {
                Self::Probability { share: *share, correlation: *correlation, last: None }
            }
            Chance::Rate { interval } => {
                let mut interval = Source::new(interval);
                let due = opens.saturating_add(interval.next(stream));
                Self::Rate { interval, due }
            }
        }
    }

    /// Whether it hits now, if it does so many times as often as usual.
    pub fn hits(&mut self, elapsed: u64, factor: u64, stream: &mut Stream) -> bool {
        match self {
            Self::Probability { share, correlation, last } => {
                let share = Share::from_parts(share.parts().saturating_mul(factor));
                if share == Share::WHOLE {
                    return true;
                }
                if let Some(last) = *last
                    && *correlation > Share::NONE
                    && happens(stream, *correlation)
                {
                    return last;
                }
                *last.insert(happens(stream, share))
            }
            Self::Rate { interval, due } => {
                let hits = elapsed >= *due;
                if hits {
                    *due = elapsed.saturating_add(interval.next(stream) / factor);
                }
                hits
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use simrun_abi::faults::{Draw, Quantity};

    use super::*;

    #[test]
    fn correlation_makes_runs_and_leaves_the_frequency() {
        for (correlation, changes) in [(0, 1600..2000), (8, 260..480)] {
            let mut stream = Stream::new(5, 6);
            let tenth = Share::WHOLE.parts() / 10;
            let chance = Chance::Probability {
                share: Share::from_parts(tenth),
                correlation: Share::from_parts(tenth * correlation),
            };
            let mut dice = Dice::new(&chance, 0, &mut stream);
            let hits: alloc::vec::Vec<_> =
                (0..10_000).map(|now| dice.hits(now, 1, &mut stream)).collect();
            let count = hits.iter().filter(|&&hit| hit).count();
            assert!((850..1150).contains(&count), "{count}");
            let found = hits.windows(2).filter(|pair| pair[0] != pair[1]).count();
            assert!(changes.contains(&found), "{found}");
        }
    }

    #[test]
    fn a_rate_counts_time_and_not_opportunities() {
        for step in [1, 100] {
            let mut stream = Stream::new(7, 8);
            let interval = Quantity { draw: Draw::Uniform(0, 20_000), correlation: Share::NONE };
            let mut dice = Dice::new(&Chance::Rate { interval }, 0, &mut stream);
            let times = (0..10_000_000).step_by(step);
            let count = times.filter(|&now| dice.hits(now, 1, &mut stream)).count();
            assert!((940..1060).contains(&count), "{count}");
        }
    }
}
