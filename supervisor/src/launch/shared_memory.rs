//! The directory that a run shows as `/dev/shm`.
//!
//! It is made for the run and removed with it. Whatever else ends simrun, a SIGKILL or a power cut, leaves the directory
//! behind, so that each one is locked (flock(2)) as long as its run lives, and the next simrun removes those that nobody
//! holds. The lock belongs to the open directory, which the processes of the run hold too: a directory is stale only when
//! the last of them is gone.

use std::{
    env,
    fs::{self, File, OpenOptions, Permissions},
    io,
    os::{
        fd::AsRawFd,
        unix::fs::{MetadataExt, OpenOptionsExt, PermissionsExt},
    },
    path::Path,
    time::{Duration, UNIX_EPOCH},
};

use nix::{
    errno::Errno,
    fcntl::{Flock, FlockArg},
    unistd::geteuid,
};
use tempfile::TempDir;

/// How the names of such directories begin: what is not a run's must never be taken for one.
const PREFIX: &str = "simrun-shm-";
/// Random characters after that.
const RANDOM: usize = 12;
/// Permissions of `/dev/shm`: everyone may make files, and only remove their own.
const MODE: u32 = 0o1777;
/// Another simrun may take a new directory for a stale one just before it is locked; not time and again.
const ATTEMPTS: usize = 16;

/// The directory, removed with the value.
pub struct SharedMemory {
    folder: TempDir,
    directory: Directory,
}

/// An open directory.
enum Directory {
    /// Nobody else holds it.
    Locked(Flock<File>),
    /// The file system knows no locks: nothing in it is ever taken for stale.
    Unlocked(File),
}

impl Directory {
    /// Opens and locks one; `None` if another holds it.
    fn lock(path: &Path) -> io::Result<Option<Self>> {
        let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW;
        let file = OpenOptions::new().read(true).custom_flags(flags).open(path)?;
        Ok(match Flock::lock(file, FlockArg::LockExclusiveNonblock) {
            Ok(locked) => Some(Self::Locked(locked)),
            Err((_, Errno::EWOULDBLOCK)) => None,
            Err((file, _)) => Some(Self::Unlocked(file)),
        })
    }

    fn file(&self) -> &File {
        match self {
            Self::Locked(file) => file,
            Self::Unlocked(file) => file,
        }
    }
}

impl SharedMemory {
    /// A new one, of the age that the simulated machine's start has; stale ones are removed.
    ///
    /// # Errors
    /// When the host makes none.
    pub fn new(start: Duration) -> io::Result<Self> {
        let place = env::temp_dir();
        sweep(&place);
        for _ in 0..ATTEMPTS {
            let folder =
                tempfile::Builder::new().prefix(PREFIX).rand_bytes(RANDOM).tempdir_in(&place)?;
            let directory = match Directory::lock(folder.path()) {
                Ok(Some(directory)) => directory,
                Ok(None) => continue,
                Err(error) if error.kind() == io::ErrorKind::NotFound => continue,
                Err(error) => return Err(error),
            };
            // Locked, but perhaps by then removed.
            if directory.file().metadata()?.nlink() == 0 {
                continue;
            }
            directory.file().set_permissions(Permissions::from_mode(MODE))?;
            directory.file().set_modified(UNIX_EPOCH + start)?;
            return Ok(Self { folder, directory });
        }
        Err(io::Error::other("directories for shared memory vanish"))
    }
}

impl AsRawFd for SharedMemory {
    fn as_raw_fd(&self) -> i32 {
        self.directory.file().as_raw_fd()
    }
}

impl Drop for SharedMemory {
    fn drop(&mut self) {
        remove(self.folder.path());
    }
}

/// Removes what runs have left that could not.
fn sweep(place: &Path) {
    for entry in fs::read_dir(place).into_iter().flatten().flatten() {
        let is_ours = entry.file_name().to_str().is_some_and(is_name)
            && entry.metadata().is_ok_and(|found| found.uid() == geteuid().as_raw());
        if !is_ours {
            continue;
        }
        // Locked while it is removed, so that nobody else tries.
        if let Ok(Some(_lock @ Directory::Locked(_))) = Directory::lock(&entry.path()) {
            remove(&entry.path());
        }
    }
}

fn is_name(name: &str) -> bool {
    name.strip_prefix(PREFIX).is_some_and(|random| {
        random.len() == RANDOM && random.bytes().all(|byte| byte.is_ascii_alphanumeric())
    })
}

/// Removes a directory with all that is in it, whatever its permissions.
fn remove(path: &Path) {
    if fs::remove_dir_all(path).is_err_and(|error| error.kind() == io::ErrorKind::PermissionDenied)
    {
        open_up(path);
        let _ = fs::remove_dir_all(path);
    }
}

/// Lets the owner into every directory from here down.
fn open_up(path: &Path) {
    let _ = fs::set_permissions(path, Permissions::from_mode(0o700));
    for entry in fs::read_dir(path).into_iter().flatten().flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_names_of_runs_are_taken_for_such() {
        assert!(is_name("simrun-shm-abcDEF012345"));
        for other in ["simrun-shm-", "simrun-shm-results", "simrun-shm-abcDEF01234.", "simrun-1"] {
            assert!(!is_name(other), "{other}");
        }
    }
}
