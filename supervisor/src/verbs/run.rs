//! Runs a command once.

use simrun_abi::boot::Detail;

use super::Failure;
use crate::{
    cli::RunArguments,
    launch::{self, Outcome, Streams},
    plan::{Error, Plan},
    report::Report,
    trace::Trace,
};

/// Runs the command; the exit status to pass on.
///
/// # Errors
/// When there is no run.
pub fn run(arguments: &RunArguments) -> Result<u8, Failure> {
    let mut plan = Plan::new(&arguments.world)?;
    plan.boot.detail = match (&arguments.trace, arguments.trace_syscalls) {
        (None, _) => Detail::Summary,
        (Some(_), false) => Detail::Events,
        (Some(_), true) => Detail::Calls,
    };
    Report::new(plan.boot.seed, arguments.quiet).start();
    let mut learned = Vec::new();
    loop {
        let mut report = Report::new(plan.boot.seed, arguments.quiet);
        learned.iter().for_each(|words: &String| report.warn(words));
        let outcome = attempt(arguments, &plan, &mut report)?;
        match launch::learn(&mut plan.boot, &outcome) {
            Some(words) => learned.push(words),
            None => return Ok(report.finish(&outcome)),
        }
    }
}

fn attempt(arguments: &RunArguments, plan: &Plan, report: &mut Report) -> Result<Outcome, Failure> {
    let mut trace = match &arguments.trace {
        Some(path) => Some(Trace::create(path).map_err(|error| Error::Trace(path.clone(), error))?),
        None => None,
    };
    let outcome = launch::run(&plan.boot, &Streams::own(), plan.wall_timeout, |event| {
        if let Some(trace) = &mut trace {
            trace.write(&event);
        }
        report.note(event);
    })?;
    if let Some(Err(error)) = trace.map(Trace::finish) {
        report.warn(&format!("the trace is incomplete: {error}"));
    }
    Ok(outcome)
}
