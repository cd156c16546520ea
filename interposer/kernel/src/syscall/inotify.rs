//! inotify(7).

use alloc::rc::Rc;

use linux_raw_sys::general as raw;

use super::path::{AtFlags, HERE, Reached};
use crate::{
    context::Context,
    error::{Errno, Result},
    file::{File, FileDescription, Inotify, OpenFlags, Repeated},
    fs::{
        Inode,
        access::{self, Access},
        tree::attributes::Subject,
    },
    host::Follow,
    outcome::Outcome,
    uapi::stat::FileKind,
};

/// inotify_init(2), as it was at first.
pub fn inotify_init(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    inotify_init1(cx, [0; 6])
}

/// inotify_init1(2).
pub fn inotify_init1(cx: &mut Context<'_>, [flags, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = OpenFlags::from_bits(flags as u32).ok_or(Errno::EINVAL)?;
    if !(OpenFlags::CLOSE_ON_EXEC | OpenFlags::NONBLOCK).contains(flags) {
        return Err(Errno::EINVAL.into());
    }
    let instance = Inotify::new(&cx.kernel.machine.tree.inotify)?;
    let file = FileDescription::new(File::Inotify(instance), flags, b"anon_inode:inotify");
    cx.add_descriptor(file, flags.contains(OpenFlags::CLOSE_ON_EXEC)).map(Outcome::Done)
}

/// All that may be in a mask (`ALL_INOTIFY_BITS`).
const MASK: u32 = raw::IN_ALL_EVENTS
    | raw::IN_UNMOUNT
    | raw::IN_Q_OVERFLOW
    | raw::IN_IGNORED
    | raw::IN_ONLYDIR
    | raw::IN_DONT_FOLLOW
    | raw::IN_EXCL_UNLINK
    | raw::IN_MASK_CREATE
    | raw::IN_MASK_ADD
    | raw::IN_ISDIR
    | raw::IN_ONESHOT;

fn instance(file: &FileDescription) -> Result<&Rc<Inotify>> {
    match &file.file {
        File::Inotify(instance) => Ok(instance),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// inotify_add_watch(2).
pub fn inotify_add_watch(cx: &mut Context<'_>, [fd, path, mask, ..]: [u64; 6]) -> Result<Outcome> {
    let mask = mask as u32;
    if mask & MASK == 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = cx.description(fd)?;
    let repeated = match (mask & raw::IN_MASK_ADD != 0, mask & raw::IN_MASK_CREATE != 0) {
        (true, true) => return Err(Errno::EINVAL.into()),
        (true, false) => Repeated::Add,
        (false, true) => Repeated::Refuse,
        (false, false) => Repeated::Replace,
    };
    let instance = instance(&file)?;
    let inode = watched(cx, path, mask)?;
    Ok(Outcome::Done(instance.watch(&inode, mask, repeated)? as u64))
}

/// The file to be watched, which must be readable.
fn watched(cx: &mut Context<'_>, path: u64, mask: u32) -> Result<Rc<Inode>> {
    let follow = if mask & raw::IN_DONT_FOLLOW != 0 { Follow::No } else { Follow::Yes };
    let reached = cx.reach(HERE, path, AtFlags { follow, empty_path: false })?;
    let Some(Subject { inode, .. }) = reached.subject()? else {
        // Nothing is ever told of the files of views, as natively.
        return Ok(cx.kernel.machine.tree.nothing());
    };
    if mask & raw::IN_ONLYDIR != 0 && inode.kind() != FileKind::Directory {
        return Err(Errno::ENOTDIR.into());
    }
    if inode.kind() != FileKind::Link && matches!(reached, Reached::Found(_)) {
        let caller = cx.caller();
        access::check(&caller, &inode, Access::READ)?;
    }
    Ok(inode)
}

/// inotify_rm_watch(2).
pub fn inotify_rm_watch(cx: &mut Context<'_>, [fd, watch, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    instance(&file)?.unwatch(watch as i32, &mut cx.kernel.machine.wakes)?;
    Ok(Outcome::Done(0))
}
