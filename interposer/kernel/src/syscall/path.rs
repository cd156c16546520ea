//! Paths in arguments.

use alloc::{rc::Rc, vec::Vec};

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Result},
    file::{File, FileDescription, PlaceFile},
    fs::{
        Found, Inode, Last, Place, Resolve, Spot, Standing, Walk, tree::attributes::Subject, views,
    },
    host::Follow,
    process::Credentials,
    uapi::stat::FileKind,
};

/// `AT_FDCWD` as it comes in a register.
pub const HERE: u64 = raw::AT_FDCWD as i64 as u64;

/// What `*at` calls do with the last component and with an empty path, from their flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AtFlags {
    /// Whether a link in last place is followed.
    pub follow: Follow,
    /// Whether an empty path means the directory descriptor itself.
    pub empty_path: bool,
}

impl AtFlags {
    /// Those of a call that follows unless `AT_SYMLINK_NOFOLLOW` is given; `others` are its own flags.
    ///
    /// # Errors
    /// `EINVAL` for any other flag.
    pub fn following(flags: u64, others: u32) -> Result<Self> {
        let flags = flags as u32;
        if flags & !(raw::AT_SYMLINK_NOFOLLOW | raw::AT_EMPTY_PATH | others) != 0 {
            return Err(Errno::EINVAL.into());
        }
        let follow = if flags & raw::AT_SYMLINK_NOFOLLOW != 0 { Follow::No } else { Follow::Yes };
        Ok(Self { follow, empty_path: flags & raw::AT_EMPTY_PATH != 0 })
    }
}

/// Where a walk starts, and what it must not do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Origin {
    /// A directory descriptor, or [`HERE`].
    pub directory: u64,
    /// What the walk must not do.
    pub resolve: Resolve,
}

impl From<u64> for Origin {
    fn from(directory: u64) -> Self {
        Self { directory, resolve: Resolve::default() }
    }
}

/// Where a path argument leads.
pub enum Reached {
    /// An open file: the directory descriptor itself, or one in `/proc/PID/fd`.
    Description(Rc<FileDescription>),
    /// A name.
    Found(Found),
}

impl Context<'_> {
    /// Who calls, as file permissions see it.
    pub fn caller(&mut self) -> Rc<Credentials> {
        Rc::clone(&self.process().credentials)
    }

    /// The directory that a relative path starts from.
    ///
    /// # Errors
    /// `EBADF`, `ENOTDIR`.
    pub fn start_of_walk(&mut self, directory: u64, path: &[u8]) -> Result<Standing> {
        if path.starts_with(b"/") {
            return Ok(Standing { path: Vec::new(), inode: None });
        }
        if directory as u32 == HERE as u32 {
            return Ok(self.process().fs.borrow().directory.clone());
        }
        let file = self.description_or_place(directory)?;
        let is_directory = match &file.file {
            File::Directory(_) => true,
            File::Place(PlaceFile::Tree(inode)) => inode.kind() == FileKind::Directory,
            File::Place(PlaceFile::View(stat)) => FileKind::of(stat.mode) == FileKind::Directory,
            _ => false,
        };
        if !is_directory {
            return Err(Errno::ENOTDIR.into());
        }
        let path = file.path.borrow().to_vec();
        Ok(Standing { path, inode: file.file.inode().cloned() })
    }

    /// Walks a path from a directory descriptor.
    ///
    /// # Errors
    /// As path_resolution(7).
    pub fn walk(&mut self, directory: u64, path: &[u8], follow: Follow) -> Result<Found> {
        self.walk_from(Origin::from(directory), path, follow)
    }

    /// Walks a path from a directory descriptor, not everywhere.
    ///
    /// # Errors
    /// As path_resolution(7) and openat2(2).
    pub fn walk_from(&mut self, origin: Origin, path: &[u8], follow: Follow) -> Result<Found> {
        let Origin { directory, resolve } = origin;
        if path.is_empty() {
            return Err(Errno::ENOENT.into());
        }
        // What must not leave the directory starts there even if its path is absolute.
        let scoped = resolve.intersects(Resolve::SCOPED);
        let shown = if scoped { b"." } else { path };
        let fs = Rc::clone(&self.process().fs);
        let fs = fs.borrow();
        let given;
        let from = if directory as u32 == HERE as u32 && !shown.starts_with(b"/") {
            &fs.directory
        } else {
            given = self.start_of_walk(directory, shown)?;
            &given
        };
        let caller = self.caller();
        let (kernel, thread) = (&*self.kernel, self.thread);
        let mut walk = Walk {
            tree: &kernel.machine.tree,
            host: self.host,
            views: &|path| views::lookup(kernel, thread, path),
            caller: &caller,
            root: &fs.root,
            resolve,
        };
        walk.walk(from, path, follow)
    }

    /// Walks a path argument.
    ///
    /// # Errors
    /// As path_resolution(7).
    pub fn reach(&mut self, directory: u64, path: u64, flags: AtFlags) -> Result<Reached> {
        let path = if path == 0 && flags.empty_path { Vec::new() } else { self.read_path(path)? };
        if !path.is_empty() || !flags.empty_path {
            let found = self.walk(directory, &path, flags.follow)?;
            return Ok(match found.place {
                Place::Description(file) => Reached::Description(file),
                _ => Reached::Found(found),
            });
        }
        if directory as u32 != HERE as u32 {
            return Ok(Reached::Description(self.description_or_place(directory)?));
        }
        let here = self.process().fs.borrow().directory.clone();
        let place = match here.inode {
            Some(inode) => {
                let parent = Rc::clone(&inode);
                Place::Tree(Spot { path: here.path, parent, file: Some(inode) })
            }
            None => {
                let node = views::lookup(self.kernel, self.thread, &here.path);
                Place::View(here.path, node)
            }
        };
        Ok(Reached::Found(Found { place, last: Last::Dot }))
    }
}

impl Reached {
    /// The file of the tree that was reached; `None` for one that has no attributes of its own.
    ///
    /// # Errors
    /// `ENOENT` if there is none, `ENOTDIR` if it had to be a directory.
    pub fn subject(&self) -> Result<Option<Subject>> {
        match self {
            Self::Description(file) => Ok(subject_of(file)),
            Self::Found(found) => found.subject(),
        }
    }
}

impl Found {
    /// The file of the tree that was found; `None` for one that has no attributes of its own.
    ///
    /// # Errors
    /// `ENOENT` if there is none, `ENOTDIR` if it had to be a directory.
    pub fn subject(&self) -> Result<Option<Subject>> {
        match &self.place {
            Place::Tree(spot) => {
                let inode = Rc::clone(spot.existing()?);
                check_directory(self, &inode)?;
                Ok(Some(Subject { inode, path: spot.path.as_slice().into() }))
            }
            Place::View(_, None) => Err(Errno::ENOENT.into()),
            Place::View(_, Some(_)) => Ok(None),
            Place::Description(file) => Ok(subject_of(file)),
        }
    }
}

/// Refuses another file where a slash says that it is a directory.
fn check_directory(found: &Found, inode: &Inode) -> Result<()> {
    let kind = inode.kind();
    if found.must_be_directory() && kind != FileKind::Directory && kind != FileKind::Link {
        return Err(Errno::ENOTDIR.into());
    }
    Ok(())
}

/// The file of the tree behind an open one.
#[must_use]
pub fn subject_of(file: &FileDescription) -> Option<Subject> {
    let inode = Rc::clone(file.file.inode()?);
    Some(Subject { inode, path: Rc::clone(&file.path.borrow()) })
}
