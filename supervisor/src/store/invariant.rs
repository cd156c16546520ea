//! What a workload says of its invariants, in lines of its output: `INVARIANT <id> <name> PASS|FAIL <summary>`.

use serde::{Deserialize, Serialize};

/// Most invariants that are told apart in one run.
const INVARIANTS_MAX: usize = 1024;

/// One invariant of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Invariant {
    /// Its short name, one word.
    pub id: String,
    /// Its name.
    pub name: String,
    /// How often it held.
    pub passed: u64,
    /// How often it was violated.
    pub failed: u64,
    /// The first violation.
    pub violation: Option<Violation>,
}

/// An invariant that did not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Violation {
    /// Simulated time.
    pub time_ns: u64,
    /// What the workload says of it.
    pub summary: String,
}

/// All of them, in the order in which they were first checked.
#[derive(Debug, Default)]
pub struct Invariants(Vec<Invariant>);

impl Invariants {
    /// Takes in what is said of one: `<id> <name> PASS|FAIL <summary>`.
    pub fn take(&mut self, time_ns: u64, words: &[&str]) {
        let [id, rest @ ..] = words else { return };
        let Some(at) = rest.iter().position(|word| matches!(*word, "PASS" | "FAIL")) else {
            return;
        };
        let known = self.0.iter().position(|invariant| invariant.id == *id);
        let index = known.unwrap_or(self.0.len());
        if index == INVARIANTS_MAX {
            return;
        }
        if known.is_none() {
            self.0.push(Invariant {
                id: (*id).to_owned(),
                name: rest[..at].join(" "),
                passed: 0,
                failed: 0,
                violation: None,
            });
        }
        let invariant = &mut self.0[index];
        if rest[at] == "PASS" {
            invariant.passed += 1;
        } else {
            invariant.failed += 1;
            let summary = rest[at + 1..].join(" ");
            invariant.violation.get_or_insert(Violation { time_ns, summary });
        }
    }

    /// All that was said.
    pub fn finish(self) -> Vec<Invariant> {
        self.0
    }
}
