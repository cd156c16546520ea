//! What the run has done to its files, told at its end.

use alloc::{rc::Rc, vec::Vec};

use simrun_abi::{
    capture::{self, Capture, Captured, CapturedFile, CapturedKind, Change, Content},
    layout::fds,
};

use super::{Body, Folder, Inode, Tree, mounts, moved};
use crate::{
    error::{Errno, Result},
    fs::walk,
    host::{Follow, Host, HostFd},
    node::NodeId,
};

/// Bytes of content copied at a time.
const CHUNK: usize = 256 << 10;
/// Where the supervisor reads.
const FILE: HostFd = HostFd(fds::CAPTURE);

/// What was written down of all nodes so far.
pub struct Progress {
    wanted: Capture,
    /// Bytes written so far.
    at: u64,
    /// Bytes of content for which there is room.
    left: u64,
    /// The same, of artifacts.
    artifacts_left: u64,
    /// For bytes that are copied; most runs write none, and touch no memory for it.
    buffer: Vec<u8>,
}

impl Progress {
    /// Of a run of which this much is wanted.
    #[must_use]
    pub fn new(wanted: &Capture) -> Self {
        Self {
            wanted: wanted.clone(),
            at: 0,
            left: wanted.limit,
            artifacts_left: wanted.artifacts_limit,
            buffer: Vec::new(),
        }
    }
}

impl Progress {
    /// The bytes for which there is room below a path.
    fn left(&mut self, path: &[u8]) -> &mut u64 {
        match moved(path, capture::ARTIFACTS, b"") {
            Some(_) => &mut self.artifacts_left,
            None => &mut self.left,
        }
    }
}

/// Writes down names and files of a node, one after the other.
struct Writer<'a> {
    tree: &'a Tree,
    host: &'a mut dyn Host,
    node: NodeId,
    progress: &'a mut Progress,
}

impl Tree {
    /// Tells the supervisor what a node has done to its files.
    ///
    /// # Errors
    /// What the host fails with; what was told before stands.
    pub fn capture(
        &self,
        host: &mut dyn Host,
        node: NodeId,
        progress: &mut Progress,
    ) -> Result<()> {
        let root = self.root(host)?;
        let mut writer = Writer { tree: self, host, node, progress };
        let told = self.mounts.each().filter(|mount| mount.is_told());
        let mounted = told.map(|mount| (mount.path, &mount.root));
        for (path, top) in [(&b"/"[..], &root)].into_iter().chain(mounted) {
            if let Some(folder) = top.folder() {
                writer.folder(path, folder)?;
            }
        }
        Ok(())
    }
}

/// Whether there is anything to tell of a file, or below it, that still has the name it came with.
fn may_be_told(file: &Inode) -> bool {
    file.folder().is_some()
        || file.is_touched()
        || file.contents().is_some_and(|contents| contents.is_changed())
}

impl Writer<'_> {
    fn folder(&mut self, path: &[u8], folder: &Folder) -> Result<()> {
        let mut known = Vec::new();
        folder.for_each_known(|name, file| {
            if folder.is_changed() || file.is_some_and(|file| may_be_told(file)) {
                known.push((name.to_vec(), file.cloned()));
            }
        });
        for (name, file) in known {
            let below = folder.below().map(|below| walk::child(below, &name));
            self.name(&walk::child(path, &name), below, folder.is_changed(), file)?;
        }
        Ok(())
    }

    /// Writes down a name, which the host has at `below`, if it does, and what is known below it.
    fn name(
        &mut self,
        path: &[u8],
        below: Option<Vec<u8>>,
        is_changed: bool,
        file: Option<Rc<Inode>>,
    ) -> Result<()> {
        if path == mounts::OWN {
            return Ok(());
        }
        let in_place = |file: &Inode| {
            below.is_some() && file.origin().map(|origin| &**origin) == below.as_deref()
        };
        if let Some(file) = &file
            && in_place(file)
        {
            if file.contents().is_some_and(|contents| contents.is_changed()) {
                self.write(path, Change::Changed, Some(file))?;
            } else if file.is_touched() {
                self.write(path, Change::Attributes, Some(file))?;
            }
        } else if is_changed && !file.as_ref().is_some_and(|file| self.tree.is_as_placed(file)) {
            let was_there =
                below.as_ref().is_some_and(|below| self.host.stat(below, Follow::No).is_ok());
            match (&file, was_there) {
                (None, false) => {}
                (None, true) => self.write(path, Change::Removed, None)?,
                (Some(file), false) => self.write(path, Change::Made, Some(file))?,
                (Some(file), true) => self.write(path, Change::Changed, Some(file))?,
            }
        }
        match file.as_ref().and_then(|file| file.folder()) {
            Some(folder) => self.folder(path, folder),
            None => Ok(()),
        }
    }

    fn write(&mut self, path: &[u8], change: Change, file: Option<&Rc<Inode>>) -> Result<()> {
        let described = file.map(|file| self.describe(path, change, file));
        let record =
            Captured { node: self.node.raw(), path: path.to_vec(), change, file: described };
        self.put(&record.encode())?;
        match file.and_then(|file| file.contents()) {
            Some(contents) if record.content_len() > 0 => {
                let left = self.progress.left(path);
                *left = left.saturating_sub(record.content_len());
                let mut buffer = core::mem::take(&mut self.progress.buffer);
                buffer.resize(CHUNK, 0);
                let mut done = 0;
                while done < record.content_len() {
                    let len = (record.content_len() - done).min(buffer.len() as u64) as usize;
                    match contents.read(self.host, &mut buffer[..len], done)? {
                        0 => return Err(Errno::EIO.into()),
                        moved => {
                            self.put(&buffer[..moved])?;
                            done += moved as u64;
                        }
                    }
                }
                self.progress.buffer = buffer;
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn describe(&mut self, path: &[u8], change: Change, file: &Inode) -> CapturedFile {
        let kind = match &file.body {
            Body::Directory(_) => CapturedKind::Directory,
            Body::Link(target) => CapturedKind::Link { target: target.to_vec() },
            Body::Special => CapturedKind::Special,
            Body::Regular(contents) => {
                let size = contents.size();
                let left = *self.progress.left(path);
                let wanted = &self.progress.wanted;
                let always = || wanted.always.iter().any(|above| moved(path, above, b"").is_some());
                let content = match contents.is_changed() {
                    false => Content::OfHost,
                    true if size <= left || always() => Content::Kept,
                    true => Content::Left,
                };
                CapturedKind::Regular { size, content }
            }
        };
        let attributes = file.attributes();
        let stays = change == Change::Attributes || change == Change::Changed;
        let origin =
            file.origin().map(|origin| &**origin).filter(|origin| !(stays && *origin == path));
        CapturedFile {
            kind,
            moved_from: origin.map(<[u8]>::to_vec),
            mode: attributes.mode,
            owner: attributes.owner,
            group: attributes.group,
            modified_ns: file.times().modification,
        }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let mut done = 0;
        while done < bytes.len() {
            match self.host.pwrite(FILE, &bytes[done..], self.progress.at)? {
                0 => return Err(Errno::EIO.into()),
                moved => {
                    done += moved;
                    self.progress.at += moved as u64;
                }
            }
        }
        Ok(())
    }
}
