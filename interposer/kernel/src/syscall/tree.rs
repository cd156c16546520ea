//! What changes the tree: making, removing, linking and renaming.

use alloc::{rc::Rc, vec::Vec};

use linux_raw_sys::general as raw;

use super::path::{AtFlags, HERE};
use crate::{
    context::Context,
    error::{Errno, Result},
    fs::{
        Inode, Last, Place, Spot, Standing,
        tree::{
            self, DELETED,
            change::{self, Removal, Renaming},
        },
    },
    host::Follow,
    outcome::Outcome,
    uapi::stat::FileKind,
};

/// What a call is about to do with a name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Purpose {
    /// Make a directory of it.
    MakeDirectory,
    /// Make something else of it.
    Make,
    /// Take it away.
    Take,
}

/// Walks to a name that is to be made or taken away: a link in last place is not followed, whatever comes behind it.
fn name_argument(
    cx: &mut Context<'_>,
    directory: u64,
    path: u64,
    purpose: Purpose,
) -> Result<(Spot, Last)> {
    let path = cx.read_path(path)?;
    let end = path.iter().rposition(|&b| b != b'/').map_or(path.len().min(1), |at| at + 1);
    let found = cx.walk(directory, &path[..end], Follow::No)?;
    let last = match found.last {
        Last::Name if end < path.len() => Last::NameAndSlash,
        last => last,
    };
    let spot = match (found.place, purpose) {
        (Place::Tree(spot), _) => spot,
        (Place::View(_, Some(_)), Purpose::Take) => return Err(Errno::EPERM.into()),
        // Nothing can be made there, either: looking for the name fails before.
        (Place::View(_, None), _) => return Err(Errno::ENOENT.into()),
        _ => return Err(Errno::EEXIST.into()),
    };
    if purpose == Purpose::Take {
        return Ok((spot, last));
    }
    match last {
        Last::Dot | Last::DotDot | Last::Root => Err(Errno::EEXIST.into()),
        Last::NameAndSlash if purpose == Purpose::Make => {
            Err(if spot.file.is_some() { Errno::EEXIST } else { Errno::ENOENT }.into())
        }
        _ => Ok((spot, last)),
    }
}

fn unmasked(cx: &mut Context<'_>, mode: u64) -> u32 {
    mode as u32 & !cx.process().fs.borrow().umask
}

/// mkdir(2).
pub fn mkdir(cx: &mut Context<'_>, [path, mode, ..]: [u64; 6]) -> Result<Outcome> {
    mkdirat(cx, [HERE, path, mode, 0, 0, 0])
}

/// mkdirat(2).
pub fn mkdirat(cx: &mut Context<'_>, [directory, path, mode, ..]: [u64; 6]) -> Result<Outcome> {
    let (spot, _) = name_argument(cx, directory, path, Purpose::MakeDirectory)?;
    let (mode, caller) = (unmasked(cx, mode) & 0o1777, cx.caller());
    change::make_directory(&mut cx.env(), &caller, &spot, mode)?;
    Ok(Outcome::Done(0))
}

/// mknod(2).
pub fn mknod(cx: &mut Context<'_>, [path, mode, device, ..]: [u64; 6]) -> Result<Outcome> {
    mknodat(cx, [HERE, path, mode, device, 0, 0])
}

/// mknodat(2).
pub fn mknodat(
    cx: &mut Context<'_>,
    [directory, path, mode, device, ..]: [u64; 6],
) -> Result<Outcome> {
    let (spot, _) = name_argument(cx, directory, path, Purpose::Make)?;
    let (mode, caller) = (unmasked(cx, mode), cx.caller());
    let mode = if mode & raw::S_IFMT == 0 { mode | raw::S_IFREG } else { mode };
    let device = u64::from(device as u32);
    change::make_node(&mut cx.env(), &caller, &spot, mode, device)?;
    Ok(Outcome::Done(0))
}

/// symlink(2).
pub fn symlink(cx: &mut Context<'_>, [target, path, ..]: [u64; 6]) -> Result<Outcome> {
    symlinkat(cx, [target, HERE, path, 0, 0, 0])
}

/// symlinkat(2).
pub fn symlinkat(cx: &mut Context<'_>, [target, directory, path, ..]: [u64; 6]) -> Result<Outcome> {
    let target = cx.read_path(target)?;
    if target.is_empty() {
        return Err(Errno::ENOENT.into());
    }
    let (spot, _) = name_argument(cx, directory, path, Purpose::Make)?;
    let caller = cx.caller();
    change::make_link(&mut cx.env(), &caller, &target, &spot)?;
    Ok(Outcome::Done(0))
}

/// link(2).
pub fn link(cx: &mut Context<'_>, [old, new, ..]: [u64; 6]) -> Result<Outcome> {
    linkat(cx, [HERE, old, HERE, new, 0, 0])
}

/// linkat(2).
pub fn linkat(
    cx: &mut Context<'_>,
    [old_directory, old, directory, path, flags, _]: [u64; 6],
) -> Result<Outcome> {
    let flags = flags as u32;
    if flags & !(raw::AT_SYMLINK_FOLLOW | raw::AT_EMPTY_PATH) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let follow = if flags & raw::AT_SYMLINK_FOLLOW != 0 { Follow::Yes } else { Follow::No };
    let flags = AtFlags { follow, empty_path: flags & raw::AT_EMPTY_PATH != 0 };
    let reached = cx.reach(old_directory, old, flags)?;
    let subject = reached.subject()?;
    let (spot, _) = name_argument(cx, directory, path, Purpose::Make)?;
    let exists = spot.file.is_some();
    let subject = subject.ok_or(if exists { Errno::EEXIST } else { Errno::EXDEV })?;
    let caller = cx.caller();
    change::link(&mut cx.env(), &caller, &subject.inode, &spot)?;
    Ok(Outcome::Done(0))
}

/// unlink(2).
pub fn unlink(cx: &mut Context<'_>, [path, ..]: [u64; 6]) -> Result<Outcome> {
    unlinkat(cx, [HERE, path, 0, 0, 0, 0])
}

/// rmdir(2).
pub fn rmdir(cx: &mut Context<'_>, [path, ..]: [u64; 6]) -> Result<Outcome> {
    unlinkat(cx, [HERE, path, raw::AT_REMOVEDIR.into(), 0, 0, 0])
}

/// unlinkat(2).
pub fn unlinkat(cx: &mut Context<'_>, [directory, path, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let what = match flags as u32 {
        0 => Removal::File,
        raw::AT_REMOVEDIR => Removal::Directory,
        _ => return Err(Errno::EINVAL.into()),
    };
    let (spot, last) = name_argument(cx, directory, path, Purpose::Take)?;
    match (what, last) {
        (_, Last::Name) | (Removal::Directory, Last::NameAndSlash) => {}
        (Removal::File, Last::NameAndSlash) => {
            let is_directory = spot.existing()?.kind() == FileKind::Directory;
            return Err(if is_directory { Errno::EISDIR } else { Errno::ENOTDIR }.into());
        }
        (Removal::File, _) => return Err(Errno::EISDIR.into()),
        (Removal::Directory, Last::Dot) => return Err(Errno::EINVAL.into()),
        (Removal::Directory, Last::DotDot) => return Err(Errno::ENOTEMPTY.into()),
        (Removal::Directory, Last::Root) => return Err(Errno::EBUSY.into()),
    }
    let caller = cx.caller();
    change::remove(&mut cx.env(), &caller, &spot, what)?;
    mark_standing(cx, spot.existing()?);
    Ok(Outcome::Done(0))
}

/// rename(2).
pub fn rename(cx: &mut Context<'_>, [old, new, ..]: [u64; 6]) -> Result<Outcome> {
    renameat2(cx, [HERE, old, HERE, new, 0, 0])
}

/// renameat(2).
pub fn renameat(
    cx: &mut Context<'_>,
    [old_directory, old, directory, new, ..]: [u64; 6],
) -> Result<Outcome> {
    renameat2(cx, [old_directory, old, directory, new, 0, 0])
}

/// renameat2(2).
pub fn renameat2(
    cx: &mut Context<'_>,
    [old_directory, old, directory, new, flags, _]: [u64; 6],
) -> Result<Outcome> {
    let how = match flags as u32 {
        0 => Renaming::Replace,
        raw::RENAME_NOREPLACE => Renaming::Keep,
        raw::RENAME_EXCHANGE => Renaming::Exchange,
        _ => return Err(Errno::EINVAL.into()),
    };
    let (old, old_last) = name_argument(cx, old_directory, old, Purpose::Take)?;
    let (new, new_last) = name_argument(cx, directory, new, Purpose::Take)?;
    let special = |last| matches!(last, Last::Dot | Last::DotDot | Last::Root);
    if special(old_last) {
        return Err(Errno::EBUSY.into());
    }
    if special(new_last) {
        let keeps = how == Renaming::Keep;
        return Err(if keeps { Errno::EEXIST } else { Errno::EBUSY }.into());
    }
    check_slashes((&old, old_last), (&new, new_last), how)?;
    let exchanges = how == Renaming::Exchange;
    let caller = cx.caller();
    if change::rename(&mut cx.env(), &caller, &old, &new, how)? {
        if let (Some(replaced), Renaming::Replace) = (&new.file, how) {
            mark_standing(cx, replaced);
        }
        move_standing(cx, |standing| {
            let back = || tree::moved(standing, &new.path, &old.path).filter(|_| exchanges);
            tree::moved(standing, &old.path, &new.path).or_else(back)
        });
    }
    Ok(Outcome::Done(0))
}

/// Refuses names that a slash says to be directories, in the order of Linux (`do_renameat2` in fs/namei.c).
fn check_slashes(old: (&Spot, Last), new: (&Spot, Last), how: Renaming) -> Result<()> {
    let is_directory = |file: &Inode| file.kind() == FileKind::Directory;
    let with_slash = |last| last == Last::NameAndSlash;
    let source = is_directory(old.0.existing()?);
    if new.0.parent.is_nameless() {
        // In a directory that is gone no name is looked for (`lookup_one_qstr_excl`).
        return Err(Errno::ENOENT.into());
    }
    let fails = match (how, &new.0.file) {
        (Renaming::Keep, Some(_)) => return Err(Errno::EEXIST.into()),
        (Renaming::Exchange, None) => return Err(Errno::ENOENT.into()),
        (Renaming::Exchange, Some(other)) => {
            (!is_directory(other) && with_slash(new.1)) || (!source && with_slash(old.1))
        }
        _ => !source && (with_slash(old.1) || with_slash(new.1)),
    };
    if fails { Err(Errno::ENOTDIR.into()) } else { Ok(()) }
}

/// Marks the working directories of those who stand in one that is gone.
fn mark_standing(cx: &mut Context<'_>, gone: &Rc<Inode>) {
    if gone.kind() != FileKind::Directory {
        return;
    }
    for (_, process) in cx.kernel.own_processes() {
        let mut fs = process.fs.borrow_mut();
        let Standing { path, inode } = &mut fs.directory;
        let stands_there = inode.as_ref().is_some_and(|inode| Rc::ptr_eq(inode, gone));
        // Several may share it.
        if stands_there && !path.ends_with(DELETED) {
            path.extend_from_slice(DELETED);
        }
    }
}

/// Moves the working and root directories of all processes.
fn move_standing(cx: &mut Context<'_>, moved: impl Fn(&[u8]) -> Option<Vec<u8>>) {
    for (_, process) in cx.kernel.own_processes() {
        let mut fs = process.fs.borrow_mut();
        if let Some(directory) = moved(&fs.directory.path) {
            fs.directory.path = directory;
        }
        if let Some(root) = moved(&fs.root) {
            fs.root = root;
        }
    }
}

/// umask(2).
pub fn umask(cx: &mut Context<'_>, [mask, ..]: [u64; 6]) -> Result<Outcome> {
    let fs = &cx.process().fs;
    let old = core::mem::replace(&mut fs.borrow_mut().umask, mask as u32 & 0o777);
    Ok(Outcome::Done(u64::from(old)))
}
