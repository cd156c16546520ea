//! From a path to its node.

use alloc::{string::String, vec::Vec};

use super::{Entry, Node, proc, sys};
use crate::{kernel::Kernel, net::dns, process::ThreadId};

fn is_below(path: &[u8], root: &[u8]) -> bool {
    path.strip_prefix(root).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
}

/// Where views are.
const ROOTS: [&[u8]; 3] = [b"/proc", b"/sys", b"/dev/mqueue"];

/// Whether a path, absolute and free of `..` and symbolic links, lies in a view, where the host has no say.
#[must_use]
pub fn covers(path: &[u8]) -> bool {
    // Each step of each walk asks: most paths begin otherwise.
    if !matches!(path, [b'/', b'p' | b's' | b'd' | b'e', ..]) {
        return false;
    }
    root(path).is_some() || is_resolver_file(path)
}

/// The view that holds a path; nothing for the host's tree.
#[must_use]
pub fn root(path: &[u8]) -> Option<&'static [u8]> {
    ROOTS.into_iter().find(|root| is_below(path, root))
}

/// Whether the link at a path of a view leads to an object and not to a name (proc(5), `/proc/pid/exe`).
#[must_use]
pub fn is_magic(path: &[u8]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next();
    let is_one = matches!(name, Some(b"cwd" | b"exe" | b"root"));
    is_one && matches!(path.strip_prefix(b"/proc/"), Some([b'0'..=b'9', ..]))
}

/// Whether a path is one of the few of `/etc` that say what machines are called.
fn is_resolver_file(path: &[u8]) -> bool {
    path.strip_prefix(b"/etc/")
        .and_then(|name| core::str::from_utf8(name).ok())
        .is_some_and(dns::is_file)
}

/// The node at such a path, as the calling thread sees it; `None` if there is none.
#[must_use]
pub fn lookup(kernel: &Kernel, caller: ThreadId, path: &[u8]) -> Option<Node> {
    let path = core::str::from_utf8(path).ok()?;
    let (root, rest) = match path[1..].split_once('/') {
        Some((root, rest)) => (root, rest),
        None => (&path[1..], ""),
    };
    match root {
        "proc" => proc::lookup(kernel, caller, rest),
        "sys" => sys::lookup(kernel, rest),
        "etc" => dns::file(rest, &kernel.machine.config.hostname, &kernel.network).map(Node::Text),
        "dev" => (rest == "mqueue").then(|| Node::Directory(queues(kernel))),
        _ => None,
    }
}

/// Message queues show only here: they are opened by mq_open(3).
fn queues(kernel: &Kernel) -> Vec<Entry> {
    let names = kernel.ipc.queues.keys();
    names.map(|name| Entry::file(String::from_utf8_lossy(name).into_owned())).collect()
}
