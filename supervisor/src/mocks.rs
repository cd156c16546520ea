//! Services that stand in for others, as machines of a run.

use std::{
    env, fs, io,
    os::unix::ffi::OsStringExt,
    path::{Path, PathBuf},
};

use simrun_abi::node::{Condition, Milestone, Node, Restart, Role};
use simrun_config::Problem;
use simrun_mocks::Service;

/// Why there are no mocks.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file cannot be read.
    #[error("{}: the mocks cannot be read", .0.display())]
    Unreadable(PathBuf, #[source] io::Error),
    /// A file says what it cannot say.
    #[error(transparent)]
    Problem(#[from] Problem),
    /// Two services are the same machine.
    #[error("{}: there is a machine `{}` already", .0.display(), .1)]
    Twice(PathBuf, String),
    /// There are too many of them.
    #[error("there are more than {MOCKS_MAX} mocks")]
    TooMany,
    /// simrun does not know where it lies.
    #[error("simrun's own file cannot be found")]
    Own(#[source] io::Error),
}

/// Most services of a run, by their addresses.
const MOCKS_MAX: usize = 254;

/// The services of a file.
///
/// # Errors
/// The first thing that is wrong.
pub fn read(path: &Path) -> Result<Vec<Service>, Error> {
    let text = fs::read_to_string(path).map_err(|error| Error::Unreadable(path.into(), error))?;
    Ok(simrun_mocks::read(&path.display().to_string(), &text)?)
}

/// Has the services of these files as further machines of a run; its programs start when they listen.
///
/// # Errors
/// The first thing that is wrong.
pub fn join(
    nodes: &mut Vec<Node>,
    files: &[PathBuf],
    environment: &[Vec<u8>],
) -> Result<(), Error> {
    let workloads = nodes.len();
    for path in files {
        let full = path.canonicalize().map_err(|error| Error::Unreadable(path.clone(), error))?;
        for service in read(path)? {
            if nodes.iter().any(|node| node.name == service.name) {
                return Err(Error::Twice(path.clone(), service.name));
            }
            let number = nodes.len() - workloads + 1;
            let node = Node {
                environment: environment.to_vec(),
                ..machine(&service, &full, number, &nodes[0])?
            };
            let index = u16::try_from(nodes.len()).map_err(|_| Error::TooMany)?;
            let listens = service
                .ports
                .iter()
                .map(|&(port, _)| Condition { node: index, reached: Milestone::Listens(port) });
            let listens: Vec<_> = listens.collect();
            for workload in &mut nodes[..workloads] {
                workload.starts_when.extend(listens.iter().cloned());
            }
            nodes.push(node);
        }
    }
    Ok(())
}

/// The machine of a service; `number` counts from one.
fn machine(service: &Service, file: &Path, number: usize, like: &Node) -> Result<Node, Error> {
    let last = u8::try_from(number).ok().filter(|_| number <= MOCKS_MAX).ok_or(Error::TooMany)?;
    let own = env::current_exe().map_err(Error::Own)?.into_os_string().into_vec();
    let words = [b"mocks".to_vec(), b"node".to_vec(), file.as_os_str().to_owned().into_vec()];
    Ok(Node {
        name: service.name.clone(),
        hostname: service.name.clone(),
        names: service.hosts.clone(),
        address: [10, 0, 2, last],
        arguments: [b"simrun".to_vec()]
            .into_iter()
            .chain(words)
            .chain([service.name.clone().into_bytes()])
            .collect(),
        program: own,
        directory: b"/".to_vec(),
        tags: vec!["mock".into()],
        starts_when: Vec::new(),
        start_delay_ns: 0,
        role: Role::Service { restart: Restart::Never, delay_ns: 0 },
        ..like.clone()
    })
}
