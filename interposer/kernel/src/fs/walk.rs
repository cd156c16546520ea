//! From a path to what it names.
//!
//! The walk is the kernel's own, component by component (path_resolution(7)), because the host would follow
//! symbolic links into its own `/proc` and past a changed root.

use alloc::{borrow::Cow, rc::Rc, vec::Vec};
use core::ops::Range;

use linux_raw_sys::general as raw;

use super::{
    Inode,
    access::{self, Access},
    inode::Body,
    tree::{DELETED, Spot, Tree},
    views::{self, Node},
};
use crate::{
    error::{Errno, Error, Result},
    file::{File, FileDescription},
    host::{Follow, Host},
    process::Credentials,
    uapi::limits::NAME_MAX,
};

/// Most symbolic links in one walk (path_resolution(7)).
const LINKS_MAX: u32 = 40;

/// What a path names.
#[derive(Clone, Debug)]
pub enum Place {
    /// A name in the tree, where there may be nothing. One that does not end in a plain name is of a directory, which
    /// then stands for its parent too.
    Tree(Spot),
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

/// A directory in which a walk starts or has come to.
#[derive(Clone, Debug)]
pub struct Standing {
    /// Its absolute path, free of links.
    pub path: Vec<u8>,
    /// The directory, if it is of the tree and not of a view.
    pub inode: Option<Rc<Inode>>,
}

/// Room for names in the path of a walk, so that few walks have to make more.
const NAMES_ROOM: usize = 96;

impl Standing {
    /// The same, with room for names behind its path.
    fn with_room(&self) -> Self {
        let mut path = Vec::with_capacity(self.path.len() + NAMES_ROOM);
        path.extend_from_slice(&self.path);
        Self { path, inode: self.inode.clone() }
    }

    /// The directory at a path free of links.
    ///
    /// # Errors
    /// `ENOENT`, `ENOTDIR`, what the host says.
    pub fn at(tree: &Tree, host: &mut dyn Host, path: Vec<u8>) -> Result<Self> {
        let inode = if views::covers(&path) { None } else { Some(tree.find(host, &path)?) };
        Ok(Self { path, inode })
    }
}

/// What [`Walk::step`] makes of a name.
enum Step {
    /// A directory: the walk goes on below it.
    Into(Standing),
    /// A symbolic link to this, in this directory.
    Link(Standing, Rc<[u8]>),
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
        /// Take a name with a slash behind it: a file is to be made, which is no directory (`open_last_lookups`).
        const MAKES_FILE = 1 << 31;
        /// Nothing: it tells that the file will be opened for reading, if there is one.
        const OPENS_FILE = 1 << 30;
    }
}

impl Resolve {
    /// The walk stays below the directory it starts in.
    pub const SCOPED: Self = Self::BENEATH.union(Self::IN_ROOT);
    /// What is the kernel's to say and no program's.
    pub const OWN: Self = Self::MAKES_FILE.union(Self::OPENS_FILE);
}

/// What is left to do when a walk comes to a name.
#[derive(Clone, Copy)]
struct Ahead {
    /// The path ends with the name.
    ends: bool,
    /// Nothing but slashes follows.
    is_last: bool,
    follow: Follow,
}

/// What a walk needs.
pub struct Walk<'a> {
    /// The tree.
    pub tree: &'a Tree,
    /// The host.
    pub host: &'a mut dyn Host,
    /// The views.
    pub views: &'a dyn Fn(&[u8]) -> Option<Node>,
    /// Who walks.
    pub caller: &'a Credentials,
    /// The root directory, absolute.
    pub root: &'a [u8],
    /// What it must not do.
    pub resolve: Resolve,
}

/// The rest of a path, and how much of it has been walked.
struct Rest<'a> {
    path: Cow<'a, [u8]>,
    at: usize,
}

impl Rest<'_> {
    /// The next component and what follows it: nothing, slashes only, or more.
    fn next(&mut self) -> Option<(Range<usize>, Last)> {
        let start = self.at + self.path[self.at..].iter().position(|&b| b != b'/')?;
        let rest = &self.path[start..];
        let len = rest.iter().position(|&b| b == b'/').unwrap_or(rest.len());
        self.at = start + len;
        let last = match &rest[..len] {
            b"." => Last::Dot,
            b".." => Last::DotDot,
            _ if self.at < self.path.len() => Last::NameAndSlash,
            _ => Last::Name,
        };
        Some((start..self.at, last))
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
        (self.path, self.at) = (path.into(), 0);
    }
}

/// `directory` and a name in it.
#[must_use]
pub fn child(directory: &[u8], name: &[u8]) -> Vec<u8> {
    let mut path = Vec::with_capacity(directory.len() + 1 + name.len());
    path.extend_from_slice(directory);
    enter(&mut path, name);
    path
}

/// Goes from a directory to a name in it.
pub fn enter(path: &mut Vec<u8>, name: &[u8]) {
    if path.as_slice() != b"/" {
        path.push(b'/');
    }
    path.extend_from_slice(name);
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
    /// Walks from a directory. A link in last place is followed if `follow` says so, or if a slash is behind it.
    ///
    /// # Errors
    /// As path_resolution(7). That the last component does not exist is none.
    pub fn walk(&mut self, from: &Standing, path: &[u8], follow: Follow) -> Result<Found> {
        if path.is_empty() {
            return Err(Errno::ENOENT.into());
        }
        let scoped = self.resolve.intersects(Resolve::SCOPED);
        let root: &[u8] = if scoped { &from.path } else { self.root };
        let is_absolute = path.starts_with(b"/");
        let origin: &[u8] = if is_absolute && !scoped { root } else { &from.path };
        let mut at = if is_absolute { self.jump_to_root(root, origin)? } else { from.with_room() };
        let mut rest = Rest { path: path.into(), at: 0 };
        let mut last = Last::Root;
        let mut links = 0;
        while let Some((place, kind)) = rest.next() {
            let name = &rest.path[place];
            last = kind;
            let is_last = !rest.has_more();
            if let Some(inode) = &at.inode {
                access::check(self.caller, inode, Access::EXECUTE)?;
            }
            match kind {
                Last::Dot => continue,
                Last::DotDot => {
                    at = self.step_up(at, root, origin)?;
                    continue;
                }
                _ if name.len() > NAME_MAX => return Err(Errno::ENAMETOOLONG.into()),
                _ => {}
            }
            let ends = is_last && kind == Last::Name;
            match self.step(at, origin, name, Ahead { ends, is_last, follow })? {
                Step::Into(directory) => at = directory,
                Step::End(place) => return Ok(Found { place, last }),
                Step::Link(directory, target) => {
                    at = directory;
                    links += 1;
                    if links > LINKS_MAX || self.resolve.contains(Resolve::NO_LINKS) {
                        return Err(Errno::ELOOP.into());
                    }
                    if target.is_empty() {
                        return Err(Errno::ENOENT.into());
                    }
                    if target.starts_with(b"/") {
                        at = self.jump_to_root(root, origin)?;
                    }
                    rest.prepend(&target);
                    last = Last::Root;
                }
            }
        }
        let place = match at.inode {
            None => {
                let node = (self.views)(&at.path);
                Place::View(at.path, node)
            }
            Some(inode) => {
                Place::Tree(Spot { path: at.path, parent: Rc::clone(&inode), file: Some(inode) })
            }
        };
        Ok(Found { place, last })
    }

    /// Where an absolute path starts (`nd_jump_root` in fs/namei.c).
    fn jump_to_root(&mut self, root: &[u8], from: &[u8]) -> Result<Standing> {
        if self.resolve.contains(Resolve::BENEATH) {
            return Err(Error::new(Errno::EXDEV, "an absolute path leads out of the directory"));
        }
        self.check_crossing(from, root)?;
        Standing::at(self.tree, self.host, root.to_vec())
    }

    /// The parent of a directory; the root's is the root.
    fn step_up(&mut self, at: Standing, root: &[u8], from: &[u8]) -> Result<Standing> {
        if at.path != root {
            let up = parent(&at.path);
            self.check_crossing(from, up)?;
            let inode = at.inode.as_ref().filter(|inode| inode.is_nameless());
            if let Some(parent) = inode.and_then(|inode| inode.folder()?.removed_parent()) {
                return Ok(Standing { path: [up, DELETED].concat(), inode: Some(parent) });
            }
            return Standing::at(self.tree, self.host, up.to_vec());
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
            None => Some((None, self.tree.find(self.host, path).ok()?.device)),
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

    fn step(&mut self, at: Standing, from: &[u8], name: &[u8], ahead: Ahead) -> Result<Step> {
        let Standing { mut path, inode } = at;
        let above = path.len();
        enter(&mut path, name);
        self.check_crossing(from, &path)?;
        let Ahead { ends, is_last, follow } = ahead;
        if is_last && !ends && self.resolve.contains(Resolve::MAKES_FILE) {
            return Err(Errno::EISDIR.into());
        }
        let follows = !ends || follow == Follow::Yes;
        if views::covers(&path) {
            return self.step_in_view(Standing { path, inode }, above, ends, follows);
        }
        let (parent, file) = match (self.tree.mounted(self.host, &path)?, inode) {
            (Some(root), _) => (Rc::clone(&root), Some(root)),
            (None, None) => return Err(Errno::ENOENT.into()),
            (None, Some(parent)) => {
                let folder = parent.folder().ok_or(Errno::ENOTDIR)?;
                let file = if ends && self.resolve.contains(Resolve::OPENS_FILE) {
                    folder.get_to_open(self.tree, self.host, name)?
                } else {
                    folder.get(self.tree, self.host, name)?
                };
                (parent, file)
            }
        };
        match file.as_ref().map(|file| &file.body) {
            None if !is_last => Err(Errno::ENOENT.into()),
            Some(Body::Directory(_)) if !ends => Ok(Step::Into(Standing { path, inode: file })),
            Some(Body::Link(target)) if follows => {
                let target = Rc::clone(target);
                path.truncate(above);
                Ok(Step::Link(Standing { path, inode: Some(parent) }, target))
            }
            Some(_) if !ends => Err(Errno::ENOTDIR.into()),
            _ => Ok(Step::End(Place::Tree(Spot { path, parent, file }))),
        }
    }

    /// A step to a name of a view; `above` is the length of the path before it.
    fn step_in_view(
        &mut self,
        at: Standing,
        above: usize,
        ends: bool,
        follows: bool,
    ) -> Result<Step> {
        let Standing { mut path, inode } = at;
        match (self.views)(&path) {
            Some(Node::Directory(_)) if !ends => Ok(Step::Into(Standing { path, inode: None })),
            Some(Node::Link(target)) if follows => {
                if views::is_magic(&path) {
                    self.check_magic()?;
                }
                path.truncate(above);
                Ok(Step::Link(Standing { path, inode }, target.into()))
            }
            Some(Node::Description(link)) if ends && follows => {
                self.check_magic()?;
                Ok(Step::End(Place::Description(link.0)))
            }
            Some(Node::Description(link)) if !ends => match &link.0.file {
                File::Directory(_) | File::Place(_) => {
                    self.check_magic()?;
                    let path = link.0.path.borrow().to_vec();
                    Ok(Step::Into(Standing { path, inode: link.0.file.inode().cloned() }))
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
