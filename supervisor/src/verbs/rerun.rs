//! Runs again with everything as it was, and compares.

use std::{ffi::OsStr, os::unix::ffi::OsStrExt, path::Path};

use serde_json::json;

use super::{Failure, find_run, open_null, print_json, streams};
use crate::{
    cli::{Format, RerunArguments},
    conduct::{Conduct, Conducted},
    exit, launch,
    report::{Report, exit_status, say},
    store::{Belonging, Record, RunFolder, inputs::Change},
};

/// Runs it again; the exit status to pass on, or a failure's if the fingerprint is another.
///
/// # Errors
/// When there is no run.
pub fn rerun(arguments: &RerunArguments) -> Result<u8, Failure> {
    let place = arguments.stored.place()?;
    let folder = find_run(&place, &arguments.run)?;
    let original = folder.record()?;
    let changes = folder.inputs()?.changes();
    warn(&original, &changes);
    if arguments.strict && !changes.is_empty() {
        return Err(Failure::Unknown(format!(
            "run {} is not run again: its inputs have changed",
            original.id
        )));
    }
    let mut plan = original.pinned.plan()?;
    let is_data = arguments.stored.format == Format::Json;
    let quiet = arguments.quiet || is_data;
    Report::new(&plan.boot, quiet).start();
    let belonging = Belonging {
        // Alone, whatever the first one belonged to: a simulation has each of its runs once.
        simulation: None,
        model: original.model.clone(),
        rerun_of: Some(original.id.clone()),
        keeps_events: arguments.events.keep_events,
    };
    let nowhere = open_null()?;
    let input = folder.standard_input()?;
    let conducted = Conduct {
        streams: streams(input.as_ref().unwrap_or(&nowhere), is_data.then_some(&nowhere)),
        trace: arguments.events.trace.as_deref(),
        traces_calls: arguments.events.trace_syscalls,
        logs_faults: arguments.events.fault_log,
        kept: (!arguments.no_store).then_some((&place, belonging)),
        quiet,
    }
    .run(&mut plan)?;
    compare(arguments, &folder, &original, &changes, &conducted)
}

/// Names all that is not as it was.
pub fn warn(original: &Record, changes: &[Change]) {
    for change in changes {
        let wrote_there = |below: &Vec<u8>| {
            Path::new(OsStr::from_bytes(&change.path.0)).starts_with(OsStr::from_bytes(below))
        };
        let why = match original.pinned.options.capture.always.iter().any(wrote_there) {
            true => ": it lies where that run itself wrote (--write-through)",
            false => "",
        };
        say(&format!("warning: since run {}, {change}{why}", original.id));
    }
    let version = env!("CARGO_PKG_VERSION");
    if original.version != version {
        say(&format!(
            "warning: run {} was simrun {}'s, this is {version}",
            original.id, original.version
        ));
    }
    if original.pinned.options.processor != launch::processor() {
        say(&format!(
            "warning: run {} had another processor: programs may choose other code",
            original.id
        ));
    }
}

fn compare(
    arguments: &RerunArguments,
    folder: &RunFolder,
    original: &Record,
    changes: &[Change],
    conducted: &Conducted,
) -> Result<u8, Failure> {
    let before = original.result.as_ref().and_then(|result| result.fingerprint.clone());
    let outcome = &conducted.outcome;
    let now =
        outcome.ending.has_fingerprint().then(|| format!("{:016x}", outcome.tally.fingerprint));
    let is_same = match (&before, &now) {
        (Some(before), Some(now)) => Some(before == now),
        _ => None,
    };
    let status = match is_same {
        Some(false) => exit::FAILED,
        _ => exit_status(&outcome.ending),
    };
    if arguments.stored.format == Format::Json {
        print_json(&json!({
            "run": conducted.record.as_ref().map(|record| &record.id),
            "rerun_of": original.id,
            "same": is_same,
            "fingerprint": now,
            "fingerprint_before": before,
            "exit_status": exit_status(&outcome.ending),
            "changes": changes,
        }))?;
        return Ok(status);
    }
    conducted.report.finish(outcome);
    let id = &original.id;
    match (is_same, before, now) {
        (Some(true), ..) if !arguments.quiet => say(&format!("the same fingerprint as run {id}")),
        (Some(true), ..) => {}
        (_, Some(before), Some(now)) => {
            say(&format!("run {id} differs: fingerprint {now} instead of {before}"));
            let name = |record: &Record| format!("; see: simrun diff {id} {}", record.id);
            let hint = conducted.record.as_ref().map_or(String::new(), name);
            let why = if changes.is_empty() { "none of its inputs has" } else { "its inputs have" };
            say(&format!("{why} changed since{hint}"));
        }
        _ => say(&format!(
            "there is no fingerprint to compare: run {id} is {} ({})",
            original.state.name(),
            folder.path().display()
        )),
    }
    Ok(status)
}
