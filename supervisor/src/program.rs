//! A program's environment, and where it is found.

use std::{
    env,
    ffi::{OsStr, OsString},
    os::unix::{ffi::OsStrExt, fs::PermissionsExt},
    path::{Path, PathBuf},
};

use simrun_abi::capture;

use crate::{plan::Error, store};

/// Names under which a program finds the seed.
pub const SEED_VARIABLES: [&str; 3] = ["WENV_SEED", "FORMAL_SEED", "SIMRUN_SEED"];

/// The command's environment: simrun's own, the seed, and what was asked for, later ones instead of earlier ones.
#[derive(Clone)]
pub struct Environment(Vec<(OsString, OsString)>);

impl Environment {
    /// The seed, and nothing else.
    pub fn of_seed(seed: u64) -> Self {
        Self(SEED_VARIABLES.map(|name| (name.into(), seed.to_string().into())).into())
    }

    /// For a seed, with these variables.
    pub fn new(seed: u64, asked: &[(String, String)]) -> Self {
        let mut environment = Self(env::vars_os().collect());
        // Where runs are kept is no concern of theirs.
        environment.0.retain(|(name, _)| name != store::VARIABLE);
        for (name, value) in Self::of_seed(seed).0 {
            environment.0.retain(|(known, _)| *known != name);
            environment.0.push((name, value));
        }
        environment.set("SIMRUN_ARTIFACTS", &String::from_utf8_lossy(capture::ARTIFACTS));
        asked.iter().for_each(|(key, value)| environment.set(key, value));
        environment
    }

    /// The value of a variable.
    pub fn get(&self, key: &str) -> Option<&OsStr> {
        self.0.iter().find(|(name, _)| name == key).map(|(_, value)| value.as_os_str())
    }

    /// Sets a variable.
    pub fn set(&mut self, key: &str, value: &str) {
        self.0.retain(|(name, _)| name != key);
        self.0.push((key.into(), value.into()));
    }

    /// As `KEY=VALUE`.
    pub fn encode(&self) -> Vec<Vec<u8>> {
        let line =
            |(key, value): &(OsString, OsString)| [key.as_bytes(), b"=", value.as_bytes()].concat();
        self.0.iter().map(line).collect()
    }
}

/// Where programs are looked for without `PATH`.
const SEARCH_DEFAULT: &str = "/usr/local/bin:/usr/bin:/bin";

/// The file that a shell would run for this command.
///
/// # Errors
/// When there is none.
pub fn find_program(
    command: &OsStr,
    directory: &Path,
    search: Option<&OsStr>,
) -> Result<PathBuf, Error> {
    let executable = |path: &Path| {
        path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    let candidates: Vec<PathBuf> = if command.as_bytes().contains(&b'/') {
        vec![directory.join(command)]
    } else {
        env::split_paths(search.unwrap_or(OsStr::new(SEARCH_DEFAULT)))
            .map(|folder| directory.join(folder).join(command))
            .collect()
    };
    if let Some(found) = candidates.iter().find(|path| executable(path)) {
        return Ok(found.clone());
    }
    match candidates.into_iter().find(|path| path.exists() && !command.is_empty()) {
        Some(found) => Err(Error::NotExecutable(found)),
        None => Err(Error::NotFound(command.into())),
    }
}
