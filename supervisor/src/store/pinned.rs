//! All that a run depends on but the content of files, so that it can be done again.

use std::{net::Ipv4Addr, path::PathBuf, time::Duration};

use serde::{Deserialize, Serialize};
use simrun_abi::{
    boot::{Boot, Detail, FileTimes, Identity, Patching, PlacedFile, Processor, Strategy, Streams},
    capture::Capture,
    faults::Fault,
    node::{Condition, Node, Role},
};

use super::text::Text;
use crate::{
    launch,
    plan::{Error, Plan, waiting_loop},
    sim::Described,
};

/// See the module.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Pinned {
    /// The master seed.
    pub seed: u64,
    /// What is shown as having been run: the simulation file, or the only machine's command with its arguments.
    pub command: Vec<Text>,
    /// The machines.
    pub nodes: Vec<PinnedNode>,
    /// The simulation file that describes the machines, if one does.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub described: Option<Described>,
    /// Files that machines find from the start.
    #[serde(default)]
    pub files: Vec<PinnedFile>,
    /// What else was asked for.
    pub options: Options,
}

/// A file that machines find from the start.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PinnedFile {
    /// Index of the machine; each of them, if none is said.
    pub node: Option<u16>,
    /// Its absolute path.
    pub path: Text,
    /// Its permissions.
    pub mode: u32,
    /// What is in it.
    pub content: Text,
}

impl PinnedFile {
    fn of(file: &PlacedFile) -> Self {
        let PlacedFile { node, path, mode, bytes } = file.clone();
        Self { node, path: Text(path), mode, content: Text(bytes) }
    }

    fn file(&self) -> PlacedFile {
        let Self { node, path, mode, content } = self.clone();
        PlacedFile { node, path: path.0, mode, bytes: content.0 }
    }
}

/// A machine and its program.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PinnedNode {
    /// Its name.
    pub name: String,
    /// Its host name.
    pub hostname: String,
    /// Further names that lead to it.
    pub names: Vec<String>,
    /// Its address.
    pub address: Ipv4Addr,
    /// Its tags.
    pub tags: Vec<String>,
    /// Processors that it shows.
    pub cpus: u32,
    /// Memory that it has, in bytes.
    pub memory: u64,
    /// Bytes that are free on its disk.
    pub disk: u64,
    /// Descriptors that a process may have open, if they are limited.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub descriptors: Option<u32>,
    /// How far its wall clock is ahead, in nanoseconds.
    pub clock_offset_ns: i64,
    /// The command and its arguments.
    pub command: Vec<Text>,
    /// The working directory.
    pub directory: Text,
    /// The program that the command names.
    pub program: Text,
    /// How long after its conditions hold it starts, in nanoseconds.
    pub start_delay_ns: u64,
    /// How long it may go on when the run ends, in nanoseconds.
    #[serde(default)]
    pub stop_grace_ns: u64,
    /// Whether it is told when no more faults happen.
    #[serde(default)]
    pub is_told_of_quiet: bool,
    /// What must hold before it starts.
    pub starts_when: Vec<Condition>,
    /// What its program is to the run.
    pub role: Role,
    /// The command's environment, as `KEY=VALUE`.
    pub environment: Vec<Text>,
}

impl PinnedNode {
    fn of(node: &Node) -> Self {
        Self {
            name: node.name.clone(),
            hostname: node.hostname.clone(),
            names: node.names.clone(),
            address: node.address.into(),
            tags: node.tags.clone(),
            cpus: node.cpus,
            memory: node.memory,
            disk: node.disk,
            descriptors: node.descriptors,
            clock_offset_ns: node.clock_offset_ns,
            command: texts(&node.arguments),
            directory: Text(node.directory.clone()),
            program: Text(node.program.clone()),
            start_delay_ns: node.start_delay_ns,
            stop_grace_ns: node.stop_grace_ns,
            is_told_of_quiet: node.is_told_of_quiet,
            starts_when: node.starts_when.clone(),
            role: node.role,
            environment: texts(&node.environment),
        }
    }

    fn node(&self) -> Node {
        Node {
            name: self.name.clone(),
            hostname: self.hostname.clone(),
            names: self.names.clone(),
            address: self.address.octets(),
            tags: self.tags.clone(),
            cpus: self.cpus,
            memory: self.memory,
            disk: self.disk,
            descriptors: self.descriptors,
            clock_offset_ns: self.clock_offset_ns,
            program: self.program.0.clone(),
            arguments: bytes(&self.command),
            environment: bytes(&self.environment),
            directory: self.directory.0.clone(),
            start_delay_ns: self.start_delay_ns,
            stop_grace_ns: self.stop_grace_ns,
            is_told_of_quiet: self.is_told_of_quiet,
            starts_when: self.starts_when.clone(),
            role: self.role,
        }
    }
}

fn texts(list: &[Vec<u8>]) -> Vec<Text> {
    list.iter().map(|item| Text(item.clone())).collect()
}

fn bytes(list: &[Text]) -> Vec<Vec<u8>> {
    list.iter().map(|item| item.0.clone()).collect()
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
    /// Where standard streams lead.
    pub streams: Streams,
    /// User and groups.
    pub identity: Identity,
    /// File mode creation mask.
    pub umask: u32,
    /// What times the host's files show.
    pub file_times: FileTimes,
    /// What is injected.
    #[serde(default)]
    pub faults: Vec<Fault>,
    /// When nothing is injected any more.
    #[serde(default)]
    pub quiet_when: Vec<Vec<Condition>>,
    /// What links are like all the time.
    #[serde(default)]
    pub links: Vec<Fault>,
    /// What is kept of the files that the run writes.
    pub capture: Capture,
    /// Paths that the run could not find, because runs are kept there.
    #[serde(default)]
    pub hidden: Vec<Text>,
    /// What the host's processor offers: programs choose their code by it.
    pub processor: Processor,
}

impl Pinned {
    /// What this plan depends on.
    pub fn of(plan: &Plan) -> Self {
        Self {
            seed: plan.boot.seed,
            command: match &plan.described {
                Some(described) => vec![b"sim"[..].into(), described.path.clone()],
                None => texts(&plan.boot.nodes[0].arguments),
            },
            described: plan.described.clone(),
            nodes: plan.boot.nodes.iter().map(PinnedNode::of).collect(),
            files: plan.boot.files.iter().map(PinnedFile::of).collect(),
            options: Options::of(plan),
        }
    }

    /// The plan that it was.
    ///
    /// # Errors
    /// When a place to yield at is none any more.
    pub fn plan(&self) -> Result<Plan, Error> {
        let Options { yield_at, wall_timeout_ns, .. } = &self.options;
        let yield_at: Vec<_> = yield_at
            .iter()
            .map(|(file, offset)| (PathBuf::from(file.as_os_str()), *offset))
            .collect();
        let boot = Boot {
            seed: self.seed,
            start_time_ns: self.options.start_time_ns,
            timeout_ns: self.options.timeout_ns,
            last_event: None,
            strategy: self.options.strategy,
            forced: self.options.forced.clone(),
            detail: Detail::Summary,
            nodes: self.nodes.iter().map(PinnedNode::node).collect(),
            streams: self.options.streams,
            identity: self.options.identity.clone(),
            umask: self.options.umask,
            file_times: self.options.file_times,
            processor: launch::processor(),
            preload: self.options.preload,
            patching: self.options.patching,
            searched: Vec::new(),
            faults: self.options.faults.clone(),
            quiet_when: self.options.quiet_when.clone(),
            links: self.options.links.clone(),
            // Doing it again changes nothing of the host's.
            capture: Capture { always: Vec::new(), ..self.options.capture.clone() },
            files: self.files.iter().map(PinnedFile::file).collect(),
            hidden: bytes(&self.options.hidden),
            waiting: yield_at.iter().map(waiting_loop).collect::<Result<_, _>>()?,
        };
        let wall_timeout = wall_timeout_ns.map(Duration::from_nanos);
        Ok(Plan { boot, yield_at, wall_timeout, described: self.described.clone() })
    }
}

impl Options {
    fn of(plan: &Plan) -> Self {
        let boot = &plan.boot;
        Self {
            start_time_ns: boot.start_time_ns,
            timeout_ns: boot.timeout_ns,
            wall_timeout_ns: plan.wall_timeout.map(|timeout| timeout.as_nanos() as u64),
            strategy: boot.strategy,
            forced: boot.forced.clone(),
            yield_at: plan
                .yield_at
                .iter()
                .map(|(file, offset)| (file.clone().into_os_string().into(), *offset))
                .collect(),
            preload: boot.preload,
            patching: boot.patching,
            streams: boot.streams,
            identity: boot.identity.clone(),
            umask: boot.umask,
            file_times: boot.file_times,
            faults: boot.faults.clone(),
            quiet_when: boot.quiet_when.clone(),
            links: boot.links.clone(),
            capture: boot.capture.clone(),
            hidden: texts(&boot.hidden),
            processor: boot.processor,
        }
    }
}
