//! Runs many seeds, and groups what fails into bugs.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io,
    os::fd::AsFd,
    path::PathBuf,
    slice::from_ref,
    time::{Duration, Instant},
};

use nix::sys::signal::Signal;
use simrun_abi::faults::Fault;

use super::{Failure, printed};
use crate::{
    cli::ExploreArguments,
    exit,
    explore::{
        jobs::{Jobs, Next},
        pool::{Happened, Pool},
        progress::Progress,
        trace,
        worker::Setup,
    },
    faults::Injection,
    mocks,
    plan::{self, Plan},
    report::{
        files, github, say,
        summary::{Cases, Summary},
        table::print,
        text,
    },
    sim,
    store::{
        Error, Id, Place, RunFolder, Timestamp,
        failure::Kind,
        pinned::Pinned,
        record::BASELINE,
        simulation::{self, Simulation},
    },
};

/// The first seed, unless another is asked for: the same every time, so that more runs begin as fewer did.
const FIRST_SEED: u64 = 1;
/// How often to look whether time is up.
const TICK: Duration = Duration::from_millis(100);
/// Most bugs of which the events are had again.
const TRACES_MAX: usize = 10;
/// Workers that may be lost before there is no sense in going on.
const LOST_MAX: u64 = 10;
/// Runs of each fault model, unless somebody says otherwise.
const DEPTH: u64 = 20;
/// Some run failed.
const SOME_FAILED: u8 = 1;

/// Runs the command under many seeds.
///
/// # Errors
/// When runs cannot be made or kept.
pub fn explore(arguments: &ExploreArguments) -> Result<u8, Failure> {
    let temporary;
    let place = match arguments.keeping.place()? {
        Some(place) => place,
        None => {
            let fail = |source| Failure::File { doing: "runs cannot be kept meanwhile", source };
            temporary = tempfile::tempdir().map_err(fail)?;
            Place::at(&temporary.path().join("store")).map_err(fail)?
        }
    };
    let mut exploration = Exploration::new(arguments, place)?;
    let signal = exploration.run()?;
    exploration.report(signal)
}

/// Many runs that go on.
struct Exploration<'a> {
    arguments: &'a ExploreArguments,
    place: Place,
    pinned: Pinned,
    faults: BTreeMap<String, Vec<Fault>>,
    jobs: Jobs,
    summary: Summary,
    /// Runs whose worker was lost with them.
    lost: u64,
}

/// How far an exploration is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// Runs begin.
    Open,
    /// No more begin.
    Closing,
    /// No more begin, and those that go on were told to end.
    Interrupted(Signal),
}

/// What is to be run: the baseline, and each fault model.
struct Models {
    names: Vec<String>,
    /// What each injects, by name; the baseline nothing.
    faults: BTreeMap<String, Vec<Fault>>,
    /// Runs of each, in the order of the names.
    depths: Vec<u64>,
}

impl Models {
    fn new(arguments: &ExploreArguments, plan: &Plan) -> Result<Self, Failure> {
        let (described, nodes) = (plan.described.as_ref(), &plan.boot.nodes);
        let asked = arguments.seeds.map(|seeds| seeds.count).or(arguments.depth);
        let own_depth = own_depth(plan)?;
        let mut models =
            Self { names: vec![BASELINE.to_owned()], faults: BTreeMap::new(), depths: vec![0] };
        let of_models = plan::models(&arguments.world, described, nodes)?;
        let of_models = of_models.into_iter().map(|model| (model, own_depth));
        let levels = arguments.level.iter().map(|level| (level.clone(), None));
        for (model, of_file) in of_models.chain(levels) {
            let Injection { faults, depth } = plan::injection(from_ref(&model), described, nodes)?;
            if depth.is_none() && arguments.level.contains(&model) {
                return Err(Failure::Unknown(format!(
                    "`{model}` is no level: no `depth` is in its file; --faults takes any"
                )));
            }
            models.faults.insert(model.clone(), faults);
            models.names.push(model);
            models.depths.push(asked.or(of_file).or(depth).unwrap_or(DEPTH));
        }
        // The first model is only the measure of others, if there are any: one run of it is enough.
        models.depths[0] = match models.names.len() {
            1 => asked.or(own_depth).unwrap_or(DEPTH),
            _ => 1,
        };
        Ok(models)
    }
}

impl<'a> Exploration<'a> {
    fn new(arguments: &'a ExploreArguments, place: Place) -> Result<Self, Failure> {
        let world = &arguments.world;
        let base = world.seed.unwrap_or(FIRST_SEED);
        let mut plan = Plan::new(world, arguments.several.subject().map_err(Failure::Unknown)?)?;
        let first_seed = arguments.seeds.map_or(base, |seeds| seeds.first);
        if !world.write_through.is_empty() {
            return Err(Failure::Unknown(
                "many runs would write over each other's files: --write-through is for one".into(),
            ));
        }
        plan = plan.with_seed(first_seed)?;
        arguments.keeping.limit(&mut plan.boot.capture);
        // Each model is one of its own, and injects its own.
        plan.boot.faults.clear();
        mocks::ask(&mut plan.boot.nodes, &[]);
        let pinned = Pinned::of(&plan);
        let Models { names: models, faults, depths } = Models::new(arguments, &plan)?;
        let depths = arguments.for_time.is_none().then_some(depths);
        let jobs = Jobs::new(&models, first_seed, depths.as_deref(), arguments.shard);
        if jobs.clone().next(false, false) == Next::End {
            return Err(Failure::Unknown("there is no run to make: this share has none".into()));
        }
        let start = Timestamp::now();
        let named = Id::new(start.system_time());
        let options = world.options();
        let simulation = Simulation {
            id: named.map_err(|source| Failure::File { doing: "no name can be drawn", source })?,
            version: env!("CARGO_PKG_VERSION").into(),
            start,
            end: None,
            whole: simulation::whole(&pinned, &options, &models, first_seed, depths.as_deref()),
            command: pinned.command.clone(),
            is_described: pinned.described.is_some(),
            options,
            models,
            first_seed,
            depths,
            shards: arguments.shard.into_iter().collect(),
        };
        let cases = if arguments.files.are_wanted() { Cases::Kept } else { Cases::Counted };
        Ok(Self {
            arguments,
            place,
            pinned,
            faults,
            jobs,
            summary: Summary::new(simulation, cases),
            lost: 0,
        })
    }

    /// Makes all runs; the signal that has ended it before.
    fn run(&mut self) -> Result<Option<Signal>, Failure> {
        let simulation = &self.summary.simulation;
        simulation.save(&self.place)?;
        let folder = Simulation::folder(&self.place, &simulation.id);
        let log = folder.join("log");
        let setup = Setup {
            pinned: self.pinned.clone(),
            store: self.place.path().to_path_buf(),
            simulation: simulation.id.clone(),
            faults: self.faults.clone(),
            input: save_input(&folder)?,
        };
        let planned = simulation.planned();
        let fail = |source| Failure::File { doing: "no worker can be started", source };
        let mut pool = Pool::new(self.parallel(planned), &setup, &log).map_err(fail)?;
        let command = crate::store::text::shell_command(&simulation.command);
        say(&format!("simulation {}: {command}", simulation.id));
        let mut progress = Progress::new(planned);
        let stage = self.conduct(&mut pool, &mut progress)?;
        progress.end();
        pool.end();
        self.summary.simulation.end = Some(Timestamp::now());
        self.summary.sort();
        self.summary.simulation.save(&self.place)?;
        if fs::metadata(&log).is_ok_and(|log| log.len() == 0) {
            let _ = fs::remove_file(log);
        } else {
            say(&format!("warning: there are words on the runs in {}", log.display()));
        }
        Ok(match stage {
            Stage::Interrupted(signal) => Some(signal),
            Stage::Open | Stage::Closing => None,
        })
    }

    /// Runs at one time.
    fn parallel(&self, planned: Option<u64>) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        let asked = self.arguments.jobs.map_or(processors, usize::from);
        planned.map_or(asked, |planned| asked.min(planned.max(1) as usize))
    }

    fn conduct(&mut self, pool: &mut Pool, progress: &mut Progress) -> Result<Stage, Failure> {
        let end = self.arguments.for_time.map(|time| Instant::now() + time);
        let mut stage = Stage::Open;
        loop {
            if stage == Stage::Open && end.is_some_and(|end| Instant::now() >= end) {
                stage = Stage::Closing;
            }
            if stage == Stage::Open {
                self.hand_out(pool);
            }
            if pool.busy() == 0 {
                return Ok(stage);
            }
            match pool.wait(TICK) {
                Happened::Ran { run, .. } => {
                    let record = RunFolder::of(&self.place, &run).record()?;
                    if let Some(title) = self.summary.add(&record) {
                        progress.say(&format!("seed {}: {title}", record.pinned.seed));
                    }
                    if self.arguments.fail_fast && record.state.is_bad() && stage == Stage::Open {
                        stage = Stage::Closing;
                    }
                }
                Happened::Gone { worker } => self.lose(pool, progress, worker)?,
                Happened::Signal(signal) => {
                    stage = Stage::Interrupted(signal);
                    pool.interrupt();
                }
                Happened::Nothing => {}
            }
            progress.show(&self.summary);
        }
    }

    /// Gives every worker that has nothing to do a run.
    fn hand_out(&mut self, pool: &mut Pool) {
        for worker in pool.idle() {
            let first = &self.summary.simulation.models[0];
            let has_failed = self.summary.has_failed(first);
            match self.jobs.next(pool.busy() > 0, has_failed) {
                Next::Job(job) => pool.give(worker, job),
                Next::Wait | Next::End => return,
            }
        }
    }

    fn lose(&mut self, pool: &mut Pool, progress: &Progress, worker: usize) -> Result<(), Failure> {
        let fail = |source| Failure::File { doing: "no worker can be started", source };
        let (job, how) = pool.replace(worker).map_err(fail)?;
        let Some(job) = job else { return Ok(()) };
        self.lost += 1;
        progress.say(&format!(
            "warning: the run with seed {} is lost: simrun ended with {how}",
            job.seed
        ));
        if self.lost > LOST_MAX {
            return Err(Failure::Unknown(format!(
                "{} runs are lost, one after the other",
                self.lost
            )));
        }
        Ok(())
    }

    /// Tells what came of it; the exit status.
    fn report(&self, signal: Option<Signal>) -> Result<u8, Failure> {
        let summary = &self.summary;
        if signal.is_none() {
            self.supply_events()?;
        }
        let mut report = text::text(summary, &self.place)?;
        if github::is_here() {
            report += &github::annotations(summary);
        }
        printed(print(report.as_bytes()))?;
        files::write(&self.arguments.files, summary, &self.place)?;
        if let Some(words) = text::baseline_failed(summary) {
            say(&words);
        }
        Ok(match signal {
            Some(signal) => exit::after_signal(signal as i32),
            None if summary.without_result() + self.lost > 0 => exit::FAILED,
            None if summary.failed() > 0 => SOME_FAILED,
            None => 0,
        })
    }

    /// Has the events of the first run of each bug.
    fn supply_events(&self) -> Result<(), Failure> {
        let bugs = self.summary.bugs.iter().filter(|bug| bug.kind != Kind::NoResult);
        for bug in bugs.take(TRACES_MAX) {
            let folder = RunFolder::of(&self.place, &bug.first.run);
            if !trace::supply(&folder)? {
                say(&format!(
                    "warning: the run with seed {} did not come out the same again; see: simrun verify",
                    bug.first.seed
                ));
            }
        }
        Ok(())
    }
}

/// Keeps standard input for all runs, if it is a file: a pipe may never end, and may be somebody else's.
fn save_input(folder: &std::path::Path) -> Result<Option<PathBuf>, Failure> {
    let doing = "standard input cannot be kept";
    let fail = |source| Failure::File { doing, source };
    let input = io::stdin().as_fd().try_clone_to_owned().map(File::from);
    let Ok(mut input) = input else { return Ok(None) };
    if !input.metadata().map_err(fail)?.is_file() {
        return Ok(None);
    }
    let path = folder.join("stdin");
    let copied = File::create(&path).and_then(|mut file| io::copy(&mut input, &mut file));
    copied.map_err(|error| Error::File(path.clone(), error))?;
    Ok(Some(path))
}

/// How many runs of each fault model a simulation file asks for.
fn own_depth(plan: &Plan) -> Result<Option<u64>, plan::Error> {
    let limits = plan.described.as_ref().map(|described| described.limits());
    let limits = limits.transpose().map_err(sim::Error::from)?;
    Ok(limits.and_then(|(_, depth)| depth))
}
