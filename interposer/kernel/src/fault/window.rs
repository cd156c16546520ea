//! When a fault may fire.

use simrun_abi::faults::{Quantity, Window};

use super::quantity::Source;
use crate::random::Stream;

/// A window of which nothing is left to chance, in nanoseconds from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opening {
    /// When it opens first.
    pub after: u64,
    length: Option<u64>,
    every: Option<u64>,
    until: Option<u64>,
}

impl Opening {
    /// Draws what is random of a window.
    pub fn draw(window: &Window, stream: &mut Stream) -> Self {
        let mut draw = |quantity: &Quantity| Source::new(quantity).next(stream);
        let after = draw(&window.after);
        let length = window.length.as_ref().map(&mut draw);
        let every = window.every.as_ref().map(&mut draw);
        let until = window.until.as_ref().map(&mut draw);
        Self { after, length, every, until }
    }

    /// When it opens next, at `from` at the earliest.
    pub fn next(&self, from: u64) -> Option<u64> {
        let opens = match (from.checked_sub(self.after), self.every) {
            (None | Some(0), _) => self.after,
            (Some(since), Some(every)) if every > 0 => {
                self.after.saturating_add(since.div_ceil(every).saturating_mul(every))
            }
            (Some(_), _) => return None,
        };
        self.until.is_none_or(|until| opens < until).then_some(opens)
    }

    /// When it is open next: now, if it is; the end of time, if it never is again.
    pub fn next_open(&self, elapsed: u64) -> u64 {
        match self.is_open(elapsed) {
            true => elapsed,
            false => self.next(elapsed).unwrap_or(u64::MAX),
        }
    }

    /// When it opens or closes next, after this.
    pub fn next_turn(&self, elapsed: u64) -> Option<u64> {
        let opens = elapsed.checked_add(1).and_then(|next| self.next(next));
        let closes = self.length.filter(|_| self.is_open(elapsed)).map(|length| {
            let before = self.number(elapsed).saturating_mul(self.every.unwrap_or(0));
            self.after.saturating_add(before).saturating_add(length)
        });
        let ends = self.until.filter(|_| self.is_open(elapsed));
        [opens, closes, ends].into_iter().flatten().min()
    }

    /// How often it has opened before, if it is open.
    pub fn number(&self, elapsed: u64) -> u64 {
        match self.every {
            Some(every) if every > 0 => elapsed.saturating_sub(self.after) / every,
            _ => 0,
        }
    }

    /// Whether it is open.
    pub fn is_open(&self, elapsed: u64) -> bool {
        let Some(since) = elapsed.checked_sub(self.after) else { return false };
        let within = match self.every {
            Some(every) if every > 0 => since % every,
            _ => since,
        };
        self.length.is_none_or(|length| within < length)
            && self.until.is_none_or(|until| elapsed < until)
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use simrun_abi::faults::{Draw, Share};

    use super::*;

    #[test]
    fn windows_open_and_close() {
        type Case = (u64, Option<u64>, Option<u64>, Option<u64>, &'static [u64]);
        let cases: [Case; 5] = [
            (0, None, None, None, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
            (3, None, None, None, &[3, 4, 5, 6, 7, 8, 9]),
            (3, Some(2), None, None, &[3, 4]),
            (1, Some(2), Some(4), None, &[1, 2, 5, 6, 9]),
            (1, Some(2), Some(4), Some(6), &[1, 2, 5]),
        ];
        for (after, length, every, until, open) in cases {
            let window = Window {
                after: Quantity::fixed(after),
                length: length.map(Quantity::fixed),
                every: every.map(Quantity::fixed),
                until: until.map(Quantity::fixed),
            };
            let opening = Opening::draw(&window, &mut Stream::new(0, 0));
            let found: Vec<_> = (0..10).filter(|&at| opening.is_open(at)).collect();
            assert_eq!(found, open, "{window:?}");
            let first = open.first().copied();
            assert_eq!(opening.next(0), first, "{window:?}");
            let turns: Vec<_> =
                (1..10).filter(|&at| opening.is_open(at) != opening.is_open(at - 1)).collect();
            let mut found = Vec::new();
            let mut turn = opening.next_turn(0);
            while let Some(at) = turn.filter(|&at| at < 10) {
                found.push(at);
                turn = opening.next_turn(at);
            }
            assert_eq!(found, turns, "{window:?}");
            let starts = |at: &u64| *at == 0 || !opening.is_open(at - 1);
            let second = open.iter().copied().filter(starts).nth(1);
            let next = first.and_then(|first| opening.next(first + 1));
            assert_eq!(next.filter(|&next| next < 10), second, "{window:?}");
        }
    }

    #[test]
    fn a_window_may_differ_from_seed_to_seed() {
        let after = Quantity { draw: Draw::Uniform(0, 1000), correlation: Share::NONE };
        let window = Window { after, length: None, every: None, until: None };
        let mut opens: Vec<_> =
            (0..20).map(|seed| Opening::draw(&window, &mut Stream::new(seed, 1)).after).collect();
        opens.dedup();
        assert!(opens.len() > 15, "{opens:?}");
    }
}
