//! The simulated machines of a run, and when each starts its program.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

/// A simulated machine with one program, which may start others.
///
/// Each has an address, a file tree over the host's, process numbers, IPC and a wall clock of its own. A plain run has one.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Node {
    /// Its name, unlike any other's.
    pub name: String,
    /// Host name, by which other nodes find it, too.
    pub hostname: String,
    /// Further names that lead to it. One that begins with `*.` stands for every name that ends like it.
    pub names: Vec<String>,
    /// Its address on `eth0`, an address of IPv4.
    pub address: [u8; 4],
    /// Words that faults and reports find it by.
    pub tags: Vec<String>,
    /// Processors that it shows.
    pub cpus: u32,
    /// Memory that it has, in bytes.
    pub memory: u64,
    /// Bytes that are free on its disk.
    pub disk: u64,
    /// Descriptors that a process may have open (`RLIMIT_NOFILE`); as a login shell has it, if not given.
    pub descriptors: Option<u32>,
    /// How far its wall clock is ahead of the run's, in nanoseconds.
    pub clock_offset_ns: i64,
    /// Absolute path of its program.
    pub program: Vec<u8>,
    /// Argument vector, `argv[0]` included.
    pub arguments: Vec<Vec<u8>>,
    /// Environment as `KEY=VALUE`.
    pub environment: Vec<Vec<u8>>,
    /// Absolute path of the working directory.
    pub directory: Vec<u8>,
    /// How long after its conditions hold it starts, in nanoseconds.
    pub start_delay_ns: u64,
    /// What must hold before it starts.
    pub starts_when: Vec<Condition>,
    /// How long it may go on when the run ends, in nanoseconds, after it was told so by `SIGTERM`; not at all, if zero.
    pub stop_grace_ns: u64,
    /// Whether its program is told by `SIGUSR1` when no more faults happen.
    pub is_told_of_quiet: bool,
    /// What its program is to the run.
    pub role: Role,
}

impl Node {
    /// A small workload of one name, without a program yet.
    #[must_use]
    pub fn new(name: &str, address: [u8; 4]) -> Self {
        Self {
            name: name.into(),
            hostname: name.into(),
            names: Vec::new(),
            address,
            tags: Vec::new(),
            cpus: 1,
            memory: 1 << 30,
            disk: 1 << 30,
            descriptors: None,
            clock_offset_ns: 0,
            program: Vec::new(),
            arguments: Vec::new(),
            environment: Vec::new(),
            directory: b"/".to_vec(),
            start_delay_ns: 0,
            stop_grace_ns: 0,
            starts_when: Vec::new(),
            is_told_of_quiet: false,
            role: Role::Workload,
        }
    }
}

/// Something about another node.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Condition {
    /// Index of that node.
    pub node: u16,
    /// What must have been so.
    pub reached: Milestone,
}

/// How far a node has come.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Milestone {
    /// Its program runs.
    Started,
    /// A socket of TCP takes connections at this port.
    Listens(u16),
    /// A line that has this in it was written to a standard stream.
    Printed(Vec<u8>),
    /// Its program has ended with status zero.
    Succeeded,
}

/// What a node's program is to the run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Role {
    /// The run lasts until it ends, and fails if it does. Faults that are for nodes leave it alone, unless it is the only one.
    Workload,
    /// It serves others for as long as the run lasts.
    Service {
        /// Whether it starts again when it has ended.
        restart: Restart,
        /// How much later, in nanoseconds.
        delay_ns: u64,
    },
}

/// Whether a program that has ended starts again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Restart {
    /// It does not.
    Never,
    /// Unless its status is zero.
    OnFailure,
    /// Whatever its status is.
    Always,
}
