//! Services that stand in for others.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Subcommand};

/// `simrun mocks`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun mocks serve payments.yaml")]
pub struct MocksArguments {
    /// What to do with them.
    #[command(subcommand)]
    pub verb: MocksVerb,
}

/// What can be done with mocks.
#[derive(Debug, Subcommand)]
pub enum MocksVerb {
    /// Serve the services of a file on this machine, until it is stopped
    #[command(after_help = "Examples:\n  simrun mocks serve payments.yaml --free-ports")]
    Serve {
        /// The file
        file: PathBuf,
        /// The address to listen at
        #[arg(long, default_value = "127.0.0.1")]
        address: IpAddr,
        /// Listen at free ports, instead of those of the file
        #[arg(long)]
        free_ports: bool,
    },
    /// Be a machine of a run
    #[command(hide = true)]
    Node {
        /// The file
        file: PathBuf,
        /// Which of its services
        name: String,
    },
}
