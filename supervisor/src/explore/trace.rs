//! The events of a run that failed, had again from its seed: to keep those of every run would take longer than the runs.

use std::{fs, path::Path};

use simrun_abi::boot::Detail;

use crate::{
    launch,
    store::{Error, RunFolder, recording::replace_json},
    trace::Trace,
    verbs::{Failure, open_null, streams},
};

/// Makes the run once more and keeps its events with it; whether it came out the same.
///
/// # Errors
/// When it cannot be made or kept.
pub fn supply(folder: &RunFolder) -> Result<bool, Failure> {
    let mut record = folder.record()?;
    let fail = |path: &Path| {
        let path = path.to_path_buf();
        move |error| Error::File(path.clone(), error)
    };
    let mut plan = record.pinned.plan()?;
    plan.boot.detail = Detail::Events;
    let nowhere = open_null()?;
    let input = folder.standard_input()?;
    let path = folder.new_events();
    let mut trace = Trace::create(&path).map_err(fail(&path))?;
    let streams = streams(input.as_ref().unwrap_or(&nowhere), Some(&nowhere));
    let outcome =
        launch::run(&plan.boot, &streams, plan.wall_timeout, |event| trace.write(&event))?;
    trace.finish().map_err(fail(&path))?;
    let now = format!("{:016x}", outcome.tally.fingerprint);
    let before = record.result.as_ref().and_then(|result| result.fingerprint.clone());
    if !outcome.ending.has_fingerprint() || before != Some(now) {
        fs::remove_file(&path).map_err(fail(&path))?;
        return Ok(false);
    }
    folder.take_events(&path).map_err(fail(&path))?;
    record.events = Some(Detail::Events);
    replace_json(&folder.record_file(), &record).map_err(fail(&path))?;
    Ok(true)
}
