//! What is known of a file: stat(2) and kin.

use alloc::rc::Rc;

use linux_raw_sys::general as raw;
use simrun_abi::event::Found;

use super::path::{AtFlags, HERE, Reached};
use crate::{
    context::Context,
    error::{Errno, Result},
    file::{File, FileDescription},
    fs::{Body, Inode, Place, tree::attributes, views},
    host::{Follow, HostStat},
    outcome::Outcome,
    uapi::stat::{FileKind, Stat, Statx},
    user::{self, UserPtr},
};

fn write_stat(cx: &mut Context<'_>, to: u64, stat: &HostStat) -> Result<Outcome> {
    cx.write(UserPtr::new(to), &Stat::from_host(stat))?;
    Ok(Outcome::Done(0))
}

/// The status of what a path argument names.
fn stat_path(cx: &mut Context<'_>, directory: u64, path: u64, flags: AtFlags) -> Result<HostStat> {
    let reached = cx.reach(directory, path, flags)?;
    stat_reached(cx, &reached)
}

/// A program learns what the host says of a file.
fn note_found(cx: &mut Context<'_>, file: &Inode) {
    file.note_input(&cx.env().tree(), cx.host, Found::Status);
}

fn stat_description(cx: &mut Context<'_>, file: &FileDescription) -> Result<HostStat> {
    if let Some(inode) = file.file.inode() {
        note_found(cx, inode);
    }
    file.stat(&mut cx.env())
}

fn stat_reached(cx: &mut Context<'_>, reached: &Reached) -> Result<HostStat> {
    let found = match reached {
        Reached::Description(file) => return stat_description(cx, file),
        Reached::Found(found) => found,
    };
    let stat = match &found.place {
        Place::Tree(spot) => {
            let file = spot.existing()?;
            note_found(cx, file);
            file.status(cx.host)
        }
        Place::View(path, Some(node)) => views::status(cx.kernel, node, path),
        Place::View(_, None) => return Err(Errno::ENOENT.into()),
        Place::Description(file) => stat_description(cx, file)?,
    };
    let kind = FileKind::of(stat.mode);
    if found.must_be_directory() && kind != FileKind::Directory && kind != FileKind::Link {
        return Err(Errno::ENOTDIR.into());
    }
    Ok(stat)
}

/// fstat(2).
pub fn fstat(cx: &mut Context<'_>, [fd, to, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description_or_place(fd)?;
    let stat = stat_description(cx, &file)?;
    write_stat(cx, to, &stat)
}

/// stat(2).
pub fn stat(cx: &mut Context<'_>, [path, to, ..]: [u64; 6]) -> Result<Outcome> {
    newfstatat(cx, [HERE, path, to, 0, 0, 0])
}

/// lstat(2).
pub fn lstat(cx: &mut Context<'_>, [path, to, ..]: [u64; 6]) -> Result<Outcome> {
    newfstatat(cx, [HERE, path, to, raw::AT_SYMLINK_NOFOLLOW.into(), 0, 0])
}

/// fstatat(2).
pub fn newfstatat(
    cx: &mut Context<'_>,
    [directory, path, to, flags, ..]: [u64; 6],
) -> Result<Outcome> {
    let flags = AtFlags::following(flags, raw::AT_NO_AUTOMOUNT)?;
    let stat = stat_path(cx, directory, path, flags)?;
    write_stat(cx, to, &stat)
}

/// statx(2). All basic fields and the time of birth are always filled in, whatever the mask asks for.
pub fn statx(
    cx: &mut Context<'_>,
    [directory, path, flags, mask, to, _]: [u64; 6],
) -> Result<Outcome> {
    let sync = flags as u32 & raw::AT_STATX_SYNC_TYPE;
    if sync == raw::AT_STATX_SYNC_TYPE || mask as u32 & raw::STATX__RESERVED != 0 {
        return Err(Errno::EINVAL.into());
    }
    let flags = AtFlags::following(flags, raw::AT_NO_AUTOMOUNT | raw::AT_STATX_SYNC_TYPE)?;
    let stat = stat_path(cx, directory, path, flags)?;
    cx.write(UserPtr::new(to), &Statx::from_host(&stat))?;
    Ok(Outcome::Done(0))
}

/// access(2).
pub fn access(cx: &mut Context<'_>, [path, mode, ..]: [u64; 6]) -> Result<Outcome> {
    faccessat2(cx, [HERE, path, mode, 0, 0, 0])
}

/// faccessat(2): the call has no flags.
pub fn faccessat(cx: &mut Context<'_>, [directory, path, mode, ..]: [u64; 6]) -> Result<Outcome> {
    faccessat2(cx, [directory, path, mode, 0, 0, 0])
}

/// faccessat2(2).
pub fn faccessat2(
    cx: &mut Context<'_>,
    [directory, path, mode, flags, ..]: [u64; 6],
) -> Result<Outcome> {
    let mode = mode as u32;
    if mode & !7 != 0 {
        return Err(Errno::EINVAL.into());
    }
    let effective = flags as u32 & raw::AT_EACCESS != 0;
    let flags = AtFlags::following(flags, raw::AT_EACCESS)?;
    let name = cx.read_path(path)?;
    if super::open::preload_file(cx, &name).is_some() {
        return if mode & 2 == 0 { Ok(Outcome::Done(0)) } else { Err(Errno::EACCES.into()) };
    }
    let reached = cx.reach(directory, path, flags)?;
    let stat = stat_reached(cx, &reached)?;
    if let Some(subject) = reached.subject()? {
        if FileKind::of(stat.mode) != FileKind::Link {
            let caller = cx.caller();
            let caller = if effective { caller } else { caller.as_real_user().into() };
            attributes::check_access(&caller, &subject.inode, mode)?;
        }
        return Ok(Outcome::Done(0));
    }
    let allowed = (stat.mode >> 6 | stat.mode >> 3 | stat.mode) & 7;
    if mode & !allowed != 0 {
        return Err(Errno::EACCES.into());
    }
    Ok(Outcome::Done(0))
}

fn link_target(file: Option<&Rc<Inode>>) -> Option<Rc<[u8]>> {
    match &file?.body {
        Body::Link(target) => Some(Rc::clone(target)),
        _ => None,
    }
}

/// readlink(2).
pub fn readlink(cx: &mut Context<'_>, [path, buffer, size, ..]: [u64; 6]) -> Result<Outcome> {
    readlinkat(cx, [HERE, path, buffer, size, 0, 0])
}

/// What is said of a path to something else than a link (`do_readlinkat`).
fn no_link(cx: &mut Context<'_>, path: u64) -> Errno {
    let mut first = [1];
    let is_empty = user::read_bytes(cx.host, path, &mut first).is_ok() && first == [0];
    if is_empty { Errno::ENOENT } else { Errno::EINVAL }
}

/// readlinkat(2).
pub fn readlinkat(
    cx: &mut Context<'_>,
    [directory, path, buffer, size, ..]: [u64; 6],
) -> Result<Outcome> {
    if size as i32 <= 0 {
        return Err(Errno::EINVAL.into());
    }
    let flags = AtFlags { follow: Follow::No, empty_path: true };
    let target: Rc<[u8]> = match cx.reach(directory, path, flags)? {
        Reached::Description(file) => match &file.file {
            File::Place(_) => link_target(file.file.inode()).ok_or(Errno::ENOENT)?,
            _ => return Err(Errno::ENOENT.into()),
        },
        Reached::Found(found) => match found.place {
            Place::Tree(spot) => {
                spot.existing()?;
                link_target(spot.file.as_ref()).ok_or_else(|| no_link(cx, path))?
            }
            Place::View(_, Some(views::Node::Link(target))) => target.into(),
            Place::View(_, Some(views::Node::Description(link))) => {
                Rc::clone(&link.0.path.borrow())
            }
            Place::View(_, None) => return Err(Errno::ENOENT.into()),
            _ => return Err(Errno::EINVAL.into()),
        },
    };
    let len = target.len().min(size as u32 as usize);
    user::write_bytes(cx.host, buffer, &target[..len])?;
    Ok(Outcome::Done(len as u64))
}
