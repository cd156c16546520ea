//! What is said of one run, on standard error.

use std::{error::Error, time::Duration};

use simrun_abi::{
    boot::Boot,
    event::{Event, StuckThread, What},
};

use crate::{
    exit,
    launch::{Ending, Outcome},
    store::Id,
    verbs::Failure,
};

/// Most threads that a deadlock report names.
const THREADS_MAX: usize = 64;

/// The words on one run.
pub struct Report {
    seed: u64,
    quiet: bool,
    warnings: Vec<String>,
    /// What else there is to say.
    told: Vec<String>,
    stuck: Vec<StuckThread>,
    /// Names of the nodes.
    nodes: Vec<String>,
    kept_as: Option<Id>,
    /// Names of faults that have not fired.
    unfired: Vec<String>,
}

/// How somebody would stand in for a host that a program asked for, if it did ask for one.
fn mock_for(what: &str) -> String {
    let Some(host) = what.strip_prefix("name ") else { return String::new() };
    format!(
        "; to have it answer: --mocks FILE with `mocks: {{ {host}: {{ routes: {{ any: {{}} }} }} }}`"
    )
}

impl Report {
    /// Nothing said yet.
    pub fn new(boot: &Boot, quiet: bool) -> Self {
        Self {
            seed: boot.seed,
            quiet,
            warnings: Vec::new(),
            told: Vec::new(),
            stuck: Vec::new(),
            nodes: boot.nodes.iter().map(|node| node.name.clone()).collect(),
            kept_as: None,
            // What belongs to a family is not there in every run.
            unfired: boot
                .faults
                .iter()
                .filter(|fault| fault.family.is_none())
                .map(|fault| fault.name.clone())
                .collect(),
        }
    }

    /// The line at the start.
    pub fn start(&self) {
        if !self.quiet {
            say(&format!("seed {}", self.seed));
        }
    }

    /// The run does not go on until it is given input.
    pub fn awaits_input(&self, program: &str) {
        if !self.quiet {
            say(&format!("{program} waits for standard input; `</dev/null` gives it none"));
        }
    }

    /// Keeps what the end of the run will need.
    pub fn note(&mut self, event: Event) {
        match event.what {
            What::Escape { what, program, effect } => {
                self.warn(&format!("{program}: {what}: {effect}{}", mock_for(&what)));
            }
            What::NodeEnded { status } => {
                let name = self.nodes.get(usize::from(event.node)).map_or("", String::as_str);
                let status = exit::from_wait_status(status);
                let time = seconds(Duration::from_nanos(event.time_ns));
                let words = "and does not start again (`restart`)";
                self.warn(&format!("{name} ended with status {status} after {time}, {words}"));
            }
            What::Deadlock { threads } => self.stuck = threads,
            What::Fault { fault, .. } => self.unfired.retain(|name| *name != fault),
            _ => {}
        }
    }

    /// Something to check before the run is trusted; said once, at the end.
    pub fn warn(&mut self, text: &str) {
        if !self.warnings.iter().any(|known| known == text) {
            self.warnings.push(text.into());
        }
    }

    /// Something that happened beside the run.
    pub fn tell(&mut self, text: String) {
        self.told.push(text);
    }

    /// All warnings so far.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The run is kept under this name.
    pub fn kept_as(&mut self, id: &Id) {
        self.kept_as = Some(id.clone());
    }

    /// All that is said at the end; simrun's exit status.
    pub fn finish(&self, outcome: &Outcome) -> u8 {
        if !self.quiet {
            self.told.iter().for_each(|text| say(text));
            self.warnings.iter().for_each(|text| say(&format!("warning: {text}")));
        }
        for line in self.ending(outcome) {
            say(&line);
        }
        if !self.quiet {
            self.unfired.iter().for_each(|name| say(&format!("the fault {name} never fired")));
            say(&self.summary(outcome));
        }
        exit_status(&outcome.ending)
    }

    fn summary(&self, outcome: &Outcome) -> String {
        let tally = &outcome.tally;
        let fingerprint = match outcome.ending.has_fingerprint() {
            true => format!("{:016x}", tally.fingerprint),
            false => "none".into(),
        };
        let name = self.kept_as.as_ref().map_or(String::new(), |id| format!(", run {id}"));
        format!(
            "seed {}, fingerprint {fingerprint}, simulated {}, {} calls, {} switches, {} choices, real {}{name}",
            self.seed,
            seconds(tally.simulated),
            tally.entries,
            tally.switches,
            tally.choices,
            seconds(outcome.wall),
        )
    }

    /// What went wrong, if anything did.
    fn ending(&self, outcome: &Outcome) -> Vec<String> {
        let simulated = seconds(outcome.tally.simulated);
        let again = format!("again with: --seed {}", self.seed);
        match &outcome.ending {
            Ending::Finished { .. } => Vec::new(),
            Ending::TimedOut => {
                vec![format!("timed out after {simulated} of simulated time"), again]
            }
            Ending::WallTimedOut { program } => vec![
                format!(
                    "timed out after {} of real time; the last program to run was {program}",
                    seconds(outcome.wall)
                ),
                again,
            ],
            Ending::Interrupted(signal) => vec![format!("ended by {signal}")],
            Ending::Deadlock => self.deadlock(&again),
            Ending::Spin(spin) => vec![
                format!("{} has kept others waiting for too long in {}", spin.program, spin.file),
                again,
            ],
            Ending::NotStarted(words) => vec![words.clone()],
            Ending::Panic(words) => vec![
                format!("the simulated kernel failed: {words}"),
                format!(
                    "seed {}, choice {}, call {}; please report this, with the command",
                    self.seed, outcome.tally.choices, outcome.tally.entries
                ),
            ],
            Ending::Unsupported(words) => {
                vec![format!(
                    "the run cannot go on: it needs what simrun does not support: {words}"
                )]
            }
            Ending::HostExhausted(words) => {
                vec![format!("the host has no room for this run: {words}")]
            }
            Ending::Lost(what) => {
                vec![format!("{what}; this is a failure of the machine, not a result"), again]
            }
        }
    }

    fn deadlock(&self, again: &str) -> Vec<String> {
        let mut lines = vec!["deadlock: no thread can ever run again".to_owned()];
        for thread in self.stuck.iter().take(THREADS_MAX) {
            let StuckThread { node, pid, tid, program, call, waits_for } = thread;
            let who = match (self.nodes.get(usize::from(*node)), pid) {
                (_, 0) => program.clone(),
                (Some(name), _) if self.nodes.len() > 1 => {
                    format!("{program} (node {name}, pid {pid}, tid {tid})")
                }
                _ => format!("{program} (pid {pid}, tid {tid})"),
            };
            lines.push(format!("  {who} in {call} waits for {waits_for}"));
        }
        if self.stuck.len() > THREADS_MAX {
            lines.push(format!("  and {} more", self.stuck.len() - THREADS_MAX));
        }
        lines.push(again.to_owned());
        lines
    }
}

/// simrun's exit status after a run that ended so.
pub fn exit_status(ending: &Ending) -> u8 {
    match ending {
        Ending::Finished { status } => exit::from_wait_status(*status),
        Ending::TimedOut | Ending::WallTimedOut { .. } => exit::TIMED_OUT,
        Ending::Interrupted(signal) => exit::after_signal(*signal as i32),
        Ending::NotStarted(_) => exit::NOT_EXECUTABLE,
        Ending::Deadlock
        | Ending::Spin(_)
        | Ending::Panic(_)
        | Ending::Unsupported(_)
        | Ending::HostExhausted(_)
        | Ending::Lost(_) => exit::FAILED,
    }
}

/// Says a line. Whether anybody listens is not simrun's concern.
pub fn say(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "simrun: {text}");
}

/// A fault that was injected, in a line; `None` for any other event.
pub fn fault_line(event: &Event) -> Option<String> {
    let What::Fault { fault, count, call, subject, effect } = &event.what else { return None };
    let time = seconds(Duration::from_nanos(event.time_ns));
    let whose = match (call.is_empty(), event.pid) {
        // A fault that came at its time, of the machine or of a process.
        (true, 0) => String::new(),
        (true, pid) => format!("{subject}, process {pid}, "),
        (false, pid) => {
            let separator = if subject.is_empty() { "" } else { " " };
            format!("{call}{separator}{subject} of process {pid} ")
        }
    };
    Some(format!("fault at {time}: {fault} #{count}: {whose}{effect}"))
}

/// Says why there was no run.
pub fn failure(failure: &Failure) {
    let mut text = failure.to_string();
    let mut source = failure.source();
    while let Some(error) = source {
        text = format!("{text}: {error}");
        source = error.source();
    }
    say(&text);
}

/// A duration in seconds, to the microsecond.
pub fn seconds(duration: Duration) -> String {
    format!("{}.{:06}s", duration.as_secs(), duration.subsec_micros())
}
