//! Families of faults, of which a run has some, and some weaker than others.

use alloc::{format, string::String, vec::Vec};

use simrun_abi::{
    faults::{Chance, Draw, Fault, Quantity, Share},
    node_faults::Family,
};

use super::quantity::{Source, happens};
use crate::{
    event::Fingerprint,
    random::{Purpose, Random, Stream},
};

/// A stream of random numbers with a name.
pub(super) fn stream(random: &Random, parts: [&str; 2]) -> Stream {
    let mut name = Fingerprint::default();
    parts
        .into_iter()
        .filter(|part| !part.is_empty())
        .for_each(|part| name.fold_bytes(part.as_bytes()));
    random.derive(Purpose::Fault, name.value())
}

/// The faults that a run has. All of a family draw the same.
pub(super) fn present(plan: &[Fault], random: &Random) -> Vec<Fault> {
    plan.iter().filter_map(|fault| weaken(fault, random)).collect()
}

/// What the families of a plan are in a run, in words.
pub(super) fn describe(plan: &[Fault], random: &Random) -> Vec<String> {
    let mut told: Vec<String> = Vec::new();
    for family in plan.iter().filter_map(|fault| fault.family.as_ref()) {
        let words = match strength(family, random) {
            Some(share) => format!("{} is there at {}%", family.name, share.of(100)),
            None => format!("{} is not there", family.name),
        };
        if !told.contains(&words) {
            told.push(words);
        }
    }
    told
}

/// How strong a family is in a run, if it is there.
fn strength(family: &Family, random: &Random) -> Option<Share> {
    let mut stream = stream(random, ["family ", &family.name]);
    let is_there = happens(&mut stream, family.presence);
    let strength = family.strength.as_ref().map(|share| Source::new(share).next(&mut stream));
    is_there.then(|| strength.map_or(Share::WHOLE, Share::from_parts))
}

fn weaken(fault: &Fault, random: &Random) -> Option<Fault> {
    let Some(family) = &fault.family else { return Some(fault.clone()) };
    strength(family, random).map(|strength| {
        let chance = match &fault.chance {
            Chance::Probability { share, correlation } => {
                let share = Share::from_parts(strength.of(share.parts()));
                Chance::Probability { share, correlation: *correlation }
            }
            Chance::Rate { interval } => {
                let draw = stretch(&interval.draw, strength);
                Chance::Rate { interval: Quantity { draw, correlation: interval.correlation } }
            }
        };
        Fault { chance, ..fault.clone() }
    })
}

/// A distribution of which everything is longer, as by a share that is left of a rate.
fn stretch(draw: &Draw, share: Share) -> Draw {
    let longer = |number: u64| {
        let number = (u128::from(number) << 32) / u128::from(share.parts().max(1));
        u64::try_from(number).unwrap_or(u64::MAX)
    };
    match draw {
        Draw::Fixed(number) => Draw::Fixed(longer(*number)),
        Draw::Uniform(least, most) => Draw::Uniform(longer(*least), longer(*most)),
        Draw::Table(levels) => {
            let level = |level: &Vec<u64>| level.iter().map(|&number| longer(number)).collect();
            Draw::Table(levels.iter().map(level).collect())
        }
        Draw::Either { usual, rare, share: rarely } => Draw::Either {
            usual: stretch(usual, share).into(),
            rare: stretch(rare, share).into(),
            share: *rarely,
        },
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use simrun_abi::faults::Effect;

    use super::*;

    fn fault(name: &str, family: &str) -> Fault {
        Fault {
            family: Some(Family {
                name: family.into(),
                presence: Share::from_parts(1 << 31),
                strength: Some(Quantity {
                    draw: Draw::Uniform(1 << 30, 1 << 31),
                    correlation: Share::NONE,
                }),
            }),
            ..Fault::always(name.into(), Effect::Wake)
        }
    }

    #[test]
    fn a_family_is_there_as_a_whole_in_some_runs_and_weaker_in_each() {
        let plan = [fault("x/a", "x/one"), fault("x/b", "x/one"), fault("x/c", "x/other")];
        let names = |seed: u64, plan: &[Fault]| -> Vec<alloc::string::String> {
            present(plan, &Random::new(seed)).into_iter().map(|fault| fault.name).collect()
        };
        let mut seen = [0; 4];
        for seed in 0..400 {
            let found = names(seed, &plan);
            let has = |name: &str| found.iter().any(|found| found == name);
            assert_eq!(has("x/a"), has("x/b"));
            seen[usize::from(has("x/a")) * 2 + usize::from(has("x/c"))] += 1;
            assert_eq!(names(seed, &plan[2..]).is_empty(), !has("x/c"), "whatever else there is");
            for fault in present(&plan, &Random::new(seed)) {
                let Chance::Probability { share, .. } = fault.chance else { unreachable!() };
                assert!((1 << 30..=1 << 31).contains(&share.parts()), "{share:?}");
            }
        }
        assert!(seen.iter().all(|&count| (70..130).contains(&count)), "{seen:?}");
    }

    #[test]
    fn a_weaker_rate_has_longer_intervals() {
        let interval = Quantity { draw: Draw::Uniform(10, 20), correlation: Share::NONE };
        let strong = Fault { chance: Chance::Rate { interval }, ..fault("x/a", "x/one") };
        let half = Family {
            name: "x/one".into(),
            presence: Share::WHOLE,
            strength: Some(Quantity::fixed(1 << 31)),
        };
        let weak = present(&[Fault { family: Some(half), ..strong }], &Random::new(1));
        let expected = Quantity { draw: Draw::Uniform(20, 40), correlation: Share::NONE };
        assert_eq!(weak[0].chance, Chance::Rate { interval: expected });
        let level = Draw::Table(vec![vec![1, 2, 3]]);
        assert_eq!(stretch(&level, Share::from_parts(1 << 30)), Draw::Table(vec![vec![4, 8, 12]]));
    }
}
