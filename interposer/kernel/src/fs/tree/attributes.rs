//! What files have besides contents: mode, owner, times, length. [`super::extended`] has the extended attributes.

use alloc::rc::Rc;

use linux_raw_sys::general as nr;

use super::{Inode, call, notify};
use crate::{
    error::Result,
    file::Happening,
    fs::FileTime,
    host::{FileArgument, HostFd, HostStat},
    machine::Env,
    uapi::stat::FileKind,
};

use FileArgument::{Input, Number, String};

/// A file of the host to be asked or changed.
#[derive(Clone, Copy, Debug)]
pub enum Target<'a> {
    /// At a path; the last component is not followed.
    Path(&'a [u8]),
    /// Open; also with `O_PATH`.
    Open(HostFd),
}

impl Target<'_> {
    pub(super) fn stat(self, env: &mut Env<'_>) -> Result<HostStat> {
        match self {
            Self::Path(path) => env.tree().lstat(env.host, path),
            Self::Open(fd) => Ok(env.host.fstat(fd)?),
        }
    }

    /// The file.
    ///
    /// # Errors
    /// As stat(2).
    pub fn inode(self, env: &mut Env<'_>) -> Result<Rc<Inode>> {
        let stat = self.stat(env)?;
        Ok(env.tree().see(&stat))
    }

    /// Tells those who watch the file or its directory.
    pub(super) fn tell(self, env: &mut Env<'_>, inode: &Inode, stat: &HostStat, what: Happening) {
        let what = match FileKind::of(stat.mode) {
            FileKind::Directory => what | Happening::DIRECTORY,
            _ => what,
        };
        match self {
            Self::Path(path) => notify::both(env, inode, path, what),
            Self::Open(fd) => notify::open_file(env, inode, fd, what),
        }
    }

    /// Runs `with` with a path that the host resolves to the file.
    pub(super) fn with_path<T>(self, with: impl FnOnce(&[u8]) -> T) -> T {
        match self {
            Self::Path(path) => with(path),
            Self::Open(fd) => with(alloc::format!("/proc/self/fd/{}", fd.0).as_bytes()),
        }
    }

    /// `AT_SYMLINK_NOFOLLOW` where the path is the file's own.
    fn no_follow(self) -> u64 {
        match self {
            Self::Path(_) => nr::AT_SYMLINK_NOFOLLOW.into(),
            Self::Open(_) => 0,
        }
    }
}

const HERE: u64 = nr::AT_FDCWD as i64 as u64;

/// stat(2), as a program sees it.
///
/// # Errors
/// As there.
pub fn stat(env: &mut Env<'_>, target: Target<'_>) -> Result<HostStat> {
    let stat = target.stat(env)?;
    Ok(env.tree().shown(&stat))
}

/// chmod(2).
///
/// # Errors
/// As there.
pub fn set_mode(env: &mut Env<'_>, target: Target<'_>, mode: u32) -> Result<()> {
    let stat = target.stat(env)?;
    let inode = env.tree().see(&stat);
    target.with_path(|path| {
        call(env.host, nr::__NR_chmod, [String(path), Number((mode & 0o7777).into())])
    })?;
    inode.changed(env.file_time());
    target.tell(env, &inode, &stat, Happening::ATTRIBUTES);
    Ok(())
}

/// chown(2).
///
/// # Errors
/// As there.
pub fn set_owner(env: &mut Env<'_>, target: Target<'_>, owner: u32, group: u32) -> Result<()> {
    let stat = target.stat(env)?;
    let inode = env.tree().see(&stat);
    target.with_path(|path| {
        let arguments = [
            Number(HERE),
            String(path),
            Number(owner.into()),
            Number(group.into()),
            Number(target.no_follow()),
        ];
        call(env.host, nr::__NR_fchownat, arguments)
    })?;
    inode.changed(env.file_time());
    if (owner, group) != (u32::MAX, u32::MAX) {
        target.tell(env, &inode, &stat, Happening::ATTRIBUTES);
    }
    Ok(())
}

/// What becomes of one of a file's times (utimensat(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NewTime {
    /// Now.
    Now,
    /// This.
    At(FileTime),
    /// It stays.
    Keep,
}

impl NewTime {
    fn raw(self) -> [i64; 2] {
        match self {
            Self::Now => [0, nr::UTIME_NOW.into()],
            Self::Keep => [0, nr::UTIME_OMIT.into()],
            Self::At(time) => [time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000)],
        }
    }

    fn apply(self, time: &mut FileTime, now: FileTime) {
        match self {
            Self::Now => *time = now,
            Self::At(at) => *time = at,
            Self::Keep => {}
        }
    }
}

/// utimensat(2).
///
/// # Errors
/// As there.
pub fn set_times(
    env: &mut Env<'_>,
    target: Target<'_>,
    access: NewTime,
    modification: NewTime,
) -> Result<()> {
    let stat = target.stat(env)?;
    let inode = env.tree().see(&stat);
    let raw = [access.raw(), modification.raw()];
    target.with_path(|path| {
        let arguments = [
            Number(HERE),
            String(path),
            Input(bytemuck::cast_slice(&raw)),
            Number(target.no_follow()),
        ];
        call(env.host, nr::__NR_utimensat, arguments)
    })?;
    let now = env.file_time();
    let mut times = inode.times();
    access.apply(&mut times.access, now);
    modification.apply(&mut times.modification, now);
    times.change = now;
    inode.set_times(times);
    let what = match (access, modification) {
        (NewTime::Keep, NewTime::Keep) => return Ok(()),
        (_, NewTime::Keep) => Happening::ACCESS,
        (NewTime::Keep, _) => Happening::MODIFY,
        _ => Happening::ATTRIBUTES,
    };
    target.tell(env, &inode, &stat, what);
    Ok(())
}

/// truncate(2).
///
/// # Errors
/// As there.
pub fn truncate(env: &mut Env<'_>, path: &[u8], len: u64) -> Result<()> {
    let inode = Target::Path(path).inode(env)?;
    call(env.host, nr::__NR_truncate, [String(path), Number(len)])?;
    inode.modified(env.file_time());
    notify::both(env, &inode, path, Happening::MODIFY);
    Ok(())
}

/// ftruncate(2).
///
/// # Errors
/// As there.
pub fn truncate_open(env: &mut Env<'_>, fd: HostFd, inode: &Inode, len: u64) -> Result<()> {
    call(env.host, nr::__NR_ftruncate, [Number(fd.0 as u64), Number(len)])?;
    inode.modified(env.file_time());
    notify::open_file(env, inode, fd, Happening::MODIFY);
    Ok(())
}

/// fallocate(2).
///
/// # Errors
/// As there.
pub fn allocate(
    env: &mut Env<'_>,
    fd: HostFd,
    inode: &Inode,
    mode: u32,
    range: (u64, u64),
) -> Result<()> {
    let arguments = [Number(fd.0 as u64), Number(mode.into()), Number(range.0), Number(range.1)];
    call(env.host, nr::__NR_fallocate, arguments)?;
    inode.modified(env.file_time());
    notify::open_file(env, inode, fd, Happening::MODIFY);
    Ok(())
}

/// access(2) with the rights of the host's user, which are the program's.
///
/// # Errors
/// As there.
pub fn check_access(env: &mut Env<'_>, path: &[u8], mode: u32) -> Result<()> {
    call(env.host, nr::__NR_access, [String(path), Number(mode.into())]).map(drop)
}
