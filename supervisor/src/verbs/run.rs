//! Runs a command once.

use super::Failure;
use crate::{
    cli::{OnceArguments, RunArguments},
    conduct::Conduct,
    launch::Streams,
    plan::{Plan, Subject},
    report::Report,
    store::Belonging,
};

/// Runs the command; the exit status to pass on.
///
/// # Errors
/// When there is no run.
pub fn run(arguments: &RunArguments) -> Result<u8, Failure> {
    once(&arguments.once, Subject::Command(&arguments.command))
}

/// Runs something once; the exit status to pass on.
///
/// # Errors
/// When there is no run.
pub fn once(arguments: &OnceArguments, subject: Subject) -> Result<u8, Failure> {
    let OnceArguments { world, quiet, events, keeping } = arguments;
    let quiet = *quiet;
    let mut plan = Plan::new(world, subject)?;
    Report::new(&plan.boot, quiet).start();
    let place = keeping.place()?;
    keeping.limit(&mut plan.boot.capture);
    let belonging = Belonging { keeps_events: events.keep_events, ..Belonging::default() };
    let conducted = Conduct {
        streams: Streams::own(),
        trace: events.trace.as_deref(),
        traces_calls: events.trace_syscalls,
        logs_faults: events.fault_log,
        kept: place.as_ref().map(|place| (place, belonging)),
        quiet,
    }
    .run(&mut plan)?;
    Ok(conducted.report.finish(&conducted.outcome))
}
