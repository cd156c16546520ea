//! Many runs together, as GitHub's workflows show them: an annotation for each bug, and a summary of the step.

use std::{env, fmt::Write as _, fs::File, io::Write as _, path::PathBuf, time::Duration};

use super::{
    summary::Summary,
    table::{compression, short},
    text::{reproduction, seeds, states, verdict},
};
use crate::store::text::shell_command;

/// Most annotations of a step: GitHub shows no more.
const ANNOTATIONS_MAX: usize = 10;

/// Whether a workflow of GitHub's runs this.
pub fn is_here() -> bool {
    env::var_os("GITHUB_ACTIONS").is_some_and(|value| value == "true")
}

/// The lines by which a workflow is told of the bugs.
pub fn annotations(summary: &Summary) -> String {
    let mut text = String::new();
    for bug in summary.bugs.iter().take(ANNOTATIONS_MAX) {
        let again = reproduction(bug, summary);
        let title = format!("{} in {} of {} runs", bug.kind.name(), bug.runs, summary.runs());
        let message = format!("{}\nagain with: {again}", bug.title);
        let _ = writeln!(text, "::error title={}::{}", property(&title), data(&message));
    }
    text
}

/// What ends a command or a line is written as a number.
fn data(text: &str) -> String {
    text.replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

/// In a property, so is what ends one.
fn property(text: &str) -> String {
    data(text).replace(':', "%3A").replace(',', "%2C")
}

/// Appends to the summary of the step.
///
/// # Errors
/// When the file cannot be written.
pub fn write_step_summary(summary: &Summary) -> std::io::Result<()> {
    let Some(path) = env::var_os("GITHUB_STEP_SUMMARY").map(PathBuf::from) else { return Ok(()) };
    let mut file = File::options().create(true).append(true).open(path)?;
    file.write_all(markdown(summary).as_bytes())
}

fn markdown(summary: &Summary) -> String {
    let simulated = Duration::from_nanos(summary.simulated_ns as u64);
    let real = summary.elapsed().unwrap_or(Duration::from_nanos(summary.wall_ns as u64));
    let mut text = format!(
        "## simrun: {}\n\n`{}`\n\n{} runs: {}. {} simulated in {}, {}.\n\n",
        verdict(summary),
        shell_command(&summary.simulation.command),
        summary.runs(),
        states(summary),
        short(simulated),
        short(real),
        compression(simulated, real),
    );
    if !summary.bugs.is_empty() {
        text.push_str(
            "| Kind | Runs | Seeds | What went wrong | Again with |\n|---|---:|---|---|---|\n",
        );
    }
    let cell = |text: &str| text.replace('|', "\\|").replace('\n', " ");
    for bug in &summary.bugs {
        let again = cell(&reproduction(bug, summary));
        let _ = writeln!(
            text,
            "| {} | {} | {} | {} | `{again}` |",
            bug.kind.name(),
            bug.runs,
            seeds(bug),
            cell(&bug.title),
        );
    }
    if !summary.invariants.is_empty() {
        text.push_str("\n| Invariant | Checked | Violated |\n|---|---:|---:|\n");
    }
    for (id, checked) in &summary.invariants {
        let name = &checked.name;
        let _ = writeln!(
            text,
            "| {id} ({name}) | {} | {} |",
            checked.passed + checked.failed,
            checked.failed
        );
    }
    if !summary.paths.is_empty() {
        text.push_str("\n| Path | Reached | |\n|---|---:|---|\n");
    }
    for (name, path) in &summary.paths {
        let _ = writeln!(text, "| {} | {} | {} |", cell(name), path.reached, path.mark());
    }
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_ends_a_command_is_written_as_a_number() {
        assert_eq!(data("50%\nof: a"), "50%25%0Aof: a");
        assert_eq!(property("a: b, c"), "a%3A b%2C c");
    }
}
