//! The command line of what is done with runs that are kept.

use std::{io, path::PathBuf, time::Duration};

use clap::{Args, ValueEnum};
use simrun_abi::capture::Capture;

use super::{EventArguments, units};
use crate::store::{Error, Place, State};

/// How data is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people
    Text,
    /// For programs
    Json,
}

/// Whether and where a new run is kept.
#[derive(Debug, Args)]
pub struct Keeping {
    /// Keep the run in this folder; else SIMRUN_STORE, else .simrun/store of the nearest folder that has .simrun
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,

    /// Keep nothing of the run
    #[arg(long, conflicts_with = "store")]
    pub no_store: bool,

    /// Keep so many bytes of the files that the run writes
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = units::size)]
    pub capture_limit: u64,

    /// Keep so many bytes of what the run leaves below $SIMRUN_ARTIFACTS
    #[arg(long, value_name = "SIZE", default_value = "64MiB", value_parser = units::size)]
    pub artifact_limit: u64,
}

impl Keeping {
    /// Sets how much is kept of the files that a run writes.
    pub fn limit(&self, capture: &mut Capture) {
        (capture.limit, capture.artifacts_limit) = (self.capture_limit, self.artifact_limit);
    }

    /// The place; `None` if nothing is to be kept.
    ///
    /// # Errors
    /// When the working directory is gone.
    pub fn place(&self) -> Result<Option<Place>, Error> {
        if self.no_store { Ok(None) } else { find(self.store.as_ref()) }
    }
}

fn find(asked: Option<&PathBuf>) -> Result<Option<Place>, Error> {
    Place::find(asked.map(PathBuf::as_path))
        .map_err(|error: io::Error| Error::File(".".into(), error))
}

/// Where runs are looked for, and how they are shown.
#[derive(Clone, Debug, Args)]
pub struct Stored {
    /// Look for runs in this folder; else SIMRUN_STORE, else .simrun/store of the nearest folder that has .simrun
    #[arg(long, value_name = "DIR")]
    pub store: Option<PathBuf>,

    /// How data is written
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: Format,
}

impl Stored {
    /// The place.
    ///
    /// # Errors
    /// When there is none.
    pub fn place(&self) -> Result<Place, Error> {
        find(self.store.as_ref())?.ok_or(Error::None)
    }
}

/// `simrun ls`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun ls --limit 10")]
pub struct LsArguments {
    /// So many, the last ones; 50 on a terminal, else all
    #[arg(long, short = 'n', value_name = "N")]
    pub limit: Option<usize>,
    /// Where and how.
    #[command(flatten)]
    pub stored: Stored,
}

/// `simrun runs`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun runs --state failed --format json")]
pub struct RunsArguments {
    /// Runs of this simulation only
    #[arg(long, value_name = "SIMULATION")]
    pub simulation: Option<String>,
    /// Runs in this state only
    #[arg(long, value_name = "STATE")]
    pub state: Option<State>,
    /// Runs only that have violated an invariant
    #[arg(long)]
    pub violations: bool,
    /// So many, the last ones; 50 on a terminal, else all
    #[arg(long, short = 'n', value_name = "N")]
    pub limit: Option<usize>,
    /// Where and how.
    #[command(flatten)]
    pub stored: Stored,
}

/// `simrun show`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun show last")]
pub struct ShowArguments {
    /// The run: its name, a beginning or an end of it, or `last`
    pub run: String,
    /// Where and how.
    #[command(flatten)]
    pub stored: Stored,
}

/// `simrun logs`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun logs last --since 10s")]
pub struct LogsArguments {
    /// The run: its name, a beginning or an end of it, or `last`
    pub run: String,
    /// Lines of this node only
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Lines from this simulated time on only
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub since: Option<Duration>,
    /// Go on until the run ends
    #[arg(long, short)]
    pub follow: bool,
    /// Where and how.
    #[command(flatten)]
    pub stored: Stored,
}

/// `simrun artifacts`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  simrun artifacts last\n  simrun artifacts last report.html > report.html"
)]
pub struct ArtifactsArguments {
    /// The run: its name, a beginning or an end of it, or `last`
    pub run: String,
    /// Print this one
    pub name: Option<String>,
    /// Where and how.
    #[command(flatten)]
    pub stored: Stored,
}

/// `simrun files`.
#[derive(Debug, Args)]
#[command(
    after_help = "Examples:\n  simrun files last\n  simrun files last /tmp/output.log\n  simrun files last --at 10s --export out"
)]
pub struct FilesArguments {
    /// The run: its name, a beginning or an end of it, or `last`
    pub run: String,
    /// Print this file
    pub path: Option<PathBuf>,
    /// Those of this node only
    #[arg(long, value_name = "NODE")]
    pub node: Option<String>,
    /// Copy them all to this folder; if there are several nodes and none is named, to one folder for each
    #[arg(long, value_name = "DIR", conflicts_with = "path")]
    pub export: Option<PathBuf>,
    /// As they were after so much simulated time, or after the event of this number (see `--trace`), for which the run is
    /// done again
    #[arg(long, value_name = "DURATION|EVENT", value_parser = units::moment)]
    pub at: Option<units::Moment>,
    /// Where and how.
    #[command(flatten)]
    pub stored: Stored,
}

/// `simrun rerun`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun rerun last --trace run.jsonl")]
pub struct RerunArguments {
    /// The run: its name, a beginning or an end of it, or `last`
    pub run: String,
    /// Run nothing if a file that the run has read is another now
    #[arg(long)]
    pub strict: bool,
    /// Say only what went wrong
    #[arg(long, short)]
    pub quiet: bool,
    /// What is written of events.
    #[command(flatten)]
    pub events: EventArguments,
    /// Do not keep the new run
    #[arg(long)]
    pub no_store: bool,
    /// Where and how.
    #[command(flatten)]
    pub stored: Stored,
}

/// `simrun diff`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun diff 0v5x8z2k-m4tx 19ab")]
pub struct DiffArguments {
    /// A run: its name, a beginning or an end of it, or `last`
    pub first: String,
    /// Another one
    pub second: String,
    /// Where and how.
    #[command(flatten)]
    pub stored: Stored,
}

/// `simrun gc`.
#[derive(Debug, Args)]
#[command(
    group = clap::ArgGroup::new("limits").multiple(true).required(true),
    after_help = "Examples:\n  simrun gc --older-than 7d --max-size 1GiB"
)]
pub struct GcArguments {
    /// Keep so many, the last ones
    #[arg(long, value_name = "N", group = "limits")]
    pub keep: Option<usize>,
    /// Remove those that began longer ago
    #[arg(long, value_name = "DURATION", value_parser = units::duration, group = "limits")]
    pub older_than: Option<Duration>,
    /// Keep the last ones that are not larger together
    #[arg(long, value_name = "SIZE", value_parser = units::size, group = "limits")]
    pub max_size: Option<u64>,
    /// Remove only runs in this state
    #[arg(long, value_name = "STATE")]
    pub state: Option<State>,
    /// Say what would be removed, and remove nothing
    #[arg(long)]
    pub dry_run: bool,
    /// Where and how.
    #[command(flatten)]
    pub stored: Stored,
}
