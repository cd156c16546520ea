//! Shows where two runs part.

use std::fs::File;

use simrun_abi::boot::Detail;

use super::{Failure, find_run, open_null, print_json, printed, streams};
use crate::{
    cli::{DiffArguments, Format},
    compare::{Difference, TraceInMemory, difference, lines_of},
    report::{say, table::print},
    store::{Error, Record, RunFolder, text::shell_command},
};

/// Two runs differ, as with diff(1).
const DIFFERENT: u8 = 1;

/// How two runs differ.
#[derive(serde::Serialize)]
struct Differences {
    /// Whether they do not.
    same: bool,
    /// What they depend on and how they ended, where that is not the same.
    facts: Vec<Fact>,
    /// Files that both have read, with another content.
    inputs: Vec<String>,
    /// The first event in which they differ.
    event: Option<Difference>,
}

#[derive(serde::Serialize)]
struct Fact {
    name: &'static str,
    first: String,
    second: String,
}

/// Shows how two runs differ: by their events, which are had again from the seed where they were not kept.
///
/// # Errors
/// When one cannot be found or run.
pub fn diff(arguments: &DiffArguments) -> Result<u8, Failure> {
    let place = arguments.stored.place()?;
    let folders = [find_run(&place, &arguments.first)?, find_run(&place, &arguments.second)?];
    let records = [folders[0].record()?, folders[1].record()?];
    let facts = facts(&records[0], &records[1]);
    let changes = folders[0].inputs()?.changes_to(&folders[1].inputs()?);
    let event = match (
        events(&folders[0], &records[0], &records[1])?,
        events(&folders[1], &records[1], &records[0])?,
    ) {
        (Some(first), Some(second)) => difference(first, second),
        _ => {
            say("events were not kept of both: the runs are made again");
            let first = again(&folders[0], &records[0])?;
            let second = again(&folders[1], &records[1])?;
            difference(first.lines()?, second.lines()?)
        }
    };
    let inputs: Vec<_> = changes.iter().map(ToString::to_string).collect();
    let same = event.is_none() && facts.is_empty();
    let differences = Differences { same, facts, inputs, event };
    match arguments.stored.format {
        Format::Json => print_json(&differences)?,
        Format::Text => printed(print(differences.text().as_bytes()))?,
    };
    Ok(if same { 0 } else { DIFFERENT })
}

/// The events that were kept, if the other run's are of the same detail.
fn events(
    folder: &RunFolder,
    record: &Record,
    other: &Record,
) -> Result<Option<impl Iterator<Item = String> + use<>>, Error> {
    let Some(path) = folder.events().filter(|_| record.events == other.events) else {
        return Ok(None);
    };
    let file = File::open(&path).map_err(|error| Error::File(path, error))?;
    Ok(Some(lines_of(file)))
}

/// Makes a run again, with all its events.
fn again(folder: &RunFolder, record: &Record) -> Result<TraceInMemory, Failure> {
    let mut plan = record.pinned.plan()?;
    plan.boot.detail = Detail::Calls;
    let nowhere = open_null()?;
    let input = folder.standard_input()?;
    let streams = streams(input.as_ref().unwrap_or(&nowhere), Some(&nowhere));
    let (trace, outcome) = TraceInMemory::of_run(&plan, &streams)?;
    let before = record.result.as_ref().and_then(|result| result.fingerprint.as_ref());
    let now = format!("{:016x}", outcome.tally.fingerprint);
    if before.is_some_and(|before| *before != now) {
        say(&format!(
            "warning: run {} does not come out as it was: its fingerprint is {now}",
            record.id
        ));
        for change in folder.inputs()?.changes() {
            say(&format!("warning: since run {}, {change}", record.id));
        }
    }
    Ok(trace)
}

fn facts(first: &Record, second: &Record) -> Vec<Fact> {
    let of = |record: &Record| {
        let result = record.result.as_ref();
        [
            ("state", record.state.name().to_owned()),
            ("seed", record.pinned.seed.to_string()),
            ("fault model", record.model.clone()),
            ("command", shell_command(&record.pinned.command)),
            ("directory", record.pinned.nodes[0].directory.to_string()),
            ("simrun", record.version.clone()),
            ("exit status", result.map_or("-".into(), |result| result.exit_status.to_string())),
            ("fingerprint", result.and_then(|r| r.fingerprint.clone()).unwrap_or("-".into())),
        ]
    };
    let mut facts: Vec<Fact> = of(first)
        .into_iter()
        .zip(of(second))
        .filter(|(first, second)| first != second)
        .map(|((name, first), (_, second))| Fact { name, first, second })
        .collect();
    if first.pinned.nodes.len() > 1 && first.pinned.nodes != second.pinned.nodes {
        let nodes = |record: &Record| {
            serde_json::to_string(&record.pinned.nodes).expect("numbers and text")
        };
        facts.push(Fact { name: "nodes", first: nodes(first), second: nodes(second) });
    }
    if first.pinned.options != second.pinned.options {
        let options = |record: &Record| {
            serde_json::to_string(&record.pinned.options).expect("numbers and text")
        };
        facts.push(Fact { name: "options", first: options(first), second: options(second) });
    }
    facts
}

impl Differences {
    fn text(&self) -> String {
        if self.same {
            return "the runs are the same\n".into();
        }
        let mut lines = Vec::new();
        for Fact { name, first, second } in &self.facts {
            lines.extend([name.to_string(), format!("- {first}"), format!("+ {second}")]);
        }
        lines.extend(self.inputs.iter().map(|input| format!("between the runs, {input}")));
        match &self.event {
            Some(event) => lines.extend(event.lines()),
            None => lines.push("no event differs".into()),
        }
        lines.join("\n") + "\n"
    }
}
