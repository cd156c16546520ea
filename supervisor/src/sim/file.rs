//! What a simulation file may say.

use schemars::JsonSchema;
use serde::Deserialize;
use simrun_config::{
    Named, OneOrMany, Quantity, Spanned,
    units::{Bandwidth, Size, Time},
};

use super::values::{Command, Count, Offset};

/// A simulation: machines, what drives them, and what goes wrong
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct SimulationFile {
    /// What it shows, in a line
    pub about: Option<String>,
    /// The machines under test, by name. They end with the run
    pub nodes: Option<Named<Machine>>,
    /// The test drivers, by name. The run lasts until all have ended, and fails with the first that fails. What is meant for
    /// nodes does not hit them
    pub workloads: Named<Machine>,
    /// Fault files: names (see `simrun faults`), or paths from the folder of this file. `sim` injects all of them together,
    /// each is a model of its own for `explore`; `+` joins several into one
    #[serde(default)]
    pub faults: OneOrMany<Spanned<String>>,
    /// Files of mocks, from the folder of this file: services that stand in for others, as further machines
    #[serde(default)]
    pub mocks: OneOrMany<Spanned<String>>,
    /// When faults happen; at any time, without it
    pub chaos: Option<Chaos>,
    /// What links between machines are like, whatever faults there are. What is said of a link more than once adds up
    #[serde(default)]
    pub links: Vec<Link>,
    /// Simulated time after which a run is ended
    pub timeout: Option<Spanned<Time>>,
    /// Runs of each fault model that `explore` makes
    pub depth: Option<Spanned<u64>>,
}

/// When faults happen, and troubles that were asked for. Their times are from when this begins; a pause may end later
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Chaos {
    /// How long after the start of the run the first may come; at once, without it
    pub after: Option<Time>,
    /// For how long they may; then it is quiet to the end
    pub r#for: Option<Spanned<Time>>,
    /// How far machines must have come for it to be quiet to the end, by their names
    pub until: Option<Named<Spanned<Milestone>>>,
}

/// A link, both ways
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Link {
    /// Two names or tags of machines, or twice the same
    pub between: Spanned<Vec<Spanned<String>>>,
    /// How much later what is sent arrives
    pub latency: Option<Spanned<Quantity<Time>>>,
    /// How much it carries each way, for all machines together
    pub bandwidth: Option<Spanned<Bandwidth>>,
}

/// Machines that run the same program
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Machine {
    /// The program and its arguments; this or `compose` is needed. A list, or a text that is split into words as a shell would, but no shell runs.
    /// `{{NAME}}` stands for the address of a machine or the addresses of all of a name, `{{peers}}` for those of the others
    /// of this name, `{{self}}` for its own, each with a port if one follows, as in `{{peers:80}}`, and commas between them;
    /// `{{name}}` for its name, `{{index}}` for its number from 1 and `{{count}}` for how many of its name there are
    pub command: Option<Spanned<Command>>,
    /// Of a workload: a folder of commands that are run as their names say, see above. Faults are over when they come to their
    /// end, if not before
    pub compose: Option<Spanned<String>>,
    /// How many there are: a number, or a range from which the seed draws one, as in `2..5`. One is called like here, of
    /// several each has a number, as in `store-2`, and the name without it leads to all
    pub count: Option<Spanned<Count>>,
    /// Variables of the environment, besides those that simrun has. `{{...}}` as in the command
    pub env: Option<Named<Spanned<String>>>,
    /// Working directory, from the folder of this file; that folder, without it
    pub cwd: Option<Spanned<String>>,
    /// Host name, if it is not the name; of several machines, each adds its number
    pub hostname: Option<Spanned<String>>,
    /// Further names that lead there; one that begins with `*.` stands for all that end so
    #[serde(default)]
    pub names: OneOrMany<Spanned<String>>,
    /// Words by which faults and programs find it
    #[serde(default)]
    pub tags: OneOrMany<Spanned<String>>,
    /// What must be so of other machines before it starts, by their names. A workload that does not say starts when every
    /// node is ready that says when it is
    pub after: Option<Named<Spanned<Milestone>>>,
    /// When it counts as ready
    pub ready: Option<Spanned<Ready>>,
    /// Whether a node's program starts again when it has ended; never, without it
    pub restart: Option<Spanned<Restart>>,
    /// How much later it does; 100ms, without it
    pub restart_delay: Option<Spanned<Time>>,
    /// How long a node may go on after the run's last workload has ended and the node was sent SIGTERM; not at all, without
    /// it. So long it also has when a fault stops it that does not say
    pub stop_grace: Option<Spanned<Time>>,
    /// How much later than it could it starts
    pub delay: Option<Time>,
    /// How far its clock is off, as in `-2s`; or a range from which the seed draws, as in `-2s..2s`
    pub clock: Option<Spanned<Offset>>,
    /// Memory that it has; 1GiB, without it
    pub memory: Option<Spanned<Size>>,
    /// Free space of its disk; 32GiB, without it
    pub disk: Option<Spanned<Size>>,
    /// Descriptors that a process may have open; 1024, without it, and more if the process raises that
    pub descriptors: Option<Spanned<u32>>,
    /// Processors that it shows; 2, without it
    pub cpus: Option<Spanned<u32>>,
}

/// How far another machine must have come
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Milestone {
    /// Its program runs
    Started,
    /// It is ready, as its own `ready` says
    Ready,
    /// Its program has ended with status 0
    Succeeded,
    /// It takes connections of TCP at this port
    Listens(u16),
    /// It has written a line with this in it
    Prints(String),
}

/// When a machine is ready
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Ready {
    /// When a request over HTTP is answered with a status from 200 to 399. A machine of its own asks, every 100ms
    Answers(Request),
    /// When it takes connections of TCP at this port
    Listens(u16),
    /// When it has written a line with this in it
    Prints(String),
}

/// A request over HTTP
#[derive(Clone, Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
pub struct Request {
    /// The port
    pub port: u16,
    /// The path; `/`, without it
    pub path: Option<Spanned<String>>,
}

/// Whether a program starts again
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Restart {
    /// It does not
    Never,
    /// If its status is not 0
    OnFailure,
    /// Whatever its status is
    Always,
}
