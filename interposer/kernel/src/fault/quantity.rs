//! Numbers that are drawn, without floating point.

use simrun_abi::faults::{Draw, Quantity, Share, TABLE_PARTS};

use crate::random::Stream;

/// Whether something of this probability happens now.
pub fn happens(stream: &mut Stream, probability: Share) -> bool {
    (stream.next_u64() >> 32) < probability.parts()
}

/// Where the numbers of a quantity come from.
#[derive(Clone, Debug)]
pub struct Source {
    quantity: Quantity,
    last: Option<u64>,
}

impl Source {
    /// Nothing drawn yet.
    pub fn new(quantity: &Quantity) -> Self {
        Self { quantity: quantity.clone(), last: None }
    }

    /// The next number.
    pub fn next(&mut self, stream: &mut Stream) -> u64 {
        if let Some(last) = self.last
            && self.quantity.correlation > Share::NONE
            && happens(stream, self.quantity.correlation)
        {
            return last;
        }
        *self.last.insert(draw(&self.quantity.draw, stream))
    }
}

fn draw(how: &Draw, stream: &mut Stream) -> u64 {
    match how {
        Draw::Fixed(value) => *value,
        Draw::Uniform(least, most) => {
            let span = most.saturating_sub(*least);
            match span.checked_add(1) {
                Some(count) => least + stream.below(count),
                None => stream.next_u64(),
            }
        }
        Draw::Table(levels) => look_up(levels, stream.next_u64()),
        Draw::Either { usual, rare, share } => {
            let chosen = if happens(stream, *share) { rare } else { usual };
            draw(chosen, stream)
        }
    }
}

/// The quantile at a fraction of 2^64: eight bits choose the part of a level, and what is left the place in it.
fn look_up(levels: &[alloc::vec::Vec<u64>], mut fraction: u64) -> u64 {
    const BITS: u32 = TABLE_PARTS.trailing_zeros();
    let Some((last, others)) = levels.split_last() else { return 0 };
    let part = |fraction: u64| (fraction >> (u64::BITS - BITS)) as usize;
    let in_tail = |fraction: u64| part(fraction) == TABLE_PARTS - 1;
    for level in others {
        if !in_tail(fraction) {
            return within(level, part(fraction), fraction << BITS);
        }
        fraction <<= BITS;
    }
    within(last, part(fraction), fraction << BITS)
}

/// Between two neighbours of a level, in proportion.
fn within(level: &[u64], part: usize, fraction: u64) -> u64 {
    let (from, to) = (level[part], level[part + 1]);
    let span = u128::from(to.saturating_sub(from));
    from + ((span * u128::from(fraction)) >> 64) as u64
}

#[cfg(test)]
mod tests {
    use alloc::{boxed::Box, vec::Vec};

    use super::*;

    fn mean(draw: Draw, correlation: Share) -> u64 {
        let mut stream = Stream::new(1, 2);
        let mut source = Source::new(&Quantity { draw, correlation });
        (0..20_000).map(|_| source.next(&mut stream)).sum::<u64>() / 20_000
    }

    #[test]
    fn the_mean_is_that_of_the_distribution_whatever_the_correlation() {
        // A level that rises by 10 a part, and a tail of its own.
        let level: Vec<u64> = (0..=256).map(|part| part * 10).collect();
        let tail: Vec<u64> = (0..=256).map(|part| 2550 + part * 1000).collect();
        for correlation in [Share::NONE, Share::from_parts(1 << 31)] {
            let cases = [
                (Draw::Fixed(7), 7..=7),
                (Draw::Uniform(100, 200), 148..=152),
                (Draw::Uniform(5, 5), 5..=5),
                (Draw::Table(Vec::from([level.clone()])), 1260..=1300),
                // 1275 from the first level, and 130550 in one of 256.
                (Draw::Table(Vec::from([level.clone(), tail.clone()])), 1650..=1920),
                (
                    Draw::Either {
                        usual: Box::new(Draw::Fixed(0)),
                        rare: Box::new(Draw::Fixed(1000)),
                        share: Share::from_parts(1 << 30),
                    },
                    235..=265,
                ),
            ];
            for (draw, expected) in cases {
                let found = mean(draw.clone(), correlation);
                assert!(expected.contains(&found), "{found} not in {expected:?}");
            }
        }
    }

    #[test]
    fn what_is_correlated_comes_in_runs() {
        let mut stream = Stream::new(3, 4);
        let correlation = Share::from_parts(Share::WHOLE.parts() / 10 * 9);
        let mut source = Source::new(&Quantity { draw: Draw::Uniform(0, u64::MAX), correlation });
        let numbers: Vec<_> = (0..10_000).map(|_| source.next(&mut stream)).collect();
        let changes = numbers.windows(2).filter(|pair| pair[0] != pair[1]).count();
        assert!((850..1150).contains(&changes), "{changes}");
    }
}
