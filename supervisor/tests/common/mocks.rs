//! Commands in runs with mocks.

use std::{
    path::{Path, PathBuf},
    process::Output,
};

use super::{compared, simrun};

/// A file of `tests/mocks`.
pub fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mocks").join(name)
}

/// The same as text, as commands take it.
pub fn script(name: &str) -> String {
    file(name).to_str().expect("a path").to_owned()
}

/// Runs a command with mocks, once more under load, and compares the two.
pub fn twice(mocks: &str, command: &[&str]) -> Output {
    let run = || {
        let mut run = simrun(["--seed", "1", "--mocks"]);
        run.arg(file(mocks)).arg("--").args(command).output().expect("a run")
    };
    compared::idle_and_busy(&format!("{command:?}"), run)
}
