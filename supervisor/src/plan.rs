//! Raw arguments made into one validated plan, before anything runs.

use std::{
    env,
    ffi::{OsStr, OsString},
    io,
    os::unix::{
        ffi::{OsStrExt, OsStringExt},
        fs::PermissionsExt,
    },
    path::{Path, PathBuf},
};

use nix::{
    sys::stat::{Mode, umask},
    unistd::{getegid, geteuid, getgroups},
};
use simrun_abi::boot::{Boot, Detail, Identity, Strategy};

use crate::{cli::Arguments, launch};

/// Why there is no plan.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The command names no file.
    #[error("{}: command not found", .0.display())]
    NotFound(OsString),
    /// The command names a file that cannot be executed.
    #[error("{}: cannot be executed", .0.display())]
    NotExecutable(PathBuf),
    /// The working directory is gone.
    #[error("the working directory cannot be found")]
    Directory(#[source] io::Error),
    /// The seed cannot be drawn.
    #[error("no seed can be drawn")]
    Seed(#[source] io::Error),
    /// The trace file cannot be written.
    #[error("{}: the trace cannot be written", .0.display())]
    Trace(PathBuf, #[source] io::Error),
}

/// What will be done.
pub struct Plan {
    /// Parameters of the run.
    pub boot: Boot,
    /// Whether simrun's own words are left out.
    pub quiet: bool,
    /// Where events go.
    pub trace: Option<std::fs::File>,
}

/// 2030-01-01 00:00:00 UTC, in nanoseconds since 1970: later than any file the run may find.
const START_TIME_NS: u64 = 1_893_456_000_000_000_000;

impl Plan {
    /// Checks everything that can be checked before a run.
    ///
    /// # Errors
    /// The first thing that is wrong.
    pub fn new(arguments: &Arguments) -> Result<Self, Error> {
        let seed = match arguments.seed {
            Some(seed) => seed,
            None => draw_seed().map_err(Error::Seed)?,
        };
        let directory = env::current_dir().map_err(Error::Directory)?;
        let program = find_program(&arguments.command[0], &directory)?;
        let trace = match &arguments.trace {
            Some(path) => Some(
                std::fs::File::create(path).map_err(|error| Error::Trace(path.clone(), error))?,
            ),
            None => None,
        };
        let detail = match (&trace, arguments.trace_syscalls) {
            (None, _) => Detail::Summary,
            (Some(_), false) => Detail::Events,
            (Some(_), true) => Detail::Calls,
        };
        let boot = Boot {
            seed,
            start_time_ns: START_TIME_NS,
            timeout_ns: None,
            cpus: 2,
            memory: 1 << 30,
            strategy: Strategy::Random,
            forced: Vec::new(),
            detail,
            hostname: "simrun".into(),
            identity: identity(),
            program: program.into_os_string().into_vec(),
            arguments: arguments
                .command
                .iter()
                .map(|argument| argument.as_bytes().to_vec())
                .collect(),
            environment: environment(seed),
            directory: directory.into_os_string().into_vec(),
            umask: current_umask(),
            processor: launch::processor(),
            preload: !arguments.no_preload,
        };
        Ok(Self { boot, quiet: arguments.quiet, trace })
    }
}

fn draw_seed() -> io::Result<u64> {
    let mut bytes = [0; 8];
    io::Read::read_exact(&mut std::fs::File::open("/dev/urandom")?, &mut bytes)?;
    // Short enough to be typed again.
    Ok(u64::from_le_bytes(bytes) >> 32)
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

/// Names under which a program finds the seed.
const SEED_VARIABLES: [&str; 3] = ["WENV_SEED", "FORMAL_SEED", "SIMRUN_SEED"];

fn environment(seed: u64) -> Vec<Vec<u8>> {
    let given = env::vars_os().filter(|(key, _)| !SEED_VARIABLES.iter().any(|name| key == name));
    let own =
        SEED_VARIABLES.iter().map(|name| (OsString::from(name), OsString::from(seed.to_string())));
    given.chain(own).map(|(key, value)| [key.as_bytes(), b"=", value.as_bytes()].concat()).collect()
}

/// The file that a shell would run for this command.
fn find_program(command: &OsStr, directory: &Path) -> Result<PathBuf, Error> {
    let executable = |path: &Path| {
        path.metadata().is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0)
    };
    if command.as_bytes().contains(&b'/') {
        let path = directory.join(command);
        return match (path.exists(), executable(&path)) {
            (_, true) => Ok(path),
            (true, false) => Err(Error::NotExecutable(path)),
            (false, false) => Err(Error::NotFound(command.into())),
        };
    }
    let search = env::var_os("PATH").unwrap_or_else(|| "/usr/local/bin:/usr/bin:/bin".into());
    env::split_paths(&search)
        .map(|folder| directory.join(folder).join(command))
        .find(|path| executable(path))
        .ok_or_else(|| Error::NotFound(command.into()))
}
