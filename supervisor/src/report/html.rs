//! Many runs together, as one page of HTML that needs no network: the tables of the text, and of each bug a timeline that
//! can be scrolled, zoomed, filtered and searched.

use std::{collections::BTreeMap, net::Ipv4Addr, time::Duration};

use minijinja::{AutoEscape, Environment, Value, context, value::Serde};
use serde::Serialize;

use super::{
    events::{Happening, Story, story},
    summary::{Bug, Case, Summary},
    table::short,
    text::{BUGS_MAX, facts, reproduction, seeds, verdict},
};
use crate::store::{Error, Place, RunFolder, State, text::shell_command};

/// The page.
const PAGE: &str = include_str!("page.html");
/// Most events of a bug: the last ones.
const EVENTS_MAX: usize = 2000;
/// Most marked ones before them.
const MARKED_MAX: usize = 500;
/// Most runs that are listed one by one.
const CASES_MAX: usize = 2000;

#[derive(Serialize)]
struct InvariantRow<'a> {
    id: &'a str,
    name: &'a str,
    checked: u64,
    failed: u64,
    runs: u64,
    violated_runs: u64,
}

#[derive(Serialize)]
struct BugSection<'a> {
    kind: &'static str,
    title: &'a str,
    runs: u64,
    seeds: String,
    again: String,
    run: String,
    stack: &'a [String],
    events: usize,
}

#[derive(Serialize)]
struct CaseRow<'a> {
    seed: u64,
    model: &'a str,
    state: &'static str,
    class: &'static str,
    simulated: String,
    wall: String,
    fingerprint: &'a str,
    run: String,
}

/// What is drawn of a bug's first run.
#[derive(Serialize)]
struct Timeline {
    events: Vec<Happening>,
    /// Nodes by their addresses.
    addresses: BTreeMap<Ipv4Addr, String>,
}

impl Timeline {
    fn of(folder: &RunFolder) -> Result<Self, Error> {
        let Story { before, last } = story(folder, EVENTS_MAX, MARKED_MAX)?;
        let nodes = folder.record()?.pinned.nodes.into_iter();
        Ok(Self {
            events: before.into_iter().chain(last).collect(),
            addresses: nodes.map(|node| (node.address, node.name)).collect(),
        })
    }
}

/// The report.
///
/// # Errors
/// When the events of a run cannot be read.
pub fn html(summary: &Summary, place: &Place) -> Result<String, Error> {
    let bugs = &summary.bugs[..summary.bugs.len().min(BUGS_MAX)];
    let timelines = bugs
        .iter()
        .map(|bug| Timeline::of(&RunFolder::of(place, &bug.first.run)))
        .collect::<Result<Vec<_>, _>>()?;
    let sections: Vec<_> = bugs
        .iter()
        .zip(&timelines)
        .map(|(bug, timeline)| section(bug, summary, timeline.events.len()))
        .collect();
    let cases: Vec<_> = summary.cases.iter().take(CASES_MAX).map(case_row).collect();
    let invariants: Vec<_> = summary
        .invariants
        .iter()
        .map(|(id, checked)| InvariantRow {
            id,
            name: &checked.name,
            checked: checked.passed + checked.failed,
            failed: checked.failed,
            runs: checked.runs,
            violated_runs: checked.violated_runs,
        })
        .collect();
    let paths: Vec<_> = summary
        .paths
        .iter()
        .map(|(name, path)| (name, path.reached, path.runs, path.mark()))
        .collect();
    let mut environment = Environment::new();
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let page = environment.render_str(
        PAGE,
        context! {
            verdict => verdict(summary),
            command => shell_command(&summary.simulation.command),
            facts => Value::from(Serde(facts(summary))),
            invariants => Value::from(Serde(invariants)),
            paths => Value::from(Serde(paths)),
            bugs => Value::from(Serde(sections)),
            cases => Value::from(Serde(cases)),
            runs => summary.runs(),
            data => embedded(&timelines),
        },
    );
    Ok(page.expect("the page is ours"))
}

/// JSON that nothing in it can end: a script ends with the first `</script` that it has.
fn embedded(timelines: &[Timeline]) -> String {
    serde_json::to_string(timelines).expect("numbers and text").replace('<', "\\u003c")
}

fn section<'a>(bug: &'a Bug, summary: &Summary, events: usize) -> BugSection<'a> {
    BugSection {
        kind: bug.kind.name(),
        title: &bug.title,
        runs: bug.runs,
        seeds: seeds(bug),
        again: reproduction(bug, summary),
        run: bug.first.run.to_string(),
        stack: &bug.stack,
        events,
    }
}

fn case_row(case: &Case) -> CaseRow<'_> {
    CaseRow {
        seed: case.seed,
        model: &case.model,
        state: case.state.name(),
        class: match case.state {
            State::Succeeded => "passed",
            state if state.is_bad() => "bad",
            _ => "",
        },
        simulated: short(Duration::from_nanos(case.simulated_ns)),
        wall: short(Duration::from_nanos(case.wall_ns)),
        fingerprint: case.fingerprint.as_deref().unwrap_or("-"),
        run: case.run.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_that_a_run_says_ends_the_script() {
        let happening = Happening {
            time_ns: 1,
            node: "simrun".into(),
            pid: 1,
            what: "output".into(),
            text: "</script><b>".into(),
            is_marked: false,
        };
        let timeline = Timeline { events: vec![happening], addresses: BTreeMap::new() };
        let json = embedded(&[timeline]);
        assert!(!json.contains('<') && json.contains("\\u003c/script>"), "{json}");
    }
}
