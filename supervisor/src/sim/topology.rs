//! What programs are told of each other: a file that each machine finds at the same place.

use serde::Serialize;
use simrun_abi::{
    boot::PlacedFile,
    node::{Milestone, Node},
};

use super::{
    file::Ready,
    world::{Kind, World},
};

/// Where it is.
pub const PATH: &str = "/run/simrun/topology.json";
/// The variable that says so.
pub const VARIABLE: &str = "SIMRUN_TOPOLOGY";
/// The variable that names the machine itself.
pub const OWN_NAME: &str = "SIMRUN_NODE";
/// The variable with the number of a workload.
pub const CLIENT_ID: &str = "SIMRUN_CLIENT_ID";

#[derive(Serialize)]
struct Topology<'a> {
    machines: Vec<Peer<'a>>,
}

#[derive(Serialize)]
struct Peer<'a> {
    name: &'a str,
    /// The name that it shares with others like it.
    group: &'a str,
    role: &'static str,
    /// Of a workload only.
    #[serde(skip_serializing_if = "Option::is_none")]
    client_id: Option<usize>,
    address: String,
    hostname: &'a str,
    names: &'a [String],
    tags: Vec<&'a str>,
    /// Those that somebody waits for.
    ports: Vec<u16>,
}

/// The file; `nodes` are the machines of the world.
pub fn file(world: &World, nodes: &[Node]) -> PlacedFile {
    let machines =
        world.instances.iter().zip(nodes).enumerate().map(|(index, (instance, node))| {
            let group = world.group_of(instance);
            let is_workload = group.kind == Kind::Workload;
            Peer {
                name: &node.name,
                group: &group.name.value,
                role: if is_workload { "workload" } else { "node" },
                client_id: is_workload.then_some(index),
                address: instance.address.to_string(),
                hostname: &node.hostname,
                names: &node.names,
                tags: group.machine.tags.iter().map(|tag| tag.value.as_str()).collect(),
                ports: ports(nodes, index, group.machine.ready.as_ref().map(|ready| &ready.value)),
            }
        });
    let topology = Topology { machines: machines.collect() };
    let mut bytes = serde_json::to_vec_pretty(&topology).expect("names and numbers");
    bytes.push(b'\n');
    PlacedFile { node: None, path: PATH.into(), mode: 0o444, bytes }
}

/// The ports at which somebody waits for a machine to listen.
fn ports(nodes: &[Node], of: usize, ready: Option<&Ready>) -> Vec<u16> {
    let conditions = nodes.iter().flat_map(|node| &node.starts_when);
    let own = conditions.filter(|condition| usize::from(condition.node) == of);
    let mut ports: Vec<u16> = own
        .filter_map(|condition| match condition.reached {
            Milestone::Listens(port) => Some(port),
            _ => None,
        })
        .collect();
    if let Some(Ready::Answers(request)) = ready {
        ports.push(request.port);
    }
    ports.sort_unstable();
    ports.dedup();
    ports
}
