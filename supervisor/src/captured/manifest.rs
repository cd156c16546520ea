//! What is kept of the files that a run wrote: a list, and the bytes of each file beside it.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use simrun_abi::capture::{Captured, CapturedKind, Change, Content};

use super::Record;
use crate::store::{Error, text::Text};

/// The list in a run's folder.
const LIST: &str = "files.json";
/// The folder for the bytes.
const FOLDER: &str = "files";

/// What a captured file is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A regular file.
    Regular,
    /// A directory.
    Directory,
    /// A symbolic link to this.
    Link(Text),
    /// A FIFO or socket.
    Special,
}

/// Where the bytes of a regular file are.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Bytes {
    /// In this file of the run's folder of files.
    Kept(usize),
    /// In the host's file at this path, which the run has not written to.
    Host(Text),
    /// Nowhere: all files together were larger than what is kept of a run.
    TooLarge,
}

/// A name that a run has made, changed or removed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Name of the node whose it is.
    #[serde(default)]
    pub node: String,
    /// Absolute path.
    pub path: Text,
    /// What became of it.
    pub change: Change,
    /// What it leads to; nothing if it was removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub file: Option<KeptFile>,
}

/// What is kept of a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeptFile {
    /// What it is.
    pub kind: Kind,
    /// Length in bytes, of a regular file.
    pub size: u64,
    /// Where the bytes are, of a regular file.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub bytes: Option<Bytes>,
    /// Where the host has it, if the run has moved it here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub moved_from: Option<Text>,
    /// Type and permissions, as `st_mode`.
    pub mode: u32,
    /// User that owns it.
    pub owner: u32,
    /// Group that owns it.
    pub group: u32,
    /// When it was last written to, in nanoseconds since 1970, simulated.
    pub modified_ns: i64,
}

/// All of them, in the order of nodes and their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Manifest {
    /// The entries.
    pub files: Vec<Entry>,
}

impl Manifest {
    /// Keeps what a run with these nodes did in the run's folder.
    ///
    /// # Errors
    /// When it cannot be read or written.
    pub fn keep<'a>(
        capture: &File,
        records: impl Iterator<Item = &'a Record>,
        nodes: &[&str],
        run: &Path,
    ) -> io::Result<()> {
        let mut manifest = Self::default();
        let folder = run.join(FOLDER);
        for (number, record) in records.enumerate() {
            if number == 0 {
                fs::create_dir(&folder)?;
            }
            if record.content.is_some() {
                record.copy(capture, &mut File::create_new(folder.join(number.to_string()))?)?;
            }
            manifest.files.push(Entry::of(number, nodes, &record.captured));
        }
        if manifest.files.is_empty() {
            return Ok(());
        }
        let mut text = serde_json::to_vec(&manifest)?;
        text.push(b'\n');
        fs::write(run.join(LIST), text)
    }

    /// What is kept in a run's folder.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn read(run: &Path) -> Result<Self, Error> {
        let path = run.join(LIST);
        match fs::read(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(error) => Err(Error::File(path, error)),
            Ok(text) => serde_json::from_slice(&text).map_err(|error| Error::Format(path, error)),
        }
    }
}

impl Bytes {
    /// The file of the host that holds them.
    pub fn place(&self, run: &Path) -> Option<PathBuf> {
        match self {
            Self::Kept(number) => Some(run.join(FOLDER).join(number.to_string())),
            Self::Host(path) => Some(path.as_os_str().into()),
            Self::TooLarge => None,
        }
    }
}

impl Entry {
    fn of(number: usize, nodes: &[&str], captured: &Captured) -> Self {
        let node = nodes.get(usize::from(captured.node)).copied().unwrap_or_default().to_owned();
        let path = Text(captured.path.clone());
        let file = captured.file.as_ref().map(|file| {
            let (kind, size, bytes) = match &file.kind {
                CapturedKind::Directory => (Kind::Directory, 0, None),
                CapturedKind::Link { target } => (Kind::Link(Text(target.clone())), 0, None),
                CapturedKind::Special => (Kind::Special, 0, None),
                CapturedKind::Regular { size, content } => {
                    let host = || file.moved_from.as_ref().unwrap_or(&captured.path).clone();
                    let bytes = match content {
                        Content::Kept => Bytes::Kept(number),
                        Content::OfHost => Bytes::Host(Text(host())),
                        Content::Left => Bytes::TooLarge,
                    };
                    // There is no file for no bytes.
                    let is_there = *size > 0 || !matches!(bytes, Bytes::Kept(_));
                    (Kind::Regular, *size, is_there.then_some(bytes))
                }
            };
            KeptFile {
                kind,
                size,
                bytes,
                moved_from: file.moved_from.clone().map(Text),
                mode: file.mode,
                owner: file.owner,
                group: file.group,
                modified_ns: file.modified_ns,
            }
        });
        Self { node, path, change: captured.change, file }
    }
}
