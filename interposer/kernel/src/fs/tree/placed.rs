//! Files that are there from the start, whatever the host has.

use alloc::{rc::Rc, vec::Vec};

use linux_raw_sys::general as raw;
use simrun_abi::boot::PlacedFile;

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
    ) -> Result<()> {
        if self.placed.get().is_some() {
            return Ok(());
        }
        let mut placed = Vec::new();
        for file in files {
            self.place_one(host, file, &mut placed)?;
        }
        let _ = self.placed.set(placed);
        Ok(())
    }

    fn place_one(
        &self,
        host: &mut dyn Host,
        file: &PlacedFile,
        placed: &mut Vec<Rc<Inode>>,
    ) -> Result<()> {
        let names = file.path.split(|&byte| byte == b'/').filter(|name| !name.is_empty());
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
        let contents = Contents::empty();
        contents.write(host, &file.bytes, 0)?;
        let mode = raw::S_IFREG | file.mode;
        self.put(&at, name, (mode, 1), Body::Regular(contents), placed).map(drop)
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
