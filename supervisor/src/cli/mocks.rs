//! Services that stand in for others.

use std::{net::IpAddr, path::PathBuf};

use clap::{Args, Subcommand, ValueEnum};

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
        /// What is drawn depends on it, and so do certificates
        #[arg(long, value_name = "N", default_value = "0", value_parser = super::units::seed)]
        seed: u64,
        /// Have this trouble happen, which happens only if it is asked for; may be repeated
        #[arg(long, value_name = "NAME")]
        trouble: Vec<String>,
    },
    /// Be a machine of a run
    #[command(hide = true)]
    Node {
        /// The file
        file: PathBuf,
        /// Which of its services
        name: String,
        /// Troubles that may be asked for, for whoever made this command
        #[arg(long)]
        offers: Vec<String>,
        /// When troubles that were asked for may begin, in nanoseconds from the start of the run
        #[arg(long, default_value_t)]
        opens: u64,
        /// When they end
        #[arg(long)]
        closes: Option<u64>,
        /// Troubles that were asked for
        #[arg(long)]
        trouble: Vec<String>,
    },
    /// Show the calls that the mocks of a run took
    #[command(after_help = "Examples:\n  simrun mocks calls last")]
    Calls {
        /// The run
        run: String,
        /// Where it is kept.
        #[command(flatten)]
        stored: super::Stored,
    },
    /// Make a file of mocks of one of another tool: a Hoverfly simulation, WireMock mappings, OpenAPI or HAR
    #[command(after_help = "Examples:\n  simrun mocks import simulation.json > mocks.yaml")]
    Import {
        /// The file
        file: PathBuf,
        /// Whose it is; whichever it looks like, without it
        #[arg(long, value_name = "TOOL")]
        from: Option<Tool>,
    },
    /// Pass requests on to a real service, and make a file of mocks of what it answers
    #[command(
        after_help = "Examples:\n  simrun mocks record https://api.payments.test --output mocks.yaml"
    )]
    Record {
        /// The service, as in https://api.payments.test
        url: String,
        /// Where the file is written when this is stopped; to standard output, without it
        #[arg(long, short, value_name = "FILE")]
        output: Option<PathBuf>,
        /// The host that the mock has; the service's, without it
        #[arg(long, value_name = "NAME")]
        host: Option<String>,
        /// The address to listen at
        #[arg(long, default_value = "127.0.0.1")]
        address: IpAddr,
        /// The port to listen at; any that is free, without it
        #[arg(long, default_value = "0", hide_default_value = true)]
        port: u16,
        /// Certificates of those who vouch for the service; those of the system, without it
        #[arg(long, value_name = "FILE")]
        authority: Option<PathBuf>,
        /// Mask what has this in its name, too, besides what usually is secret; may be repeated
        #[arg(long, value_name = "NAME")]
        secret: Vec<String>,
    },
    /// Print the certificate of the authority that vouches for services
    #[command(after_help = "Examples:\n  simrun mocks authority --seed 7 > authority.pem")]
    Authority {
        /// Of this seed
        #[arg(long, value_name = "N", default_value = "0", value_parser = super::units::seed)]
        seed: u64,
    },
}

/// Other tools.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Tool {
    /// Hoverfly, version 5 of its simulations
    Hoverfly,
    /// WireMock's mappings
    Wiremock,
    /// OpenAPI, version 3
    Openapi,
    /// HTTP Archive
    Har,
}
