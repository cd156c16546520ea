//! Raw arguments made into one validated plan, before anything runs.

use std::{
    env,
    ffi::OsString,
    fs, io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::{FileExt, MetadataExt},
    },
    path::{Path, PathBuf},
    time::Duration,
};

use nix::{
    sys::stat::{Mode, umask},
    unistd::{getegid, geteuid, getgroups},
};
use simrun_abi::{
    boot::{Boot, Detail, FileTimes, Identity, Patching, Strategy, Streams, WaitingLoop},
    capture::{self, Capture},
    node::Node,
};
use simrun_kernel::arch::x86_64::Branch;

use crate::{
    cli::{self, World},
    faults::{self, Asked, Injection},
    launch, mocks,
    program::{Environment, SEED_VARIABLES, find_program},
    sim::{self, Defaults, Described, Machines},
    store::{self, record::BASELINE},
    trace,
};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command names no file.
    #[error("{}: command not found", .0.display())]
    NotFound(OsString),
    /// The command names a file that cannot be executed.
    #[error("{}: cannot be executed", .0.display())]
    NotExecutable(PathBuf),
    /// The working directory is gone, or the one asked for is none.
    #[error("{}: no directory to run in", .0.display())]
    Directory(PathBuf, #[source] io::Error),
    /// The simulation is none.
    #[error(transparent)]
    Simulation(#[from] sim::Error),
    /// The faults are none.
    #[error(transparent)]
    Faults(#[from] faults::Error),
    /// The mocks are none.
    #[error(transparent)]
    Mocks(#[from] mocks::Error),
    /// The directory that simrun was started in is gone.
    #[error("the current directory cannot be found")]
    Here(#[source] io::Error),
    /// The seed cannot be drawn.
    #[error("no seed can be drawn")]
    Seed(#[source] io::Error),
    /// The trace file cannot be written.
    #[error("{}: the trace cannot be written", .0.display())]
    Trace(PathBuf, #[source] io::Error),
    /// What is to be written through is no path.
    #[error("{}: nothing can be written through there", .0.display())]
    WriteThrough(PathBuf, #[source] io::Error),
    /// The schedule cannot be read.
    #[error("{}: the schedule cannot be read", .0.display())]
    Schedule(PathBuf, #[source] io::Error),
    /// The file of a place cannot be read.
    #[error("{}: cannot be read for --yield-at", .0.display())]
    Place(PathBuf, #[source] io::Error),
    /// The place is none.
    #[error("{}+{:#x}: no jump is there to yield at", .0.display(), .1)]
    NoJump(PathBuf, u64),
    /// The schedule is none.
    #[error("{}: line {} is not one of a trace", .0.display(), .1)]
    ScheduleLine(PathBuf, usize),
}

/// What is run.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A command on one machine.
    Command(&'a [OsString]),
    /// The machines of a simulation file.
    Simulation(&'a Path),
}

/// What will be done.
pub struct Plan {
    /// Parameters of the run.
    pub boot: Boot,
    /// Real time after which the run is ended.
    pub wall_timeout: Option<Duration>,
    /// The files and offsets of the loops that wait, those that attempts have shown included.
    pub yield_at: Vec<(PathBuf, u64)>,
    /// What describes the machines for other seeds, if that is a file.
    pub described: Option<Described>,
}

impl Plan {
    /// Checks everything that can be checked before a run.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(world: &World, subject: Subject) -> Result<Self, Error> {
        let seed = match world.seed {
            Some(seed) => seed,
            // Short enough to be typed again.
            None => random().map_err(Error::Seed)? >> 32,
        };
        let described = match subject {
            Subject::Command(_) => None,
            Subject::Simulation(path) => Some(Described::read(path, defaults(world)?)?),
        };
        let Machines { nodes, files, quiet_when, links } = match (subject, &described) {
            (_, Some(described)) => described.machines(seed).map_err(sim::Error::from)?,
            (Subject::Command(command), _) => one_machine(world, command, seed)?,
            (Subject::Simulation(_), None) => unreachable!("it was just read"),
        };
        let limits =
            described.as_ref().map(|described| described.limits().map_err(sim::Error::from));
        let (timeout, _) = limits.transpose()?.unwrap_or_default();
        let mut boot = Boot {
            seed,
            start_time_ns: world.start_time,
            timeout_ns: world.timeout.or(timeout).map(|timeout| timeout.as_nanos() as u64),
            last_event: None,
            strategy: match world.strategy {
                cli::Strategy::Random => Strategy::Random,
                cli::Strategy::RoundRobin => Strategy::RoundRobin,
            },
            forced: world.schedule.as_deref().map_or(Ok(Vec::new()), schedule)?,
            detail: Detail::Summary,
            nodes,
            streams: if described.is_some() { Streams::Told } else { Streams::OfHost },
            identity: identity(),
            umask: current_umask(),
            processor: launch::processor(),
            preload: !world.no_preload,
            patching: if world.no_patching { Patching::Off } else { Patching::On },
            file_times: match world.file_times {
                cli::FileTimes::Fixed => FileTimes::Fixed,
                cli::FileTimes::Host => FileTimes::Host,
            },
            capture: Capture {
                limit: CAPTURE_LIMIT,
                artifacts_limit: capture::artifacts_limit(),
                always: written_through(&world.write_through)?,
            },
            files,
            hidden: store::Place::hidden_here().map_err(Error::Here)?,
            faults: Vec::new(),
            quiet_when,
            links,
            searched: Vec::new(),
            waiting: world.yield_at.iter().map(waiting_loop).collect::<Result<_, _>>()?,
        };
        let asked = match &described {
            Some(described) if world.mocks.is_empty() => {
                described.mocks().map_err(sim::Error::from)?
            }
            _ => world.mocks.clone(),
        };
        let files = mocks::files(&asked, world.no_mocks).map_err(Error::Here)?;
        let bounds =
            described.as_ref().map(|described| described.bounds().map_err(sim::Error::from));
        let chaos = bounds.transpose()?.flatten().map(sim::Bounds::of_mocks).unwrap_or_default();
        let machines = mocks::read_all(&files, &boot.nodes, seed, chaos)?;
        mocks::join(&mut boot, machines);
        let models = models(world, described.as_ref(), &boot.nodes)?;
        mocks::ask(&mut boot.nodes, &models);
        boot.faults = injection(&models, described.as_ref(), &boot.nodes)?.faults;
        let (wall_timeout, yield_at) = (world.wall_timeout, world.yield_at.clone());
        Ok(Self { boot, wall_timeout, yield_at, described })
    }
}

/// What holds for machines of which a file says nothing else.
fn defaults(world: &World) -> Result<Defaults, Error> {
    let asked = world.cwd.as_deref().map(|cwd| directory(Some(cwd))).transpose()?;
    Ok(Defaults {
        cpus: world.cpus,
        memory: world.mem,
        disk: world.disk,
        environment: world.env.clone(),
        directory: asked.map(|directory| directory.into_os_string().into()),
    })
}

/// The machine of a plain run.
fn one_machine(world: &World, command: &[OsString], seed: u64) -> Result<Machines, Error> {
    let directory = directory(world.cwd.as_deref())?;
    let environment = Environment::new(seed, &world.env);
    let program = find_program(&command[0], &directory, environment.get("PATH"))?;
    let node = Node {
        cpus: world.cpus,
        memory: world.mem,
        disk: world.disk,
        program: program.into_os_string().into_vec(),
        arguments: command.iter().map(|word| word.as_bytes().to_vec()).collect(),
        environment: environment.encode(),
        directory: directory.into_os_string().into_vec(),
        ..Node::new(NAME, ADDRESS)
    };
    Ok(Machines { nodes: vec![node], ..Machines::default() })
}

/// The fault models that were asked for, or else those of the file, for a run of these nodes.
///
/// # Errors
/// When the file's are none.
pub fn models(
    world: &World,
    described: Option<&Described>,
    nodes: &[Node],
) -> Result<Vec<String>, Error> {
    match described {
        Some(described) if world.faults.is_empty() => {
            Ok(described.faults(nodes).map_err(sim::Error::from)?)
        }
        _ => Ok(world.faults.clone()),
    }
}

/// Name of the only node of a plain run.
const NAME: &str = "simrun";
/// Its address.
const ADDRESS: [u8; 4] = [10, 0, 0, 1];

/// Most bytes of the files of a run that are kept, unless somebody says otherwise.
const CAPTURE_LIMIT: u64 = 64 << 20;

/// Absolute paths, links in them followed as far as there are any: what the run calls them by.
fn written_through(paths: &[PathBuf]) -> Result<Vec<Vec<u8>>, Error> {
    let resolve = |path: &PathBuf| {
        let fail = |error| Error::WriteThrough(path.clone(), error);
        let absolute = std::path::absolute(path).map_err(fail)?;
        let known = absolute.ancestors().find_map(|above| {
            let rest = absolute.strip_prefix(above).ok()?;
            Some(above.canonicalize().ok()?.join(rest))
        });
        // No slash at the end: what is below is found by this name and a slash.
        let path: PathBuf = known.unwrap_or(absolute).components().collect();
        Ok(path.into_os_string().into_vec())
    };
    paths.iter().map(resolve).collect()
}

impl Plan {
    /// The same with another seed, as [`Plan::new`] makes it.
    ///
    /// # Errors
    /// When the file that describes it allows none.
    pub fn with_seed(&self, seed: u64) -> Result<Self, Error> {
        let mut boot = Boot { seed, ..self.boot.clone() };
        if let Some(described) = &self.described {
            let machines = described.machines(seed).map_err(sim::Error::from)?;
            (boot.nodes, boot.files) = (machines.nodes, machines.files);
            (boot.quiet_when, boot.links) = (machines.quiet_when, machines.links);
            mocks::join_again(&mut boot, &self.boot);
        } else {
            mocks::renew(&mut boot);
        }
        let variables = boot.nodes.iter_mut().flat_map(|node| &mut node.environment);
        variables.for_each(|variable| reseed(variable, self.boot.seed, seed));
        Ok(Self {
            boot,
            wall_timeout: self.wall_timeout,
            yield_at: self.yield_at.clone(),
            described: self.described.clone(),
        })
    }
}

/// Puts another seed in a variable that is simrun's; one that was asked for by the same name stays.
fn reseed(variable: &mut Vec<u8>, before: u64, seed: u64) {
    let is_seed = |name: &str| *variable == format!("{name}={before}").into_bytes();
    if let Some(name) = SEED_VARIABLES.into_iter().find(|name| is_seed(name)) {
        *variable = format!("{name}={seed}").into_bytes();
    }
}

/// A number that nobody can foresee.
///
/// # Errors
/// When the host has no `/dev/urandom`.
pub fn random() -> io::Result<u64> {
    let mut bytes = [0; 8];
    io::Read::read_exact(&mut fs::File::open("/dev/urandom")?, &mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn directory(asked: Option<&Path>) -> Result<PathBuf, Error> {
    let path = asked.unwrap_or(Path::new("."));
    let found = path.canonicalize().and_then(|found| {
        let is_directory = found.is_dir();
        if is_directory { Ok(found) } else { Err(io::ErrorKind::NotADirectory.into()) }
    });
    found.map_err(|error| Error::Directory(path.into(), error))
}

/// The loop whose jump is at a place in a file.
///
/// # Errors
/// When there is no jump.
pub fn waiting_loop((path, offset): &(PathBuf, u64)) -> Result<WaitingLoop, Error> {
    let fail = |error| Error::Place(path.clone(), error);
    let file = fs::File::open(path).map_err(fail)?;
    let status = file.metadata().map_err(fail)?;
    let mut code = [0; Branch::LEN_MAX];
    let len = file.read_at(&mut code, *offset).map_err(fail)?;
    Branch::decode(&code[..len]).ok_or_else(|| Error::NoJump(path.clone(), *offset))?;
    Ok(WaitingLoop { device: status.dev(), inode: status.ino(), offset: *offset })
}

fn schedule(path: &Path) -> Result<Vec<(u64, u32)>, Error> {
    let text =
        fs::read_to_string(path).map_err(|error| Error::Schedule(path.to_path_buf(), error))?;
    trace::choices(&text).map_err(|line| Error::ScheduleLine(path.to_path_buf(), line))
}

/// Names of faults, also of those that are joined to be injected together. The baseline is none.
fn together(models: &[String]) -> Vec<String> {
    let names = models.iter().flat_map(|model| model.split(faults::TOGETHER));
    names.filter(|name| *name != BASELINE).map(str::to_owned).collect()
}

/// What the kernel is to inject under models into a run of these nodes, or into any of a file that has such mocks. Names
/// are those of the project that the file lies in, or else that simrun is started in.
///
/// # Errors
/// When a file is not there or wrong.
pub fn injection(
    models: &[String],
    described: Option<&Described>,
    nodes: &[Node],
) -> Result<Injection, Error> {
    let names = mocks::of_files(nodes, together(models))?;
    if names.is_empty() {
        return Ok(Injection::default());
    }
    let catalog = catalog(described)?;
    let Some(described) = described else { return Ok(catalog.plan(&names, nodes, Asked::Any)?) };
    let all = described.any_seeds(nodes).map_err(sim::Error::from)?;
    let Injection { faults, depth } = catalog.plan(&names, &all, Asked::OfMachines)?;
    Ok(Injection { faults: described.confined(faults).map_err(sim::Error::from)?, depth })
}

/// Where names of faults are looked up.
fn catalog(described: Option<&Described>) -> Result<faults::Catalog, Error> {
    Ok(match described {
        Some(described) => faults::Catalog::of(described.folder()),
        None => faults::Catalog::of(&env::current_dir().map_err(Error::Here)?),
    })
}

fn identity() -> Identity {
    Identity {
        uid: geteuid().as_raw(),
        gid: getegid().as_raw(),
        groups: getgroups().unwrap_or_default().iter().map(|group| group.as_raw()).collect(),
    }
}

fn current_umask() -> u32 {
    let mask = umask(Mode::empty());
    umask(mask);
    mask.bits()
}
