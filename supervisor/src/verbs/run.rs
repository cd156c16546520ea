//! Runs a command once.

use super::Failure;
use crate::{
    cli::RunArguments, conduct::Conduct, launch::Streams, plan::Plan, report::Report,
    store::Belonging,
};

/// Runs the command; the exit status to pass on.
///
/// # Errors
/// When there is no run.
pub fn run(arguments: &RunArguments) -> Result<u8, Failure> {
    let mut plan = Plan::new(&arguments.world)?;
    Report::new(&plan.boot, arguments.quiet).start();
    let place = arguments.keeping.place()?;
    plan.boot.capture.limit = arguments.keeping.capture_limit;
    let belonging =
        Belonging { keeps_events: arguments.events.keep_events, ..Belonging::default() };
    let conducted = Conduct {
        streams: Streams::own(),
        trace: arguments.events.trace.as_deref(),
        traces_calls: arguments.events.trace_syscalls,
        logs_faults: arguments.events.fault_log,
        kept: place.as_ref().map(|place| (place, belonging)),
        quiet: arguments.quiet,
    }
    .run(&mut plan)?;
    Ok(conducted.report.finish(&conducted.outcome))
}
