//! Opening files of the host.

use alloc::rc::Rc;

use super::{Inode, notify, touch_parent};
use crate::{
    error::{Errno, Error, Result},
    file::{Happening, OpenFlags},
    fs::Times,
    host::{Follow, HostFd, HostStat},
    machine::Env,
    uapi::stat::FileKind,
};

/// A file of the host that was opened.
#[derive(Debug)]
pub struct Opened {
    /// The host's descriptor; `None` for what the host must not open, such as a FIFO.
    pub host: Option<HostFd>,
    /// What the host says of it.
    pub stat: HostStat,
    /// The file.
    pub inode: Rc<Inode>,
    /// Whether it was there and has been emptied.
    pub truncated: bool,
}

/// What the host is told: access mode and the flags that decide what is opened. It must never wait, and never
/// follow a link in last place.
fn host_flags(flags: OpenFlags) -> u32 {
    let passed = OpenFlags::WRITE_ONLY
        | OpenFlags::READ_WRITE
        | OpenFlags::CREATE
        | OpenFlags::EXCLUSIVE
        | OpenFlags::TRUNCATE
        | OpenFlags::DIRECTORY
        | OpenFlags::PATH
        | OpenFlags::TEMPORARY;
    let flags = flags & passed;
    let extra = OpenFlags::NO_FOLLOW | OpenFlags::NO_TERMINAL;
    if flags.contains(OpenFlags::PATH) {
        (flags | extra).bits()
    } else {
        (flags | extra | OpenFlags::NONBLOCK).bits()
    }
}

/// Opens the file at a path whose last component is not followed.
///
/// # Errors
/// As open(2); `ELOOP` for a symbolic link.
pub fn open(env: &mut Env<'_>, path: &[u8], flags: OpenFlags, mode: u32) -> Result<Opened> {
    if flags.contains(OpenFlags::TEMPORARY) {
        return open_nameless(env, path, flags, mode);
    }
    let make = OpenFlags::CREATE | OpenFlags::EXCLUSIVE;
    if flags.contains(make) {
        return create(env, path, flags, mode);
    }
    loop {
        match env.host.open(path, host_flags(flags - make), mode) {
            Ok(fd) => return opened(env, fd, flags),
            Err(Errno::ENXIO) => return open_special(env, path),
            Err(Errno::ENOENT) if flags.contains(OpenFlags::CREATE) => {
                match create(env, path, flags | OpenFlags::EXCLUSIVE, mode) {
                    // Someone outside was faster.
                    Err(Error { errno: Errno::EEXIST, .. }) => {}
                    result => return result,
                }
            }
            Err(errno) => return Err(errno.into()),
        }
    }
}

/// Opens an open file of the host anew, with other flags and an offset of its own.
///
/// # Errors
/// As open(2).
pub fn open_again(env: &mut Env<'_>, fd: HostFd, flags: OpenFlags, mode: u32) -> Result<Opened> {
    let path = alloc::format!("/proc/self/fd/{}", fd.0);
    let without = OpenFlags::CREATE | OpenFlags::EXCLUSIVE | OpenFlags::NO_FOLLOW;
    let host_flags = (host_flags(flags) & !without.bits()) | OpenFlags::NONBLOCK.bits();
    let fd = env.host.open(path.as_bytes(), host_flags, mode)?;
    opened(env, fd, flags - without)
}

fn create(env: &mut Env<'_>, path: &[u8], flags: OpenFlags, mode: u32) -> Result<Opened> {
    let fd = env.host.open(path, host_flags(flags - OpenFlags::TRUNCATE), mode)?;
    let opened = new(env, fd)?;
    touch_parent(env, path);
    notify::name(env, path, Happening::CREATE);
    Ok(opened)
}

fn open_nameless(env: &mut Env<'_>, path: &[u8], flags: OpenFlags, mode: u32) -> Result<Opened> {
    let fd = env.host.open(path, host_flags(flags), mode)?;
    new(env, fd)
}

/// A file that was just made.
fn new(env: &mut Env<'_>, fd: HostFd) -> Result<Opened> {
    let stat = env.host.fstat(fd).inspect_err(|_| env.host.close(fd))?;
    let inode = env.tree().inodes.borrow_mut().fresh(stat.dev, stat.ino);
    inode.set_times(Times::all(env.file_time()));
    Ok(Opened { host: Some(fd), stat, inode, truncated: false })
}

/// A file that was there.
fn opened(env: &mut Env<'_>, fd: HostFd, flags: OpenFlags) -> Result<Opened> {
    let stat = env.host.fstat(fd).inspect_err(|_| env.host.close(fd))?;
    let kind = FileKind::of(stat.mode);
    if kind == FileKind::Directory && flags.contains(OpenFlags::CREATE) {
        env.host.close(fd);
        return Err(Errno::EISDIR.into());
    }
    let inode = env.tree().see(&stat);
    let truncated = flags.contains(OpenFlags::TRUNCATE) && kind == FileKind::Regular;
    if truncated {
        inode.modified(env.file_time());
    }
    let host = if kind == FileKind::Fifo && !flags.contains(OpenFlags::PATH) {
        env.host.close(fd);
        None
    } else {
        Some(fd)
    };
    Ok(Opened { host, stat, inode, truncated })
}

/// What the host refuses to open without a peer: a FIFO's writing end, a socket.
fn open_special(env: &mut Env<'_>, path: &[u8]) -> Result<Opened> {
    let stat = env.host.stat(path, Follow::No)?;
    match FileKind::of(stat.mode) {
        FileKind::Fifo => {
            let inode = env.tree().see(&stat);
            Ok(Opened { host: None, stat, inode, truncated: false })
        }
        _ => Err(Errno::ENXIO.into()),
    }
}
