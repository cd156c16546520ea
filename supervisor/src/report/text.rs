//! Many runs together, as text for people.

use std::{fmt::Write as _, time::Duration};

use super::{
    events::{Happening, Story, story},
    summary::{Bug, Summary},
    table::{Table, compression, short},
};
use crate::store::{
    Error, Place, RunFolder,
    record::BASELINE,
    text::{Text, shell_command},
};

/// Most bugs that are told one by one.
pub const BUGS_MAX: usize = 20;
/// Most events that are told of a bug: the last ones.
const EVENTS_MAX: usize = 20;
/// Most marked ones that are told before them.
const MARKED_MAX: usize = 6;
/// Most functions of a stack.
const STACK_MAX: usize = 6;

/// The report.
///
/// # Errors
/// When the events of a run cannot be read.
pub fn text(summary: &Summary, place: &Place) -> Result<String, Error> {
    let mut text = overview(summary);
    if !summary.invariants.is_empty() {
        text.push('\n');
        text.push_str(&invariants(summary));
    }
    if !summary.paths.is_empty() {
        text.push('\n');
        text.push_str(&paths(summary));
    }
    if !summary.bugs.is_empty() {
        text.push('\n');
        text.push_str(&bugs(summary));
    }
    for (number, bug) in (1..).zip(summary.bugs.iter().take(BUGS_MAX)) {
        let story = story(&RunFolder::of(place, &bug.first.run), EVENTS_MAX, MARKED_MAX)?;
        text.push('\n');
        text.push_str(&one_bug(number, bug, summary, &story));
    }
    if summary.bugs.len() > BUGS_MAX {
        let _ = writeln!(text, "\nand {} more", summary.bugs.len() - BUGS_MAX);
    }
    Ok(text)
}

/// In one word.
pub fn verdict(summary: &Summary) -> &'static str {
    if summary.failed() > 0 {
        "failed"
    } else if summary.without_result() > 0 {
        "incomplete"
    } else {
        "passed"
    }
}

/// The states of runs, as in `38 succeeded, 2 failed`.
pub fn states(summary: &Summary) -> String {
    let counts = summary.states.iter().map(|(state, count)| format!("{count} {}", state.name()));
    counts.collect::<Vec<_>>().join(", ")
}

/// The command that makes the first run of a bug again.
pub fn reproduction(bug: &Bug, summary: &Summary) -> String {
    let text = |word: &String| Text::from(word.as_bytes());
    let simulation = &summary.simulation;
    let mut words: Vec<Text> = vec![b"simrun"[..].into()];
    if simulation.is_described {
        words.push(b"sim"[..].into());
    }
    words.extend(["--seed", &bug.first.seed.to_string()].map(|word| word.as_bytes().into()));
    // A file injects its own faults unless others are asked for.
    if bug.first.model != BASELINE || simulation.is_described {
        words.push(b"--faults"[..].into());
        words.push(text(&bug.first.model));
    }
    words.extend(simulation.options.iter().map(text));
    if simulation.is_described {
        words.extend(simulation.command.last().cloned());
    } else {
        words.push(b"--"[..].into());
        words.extend(simulation.command.iter().cloned());
    }
    shell_command(&words)
}

fn overview(summary: &Summary) -> String {
    let simulation = &summary.simulation;
    let first = [
        ("result", verdict(summary).to_owned()),
        ("simulation", simulation.id.to_string()),
        ("command", shell_command(&simulation.command)),
    ];
    let mut text = String::new();
    for (name, value) in first.into_iter().chain(facts(summary)) {
        let _ = writeln!(text, "{name:<11} {value}");
    }
    text
}

/// How much was run, and how fast, as names and values.
pub fn facts(summary: &Summary) -> Vec<(&'static str, String)> {
    let simulation = &summary.simulation;
    let mut facts = vec![("runs", format!("{}: {}", summary.runs(), states(summary)))];
    let pending = simulation.planned().map_or(0, |all| all.saturating_sub(summary.runs()));
    if pending > 0 {
        facts.push(("not made", pending.to_string()));
    }
    if let Some((first, last)) = summary.seeds {
        facts.push(("seeds", format!("{first}..{last}, under {}", simulation.models.join(", "))));
    }
    let shards = simulation.shards.iter();
    facts.extend(shards.map(|shard| ("share", format!("{} of {}", shard.number, shard.of))));
    let simulated = Duration::from_nanos(summary.simulated_ns as u64);
    // Parts of a whole were run at times of their own: only the runs' own time tells then.
    let of_runs = Duration::from_nanos(summary.wall_ns as u64);
    let real = summary.elapsed().filter(|_| simulation.shards.len() < 2).unwrap_or(of_runs);
    let rate = summary.runs() as f64 / real.as_secs_f64().max(1e-3);
    facts.push(("real time", format!("{}, {rate:.1} runs/s", short(real))));
    facts.push(("simulated", format!("{}, {}", short(simulated), compression(simulated, real))));
    facts
}

fn invariants(summary: &Summary) -> String {
    let names = ["invariant", "name", "checked", "violated", "runs", "runs that violated it"];
    let mut table = Table::new(&names).numbers(&[2, 3, 4, 5]);
    for (id, checked) in &summary.invariants {
        table.push(vec![
            id.clone(),
            checked.name.clone(),
            (checked.passed + checked.failed).to_string(),
            checked.failed.to_string(),
            checked.runs.to_string(),
            checked.violated_runs.to_string(),
        ]);
    }
    table.text()
}

fn paths(summary: &Summary) -> String {
    let mut table = Table::new(&["path", "reached", "runs", ""]).numbers(&[1, 2]);
    for (name, path) in &summary.paths {
        let (reached, runs) = (path.reached.to_string(), path.runs.to_string());
        table.push(vec![name.clone(), reached, runs, path.mark().to_owned()]);
    }
    table.text()
}

fn bugs(summary: &Summary) -> String {
    let mut table =
        Table::new(&["bug", "kind", "runs", "seeds", "what went wrong"]).numbers(&[0, 2]);
    for (number, bug) in (1..).zip(&summary.bugs) {
        table.push(vec![
            format!("#{number}"),
            bug.kind.name().to_owned(),
            bug.runs.to_string(),
            seeds(bug),
            bug.title.clone(),
        ]);
    }
    table.text()
}

/// The smallest seeds of a bug.
pub fn seeds(bug: &Bug) -> String {
    let seeds: Vec<_> = bug.seeds.iter().map(u64::to_string).collect();
    let more = if bug.runs > seeds.len() as u64 { ", ..." } else { "" };
    seeds.join(", ") + more
}

fn one_bug(number: u32, bug: &Bug, summary: &Summary, story: &Story) -> String {
    let mut text = format!("#{number} {}: {}\n", bug.kind.name(), bug.title);
    for frame in bug.stack.iter().take(STACK_MAX) {
        let _ = writeln!(text, "   in {frame}");
    }
    let _ = writeln!(text, "   again with: {}", reproduction(bug, summary));
    let _ = writeln!(text, "   kept as run {} (simrun show, logs, rerun)", bug.first.run);
    let all = story.before.iter().chain(&story.last);
    let width = all.map(|happening| happening.node.len()).max().unwrap_or_default();
    text.extend(story.before.iter().map(|happening| line(happening, width)));
    if !story.before.is_empty() {
        text.push_str("   ...\n");
    }
    text.extend(story.last.iter().map(|happening| line(happening, width)));
    text
}

/// What happened, the names of nodes so wide.
fn line(happening: &Happening, width: usize) -> String {
    let Happening { time_ns, node, pid, text, is_marked, .. } = happening;
    let mark = if *is_marked { "*" } else { " " };
    let (seconds, micros) = (time_ns / 1_000_000_000, time_ns / 1000 % 1_000_000);
    format!(" {mark} {seconds:>6}.{micros:06}s {node:width$} {pid:>4} {text}\n")
}

/// What is worth saying of a simulation whose other models were not run.
pub fn baseline_failed(summary: &Summary) -> Option<String> {
    let [first, .., _] = summary.simulation.models.as_slice() else { return None };
    summary.has_failed(first).then(|| {
        format!("runs under {first} failed already: nothing was run under the other models")
    })
}
