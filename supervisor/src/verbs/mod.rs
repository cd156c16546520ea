//! What simrun can do, one file each.
//!
//! - [`run`]: run a command once.
//! - [`init`]: write a simulation file.
//! - [`sim`]: run the machines of a simulation file.
//! - [`verify`]: run the same seed again and again and compare.
//! - [`doctor`]: say what this machine allows.
//! - [`faults`]: list the faults, or show one's file.
//! - [`mocks`]: serve services that stand in for others.
//! - [`schema`]: print the JSON Schema of a kind of file.
//! - [`syscalls`]: list the system calls.
//! - [`compose`], [`probe`]: what runs inside of simulations.
//! - [`reference`]: pages of the reference.
//! - [`ls`]: list simulations and runs.
//! - [`show`]: show all that is known of a run; [`logs`]: what it wrote; [`files`]: what it did to its files;
//!   [`artifacts`]: what it has left for people.
//! - [`rerun`]: run again and compare; [`diff`]: where two runs part.
//! - [`gc`]: remove runs.
//! - [`explore`]: run many seeds; [`status`]: what came of it; [`merge`]: put parts of it together.

mod artifacts;
mod compose;
mod diff;
mod doctor;
mod explore;
mod faults;
mod files;
mod gc;
mod init;
mod logs;
mod ls;
mod merge;
mod mocks;
mod probe;
mod reference;
mod rerun;
mod run;
mod schema;
mod show;
mod sim;
mod status;
mod syscalls;
mod verify;
use std::{fs::File, io, os::fd::AsRawFd};

pub use artifacts::artifacts;
pub use compose::compose;
pub use diff::diff;
pub use doctor::doctor;
pub use explore::explore;
pub use faults::faults;
pub use files::files;
pub use gc::gc;
pub use init::init;
pub use logs::logs;
pub use ls::{ls, runs};
pub use merge::merge;
pub use mocks::mocks;
pub use probe::probe;
pub use rerun::rerun;
pub use run::run;
pub use schema::schema;
pub use show::show;
pub use sim::sim;
pub use status::status;
pub use syscalls::syscalls;
pub use verify::verify;

use crate::{
    exit,
    launch::{self, Streams},
    plan,
    report::table,
    store::{
        self, Place, Record, RunFolder,
        find::{find, nearest},
        index::Index,
    },
};

/// Why a verb gave no exit status of its own.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The plan was wrong.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// The run could not be set up or watched.
    #[error(transparent)]
    Launch(#[from] launch::Error),
    /// What is kept of runs cannot be read or written.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// What was asked for is not there, or cannot be done.
    #[error("{0}")]
    Unknown(String),
    /// A file of faults is wrong.
    #[error(transparent)]
    Faults(#[from] crate::faults::Error),
    /// A file of mocks is wrong.
    #[error(transparent)]
    Mocks(#[from] crate::mocks::Error),
    /// Mocks cannot be served.
    #[error(transparent)]
    Serve(#[from] simrun_mocks::Error),
    /// A service cannot be recorded.
    #[error(transparent)]
    Record(#[from] simrun_mocks::RecordError),
    /// Files of simrun's own.
    #[error("{doing}")]
    File {
        /// What was to be done.
        doing: &'static str,
        /// Why not.
        #[source]
        source: std::io::Error,
    },
}

impl Failure {
    /// simrun's exit status.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Plan(plan::Error::NotExecutable(_)) => exit::NOT_EXECUTABLE,
            Self::Plan(plan::Error::NotFound(_)) => exit::NOT_FOUND,
            Self::Plan(_)
            | Self::Launch(_)
            | Self::Store(_)
            | Self::Faults(_)
            | Self::Mocks(_)
            | Self::Serve(_)
            | Self::Record(_)
            | Self::Unknown(_)
            | Self::File { .. } => exit::FAILED,
        }
    }
}

/// The folder of the run that somebody means.
fn find_run(place: &Place, typed: &str) -> Result<RunFolder, Failure> {
    // A whole name needs no list.
    if let Ok(id) = typed.parse()
        && RunFolder::of(place, &id).path().is_dir()
    {
        return Ok(RunFolder::of(place, &id));
    }
    let id = find("run", typed, &Index::open(place)?.names()?).map_err(store::Error::from)?;
    Ok(RunFolder::of(place, &id))
}

/// A node that somebody means is one of a run.
fn check_node(typed: Option<&str>, record: &Record) -> Result<(), Failure> {
    let names: Vec<&str> = record.pinned.nodes.iter().map(|node| node.name.as_str()).collect();
    match typed {
        Some(node) if !names.contains(&node) => Err(Failure::Unknown(format!(
            "no node of run {} is called {node}{}",
            record.id,
            nearest(node, &names)
        ))),
        _ => Ok(()),
    }
}

/// Data was written to standard output, or not.
fn printed(result: io::Result<()>) -> Result<u8, Failure> {
    match result {
        Ok(()) => Ok(0),
        Err(source) => Err(Failure::File { doing: "standard output cannot be written", source }),
    }
}

/// Prints what a verb has to say.
fn print(text: &str) -> Result<u8, Failure> {
    printed(table::print(text.as_bytes()))
}

/// Prints data as JSON.
fn print_json(value: &impl serde::Serialize) -> Result<u8, Failure> {
    let mut text = serde_json::to_string_pretty(value).expect("names, numbers and text");
    text.push('\n');
    printed(table::print(text.as_bytes()))
}

/// A stream that gives nothing and takes everything.
///
/// # Errors
/// When the host has none.
pub fn open_null() -> Result<File, Failure> {
    let mut options = File::options();
    options.read(true).write(true);
    options
        .open("/dev/null")
        .map_err(|source| Failure::File { doing: "/dev/null cannot be opened", source })
}

/// Streams of a run that is made again: what it read is its input, its output goes there or is simrun's own.
pub fn streams(input: &File, output: Option<&File>) -> Streams {
    let own = Streams { stdin: input.as_raw_fd(), ..Streams::own() };
    match output {
        Some(output) => Streams { stdout: output.as_raw_fd(), stderr: output.as_raw_fd(), ..own },
        None => own,
    }
}
