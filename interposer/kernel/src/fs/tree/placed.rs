//! Files that are there from the start, whatever the host has.

use alloc::{rc::Rc, vec::Vec};

use linux_raw_sys::general as raw;
use simrun_abi::{boot::PlacedFile, node_faults::TimeZone};

use super::{Body, Contents, DISK, Folder, Inode, Tree};
use crate::{
    error::{Errno, Result},
    fs::Attributes,
    host::Host,
};

/// Permissions of the directories that are missing.
const DIRECTORY_MODE: u32 = 0o755;

impl Tree {
    /// Puts files there, the first time.
    ///
    /// # Errors
    /// `ENOTDIR`, what the host fails with.
    pub fn place<'a>(
        &self,
        host: &mut dyn Host,
        files: impl Iterator<Item = &'a PlacedFile>,
        zone: Option<&TimeZone>,
    ) -> Result<()> {
        if self.placed.get().is_some() {
            return Ok(());
        }
        let mut placed = Vec::new();
        if let Some(zone) = zone {
            self.place_zone(host, zone, &mut placed)?;
        }
        for file in files {
            let (at, name) = self.make_way(host, &file.path, &mut placed)?;
            let contents = Contents::empty();
            contents.write(host, &file.bytes, 0)?;
            let mode = raw::S_IFREG | file.mode;
            self.put(&at, name, (mode, 1), Body::Regular(contents), &mut placed)?;
        }
        let _ = self.placed.set(placed);
        Ok(())
    }

    /// Puts there what says in which time zone the machine is (localtime(5)).
    fn place_zone(
        &self,
        host: &mut dyn Host,
        zone: &TimeZone,
        placed: &mut Vec<Rc<Inode>>,
    ) -> Result<()> {
        let (at, name) = self.make_way(host, b"/etc/localtime", placed)?;
        let (mode, body) = match &zone.file {
            Some(bytes) => {
                let contents = Contents::empty();
                contents.write(host, bytes, 0)?;
                (raw::S_IFREG | 0o644, Body::Regular(contents))
            }
            None => {
                let target = [b"/usr/share/zoneinfo/", zone.name.as_bytes()].concat();
                (raw::S_IFLNK | 0o777, Body::Link(target.into()))
            }
        };
        self.put(&at, name, (mode, 1), body, placed).map(drop)
    }

    /// The directory of a path, made if it is missing, and the name in it.
    fn make_way<'a>(
        &self,
        host: &mut dyn Host,
        path: &'a [u8],
        placed: &mut Vec<Rc<Inode>>,
    ) -> Result<(Rc<Inode>, &'a [u8])> {
        let names = path.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
        let names: Vec<&[u8]> = names.collect();
        let Some((name, above)) = names.split_last() else { return Err(Errno::EISDIR.into()) };
        let mut at = self.root(host)?;
        for name in above {
            let next = at.folder().ok_or(Errno::ENOTDIR)?.get(self, host, name)?;
            at = match next {
                Some(next) => next,
                None => {
                    let body = Body::Directory(Folder::default());
                    at.count_links(1);
                    self.put(&at, name, (raw::S_IFDIR | DIRECTORY_MODE, 2), body, placed)?
                }
            };
        }
        Ok((at, *name))
    }

    fn put(
        &self,
        parent: &Inode,
        name: &[u8],
        (mode, links): (u32, u64),
        body: Body,
        placed: &mut Vec<Rc<Inode>>,
    ) -> Result<Rc<Inode>> {
        let attributes = Attributes { mode, owner: 0, group: 0, links, device: 0 };
        let file = self.make(DISK, body, attributes, self.started);
        parent.folder().ok_or(Errno::ENOTDIR)?.insert(name, Rc::clone(&file));
        placed.push(Rc::clone(&file));
        Ok(file)
    }

    /// Whether a file is as it was put there.
    #[must_use]
    pub(super) fn is_as_placed(&self, file: &Rc<Inode>) -> bool {
        let is_one =
            self.placed.get().is_some_and(|all| all.iter().any(|one| Rc::ptr_eq(one, file)));
        let is_changed = file.is_touched() || file.times().modification != self.started;
        is_one && (file.is_directory() || !is_changed)
    }
}
