//! Attributes of files: mode, owner, times, length.

use linux_raw_sys::general as raw;

use super::path::{AtFlags, HERE, Reached};
use crate::{
    context::Context,
    error::{Errno, Result},
    file::{File, FileDescription, Happening},
    fs::tree::{
        attributes::{self, NewTime, Subject},
        notify,
    },
    host::Follow,
    machine::Env,
    outcome::Outcome,
    process::{Credentials, unless_minus_one},
    uapi::time::{Timespec, Timeval},
    user::UserPtr,
};

/// Changes the file of the tree that was reached. Files that only the simulation has keep their attributes: those
/// that are open pretend, as a pipe's hardly matter; those of views refuse.
fn change(
    cx: &mut Context<'_>,
    reached: &Reached,
    change: impl FnOnce(&mut Env<'_>, &Credentials, &Subject) -> Result<()>,
) -> Result<Outcome> {
    match (reached.subject()?, reached) {
        (Some(subject), _) => {
            let caller = cx.caller();
            change(&mut cx.env(), &caller, &subject)?;
        }
        (None, Reached::Description(_)) => {}
        (None, Reached::Found(_)) => return Err(Errno::EPERM.into()),
    }
    Ok(Outcome::Done(0))
}

/// The open file of a descriptor that is good for more than a place in the tree.
fn open_file(cx: &mut Context<'_>, fd: u64) -> Result<Reached> {
    let file = cx.description(fd)?;
    Ok(Reached::Description(file))
}

const FOLLOWING: AtFlags = AtFlags { follow: Follow::Yes, empty_path: false };

/// chmod(2).
pub fn chmod(cx: &mut Context<'_>, [path, mode, ..]: [u64; 6]) -> Result<Outcome> {
    fchmodat(cx, [HERE, path, mode, 0, 0, 0])
}

/// fchmod(2).
pub fn fchmod(cx: &mut Context<'_>, [fd, mode, ..]: [u64; 6]) -> Result<Outcome> {
    let reached = open_file(cx, fd)?;
    change(cx, &reached, |env, caller, file| attributes::set_mode(env, caller, file, mode as u32))
}

/// fchmodat(2): the call has no flags.
pub fn fchmodat(cx: &mut Context<'_>, [directory, path, mode, ..]: [u64; 6]) -> Result<Outcome> {
    fchmodat2(cx, [directory, path, mode, 0, 0, 0])
}

/// fchmodat2(2).
pub fn fchmodat2(
    cx: &mut Context<'_>,
    [directory, path, mode, flags, ..]: [u64; 6],
) -> Result<Outcome> {
    let flags = AtFlags::following(flags, 0)?;
    let reached = cx.reach(directory, path, flags)?;
    change(cx, &reached, |env, caller, file| attributes::set_mode(env, caller, file, mode as u32))
}

fn set_owner(cx: &mut Context<'_>, reached: &Reached, owner: u64, group: u64) -> Result<Outcome> {
    let (owner, group) = (unless_minus_one(owner), unless_minus_one(group));
    change(cx, reached, |env, caller, file| attributes::set_owner(env, caller, file, owner, group))
}

/// chown(2).
pub fn chown(cx: &mut Context<'_>, [path, owner, group, ..]: [u64; 6]) -> Result<Outcome> {
    fchownat(cx, [HERE, path, owner, group, 0, 0])
}

/// lchown(2).
pub fn lchown(cx: &mut Context<'_>, [path, owner, group, ..]: [u64; 6]) -> Result<Outcome> {
    fchownat(cx, [HERE, path, owner, group, raw::AT_SYMLINK_NOFOLLOW.into(), 0])
}

/// fchown(2).
pub fn fchown(cx: &mut Context<'_>, [fd, owner, group, ..]: [u64; 6]) -> Result<Outcome> {
    let reached = open_file(cx, fd)?;
    set_owner(cx, &reached, owner, group)
}

/// fchownat(2).
pub fn fchownat(
    cx: &mut Context<'_>,
    [directory, path, owner, group, flags, _]: [u64; 6],
) -> Result<Outcome> {
    let flags = AtFlags::following(flags, 0)?;
    let reached = cx.reach(directory, path, flags)?;
    set_owner(cx, &reached, owner, group)
}

/// The times of a pair of `struct timespec`; none means now.
fn read_times(cx: &mut Context<'_>, times: u64) -> Result<[NewTime; 2]> {
    if times == 0 {
        return Ok([NewTime::Now; 2]);
    }
    let pointer = UserPtr::<Timespec>::new(times);
    let mut new = [NewTime::Now; 2];
    for (index, place) in new.iter_mut().enumerate() {
        let time = cx.read(pointer.add(index as u64))?;
        *place = match u32::try_from(time.nsec) {
            Ok(raw::UTIME_NOW) => NewTime::Now,
            Ok(raw::UTIME_OMIT) => NewTime::Keep,
            Ok(nsec @ 0..=999_999_999) => at(time.sec, nsec.into()),
            _ => return Err(Errno::EINVAL.into()),
        };
    }
    Ok(new)
}

fn at(sec: i64, nsec: i64) -> NewTime {
    NewTime::At(sec.saturating_mul(1_000_000_000).saturating_add(nsec))
}

/// The times of a pair of `struct timeval`; none means now.
fn read_timevals(cx: &mut Context<'_>, times: u64) -> Result<[NewTime; 2]> {
    if times == 0 {
        return Ok([NewTime::Now; 2]);
    }
    let pointer = UserPtr::<Timeval>::new(times);
    let mut new = [NewTime::Now; 2];
    for (index, place) in new.iter_mut().enumerate() {
        let time = cx.read(pointer.add(index as u64))?;
        if !(0..1_000_000).contains(&time.usec) {
            return Err(Errno::EINVAL.into());
        }
        *place = at(time.sec, time.usec * 1000);
    }
    Ok(new)
}

fn set_times(cx: &mut Context<'_>, reached: &Reached, times: [NewTime; 2]) -> Result<Outcome> {
    let [access, modification] = times;
    change(cx, reached, |env, caller, file| {
        attributes::set_times(env, caller, file, access, modification)
    })
}

/// utimensat(2).
pub fn utimensat(
    cx: &mut Context<'_>,
    [directory, path, times, flags, ..]: [u64; 6],
) -> Result<Outcome> {
    let times = read_times(cx, times)?;
    let flags = AtFlags::following(flags, 0)?;
    if times == [NewTime::Keep; 2] {
        return Ok(Outcome::Done(0));
    }
    let reached = if path == 0 && directory as u32 != HERE as u32 {
        open_file(cx, directory)?
    } else {
        cx.reach(directory, path, flags)?
    };
    set_times(cx, &reached, times)
}

/// futimesat(2), which is obsolete.
pub fn futimesat(cx: &mut Context<'_>, [directory, path, times, ..]: [u64; 6]) -> Result<Outcome> {
    let times = read_timevals(cx, times)?;
    let reached = if path == 0 && directory as u32 != HERE as u32 {
        open_file(cx, directory)?
    } else {
        cx.reach(directory, path, FOLLOWING)?
    };
    set_times(cx, &reached, times)
}

/// utimes(2).
pub fn utimes(cx: &mut Context<'_>, [path, times, ..]: [u64; 6]) -> Result<Outcome> {
    futimesat(cx, [HERE, path, times, 0, 0, 0])
}

/// utime(2).
pub fn utime(cx: &mut Context<'_>, [path, times, ..]: [u64; 6]) -> Result<Outcome> {
    let new = if times == 0 {
        [NewTime::Now; 2]
    } else {
        let [access, modification] = cx.read(UserPtr::<[i64; 2]>::new(times))?;
        [at(access, 0), at(modification, 0)]
    };
    let reached = cx.reach(HERE, path, FOLLOWING)?;
    set_times(cx, &reached, new)
}

/// A length or offset, which is signed.
fn unsigned(value: u64) -> Result<u64> {
    if (value as i64) < 0 { Err(Errno::EINVAL.into()) } else { Ok(value) }
}

/// truncate(2).
pub fn truncate(cx: &mut Context<'_>, [path, len, ..]: [u64; 6]) -> Result<Outcome> {
    let len = unsigned(len)?;
    let reached = cx.reach(HERE, path, FOLLOWING)?;
    let subject = reached.subject()?.ok_or(Errno::EINVAL)?;
    let caller = cx.caller();
    attributes::truncate(&mut cx.env(), &caller, &subject, len)?;
    Ok(Outcome::Done(0))
}

/// ftruncate(2).
pub fn ftruncate(cx: &mut Context<'_>, [fd, len, ..]: [u64; 6]) -> Result<Outcome> {
    let len = unsigned(len)?;
    let file = cx.description(fd)?;
    if !file.flags.get().writes() {
        return Err(Errno::EINVAL.into());
    }
    truncate_open(cx, &file, len)
}

fn truncate_open(cx: &mut Context<'_>, file: &FileDescription, len: u64) -> Result<Outcome> {
    let File::Regular(regular) = &file.file else { return Err(Errno::EINVAL.into()) };
    regular.truncate(&mut cx.env(), len)?;
    notify::through(&mut cx.env(), file, Happening::MODIFY);
    Ok(Outcome::Done(0))
}

/// fallocate(2).
pub fn fallocate(cx: &mut Context<'_>, [fd, mode, offset, len, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    if (offset as i64) < 0 || (len as i64) <= 0 {
        return Err(Errno::EINVAL.into());
    }
    file.check_writes()?;
    let regular = match &file.file {
        File::Regular(regular) => regular,
        File::Directory(_) => return Err(Errno::EISDIR.into()),
        File::Pipe(_) => return Err(Errno::ESPIPE.into()),
        _ => return Err(Errno::ENODEV.into()),
    };
    regular.allocate(&mut cx.env(), mode as u32, (offset, len))?;
    notify::through(&mut cx.env(), &file, Happening::MODIFY);
    Ok(Outcome::Done(0))
}
