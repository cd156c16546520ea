//! From files of mocks to machines of a run.

use std::{
    env, fs, io,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
    time::Duration,
};

use simrun_abi::{
    boot::Boot,
    node::{Condition, Milestone, Node, Restart, Role},
};
use simrun_config::{Problem, spelling};
use simrun_mocks::{Chaos, Imported, Protocol, Service, import};

use super::trust;
use crate::{
    faults::{self, TOGETHER},
    program::Environment,
};

/// Why there are no mocks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("{}: the mocks cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// A file cannot be written.
    #[error("{}: the mocks cannot be written", .0.display())]
    Unwritable(PathBuf, #[source] io::Error),
    /// A file says what it cannot say.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// A file of another tool cannot be taken over.
    #[error("{}", .0.display())]
    Foreign(PathBuf, #[source] simrun_mocks::ImportError),
    /// Two services are the same machine.
    #[error("{}: there is a machine `{}` already", .0.display(), .1)]
    Twice(PathBuf, String),
    /// A mock is asked for what it has not, or has unasked.
    #[error("`{mock}` has no trouble `{trouble}` that may be asked for{hint}")]
    NoTrouble {
        /// The mock.
        mock: String,
        /// What it is asked for.
        trouble: String,
        /// The nearest that it has, in words.
        hint: String,
    },
    /// There are too many of them.
    #[error("there are more than {MOCKS_MAX} mocks")]
    TooMany,
    /// simrun does not know where it lies.
    #[error("simrun's own file cannot be found")]
    Own(#[source] io::Error),
}

/// How long a service may take to say what of what is expected is so.
const STOP_GRACE_NS: u64 = 10_000_000_000;
/// Most services of a run, by their addresses.
const MOCKS_MAX: usize = 254;
/// Where a project keeps its mocks; the second is Hoverfly's format.
const PROJECT_FILES: [&str; 2] = [".simrun/mocks.yaml", ".workers/external-mocks.json"];
/// What faults and reports find mocks by.
const TAG: &str = "mock";
/// How the arguments of a mock begin.
const ARGUMENTS: [&[u8]; 3] = [b"simrun", b"mocks", b"node"];

/// The files of a run: those that were asked for, or else those of the project that simrun is started in.
///
/// # Errors
/// When the current directory is gone.
pub fn files(asked: &[PathBuf], none: bool) -> io::Result<Vec<PathBuf>> {
    if none || !asked.is_empty() {
        return Ok(asked.into());
    }
    let here = env::current_dir()?;
    let found =
        |name: &str| here.ancestors().map(|above| above.join(name)).find(|path| path.is_file());
    Ok(PROJECT_FILES.into_iter().filter_map(found).collect())
}

/// The services of a file. One in JSON is of another tool.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(path: &Path) -> Result<Vec<Service>, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::Unreadable(path.into(), error))?;
    let shown = path.display().to_string();
    let folder = path.parent().unwrap_or(Path::new("."));
    let files = |name: &Path| fs::read(folder.join(name));
    if path.extension().is_some_and(|end| end == "json") {
        let imported = import(&shown, &text, None);
        let Imported { yaml, .. } = imported.map_err(|error| Error::Foreign(path.into(), error))?;
        return Ok(simrun_mocks::read(&shown, &yaml, &files)?);
    }
    Ok(simrun_mocks::read(&shown, &text, &files)?)
}

/// A service as a machine.
pub struct Machine {
    node: Node,
    /// What shows that it can be asked.
    ready: Vec<Milestone>,
}

/// What a service prints when it hears datagrams: that shows at no port.
pub const HEARS_DATAGRAMS: &str = "hears datagrams";

/// What shows that a service can be asked.
fn ready(service: &Service) -> Vec<Milestone> {
    let shows = |(port, protocol)| match protocol {
        Protocol::Udp => Milestone::Printed(HEARS_DATAGRAMS.into()),
        _ => Milestone::Listens(port),
    };
    let mut all: Vec<Milestone> = service.ports().map(shows).collect();
    // It says so once.
    all.dedup();
    all
}

/// The services of files as machines like those of a run; what they may be asked for happens only in this time.
///
/// # Errors
/// The first thing that is wrong.
pub fn read_all(
    files: &[PathBuf],
    nodes: &[Node],
    seed: u64,
    chaos: Chaos,
) -> Result<Vec<Machine>, Error> {
    let mut machines: Vec<Machine> = Vec::new();
    for path in files {
        let full = path.canonicalize().map_err(|error| Error::Unreadable(path.clone(), error))?;
        for service in read(path)? {
            let others = nodes.iter().chain(machines.iter().map(|machine| &machine.node));
            if others.into_iter().any(|node| node.name == service.name) {
                return Err(Error::Twice(path.clone(), service.name));
            }
            let number = machines.len() + 1;
            let mut node = machine(&service, &full, number, &nodes[0])?;
            node.environment = Environment::of_seed(seed).encode();
            for trouble in service.asked_troubles() {
                node.arguments.extend([OFFERS.to_vec(), trouble.as_bytes().to_vec()]);
            }
            let mut bound = |option: &[u8], time: Duration| {
                let time = time.as_nanos().to_string().into_bytes();
                node.arguments.extend([option.to_vec(), time]);
            };
            if !chaos.opens.is_zero() {
                bound(b"--opens", chaos.opens);
            }
            if let Some(closes) = chaos.closes {
                bound(b"--closes", closes);
            }
            machines.push(Machine { node, ready: ready(&service) });
        }
    }
    Ok(machines)
}

/// Before the name of a trouble that a mock may be asked for.
const OFFERS: &[u8] = b"--offers";
/// Before the name of a trouble that it is asked for.
const TROUBLE: &[u8] = b"--trouble";

/// What of the name of a fault may be that of a trouble, as in `payments/ambiguous`, if this is its mock.
fn asked_of<'a>(node: &Node, name: &'a str) -> Option<&'a str> {
    name.strip_prefix(node.name.as_str())?.strip_prefix('/').filter(|_| is_own(node))
}

/// The troubles that a mock may be asked for.
fn offers_of(node: &Node) -> impl Iterator<Item = &[u8]> {
    node.arguments.windows(2).filter(|pair| pair[0] == OFFERS).map(|pair| pair[1].as_slice())
}

/// The trouble that a name is for, if this is its mock.
fn offered<'a>(node: &Node, name: &'a str) -> Option<&'a str> {
    let trouble = asked_of(node, name)?;
    offers_of(node).any(|known| known == trouble.as_bytes()).then_some(trouble)
}

/// Whether the name of a fault is that of a trouble that some mock may be asked for.
pub fn offers(nodes: &[Node], name: &str) -> bool {
    nodes.iter().any(|node| offered(node, name).is_some())
}

/// Those of the names of faults that are not for mocks.
///
/// # Errors
/// When one is for a mock that cannot be asked for it.
pub fn of_files(nodes: &[Node], mut names: Vec<String>) -> Result<Vec<String>, Error> {
    names.retain(|name| !offers(nodes, name));
    for name in names.iter().filter(|name| !faults::ends_like_file(name)) {
        let found = of(nodes).find_map(|node| Some((node, asked_of(node, name)?)));
        if let Some((node, trouble)) = found {
            let known: Vec<_> = offers_of(node).map(String::from_utf8_lossy).collect();
            let hint = spelling::hint(trouble, known.iter().map(|known| known.as_ref()));
            return Err(Error::NoTrouble {
                mock: node.name.clone(),
                trouble: trouble.into(),
                hint,
            });
        }
    }
    Ok(names)
}

/// Asks mocks for those of these faults that are troubles of theirs, and for no others.
pub fn ask(nodes: &mut [Node], models: &[String]) {
    for node in nodes.iter_mut().filter(|node| is_own(node)) {
        if let Some(at) = node.arguments.iter().position(|word| word == TROUBLE) {
            node.arguments.truncate(at);
        }
        let names = models.iter().flat_map(|model| model.split(TOGETHER));
        let asked: Vec<&str> = names.filter_map(|name| offered(node, name)).collect();
        for trouble in asked {
            node.arguments.extend([TROUBLE.to_vec(), trouble.as_bytes().to_vec()]);
        }
    }
}

/// Has these machines in a run. The others start when they listen, and trust them.
pub fn join(boot: &mut Boot, machines: Vec<Machine>) {
    if machines.is_empty() {
        return;
    }
    let others = boot.nodes.len();
    for Machine { node, ready } in machines {
        let index = boot.nodes.len() as u16;
        for other in &mut boot.nodes[..others] {
            let reached = ready.iter().cloned();
            other.starts_when.extend(reached.map(|reached| Condition { node: index, reached }));
        }
        boot.nodes.push(node);
    }
    trust::establish(boot, others);
}

/// Has the machines of another run of the same file in this one.
pub fn join_again(boot: &mut Boot, from: &Boot) {
    let mocks = from.nodes.iter().enumerate().filter(|(_, node)| is_own(node));
    let machines = mocks.map(|(index, node)| {
        let waited_for =
            from.nodes[0].starts_when.iter().filter(|wanted| usize::from(wanted.node) == index);
        let ready = waited_for.map(|wanted| wanted.reached.clone());
        Machine { node: node.clone(), ready: ready.collect() }
    });
    join(boot, machines.collect());
}

/// Has the programs of a run trust the mocks that it has, after its seed has become another.
pub fn renew(boot: &mut Boot) {
    let others = boot.nodes.len() - of(&boot.nodes).count();
    if others < boot.nodes.len() {
        trust::establish(boot, others);
    }
}

/// Whether a machine with these tags stands in for a service.
pub fn is_mock(tags: &[String]) -> bool {
    tags.iter().any(|tag| tag == TAG)
}

/// The mocks among the machines of a run.
pub fn of(nodes: &[Node]) -> impl Iterator<Item = &Node> {
    nodes.iter().filter(|node| is_own(node))
}

fn is_own(node: &Node) -> bool {
    node.arguments.iter().map(Vec::as_slice).take(ARGUMENTS.len()).eq(ARGUMENTS)
}

/// The machine of a service; `number` counts from one.
fn machine(service: &Service, file: &Path, number: usize, like: &Node) -> Result<Node, Error> {
    let last = u8::try_from(number).ok().filter(|_| number <= MOCKS_MAX).ok_or(Error::TooMany)?;
    let own = env::current_exe().map_err(Error::Own)?.into_os_string().into_vec();
    let words = [file.as_os_str().to_owned().into_vec(), service.name.clone().into_bytes()];
    Ok(Node {
        name: service.name.clone(),
        hostname: service.name.clone(),
        names: service.hosts.clone(),
        address: [10, 0, 2, last],
        clock_offset_ns: 0,
        arguments: ARGUMENTS.into_iter().map(<[u8]>::to_vec).chain(words).collect(),
        program: own,
        directory: b"/".to_vec(),
        tags: vec![TAG.into()],
        starts_when: Vec::new(),
        start_delay_ns: 0,
        stop_grace_ns: STOP_GRACE_NS,
        is_told_of_quiet: true,
        role: Role::Service { restart: Restart::Never, delay_ns: 0 },
        ..like.clone()
    })
}
