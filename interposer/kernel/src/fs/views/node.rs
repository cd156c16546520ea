//! What a path of a view leads to.

use alloc::{rc::Rc, string::String, vec::Vec};

use linux_raw_sys::general as raw;

use crate::process::ProcessId;

/// A file that exists only in the simulation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// A directory and its entries, sorted by name.
    Directory(Vec<Entry>),
    /// A regular file with these contents, made when it is opened.
    Text(Vec<u8>),
    /// As `Text`, and its owner may write to it.
    Setting(Vec<u8>),
    /// A symbolic link.
    Link(Vec<u8>),
    /// The memory of a process (`/proc/PID/mem`).
    Memory(ProcessId),
    /// A link to an open description of some process (`/proc/PID/fd/N`): opening it opens what it refers to.
    Description(DescriptionLink),
}

impl Node {
    /// A regular file with this text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into().into_bytes())
    }

    /// A symbolic link to this path.
    #[must_use]
    pub fn link(target: impl Into<String>) -> Self {
        Self::Link(target.into().into_bytes())
    }

    /// Its `DT_*`.
    #[must_use]
    pub fn kind(&self) -> u8 {
        let kind = match self {
            Self::Directory(_) => raw::DT_DIR,
            Self::Text(_) | Self::Setting(_) | Self::Memory(_) => raw::DT_REG,
            Self::Link(_) | Self::Description(_) => raw::DT_LNK,
        };
        kind as u8
    }
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
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Entry {
    /// The name.
    pub name: Vec<u8>,
    /// `DT_*`.
    pub kind: u8,
}

impl Entry {
    /// A directory.
    #[must_use]
    pub fn directory(name: impl Into<String>) -> Self {
        Self { name: name.into().into_bytes(), kind: raw::DT_DIR as u8 }
    }

    /// A regular file.
    #[must_use]
    pub fn file(name: impl Into<String>) -> Self {
        Self { name: name.into().into_bytes(), kind: raw::DT_REG as u8 }
    }

    /// A symbolic link.
    #[must_use]
    pub fn link(name: impl Into<String>) -> Self {
        Self { name: name.into().into_bytes(), kind: raw::DT_LNK as u8 }
    }
}
