//! The trees that show the simulated machine instead of the host: `/proc`, `/sys`, `/dev`.

use alloc::{rc::Rc, vec::Vec};

use crate::{kernel::Kernel, process::ThreadId};

/// A file that exists only in the simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A directory and its entries, sorted by name.
    Directory(Vec<Entry>),
    /// A regular file with these contents, made when it is opened.
    Text(Vec<u8>),
    /// A symbolic link.
    Link(Vec<u8>),
    /// A character device.
    Device(Device),
    /// A link to an open description of some process (`/proc/PID/fd/N`): opening it opens what it refers to.
    Description(DescriptionLink),
}

/// What a `/proc/PID/fd/N` leads to.
#[derive(Clone)]
pub struct DescriptionLink(pub Rc<crate::file::FileDescription>);

impl PartialEq for DescriptionLink {
    fn eq(&self, other: &Self) -> bool {
        Rc::ptr_eq(&self.0, &other.0)
    }
}
impl Eq for DescriptionLink {}
impl core::fmt::Debug for DescriptionLink {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "DescriptionLink({:?})", self.0.path.borrow())
    }
}

/// A name in a directory of a view.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// The name.
    pub name: Vec<u8>,
    /// `DT_*`.
    pub kind: u8,
}

/// A character device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Device {
    /// `/dev/null`.
    Null,
    /// `/dev/zero`.
    Zero,
    /// `/dev/full`.
    Full,
    /// `/dev/random` and `/dev/urandom`.
    Random,
    /// `/dev/tty`: the controlling terminal.
    Terminal,
    /// `/dev/ptmx`: makes a pseudo-terminal.
    TerminalMaker,
}

/// Whether a path, absolute and free of `..` and symbolic links, lies in a view, where the host has no say.
#[must_use]
pub fn covers(path: &[u8]) -> bool {
    [b"/proc".as_slice(), b"/sys", b"/dev"].iter().any(|root| {
        path.strip_prefix(*root).is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    })
}

/// The node at such a path, as the calling thread sees it; `None` if there is none.
#[must_use]
pub fn lookup(kernel: &Kernel, caller: ThreadId, path: &[u8]) -> Option<Node> {
    let _ = (kernel, caller);
    match path {
        b"/dev/null" => Some(Node::Device(Device::Null)),
        _ => None,
    }
}
