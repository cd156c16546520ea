//! The command line of many runs together.

use std::{path::PathBuf, time::Duration};

use clap::{Args, builder::RangedU64ValueParser};

use super::{Keeping, Several, World, store::Stored, units};
use crate::store::simulation::Shard;

/// Seeds from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The first one.
    pub first: u64,
    /// How many.
    pub count: u64,
}

/// Files that a report is written to.
#[derive(Clone, Debug, Default, Args)]
pub struct ReportFiles {
    /// Write the report to this file as JUnit has it; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub junit: Option<PathBuf>,
    /// Write the report to this file as JSON; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub json: Option<PathBuf>,
    /// Write the report to this file as one page of HTML that needs no network; `-` is standard output
    #[arg(long, value_name = "FILE")]
    pub html: Option<PathBuf>,
}

impl ReportFiles {
    /// Whether there is any.
    pub fn are_wanted(&self) -> bool {
        self.junit.is_some() || self.json.is_some() || self.html.is_some()
    }
}

/// `simrun explore`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  simrun explore --depth 1000 --junit report.xml -- ./service\n  simrun explore --depth 100 sim store.yaml\n\n\
                  Exit status: 0 if all runs succeeded, 1 if any failed, 125 if any gave no result."
)]
pub struct ExploreArguments {
    /// Runs of each fault model, with seeds from --seed up, or from 1; 20, unless a simulation file or the model's says
    /// otherwise
    #[arg(
        long, value_name = "N", conflicts_with_all = ["seeds", "for_time"],
        value_parser = RangedU64ValueParser::<u64>::new().range(1..)
    )]
    pub depth: Option<u64>,

    /// Fault models that have a depth of their own, with commas between them: sunny, stormy, radioactive, or files
    #[arg(long, value_name = "NAME", value_delimiter = ',')]
    pub level: Vec<String>,

    /// These seeds, both included, as in 1..1000
    #[arg(long, value_name = "A..B", value_parser = seeds, conflicts_with_all = ["seed", "for_time"])]
    pub seeds: Option<Seeds>,

    /// As many seeds as there is real time for, as in 10m
    #[arg(long = "for", id = "for_time", value_name = "DURATION", value_parser = units::duration)]
    pub for_time: Option<Duration>,

    /// Runs at one time; one for each processor if not given
    #[arg(long, short, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
    pub jobs: Option<u16>,

    /// Begin no more runs once one has failed
    #[arg(long)]
    pub fail_fast: bool,

    /// Run only a share: the I-th of N, which `merge` puts together again
    #[arg(long, value_name = "I/N", value_parser = shard)]
    pub shard: Option<Shard>,

    /// Files for the report.
    #[command(flatten)]
    pub files: ReportFiles,

    /// Whether and where the runs are kept.
    #[command(flatten)]
    pub keeping: Keeping,

    /// The world that the command runs in.
    #[command(flatten)]
    pub world: World,

    /// What is run.
    #[command(flatten)]
    pub several: Several,
}

/// `simrun status`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun status last --junit report.xml")]
pub struct StatusArguments {
    /// The simulation: its name, a beginning or an end of it, or `last`
    pub simulation: String,
    /// Files for the report.
    #[command(flatten)]
    pub files: ReportFiles,
    /// Where and how.
    #[command(flatten)]
    pub stored: Stored,
}

/// `simrun merge`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  simrun merge shard-1/store shard-2/store && simrun status last"
)]
pub struct MergeArguments {
    /// Stores whose runs are copied
    #[arg(required = true, value_name = "DIR")]
    pub stores: Vec<PathBuf>,
    /// Where to, and how it is told.
    #[command(flatten)]
    pub stored: Stored,
}

fn seeds(text: &str) -> Result<Seeds, String> {
    let wrong = || "write the first and the last seed, as in 1..1000".to_owned();
    let (first, last) = text.split_once("..").ok_or_else(wrong)?;
    let (first, last) = (units::seed(first)?, units::seed(last)?);
    match last.checked_sub(first).and_then(|more| more.checked_add(1)) {
        Some(count) => Ok(Seeds { first, count }),
        None if last < first => Err(format!("there is no seed from {first} to {last}")),
        None => Err(wrong()),
    }
}

fn shard(text: &str) -> Result<Shard, String> {
    let wrong = || "write which share of how many, as in 1/4".to_owned();
    let (number, of) = text.split_once('/').ok_or_else(wrong)?;
    let parse = |text: &str| text.parse::<u32>().map_err(|_| wrong());
    let shard = Shard { number: parse(number)?, of: parse(of)? };
    if (1..=shard.of).contains(&shard.number) {
        Ok(shard)
    } else {
        Err(format!("of {} shares there is none with number {}", shard.of, shard.number))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_a_range_with_both_ends() {
        assert_eq!(seeds("1..1000"), Ok(Seeds { first: 1, count: 1000 }));
        assert_eq!(seeds("0x10..16"), Ok(Seeds { first: 16, count: 1 }));
        assert_eq!(seeds("5..4"), Err("there is no seed from 5 to 4".into()));
        for wrong in ["7", "1..", "a..b", "0..18446744073709551615"] {
            assert!(seeds(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_share_is_one_of_some() {
        assert_eq!(shard("2/4"), Ok(Shard { number: 2, of: 4 }));
        assert_eq!(shard("5/4"), Err("of 4 shares there is none with number 5".into()));
        for wrong in ["0/4", "1", "1/", "a/b"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}
