//! Shows all that is known of a run.

use std::{fmt::Write as _, time::Duration};

use super::{Failure, find_run, print_json, printed};
use crate::{
    cli::{Format, ShowArguments},
    report::table::{bytes, print, short},
    store::{
        Error, Record, RunFolder,
        folder::Artifact,
        inputs::Inputs,
        record::{BASELINE, RunResult},
        text::shell_command,
    },
};

/// Most files that are listed to people.
const FILES_MAX: usize = 20;

/// All that is known of a run.
#[derive(serde::Serialize)]
struct Known {
    #[serde(flatten)]
    record: Record,
    folder: String,
    inputs: Inputs,
    artifacts: Vec<Artifact>,
    has_events: bool,
}

/// Shows a run.
///
/// # Errors
/// When there is none.
pub fn show(arguments: &ShowArguments) -> Result<u8, Failure> {
    let folder = find_run(&arguments.stored.place()?, &arguments.run)?;
    let known = Known::of(&folder)?;
    match arguments.stored.format {
        Format::Json => print_json(&known),
        Format::Text => printed(print(known.text().as_bytes())),
    }
}

impl Known {
    fn of(folder: &RunFolder) -> Result<Self, Error> {
        Ok(Self {
            record: folder.record()?,
            folder: folder.path().display().to_string(),
            inputs: folder.inputs()?,
            artifacts: folder.artifacts()?,
            has_events: folder.events().is_some(),
        })
    }

    fn text(&self) -> String {
        let record = &self.record;
        let pinned = &record.pinned;
        let mut text = String::new();
        let mut line = |name: &str, value: &str| {
            let _ = writeln!(text, "{name:<12} {value}");
        };
        line("run", record.id.as_str());
        line("state", record.state.name());
        line("seed", &pinned.seed.to_string());
        if record.model != BASELINE {
            line("faults", &record.model);
        }
        if let Some(simulation) = &record.simulation {
            line("simulation", simulation.as_str());
        }
        if let Some(original) = &record.rerun_of {
            line("again", original.as_str());
        }
        line("command", &shell_command(&pinned.command));
        match pinned.nodes.as_slice() {
            [only] => line("directory", &only.directory.to_string()),
            nodes => nodes.iter().for_each(|node| {
                line(
                    "node",
                    &format!("{} {} {}", node.name, node.address, shell_command(&node.command)),
                );
            }),
        }
        line("began", &record.start.to_string());
        if let Some(result) = &record.result {
            result_lines(result, &mut line);
        }
        line("folder", &self.folder);
        line("events", if self.has_events { "kept" } else { "not kept (--keep-events)" });
        for input in self.inputs.files.iter().take(FILES_MAX) {
            let digest = input.digest.as_deref().unwrap_or("unreadable");
            line("input", &format!("{digest} {}", input.path));
        }
        if self.inputs.files.len() > FILES_MAX {
            line("input", &format!("and {} more", self.inputs.files.len() - FILES_MAX));
        }
        for artifact in &self.artifacts {
            line("artifact", &format!("{} ({})", artifact.name, bytes(artifact.size)));
        }
        text
    }
}

fn result_lines(result: &RunResult, line: &mut impl FnMut(&str, &str)) {
    let duration = |ns| short(Duration::from_nanos(ns));
    line("ended", &result.end.to_string());
    line("exit status", &result.exit_status.to_string());
    line("fingerprint", result.fingerprint.as_deref().unwrap_or("none"));
    let RunResult { simulated_ns, wall_ns, calls, switches, choices, .. } = result;
    line(
        "simulated",
        &format!("{} in {} of real time", duration(*simulated_ns), duration(*wall_ns)),
    );
    line("counted", &format!("{calls} calls, {switches} switches, {choices} choices"));
    if let Some(failure) = &result.failure {
        line("failure", &format!("{}: {}", failure.kind.name(), failure.title));
        failure.stack.iter().for_each(|frame| line("", &format!("  in {frame}")));
    }
    for invariant in &result.invariants {
        let verdict = if invariant.failed > 0 { "violated" } else { "held" };
        let (id, name) = (&invariant.id, &invariant.name);
        let counts = format!("{} of {}", invariant.passed, invariant.passed + invariant.failed);
        line("invariant", &format!("{id} ({name}) {verdict}, passed {counts}"));
    }
    for path in &result.paths {
        line("path", &format!("{} reached {} times", path.name, path.reached));
    }
    result.warnings.iter().for_each(|warning| line("warning", warning));
}
