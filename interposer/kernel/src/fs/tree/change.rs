//! Making, removing and renaming files.

use alloc::rc::Rc;

use linux_raw_sys::general as nr;

use super::{Times, call, notify, touch_parent, walk};
use crate::{
    error::{Errno, Result},
    file::Happening,
    fs::Inode,
    host::{FileArgument, Follow, HostFd, HostStat},
    machine::Env,
    uapi::stat::FileKind,
};

use FileArgument::{Number, String};

/// What is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// A directory: rmdir(2).
    Directory,
    /// Anything else: unlink(2).
    File,
}

/// A file's kind as those who watch are told.
fn told_kind(stat: &HostStat) -> Happening {
    match FileKind::of(stat.mode) {
        FileKind::Directory => Happening::DIRECTORY,
        _ => Happening::empty(),
    }
}

/// A new name is there: its file is new too.
fn made(env: &mut Env<'_>, path: &[u8]) -> Result<()> {
    let stat = env.host.stat(path, Follow::No)?;
    let inode = env.tree().inodes.borrow_mut().fresh(stat.dev, stat.ino);
    inode.set_times(Times::all(env.file_time()));
    touch_parent(env, path);
    notify::name(env, path, Happening::CREATE | told_kind(&stat));
    Ok(())
}

/// mkdir(2).
///
/// # Errors
/// As there.
pub fn make_directory(env: &mut Env<'_>, path: &[u8], mode: u32) -> Result<()> {
    call(env.host, nr::__NR_mkdir, [String(path), Number(mode.into())])?;
    made(env, path)
}

/// mknod(2), for FIFOs, sockets and empty files.
///
/// # Errors
/// As there; `EPERM` for a device.
pub fn make_node(env: &mut Env<'_>, path: &[u8], mode: u32) -> Result<()> {
    match FileKind::of(mode) {
        FileKind::Fifo | FileKind::Socket | FileKind::Regular => {}
        FileKind::CharacterDevice | FileKind::BlockDevice => return Err(Errno::EPERM.into()),
        _ => return Err(Errno::EINVAL.into()),
    }
    call(env.host, nr::__NR_mknod, [String(path), Number(mode.into())])?;
    made(env, path)
}

/// symlink(2).
///
/// # Errors
/// As there.
pub fn make_link(env: &mut Env<'_>, target: &[u8], path: &[u8]) -> Result<()> {
    call(env.host, nr::__NR_symlink, [String(target), String(path)])?;
    made(env, path)
}

/// What gets a further name.
#[derive(Clone, Copy, Debug)]
pub enum Linked<'a> {
    /// The file at a path, not followed.
    Path(&'a [u8]),
    /// An open file of the host.
    Open(HostFd),
}

/// link(2).
///
/// # Errors
/// As there.
pub fn link(env: &mut Env<'_>, file: Linked<'_>, path: &[u8]) -> Result<()> {
    let here = i64::from(nr::AT_FDCWD) as u64;
    match file {
        Linked::Path(old) => call(env.host, nr::__NR_link, [String(old), String(path)])?,
        Linked::Open(fd) => {
            let old = alloc::format!("/proc/self/fd/{}", fd.0);
            let follow = Number(nr::AT_SYMLINK_FOLLOW.into());
            let arguments =
                [Number(here), String(old.as_bytes()), Number(here), String(path), follow];
            call(env.host, nr::__NR_linkat, arguments)?
        }
    };
    let stat = env.host.stat(path, Follow::No)?;
    let inode = env.tree().see(&stat);
    inode.changed(env.file_time());
    touch_parent(env, path);
    notify::file(env, &inode, Happening::ATTRIBUTES);
    notify::name(env, path, Happening::CREATE);
    Ok(())
}

/// A name of this file is gone; the file, if it was its last one.
fn removed(env: &mut Env<'_>, path: &[u8], stat: &HostStat) -> Option<Rc<Inode>> {
    let tree = env.tree();
    let inode = tree.see(stat);
    inode.changed(env.file_time());
    let is_directory = FileKind::of(stat.mode) == FileKind::Directory;
    let is_last = is_directory || stat.nlink <= 1;
    if is_last {
        tree.inodes.borrow_mut().forget(stat.dev, stat.ino);
    }
    tree.names.borrow_mut().forget(path);
    tree.remove_opened(path);
    if !is_directory {
        notify::file(env, &inode, Happening::ATTRIBUTES);
    }
    is_last.then_some(inode)
}

/// rmdir(2) and unlink(2).
///
/// # Errors
/// As there.
pub fn remove(env: &mut Env<'_>, path: &[u8], what: Removal) -> Result<()> {
    let stat = env.host.stat(path, Follow::No)?;
    let number = match what {
        Removal::Directory => nr::__NR_rmdir,
        Removal::File => nr::__NR_unlink,
    };
    call(env.host, number, [String(path)])?;
    let last = removed(env, path, &stat);
    touch_parent(env, path);
    if let Some(inode) = last {
        notify::last_name_gone(env, &inode);
    }
    notify::name(env, path, Happening::DELETE | told_kind(&stat));
    Ok(())
}

/// renameat2(2) with its flags; whether anything changed.
///
/// # Errors
/// As there.
pub fn rename(env: &mut Env<'_>, old: &[u8], new: &[u8], flags: u32) -> Result<bool> {
    let moved = env.host.stat(old, Follow::No)?;
    let replaced = env.host.stat(new, Follow::No).ok();
    let here = i64::from(nr::AT_FDCWD) as u64;
    let arguments = [Number(here), String(old), Number(here), String(new), Number(flags.into())];
    call(env.host, nr::__NR_renameat2, arguments)?;
    if replaced.is_some_and(|other| (other.dev, other.ino) == (moved.dev, moved.ino)) {
        return Ok(false);
    }
    let (tree, now) = (env.tree(), env.file_time());
    let mut last = None;
    notify::moved(env, old, new, told_kind(&moved));
    if flags & nr::RENAME_EXCHANGE != 0 {
        tree.names.borrow_mut().forget(old);
        tree.names.borrow_mut().forget(new);
        tree.exchange_opened(old, new);
    } else {
        if let Some(stat) = &replaced {
            last = removed(env, new, stat);
        }
        tree.names.borrow_mut().forget(old);
        tree.move_opened(old, new);
    }
    let inode = tree.see(&moved);
    inode.changed(now);
    notify::file(env, &inode, Happening::MOVE_SELF);
    if let Some(inode) = last {
        notify::last_name_gone(env, &inode);
    }
    if let Some(other) = replaced.filter(|_| flags & nr::RENAME_EXCHANGE != 0) {
        notify::moved(env, new, old, told_kind(&other));
        let other = tree.see(&other);
        other.changed(now);
        notify::file(env, &other, Happening::MOVE_SELF);
    }
    touch_parent(env, new);
    if walk::parent(old) != walk::parent(new) {
        touch_parent(env, old);
    }
    Ok(true)
}
