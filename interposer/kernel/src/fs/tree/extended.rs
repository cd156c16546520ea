//! Extended attributes: whose they are, who may see and change them, and what the host's files came with.

use alloc::{vec, vec::Vec};

use linux_raw_sys::general as nr;

use super::{Inode, attributes::Subject};
use crate::{
    error::{Errno, Error, Result},
    file::Happening,
    fs::{
        ExtendedAttributes, Setting,
        access::{self, Access},
    },
    host::{FileArgument, FileCall},
    machine::Env,
    process::{Capabilities, Credentials},
    uapi::stat::FileKind,
};

use FileArgument::{Number, Output, String};

/// Most bytes in a value and in a list of names (`XATTR_SIZE_MAX`, `XATTR_LIST_MAX`).
pub const SIZE_MAX: usize = 65536;

/// The namespace of programs.
const USER: &[u8] = b"user.";
/// The namespaces that are for those who administer the machine, the first one to change, the second one at all.
const SECURITY: &[u8] = b"security.";
const TRUSTED: &[u8] = b"trusted.";

/// Refuses what the caller may not do with a file's attribute: only regular files and directories have any of programs
/// (`xattr_permission` and `xattr_resolve_name` in fs/xattr.c).
fn reach(
    env: &mut Env<'_>,
    caller: &Credentials,
    subject: &Subject,
    name: &[u8],
    wanted: Access,
) -> Result<()> {
    if name.starts_with(SECURITY) || name.starts_with(TRUSTED) {
        let reads = wanted == Access::READ;
        let is_open = reads && name.starts_with(SECURITY);
        if !is_open && !caller.can(Capabilities::SYS_ADMIN) {
            return Err(if reads { Errno::ENODATA } else { Errno::EPERM }.into());
        }
        if name == SECURITY || name == TRUSTED {
            return Err(Errno::EINVAL.into());
        }
        take_over(env, &subject.inode);
        return Ok(());
    }
    if !name.starts_with(USER) {
        access::check(caller, &subject.inode, wanted)?;
        return Err(Error::new(Errno::EOPNOTSUPP, "there is no such namespace"));
    }
    if !has_attributes(subject) {
        let reads = wanted == Access::READ;
        return Err(if reads { Errno::ENODATA } else { Errno::EPERM }.into());
    }
    let attributes = subject.inode.attributes();
    if wanted == Access::WRITE
        && subject.inode.kind() == FileKind::Directory
        && attributes.mode & nr::S_ISVTX != 0
    {
        access::check_owner(caller, &subject.inode)?;
    }
    access::check(caller, &subject.inode, wanted)?;
    if name == USER {
        return Err(Error::new(Errno::EINVAL, "a namespace is no name"));
    }
    take_over(env, &subject.inode);
    Ok(())
}

fn has_attributes(subject: &Subject) -> bool {
    matches!(subject.inode.kind(), FileKind::Regular | FileKind::Directory)
}

/// Takes over what the host's file came with, once. One that can hold none came with none.
fn take_over(env: &mut Env<'_>, inode: &Inode) {
    if inode.rare().extended.borrow().is_some() {
        return;
    }
    let mut found = Vec::new();
    if let Some(path) = inode.origin() {
        let names = read_host(env, path, None).unwrap_or_default();
        let own = names.split(|&byte| byte == 0).filter(|name| name.starts_with(USER));
        found.extend(
            own.filter_map(|name| Some((name.to_vec(), read_host(env, path, Some(name)).ok()?))),
        );
    }
    *inode.rare().extended.borrow_mut() = Some(ExtendedAttributes::from_host(found.into_iter()));
}

/// A value of the host's file, or without a name all its names.
fn read_host(env: &mut Env<'_>, path: &[u8], name: Option<&[u8]>) -> Result<Vec<u8>> {
    let mut bytes = vec![0; SIZE_MAX];
    let len = Number(bytes.len() as u64);
    let value = Output(&mut bytes);
    let call = match name {
        Some(name) => FileCall::new(nr::__NR_lgetxattr, [String(path), String(name), value, len]),
        None => FileCall::new(nr::__NR_llistxattr, [String(path), value, len]),
    };
    let done = env.host.file_call(call)?;
    bytes.truncate(done as usize);
    Ok(bytes)
}

/// getxattr(2).
///
/// # Errors
/// As there.
pub fn get(
    env: &mut Env<'_>,
    caller: &Credentials,
    subject: &Subject,
    name: &[u8],
) -> Result<Vec<u8>> {
    reach(env, caller, subject, name, Access::READ)?;
    let extended = subject.inode.rare().extended.borrow();
    extended.as_ref().ok_or(Errno::ENODATA)?.get(name).map(<[u8]>::to_vec)
}

/// listxattr(2): anyone may.
#[must_use]
pub fn list(env: &mut Env<'_>, caller: &Credentials, subject: &Subject) -> Vec<u8> {
    if has_attributes(subject) {
        take_over(env, &subject.inode);
    } else if subject.inode.rare().extended.borrow().is_none() {
        return Vec::new();
    }
    let sees_all = caller.can(Capabilities::SYS_ADMIN);
    let extended = subject.inode.rare().extended.borrow();
    let seen = |name: &[u8]| sees_all || !name.starts_with(TRUSTED);
    extended.as_ref().map(|extended| extended.names(seen)).unwrap_or_default()
}

/// setxattr(2).
///
/// # Errors
/// As there.
pub fn set(
    env: &mut Env<'_>,
    caller: &Credentials,
    subject: &Subject,
    (name, value): (&[u8], &[u8]),
    setting: Setting,
) -> Result<()> {
    change(env, caller, subject, name, |extended| extended.set(name, value, setting))
}

/// removexattr(2).
///
/// # Errors
/// As there.
pub fn remove(
    env: &mut Env<'_>,
    caller: &Credentials,
    subject: &Subject,
    name: &[u8],
) -> Result<()> {
    change(env, caller, subject, name, |extended| extended.remove(name))
}

fn change(
    env: &mut Env<'_>,
    caller: &Credentials,
    subject: &Subject,
    name: &[u8],
    change: impl FnOnce(&mut ExtendedAttributes) -> Result<()>,
) -> Result<()> {
    reach(env, caller, subject, name, Access::WRITE)?;
    change(subject.inode.rare().extended.borrow_mut().get_or_insert_default())?;
    subject.inode.changed(env.file_time());
    subject.inode.touch();
    subject.tell(env, Happening::ATTRIBUTES);
    Ok(())
}
