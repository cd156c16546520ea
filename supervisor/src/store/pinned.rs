//! All that a run depends on but the content of files, so that it can be done again.

use std::{path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use simrun_abi::boot::{Boot, Detail, FileTimes, Identity, Patching, Processor, Strategy};
use simrun_abi::{capture::Capture, faults::Fault};

use super::text::Text;
use crate::{
    launch,
    plan::{Error, Plan, waiting_loop},
};

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pinned {
    /// The master seed.
    pub seed: u64,
    /// The command and its arguments.
    pub command: Vec<Text>,
    /// The working directory.
    pub directory: Text,
    /// The program that the command names.
    pub program: Text,
    /// What else was asked for.
    pub options: Options,
    /// The command's environment, as `KEY=VALUE`.
    pub environment: Vec<Text>,
}

/// What a run depends on and its limits, as asked for or by default.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Options {
    /// Simulated date at the start, in nanoseconds since 1970.
    pub start_time_ns: u64,
    /// Simulated time after which the run is ended.
    pub timeout_ns: Option<u64>,
    /// Real time after which the run is ended.
    pub wall_timeout_ns: Option<u64>,
    /// Processors that the machine shows.
    pub cpus: u32,
    /// Memory that it has, in bytes.
    pub memory: u64,
    /// Scheduling strategy.
    pub strategy: Strategy,
    /// Scheduling choices that are forced, as (number, option).
    pub forced: Vec<(u64, u32)>,
    /// Loops that wait without a call, as (file, offset).
    pub yield_at: Vec<(Text, u64)>,
    /// Whether the preload library is there.
    pub preload: bool,
    /// Whether call sites are patched.
    pub patching: Patching,
    /// Host name.
    pub hostname: String,
    /// User and groups.
    pub identity: Identity,
    /// File mode creation mask.
    pub umask: u32,
    /// What times the host's files show.
    pub file_times: FileTimes,
    /// Bytes that are free on the machine's disk.
    pub disk: u64,
    /// What is injected.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// What is kept of the files that the run writes.
    pub capture: Capture,
    /// What the host's processor offers: programs choose their code by it.
    pub processor: Processor,
}

impl Pinned {
    /// What this plan depends on.
    pub fn of(plan: &Plan) -> Self {
        let Boot { seed, program, arguments, environment, directory, .. } = &plan.boot;
        let texts = |list: &[Vec<u8>]| list.iter().map(|item| Text(item.clone())).collect();
        Self {
            seed: *seed,
            command: texts(arguments),
            directory: Text(directory.clone()),
            program: Text(program.clone()),
            options: Options::of(plan),
            environment: texts(environment),
        }
    }

    /// The plan that it was.
    ///
    /// # Errors
    /// When a place to yield at is none any more.
    pub fn plan(&self) -> Result<Plan, Error> {
        let Options { yield_at, wall_timeout_ns, .. } = &self.options;
        let bytes = |list: &[Text]| list.iter().map(|item| item.0.clone()).collect();
        let yield_at: Vec<_> = yield_at
            .iter()
            .map(|(file, offset)| (PathBuf::from(file.as_os_str()), *offset))
            .collect();
        let boot = Boot {
            seed: self.seed,
            start_time_ns: self.options.start_time_ns,
            timeout_ns: self.options.timeout_ns,
            cpus: self.options.cpus,
            memory: self.options.memory,
            strategy: self.options.strategy,
            forced: self.options.forced.clone(),
            detail: Detail::Summary,
            hostname: self.options.hostname.clone(),
            identity: self.options.identity.clone(),
            program: self.program.0.clone(),
            arguments: bytes(&self.command),
            environment: bytes(&self.environment),
            directory: self.directory.0.clone(),
            umask: self.options.umask,
            file_times: self.options.file_times,
            processor: launch::processor(),
            preload: self.options.preload,
            patching: self.options.patching,
            searched: Vec::new(),
            disk: self.options.disk,
            faults: self.options.faults.clone(),
            // Doing it again changes nothing of the host's.
            capture: Capture { always: Vec::new(), ..self.options.capture.clone() },
            hidden: Vec::new(),
            waiting: yield_at.iter().map(waiting_loop).collect::<Result<_, _>>()?,
        };
        Ok(Plan { boot, yield_at, wall_timeout: wall_timeout_ns.map(Duration::from_nanos) })
    }
}

impl Options {
    fn of(plan: &Plan) -> Self {
        let boot = &plan.boot;
        Self {
            start_time_ns: boot.start_time_ns,
            timeout_ns: boot.timeout_ns,
            wall_timeout_ns: plan.wall_timeout.map(|timeout| timeout.as_nanos() as u64),
            cpus: boot.cpus,
            memory: boot.memory,
            strategy: boot.strategy,
            forced: boot.forced.clone(),
            yield_at: plan
                .yield_at
                .iter()
                .map(|(file, offset)| (file.clone().into_os_string().into(), *offset))
                .collect(),
            preload: boot.preload,
            patching: boot.patching,
            hostname: boot.hostname.clone(),
            identity: boot.identity.clone(),
            umask: boot.umask,
            file_times: boot.file_times,
            disk: boot.disk,
            faults: boot.faults.clone(),
            capture: boot.capture.clone(),
            processor: boot.processor,
        }
    }
}
