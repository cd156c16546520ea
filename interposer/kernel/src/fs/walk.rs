//! From a path to what it names.
//!
//! The walk is the kernel's own, component by component (path_resolution(7)), because the host would follow
//! symbolic links into its own `/proc` and past a changed root.

use alloc::{rc::Rc, vec::Vec};

use linux_raw_sys::general as raw;

use super::{
    names::Known,
    tree::Tree,
    views::{self, Node},
};
use crate::{
    error::{Errno, Error, Result},
    file::{File, FileDescription},
    host::{Follow, Host},
    uapi::{limits::NAME_MAX, stat::FileKind},
};

/// Most symbolic links in one walk (path_resolution(7)).
const LINKS_MAX: u32 = 40;

/// What a path names.
#[derive(Clone, Debug)]
pub enum Place {
    /// A name in the host's tree, where there may be nothing: an absolute path free of `..`, and of symbolic links
    /// but for its last component.
    Host(Vec<u8>),
    /// A node of a view, if there is one of this name.
    View(Vec<u8>, Option<Node>),
    /// An open description, by its link in `/proc/PID/fd`.
    Description(Rc<FileDescription>),
}

/// What the last component looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Last {
    /// A name.
    Name,
    /// A name with a slash behind it.
    NameAndSlash,
    /// `.`.
    Dot,
    /// `..`.
    DotDot,
    /// There was none: `/`.
    Root,
}

/// The end of a walk.
#[derive(Clone, Debug)]
pub struct Found {
    /// What the path names.
    pub place: Place,
    /// What its last component looked like.
    pub last: Last,
}

impl Found {
    /// Whether the path can only name a directory.
    #[must_use]
    pub fn must_be_directory(&self) -> bool {
        self.last != Last::Name
    }
}

/// What [`Walk::step`] makes of a name.
enum Step {
    /// A directory: the walk goes on below it.
    Into(Vec<u8>),
    /// A symbolic link to this.
    Link(Rc<[u8]>),
    /// The walk ends here.
    End(Place),
}

bitflags::bitflags! {
    /// What a walk must not do (openat2(2)).
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Resolve: u32 {
        /// Leave the file system it starts in.
        const NO_CROSSING = raw::RESOLVE_NO_XDEV;
        /// Go through an open description in `/proc/PID/fd`.
        const NO_MAGIC_LINKS = raw::RESOLVE_NO_MAGICLINKS;
        /// Follow any symbolic link.
        const NO_LINKS = raw::RESOLVE_NO_SYMLINKS;
        /// Leave what is below the directory it starts in.
        const BENEATH = raw::RESOLVE_BENEATH;
        /// Leave it either: the directory is the walk's root.
        const IN_ROOT = raw::RESOLVE_IN_ROOT;
        /// Ask a disk: nothing does here.
        const CACHED = raw::RESOLVE_CACHED;
    }
}

impl Resolve {
    /// The walk stays below the directory it starts in.
    pub const SCOPED: Self = Self::BENEATH.union(Self::IN_ROOT);
}

/// What a walk needs.
pub struct Walk<'a> {
    /// What is known of the host's tree.
    pub tree: &'a Tree,
    /// The host.
    pub host: &'a mut dyn Host,
    /// The views.
    pub views: &'a dyn Fn(&[u8]) -> Option<Node>,
    /// The root directory, absolute.
    pub root: &'a [u8],
    /// What it must not do.
    pub resolve: Resolve,
}

/// The rest of a path, and how much of it has been walked.
struct Rest {
    path: Vec<u8>,
    at: usize,
}

impl Rest {
    /// The next component and what follows it: nothing, slashes only, or more.
    fn next(&mut self) -> Option<(Vec<u8>, Last)> {
        let start = self.at + self.path[self.at..].iter().position(|&b| b != b'/')?;
        let rest = &self.path[start..];
        let len = rest.iter().position(|&b| b == b'/').unwrap_or(rest.len());
        let name = rest[..len].to_vec();
        self.at = start + len;
        let last = match name.as_slice() {
            b"." => Last::Dot,
            b".." => Last::DotDot,
            _ if self.at < self.path.len() => Last::NameAndSlash,
            _ => Last::Name,
        };
        Some((name, last))
    }

    fn has_more(&self) -> bool {
        self.path[self.at..].iter().any(|&b| b != b'/')
    }

    /// Puts a link's target in front of what is left.
    fn prepend(&mut self, target: &[u8]) {
        let rest = &self.path[self.at..];
        let mut path = Vec::with_capacity(target.len() + rest.len());
        path.extend_from_slice(target);
        path.extend_from_slice(rest);
        (self.path, self.at) = (path, 0);
    }
}

/// `directory` and a name in it.
fn child(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(directory.len() + 1 + name.len());
    if directory != b"/" {
        path.extend_from_slice(directory);
    }
    path.push(b'/');
    path.extend_from_slice(name);
    path
}

/// The directory that holds an absolute path.
#[must_use]
pub fn parent(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|&b| b == b'/') {
        None | Some(0) => b"/",
        Some(at) => &path[..at],
    }
}

/// The last component of an absolute path.
#[must_use]
pub fn name(path: &[u8]) -> &[u8] {
    path.rsplit(|&b| b == b'/').next().unwrap_or(path)
}

impl Walk<'_> {
    /// Walks from the directory `from`, absolute and free of links. A link in last place is followed if `follow`
    /// says so, or if a slash is behind it.
    ///
    /// # Errors
    /// As path_resolution(7). That the last component does not exist is none.
    pub fn walk(&mut self, from: &[u8], path: &[u8], follow: Follow) -> Result<Found> {
        if path.is_empty() {
            return Err(Errno::ENOENT.into());
        }
        let scoped = self.resolve.intersects(Resolve::SCOPED);
        let root = if scoped { from } else { self.root };
        let from = if path.starts_with(b"/") && !scoped { root } else { from };
        let mut at = from.to_vec();
        if path.starts_with(b"/") {
            at = self.jump_to_root(root, from)?;
        }
        let mut rest = Rest { path: path.to_vec(), at: 0 };
        self.skip_known(&mut at, &mut rest);
        let mut last = Last::Root;
        let mut links = 0;
        while let Some((name, kind)) = rest.next() {
            last = kind;
            let is_last = !rest.has_more();
            match kind {
                Last::Dot => continue,
                Last::DotDot => {
                    at = self.step_up(at, root, from)?;
                    continue;
                }
                _ if name.len() > NAME_MAX => return Err(Errno::ENAMETOOLONG.into()),
                _ => {}
            }
            let ends = is_last && kind == Last::Name;
            let next = child(&at, &name);
            self.check_crossing(from, &next)?;
            match self.step(next, ends, is_last, follow)? {
                Step::Into(directory) => at = directory,
                Step::End(place) => return Ok(Found { place, last }),
                Step::Link(target) => {
                    links += 1;
                    if links > LINKS_MAX || self.resolve.contains(Resolve::NO_LINKS) {
                        return Err(Errno::ELOOP.into());
                    }
                    if target.is_empty() {
                        return Err(Errno::ENOENT.into());
                    }
                    if target.starts_with(b"/") {
                        at = self.jump_to_root(root, from)?;
                    }
                    rest.prepend(&target);
                    last = Last::Root;
                }
            }
        }
        let place = if views::covers(&at) {
            let node = (self.views)(&at);
            Place::View(at, node)
        } else {
            Place::Host(at)
        };
        Ok(Found { place, last })
    }

    /// Where an absolute path starts (`nd_jump_root` in fs/namei.c).
    fn jump_to_root(&mut self, root: &[u8], from: &[u8]) -> Result<Vec<u8>> {
        if self.resolve.contains(Resolve::BENEATH) {
            return Err(Error::new(Errno::EXDEV, "an absolute path leads out of the directory"));
        }
        self.check_crossing(from, root)?;
        Ok(root.to_vec())
    }

    /// The parent of a directory; the root's is the root.
    fn step_up(&mut self, at: Vec<u8>, root: &[u8], from: &[u8]) -> Result<Vec<u8>> {
        if at != root {
            let up = parent(&at);
            self.check_crossing(from, up)?;
            return Ok(up.to_vec());
        }
        if self.resolve.contains(Resolve::BENEATH) {
            return Err(Error::new(Errno::EXDEV, "the path leads out of the directory"));
        }
        Ok(at)
    }

    /// What file system a path is on: each view is one of its own.
    fn file_system(&mut self, path: &[u8]) -> Option<(Option<&'static [u8]>, u64)> {
        match views::root(path) {
            Some(view) => Some((Some(view), 0)),
            None => {
                let stat = self.tree.lstat(self.host, path).ok()?;
                Some((None, stat.dev))
            }
        }
    }

    /// Refuses to go from one file system to another. What is not there is on none.
    fn check_crossing(&mut self, from: &[u8], to: &[u8]) -> Result<()> {
        if !self.resolve.contains(Resolve::NO_CROSSING) {
            return Ok(());
        }
        match (self.file_system(from), self.file_system(to)) {
            (Some(from), Some(to)) if from != to => Err(Errno::EXDEV.into()),
            _ => Ok(()),
        }
    }

    /// Refuses to go through an open description (`nd_jump_link`).
    fn check_magic(&self) -> Result<()> {
        if self.resolve.intersects(Resolve::NO_MAGIC_LINKS | Resolve::NO_LINKS) {
            return Err(Errno::ELOOP.into());
        }
        if self.resolve.intersects(Resolve::SCOPED | Resolve::NO_CROSSING) {
            return Err(Errno::EXDEV.into());
        }
        Ok(())
    }

    /// Goes at once to the directory before the last component if it is known.
    fn skip_known(&self, at: &mut Vec<u8>, rest: &mut Rest) {
        let plain = |part: &[u8]| !part.is_empty() && part != b"." && part != b"..";
        let path = rest.path.strip_prefix(b"/").unwrap_or(&rest.path);
        let Some(end) = path.iter().rposition(|&b| b == b'/') else { return };
        if end + 1 == path.len() || !path[..end].split(|&b| b == b'/').all(plain) {
            return;
        }
        let directory = child(at, &path[..end]);
        if self.tree.names.borrow().directory(&directory).is_some() {
            rest.at = rest.path.len() - (path.len() - end);
            *at = directory;
        }
    }

    fn step(&mut self, path: Vec<u8>, ends: bool, is_last: bool, follow: Follow) -> Result<Step> {
        let follows = !ends || follow == Follow::Yes;
        if views::covers(&path) {
            return self.step_in_view(path, ends, follows);
        }
        if ends && !follows {
            return Ok(Step::End(Place::Host(path)));
        }
        match self.tree.names.borrow().get(&path) {
            Some(Known::Directory(_)) => return Ok(Step::Into(path)),
            Some(Known::Link(target)) => return Ok(Step::Link(Rc::clone(target))),
            None => {}
        }
        let stat = match self.tree.lstat(self.host, &path) {
            Ok(stat) => stat,
            Err(error) if error.errno == Errno::ENOENT && is_last => {
                return Ok(Step::End(Place::Host(path)));
            }
            Err(error) => return Err(error),
        };
        match FileKind::of(stat.mode) {
            FileKind::Directory => Ok(Step::Into(path)),
            FileKind::Link => {
                let target = self.tree.read_link(self.host, &path)?;
                Ok(Step::Link(target))
            }
            _ if ends => Ok(Step::End(Place::Host(path))),
            _ => Err(Errno::ENOTDIR.into()),
        }
    }

    fn step_in_view(&mut self, path: Vec<u8>, ends: bool, follows: bool) -> Result<Step> {
        match (self.views)(&path) {
            Some(Node::Directory(_)) if !ends => Ok(Step::Into(path)),
            Some(Node::Link(target)) if follows => Ok(Step::Link(target.into())),
            Some(Node::Description(link)) if ends && follows => {
                self.check_magic()?;
                Ok(Step::End(Place::Description(link.0)))
            }
            Some(Node::Description(link)) if !ends => match &link.0.file {
                File::Directory(_) => {
                    self.check_magic()?;
                    Ok(Step::Into(link.0.path.borrow().to_vec()))
                }
                _ => Err(Errno::ENOTDIR.into()),
            },
            None if !ends => Err(Errno::ENOENT.into()),
            node if ends => Ok(Step::End(Place::View(path, node))),
            _ => Err(Errno::ENOTDIR.into()),
        }
    }
}

#[cfg(test)]
mod tests;
