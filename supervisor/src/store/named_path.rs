//! Named paths of a workload, which its runs should go: `PATH <name> DECLARED` says that there is one, `PATH <name> REACHED`
//! that it was gone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Most paths that are told apart in one run.
const PATHS_MAX: usize = 1024;

/// A path of a run's workload.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NamedPath {
    /// Its name.
    pub name: String,
    /// How often it was reached.
    pub reached: u64,
}

/// All of them, by name.
#[derive(Debug, Default)]
pub struct NamedPaths(BTreeMap<String, u64>);

impl NamedPaths {
    /// Takes in what is said of one.
    pub fn take(&mut self, words: &[&str]) {
        let (name, times) = match words {
            [name @ .., "REACHED"] => (name.join(" "), 1),
            [name @ .., "DECLARED"] => (name.join(" "), 0),
            _ => return,
        };
        if name.is_empty() || (self.0.len() == PATHS_MAX && !self.0.contains_key(&name)) {
            return;
        }
        *self.0.entry(name).or_default() += times;
    }

    /// All that was said.
    pub fn finish(self) -> Vec<NamedPath> {
        self.0.into_iter().map(|(name, reached)| NamedPath { name, reached }).collect()
    }
}
