//! The command line: raw arguments, before [`crate::plan`] makes them into something that can be run.
//!
//! - [`units`]: durations, sizes and instants as people write them.
//! - [`store`]: what is done with runs that are kept.
//! - [`explore`]: many runs together.
//! - [`mocks`]: services that stand in for others.
//! - [`typed`]: a world as one would type it.
//! - [`aliases`]: spellings of other tools.

pub mod aliases;
mod explore;
mod mocks;
pub mod store;
mod typed;
pub mod units;

use std::{
    ffi::OsString,
    path::{Path, PathBuf},
    time::Duration,
};

use clap::{
    Args, CommandFactory, Parser, Subcommand, ValueEnum,
    error::{ContextKind, ContextValue, ErrorKind},
};
pub use explore::{ExploreArguments, MergeArguments, ReportFiles, StatusArguments};
pub use mocks::{MocksArguments, MocksVerb, Tool};
pub use store::{
    ArtifactsArguments, DiffArguments, FilesArguments, Format, GcArguments, Keeping, LogsArguments,
    LsArguments, RerunArguments, RunsArguments, ShowArguments, Stored,
};

use simrun_config::spelling::nearest;

use crate::plan::Subject;

/// Of a line without a verb, and of each of them.
const USAGE: &str = "simrun [OPTIONS] -- COMMAND...
       simrun sim [OPTIONS] FILE
       simrun init [FILE]
       simrun verify [OPTIONS] -- COMMAND... | sim FILE
       simrun faults [show NAME]
       simrun mocks serve FILE
       simrun schema faults|mocks|sim
       simrun doctor
       simrun syscalls [--json]
       simrun explore [OPTIONS] -- COMMAND... | sim FILE
       simrun ls|status|runs|show|logs|files|artifacts|rerun|diff|merge|gc ...";

/// Runs a program inside a deterministic simulation: the same seed gives the same run.
#[derive(Debug, Parser)]
#[command(
    version,
    about,
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    disable_help_subcommand = true,
    override_usage = USAGE,
    after_help = "Examples:\n  simrun --seed 42 -- ./service\n  simrun --faults slow-network -- python3 client.py\n\n\
                  Exit status: the command's; 124 after a time-out, 125 when simrun itself failed, 126 when the \
                  command cannot be executed, 127 when it is not found."
)]
pub struct Arguments {
    /// What to do instead of running a command.
    #[command(subcommand)]
    pub verb: Option<Verb>,
    /// The run, without a verb.
    #[command(flatten)]
    pub run: RunArguments,
}

/// What [`Arguments`] are without a verb.
#[derive(Debug, Parser)]
struct WithoutVerb {
    #[command(flatten)]
    run: RunArguments,
}

impl Arguments {
    /// Reads a command line, simrun's own name first.
    ///
    /// # Errors
    /// What is wrong with it, or what was asked for instead of a run, to be printed.
    pub fn read(line: impl IntoIterator<Item: Into<OsString>>) -> Result<Self, clap::Error> {
        let line: Vec<OsString> = line.into_iter().map(Into::into).collect();
        // To run a command is what has to start fast, and the verbs' options are many: most are never looked at so.
        // What is wrong is found with all of them, because it may be the name of a verb.
        if line.iter().any(|argument| argument == "--")
            && let Ok(WithoutVerb { run }) = WithoutVerb::try_parse_from(&line)
        {
            return Ok(Self { verb: None, run });
        }
        Self::try_parse_from(line).map_err(with_tip)
    }
}

/// Says what may have been meant by a word that was not expected: a verb, or what is to be run.
fn with_tip(mut error: clap::Error) -> clap::Error {
    let command = Arguments::command();
    let tip = match (error.kind(), error.get(ContextKind::InvalidArg)) {
        // Several values are only what comes after `sim`.
        (ErrorKind::WrongNumberOfValues, _) => "a command comes after `--`".to_owned(),
        (ErrorKind::UnknownArgument, Some(ContextValue::String(word)))
            if !word.starts_with('-') && is_of_no_verb(&error) =>
        {
            match nearest(word, command.get_subcommands().map(clap::Command::get_name)) {
                Some(verb) if verb == word => {
                    format!("a verb comes before its options: simrun {verb} ...")
                }
                Some(verb) => format!("a similar verb exists: simrun {verb} ..."),
                None => format!("a command comes after `--`: simrun -- {word} ..."),
            }
        }
        _ => return error,
    };
    error.insert(ContextKind::Suggested, ContextValue::StyledStrs(vec![tip.into()]));
    error
}

/// Whether an error is about a line without a verb, which the usage that goes with it tells.
fn is_of_no_verb(error: &clap::Error) -> bool {
    matches!(error.get(ContextKind::Usage), Some(ContextValue::StyledStr(usage)) if usage.to_string().contains(USAGE))
}

/// Everything simrun can do besides running a command once.
#[derive(Debug, Subcommand)]
pub enum Verb {
    /// Run the machines of a simulation file
    Sim(Box<SimArguments>),
    /// Write a simulation file to start from, of a Compose file if there is one
    Init(InitArguments),
    /// Run the same seed again and again and compare the fingerprints
    Verify(VerifyArguments),
    /// Say what this machine allows and what each missing thing costs
    #[command(after_help = "Examples:\n  simrun doctor")]
    Doctor,
    /// List the faults that can be injected, or show one's file
    Faults(FaultsArguments),
    /// Serve mocks, as a run with `--mocks` has them
    Mocks(MocksArguments),
    /// Print the JSON Schema of a kind of file, for editors
    Schema(SchemaArguments),
    /// List the system calls and how well each is covered
    Syscalls(SyscallsArguments),
    /// List simulations: many runs together, or single ones
    Ls(LsArguments),
    /// List runs
    Runs(RunsArguments),
    /// Show all that is known of a run
    Show(ShowArguments),
    /// Show what a run wrote, by virtual time
    Logs(LogsArguments),
    /// List or print what a run has left below $SIMRUN_ARTIFACTS
    Artifacts(ArtifactsArguments),
    /// Run again with everything as it was, and compare
    Rerun(RerunArguments),
    /// Show the first event in which two runs differ
    Diff(DiffArguments),
    /// Remove runs
    Gc(GcArguments),
    /// List, print or copy out the files that a run wrote
    Files(FilesArguments),
    /// Run many seeds, and group what fails into bugs
    Explore(Box<ExploreArguments>),
    /// Run the commands of a folder as their names say, inside of a simulation
    #[command(hide = true)]
    Compose(ComposeArguments),
    /// Ask over HTTP until all is well, inside of a simulation
    #[command(hide = true)]
    Probe(ProbeArguments),
    /// Make runs as another simrun tells
    #[command(hide = true)]
    ExploreWorker,
    /// Show what came of a simulation
    Status(StatusArguments),
    /// Copy runs from other stores, and put the parts of a simulation together
    Merge(MergeArguments),
}

/// A run's world and what is done with it.
#[derive(Debug, Args)]
pub struct OnceArguments {
    /// The world that programs run in; of a simulation file, what holds for machines of which it says nothing else.
    #[command(flatten)]
    pub world: World,

    /// Print neither the line at the start nor the summary
    #[arg(long, short)]
    pub quiet: bool,

    /// What is written of events.
    #[command(flatten)]
    pub events: EventArguments,

    /// Whether and where the run is kept.
    #[command(flatten)]
    pub keeping: Keeping,
}

/// A run of a command.
#[derive(Debug, Args)]
pub struct RunArguments {
    /// Its world and what is done with it.
    #[command(flatten)]
    pub once: OnceArguments,

    /// The command to run and its arguments
    #[arg(last = true, required = true, value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

/// `simrun sim`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun sim store.yaml --seed 7\n\n\
                  Exit status: that of the first workload that fails; else as without a verb.")]
pub struct SimArguments {
    /// The file that describes the machines (docs/reference/simulations.md)
    #[arg(value_name = "FILE")]
    pub file: PathBuf,

    /// Their world and what is done with it.
    #[command(flatten)]
    pub once: OnceArguments,
}

/// `simrun init`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun init && simrun sim sim.yaml")]
pub struct InitArguments {
    /// The file to write; it must not be there yet
    #[arg(value_name = "FILE", default_value = "sim.yaml")]
    pub file: PathBuf,
    /// The Compose file, if it is not `compose.yaml` or one of the other names that Compose looks for here
    #[arg(long, value_name = "FILE")]
    pub compose: Option<PathBuf>,
}

/// `simrun compose`.
#[derive(Debug, Args)]
pub struct ComposeArguments {
    /// The folder
    pub folder: PathBuf,
    /// Machines that run such folders, too
    pub others: Vec<std::net::Ipv4Addr>,
}

/// `simrun probe`.
#[derive(Debug, Args)]
pub struct ProbeArguments {
    /// Whom to ask
    pub address: std::net::IpAddr,
    /// Where
    pub port: u16,
    /// For what
    pub path: String,
}

/// What a verb runs several times.
#[derive(Debug, Args)]
pub struct Several {
    /// The word `sim` and a simulation file, instead of a command
    #[arg(num_args = 2, value_names = ["sim", "FILE"], conflicts_with = "command")]
    pub simulation: Vec<OsString>,

    /// The command to run and its arguments
    #[arg(last = true, required_unless_present = "simulation", value_name = "COMMAND")]
    pub command: Vec<OsString>,
}

impl Several {
    /// What is run.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn subject(&self) -> Result<Subject<'_>, String> {
        match self.simulation.as_slice() {
            [word, file] if word == "sim" => Ok(Subject::Simulation(Path::new(file))),
            [word, ..] => Err(format!(
                "`{}` is none of the words that may stand here: write `sim FILE`, or `--` before a command",
                word.display()
            )),
            [] => Ok(Subject::Command(&self.command)),
        }
    }
}

/// What is written of a run's events.
#[derive(Debug, Args)]
#[command(group = clap::ArgGroup::new("events").multiple(true))]
pub struct EventArguments {
    /// Write events as JSON lines to this file; `-` is standard error
    #[arg(long, value_name = "FILE", group = "events")]
    pub trace: Option<PathBuf>,

    /// Print the faults as they are injected
    #[arg(long)]
    pub fault_log: bool,

    /// Keep the events with the run, for `diff` and reports
    #[arg(long, group = "events", conflicts_with = "no_store")]
    pub keep_events: bool,

    /// Put every system call into the trace and what is kept, too
    #[arg(long, requires = "events")]
    pub trace_syscalls: bool,
}

/// `simrun verify`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun verify --runs 100 --seed 42 -- ./service")]
pub struct VerifyArguments {
    /// How often
    #[arg(long, value_name = "N", default_value_t = 10, value_parser = clap::value_parser!(u32).range(2..))]
    pub runs: u32,
    /// The world that the command runs in.
    #[command(flatten)]
    pub world: World,
    /// What is run.
    #[command(flatten)]
    pub several: Several,
}

/// `simrun faults`.
#[derive(Debug, Args)]
#[command(
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true,
    after_help = "Examples:\n  simrun faults\n  simrun faults show slow-network > faults.yaml"
)]
pub struct FaultsArguments {
    /// What to do instead of listing them.
    #[command(subcommand)]
    pub verb: Option<FaultsVerb>,
    /// As the page docs/reference/faults.md
    #[arg(long)]
    pub markdown: bool,
}

/// What can be done with faults besides listing them.
#[derive(Debug, Subcommand)]
pub enum FaultsVerb {
    /// Print the file of a name, to start one's own from
    #[command(after_help = "Examples:\n  simrun faults show slow-network > faults.yaml")]
    Show {
        /// A name, or a file
        name: String,
    },
}

/// `simrun schema`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun schema faults > .vscode/faults.json")]
pub struct SchemaArguments {
    /// Of which files
    pub kind: FileKind,
    /// As the page of the reference instead
    #[arg(long)]
    pub markdown: bool,
}

/// Kinds of files that simrun reads.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FileKind {
    /// Fault files
    Faults,
    /// Files of mocks
    Mocks,
    /// Simulation files
    Sim,
}

/// `simrun syscalls`.
#[derive(Debug, Args)]
#[command(after_help = "Examples:\n  simrun syscalls --json")]
pub struct SyscallsArguments {
    /// As JSON
    #[arg(long, conflicts_with = "markdown")]
    pub json: bool,
    /// As the page docs/reference/syscalls.md
    #[arg(long)]
    pub markdown: bool,
}

/// What a run depends on, and its limits.
#[derive(Debug, Args)]
pub struct World {
    /// Seed of the run; drawn at random and printed if not given
    #[arg(long, value_name = "N", value_parser = units::seed)]
    pub seed: Option<u64>,

    /// End the run after so much simulated time, as in 10m
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub timeout: Option<Duration>,

    /// End the run after so much real time, as in 5m
    #[arg(long, value_name = "DURATION", value_parser = units::duration)]
    pub wall_timeout: Option<Duration>,

    /// Inject these faults: names (see `simrun faults`) or files, with commas between them
    #[arg(long, value_name = "NAMES", value_delimiter = ',')]
    pub faults: Vec<String>,

    /// Have the services of this file as machines of the run; may be repeated
    #[arg(long, value_name = "FILE")]
    pub mocks: Vec<PathBuf>,

    /// Have no mocks, not even those of the project
    #[arg(long, conflicts_with = "mocks")]
    pub no_mocks: bool,

    /// Memory of the simulated machine
    #[arg(long, value_name = "SIZE", default_value = "1GiB", value_parser = units::memory)]
    pub mem: u64,

    /// Free space of the simulated machine's disk
    #[arg(long, value_name = "SIZE", default_value = "32GiB", value_parser = units::size)]
    pub disk: u64,

    /// Processors of the simulated machine
    #[arg(long, value_name = "N", default_value_t = 2, value_parser = clap::value_parser!(u32).range(1..=1024))]
    pub cpus: u32,

    /// Set a variable of the command's environment
    #[arg(long, value_name = "KEY=VALUE", value_parser = units::variable)]
    pub env: Vec<(String, String)>,

    /// Run the command in this directory
    #[arg(long, value_name = "DIR")]
    pub cwd: Option<PathBuf>,

    /// How the scheduler picks among the threads that can run
    #[arg(long, value_name = "STRATEGY", default_value = "random")]
    pub strategy: Strategy,

    /// Force the scheduling choices that this trace recorded
    #[arg(long, value_name = "FILE")]
    pub schedule: Option<PathBuf>,

    /// Let other threads go first at this jump of a loop that waits without a system call; may be repeated
    #[arg(long, value_name = "FILE+OFFSET", value_parser = units::place)]
    pub yield_at: Vec<(PathBuf, u64)>,

    /// Simulated date at the start: RFC 3339, or seconds since 1970 as in @1700000000
    #[arg(long, value_name = "TIME", default_value = "2030-01-01T00:00:00Z", value_parser = units::instant)]
    pub start_time: u64,

    /// Really write, when the run has ended, what it wrote below this path; may be repeated
    #[arg(long, value_name = "PATH")]
    pub write_through: Vec<PathBuf>,

    /// What times, and with them what inode numbers, the host's files show
    #[arg(
        long,
        value_name = "TIMES",
        default_value_if("write_through", clap::builder::ArgPredicate::IsPresent, "host"),
        default_value = "fixed"
    )]
    pub file_times: FileTimes,

    /// Leave out the preload library, by which threads can be switched at uncontended locks
    #[arg(long)]
    pub no_preload: bool,

    /// Let every system call trap, for tests: slower, and otherwise the same
    #[arg(long, hide = true)]
    pub no_patching: bool,
}

/// Names of what times files show.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum FileTimes {
    /// The same for all files but installed software, on every machine
    Fixed,
    /// The host's, as build tools and git need that compare them
    Host,
}

/// Names of scheduling strategies.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Strategy {
    /// A thread drawn from the seed, at a preemption rate that the seed also draws
    Random,
    /// Each thread in turn, until it blocks or yields
    RoundRobin,
}
