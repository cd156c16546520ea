//! Runs the same seed again and again and compares the fingerprints.

use std::fs::File;

use simrun_abi::{boot::Detail, event::Event};

use super::{Failure, open_null};
use crate::{
    cli::VerifyArguments,
    compare::{TraceInMemory, difference},
    exit,
    input::Input,
    launch::{self, Outcome, Streams},
    plan::Plan,
    printer::Printer,
    report::{self, Report, say},
};

/// Runs with full traces in which the difference is looked for.
const SEARCHES: u32 = 20;

/// Runs the command so often; fails if two runs differ, and shows where.
///
/// # Errors
/// When there is no run.
pub fn verify(arguments: &VerifyArguments) -> Result<u8, Failure> {
    let mut plan =
        Plan::new(&arguments.world, arguments.several.subject().map_err(Failure::Unknown)?)?;
    let seed = plan.boot.seed;
    plan.boot.detail = Printer::detail(&plan.boot);
    say(&format!("seed {seed}, {} runs", arguments.runs));
    let nowhere = open_null()?;
    let input = Input::new(&nowhere)?;
    let mut first: Option<Outcome> = None;
    for number in 1..=arguments.runs {
        let shown = number == 1;
        let mut report = Report::new(&plan.boot, !shown);
        let streams = input.streams(if shown { None } else { Some(&nowhere) })?;
        let mut outcome = attempt(&plan, &streams, &mut report)?;
        while let Some(words) = launch::learn(&mut plan.boot, &outcome) {
            report = Report::new(&plan.boot, !shown);
            report.warn(&words);
            outcome = attempt(&plan, &streams, &mut report)?;
        }
        if shown || !outcome.ending.has_fingerprint() {
            let status = report.finish(&outcome);
            if !outcome.ending.has_fingerprint() {
                say(&format!("run {number} gave no result to compare"));
                return Ok(status);
            }
        }
        let Some(first) = &first else {
            first = Some(outcome);
            continue;
        };
        if outcome.tally.fingerprint != first.tally.fingerprint {
            say(&format!(
                "run {number} differs: fingerprint {:016x} instead of {:016x}",
                outcome.tally.fingerprint, first.tally.fingerprint
            ));
            plan.boot.detail = Detail::Calls;
            show_difference(&plan, &input, &nowhere)?;
            return Ok(exit::FAILED);
        }
    }
    let Some(first) = first else { unreachable!("there are at least two runs") };
    say(&format!(
        "all {} runs are equal: fingerprint {:016x}",
        arguments.runs, first.tally.fingerprint
    ));
    Ok(report::exit_status(&first.ending))
}

/// Runs once.
fn attempt(plan: &Plan, streams: &Streams, report: &mut Report) -> Result<Outcome, Failure> {
    let mut printer = Printer::of(&plan.boot, streams);
    let outcome = launch::run(&plan.boot, streams, plan.wall_timeout, |event: Event| {
        if let Some(printer) = &mut printer {
            printer.hear(&event);
        }
        report.note(event);
    })?;
    if let Some(printer) = printer {
        printer.finish();
    }
    Ok(outcome)
}

/// Runs with full traces until two differ, and shows where.
fn show_difference(plan: &Plan, input: &Input, nowhere: &File) -> Result<(), Failure> {
    let (first, _) = TraceInMemory::of_run(plan, &input.streams(Some(nowhere))?)?;
    for _ in 0..SEARCHES {
        let (other, _) = TraceInMemory::of_run(plan, &input.streams(Some(nowhere))?)?;
        if let Some(difference) = difference(first.lines()?, other.lines()?) {
            difference.lines().iter().for_each(|line| say(line));
            return Ok(());
        }
    }
    say(&format!("the difference did not show again in {SEARCHES} runs with full traces"));
    Ok(())
}
