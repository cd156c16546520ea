//! What is written down of a run: `run.json`.

use serde::{Deserialize, Serialize};
use simrun_abi::{boot::Detail, event::StuckThread};

use super::{
    failure::Failure, id::Id, invariant::Invariant, named_path::NamedPath, pinned::Pinned,
    time::Timestamp,
};
use crate::{
    launch::{Ending, Outcome},
    report,
};

/// Changes when an older simrun could not read what is written.
pub const FORMAT: u32 = 2;
/// The model of a run without faults.
pub const BASELINE: &str = "baseline";

/// Where a run is in its life.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[derive(clap::ValueEnum)]
#[value(rename_all = "camelCase")]
pub enum State {
    /// A simulation will run it.
    Pending,
    /// Its nodes are not all there yet.
    Booting,
    /// It goes on.
    Executing,
    /// Its command ended well, and nothing was violated.
    Succeeded,
    /// It ended otherwise.
    Failed,
    /// It took longer than it may, in simulated or real time.
    TimedOut,
    /// It was ended from outside, or simrun was.
    Interrupted,
}

impl State {
    /// As it is written.
    pub fn name(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Booting => "booting",
            Self::Executing => "executing",
            Self::Succeeded => "succeeded",
            Self::Failed => "failed",
            Self::TimedOut => "timedOut",
            Self::Interrupted => "interrupted",
        }
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        use State::*;
        [Pending, Booting, Executing, Succeeded, Failed, TimedOut, Interrupted]
            .into_iter()
            .find(|state| state.name() == name)
    }

    /// Whether nothing more will happen.
    pub fn is_final(self) -> bool {
        !matches!(self, Self::Pending | Self::Booting | Self::Executing)
    }

    /// Whether this is a result that somebody has to look at.
    pub fn is_bad(self) -> bool {
        matches!(self, Self::Failed | Self::TimedOut)
    }
}

/// All that is written down of one run.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Record {
    /// See [`FORMAT`].
    pub format: u32,
    /// Its name.
    pub id: Id,
    /// As of when it was written: without a result it may have changed.
    pub state: State,
    /// The simulation it belongs to, if it is not one by itself.
    pub simulation: Option<Id>,
    /// The fault model it ran under.
    pub model: String,
    /// The run that it does again.
    pub rerun_of: Option<Id>,
    /// simrun's version.
    pub version: String,
    /// When it began.
    pub start: Timestamp,
    /// What is kept of its events, if anything is.
    pub events: Option<Detail>,
    /// All that it depends on but files.
    #[serde(flatten)]
    pub pinned: Pinned,
    /// How it ended; nothing while it goes on.
    pub result: Option<RunResult>,
}

/// How a run ended.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RunResult {
    /// When.
    pub end: Timestamp,
    /// In which way.
    pub ending: Ended,
    /// simrun's exit status.
    pub exit_status: u8,
    /// The digest of all events, if it can be compared.
    pub fingerprint: Option<String>,
    /// Simulated time.
    pub simulated_ns: u64,
    /// Real time.
    pub wall_ns: u64,
    /// System calls and other entries into the kernel.
    pub calls: u64,
    /// Switches between threads.
    pub switches: u64,
    /// Scheduling choices.
    pub choices: u64,
    /// What to check before the run is trusted.
    pub warnings: Vec<String>,
    /// What the workload said of its invariants.
    pub invariants: Vec<Invariant>,
    /// Its named paths.
    #[serde(default)]
    pub paths: Vec<NamedPath>,
    /// What went wrong, if anything did.
    pub failure: Option<Failure>,
    /// Digests of the programs that it ran.
    pub programs: Vec<Program>,
}

/// A program that a run ran.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Program {
    /// Its absolute path.
    pub path: super::text::Text,
    /// BLAKE3, if the file could be read.
    pub digest: Option<String>,
}

/// [`Ending`] as it is written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "how", rename_all = "kebab-case")]
pub enum Ended {
    /// The command ended.
    Finished {
        /// As waitpid(2) has it.
        status: u32,
    },
    /// Simulated time ran out.
    TimedOut,
    /// Real time ran out.
    WallTimedOut {
        /// The program that ran last.
        program: String,
    },
    /// A signal to simrun.
    Interrupted {
        /// Its name.
        signal: String,
    },
    /// Nothing could run any more.
    Deadlock {
        /// Every thread and what it waited for.
        threads: Vec<StuckThread>,
    },
    /// There was no result: the machine or simrun itself failed.
    NoResult {
        /// In words.
        words: String,
    },
    /// The program could not be executed.
    NotStarted {
        /// In words.
        words: String,
    },
}

impl Ended {
    /// As it is written.
    pub fn of(ending: &Ending, stuck: &[StuckThread]) -> Self {
        match ending {
            Ending::Finished { status } => Self::Finished { status: *status },
            Ending::TimedOut => Self::TimedOut,
            Ending::WallTimedOut { program } => Self::WallTimedOut { program: program.clone() },
            Ending::Interrupted(signal) => Self::Interrupted { signal: signal.to_string() },
            Ending::Deadlock => Self::Deadlock { threads: stuck.to_vec() },
            Ending::NotStarted(words) => Self::NotStarted { words: words.clone() },
            Ending::Spin(spin) => Self::NoResult {
                words: format!("{} kept others waiting in {}", spin.program, spin.file),
            },
            Ending::Panic(words) => {
                Self::NoResult { words: format!("the simulated kernel failed: {words}") }
            }
            Ending::Unsupported(words) => {
                Self::NoResult { words: format!("simrun does not support {words}") }
            }
            Ending::HostExhausted(words) => {
                Self::NoResult { words: format!("the host has no room: {words}") }
            }
            Ending::Lost(words) => Self::NoResult { words: words.clone() },
        }
    }

    /// The state of a run that ended so; whether an invariant was violated counts, too.
    pub fn state(&self, violated: bool) -> State {
        match self {
            Self::Finished { status: 0 } if !violated => State::Succeeded,
            Self::Finished { .. }
            | Self::Deadlock { .. }
            | Self::NoResult { .. }
            | Self::NotStarted { .. } => State::Failed,
            Self::TimedOut | Self::WallTimedOut { .. } => State::TimedOut,
            Self::Interrupted { .. } => State::Interrupted,
        }
    }
}

impl RunResult {
    /// The result of a run that has just ended so; what only its output and its files tell is left out.
    pub fn of(outcome: &Outcome, stuck: &[StuckThread]) -> Self {
        let tally = &outcome.tally;
        Self {
            end: Timestamp::now(),
            ending: Ended::of(&outcome.ending, stuck),
            exit_status: report::exit_status(&outcome.ending),
            fingerprint: outcome
                .ending
                .has_fingerprint()
                .then(|| format!("{:016x}", tally.fingerprint)),
            simulated_ns: tally.simulated.as_nanos() as u64,
            wall_ns: outcome.wall.as_nanos() as u64,
            calls: tally.entries,
            switches: tally.switches,
            choices: tally.choices,
            warnings: Vec::new(),
            invariants: Vec::new(),
            paths: Vec::new(),
            failure: None,
            programs: Vec::new(),
        }
    }

    /// Whether any invariant was violated.
    pub fn is_violated(&self) -> bool {
        self.invariants.iter().any(|invariant| invariant.failed > 0)
    }
}

impl Record {
    /// The name of a machine, by its index.
    pub fn node_name(&self, index: usize) -> &str {
        self.pinned.nodes.get(index).map_or("", |node| node.name.as_str())
    }
}
