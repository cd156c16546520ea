//! Opening files of the tree.

use alloc::rc::Rc;

use linux_raw_sys::general as raw;

use super::{Attributes, Body, Contents, Inode, Spot, notify};
use crate::{
    error::{Errno, Error, Result},
    file::{Happening, OpenFlags},
    fs::access::{self, Access},
    machine::Env,
    process::{Capabilities, Credentials},
    uapi::stat::FileKind,
};

/// A file that may be opened.
#[derive(Debug)]
pub struct Opened {
    /// The file.
    pub inode: Rc<Inode>,
    /// Whether it was there and has been emptied.
    pub truncated: bool,
}

/// Opens what a name leads to, whose last component is not followed, or makes it.
///
/// # Errors
/// As open(2); `ELOOP` for a symbolic link.
pub fn open(
    env: &mut Env<'_>,
    caller: &Credentials,
    spot: &Spot,
    flags: OpenFlags,
    mode: u32,
) -> Result<Opened> {
    if flags.contains(OpenFlags::TEMPORARY) {
        let opened = open_nameless(env, caller, spot, mode)?;
        opened.inode.set_linkable(!flags.contains(OpenFlags::EXCLUSIVE));
        return Ok(opened);
    }
    match &spot.file {
        Some(_) if flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) => {
            Err(Errno::EEXIST.into())
        }
        Some(file) => open_file(env, caller, file, flags),
        None if flags.contains(OpenFlags::CREATE) => {
            let file = super::change::make(env, caller, spot, raw::S_IFREG | mode, empty())?;
            Ok(Opened { inode: file, truncated: false })
        }
        None => Err(Errno::ENOENT.into()),
    }
}

fn empty() -> Body {
    Body::Regular(Contents::empty())
}

/// Opens a file.
///
/// # Errors
/// As open(2).
pub fn open_file(
    env: &mut Env<'_>,
    caller: &Credentials,
    file: &Rc<Inode>,
    flags: OpenFlags,
) -> Result<Opened> {
    let kind = file.kind();
    let inode = Rc::clone(file);
    if flags.contains(OpenFlags::DIRECTORY) && kind != FileKind::Directory {
        return Err(Errno::ENOTDIR.into());
    }
    if flags.contains(OpenFlags::PATH) {
        return Ok(Opened { inode, truncated: false });
    }
    let truncates = flags.contains(OpenFlags::TRUNCATE);
    let mut wanted = Access::empty();
    wanted.set(Access::READ, flags.reads());
    wanted.set(Access::WRITE, flags.writes() || truncates);
    match kind {
        FileKind::Link => return Err(Errno::ELOOP.into()),
        FileKind::Directory
            if flags.contains(OpenFlags::CREATE) || wanted.contains(Access::WRITE) =>
        {
            return Err(Errno::EISDIR.into());
        }
        _ => access::check(caller, file, wanted)?,
    }
    if wanted.contains(Access::WRITE) {
        file.check_idle()?;
    }
    if flags.contains(OpenFlags::NO_ACCESS_TIME) {
        access::check_owner(caller, file)?;
    }
    match kind {
        FileKind::Regular | FileKind::Directory | FileKind::Fifo | FileKind::CharacterDevice => {}
        FileKind::Socket => return Err(Error::new(Errno::ENXIO, "a socket is not opened")),
        _ => return Err(Error::new(Errno::ENXIO, "there is no such device")),
    }
    let truncated = truncates && kind == FileKind::Regular;
    if truncated && let Some(contents) = file.contents() {
        env.will_truncate(file, 0)?;
        contents.truncate(env.host, 0)?;
        super::attributes::drop_identity(caller, file);
        file.modified(env.file_time());
    }
    Ok(Opened { inode, truncated })
}

/// Makes a file without a name (open(2), `O_TMPFILE`).
fn open_nameless(
    env: &mut Env<'_>,
    caller: &Credentials,
    spot: &Spot,
    mode: u32,
) -> Result<Opened> {
    let folder = spot.existing()?;
    if folder.kind() != FileKind::Directory {
        return Err(Errno::ENOTDIR.into());
    }
    access::check_names(caller, folder)?;
    let attributes = new_attributes(caller, folder, raw::S_IFREG | mode, 0);
    let (tree, now) = (env.tree(), env.file_time());
    Ok(Opened { inode: tree.make(folder.device, empty(), attributes, now), truncated: false })
}

/// The attributes of a file that is made in a directory (`inode_init_owner` in fs/inode.c).
pub(super) fn new_attributes(
    caller: &Credentials,
    folder: &Inode,
    mode: u32,
    links: u64,
) -> Attributes {
    let above = folder.attributes();
    let mut attributes =
        Attributes { mode, owner: caller.fsuid, group: caller.fsgid, links, device: 0 };
    if above.mode & raw::S_ISGID != 0 {
        attributes.group = above.group;
        let runs_as_group = mode & (raw::S_ISGID | raw::S_IXGRP) == raw::S_ISGID | raw::S_IXGRP;
        if FileKind::of(mode) == FileKind::Directory {
            attributes.mode |= raw::S_ISGID;
        } else if runs_as_group
            && !caller.is_in_group(above.group)
            && !caller.can(Capabilities::FSETID)
        {
            attributes.mode &= !raw::S_ISGID;
        }
    }
    attributes
}

/// Tells those who watch that a name is new.
pub(super) fn tell_made(env: &mut Env<'_>, spot: &Spot, kind: FileKind) {
    let what = if kind == FileKind::Directory { Happening::DIRECTORY } else { Happening::empty() };
    notify::name(env, &spot.parent, spot.name(), Happening::CREATE | what);
}
