//! Machines that ask others over HTTP whether they are ready, and end when they are.

use std::{ffi::OsString, net::Ipv4Addr, os::unix::ffi::OsStringExt};

use simrun_abi::node::{Condition, Milestone, Node, Restart, Role};

use super::{file::Request, world::World};

/// What their names begin with; no name of a file has a dot.
pub const PREFIX: &str = "probe.";
/// How much later one starts again that something has ended.
const AGAIN_NS: u64 = 100_000_000;

/// The machine that asks; `number` counts from zero.
pub fn machine(
    world: &World,
    asked: usize,
    request: &Request,
    (number, own): (usize, &OsString),
    like: &Node,
) -> Node {
    let instance = &world.instances[asked];
    let path = request.path.as_ref().map_or("/", |path| path.value.as_str());
    let words = ["simrun", "probe", &instance.address.to_string(), &request.port.to_string(), path];
    let name = format!("{PREFIX}{}", instance.name);
    Node {
        hostname: name.clone(),
        name,
        names: Vec::new(),
        address: Ipv4Addr::new(10, 0, 3, number as u8 + 1).octets(),
        tags: vec!["probe".into()],
        clock_offset_ns: 0,
        program: own.clone().into_vec(),
        arguments: words.map(|word| word.as_bytes().to_vec()).to_vec(),
        directory: b"/".to_vec(),
        start_delay_ns: 0,
        starts_when: vec![Condition { node: asked as u16, reached: Milestone::Started }],
        role: Role::Service { restart: Restart::OnFailure, delay_ns: AGAIN_NS },
        ..like.clone()
    }
}
