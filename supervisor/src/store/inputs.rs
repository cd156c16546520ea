//! What a run has found in the host's files, each with its digest: `inputs.json`.

use std::{
    cell::OnceCell,
    collections::BTreeMap,
    fmt, fs, io,
    os::unix::fs::{FileTypeExt, MetadataExt},
    path::Path,
    sync::mpsc::{Receiver, Sender, channel},
    thread::{Builder, JoinHandle},
};

use serde::{Deserialize, Serialize};
use simrun_abi::event::Found;

use super::{digest::Digests, text::Text};

/// Most files that are taken for inputs.
const INPUTS_MAX: usize = 100_000;
/// So many inputs are worth a thread that takes their digests while the run goes on.
const BATCH: usize = 128;

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
    fn of(digests: &Digests, path: Text, found: Found) -> Self {
        let place = Path::new(path.as_os_str());
        let (digest, status) = match found {
            Found::Content => match fs::metadata(place) {
                Ok(file) => (digests.of(place, &file).ok(), status(place, &file).ok()),
                Err(_) => (None, None),
            },
            Found::Status => {
                let file = fs::symlink_metadata(place);
                (file.and_then(|file| status(place, &file)).ok(), None)
            }
        };
        Self { found, digest, status, path }
    }
}

/// What a run sees of a file without reading it.
fn status(path: &Path, file: &fs::Metadata) -> io::Result<String> {
    let (kind, mode) = (file.file_type(), file.mode() & 0o7777);
    Ok(match () {
        () if kind.is_file() => format!("file {mode:04o} {}", file.size()),
        () if kind.is_dir() => format!("directory {mode:04o}"),
        () if kind.is_symlink() => format!("link to {}", fs::read_link(path)?.display()),
        () if kind.is_fifo() => format!("fifo {mode:04o}"),
        () if kind.is_socket() => format!("socket {mode:04o}"),
        () => format!("device {mode:04o} {:#x}", file.rdev()),
    })
}

/// All of them, in the order of their paths.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    /// The files.
    pub files: Vec<Input>,
}

/// The inputs of a run that goes on. If there are many, their digests are taken meanwhile, on another thread.
#[derive(Debug, Default)]
pub struct Gathering {
    all: BTreeMap<Text, Found>,
    /// Those whose digests nobody takes yet.
    left: Vec<(Text, Found)>,
    helper: Option<Helper>,
}

type Batch = Vec<(Text, Found)>;

#[derive(Debug)]
struct Helper {
    ask: Sender<Batch>,
    thread: JoinHandle<Vec<Input>>,
}

impl Helper {
    fn start() -> Option<Self> {
        let (ask, asked) = channel();
        let work = move || {
            let asked: Receiver<Batch> = asked;
            let digests = Digests::open();
            let of = |(path, found)| Input::of(&digests, path, found);
            asked.into_iter().flatten().map(of).collect()
        };
        let thread = Builder::new().name("digests".into()).spawn(work).ok()?;
        Some(Self { ask, thread })
    }
}

impl Gathering {
    /// The run has found something.
    pub fn add(&mut self, path: Text, found: Found) {
        match self.all.get(&path) {
            // Whoever knows the content knows the file.
            Some(known) if *known >= found => return,
            None if self.all.len() >= INPUTS_MAX => return,
            _ => {}
        }
        self.all.insert(path.clone(), found);
        self.left.push((path, found));
    }

    /// The run goes on, and may take a while.
    pub fn get_ahead(&mut self) {
        if self.left.len() < BATCH {
            return;
        }
        if self.helper.is_none() {
            self.helper = Helper::start();
        }
        if let Some(helper) = &self.helper {
            // It ends with what it has not been asked for left to the end.
            if let Err(unsent) = helper.ask.send(std::mem::take(&mut self.left)) {
                self.left = unsent.0;
            }
        }
    }

    /// The digests of all.
    pub fn finish(self) -> Inputs {
        // Opened by the first that needs it.
        let digests = OnceCell::new();
        let of = |(path, found)| Input::of(digests.get_or_init(Digests::open), path, found);
        let rest: Vec<_> = self.left.into_iter().map(of).collect();
        let ahead = self.helper.and_then(|Helper { ask, thread }| {
            drop(ask);
            thread.join().ok()
        });
        let mut files: Vec<_> = ahead.into_iter().flatten().chain(rest).collect();
        // Of one that was found in two ways only the digest of the last way counts.
        files.sort_by(|a, b| (&a.path, b.found).cmp(&(&b.path, a.found)));
        files.dedup_by(|next, first| next.path == first.path);
        Inputs { files }
    }
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
    /// The digest of this file.
    pub fn digest(&self, path: &Text) -> Option<&String> {
        let place = self.files.binary_search_by(|input| input.path.cmp(path)).ok()?;
        self.files[place].digest.as_ref()
    }

    /// What has changed since.
    pub fn changes(&self) -> Vec<Change> {
        let digests = Digests::open();
        let of = |input: &Input| Input::of(&digests, input.path.clone(), input.found);
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

    #[test]
    fn many_inputs_are_the_same_as_few() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = |number: usize| folder.path().join(number.to_string());
        for number in 0..3 * BATCH {
            fs::write(path(number), number.to_string()).expect("a file");
        }
        let gather = |ahead: bool| {
            let mut gathering = Gathering::default();
            for number in 0..=3 * BATCH {
                let path = Text::from(path(number).as_os_str().as_encoded_bytes());
                gathering.add(path.clone(), Found::Status);
                if number % 2 == 0 {
                    gathering.add(path, Found::Content);
                }
                if ahead {
                    gathering.get_ahead();
                }
            }
            assert_eq!(gathering.helper.is_some(), ahead);
            gathering.finish()
        };
        let inputs = gather(true);
        assert_eq!(inputs, gather(false));
        assert_eq!(inputs.files.len(), 3 * BATCH + 1);
        let of = |number: usize| {
            let path = Text::from(path(number).as_os_str().as_encoded_bytes());
            inputs.digest(&path).cloned()
        };
        assert_eq!(of(12).map(|digest| digest.len()), Some(32));
        assert_eq!(of(13).as_deref(), Some("file 0644 2"));
        assert_eq!(of(3 * BATCH), None, "there is none");
        fs::write(path(13), "other").expect("a file");
        let told: Vec<_> = inputs.changes().iter().map(Change::to_string).collect();
        assert_eq!(told, [format!("{} has changed", path(13).display())]);
    }
}
