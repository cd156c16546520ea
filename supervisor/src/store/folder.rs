//! Reads the folder of a run.

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
};

use nix::fcntl::{Flock, FlockArg};

use super::{
    ARTIFACTS, EVENTS, Error, INPUTS, LOCK, RECORD, STANDARD_INPUT,
    id::Id,
    inputs::Inputs,
    place::Place,
    record::{Record, State},
};

/// The folder of a run.
#[derive(Clone, Debug)]
pub struct RunFolder {
    path: PathBuf,
}

/// An artifact of a run.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Artifact {
    /// Its path below the folder of artifacts.
    pub name: String,
    /// Its length in bytes.
    pub size: u64,
}

impl RunFolder {
    /// Of the run with this name.
    pub fn of(place: &Place, id: &Id) -> Self {
        Self { path: place.runs().join(id.as_str()) }
    }

    /// The one with this path.
    pub fn at(path: &Path) -> Self {
        Self { path: path.to_path_buf() }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is written down of the run, its state as it is now.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn record(&self) -> Result<Record, Error> {
        let mut record = self.read_record()?;
        if !record.state.is_final() && !self.is_alive() {
            // It may have ended between the two looks.
            record = self.read_record()?;
            if !record.state.is_final() {
                record.state = State::Interrupted;
            }
        }
        Ok(record)
    }

    fn read_record(&self) -> Result<Record, Error> {
        read_json(&self.path.join(RECORD))
    }

    /// Whether a process still writes here: it holds the lock.
    fn is_alive(&self) -> bool {
        File::open(self.path.join(LOCK))
            .is_ok_and(|file| Flock::lock(file, FlockArg::LockSharedNonblock).is_err())
    }

    /// The files that the run has read; none are known before it has ended.
    ///
    /// # Errors
    /// When they cannot be told.
    pub fn inputs(&self) -> Result<Inputs, Error> {
        match read_json(&self.path.join(INPUTS)) {
            Err(Error::File(_, error)) if error.kind() == io::ErrorKind::NotFound => {
                Ok(Inputs::default())
            }
            other => other,
        }
    }

    /// Its events, if they were kept.
    pub fn events(&self) -> Option<PathBuf> {
        Some(self.path.join(EVENTS)).filter(|path| path.exists())
    }

    /// Where events may be written that are not complete yet.
    pub fn new_events(&self) -> PathBuf {
        self.path.join(format!("{EVENTS}.new"))
    }

    /// Makes this file the run's events.
    ///
    /// # Errors
    /// When the host does not allow it.
    pub fn take_events(&self, path: &Path) -> io::Result<()> {
        fs::rename(path, self.path.join(EVENTS))
    }

    /// The file that says what the run is and how it ended.
    pub fn record_file(&self) -> PathBuf {
        self.path.join(RECORD)
    }

    /// What it has read from standard input, if anything.
    ///
    /// # Errors
    /// When it cannot be opened.
    pub fn standard_input(&self) -> Result<Option<File>, Error> {
        let path = self.path.join(STANDARD_INPUT);
        match File::open(&path) {
            Ok(file) => Ok(Some(file)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(Error::File(path, error)),
        }
    }

    /// The folder of artifacts.
    pub fn artifact_folder(&self) -> PathBuf {
        self.path.join(ARTIFACTS)
    }

    /// Its artifacts, by name.
    ///
    /// # Errors
    /// When they cannot be listed.
    pub fn artifacts(&self) -> Result<Vec<Artifact>, Error> {
        let root = self.artifact_folder();
        let mut found = Vec::new();
        let mut folders = vec![root.clone()];
        while let Some(folder) = folders.pop() {
            let entries = match fs::read_dir(&folder) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                entries => entries.map_err(|error| Error::File(folder.clone(), error))?,
            };
            for entry in entries.flatten() {
                let path = entry.path();
                if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
                    folders.push(path);
                } else if let Ok(file) = fs::metadata(&path)
                    && file.is_file()
                {
                    // Of a link, what it leads to. What is no file cannot be shown; what is gone need not be.
                    let name = path.strip_prefix(&root).unwrap_or(&path);
                    let name = name.to_string_lossy().into_owned();
                    found.push(Artifact { name, size: file.len() });
                }
            }
        }
        found.sort_by(|a, b| a.name.cmp(&b.name));
        Ok(found)
    }

    /// Bytes that the folder takes.
    pub fn size(&self) -> u64 {
        fn size(folder: &Path) -> u64 {
            let entries = fs::read_dir(folder).into_iter().flatten().flatten();
            let sizes = entries.map(|entry| match entry.metadata() {
                Ok(metadata) if metadata.is_dir() => size(&entry.path()),
                Ok(metadata) => metadata.len(),
                Err(_) => 0,
            });
            sizes.sum()
        }
        size(&self.path)
    }
}

/// Reads a file of JSON.
///
/// # Errors
/// When it cannot be read or is none.
pub fn read_json<T: serde::de::DeserializeOwned>(path: &Path) -> Result<T, Error> {
    let bytes = fs::read(path).map_err(|error| Error::File(path.to_path_buf(), error))?;
    serde_json::from_slice(&bytes).map_err(|error| Error::Format(path.to_path_buf(), error))
}

/// The names of all runs, sorted.
///
/// # Errors
/// When the folder cannot be read.
pub fn names(folder: &Path) -> Result<Vec<Id>, Error> {
    let fail = |error| Error::File(folder.to_path_buf(), error);
    let entries = match fs::read_dir(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
        entries => entries.map_err(fail)?,
    };
    let mut names: Vec<Id> =
        entries.filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok()).collect();
    names.sort();
    Ok(names)
}
