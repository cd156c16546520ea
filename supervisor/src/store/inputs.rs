//! The files that a run has read, each with its digest: `inputs.json`.

use std::{collections::BTreeSet, fmt, path::Path};

use serde::{Deserialize, Serialize};

use super::{digest::Digests, text::Text};

/// A file that a run read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// Its absolute path.
    pub path: Text,
    /// Its digest at the end of the run; nothing if it could not be read then.
    pub digest: Option<String>,
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
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.what {
            ChangeKind::Changed => "has changed",
            ChangeKind::Gone => "is gone",
            ChangeKind::New => "is new",
        };
        write!(f, "{} {words}", self.path)
    }
}

impl Inputs {
    /// The present state of these files.
    pub fn of(paths: &BTreeSet<Text>) -> Self {
        let mut digests = Digests::load();
        let files = paths.iter().map(|path| Input {
            path: path.clone(),
            digest: digests.of(Path::new(path.as_os_str())).ok(),
        });
        let inputs = Self { files: files.collect() };
        digests.save();
        inputs
    }

    /// The digest of this file.
    pub fn digest(&self, path: &Text) -> Option<&String> {
        self.files.iter().find(|input| input.path == *path)?.digest.as_ref()
    }

    /// What has changed since.
    pub fn changes(&self) -> Vec<Change> {
        let now = Self::of(&self.files.iter().map(|input| input.path.clone()).collect());
        self.changes_to(&now)
    }

    /// What differs in `other` of the files that both have read.
    pub fn changes_to(&self, other: &Self) -> Vec<Change> {
        let change = |input: &Input| {
            let path = input.path.clone();
            let now = other.files.iter().find(|other| other.path == path)?;
            let what = match (&input.digest, &now.digest) {
                (before, now) if before == now => return None,
                (Some(_), Some(_)) => ChangeKind::Changed,
                (Some(_), None) => ChangeKind::Gone,
                (None, _) => ChangeKind::New,
            };
            Some(Change { path, what })
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
                    digest: digest.map(str::to_owned),
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
