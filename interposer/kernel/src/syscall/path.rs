//! Paths in arguments.

use alloc::{rc::Rc, vec::Vec};

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Result},
    file::{File, FileDescription, PlaceFile},
    fs::{Found, Last, Place, Resolve, Walk, tree::attributes::Target, views},
    host::Follow,
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
    /// The absolute path of the directory that a relative path starts from.
    ///
    /// # Errors
    /// `EBADF`, `ENOTDIR`.
    pub fn start_of_walk(&mut self, directory: u64, path: &[u8]) -> Result<Vec<u8>> {
        if path.starts_with(b"/") {
            return Ok(Vec::new());
        }
        if directory as u32 == HERE as u32 {
            return Ok(self.process().fs.borrow().directory.clone());
        }
        let file = self.description(directory)?;
        if !self.is_directory(&file)? {
            return Err(Errno::ENOTDIR.into());
        }
        Ok(file.path.borrow().to_vec())
    }

    fn is_directory(&mut self, file: &FileDescription) -> Result<bool> {
        match &file.file {
            File::Directory(_) => Ok(true),
            File::Place(_) => {
                let stat = file.stat(&mut self.env())?;
                Ok(FileKind::of(stat.mode) == FileKind::Directory)
            }
            _ => Ok(false),
        }
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
        let from = self.start_of_walk(directory, shown)?;
        let root = self.process().fs.borrow().root.clone();
        let (kernel, thread) = (&*self.kernel, self.thread);
        let mut walk = Walk {
            tree: &kernel.machine.tree,
            host: self.host,
            views: &|path| views::lookup(kernel, thread, path),
            root: &root,
            resolve,
        };
        walk.walk(&from, path, follow)
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
            return Ok(Reached::Description(self.description(directory)?));
        }
        let here = self.process().fs.borrow().directory.clone();
        Ok(Reached::Found(Found { place: Place::Host(here), last: Last::Dot }))
    }
}

/// The host's file behind an open one; `None` for one that only the simulation has.
#[must_use]
pub fn host_target(file: &FileDescription) -> Option<Target<'static>> {
    Some(Target::Open(match &file.file {
        File::Regular(regular) => regular.host,
        File::Directory(directory) => directory.host_fd()?,
        File::Place(PlaceFile::Host(host, _)) => *host,
        _ => return None,
    }))
}
