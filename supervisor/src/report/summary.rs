//! Many runs together: how they ended, what was checked, and which bugs there are.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use serde::Serialize;

use crate::store::{Id, Record, State, failure::Kind, simulation::Simulation};

/// Most seeds that are kept of a bug: the smallest.
const SEEDS_MAX: usize = 10;
/// How often a path should be reached.
const REACHED_MIN: u64 = 5;

/// See the module.
#[derive(Clone, Debug, Serialize)]
pub struct Summary {
    /// What was run.
    pub simulation: Simulation,
    /// How many runs there are in each state.
    pub states: BTreeMap<State, u64>,
    /// Their simulated time, in nanoseconds.
    pub simulated_ns: u128,
    /// Their real time, in nanoseconds, each by itself.
    pub wall_ns: u128,
    /// What was checked, by id.
    pub invariants: BTreeMap<String, Checked>,
    /// Named paths of the workload, by name.
    pub paths: BTreeMap<String, Reached>,
    /// What went wrong, each once.
    pub bugs: Vec<Bug>,
    /// Each run, if they are kept.
    pub cases: Vec<Case>,
    #[serde(skip)]
    keeps: Cases,
    /// The smallest and the greatest seed.
    #[serde(skip)]
    pub seeds: Option<(u64, u64)>,
    /// Models of which a run has failed.
    #[serde(skip)]
    failed_models: BTreeSet<String>,
}

/// What is kept of each run.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cases {
    /// What files about all runs list.
    Kept,
    /// Nothing, so that many runs take no more memory than few.
    Counted,
}

/// An invariant in many runs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Checked {
    /// Its name.
    pub name: String,
    /// How often it held.
    pub passed: u64,
    /// How often it did not.
    pub failed: u64,
    /// Runs that have checked it.
    pub runs: u64,
    /// Runs that have violated it.
    pub violated_runs: u64,
}

/// A named path in many runs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Reached {
    /// How often it was reached.
    pub reached: u64,
    /// Runs that have reached it.
    pub runs: u64,
}

impl Reached {
    /// What there is to say if it was reached too seldom to rely on what was not found there.
    pub fn mark(&self) -> &'static str {
        match self.reached {
            0 => "never reached",
            times if times < REACHED_MIN => "seldom reached",
            _ => "",
        }
    }
}

/// Runs that failed in the same way.
#[derive(Clone, Debug, Serialize)]
pub struct Bug {
    /// What kind of failure it is.
    pub kind: Kind,
    /// The failure in a line, as the first run had it.
    pub title: String,
    /// What makes the runs the same.
    pub signature: String,
    /// The functions of the stack, of the first run.
    pub stack: Vec<String>,
    /// How many runs there are.
    pub runs: u64,
    /// Their seeds, the smallest.
    pub seeds: BTreeSet<u64>,
    /// The first run: that of the first model with the smallest seed.
    pub first: Case,
}

/// One run.
#[derive(Clone, Debug, Serialize)]
pub struct Case {
    /// Its name.
    pub run: Id,
    /// The fault model.
    pub model: String,
    /// The number of the model.
    #[serde(skip)]
    model_index: usize,
    /// The seed.
    pub seed: u64,
    /// How it ended.
    pub state: State,
    /// Its digest.
    pub fingerprint: Option<String>,
    /// Simulated time.
    pub simulated_ns: u64,
    /// Real time.
    pub wall_ns: u64,
    /// What makes its failure the same as another's.
    pub signature: Option<String>,
    /// The failure in a line.
    pub title: Option<String>,
}

impl Case {
    fn key(&self) -> (usize, u64) {
        (self.model_index, self.seed)
    }
}

impl Summary {
    /// Of no run yet.
    pub fn new(simulation: Simulation, keeps: Cases) -> Self {
        Self {
            simulation,
            states: BTreeMap::new(),
            simulated_ns: 0,
            wall_ns: 0,
            invariants: BTreeMap::new(),
            paths: BTreeMap::new(),
            bugs: Vec::new(),
            cases: Vec::new(),
            keeps,
            seeds: None,
            failed_models: BTreeSet::new(),
        }
    }

    /// Takes in a run; its failure in a line, if it is the first of its kind.
    pub fn add(&mut self, record: &Record) -> Option<String> {
        let result = record.result.as_ref();
        let failure = result.and_then(|result| result.failure.as_ref());
        let models = &self.simulation.models;
        let case = Case {
            run: record.id.clone(),
            model: record.model.clone(),
            model_index: models.iter().position(|m| *m == record.model).unwrap_or(models.len()),
            seed: record.pinned.seed,
            state: record.state,
            fingerprint: result.and_then(|result| result.fingerprint.clone()),
            simulated_ns: result.map_or(0, |result| result.simulated_ns),
            wall_ns: result.map_or(0, |result| result.wall_ns),
            signature: failure.map(|failure| failure.signature.clone()),
            title: failure.map(|failure| failure.title.clone()),
        };
        *self.states.entry(case.state).or_default() += 1;
        let (first, last) = self.seeds.unwrap_or((case.seed, case.seed));
        self.seeds = Some((first.min(case.seed), last.max(case.seed)));
        if case.state.is_bad() && !self.failed_models.contains(&case.model) {
            self.failed_models.insert(case.model.clone());
        }
        self.simulated_ns += u128::from(case.simulated_ns);
        self.wall_ns += u128::from(case.wall_ns);
        for invariant in result.map_or(&[][..], |result| &result.invariants) {
            let checked = self.invariants.entry(invariant.id.clone()).or_default();
            checked.name.clone_from(&invariant.name);
            checked.passed += invariant.passed;
            checked.failed += invariant.failed;
            checked.runs += 1;
            checked.violated_runs += u64::from(invariant.failed > 0);
        }
        for path in result.map_or(&[][..], |result| &result.paths) {
            let all = self.paths.entry(path.name.clone()).or_default();
            all.reached += path.reached;
            all.runs += u64::from(path.reached > 0);
        }
        let new = failure.and_then(|failure| {
            let known = self.bugs.iter_mut().find(|bug| bug.signature == failure.signature);
            let is_new = known.is_none();
            let bug = match known {
                Some(bug) => bug,
                None => push(
                    &mut self.bugs,
                    Bug {
                        kind: failure.kind,
                        title: failure.title.clone(),
                        signature: failure.signature.clone(),
                        stack: failure.stack.clone(),
                        runs: 0,
                        seeds: BTreeSet::new(),
                        first: case.clone(),
                    },
                ),
            };
            bug.runs += 1;
            bug.seeds.insert(case.seed);
            if bug.seeds.len() > SEEDS_MAX {
                bug.seeds.pop_last();
            }
            if case.key() < bug.first.key() {
                bug.title.clone_from(&failure.title);
                bug.stack.clone_from(&failure.stack);
                bug.first = case.clone();
            }
            is_new.then(|| failure.title.clone())
        });
        if self.keeps == Cases::Kept {
            self.cases.push(case);
        }
        new
    }

    /// Puts everything into an order that does not depend on which run ended first.
    pub fn sort(&mut self) {
        self.cases.sort_by_key(Case::key);
        self.bugs.sort_by(|a, b| (b.runs, a.first.key()).cmp(&(a.runs, b.first.key())));
    }

    /// How many runs are in this state.
    pub fn count(&self, state: State) -> u64 {
        self.states.get(&state).copied().unwrap_or(0)
    }

    /// How many runs there are.
    pub fn runs(&self) -> u64 {
        self.states.values().sum()
    }

    /// How many runs have failed or taken too long.
    pub fn failed(&self) -> u64 {
        self.states.iter().filter(|(state, _)| state.is_bad()).map(|(_, count)| count).sum()
    }

    /// How many runs gave no result of the workload: the machine failed, or simrun.
    pub fn without_result(&self) -> u64 {
        let no_result = self.bugs.iter().filter(|bug| bug.kind == Kind::NoResult);
        no_result.map(|bug| bug.runs).sum::<u64>() + self.count(State::Interrupted)
    }

    /// Whether any run of this model has failed.
    pub fn has_failed(&self, model: &str) -> bool {
        self.failed_models.contains(model)
    }

    /// From the start of the first run to the end of the last.
    pub fn elapsed(&self) -> Option<Duration> {
        let (start, end) = (self.simulation.start.0, self.simulation.end?.0);
        Some(Duration::from_millis(end.saturating_sub(start)))
    }
}

fn push<T>(list: &mut Vec<T>, item: T) -> &mut T {
    list.push(item);
    list.last_mut().expect("just added")
}
