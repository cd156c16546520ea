//! The parameters of a run, written once by the supervisor before the first process starts.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

use crate::{
    capture::Capture,
    faults::Fault,
    node::{Condition, Node},
};

/// How the scheduler picks among the threads that can run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Strategy {
    /// A thread drawn from the seed, at a preemption rate that the seed also draws.
    Random,
    /// Each thread in turn; a thread runs until it blocks or yields.
    RoundRobin,
}

/// How much goes into the event ring. The fingerprint never depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Detail {
    /// What the summary needs: escapes, reports, ends, the first firing of each fault.
    Summary,
    /// What the supervisor keeps of every run: its standard streams and the programs it ran.
    Kept,
    /// Every firing of a fault, too.
    Faults,
    /// Every event.
    Events,
    /// Every event and every system call.
    Calls,
}

/// User and group of the simulated user, those of the person who runs simrun.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Real, effective and saved user id.
    pub uid: u32,
    /// Real, effective and saved group id.
    pub gid: u32,
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// Whether call sites that trap often are patched. It makes a difference to speed only.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Patching {
    /// They are.
    On,
    /// Every call traps.
    Off,
}

/// Where the standard streams of programs lead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Streams {
    /// To those that the run was started with, and to the log.
    OfHost,
    /// Output to the log only; nothing comes in.
    Told,
}

/// What times, and with them what inode numbers, the host's files show.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum FileTimes {
    /// One and the same for all but installed software, so that neither the machine nor `touch` makes a difference.
    Fixed,
    /// The host's, which build tools and git compare.
    Host,
}

/// Everything a run is started with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Boot {
    /// The master seed.
    pub seed: u64,
    /// Wall-clock time at the start, in nanoseconds since 1970.
    pub start_time_ns: u64,
    /// Simulated time after which the run is ended, in nanoseconds.
    pub timeout_ns: Option<u64>,
    /// Number of the event after which the run is ended, as if simulated time had run out.
    pub last_event: Option<u64>,
    /// Scheduling strategy.
    pub strategy: Strategy,
    /// Schedule choices to force, as (choice number, option).
    pub forced: Vec<(u64, u32)>,
    /// What the event ring carries.
    pub detail: Detail,
    /// The simulated machines; at least one.
    pub nodes: Vec<Node>,
    /// Where the standard streams of their programs lead.
    pub streams: Streams,
    /// Who the programs run as.
    pub identity: Identity,
    /// File mode creation mask.
    pub umask: u32,
    /// `AT_HWCAP`, `AT_HWCAP2` and `AT_MINSIGSTKSZ` of this processor.
    pub processor: Processor,
    /// Whether the preload library is present at [`crate::layout::fds::PRELOAD`].
    pub preload: bool,
    /// Whether call sites are patched.
    pub patching: Patching,
    /// Faults to inject.
    pub faults: Vec<Fault>,
    /// When all of one of these has been so, no more of them are injected.
    pub quiet_when: Vec<Vec<Condition>>,
    /// Faults that are there all the time: what links are like.
    pub links: Vec<Fault>,
    /// Loops that wait without a call, learned from earlier attempts.
    pub waiting: Vec<WaitingLoop>,
    /// What times the host's files show.
    pub file_times: FileTimes,
    /// What is kept of the files that the run writes.
    pub capture: Capture,
    /// Files that nodes find there from the start.
    pub files: Vec<PlacedFile>,
    /// Absolute paths of the host that programs do not see.
    pub hidden: Vec<Vec<u8>>,
    /// Files whose code earlier runs have searched: what is here need not be searched again, and nothing else changes.
    pub searched: Vec<SearchedFile>,
}

/// A file that a node finds from the start, whatever the host has there. It is root's, and durable.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PlacedFile {
    /// Index of the node; each of them, if none is said.
    pub node: Option<u16>,
    /// Absolute path, free of `..`. Directories that are missing are made.
    pub path: Vec<u8>,
    /// Its permissions.
    pub mode: u32,
    /// What is in it.
    pub bytes: Vec<u8>,
}

/// A file whose code was searched for instructions that must not run as they are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SearchedFile {
    /// Host device that holds it.
    pub device: u64,
    /// Host inode number.
    pub inode: u64,
    /// Its length in bytes.
    pub size: u64,
    /// When it was last modified, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// What was found: the offset of each instruction in the file, and the bytes from there to the one that is patched.
    pub sites: Vec<(u64, u64)>,
}

/// A loop that waits for another thread without a call: where it jumps back.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaitingLoop {
    /// Host device that holds the file.
    pub device: u64,
    /// Host inode number of the file.
    pub inode: u64,
    /// Offset of the jump in the file.
    pub offset: u64,
}

/// What the host's auxiliary vector says of the processor.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Processor {
    /// `AT_HWCAP`.
    pub hwcap: u64,
    /// `AT_HWCAP2`.
    pub hwcap2: u64,
    /// `AT_MINSIGSTKSZ`, in bytes.
    pub signal_stack_min: u64,
}

impl Boot {
    /// The bytes that [`Boot::decode`] reads.
    ///
    /// # Panics
    /// Never: every field can be encoded.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        postcard::to_allocvec(self).expect("boot parameters can be encoded")
    }

    /// Reads what [`Boot::encode`] wrote; `None` when the bytes are not that.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}
