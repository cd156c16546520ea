//! Where runs are kept, and the folders in there.

use std::{
    env,
    fs::{self, DirBuilder, File},
    io::{self, Write},
    os::unix::{ffi::OsStringExt, fs::DirBuilderExt},
    path::{Path, PathBuf},
};

use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};

/// Folder of a project in which simrun keeps things.
pub const FOLDER: &str = ".simrun";
/// Folder in it for runs.
const STORE: &str = "store";
/// Names the store, where the command line does not. Empty, nothing is kept.
pub const VARIABLE: &str = "SIMRUN_STORE";
/// Folder of the store that holds one for each run.
const RUNS: &str = "runs";
/// Folder of the store that holds one for each simulation.
const SIMULATIONS: &str = "simulations";
/// Runs hold environments, and so perhaps what others must not read.
const FOLDER_MODE: u32 = 0o700;

/// A place for runs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    folder: PathBuf,
}

impl Place {
    /// The place that was asked for; else that of the environment; else that of the nearest folder from the working
    /// directory up that has one; else the working directory's. `None` if the environment says that there is none.
    ///
    /// # Errors
    /// When the working directory is gone.
    pub fn find(asked: Option<&Path>) -> io::Result<Option<Self>> {
        if let Some(asked) = asked {
            return Self::at(asked).map(Some);
        }
        if let Some(asked) = env::var_os(VARIABLE) {
            return if asked.is_empty() { Ok(None) } else { Self::at(Path::new(&asked)).map(Some) };
        }
        Self::of_project().map(Some)
    }

    /// The place of the nearest folder from the working directory up that has one; else the working directory's.
    fn of_project() -> io::Result<Self> {
        let here = env::current_dir()?;
        // The root directory is nobody's project, unless somebody works there.
        let has_one = |folder: &&Path| folder.parent().is_some() && folder.join(FOLDER).is_dir();
        let nearest = here.ancestors().find(has_one);
        Ok(Self { folder: nearest.unwrap_or(&here).join(FOLDER).join(STORE) })
    }

    /// The place with this path.
    ///
    /// # Errors
    /// When the working directory is gone.
    pub fn at(path: &Path) -> io::Result<Self> {
        Ok(Self { folder: std::path::absolute(path)? })
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.folder
    }

    /// The folder of runs.
    pub fn runs(&self) -> PathBuf {
        self.folder.join(RUNS)
    }

    /// The folder of simulations.
    pub fn simulations(&self) -> PathBuf {
        self.folder.join(SIMULATIONS)
    }

    /// Makes the folders that are not there.
    ///
    /// # Errors
    /// When the host does not allow it.
    pub fn create(&self) -> io::Result<()> {
        fs::create_dir_all(&self.folder)?;
        for folder in [self.runs(), self.simulations()] {
            DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(folder)?;
        }
        // What is kept of runs belongs to no repository.
        match File::create_new(self.folder.join(".gitignore")) {
            Ok(mut file) => file.write_all(b"*\n"),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// The path that no program of a run may find: another run would find other things there. A folder that would hold
    /// nothing without the store is that path.
    pub fn hidden(&self) -> Vec<u8> {
        let folder = self.folder.canonicalize().unwrap_or_else(|_| self.folder.clone());
        let parent = folder.parent().filter(|parent| parent.ends_with(FOLDER));
        let is_alone = |parent: &&Path| match fs::read_dir(parent) {
            Ok(entries) => entries
                .flatten()
                .all(|entry| Some(entry.file_name().as_os_str()) == folder.file_name()),
            // It will be made with the store.
            Err(error) => error.kind() == io::ErrorKind::NotFound,
        };
        let hidden = parent.filter(is_alone).map_or(folder.clone(), Path::to_path_buf);
        hidden.into_os_string().into_vec()
    }

    /// What is hidden from every run that is started here, kept or not, wherever it is kept: the project's place, and that
    /// of the environment.
    ///
    /// # Errors
    /// When the working directory is gone.
    pub fn hidden_here() -> io::Result<Vec<Vec<u8>>> {
        let mut hidden = vec![Self::of_project()?.hidden()];
        if let Some(named) = Self::find(None)? {
            named.hide_in(&mut hidden);
        }
        Ok(hidden)
    }

    /// Adds what is [hidden](Self::hidden) of this place.
    pub fn hide_in(&self, hidden: &mut Vec<Vec<u8>>) {
        let own = self.hidden();
        if !hidden.contains(&own) {
            hidden.push(own);
        }
    }
}

/// Puts a file in its place as a whole: whoever reads it finds the old one or the new one. It is not synchronized with
/// the disk: that would take longer than many a run, and only a power cut can tell. So the two files change places, and
/// the old one is removed then: a rename over it makes ext4 write the new one out at once (`auto_da_alloc`).
///
/// # Errors
/// When the host does not allow it.
pub fn replace_file(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut new = path.as_os_str().to_owned();
    new.push(".new");
    fs::write(&new, bytes)?;
    let new = Path::new(&new);
    // Not there yet, or the file system cannot.
    match renameat2(AT_FDCWD, new, AT_FDCWD, path, RenameFlags::RENAME_EXCHANGE) {
        Ok(()) => fs::remove_file(new),
        Err(_) => fs::rename(new, path),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_folder_with_nothing_but_the_store_is_hidden_with_it() {
        let folder = tempfile::tempdir().expect("a folder");
        let root = folder.path().canonicalize().expect("a path");
        let place = Place::at(&root.join(FOLDER).join(STORE)).expect("a place");
        let before = place.hidden();
        place.create().expect("folders");
        let hidden = |path: PathBuf| path.into_os_string().into_vec();
        assert_eq!(place.hidden(), hidden(root.join(FOLDER)));
        assert_eq!(place.hidden(), before, "the first run hides what later ones do");
        fs::write(root.join(FOLDER).join("faults.yaml"), "").expect("a file");
        assert_eq!(place.hidden(), hidden(root.join(FOLDER).join(STORE)));
        let elsewhere = Place::at(&root.join("runs")).expect("a place");
        assert_eq!(elsewhere.hidden(), hidden(root.join("runs")));
    }
}
