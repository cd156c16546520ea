//! A process that makes one run after the other, as another simrun tells it: the host knows processes of a run by their
//! parent, so that a simrun has one run at a time.
//!
//! It reads lines of JSON from standard input, first a [`Setup`] and then [`Job`]s, and writes the name of each run that has
//! ended to standard output.

use std::{
    collections::BTreeMap,
    fs::File,
    io::{self, BufRead, Write},
    os::fd::AsRawFd,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use simrun_abi::faults::Fault;

use super::jobs::Job;
use crate::{
    conduct::Conduct,
    launch::Streams,
    mocks,
    plan::Plan,
    store::{Belonging, Id, Place, pinned::Pinned},
    verbs::{Failure, open_null},
};

/// What all runs of a worker have.
#[derive(Debug, Serialize, Deserialize)]
pub struct Setup {
    /// All but the seed.
    pub pinned: Pinned,
    /// The store.
    pub store: PathBuf,
    /// The simulation.
    pub simulation: Id,
    /// What each fault model injects.
    pub faults: BTreeMap<String, Vec<Fault>>,
    /// A file with the standard input of each run.
    pub input: Option<PathBuf>,
}

/// Makes runs until standard input ends.
///
/// # Errors
/// When a run cannot be made or kept.
pub fn work() -> Result<u8, Failure> {
    let fail = |source| Failure::File { doing: "a worker is not told what to do", source };
    let mut lines = io::stdin().lock().lines();
    let Some(setup) = lines.next() else { return Ok(0) };
    let setup: Setup = parse(&setup.map_err(fail)?)?;
    let place = Place::at(&setup.store).map_err(fail)?;
    let plan = setup.pinned.plan()?;
    let nowhere = open_null()?;
    for line in lines {
        let job: Job = parse(&line.map_err(fail)?)?;
        let id = make(&setup, &place, &plan, &nowhere, job)?;
        let mut out = io::stdout().lock();
        // Whoever has asked may be gone.
        let told = writeln!(out, "{id}").and_then(|()| out.flush());
        told.map_err(|source| Failure::File { doing: "a run cannot be told of", source })?;
    }
    Ok(0)
}

fn parse<'a, T: Deserialize<'a>>(line: &'a str) -> Result<T, Failure> {
    serde_json::from_str(line).map_err(|error| Failure::File {
        doing: "a worker does not understand",
        source: error.into(),
    })
}

fn make(
    setup: &Setup,
    place: &Place,
    plan: &Plan,
    nowhere: &File,
    job: Job,
) -> Result<Id, Failure> {
    let mut plan = plan.with_seed(job.seed)?;
    plan.boot.faults = setup.faults.get(&job.model).cloned().unwrap_or_default();
    mocks::ask(&mut plan.boot.nodes, std::slice::from_ref(&job.model));
    let open = |path: &PathBuf| {
        let doing = "the standard input of runs cannot be opened";
        File::open(path as &Path).map_err(|source| Failure::File { doing, source })
    };
    let input = setup.input.as_ref().map(open).transpose()?;
    let belonging = Belonging {
        simulation: Some(setup.simulation.clone()),
        model: job.model,
        ..Belonging::default()
    };
    let null = nowhere.as_raw_fd();
    let stdin = input.as_ref().unwrap_or(nowhere).as_raw_fd();
    let conducted = Conduct {
        logs_faults: false,
        streams: Streams { stdin, stdout: null, stderr: null },
        trace: None,
        traces_calls: false,
        kept: Some((place, belonging)),
        quiet: true,
    }
    .run(&mut plan)?;
    let not_kept = || {
        let warnings = conducted.report.warnings().join("; ");
        Failure::Unknown(format!("a run is not kept: {warnings}"))
    };
    conducted.record.map(|record| record.id).ok_or_else(not_kept)
}
