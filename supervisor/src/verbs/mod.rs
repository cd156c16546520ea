//! What simrun can do, one file each.
//!
//! - [`run`]: run a command once.
//! - [`verify`]: run the same seed again and again and compare.
//! - [`doctor`]: say what this machine allows.
//! - [`syscalls`]: list the system calls.

mod doctor;
mod run;
mod syscalls;
mod verify;
pub use doctor::doctor;
pub use run::run;
pub use syscalls::syscalls;
pub use verify::verify;

use crate::{exit, launch, plan};

/// Why a verb gave no exit status of its own.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The plan was wrong.
    #[error(transparent)]
    Plan(#[from] plan::Error),
    /// The run could not be set up or watched.
    #[error(transparent)]
    Launch(#[from] launch::Error),
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
            Self::Plan(_) | Self::Launch(_) | Self::File { .. } => exit::FAILED,
        }
    }
}
