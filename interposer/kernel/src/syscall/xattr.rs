//! Extended attributes (xattr(7)): only those of the `user.` namespace are there, as on a system without access
//! control lists and security modules.

use alloc::{vec, vec::Vec};

use super::path::{AtFlags, HERE, Reached};
use crate::{
    context::Context,
    error::{Errno, Result},
    fs::{
        Setting,
        tree::{
            attributes::Subject,
            extended::{self, SIZE_MAX},
        },
    },
    host::Follow,
    outcome::Outcome,
    user,
};

/// Longest name (`XATTR_NAME_MAX`).
const NAME_MAX: usize = 255;

fn read_name(cx: &mut Context<'_>, name: u64) -> Result<Vec<u8>> {
    let name = user::read_c_string(cx.host, name, NAME_MAX).map_err(|error| {
        if error.errno == Errno::ENAMETOOLONG { Errno::ERANGE.into() } else { error }
    })?;
    if name.is_empty() { Err(Errno::ERANGE.into()) } else { Ok(name) }
}

fn by_path(cx: &mut Context<'_>, path: u64, follow: Follow) -> Result<Reached> {
    cx.reach(HERE, path, AtFlags { follow, empty_path: false })
}

fn by_descriptor(cx: &mut Context<'_>, fd: u64) -> Result<Reached> {
    let file = cx.description(fd)?;
    Ok(Reached::Description(file))
}

/// The file whose attributes are meant; nothing but the tree's files has any.
fn subject(reached: &Reached) -> Result<Subject> {
    reached.subject()?.ok_or(Errno::EOPNOTSUPP.into())
}

/// Writes an answer; a buffer of no size only asks for the length.
fn answer(cx: &mut Context<'_>, bytes: &[u8], buffer: u64, size: u64) -> Result<Outcome> {
    if size != 0 {
        if bytes.len() as u64 > size {
            return Err(Errno::ERANGE.into());
        }
        user::write_bytes(cx.host, buffer, bytes)?;
    }
    Ok(Outcome::Done(bytes.len() as u64))
}

fn get(cx: &mut Context<'_>, file: &Reached, [name, buffer, size]: [u64; 3]) -> Result<Outcome> {
    let name = read_name(cx, name)?;
    let (subject, caller) = (subject(file)?, cx.caller());
    let value = extended::get(&mut cx.env(), &caller, &subject, &name)?;
    answer(cx, &value, buffer, size)
}

fn list(cx: &mut Context<'_>, file: &Reached, [buffer, size]: [u64; 2]) -> Result<Outcome> {
    let subject = match subject(file) {
        Err(error) if error.errno == Errno::EOPNOTSUPP => return Ok(Outcome::Done(0)),
        subject => subject?,
    };
    let caller = cx.caller();
    let names = extended::list(&mut cx.env(), &caller, &subject);
    answer(cx, &names, buffer, size)
}

fn set(cx: &mut Context<'_>, file: &Reached, arguments: [u64; 4]) -> Result<Outcome> {
    let [name, value, size, flags] = arguments;
    let setting = Setting::from_bits(flags as u32).ok_or(Errno::EINVAL)?;
    let name = read_name(cx, name)?;
    if size > SIZE_MAX as u64 {
        return Err(Errno::E2BIG.into());
    }
    let mut bytes = vec![0; size as usize];
    user::read_bytes(cx.host, value, &mut bytes)?;
    let (subject, caller) = (subject(file)?, cx.caller());
    extended::set(&mut cx.env(), &caller, &subject, (&name, &bytes), setting)?;
    Ok(Outcome::Done(0))
}

fn remove(cx: &mut Context<'_>, file: &Reached, name: u64) -> Result<Outcome> {
    let name = read_name(cx, name)?;
    let (subject, caller) = (subject(file)?, cx.caller());
    extended::remove(&mut cx.env(), &caller, &subject, &name)?;
    Ok(Outcome::Done(0))
}

/// getxattr(2).
pub fn getxattr(cx: &mut Context<'_>, [path, name, to, size, ..]: [u64; 6]) -> Result<Outcome> {
    let file = by_path(cx, path, Follow::Yes)?;
    get(cx, &file, [name, to, size])
}

/// lgetxattr(2).
pub fn lgetxattr(cx: &mut Context<'_>, [path, name, to, size, ..]: [u64; 6]) -> Result<Outcome> {
    let file = by_path(cx, path, Follow::No)?;
    get(cx, &file, [name, to, size])
}

/// fgetxattr(2).
pub fn fgetxattr(cx: &mut Context<'_>, [fd, name, to, size, ..]: [u64; 6]) -> Result<Outcome> {
    let file = by_descriptor(cx, fd)?;
    get(cx, &file, [name, to, size])
}

/// listxattr(2).
pub fn listxattr(cx: &mut Context<'_>, [path, to, size, ..]: [u64; 6]) -> Result<Outcome> {
    let file = by_path(cx, path, Follow::Yes)?;
    list(cx, &file, [to, size])
}

/// llistxattr(2).
pub fn llistxattr(cx: &mut Context<'_>, [path, to, size, ..]: [u64; 6]) -> Result<Outcome> {
    let file = by_path(cx, path, Follow::No)?;
    list(cx, &file, [to, size])
}

/// flistxattr(2).
pub fn flistxattr(cx: &mut Context<'_>, [fd, to, size, ..]: [u64; 6]) -> Result<Outcome> {
    let file = by_descriptor(cx, fd)?;
    list(cx, &file, [to, size])
}

/// setxattr(2).
pub fn setxattr(cx: &mut Context<'_>, arguments: [u64; 6]) -> Result<Outcome> {
    let [path, name, value, size, flags, _] = arguments;
    let file = by_path(cx, path, Follow::Yes)?;
    set(cx, &file, [name, value, size, flags])
}

/// lsetxattr(2).
pub fn lsetxattr(cx: &mut Context<'_>, arguments: [u64; 6]) -> Result<Outcome> {
    let [path, name, value, size, flags, _] = arguments;
    let file = by_path(cx, path, Follow::No)?;
    set(cx, &file, [name, value, size, flags])
}

/// fsetxattr(2).
pub fn fsetxattr(cx: &mut Context<'_>, arguments: [u64; 6]) -> Result<Outcome> {
    let [fd, name, value, size, flags, _] = arguments;
    let file = by_descriptor(cx, fd)?;
    set(cx, &file, [name, value, size, flags])
}

/// removexattr(2).
pub fn removexattr(cx: &mut Context<'_>, [path, name, ..]: [u64; 6]) -> Result<Outcome> {
    let file = by_path(cx, path, Follow::Yes)?;
    remove(cx, &file, name)
}

/// lremovexattr(2).
pub fn lremovexattr(cx: &mut Context<'_>, [path, name, ..]: [u64; 6]) -> Result<Outcome> {
    let file = by_path(cx, path, Follow::No)?;
    remove(cx, &file, name)
}

/// fremovexattr(2).
pub fn fremovexattr(cx: &mut Context<'_>, [fd, name, ..]: [u64; 6]) -> Result<Outcome> {
    let file = by_descriptor(cx, fd)?;
    remove(cx, &file, name)
}
