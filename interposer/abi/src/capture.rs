//! What a run has done to its files, as the kernel tells it at the end of the run.
//!
//! The memory file at [`crate::layout::fds::CAPTURE`] holds one record after the other: the length of an encoded
//! [`Captured`] in four bytes, little-endian, the encoded bytes, and then as many bytes of content as it says.

use alloc::vec::Vec;
use serde::{Deserialize, Serialize};

/// The directory of each node in which programs leave artifacts: what is for people to look at.
pub const ARTIFACTS: &[u8] = b"/run/simrun/artifacts";

/// What is kept of the files that a run wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Capture {
    /// Most bytes of content that are kept in all, artifacts left out.
    pub limit: u64,
    /// Most bytes of artifacts that are kept in all.
    #[serde(default = "artifacts_limit")]
    pub artifacts_limit: u64,
    /// Absolute paths below which content is kept whatever its size.
    pub always: Vec<Vec<u8>>,
}

/// Most bytes of artifacts that are kept, unless somebody says otherwise.
#[must_use]
pub fn artifacts_limit() -> u64 {
    64 << 20
}

/// What a file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum CapturedKind {
    /// A regular file.
    Regular {
        /// Its length in bytes.
        size: u64,
        /// Where its bytes are.
        content: Content,
    },
    /// A directory.
    Directory,
    /// A symbolic link to this.
    Link {
        /// The target.
        target: Vec<u8>,
    },
    /// A FIFO or socket.
    Special,
}

/// Where the bytes of a captured file are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Content {
    /// Behind the record.
    Kept,
    /// In the host's file, which the run has not written to.
    OfHost,
    /// Nowhere any more: there was no room for them.
    Left,
}

/// What a run did to a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Change {
    /// It led nowhere before.
    Made,
    /// It leads to something else, or to other bytes.
    Changed,
    /// Only mode, owner or times of what it leads to are others.
    Attributes,
    /// It leads nowhere now.
    Removed,
}

/// A name whose file a run has made, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Captured {
    /// Index of the node whose file it is.
    pub node: u16,
    /// Absolute path.
    pub path: Vec<u8>,
    /// What became of it.
    pub change: Change,
    /// What it leads to; `None` if it was removed.
    pub file: Option<CapturedFile>,
}

/// A captured file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CapturedFile {
    /// What it is.
    pub kind: CapturedKind,
    /// Where the host has it, if the run has moved it here.
    pub moved_from: Option<Vec<u8>>,
    /// Type and permissions, as `st_mode`.
    pub mode: u32,
    /// User that owns it.
    pub owner: u32,
    /// Group that owns it.
    pub group: u32,
    /// When it was last written to, in nanoseconds since 1970, simulated.
    pub modified_ns: i64,
}

impl Captured {
    /// Bytes of content that come behind the record.
    #[must_use]
    pub fn content_len(&self) -> u64 {
        match self.file.as_ref().map(|file| &file.kind) {
            Some(CapturedKind::Regular { size, content: Content::Kept }) => *size,
            _ => 0,
        }
    }

    /// The bytes of the record, its length in front.
    ///
    /// # Panics
    /// Never: every field can be encoded.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let record = postcard::to_allocvec(self).expect("records can be encoded");
        let mut bytes = (record.len() as u32).to_le_bytes().to_vec();
        bytes.extend(record);
        bytes
    }

    /// Reads a record without its length; `None` when the bytes are not that.
    #[must_use]
    pub fn decode(bytes: &[u8]) -> Option<Self> {
        postcard::from_bytes(bytes).ok()
    }
}
