//! `/dev`.

use alloc::{
    string::{String, ToString},
    vec::Vec,
};

use super::{Device, Entry, Node};
use crate::kernel::Kernel;

const DEVICES: [(&str, Device); 7] = [
    ("full", Device::Full),
    ("null", Device::Null),
    ("ptmx", Device::TerminalMaker),
    ("random", Device::Random),
    ("tty", Device::Terminal),
    ("urandom", Device::Random),
    ("zero", Device::Zero),
];
const LINKS: [(&str, &str); 4] = [
    ("fd", "/proc/self/fd"),
    ("stderr", "/proc/self/fd/2"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
];

/// The node at a path below `/dev`.
pub fn lookup(kernel: &Kernel, path: &str) -> Option<Node> {
    if path.is_empty() {
        let mut entries: Vec<Entry> =
            DEVICES.iter().map(|(name, _)| Entry::device(*name)).collect();
        entries.extend(LINKS.iter().map(|(name, _)| Entry::link(*name)));
        entries.extend(["mqueue", "pts", "shm"].map(Entry::directory));
        entries.sort();
        return Some(Node::Directory(entries));
    }
    if let Some((_, device)) = DEVICES.iter().find(|(name, _)| *name == path) {
        return Some(Node::Device(*device));
    }
    if let Some((_, target)) = LINKS.iter().find(|(name, _)| *name == path) {
        return Some(Node::link(*target));
    }
    match path {
        "mqueue" => Some(Node::Directory(queues(kernel))),
        "pts" => Some(Node::Directory(terminals(kernel))),
        "pts/ptmx" => Some(Node::Device(Device::TerminalMaker)),
        _ => {
            let number = path.strip_prefix("pts/")?.parse().ok()?;
            kernel.terminals.get(number)?;
            Some(Node::Device(Device::PseudoTerminal(number)))
        }
    }
}

/// Message queues show only here: they are opened by mq_open(3).
fn queues(kernel: &Kernel) -> Vec<Entry> {
    let names = kernel.ipc.queues.keys();
    names.map(|name| Entry::file(String::from_utf8_lossy(name).into_owned())).collect()
}

fn terminals(kernel: &Kernel) -> Vec<Entry> {
    let numbers =
        kernel.terminals.iter().map(|terminal| Entry::device(terminal.number.to_string()));
    numbers.chain([Entry::device("ptmx")]).collect()
}
