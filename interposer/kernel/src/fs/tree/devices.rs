//! `/dev`: files in memory like any others, and there from the start.

use alloc::{format, rc::Rc};

use linux_raw_sys::general as raw;

use super::{Attributes, Body, FileTime, Folder, Inode, Times, Tree, mounts::Mount};
use crate::{
    error::{Errno, Result},
    file::{device_number, terminal_device},
    fs::walk,
    machine::Env,
    process::Credentials,
};

/// Where devices are.
pub(super) const DEVICES: &[u8] = b"/dev";
/// Where pseudo-terminals are (Documentation/filesystems/devpts.rst).
pub(super) const TERMINALS: &[u8] = b"/dev/pts";

/// Who may use terminals of others: Debian's `tty` (`gid=5,mode=620` of mount(8)).
const TERMINAL_GROUP: u32 = 5;
const TERMINAL_PERMISSIONS: u32 = 0o620;
/// Numbers of inodes below are the directory's and `ptmx`'s (fs/devpts/inode.c).
const TERMINALS_FIRST: u64 = 3;

/// What a name leads to.
enum Placed {
    Device(u64, u64),
    Link(&'static [u8]),
    /// A directory that something covers.
    Directory,
}

const MAKER: Placed = Placed::Device(5, 2);

const IN_DEVICES: [(&str, Placed); 14] = [
    ("fd", Placed::Link(b"/proc/self/fd")),
    ("full", Placed::Device(1, 7)),
    ("mqueue", Placed::Directory),
    ("null", Placed::Device(1, 3)),
    ("ptmx", MAKER),
    ("pts", Placed::Directory),
    ("random", Placed::Device(1, 8)),
    ("shm", Placed::Directory),
    ("stderr", Placed::Link(b"/proc/self/fd/2")),
    ("stdin", Placed::Link(b"/proc/self/fd/0")),
    ("stdout", Placed::Link(b"/proc/self/fd/1")),
    ("tty", Placed::Device(5, 0)),
    ("urandom", Placed::Device(1, 9)),
    ("zero", Placed::Device(1, 5)),
];
const IN_TERMINALS: [(&str, Placed); 1] = [("ptmx", MAKER)];

/// Puts there what the machine finds at its start.
pub(super) fn fill(mount: &Mount, started: FileTime) {
    let all: &[_] = if mount.path == TERMINALS { &IN_TERMINALS } else { &IN_DEVICES };
    let Some(folder) = mount.root.folder() else { return };
    for (number, (name, placed)) in (mount.root.number + 1..).zip(all) {
        let (body, mode, links, device) = match *placed {
            Placed::Device(major, minor) => {
                (Body::Special, raw::S_IFCHR | 0o666, 1, device_number(major, minor))
            }
            Placed::Link(target) => (Body::Link(target.into()), raw::S_IFLNK | 0o777, 1, 0),
            Placed::Directory => {
                mount.root.count_links(1);
                (Body::Directory(Folder::default()), raw::S_IFDIR | 0o755, 2, 0)
            }
        };
        let attributes = Attributes { mode, owner: 0, group: 0, links, device };
        let times = Times::all(started);
        let file = Inode::new((mount.root.device, number), body, attributes, times);
        folder.show(name.as_bytes(), Rc::new(file));
    }
}

impl Tree {
    fn terminals(&self) -> Result<&Rc<Inode>> {
        self.mounts.at(TERMINALS).ok_or(Errno::ENOENT.into())
    }

    /// The file of the terminal with this number.
    ///
    /// # Errors
    /// `ENOENT`.
    pub fn terminal(&self, number: u32) -> Result<Rc<Inode>> {
        let file = self.terminals()?.folder().and_then(|folder| folder.known(&name(number)));
        file.ok_or(Errno::ENOENT.into())
    }

    /// Takes away the file of a terminal whose master is closed; who has it open keeps it.
    pub fn remove_terminal(&self, number: u32) {
        let removed = name(number);
        if let Ok(file) = self.terminal(number) {
            file.count_links(-1);
        }
        if let Some(folder) = self.terminals().ok().and_then(|terminals| terminals.folder()) {
            folder.hide(|name| name == removed.as_slice());
        }
        self.remove_opened(&walk::child(TERMINALS, &removed));
    }

    /// Whether a file is on the file system of terminals.
    #[must_use]
    pub fn is_of_terminals(&self, file: &Inode) -> bool {
        self.terminals().is_ok_and(|terminals| terminals.device == file.device)
    }
}

impl Env<'_> {
    /// Makes the file of the terminal with this number: it is its maker's.
    ///
    /// # Errors
    /// `ENOENT` where there is no such file system.
    pub fn make_terminal(&mut self, caller: &Credentials, number: u32) -> Result<()> {
        let (tree, now) = (self.tree(), self.file_time());
        let terminals = tree.terminals()?;
        let attributes = Attributes {
            mode: raw::S_IFCHR | TERMINAL_PERMISSIONS,
            owner: caller.fsuid,
            group: TERMINAL_GROUP,
            links: 1,
            device: terminal_device(number),
        };
        let numbers = (terminals.device, TERMINALS_FIRST + u64::from(number));
        let file = Inode::new(numbers, Body::Special, attributes, Times::all(now));
        if let Some(folder) = terminals.folder() {
            folder.show(&name(number), Rc::new(file));
        }
        Ok(())
    }
}

fn name(number: u32) -> alloc::vec::Vec<u8> {
    format!("{number}").into_bytes()
}
