//! The command line.

use std::ffi::OsString;

use clap::Parser;

/// Runs a program inside a deterministic simulation: the same seed gives the same run.
#[derive(Debug, Parser)]
#[command(version, about)]
pub struct Arguments {
    /// Seed of the run; drawn at random and printed if not given
    #[arg(long, value_name = "N")]
    pub seed: Option<u64>,

    /// Print neither the line at the start nor the summary
    #[arg(long, short)]
    pub quiet: bool,

    /// Write events as JSON lines to this file
    #[arg(long, value_name = "FILE")]
    pub trace: Option<std::path::PathBuf>,

    /// Put every system call into the trace, too
    #[arg(long, requires = "trace")]
    pub trace_syscalls: bool,

    /// Leave out the preload library, by which threads can be switched at uncontended locks
    #[arg(long)]
    pub no_preload: bool,

    /// The command to run and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}
