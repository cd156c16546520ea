//! Directories: reading them, and standing in them.

use alloc::vec::Vec;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{File, Happening},
    fs::{
        DirectoryEntry, Place, Standing,
        access::{self, Access},
        tree::{self, attributes::Subject},
        views::Node,
    },
    host::Follow,
    outcome::Outcome,
    uapi::stat::FileKind,
    user,
};

use super::path::HERE;

/// Layout of the entries that a call writes.
#[derive(Clone, Copy)]
enum EntryFormat {
    /// `struct linux_dirent64`.
    Wide,
    /// `struct linux_dirent`: the type comes last.
    Old,
}

impl EntryFormat {
    /// Appends an entry after which reading goes on at `next`.
    fn append(self, entry: &DirectoryEntry, next: u64, to: &mut Vec<u8>) {
        let header = 18;
        let name = entry.name.as_bytes();
        let unpadded = header + name.len() + 2;
        let len = match self {
            Self::Wide => (unpadded).next_multiple_of(8),
            Self::Old => (unpadded).next_multiple_of(8),
        };
        let end = to.len() + len;
        to.extend_from_slice(&entry.number.to_le_bytes());
        to.extend_from_slice(&next.to_le_bytes());
        to.extend_from_slice(&(len as u16).to_le_bytes());
        if let Self::Wide = self {
            to.push(entry.kind);
        }
        to.extend_from_slice(name);
        to.resize(end, 0);
        if let Self::Old = self {
            to[end - 1] = entry.kind;
        }
    }
}

/// getdents64(2).
pub fn getdents64(cx: &mut Context<'_>, [fd, buffer, size, ..]: [u64; 6]) -> Result<Outcome> {
    read_entries(cx, fd, buffer, size, EntryFormat::Wide)
}

/// getdents(2).
pub fn getdents(cx: &mut Context<'_>, [fd, buffer, size, ..]: [u64; 6]) -> Result<Outcome> {
    read_entries(cx, fd, buffer, size, EntryFormat::Old)
}

fn read_entries(
    cx: &mut Context<'_>,
    fd: u64,
    buffer: u64,
    size: u64,
    format: EntryFormat,
) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let directory = match &file.file {
        File::Directory(directory) => directory,
        _ => return Err(Errno::ENOTDIR.into()),
    };
    let size = size as u32 as usize;
    let mut at = file.offset.get();
    let entries = directory.entries(&mut cx.env(), at == 0)?;
    tree::notify::through(&mut cx.env(), &file, Happening::ACCESS);
    let mut bytes = Vec::new();
    while let Some(entry) = usize::try_from(at).ok().and_then(|index| entries.get(index)) {
        let before = bytes.len();
        format.append(entry, at + 1, &mut bytes);
        if bytes.len() > size {
            bytes.truncate(before);
            if before == 0 {
                return Err(Error::new(Errno::EINVAL, "no room for a single entry"));
            }
            break;
        }
        at += 1;
    }
    user::write_bytes(cx.host, buffer, &bytes)?;
    file.offset.set(at);
    Ok(Outcome::Done(bytes.len() as u64))
}

/// getcwd(2).
pub fn getcwd(cx: &mut Context<'_>, [buffer, size, ..]: [u64; 6]) -> Result<Outcome> {
    let (directory, root) = {
        let fs = cx.process().fs.borrow();
        (fs.directory.path.clone(), fs.root.clone())
    };
    if directory.ends_with(tree::DELETED) {
        return Err(Errno::ENOENT.into());
    }
    let mut shown = match tree::moved(&directory, root.strip_suffix(b"/").unwrap_or(&root), b"") {
        Some(shown) if shown.is_empty() => b"/".to_vec(),
        Some(shown) => shown,
        None => [b"(unreachable)", directory.as_slice()].concat(),
    };
    shown.push(0);
    if shown.len() as u64 > size {
        return Err(Errno::ERANGE.into());
    }
    user::write_bytes(cx.host, buffer, &shown)?;
    Ok(Outcome::Done(shown.len() as u64))
}

/// The directory in a path argument, in which the caller may stand.
fn directory_argument(cx: &mut Context<'_>, path: u64) -> Result<Standing> {
    let path = cx.read_path(path)?;
    let found = cx.walk(HERE, &path, Follow::Yes)?;
    if let Some(Subject { inode, path }) = found.subject()? {
        if inode.kind() != FileKind::Directory {
            return Err(Errno::ENOTDIR.into());
        }
        let caller = cx.caller();
        access::check(&caller, &inode, Access::EXECUTE)?;
        return Ok(Standing { path: path.to_vec(), inode: Some(inode) });
    }
    match found.place {
        Place::View(path, Some(Node::Directory(_))) => Ok(Standing { path, inode: None }),
        Place::Description(file) if matches!(file.file, File::Directory(_)) => {
            Ok(Standing { path: file.path.borrow().to_vec(), inode: None })
        }
        _ => Err(Errno::ENOTDIR.into()),
    }
}

/// chdir(2).
pub fn chdir(cx: &mut Context<'_>, [path, ..]: [u64; 6]) -> Result<Outcome> {
    let directory = directory_argument(cx, path)?;
    cx.process().fs.borrow_mut().directory = directory;
    Ok(Outcome::Done(0))
}

/// fchdir(2).
pub fn fchdir(cx: &mut Context<'_>, [fd, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description_or_place(fd)?;
    let stat = file.stat(&mut cx.env())?;
    if FileKind::of(stat.mode) != FileKind::Directory {
        return Err(Errno::ENOTDIR.into());
    }
    let inode = file.file.inode().cloned();
    if let Some(inode) = &inode {
        let caller = cx.caller();
        access::check(&caller, inode, Access::EXECUTE)?;
    }
    let path = file.path.borrow().to_vec();
    cx.process().fs.borrow_mut().directory = Standing { path, inode };
    Ok(Outcome::Done(0))
}

/// chroot(2).
pub fn chroot(cx: &mut Context<'_>, [path, ..]: [u64; 6]) -> Result<Outcome> {
    let Standing { path, .. } = directory_argument(cx, path)?;
    if cx.process().credentials.euid != 0 {
        return Err(Errno::EPERM.into());
    }
    cx.process().fs.borrow_mut().root = path;
    Ok(Outcome::Done(0))
}
