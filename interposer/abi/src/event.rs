//! The records of a run's ordered log.

use alloc::{string::String, vec::Vec};
use serde::{Deserialize, Serialize};

use crate::boot::SearchedFile;

/// One record.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Its number, from one: what happened and what calls ended is counted together, whether it is told or not. Zero for
    /// what is no part of the log.
    pub number: u64,
    /// Simulated time since the start, in nanoseconds.
    pub time_ns: u64,
    /// Index of the node on which it happened.
    pub node: u16,
    /// Process that acted; zero for the machine itself.
    pub pid: u32,
    /// Thread that acted.
    pub tid: u32,
    /// What happened.
    pub what: What,
}

/// What a run has found at a path of the host; the later ones tell more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Found {
    /// A file with its type, permissions and size, or that there is none.
    Status,
    /// The bytes of a file, or the names in a directory.
    Content,
}

/// A state of a file of the host: as long as all of this is the same, so are its bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Stamp {
    /// Device that holds it.
    pub device: u64,
    /// Inode number on it.
    pub inode: u64,
    /// Type and permissions, as `st_mode`.
    pub mode: u32,
    /// Length in bytes.
    pub size: u64,
    /// When its bytes changed last, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// When anything of it changed last.
    pub changed_ns: i64,
}

/// What the host has just said of a path, so that nobody need ask again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Said {
    /// It was not asked just now.
    Nothing,
    /// There is no file.
    Absent,
    /// There is one, in this state.
    There(Stamp),
}

/// A standard stream of the workload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stream {
    /// Standard output.
    Stdout,
    /// Standard error.
    Stderr,
}

/// One thread in a report on a run that cannot go on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StuckThread {
    /// Index of its node.
    pub node: u16,
    /// Its process; zero for a node that has not started.
    pub pid: u32,
    /// Itself.
    pub tid: u32,
    /// The program it runs.
    pub program: String,
    /// The system call it is in.
    pub call: String,
    /// What it waits for.
    pub waits_for: String,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum What {
    /// A scheduling choice was made among several threads.
    Choice {
        /// Its number, from zero.
        number: u64,
        /// How many options there were.
        options: u32,
        /// The option taken.
        taken: u32,
    },
    /// A process or thread began.
    Start {
        /// The process that made it.
        parent: u32,
        /// Whether it shares its parent's process.
        thread: bool,
    },
    /// A process runs another program now.
    Exec {
        /// Path of the program. Not part of the fingerprint.
        path: String,
    },
    /// A process ended.
    Exit {
        /// Its wait status.
        status: u32,
    },
    /// A node's program ended by itself with a status that is not zero, and does not start again, while the run goes on.
    NodeEnded {
        /// Its wait status.
        status: u32,
    },
    /// A signal was sent.
    Signal {
        /// Its number.
        signal: u32,
        /// The process or thread it was sent to.
        target: u32,
    },
    /// The workload read from standard input.
    StandardInput {
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// The workload wrote to a standard stream.
    Output {
        /// Which.
        stream: Stream,
        /// The bytes.
        bytes: Vec<u8>,
    },
    /// A connection was made, or a datagram sent, or either refused.
    Message {
        /// What in words.
        text: String,
    },
    /// Something the simulation does not control or does not support; reported once each.
    Escape {
        /// The call or instruction.
        what: String,
        /// The program that did it.
        program: String,
        /// What it means for the run.
        effect: String,
    },
    /// A thread was found to wait in a loop without a system call; it counts as blocked there until another has run.
    Loop {
        /// File and offset. Not part of the fingerprint.
        place: String,
    },
    /// A fault was injected.
    Fault {
        /// Its name.
        fault: String,
        /// How often it has fired, this time included.
        count: u64,
        /// The call that it hit.
        call: String,
        /// The file or the kind of descriptor that the call is about. Not part of the fingerprint.
        subject: String,
        /// What it did.
        effect: String,
    },
    /// The run cannot go on: no thread can ever run again.
    Deadlock {
        /// Every thread and what it waits for.
        threads: Vec<StuckThread>,
    },
    /// The run depends on a file of the host. It is for the record and no part of this run's log.
    Input {
        /// Absolute path on the host.
        #[serde(with = "bytes")]
        path: Vec<u8>,
        /// What it has found there.
        found: Found,
        /// What the host said of it. Not for traces: it differs from machine to machine.
        said: Said,
    },
    /// The code of a file was searched. It helps later runs and is no part of this one's log.
    Searched {
        /// Which, and what was found.
        file: SearchedFile,
    },
    /// A system call ended. Not part of the fingerprint as text: its number and result are.
    Call {
        /// The call in the manner of strace, without the result.
        text: String,
        /// The result, negative for an error.
        result: i64,
        /// Why it failed, for an error.
        reason: String,
    },
}

/// Bytes as a whole, which serde takes one by one otherwise.
mod bytes {
    use alloc::vec::Vec;
    use serde::{Deserialize, Deserializer, Serializer};

    pub fn serialize<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
        to.serialize_bytes(bytes)
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
        <&[u8]>::deserialize(from).map(<[u8]>::to_vec)
    }
}

/// Room in which most events are encoded, in bytes.
const ENCODED_ROOM: usize = 160;

impl Event {
    /// The bytes that [`Event::decode`] reads.
    ///
    /// # Panics
    /// Never: every field can be encoded.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut encoded = Vec::with_capacity(ENCODED_ROOM);
        self.encode_to(&mut encoded);
        encoded
    }

    /// Appends the bytes that [`Event::decode`] reads.
    ///
    /// # Panics
    /// Never: every field can be encoded.
    pub fn encode_to(&self, encoded: &mut Vec<u8>) {
        let longer = postcard::to_extend(self, core::mem::take(encoded));
        *encoded = longer.expect("events can be encoded");
    }

    /// Reads what [`Event::encode`] wrote; `None` when the bytes are not that.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}
