//! From a simulation file to the machines that the kernel takes. What cannot be is found here.

use std::{
    ffi::{OsStr, OsString},
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use simrun_abi::{
    boot::PlacedFile,
    faults::Fault,
    node::{Condition, Milestone, Node, Restart as Again, Role},
};
use simrun_config::{
    Spanned, Wrong,
    units::{Time, Unit},
};

use super::{
    composed,
    draw::Draw,
    file::{Machine, Restart, SimulationFile},
    links, order, probe, references, topology,
    world::{Group, Kind, World},
};
use crate::{
    cli::units::{MEMORY_MAX, MEMORY_MIN},
    program::{Environment, find_program},
};

/// Most processors that a machine shows.
const PROCESSORS_MAX: u32 = 1024;
/// How many descriptors a process needs at least: its standard streams, and a few for what it starts.
const DESCRIPTORS_MIN: u32 = 16;
/// How many it may have at most (`fs.nr_open`).
const DESCRIPTORS_MAX: u32 = 1 << 20;
/// How much later a program starts again, unless the file says otherwise, in nanoseconds.
const RESTART_DELAY_NS: u64 = 100_000_000;

/// What the machines of a run are.
#[derive(Default)]
pub struct Machines {
    /// The machines.
    pub nodes: Vec<Node>,
    /// What they find there.
    pub files: Vec<PlacedFile>,
    /// What must have been so for faults to be over: all of any of these.
    pub quiet_when: Vec<Vec<Condition>>,
    /// What links are like.
    pub links: Vec<Fault>,
}

/// What holds where a file says nothing.
pub struct Base<'a> {
    /// Where working directories begin.
    pub directory: &'a Path,
    /// Processors, memory and disk.
    pub size: (u32, u64, u64),
    /// Variables that all have.
    pub environment: &'a Environment,
    /// Those of the seed alone.
    pub seed_variables: &'a Environment,
    /// simrun's own file.
    pub own: OsString,
}

/// The machines of a file for a seed.
///
/// # Errors
/// The first thing that cannot be.
pub fn machines(file: &SimulationFile, draw: Draw, base: &Base) -> Result<Machines, Wrong> {
    let world = World::new(file, draw)?;
    order::check_circles(&world)?;
    let mut nodes = Vec::new();
    for (index, group) in world.groups.iter().enumerate() {
        let shared = Shared::new(&world, index, base)?;
        for machine in world.members(index) {
            nodes.push(shared.node(&world, machine, group, draw, base)?);
        }
    }
    let files = vec![topology::file(&world, &nodes)];
    let links = links::faults(&file.links, &nodes)?;
    let probes: Vec<Node> = world
        .asked()
        .enumerate()
        .map(|(number, (asked, request))| {
            let like = &nodes[asked];
            let environment = base.seed_variables.encode();
            let probe = probe::machine(&world, asked, request, (number, &base.own), like);
            Node { environment, ..probe }
        })
        .collect();
    nodes.extend(probes);
    Ok(Machines { quiet_when: quiet_when(&world, file)?, nodes, files, links })
}

/// When faults are over: as the file says, and when all folders of commands have come so far.
fn quiet_when(world: &World, file: &SimulationFile) -> Result<Vec<Vec<Condition>>, Wrong> {
    let until = file.chaos.as_ref().and_then(|chaos| chaos.until.as_ref());
    let until = until.map(|until| order::reached_by(world, until)).transpose()?;
    let condition = |(index, _)| Condition {
        node: index as u16,
        reached: Milestone::Printed(composed::QUIET.as_bytes().to_vec()),
    };
    let all_composed: Vec<Condition> = world.composed().map(condition).collect();
    Ok(until.into_iter().chain((!all_composed.is_empty()).then_some(all_composed)).collect())
}

/// What the machines of a group have in common.
struct Shared {
    directory: PathBuf,
    starts_when: Vec<Condition>,
    role: Role,
    cpus: u32,
    memory: u64,
}

impl Shared {
    fn new(world: &World, index: usize, base: &Base) -> Result<Self, Wrong> {
        let group = &world.groups[index];
        let machine = group.machine;
        let (cpus, memory, _) = base.size;
        check_further_names(machine)?;
        within(machine.descriptors.as_ref(), 0, DESCRIPTORS_MIN..=DESCRIPTORS_MAX, |&most| most)?;
        Ok(Self {
            directory: match &machine.compose {
                Some(folder) => composed_folder(group, folder, base.directory)?,
                None => directory(machine, base.directory)?,
            },
            starts_when: order::conditions(world, index)?,
            role: role(group)?,
            cpus: within(machine.cpus.as_ref(), cpus, 1..=PROCESSORS_MAX, |&cpus| cpus)?,
            memory: within(machine.memory.as_ref(), memory, MEMORY_MIN..=MEMORY_MAX, |size| {
                size.number()
            })?,
        })
    }

    fn node(
        &self,
        world: &World,
        index: usize,
        group: &Group,
        draw: Draw,
        base: &Base,
    ) -> Result<Node, Wrong> {
        let (instance, machine) = (&world.instances[index], group.machine);
        let environment = environment(world, index, base.environment)?;
        let (program, words) = self.program(world, index, &environment, base)?;
        let is_numbered = instance.name != group.name.value;
        let hostname = match &machine.hostname {
            Some(name) if is_numbered => format!("{}-{}", name.value, instance.number),
            Some(name) => name.value.clone(),
            None => instance.name.clone(),
        };
        let together = is_numbered.then(|| group.name.value.clone());
        let further = machine.names.iter().map(|name| name.value.clone());
        Ok(Node {
            hostname,
            names: together.iter().cloned().chain(further).collect(),
            address: instance.address.octets(),
            // A fault finds all of a name by it.
            tags: machine.tags.iter().map(|tag| tag.value.clone()).chain(together).collect(),
            cpus: self.cpus,
            memory: self.memory,
            disk: machine.disk.as_ref().map_or(base.size.2, |size| size.number()),
            descriptors: machine.descriptors.as_ref().map(|most| most.value),
            clock_offset_ns: machine
                .clock
                .as_ref()
                .map_or(0, |offset| offset.draw(draw, &instance.name)),
            program: program.into_os_string().into_vec(),
            arguments: words.into_iter().map(String::into_bytes).collect(),
            environment: environment.encode(),
            directory: self.directory.clone().into_os_string().into_vec(),
            start_delay_ns: machine.delay.map_or(0, Time::number),
            stop_grace_ns: machine.stop_grace.as_ref().map_or(0, |grace| grace.number()),
            is_told_of_quiet: false,
            starts_when: self.starts_when.clone(),
            role: self.role,
            name: instance.name.clone(),
        })
    }
}

impl Shared {
    /// The program of a machine and its arguments.
    fn program(
        &self,
        world: &World,
        index: usize,
        environment: &Environment,
        base: &Base,
    ) -> Result<(PathBuf, Vec<String>), Wrong> {
        let group = world.group_of(&world.instances[index]);
        let command = match (&group.machine.command, &group.machine.compose) {
            (Some(command), None) => command,
            (Some(_), Some(folder)) => {
                return Err(folder.wrong("`command` and `compose` exclude each other"));
            }
            (None, Some(_)) => {
                let folder = self.directory.display().to_string();
                let others = world.composed().filter(|(other, _)| *other != index);
                let others = others.map(|(_, instance)| instance.address.to_string());
                let words = ["simrun".into(), "compose".into(), folder].into_iter().chain(others);
                return Ok((base.own.clone().into(), words.collect()));
            }
            (None, None) => {
                let name = group.name;
                let words = format!("`{}` has neither `command` nor `compose`", name.value);
                return Err(name.wrong(words));
            }
        };
        let words = command.0.iter().map(|word| references::replace(world, index, word));
        let words: Result<Vec<String>, String> = words.collect();
        let words = words.map_err(|words| command.wrong(words))?;
        let search = environment.get("PATH");
        let program = find_program(OsStr::new(&words[0]), &self.directory, search);
        Ok((program.map_err(|error| command.wrong(error.to_string()))?, words))
    }
}

/// A folder of commands, and whether it is one.
fn composed_folder(group: &Group, folder: &Spanned<String>, base: &Path) -> Result<PathBuf, Wrong> {
    if group.kind == Kind::Node {
        return Err(folder.wrong("`compose` is for workloads: its commands drive a test"));
    }
    let path = base.join(&folder.value);
    composed::commands(&path).map_err(|words| folder.wrong(words))?;
    path.canonicalize().map_err(|error| folder.wrong(format!("`{}`: {error}", folder.value)))
}

/// A number of the file in its bounds, or what holds without it.
fn within<T, N: PartialOrd + std::fmt::Display>(
    given: Option<&Spanned<T>>,
    default: N,
    bounds: std::ops::RangeInclusive<N>,
    number: impl Fn(&T) -> N,
) -> Result<N, Wrong> {
    let Some(given) = given else { return Ok(default) };
    let number = number(&given.value);
    if bounds.contains(&number) {
        Ok(number)
    } else {
        Err(given.wrong(format!("it is from {} to {}", bounds.start(), bounds.end())))
    }
}

fn directory(machine: &Machine, base: &Path) -> Result<PathBuf, Wrong> {
    let Some(cwd) = &machine.cwd else { return Ok(base.to_path_buf()) };
    let found = base.join(&cwd.value).canonicalize();
    let found = found.map_err(|error| cwd.wrong(format!("`{}`: {error}", cwd.value)))?;
    if found.is_dir() {
        Ok(found)
    } else {
        Err(cwd.wrong(format!("`{}` is no directory", cwd.value)))
    }
}

fn role(group: &Group) -> Result<Role, Wrong> {
    let machine = group.machine;
    let (restart, delay) = (&machine.restart, &machine.restart_delay);
    if group.kind == Kind::Workload {
        if let Some(grace) = &machine.stop_grace {
            return Err(grace.wrong("a workload is not stopped: the run ends with it"));
        }
        let at = restart.as_ref().map(|it| it.at).or(delay.as_ref().map(|it| it.at));
        return match at {
            None => Ok(Role::Workload),
            Some(at) => {
                Err(Wrong::new(at, "a workload does not start again: the run ends with it"))
            }
        };
    }
    let again = match restart.as_ref().map(|restart| restart.value) {
        None | Some(Restart::Never) => Again::Never,
        Some(Restart::OnFailure) => Again::OnFailure,
        Some(Restart::Always) => Again::Always,
    };
    if let (Again::Never, Some(delay)) = (again, delay) {
        return Err(delay.wrong("it never starts again: `restart` is missing"));
    }
    let delay_ns = delay.as_ref().map_or(RESTART_DELAY_NS, |delay| delay.number());
    Ok(Role::Service { restart: again, delay_ns })
}

fn environment(world: &World, index: usize, base: &Environment) -> Result<Environment, Wrong> {
    let instance = &world.instances[index];
    let group = world.group_of(instance);
    let mut environment = base.clone();
    environment.set(topology::VARIABLE, topology::PATH);
    environment.set(topology::OWN_NAME, &instance.name);
    if group.kind == Kind::Workload {
        // They come first.
        environment.set(topology::CLIENT_ID, &index.to_string());
    }
    for (name, value) in group.machine.env.iter().flat_map(|env| &env.0) {
        if name.is_empty() || name.contains('=') {
            return Err(name.wrong(format!("`{}` is no name of a variable", name.value)));
        }
        let value = references::replace(world, index, value).map_err(|words| value.wrong(words))?;
        environment.set(name, &value);
    }
    Ok(environment)
}

fn check_further_names(machine: &Machine) -> Result<(), Wrong> {
    for name in machine.names.iter().chain(&machine.hostname) {
        let plain = name.strip_prefix("*.").unwrap_or(name);
        let is_label = |label: &str| {
            !label.is_empty()
                && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-' || c == '_')
        };
        if !plain.split('.').all(is_label) {
            return Err(name.wrong(format!("`{}` is no name of a host", name.value)));
        }
    }
    Ok(())
}
