//! What a run has found in the host's files, each with its digest: `inputs.json`.

use std::{collections::BTreeMap, fmt, fs, io, os::unix::fs::MetadataExt, path::Path};

use serde::{Deserialize, Serialize};
use simrun_abi::{
    boot::FileTimes,
    event::{Found, Said, Stamp},
};

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
    /// Of a file with bytes, what the run has seen besides if it saw the host's times.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub shown: Option<Shown>,
}

/// What makes no difference to a run but to one that sees the host's times.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Shown {
    /// Its number.
    pub inode: u64,
    /// When it was last written, in nanoseconds since 1970.
    pub modified_ns: i64,
    /// When anything about it was last changed, in nanoseconds since 1970.
    pub changed_ns: i64,
}

impl Shown {
    fn of(stamp: &Stamp) -> Option<Self> {
        let Stamp { inode, modified_ns, changed_ns, .. } = *stamp;
        let is_regular = stamp.mode & libc::S_IFMT == libc::S_IFREG;
        is_regular.then_some(Self { inode, modified_ns, changed_ns })
    }
}

fn content() -> Found {
    Found::Content
}

fn is_content(found: &Found) -> bool {
    *found == Found::Content
}

impl Input {
    /// What is to be kept of a finding in a run that sees these times.
    pub fn of(digests: &mut Digests, finding: Finding, times: FileTimes) -> Self {
        let Finding { path, found, said } = finding;
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
        let shown = match times {
            FileTimes::Host => stamp.as_ref().and_then(Shown::of),
            FileTimes::Fixed => None,
        };
        Self { found, digest, status, shown, path }
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
    /// All is the same but its times or its number, which the run has seen.
    Times,
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words = match self.what {
            ChangeKind::Changed => "has changed",
            ChangeKind::Gone => "is gone",
            ChangeKind::New => "is new",
            ChangeKind::Mode => "has another mode",
            ChangeKind::Times => "has other times",
        };
        write!(f, "{} {words}", self.path)
    }
}

impl Inputs {
    /// What has changed since.
    pub fn changes(&self) -> Vec<Change> {
        let mut digests = Digests::open();
        let of = |input: &Input| {
            let (path, found, said) = (input.path.clone(), input.found, Said::Nothing);
            let times = if input.shown.is_some() { FileTimes::Host } else { FileTimes::Fixed };
            Input::of(&mut digests, Finding { path, found, said }, times)
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
                (before, after) if before == after => {
                    // Not all was noted in all versions, or is of all runs.
                    let is_same_status = input.status.is_none() || input.status == now.status;
                    let was_shown = input.shown.zip(now.shown);
                    match was_shown.is_none_or(|(before, after)| before == after) {
                        _ if !is_same_status => ChangeKind::Mode,
                        false => ChangeKind::Times,
                        true => return None,
                    }
                }
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
                    shown: None,
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

    #[test]
    fn times_are_inputs_of_a_run_that_saw_them() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("file");
        fs::write(&file, "a").expect("a file");
        let look = |path: &Path, times| {
            let path = Text::from(path.as_os_str().as_encoded_bytes());
            let finding = Finding { path, found: Found::Content, said: Said::Nothing };
            Input::of(&mut Digests::open(), finding, times)
        };
        let inputs = |times| Inputs { files: vec![look(&file, times), look(folder.path(), times)] };
        let (fixed, host) = (inputs(FileTimes::Fixed), inputs(FileTimes::Host));
        assert_eq!(host.changes(), []);
        let written = fs::File::options().write(true).open(&file).expect("a file");
        written.set_modified(std::time::UNIX_EPOCH).expect("own file");
        assert_eq!(fixed.changes(), []);
        let told: Vec<_> = host.changes().iter().map(Change::to_string).collect();
        assert_eq!(told, [format!("{} has other times", file.display())]);
        fs::write(folder.path().join("other"), "").expect("a file");
        fs::remove_file(folder.path().join("other")).expect("own file");
        assert_eq!(host.changes().len(), 1, "a directory's change with all that comes and goes");
    }
}
