//! What a run has found in the host's files, each with its digest: `inputs.json`.

use std::{collections::BTreeMap, fmt, fs, io, os::unix::fs::MetadataExt, path::Path};

use serde::{Deserialize, Serialize};
use simrun_abi::event::{Found, Said, Stamp};

use super::{
    digest::{self, Digests},
    gathering::Finding,
    text::Text,
};

/// A file that a run depends on.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its absolute path.
    pub path: Text,
    /// What the run has found there.
    #[serde(default = "content", skip_serializing_if = "is_content")]
    pub found: Found,
    /// The digest of that soon after; of a status the words for it. Nothing if there was no such file, or it could not be
    /// read.
    pub digest: Option<String>,
    /// Of what was read, the words for its status, which say who may read it, and how long it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

fn content() -> Found {
    Found::Content
}

fn is_content(found: &Found) -> bool {
    *found == Found::Content
}

impl Input {
    /// What is to be kept of a finding.
    pub fn of(digests: &mut Digests, Finding { path, found, said }: Finding) -> Self {
        let place = Path::new(path.as_os_str());
        let stamp = match (said, found) {
            (Said::There(stamp), _) => Some(stamp),
            (Said::Absent, _) => None,
            (Said::Nothing, Found::Content) => fs::metadata(place).ok().as_ref().map(digest::stamp),
            (Said::Nothing, Found::Status) => {
                fs::symlink_metadata(place).ok().as_ref().map(digest::stamp)
            }
        };
        let status = stamp.and_then(|stamp| status(place, &stamp).ok());
        let (digest, status) = match found {
            Found::Content => (stamp.and_then(|stamp| digests.of(place, &stamp).ok()), status),
            Found::Status => (status, None),
        };
        Self { found, digest, status, path }
    }
}

/// What a run sees of a file in this state without reading it.
fn status(path: &Path, stamp: &Stamp) -> io::Result<String> {
    let mode = stamp.mode & 0o7777;
    Ok(match stamp.mode & libc::S_IFMT {
        libc::S_IFREG => format!("file {mode:04o} {}", stamp.size),
        libc::S_IFDIR => format!("directory {mode:04o}"),
        libc::S_IFLNK => format!("link to {}", fs::read_link(path)?.display()),
        libc::S_IFIFO => format!("fifo {mode:04o}"),
        libc::S_IFSOCK => format!("socket {mode:04o}"),
        _ => {
            let device = fs::symlink_metadata(path)?.rdev();
            format!("device {mode:04o} {device:#x}")
        }
    })
}

/// All of them, in the order of their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The files.
    pub files: Vec<Input>,
}

/// What became of an input since a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Change {
    /// The file.
    pub path: Text,
    /// What became of it.
    pub what: ChangeKind,
}

/// What became of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum ChangeKind {
    /// Its content is another.
    Changed,
    /// It cannot be read any more.
    Gone,
    /// It is there, and was not.
    New,
    /// Its content is the same, and its mode is not.
    Mode,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.what {
            ChangeKind::Changed => "has changed",
            ChangeKind::Gone => "is gone",
            ChangeKind::New => "is new",
            ChangeKind::Mode => "has another mode",
        };
        write!(f, "{} {words}", self.path)
    }
}

impl Inputs {
    /// What has changed since.
    pub fn changes(&self) -> Vec<Change> {
        let mut digests = Digests::open();
        let of = |input: &Input| {
            let path = input.path.clone();
            Input::of(&mut digests, Finding { path, found: input.found, said: Said::Nothing })
        };
        self.changes_to(&Self { files: self.files.iter().map(of).collect() })
    }

    /// What differs in `other` of the files in which both have found the same kind of thing.
    pub fn changes_to(&self, other: &Self) -> Vec<Change> {
        let others: BTreeMap<&Text, &Input> =
            other.files.iter().map(|input| (&input.path, input)).collect();
        let change = |input: &Input| {
            let now = others.get(&input.path).filter(|now| now.found == input.found)?;
            let what = match (&input.digest, &now.digest) {
                // Kept before it was noted.
                (before, after) if before == after && input.status.is_none() => return None,
                (before, after) if before == after && input.status == now.status => return None,
                (before, after) if before == after => ChangeKind::Mode,
                (Some(_), Some(_)) => ChangeKind::Changed,
                (Some(_), None) => ChangeKind::Gone,
                (None, _) => ChangeKind::New,
            };
            Some(Change { path: input.path.clone(), what })
        };
        self.files.iter().filter_map(change).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes_are_told_by_content() {
        let inputs = |list: &[(&str, Option<&str>)]| Inputs {
            files: list
                .iter()
                .map(|(path, digest)| Input {
                    path: Text::from(path.as_bytes()),
                    found: Found::Content,
                    digest: digest.map(str::to_owned),
                    status: None,
                })
                .collect(),
        };
        let before = inputs(&[
            ("a", Some("1")),
            ("b", Some("1")),
            ("c", Some("1")),
            ("d", None),
            ("e", None),
        ]);
        let now = inputs(&[
            ("a", Some("1")),
            ("b", Some("2")),
            ("c", None),
            ("d", Some("3")),
            ("f", None),
        ]);
        let told: Vec<_> = before.changes_to(&now).iter().map(Change::to_string).collect();
        assert_eq!(told, ["b has changed", "c is gone", "d is new"]);
        assert_eq!(before.changes_to(&before), []);
    }
}
