//! What files have besides contents: mode, owner, times, length. [`super::extended`] has the extended attributes.

use alloc::rc::Rc;

use linux_raw_sys::general as raw;

use super::{Inode, notify};
use crate::{
    error::{Errno, Result},
    file::Happening,
    fs::{
        FileTime,
        access::{self, Access},
    },
    machine::Env,
    process::{Capabilities, Credentials},
    uapi::stat::FileKind,
};

/// A file whose attributes are meant, and by which name.
#[derive(Clone, Debug)]
pub struct Subject {
    /// The file.
    pub inode: Rc<Inode>,
    /// Its absolute path, for those who watch.
    pub path: Rc<[u8]>,
}

impl Subject {
    /// Tells those who watch the file or its directory.
    pub(super) fn tell(&self, env: &mut Env<'_>, what: Happening) {
        let what = match self.inode.kind() {
            FileKind::Directory => what | Happening::DIRECTORY,
            _ => what,
        };
        notify::both(env, &self.inode, &self.path, what);
    }
}

/// chmod(2).
///
/// # Errors
/// As there; `EOPNOTSUPP` for a symbolic link.
pub fn set_mode(
    env: &mut Env<'_>,
    caller: &Credentials,
    subject: &Subject,
    mode: u32,
) -> Result<()> {
    let inode = &subject.inode;
    if inode.kind() == FileKind::Link {
        return Err(Errno::EOPNOTSUPP.into());
    }
    access::check_owner(caller, inode)?;
    let may_keep_group =
        caller.is_in_group(inode.attributes().group) || caller.can(Capabilities::FSETID);
    let removed = if may_keep_group { 0 } else { raw::S_ISGID };
    let bits = mode & 0o7777 & !removed;
    env.will_change(inode);
    inode.update(|attributes| attributes.mode = attributes.mode & raw::S_IFMT | bits);
    inode.touch();
    inode.changed(env.file_time());
    subject.tell(env, Happening::ATTRIBUTES);
    Ok(())
}

/// chown(2); `None` keeps.
///
/// # Errors
/// As there.
pub fn set_owner(
    env: &mut Env<'_>,
    caller: &Credentials,
    subject: &Subject,
    owner: Option<u32>,
    group: Option<u32>,
) -> Result<()> {
    let inode = &subject.inode;
    let before = inode.attributes();
    let is_owner = caller.fsuid == before.owner;
    let allowed = caller.can(Capabilities::CHOWN)
        || (owner.is_none_or(|owner| is_owner && owner == before.owner)
            && group.is_none_or(|group| {
                is_owner && (caller.is_in_group(group) || group == before.group)
            }));
    if !allowed {
        return Err(Errno::EPERM.into());
    }
    env.will_change(inode);
    inode.update(|attributes| {
        attributes.owner = owner.unwrap_or(attributes.owner);
        attributes.group = group.unwrap_or(attributes.group);
        if inode.kind() != FileKind::Directory {
            attributes.mode = without_identity(attributes.mode);
        }
    });
    inode.changed(env.file_time());
    if (owner, group) != (None, None) {
        inode.touch();
        subject.tell(env, Happening::ATTRIBUTES);
    }
    Ok(())
}

/// A mode without the bits that let a program run as its owner or group; `S_ISGID` without execution for the group
/// marks something else (`setattr_should_drop_sgid`).
fn without_identity(mode: u32) -> u32 {
    let group = if mode & raw::S_IXGRP != 0 { raw::S_ISGID } else { 0 };
    mode & !(raw::S_ISUID | group)
}

/// Takes those bits away that only whoever holds `CAP_FSETID` leaves on a file that it writes to
/// (`setattr_should_drop_suidgid` in fs/attr.c).
pub fn drop_identity(caller: &Credentials, file: &Inode) {
    if !caller.can(Capabilities::FSETID) {
        let keeps_group = file.attributes().mode & raw::S_IXGRP == 0
            && caller.is_in_group(file.attributes().group);
        let group = if keeps_group { 0 } else { raw::S_ISGID };
        file.update(|attributes| attributes.mode &= !(raw::S_ISUID | group));
    }
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
    caller: &Credentials,
    subject: &Subject,
    access: NewTime,
    modification: NewTime,
) -> Result<()> {
    let inode = &subject.inode;
    if (access, modification) == (NewTime::Now, NewTime::Now) {
        if !access::owns(caller, inode) {
            access::check(caller, inode, Access::WRITE)?;
        }
    } else {
        access::check_owner(caller, inode)?;
    }
    let now = env.file_time();
    let mut times = inode.times();
    access.apply(&mut times.access, now);
    modification.apply(&mut times.modification, now);
    times.change = now;
    inode.set_times(times);
    inode.touch();
    let what = match (access, modification) {
        (NewTime::Keep, NewTime::Keep) => return Ok(()),
        (_, NewTime::Keep) => Happening::ACCESS,
        (NewTime::Keep, _) => Happening::MODIFY,
        _ => Happening::ATTRIBUTES,
    };
    subject.tell(env, what);
    Ok(())
}

/// truncate(2).
///
/// # Errors
/// As there.
pub fn truncate(
    env: &mut Env<'_>,
    caller: &Credentials,
    subject: &Subject,
    len: u64,
) -> Result<()> {
    let inode = &subject.inode;
    let contents = match (inode.kind(), inode.contents()) {
        (FileKind::Directory, _) => return Err(Errno::EISDIR.into()),
        (_, Some(contents)) => contents,
        _ => return Err(Errno::EINVAL.into()),
    };
    access::check(caller, inode, Access::WRITE)?;
    inode.check_idle()?;
    env.will_truncate(inode, len)?;
    contents.truncate(env.host, len)?;
    drop_identity(caller, inode);
    inode.modified(env.file_time());
    subject.tell(env, Happening::MODIFY);
    Ok(())
}

/// access(2): refuses what the caller may not do with a file.
///
/// # Errors
/// `EACCES`.
pub fn check_access(caller: &Credentials, inode: &Inode, mode: u32) -> Result<()> {
    access::check(caller, inode, Access::from_bits_truncate(mode))
}
