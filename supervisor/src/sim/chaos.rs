//! When faults may happen at all: the quiet before, and the quiet end.

use std::time::Duration;

use simrun_abi::faults::{Draw, Fault, Quantity, Window};
use simrun_config::{Wrong, units::Unit};

use super::file::Chaos;

/// A window in which all faults have to happen, in nanoseconds from the start of the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    opens: u64,
    closes: Option<u64>,
}

impl Bounds {
    /// What a file says.
    ///
    /// # Errors
    /// When the window never opens.
    pub fn new(chaos: &Chaos) -> Result<Self, Wrong> {
        let opens = chaos.after.map_or(0, Unit::number);
        let closes = match &chaos.r#for {
            Some(length) if length.number() == 0 => {
                return Err(length.wrong("a window that is open for no time never opens"));
            }
            length => length.as_ref().map(|length| opens.saturating_add(length.number())),
        };
        Ok(Self { opens, closes })
    }

    /// The same for what is asked of mocks.
    pub fn of_mocks(self) -> simrun_mocks::Chaos {
        simrun_mocks::Chaos {
            opens: Duration::from_nanos(self.opens),
            closes: self.closes.map(Duration::from_nanos),
        }
    }

    /// Lets a fault happen only then; its own times are from when the window opens.
    pub fn confine(self, fault: &mut Fault) {
        let Window { after, until, .. } = &mut fault.window;
        let later = |time: u64| time.saturating_add(self.opens);
        change(&mut after.draw, &later);
        if let Some(until) = until {
            change(&mut until.draw, &later);
        }
        if let Some(closes) = self.closes {
            let until = until.get_or_insert(Quantity::fixed(closes));
            change(&mut until.draw, &|time| time.min(closes));
        }
    }
}

/// Changes all that may be drawn, in a way that keeps its order.
fn change(draw: &mut Draw, how: &impl Fn(u64) -> u64) {
    match draw {
        Draw::Fixed(value) => *value = how(*value),
        Draw::Uniform(from, to) => (*from, *to) = (how(*from), how(*to)),
        Draw::Table(levels) => {
            levels.iter_mut().flatten().for_each(|value| *value = how(*value));
        }
        Draw::Either { usual, rare, .. } => {
            change(usual, how);
            change(rare, how);
        }
    }
}

#[cfg(test)]
mod tests {
    use simrun_abi::faults::Share;

    use super::*;

    #[test]
    fn whatever_is_drawn_lies_in_the_window() {
        let bounds = Bounds { opens: 100, closes: Some(150) };
        let either = |usual, rare| Draw::Either {
            usual: Box::new(usual),
            rare: Box::new(rare),
            share: Share::NONE,
        };
        let cases = [
            (Draw::Fixed(7), Draw::Fixed(107)),
            (Draw::Uniform(0, 200), Draw::Uniform(100, 300)),
            (Draw::Table(vec![vec![1, 2]]), Draw::Table(vec![vec![101, 102]])),
            (
                either(Draw::Fixed(1), Draw::Fixed(u64::MAX)),
                either(Draw::Fixed(101), Draw::Fixed(u64::MAX)),
            ),
        ];
        for (before, expected) in cases {
            let mut after = before;
            change(&mut after, &|time| time.saturating_add(bounds.opens));
            assert_eq!(after, expected);
        }
        let mut until = Draw::Uniform(20, 80);
        change(&mut until, &|time| (time + bounds.opens).min(150));
        assert_eq!(until, Draw::Uniform(120, 150));
    }
}
