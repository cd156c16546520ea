//! What is kept of runs, and how it is found again.
//!
//! One folder for each run is the truth; [`index`] is a cache of it that readers bring up to date.
//!
//! - [`place`]: where runs are kept.
//! - [`id`]: names of runs and simulations.
//! - [`record`]: what is written down of a run; [`pinned`]: what it depends on; [`simulation`]: of many runs together.
//! - [`recording`]: writing a run down while it goes on.
//! - [`output`]: its standard streams, with times.
//! - [`calls`]: those of its mocks.
//! - [`inputs`]: the files it has read; [`gathering`]: looking at them meanwhile; [`digest`]: their digests.
//! - [`protocol`]: what the workload says of its invariants ([`invariant`]) and paths ([`named_path`]).
//! - [`failure`]: what went wrong.
//! - [`folder`]: reading a run's folder.
//! - [`find`]: from what somebody types to a run.
//! - [`index`]: all runs in a database.
//! - [`remove`]: removing runs; [`merge`]: copying them.
//! - [`text`], [`time`]: how bytes and instants are written.

pub mod calls;
pub mod digest;
pub mod failure;
pub mod find;
pub mod folder;
pub mod gathering;
pub mod id;
pub mod index;
pub mod inputs;
pub mod invariant;
pub mod merge;
pub mod named_path;
pub mod output;
pub mod pinned;
pub mod place;
pub mod protocol;
pub mod record;
pub mod recording;
pub mod remove;
pub mod simulation;
pub mod text;
pub mod time;
pub use folder::RunFolder;
pub use id::Id;
pub use place::{Place, VARIABLE};
pub use record::{Record, State};
pub use recording::{Belonging, Recording};
pub use time::Timestamp;

/// File of a run that says what it is and how it ended.
const RECORD: &str = "run.json";
/// File of a run that lists the files it has read.
const INPUTS: &str = "inputs.json";
/// File of a run that holds its events, if they are kept.
const EVENTS: &str = "events.jsonl";
/// File of a run that holds what it has read from standard input.
const STANDARD_INPUT: &str = "stdin";
/// File of a run that is locked while it goes on.
const LOCK: &str = "lock";
/// Folder of a run that holds what its program has left for people.
const ARTIFACTS: &str = "artifacts";

/// Why something of the store cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The environment says that there is none.
    #[error("no runs are kept: {VARIABLE} is empty (--store names a folder)")]
    None,
    /// A file cannot be read or written.
    #[error("{}", .0.display())]
    File(std::path::PathBuf, #[source] std::io::Error),
    /// A file is not what it should be.
    #[error("{}: not as simrun {} writes it", .0.display(), env!("CARGO_PKG_VERSION"))]
    Format(std::path::PathBuf, #[source] serde_json::Error),
    /// The index fails.
    #[error("the index of runs")]
    Index(#[from] rusqlite::Error),
    /// Nothing has this name.
    #[error(transparent)]
    Find(#[from] find::Error),
}
