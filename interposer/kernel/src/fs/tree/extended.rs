//! Extended attributes: whose they are, who may see and change them, and what the host's files came with.

use alloc::{rc::Rc, vec, vec::Vec};

use linux_raw_sys::general as nr;

use super::{Inode, attributes::Target, call};
use crate::{
    error::{Errno, Result},
    file::Happening,
    fs::{ExtendedAttributes, Setting},
    host::{FileArgument, HostStat},
    machine::Env,
    uapi::stat::FileKind,
};

use FileArgument::{Number, Output, String};

/// Most bytes in a value and in a list of names (`XATTR_SIZE_MAX`, `XATTR_LIST_MAX`).
pub const SIZE_MAX: usize = 65536;

/// The namespace that there is.
const USER: &[u8] = b"user.";

/// Whose attributes are meant.
#[derive(Clone)]
pub struct Subject<'a> {
    /// The host's file.
    pub target: Target<'a>,
    /// The file, where that is known: one without a name could not be found by the host's numbers.
    pub inode: Option<Rc<Inode>>,
}

impl Subject<'_> {
    fn find(&self, env: &mut Env<'_>, stat: &HostStat) -> Rc<Inode> {
        let inode = self.inode.clone().unwrap_or_else(|| env.tree().see(stat));
        take_over(env, self.target, &inode);
        inode
    }
}

/// What a caller wants to do with an attribute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Access {
    Read,
    Write,
}

impl Access {
    /// The error for a file that can have none (`xattr_permission` in fs/xattr.c).
    const fn refusal(self) -> Errno {
        match self {
            Self::Read => Errno::ENODATA,
            Self::Write => Errno::EPERM,
        }
    }

    const fn mode(self) -> u32 {
        match self {
            Self::Read => nr::R_OK,
            Self::Write => nr::W_OK,
        }
    }
}

/// The file, if a caller may do this with its attributes: only regular files and directories have any.
fn reach(
    env: &mut Env<'_>,
    subject: &Subject<'_>,
    access: Access,
) -> Result<(Rc<Inode>, HostStat)> {
    let stat = subject.target.stat(env)?;
    if !matches!(FileKind::of(stat.mode), FileKind::Regular | FileKind::Directory) {
        return Err(access.refusal().into());
    }
    subject.target.with_path(|path| {
        call(env.host, nr::__NR_access, [String(path), Number(access.mode().into())])
    })?;
    Ok((subject.find(env, &stat), stat))
}

/// Takes over what the host's file came with, once. One that can hold none came with none.
fn take_over(env: &mut Env<'_>, target: Target<'_>, inode: &Inode) {
    if inode.extended.borrow().is_some() {
        return;
    }
    let names = read_host(env, target, None).unwrap_or_default();
    let own = names.split(|&byte| byte == 0).filter(|name| name.starts_with(USER));
    let found: Vec<_> = own
        .filter_map(|name| Some((name.to_vec(), read_host(env, target, Some(name)).ok()?)))
        .collect();
    *inode.extended.borrow_mut() = Some(ExtendedAttributes::from_host(found.into_iter()));
}

/// A value of the host's, or without a name all its names.
fn read_host(env: &mut Env<'_>, target: Target<'_>, name: Option<&[u8]>) -> Result<Vec<u8>> {
    let mut bytes = vec![0; SIZE_MAX];
    let len = Number(bytes.len() as u64);
    // A regular file or directory is no link, so that it does not matter whether links are followed.
    let done = target.with_path(|path| match name {
        Some(name) => {
            let arguments = [String(path), String(name), Output(&mut bytes), len];
            call(env.host, nr::__NR_getxattr, arguments)
        }
        None => call(env.host, nr::__NR_listxattr, [String(path), Output(&mut bytes), len]),
    })?;
    bytes.truncate(done as usize);
    Ok(bytes)
}

/// getxattr(2).
///
/// # Errors
/// As there.
pub fn get(env: &mut Env<'_>, subject: &Subject<'_>, name: &[u8]) -> Result<Vec<u8>> {
    let (inode, _) = reach(env, subject, Access::Read)?;
    let extended = inode.extended.borrow();
    extended.as_ref().ok_or(Errno::ENODATA)?.get(name).map(<[u8]>::to_vec)
}

/// listxattr(2): anyone may.
///
/// # Errors
/// As there.
pub fn list(env: &mut Env<'_>, subject: &Subject<'_>) -> Result<Vec<u8>> {
    let stat = subject.target.stat(env)?;
    if !matches!(FileKind::of(stat.mode), FileKind::Regular | FileKind::Directory) {
        return Ok(Vec::new());
    }
    let inode = subject.find(env, &stat);
    let extended = inode.extended.borrow();
    Ok(extended.as_ref().map(ExtendedAttributes::names).unwrap_or_default())
}

/// setxattr(2).
///
/// # Errors
/// As there.
pub fn set(
    env: &mut Env<'_>,
    subject: &Subject<'_>,
    name: &[u8],
    value: &[u8],
    setting: Setting,
) -> Result<()> {
    change(env, subject, |extended| extended.set(name, value, setting))
}

/// removexattr(2).
///
/// # Errors
/// As there.
pub fn remove(env: &mut Env<'_>, subject: &Subject<'_>, name: &[u8]) -> Result<()> {
    change(env, subject, |extended| extended.remove(name))
}

fn change(
    env: &mut Env<'_>,
    subject: &Subject<'_>,
    change: impl FnOnce(&mut ExtendedAttributes) -> Result<()>,
) -> Result<()> {
    let (inode, stat) = reach(env, subject, Access::Write)?;
    change(inode.extended.borrow_mut().get_or_insert_default())?;
    inode.changed(env.file_time());
    subject.target.tell(env, &inode, &stat, Happening::ATTRIBUTES);
    Ok(())
}
