//! What is mounted in the tree besides the disk: file systems in memory.

use alloc::rc::Rc;

use linux_raw_sys::general as raw;
use simrun_abi::capture;

use super::{Attributes, Body, DISK, FileTime, Folder, Inode, Times, Tree};
use crate::{error::Result, fs::walk, host::Host};

/// Where memory that processes share by name is mounted.
const SHARED_MEMORY: &[u8] = b"/dev/shm";
/// Virtual devices, as `/proc/self/mountinfo` has them: 0:24 and 0:25.
const DEVICES: [u64; 2] = [24, 25];
/// The directory of what belongs to simrun.
pub(super) const OWN: &[u8] = b"/run/simrun";

/// A file system in memory.
#[derive(Debug)]
pub(super) struct Mount {
    /// Where it is.
    pub path: &'static [u8],
    /// Its root directory.
    pub root: Rc<Inode>,
}

/// All of them.
#[derive(Debug)]
pub(super) struct Mounts([Mount; 2]);

impl Mounts {
    /// All of them, empty, at the start of a run.
    pub fn new(started: FileTime) -> Self {
        let [shared_memory, artifacts] = DEVICES.map(|device| {
            let body = Body::Directory(Folder::default());
            let everyones = directory(raw::S_ISVTX | 0o777);
            Rc::new(Inode::new((device, 1), body, everyones, Times::all(started)))
        });
        Self([
            Mount { path: SHARED_MEMORY, root: shared_memory },
            Mount { path: capture::ARTIFACTS, root: artifacts },
        ])
    }

    /// Each of them.
    pub fn each(&self) -> impl Iterator<Item = &Mount> {
        self.0.iter()
    }

    /// What is mounted at a path.
    pub fn at(&self, path: &[u8]) -> Option<&Rc<Inode>> {
        self.each().find(|mount| mount.path == path).map(|mount| &mount.root)
    }

    /// What is mounted at a path or above it, and the rest of the path. `..` leads out of it.
    pub fn above<'a>(&self, path: &'a [u8]) -> Option<(&Rc<Inode>, &'a [u8])> {
        self.each().find_map(|mount| {
            let rest = path.strip_prefix(mount.path)?;
            let is_below = rest.is_empty() || rest.starts_with(b"/");
            (is_below && !rest.starts_with(b"/..")).then_some((&mount.root, rest))
        })
    }

    /// Forgets what does not outlive a machine without power. What was left for people is out of it already.
    pub fn forget_memory(&self) {
        let mut names = alloc::vec::Vec::new();
        if let Some(folder) = self.0[0].root.folder() {
            folder.for_each_known(|name, _| names.push(name.to_vec()));
            names.iter().for_each(|name| folder.remove(name));
        }
    }
}

/// A directory's attributes.
fn directory(permissions: u32) -> Attributes {
    Attributes { mode: raw::S_IFDIR | permissions, owner: 0, group: 0, links: 2, device: 0 }
}

impl Tree {
    /// Makes the directories on the disk in which artifacts are mounted: they are there, and no change of the run's.
    ///
    /// # Errors
    /// What the host says of its `/run`.
    pub(super) fn make_own(&self, host: &mut dyn Host, root: &Rc<Inode>) -> Result<()> {
        let name = walk::name(walk::parent(OWN));
        let Some(folder) = root.folder() else { return Ok(()) };
        let run = folder.get(self, host, name)?;
        let run = run.unwrap_or_else(|| self.show_directory(root, name));
        let own = self.show_directory(&run, walk::name(OWN));
        self.show_directory(&own, walk::name(capture::ARTIFACTS));
        Ok(())
    }

    /// An empty directory in another.
    fn show_directory(&self, parent: &Inode, name: &[u8]) -> Rc<Inode> {
        let made =
            self.make(DISK, Body::Directory(Folder::default()), directory(0o755), self.started);
        if let Some(folder) = parent.folder() {
            folder.show(name, Rc::clone(&made));
            parent.count_links(1);
        }
        made
    }
}
