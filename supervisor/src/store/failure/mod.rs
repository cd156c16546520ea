//! What went wrong in a run, and the mark by which the same bug is known in another run.
//!
//! - [`crash`]: the panic message or stack in what a program wrote.
//! - [`plain`]: text without what differs from run to run.

mod crash;
mod plain;

use serde::{Deserialize, Serialize};
use simrun_abi::event::StuckThread;

use super::record::{Ended, RunResult};
use crate::exit;
use plain::plain;

/// Signals by their numbers, where a program's bug is the usual cause.
const CRASH_SIGNALS: [(u32, &str); 7] = [
    (4, "SIGILL"),
    (5, "SIGTRAP"),
    (6, "SIGABRT"),
    (7, "SIGBUS"),
    (8, "SIGFPE"),
    (11, "SIGSEGV"),
    (31, "SIGSYS"),
];

/// What kind of failure it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// An invariant did not hold.
    Violation,
    /// The command ended badly and no invariant says why.
    Crash,
    /// Nothing could run any more.
    Deadlock,
    /// It took too long.
    Timeout,
    /// The machine or simrun failed: no result of the workload.
    NoResult,
}

impl Kind {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Violation => "violation",
            Self::Crash => "crash",
            Self::Deadlock => "deadlock",
            Self::Timeout => "timeout",
            Self::NoResult => "no-result",
        }
    }
}

/// What went wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Failure {
    /// What kind of failure it is.
    pub kind: Kind,
    /// In a line, as this run had it.
    pub title: String,
    /// Equal for two runs if and only if they are taken to have the same bug.
    pub signature: String,
    /// The functions of the stack, where the program has written one down.
    pub stack: Vec<String>,
}

/// What went wrong in a run with this result, by the last that it wrote to standard error; `None` if nothing did.
pub fn of(result: &RunResult, stderr: &[u8]) -> Option<Failure> {
    let without_stack = |kind, title: String, shape: &str| Failure {
        kind,
        signature: format!("{}: {}", kind.name(), plain(shape)),
        title,
        stack: Vec::new(),
    };
    let violated: Vec<_> =
        result.invariants.iter().filter(|invariant| invariant.failed > 0).collect();
    if let Some(first) = violated.first() {
        let summary = first.violation.as_ref().map_or("", |violation| &violation.summary);
        let title = format!("invariant {} ({}) is violated: {summary}", first.id, first.name);
        let ids: Vec<_> = violated.iter().map(|invariant| invariant.id.as_str()).collect();
        // By name and not by text: two invariants may differ in a number.
        let signature = format!("violation: {}", ids.join(" "));
        return Some(Failure { kind: Kind::Violation, title, signature, stack: Vec::new() });
    }
    match &result.ending {
        Ended::Finished { status: 0 } | Ended::Interrupted { .. } => None,
        Ended::Finished { status } => Some(crashed(*status, stderr)),
        Ended::NotStarted { words } => Some(without_stack(Kind::Crash, words.clone(), words)),
        Ended::Deadlock { threads } => {
            let shape = deadlock_shape(threads);
            let title = format!("deadlock: {shape}");
            Some(without_stack(Kind::Deadlock, title, &shape))
        }
        Ended::TimedOut => {
            let words = "timed out in simulated time";
            Some(without_stack(Kind::Timeout, words.into(), words))
        }
        Ended::WallTimedOut { .. } => {
            let words = "timed out in real time";
            Some(without_stack(Kind::Timeout, words.into(), words))
        }
        Ended::NoResult { words } => Some(without_stack(Kind::NoResult, words.clone(), words)),
    }
}

fn crashed(status: u32, stderr: &[u8]) -> Failure {
    let how = match status & 0x7f {
        0 => format!("exit status {}", exit::from_wait_status(status)),
        signal => CRASH_SIGNALS
            .iter()
            .find(|(number, _)| *number == signal)
            .map_or(format!("signal {signal}"), |(_, name)| format!("killed by {name}")),
    };
    let crash = crash::find(&String::from_utf8_lossy(stderr)).unwrap_or_default();
    // The status is a number that counts.
    let parts = [&crash.message].into_iter().chain(&crash.stack).map(|part| plain(part));
    let parts: Vec<_> = parts.filter(|part| !part.is_empty()).chain([how.clone()]).collect();
    let title = match crash.message.is_empty() {
        true => how,
        false => format!("{} ({how})", crash.message),
    };
    let signature = format!("crash: {}", parts.join("; "));
    Failure { kind: Kind::Crash, title, signature, stack: crash.stack }
}

/// What each thread waits for, without numbers: who is who may differ from run to run.
fn deadlock_shape(threads: &[StuckThread]) -> String {
    let mut parts: Vec<_> = threads
        .iter()
        .map(|thread| {
            let call = thread.call.split('(').next().unwrap_or_default();
            format!("{} in {call} waits for {}", thread.program, plain(&thread.waits_for))
        })
        .collect();
    parts.sort();
    let mut counted: Vec<(usize, String)> = Vec::new();
    for part in parts {
        match counted.last_mut() {
            Some((count, last)) if *last == part => *count += 1,
            _ => counted.push((1, part)),
        }
    }
    let shown = |(count, part): &(usize, String)| match count {
        1 => part.clone(),
        _ => format!("{count} times {part}"),
    };
    counted.iter().map(shown).collect::<Vec<_>>().join("; ")
}

#[cfg(test)]
mod tests;
