//! What is mounted in the tree besides the disk: file systems in memory.

use alloc::rc::Rc;

use linux_raw_sys::general as raw;
use simrun_abi::capture;

use super::{Attributes, Body, DISK, FileTime, Folder, Inode, Times, Tree, devices};
use crate::{error::Result, fs::walk, host::Host};

/// The directory of what belongs to simrun.
pub(super) const OWN: &[u8] = b"/run/simrun";

/// What happens to the files of a file system in memory at the end of a run, and when its machine loses power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Keeping {
    /// They are told of like all others, and do not outlive the machine.
    Told,
    /// They are the run's results, and are out of the machine already.
    Results,
    /// They are the machine's, and the machine makes them anew.
    Machines,
}

/// A file system in memory.
#[derive(Debug)]
pub(super) struct Mount {
    /// Where it is.
    pub path: &'static [u8],
    /// Its root directory.
    pub root: Rc<Inode>,
    keeping: Keeping,
}

impl Mount {
    /// Whether the run's changes there are told of at its end.
    pub fn is_told(&self) -> bool {
        self.keeping != Keeping::Machines
    }
}

/// All of them; what is mounted below another comes before it.
#[derive(Debug)]
pub(super) struct Mounts([Mount; 4]);

impl Mounts {
    /// All of them, as they are at the start of a run.
    pub fn new(started: FileTime) -> Self {
        let mount = |path, device, folder, permissions, keeping| {
            let body = Body::Directory(folder);
            let root = Inode::new((device, 1), body, directory(permissions), Times::all(started));
            Mount { path, root: Rc::new(root), keeping }
        };
        let everyones = raw::S_ISVTX | 0o777;
        // Virtual devices, as `/proc/self/mountinfo` has them: 0:24 and 0:25.
        let mounts = Self([
            mount(b"/dev/shm", 24, Folder::default(), everyones, Keeping::Told),
            mount(devices::TERMINALS, 23, Folder::fixed(), 0o755, Keeping::Machines),
            mount(devices::DEVICES, 5, Folder::default(), 0o755, Keeping::Machines),
            mount(capture::ARTIFACTS, 25, Folder::default(), everyones, Keeping::Results),
        ]);
        mounts.make_devices(started);
        mounts
    }

    fn make_devices(&self, started: FileTime) {
        for mount in self.each().filter(|mount| mount.keeping == Keeping::Machines) {
            devices::fill(mount, started);
        }
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

    /// Forgets what does not outlive a machine without power.
    pub fn forget_memory(&self, started: FileTime) {
        let forgets = |mount: &&Mount| mount.keeping != Keeping::Results;
        for mount in self.each().filter(forgets) {
            if let Some(folder) = mount.root.folder() {
                folder.hide(|_| true);
                mount.root.update(|attributes| attributes.links = EMPTY_LINKS);
            }
        }
        self.make_devices(started);
    }
}

/// Names of a directory without others in it.
const EMPTY_LINKS: u64 = 2;

/// A directory's attributes.
fn directory(permissions: u32) -> Attributes {
    Attributes {
        mode: raw::S_IFDIR | permissions,
        owner: 0,
        group: 0,
        links: EMPTY_LINKS,
        device: 0,
    }
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

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use super::*;

    #[test]
    fn a_machine_that_has_lost_power_finds_what_it_found_at_first() {
        let shown = |mounts: &Mounts| -> Vec<_> {
            let each = |mount: &Mount| {
                let mut names = Vec::new();
                let folder = mount.root.folder().expect("a directory");
                folder.for_each_known(|name, _| names.push(name.to_vec()));
                (mount.path, mount.root.attributes().links, names)
            };
            mounts.each().map(each).collect()
        };
        let mounts = Mounts::new(0);
        let before = shown(&mounts);
        mounts.forget_memory(0);
        assert_eq!(shown(&mounts), before);
        assert!(before.iter().any(|(path, links, _)| *path == b"/dev" && *links == 5));
    }
}
