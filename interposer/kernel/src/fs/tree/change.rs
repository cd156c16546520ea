//! Making, removing and renaming files.

use alloc::rc::Rc;

use linux_raw_sys::general as raw;

use super::{Body, Folder, Spot, moved, notify, open};
use crate::{
    error::{Errno, Error, Result},
    file::Happening,
    fs::{
        Inode,
        access::{self, Access},
    },
    machine::Env,
    process::{Capabilities, Credentials},
    uapi::stat::FileKind,
};

/// Most names of a file (ext4, `EXT4_LINK_MAX`).
const LINKS_MAX: u64 = 65_000;

/// What is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Removal {
    /// A directory: rmdir(2).
    Directory,
    /// Anything else: unlink(2).
    File,
}

/// A file's kind as those who watch are told.
fn told_kind(file: &Inode) -> Happening {
    match file.kind() {
        FileKind::Directory => Happening::DIRECTORY,
        _ => Happening::empty(),
    }
}

/// Makes a file of a name that leads nowhere.
///
/// # Errors
/// `EEXIST`, `ENOENT`, `EACCES`.
pub fn make(
    env: &mut Env<'_>,
    caller: &Credentials,
    spot: &Spot,
    mode: u32,
    body: Body,
) -> Result<Rc<Inode>> {
    if spot.file.is_some() {
        return Err(Errno::EEXIST.into());
    }
    let kind = FileKind::of(mode);
    access::check_names(caller, &spot.parent).map_err(|error| match error.errno {
        // What makes no files at all says so in this way (`may_o_create` and `vfs_create`).
        Errno::EPERM if kind == FileKind::Regular => Errno::EACCES.into(),
        _ => error,
    })?;
    let links = if kind == FileKind::Directory { 2 } else { 1 };
    let attributes = open::new_attributes(caller, &spot.parent, mode, links);
    let (tree, now) = (env.tree(), env.file_time());
    let file = tree.make(spot.parent.device, body, attributes, now);
    env.begin_change();
    env.set_name(&spot.parent, spot.name(), Some(Rc::clone(&file)));
    env.note_made(&spot.parent, &file);
    if kind == FileKind::Directory {
        spot.parent.count_links(1);
    }
    spot.parent.modified(now);
    open::tell_made(env, spot, kind);
    Ok(file)
}

/// mkdir(2).
///
/// # Errors
/// As there.
pub fn make_directory(
    env: &mut Env<'_>,
    caller: &Credentials,
    spot: &Spot,
    mode: u32,
) -> Result<()> {
    if spot.file.is_none() && spot.parent.attributes().links >= LINKS_MAX {
        return Err(Errno::EMLINK.into());
    }
    make(env, caller, spot, raw::S_IFDIR | mode, Body::Directory(Folder::default())).map(drop)
}

/// mknod(2). A device has this number; anything else ignores it.
///
/// # Errors
/// As there.
pub fn make_node(
    env: &mut Env<'_>,
    caller: &Credentials,
    spot: &Spot,
    mode: u32,
    device: u64,
) -> Result<()> {
    /// What an overlay puts where something was; anybody may make one (`is_whiteout`).
    const WHITEOUT: u64 = 0;
    let kind = FileKind::of(mode);
    let body = match kind {
        FileKind::Regular => Body::Regular(super::Contents::empty()),
        FileKind::Fifo | FileKind::Socket => Body::Special,
        FileKind::CharacterDevice | FileKind::BlockDevice => {
            let is_whiteout = kind == FileKind::CharacterDevice && device == WHITEOUT;
            if spot.file.is_none() && !is_whiteout && !caller.can(Capabilities::MKNOD) {
                return Err(Errno::EPERM.into());
            }
            let file = make(env, caller, spot, mode, Body::Special)?;
            file.update(|attributes| attributes.device = device);
            return Ok(());
        }
        FileKind::Directory => return Err(Errno::EPERM.into()),
        _ => return Err(Errno::EINVAL.into()),
    };
    make(env, caller, spot, mode, body).map(drop)
}

/// symlink(2).
///
/// # Errors
/// As there.
pub fn make_link(
    env: &mut Env<'_>,
    caller: &Credentials,
    target: &[u8],
    spot: &Spot,
) -> Result<()> {
    let mode = raw::S_IFLNK | 0o777;
    make(env, caller, spot, mode, Body::Link(target.into())).map(drop)
}

/// link(2).
///
/// # Errors
/// As there.
pub fn link(env: &mut Env<'_>, caller: &Credentials, file: &Rc<Inode>, spot: &Spot) -> Result<()> {
    if spot.file.is_some() {
        return Err(Errno::EEXIST.into());
    }
    if file.device != spot.parent.device {
        return Err(Errno::EXDEV.into());
    }
    access::check_link(caller, file)?;
    access::check_names(caller, &spot.parent)?;
    if file.kind() == FileKind::Directory {
        return Err(Errno::EPERM.into());
    }
    if file.is_nameless() && !file.is_linkable() {
        return Err(Errno::ENOENT.into());
    }
    if file.attributes().links >= LINKS_MAX {
        return Err(Errno::EMLINK.into());
    }
    env.begin_change();
    env.set_name(&spot.parent, spot.name(), Some(Rc::clone(file)));
    file.count_links(1);
    file.set_linkable(false);
    let now = env.file_time();
    file.changed(now);
    spot.parent.modified(now);
    notify::file(env, file, Happening::ATTRIBUTES);
    notify::name(env, &spot.parent, spot.name(), Happening::CREATE);
    Ok(())
}

/// A name of this file is gone; the file, if it was its last one.
fn removed(env: &mut Env<'_>, spot: &Spot, file: &Rc<Inode>) -> Option<Rc<Inode>> {
    file.changed(env.file_time());
    let is_directory = file.kind() == FileKind::Directory;
    if let Some(folder) = file.folder() {
        folder.remove_from(&spot.parent);
        file.update(|attributes| attributes.links = 0);
        spot.parent.count_links(-1);
    } else {
        file.count_links(-1);
    }
    env.tree().remove_opened(&spot.path);
    env.free_unreachable(file);
    if !is_directory {
        notify::file(env, file, Happening::ATTRIBUTES);
    }
    file.is_nameless().then(|| Rc::clone(file))
}

/// Refuses to remove a directory that holds anything.
fn check_empty(env: &mut Env<'_>, folder: &Folder) -> Result<()> {
    let tree = env.tree();
    if folder.list(&tree, env.host)?.is_empty() { Ok(()) } else { Err(Errno::ENOTEMPTY.into()) }
}

/// Refuses to move or remove what something is mounted on.
fn check_unmounted(env: &mut Env<'_>, spot: &Spot) -> Result<()> {
    let tree = env.tree();
    match tree.mounted(env.host, &spot.path)? {
        Some(_) => Err(Errno::EBUSY.into()),
        None => Ok(()),
    }
}

/// rmdir(2) and unlink(2).
///
/// # Errors
/// As there.
pub fn remove(env: &mut Env<'_>, caller: &Credentials, spot: &Spot, what: Removal) -> Result<()> {
    let file = Rc::clone(spot.existing()?);
    check_unmounted(env, spot)?;
    access::check_removal(caller, &spot.parent, &file)?;
    match (what, file.folder()) {
        (Removal::File, Some(_)) => return Err(Errno::EISDIR.into()),
        (Removal::Directory, None) => return Err(Errno::ENOTDIR.into()),
        (Removal::Directory, Some(folder)) => check_empty(env, folder)?,
        (Removal::File, None) => {}
    }
    env.begin_change();
    env.set_name(&spot.parent, spot.name(), None);
    let last = removed(env, spot, &file);
    spot.parent.modified(env.file_time());
    if let Some(inode) = last {
        notify::last_name_gone(env, &inode);
    }
    notify::name(env, &spot.parent, spot.name(), Happening::DELETE | told_kind(&file));
    Ok(())
}

/// What becomes of the name that a rename gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Renaming {
    /// It leads to the renamed file, whatever it led to.
    Replace,
    /// It must have led nowhere.
    Keep,
    /// The two names change places.
    Exchange,
}

/// renameat2(2); whether anything changed.
///
/// # Errors
/// As there.
pub fn rename(
    env: &mut Env<'_>,
    caller: &Credentials,
    old: &Spot,
    new: &Spot,
    how: Renaming,
) -> Result<bool> {
    let file = Rc::clone(old.existing()?);
    let other = new.file.clone();
    check_rename(env, caller, (old, &file), (new, other.as_ref()), how)?;
    if other.as_ref().is_some_and(|other| Rc::ptr_eq(other, &file)) {
        return Ok(false);
    }
    let (tree, now) = (env.tree(), env.file_time());
    notify::moved(env, (&old.parent, old.name()), (&new.parent, new.name()), told_kind(&file));
    let mut last = None;
    env.begin_change();
    if how == Renaming::Exchange {
        let other = other.as_ref().ok_or(Errno::ENOENT)?;
        env.set_name(&old.parent, old.name(), Some(Rc::clone(other)));
        env.set_name(&new.parent, new.name(), Some(Rc::clone(&file)));
        move_links(&new.parent, &old.parent, other);
        tree.exchange_opened(&old.path, &new.path);
    } else {
        env.set_name(&old.parent, old.name(), None);
        env.set_name(&new.parent, new.name(), Some(Rc::clone(&file)));
        last = other.as_ref().and_then(|other| removed(env, new, other));
        tree.move_opened(&old.path, &new.path);
    }
    move_links(&old.parent, &new.parent, &file);
    file.changed(now);
    notify::file(env, &file, Happening::MOVE_SELF);
    if let Some(inode) = last {
        notify::last_name_gone(env, &inode);
    }
    if let Some(other) = other.filter(|_| how == Renaming::Exchange) {
        let kind = told_kind(&other);
        notify::moved(env, (&new.parent, new.name()), (&old.parent, old.name()), kind);
        other.changed(now);
        notify::file(env, &other, Happening::MOVE_SELF);
    }
    new.parent.modified(now);
    old.parent.modified(now);
    Ok(true)
}

/// A directory that moves takes the name of its parent with it.
fn move_links(from: &Rc<Inode>, to: &Rc<Inode>, file: &Inode) {
    if file.kind() == FileKind::Directory && !Rc::ptr_eq(from, to) {
        from.count_links(-1);
        to.count_links(1);
    }
}

type Named<'a> = (&'a Spot, &'a Rc<Inode>);

/// Refuses a rename as Linux does (`vfs_rename` in fs/namei.c), in its order.
fn check_rename(
    env: &mut Env<'_>,
    caller: &Credentials,
    (old, file): Named<'_>,
    (new, other): (&Spot, Option<&Rc<Inode>>),
    how: Renaming,
) -> Result<()> {
    if old.parent.device != new.parent.device {
        return Err(Errno::EXDEV.into());
    }
    check_unmounted(env, old)?;
    check_unmounted(env, new)?;
    match (how, other) {
        (Renaming::Keep, Some(_)) => return Err(Errno::EEXIST.into()),
        (Renaming::Exchange, None) => return Err(Errno::ENOENT.into()),
        // Another may be where the directory was, so that its path says nothing (`lookup_one_qstr_excl`).
        _ if new.parent.is_nameless() => return Err(Errno::ENOENT.into()),
        _ => {}
    }
    let is_below = |path: &[u8], above: &[u8]| path != above && moved(path, above, b"").is_some();
    if is_below(&new.path, &old.path) {
        return Err(Error::new(Errno::EINVAL, "a directory cannot move below itself"));
    }
    if is_below(&old.path, &new.path) {
        let exchanges = how == Renaming::Exchange;
        return Err(if exchanges { Errno::EINVAL } else { Errno::ENOTEMPTY }.into());
    }
    if other.is_some_and(|other| Rc::ptr_eq(other, file)) {
        return Ok(());
    }
    access::check_removal(caller, &old.parent, file)?;
    let is_directory = file.kind() == FileKind::Directory;
    match other {
        None => access::check_names(caller, &new.parent)?,
        Some(other) => {
            access::check_removal(caller, &new.parent, other)?;
            match (is_directory, other.folder()) {
                _ if how == Renaming::Exchange => {}
                (true, None) => return Err(Errno::ENOTDIR.into()),
                (false, Some(_)) => return Err(Errno::EISDIR.into()),
                _ => {}
            }
        }
    }
    if !Rc::ptr_eq(&old.parent, &new.parent) {
        let directories = [Some(file), other.filter(|_| how == Renaming::Exchange)];
        for moving in directories.into_iter().flatten() {
            if moving.kind() == FileKind::Directory {
                access::check(caller, moving, Access::WRITE)?;
            }
        }
    }
    match other.and_then(|other| other.folder()) {
        Some(folder) if how != Renaming::Exchange => check_empty(env, folder),
        _ => Ok(()),
    }
}
