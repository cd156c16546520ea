//! Fault files by name: those of the project, and those that come with simrun.

use std::{
    fs, io,
    path::{Path, PathBuf},
};

use simrun_abi::{faults as abi, node::Node};
use simrun_config::{Problem, spelling};

use super::{Asked, FaultFile, compile, netem, nodes};

/// Where a project keeps its own.
const PROJECT_FOLDER: &str = ".simrun/faults";
/// Between the names of faults that are injected together.
pub const TOGETHER: &str = "+";
/// How the names of fault files end.
const ENDING: &str = "yaml";
/// How the names of those in JSON end.
const NETEM_ENDING: &str = ".json";

/// Those that come with simrun.
const BUILT_IN: &[(&str, &str)] = &[
    ("asymmetric-partition", include_str!("../../faults/asymmetric-partition.yaml")),
    ("attrition", include_str!("../../faults/attrition.yaml")),
    ("bit-rot", include_str!("../../faults/bit-rot.yaml")),
    ("brownout", include_str!("../../faults/brownout.yaml")),
    ("bursty-loss", include_str!("../../faults/bursty-loss.yaml")),
    ("cascade", include_str!("../../faults/cascade.yaml")),
    ("clock-jumps", include_str!("../../faults/clock-jumps.yaml")),
    ("clock-skew", include_str!("../../faults/clock-skew.yaml")),
    ("corrupt", include_str!("../../faults/corrupt.yaml")),
    ("crash-loop", include_str!("../../faults/crash-loop.yaml")),
    ("crash-restart", include_str!("../../faults/crash-restart.yaml")),
    ("disk-errors", include_str!("../../faults/disk-errors.yaml")),
    ("disk-full", include_str!("../../faults/disk-full.yaml")),
    ("dns-failure", include_str!("../../faults/dns-failure.yaml")),
    ("eintr", include_str!("../../faults/eintr.yaml")),
    ("flaky-connections", include_str!("../../faults/flaky-connections.yaml")),
    ("flapping-partition", include_str!("../../faults/flapping-partition.yaml")),
    ("full-partition", include_str!("../../faults/full-partition.yaml")),
    ("half-open", include_str!("../../faults/half-open.yaml")),
    ("intermittent-loss", include_str!("../../faults/intermittent-loss.yaml")),
    ("late-timers", include_str!("../../faults/late-timers.yaml")),
    ("latency-jitter", include_str!("../../faults/latency-jitter.yaml")),
    ("leap-second", include_str!("../../faults/leap-second.yaml")),
    ("lost-writes", include_str!("../../faults/lost-writes.yaml")),
    ("mobile-3g", include_str!("../../faults/mobile-3g.yaml")),
    ("out-of-memory", include_str!("../../faults/out-of-memory.yaml")),
    ("packet-loss", include_str!("../../faults/packet-loss.yaml")),
    ("pauses", include_str!("../../faults/pauses.yaml")),
    ("power-loss", include_str!("../../faults/power-loss.yaml")),
    ("power-loss-strict", include_str!("../../faults/power-loss-strict.yaml")),
    ("priorities", include_str!("../../faults/priorities.yaml")),
    ("radioactive", include_str!("../../faults/radioactive.yaml")),
    ("rate-limit", include_str!("../../faults/rate-limit.yaml")),
    ("reorder", include_str!("../../faults/reorder.yaml")),
    ("rolling-restart", include_str!("../../faults/rolling-restart.yaml")),
    ("short-transfers", include_str!("../../faults/short-transfers.yaml")),
    ("slow-cpu", include_str!("../../faults/slow-cpu.yaml")),
    ("slow-disk", include_str!("../../faults/slow-disk.yaml")),
    ("slow-dns", include_str!("../../faults/slow-dns.yaml")),
    ("slow-network", include_str!("../../faults/slow-network.yaml")),
    ("split-brain", include_str!("../../faults/split-brain.yaml")),
    ("spurious-wakeups", include_str!("../../faults/spurious-wakeups.yaml")),
    ("starvation", include_str!("../../faults/starvation.yaml")),
    ("stormy", include_str!("../../faults/stormy.yaml")),
    ("sunny", include_str!("../../faults/sunny.yaml")),
    ("swarm", include_str!("../../faults/swarm.yaml")),
    ("time-zone", include_str!("../../faults/time-zone.yaml")),
    ("too-many-files", include_str!("../../faults/too-many-files.yaml")),
    ("torn-writes", include_str!("../../faults/torn-writes.yaml")),
];

/// Why there are no faults.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// No file has the name.
    #[error("there are no faults named `{name}`{hint}")]
    Unknown {
        /// The name.
        name: String,
        /// The nearest that is there, in words.
        hint: String,
    },
    /// A file cannot be read.
    #[error("{}: the faults cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// A file says what it cannot say.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// Two files have one name.
    #[error("two files of faults are named `{0}`: what they draw could not be told apart")]
    Twice(String),
}

/// A fault file, as it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// What messages call it: its path, or its name if it comes with simrun.
    pub shown: String,
    /// Its text.
    pub text: String,
}

impl Source {
    /// Reads what it says.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn read(&self) -> Result<(FaultFile, Vec<abi::Fault>), Problem> {
        if self.shown.ends_with(NETEM_ENDING) {
            return netem::read(&self.name, &self.shown, &self.text);
        }
        let file: FaultFile = simrun_config::parse(&self.shown, &self.text)?;
        let plan = compile(&self.name, &file).map_err(|wrong| wrong.of(&self.shown))?;
        Ok((file, plan))
    }
}

/// Whether a name is that of a file as such: it has a slash or ends like one.
pub fn is_path(name: &str) -> bool {
    ends_like_file(name) || name.contains('/')
}

/// Whether a name ends like that of a file.
pub fn ends_like_file(name: &str) -> bool {
    name.ends_with(&format!(".{ENDING}")) || name.ends_with(NETEM_ENDING)
}

/// An error with what is behind it, for a message that says more.
pub fn in_words(error: &impl std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}

/// What fault files together inject.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Injection {
    /// The faults.
    pub faults: Vec<abi::Fault>,
    /// How many seeds are to be run under them: the most that any file asks for.
    pub depth: Option<u64>,
}

/// Where fault files are looked for.
pub struct Catalog {
    /// The project's folder, if it has one.
    project: Option<PathBuf>,
}

impl Catalog {
    /// Of the project that a directory lies in: the nearest one above with a folder for faults.
    pub fn of(directory: &Path) -> Self {
        let mut folders = directory.ancestors().map(|above| above.join(PROJECT_FOLDER));
        Self { project: folders.find(|folder| folder.is_dir()) }
    }

    /// Without any project.
    pub fn built_in() -> Self {
        Self { project: None }
    }

    /// All names, sorted; the project's hide those that come with simrun.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<String> = BUILT_IN.iter().map(|(name, _)| (*name).into()).collect();
        let entries = self.project.as_ref().and_then(|folder| fs::read_dir(folder).ok());
        for path in entries.into_iter().flatten().flatten().map(|entry| entry.path()) {
            if path.extension().is_some_and(|ending| ending == ENDING) {
                names.extend(path.file_stem().map(|name| name.to_string_lossy().into_owned()));
            }
        }
        names.sort();
        names.dedup();
        names
    }

    /// The file of a name, or at a path: what has a slash or ends like a file is one.
    ///
    /// # Errors
    /// When there is none.
    pub fn find(&self, name: &str) -> Result<Source, Error> {
        if is_path(name) {
            return read_source(Path::new(name));
        }
        if let Some(folder) = &self.project {
            let path = folder.join(name).with_extension(ENDING);
            if path.exists() {
                return read_source(&path);
            }
        }
        match BUILT_IN.iter().find(|(known, _)| *known == name) {
            Some((_, text)) => {
                Ok(Source { name: name.into(), shown: name.into(), text: (*text).into() })
            }
            None => {
                let names = self.names();
                let hint = spelling::hint(name, names.iter().map(String::as_str));
                Err(Error::Unknown { name: name.into(), hint })
            }
        }
    }

    /// What several inject, in their order, into a run of these nodes.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn plan(&self, names: &[String], nodes: &[Node], asked: Asked) -> Result<Injection, Error> {
        let mut known = Vec::new();
        let mut injection = Injection::default();
        for name in names {
            let source = self.find(name)?;
            if known.contains(&source.name) {
                return Err(Error::Twice(source.name));
            }
            let (file, faults) = source.read()?;
            nodes::check(&file, nodes, asked).map_err(|wrong| wrong.of(&source.shown))?;
            injection.faults.extend(faults);
            injection.depth = injection.depth.max(file.depth.map(|depth| depth.value));
            known.push(source.name);
        }
        Ok(injection)
    }
}

fn read_source(path: &Path) -> Result<Source, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::Unreadable(path.into(), error))?;
    let name = path.file_stem().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Source { name, shown: path.display().to_string(), text })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_of_the_folder_is_built_in_and_right() {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("faults");
        let mut there: Vec<_> = fs::read_dir(folder)
            .expect("the folder")
            .map(|entry| entry.expect("an entry").path().file_stem().unwrap_or_default().to_owned())
            .collect();
        there.sort();
        assert_eq!(there, BUILT_IN.iter().map(|(name, _)| *name).collect::<Vec<_>>());
        let catalog = Catalog::built_in();
        for name in catalog.names() {
            let read = catalog.find(&name).expect("it is there").read();
            let (file, plan) = read.unwrap_or_else(|problem| panic!("{problem}"));
            assert!(!plan.is_empty() && !file.about.contains('\n'), "{name}");
        }
    }

    #[test]
    fn a_project_hides_what_comes_with_simrun() {
        let project = tempfile::tempdir().expect("a folder");
        let faults = project.path().join(PROJECT_FOLDER);
        let below = project.path().join("a/b");
        fs::create_dir_all(&faults).expect("a folder");
        fs::create_dir_all(&below).expect("a folder");
        for name in ["eintr", "mine"] {
            fs::write(faults.join(name).with_extension(ENDING), "about: x").expect("a file");
        }
        let catalog = Catalog::of(&below);
        assert_eq!(catalog.find("eintr").expect("it is there").text, "about: x");
        assert!(catalog.names().contains(&"mine".into()));
        assert!(catalog.find("disk-full").is_ok());
        let message = |name| catalog.find(name).map(|_| ()).unwrap_err().to_string();
        assert_eq!(message("mien"), "there are no faults named `mien`; did you mean `mine`?");
        assert_eq!(message("rain"), "there are no faults named `rain`");
        assert!(message("no/such").starts_with("no/such: the faults cannot be read"));
        let twice = catalog.plan(&["eintr".into(), "disk-full".into()], &[], Asked::Any);
        assert!(twice.unwrap_err().to_string().contains("eintr.yaml:1:1: `faults` is missing"));
    }
}
