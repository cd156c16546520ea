//! The root of `/proc`.

use alloc::{format, string::ToString, vec::Vec};

use super::{ipc, machine, process, settings};
use crate::{
    fs::views::{Entry, Node, fixed},
    kernel::Kernel,
    process::ThreadId,
};

/// The node at a path below `/proc`.
pub fn lookup(kernel: &Kernel, caller: ThreadId, path: &str) -> Option<Node> {
    let (first, rest) = path.split_once('/').unwrap_or((path, ""));
    match (first, rest) {
        ("", _) => Some(root(kernel)),
        ("self", "") => {
            Some(Node::link(kernel.process(kernel.thread(caller).process).pid.to_string()))
        }
        ("thread-self", "") => {
            let thread = kernel.thread(caller);
            let pid = kernel.process(thread.process).pid;
            Some(Node::link(format!("{pid}/task/{}", thread.tid)))
        }
        ("sys", rest) => settings::lookup(kernel, rest),
        ("mounts", "") => Some(Node::link("self/mounts")),
        ("net", "") => Some(Node::link("self/net")),
        ("sysvipc", rest) => ipc::lookup(kernel, rest),
        _ => match first.parse::<u32>() {
            Ok(number) => process::lookup(kernel, number, rest),
            Err(_) => fixed::find(kernel, "/proc", machine::FILES, path),
        },
    }
}

fn root(kernel: &Kernel) -> Node {
    let mut entries = fixed::entries(machine::FILES, "");
    entries.extend(["mounts", "net", "self", "thread-self"].map(Entry::link));
    entries.extend(["sys", "sysvipc"].map(Entry::directory));
    entries.sort();
    let processes = kernel.pids.keys().map(|pid| Entry::directory(pid.to_string()));
    Node::Directory(processes.chain(entries).collect::<Vec<_>>())
}
