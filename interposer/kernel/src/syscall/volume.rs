//! File systems as such: their size, and what makes files durable.

use linux_raw_sys::general as raw;

use super::path::{AtFlags, HERE, Reached};
use crate::{
    context::Context,
    error::{Errno, Result},
    file::{File, FileDescription},
    fs::{Inode, Place, Tree, durable::Synchronized},
    host::Follow,
    outcome::Outcome,
    uapi::{limits::NAME_MAX, statfs::Statfs},
    user::UserPtr,
};

/// Size of the simulated disk's blocks, in bytes.
const BLOCK: u64 = 4096;
/// Files that fit on it.
const DISK_FILES: u64 = 4 << 20;
const EXT4: i64 = 0xef53;
const PROC: i64 = 0x9fa0;
const SYSFS: i64 = 0x6265_6572;
const TMPFS: i64 = 0x0102_1994;
const DEVPTS: i64 = 0x1cd1;
const PIPEFS: i64 = 0x5049_5045;
/// `ST_VALID | ST_RELATIME`.
const FLAGS: i64 = 0x1020;

/// The disk: half of it was free at the start of the run, whatever the host's.
fn disk(tree: &Tree) -> Statfs {
    let free = tree.space.left() / BLOCK;
    Statfs {
        kind: EXT4,
        bsize: BLOCK as i64,
        blocks: tree.space.size() / BLOCK * 2,
        bfree: free,
        bavail: free,
        files: DISK_FILES,
        ffree: DISK_FILES / 2,
        fsid: [1, 0],
        namelen: NAME_MAX as i64,
        frsize: 4096,
        flags: FLAGS,
        ..Statfs::default()
    }
}

fn without_size(kind: i64) -> Statfs {
    Statfs { kind, bsize: 4096, namelen: 255, frsize: 4096, flags: FLAGS, ..Statfs::default() }
}

/// A file of the tree: on the disk, or in memory.
fn of_tree(tree: &Tree, file: &Inode) -> Statfs {
    match file {
        _ if Tree::is_on_disk(file) => disk(tree),
        _ if tree.is_of_terminals(file) => without_size(DEVPTS),
        _ => in_memory(),
    }
}

fn in_memory() -> Statfs {
    Statfs { blocks: 16384, bfree: 16384, bavail: 16384, ..without_size(TMPFS) }
}

fn of_view(path: &[u8]) -> Statfs {
    match path {
        _ if path.starts_with(b"/proc") => without_size(PROC),
        _ if path.starts_with(b"/sys") => without_size(SYSFS),
        _ => in_memory(),
    }
}

fn write_statfs(cx: &mut Context<'_>, reached: &Reached, to: u64) -> Result<Outcome> {
    let tree = cx.env().tree();
    let statfs = match reached {
        Reached::Found(found) => match &found.place {
            Place::Tree(spot) => of_tree(&tree, spot.existing()?),
            Place::View(path, Some(_)) => of_view(path),
            _ => return Err(Errno::ENOENT.into()),
        },
        Reached::Description(file) => match &file.file {
            File::Pipe(_) => without_size(PIPEFS),
            File::Regular(_)
            | File::Directory(_)
            | File::Place(_)
            | File::Device(_)
            | File::Terminal(_) => match file.file.inode() {
                Some(inode) => of_tree(&tree, inode),
                None => of_view(&file.path.borrow()),
            },
            _ => without_size(TMPFS),
        },
    };
    cx.write(UserPtr::new(to), &statfs)?;
    Ok(Outcome::Done(0))
}

/// statfs(2).
pub fn statfs(cx: &mut Context<'_>, [path, to, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = AtFlags { follow: Follow::Yes, empty_path: false };
    let reached = cx.reach(HERE, path, flags)?;
    write_statfs(cx, &reached, to)
}

/// fstatfs(2).
pub fn fstatfs(cx: &mut Context<'_>, [fd, to, ..]: [u64; 6]) -> Result<Outcome> {
    let reached = Reached::Description(cx.description_or_place(fd)?);
    write_statfs(cx, &reached, to)
}

/// sync(2).
pub fn sync(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    cx.env().synchronize_all()?;
    Ok(Outcome::Done(0))
}

/// syncfs(2).
pub fn syncfs(cx: &mut Context<'_>, [fd, ..]: [u64; 6]) -> Result<Outcome> {
    cx.description(fd)?;
    cx.env().synchronize_all()?;
    Ok(Outcome::Done(0))
}

/// fsync(2).
pub fn fsync(cx: &mut Context<'_>, [fd, ..]: [u64; 6]) -> Result<Outcome> {
    synchronize(cx, fd, Synchronized::File)
}

/// fdatasync(2).
pub fn fdatasync(cx: &mut Context<'_>, [fd, ..]: [u64; 6]) -> Result<Outcome> {
    synchronize(cx, fd, Synchronized::Data)
}

fn synchronize(cx: &mut Context<'_>, fd: u64, what: Synchronized) -> Result<Outcome> {
    let file = cx.description(fd)?;
    synchronize_file(cx, &file, what)
}

/// Makes a file durable.
///
/// # Errors
/// `EINVAL` for one that cannot be; what the host fails with.
pub(super) fn synchronize_file(
    cx: &mut Context<'_>,
    file: &FileDescription,
    what: Synchronized,
) -> Result<Outcome> {
    match &file.file {
        File::Regular(regular) => cx.env().synchronize(&regular.inode, what)?,
        File::Directory(directory) => {
            if let Some(inode) = directory.inode() {
                cx.env().synchronize(inode, what)?;
            }
        }
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(Outcome::Done(0))
}

/// sync_file_range(2): it makes nothing durable that one could rely on, as its page warns.
pub fn sync_file_range(
    cx: &mut Context<'_>,
    [fd, offset, len, flags, ..]: [u64; 6],
) -> Result<Outcome> {
    let known = raw::SYNC_FILE_RANGE_WAIT_BEFORE
        | raw::SYNC_FILE_RANGE_WRITE
        | raw::SYNC_FILE_RANGE_WAIT_AFTER;
    let file = cx.description(fd)?;
    let end = (offset as i64).checked_add(len as i64);
    if flags as u32 & !known != 0
        || (offset as i64) < 0
        || end.is_none_or(|end| end < offset as i64)
    {
        return Err(Errno::EINVAL.into());
    }
    match file.file {
        File::Regular(_) | File::Directory(_) => Ok(Outcome::Done(0)),
        _ => Err(Errno::ESPIPE.into()),
    }
}

/// posix_fadvise(2): advice changes nothing here.
pub fn fadvise64(cx: &mut Context<'_>, [fd, _, len, advice, ..]: [u64; 6]) -> Result<Outcome> {
    match cx.description(fd)?.file {
        File::Pipe(_) => Err(Errno::ESPIPE.into()),
        _ if advice as u32 > raw::POSIX_FADV_NOREUSE || (len as i64) < 0 => {
            Err(Errno::EINVAL.into())
        }
        _ => Ok(Outcome::Done(0)),
    }
}

/// readahead(2).
pub fn readahead(cx: &mut Context<'_>, [fd, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    file.check_reads()?;
    match file.file {
        File::Regular(_) => Ok(Outcome::Done(0)),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// name_to_handle_at(2): as on a file system that exports none.
pub fn name_to_handle_at(_: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    Err(Errno::EOPNOTSUPP.into())
}
