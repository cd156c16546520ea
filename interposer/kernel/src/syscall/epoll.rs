//! epoll(7).

use alloc::rc::Rc;
use core::time::Duration;

use linux_raw_sys::general as raw;

use super::mask;
use crate::{
    context::Context,
    error::{Errno, Result},
    file::{File, FileDescription, OpenFlags},
    outcome::{Outcome, Restart},
    poll::Epoll,
    uapi::poll::EpollEvent,
    user::{self, UserPtr, UserSlice},
    wait::Readiness,
};

/// epoll_create(2).
pub fn epoll_create(cx: &mut Context<'_>, [size, ..]: [u64; 6]) -> Result<Outcome> {
    if size as i32 <= 0 {
        return Err(Errno::EINVAL.into());
    }
    epoll_create1(cx, [0; 6])
}

/// epoll_create1(2).
pub fn epoll_create1(cx: &mut Context<'_>, [flags, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = OpenFlags::from_bits(flags as u32).ok_or(Errno::EINVAL)?;
    if !OpenFlags::CLOSE_ON_EXEC.contains(flags) {
        return Err(Errno::EINVAL.into());
    }
    let file = File::Epoll(Rc::default());
    let description = FileDescription::new(file, OpenFlags::READ_WRITE, b"anon_inode:[eventpoll]");
    cx.add_descriptor(description, !flags.is_empty()).map(Outcome::Done)
}

fn instance(file: &FileDescription) -> Result<&Rc<Epoll>> {
    match &file.file {
        File::Epoll(epoll) => Ok(epoll),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// epoll_ctl(2).
pub fn epoll_ctl(cx: &mut Context<'_>, [epfd, op, fd, event, ..]: [u64; 6]) -> Result<Outcome> {
    let event = match op as u32 {
        raw::EPOLL_CTL_DEL => EpollEvent::default(),
        _ => cx.read(UserPtr::new(event))?,
    };
    let instance_file = cx.description(epfd)?;
    let file = cx.description(fd)?;
    if !file.is_pollable() {
        return Err(Errno::EPERM.into());
    }
    if Rc::ptr_eq(&instance_file, &file) {
        return Err(Errno::EINVAL.into());
    }
    let epoll = instance(&instance_file)?;
    let wakes = &mut cx.kernel.machine.wakes;
    match op as u32 {
        raw::EPOLL_CTL_ADD => epoll.add(wakes, fd as u32, &file, event)?,
        raw::EPOLL_CTL_MOD => epoll.modify(wakes, fd as u32, &file, event)?,
        raw::EPOLL_CTL_DEL => epoll.delete(fd as u32, &file)?,
        _ => return Err(Errno::EINVAL.into()),
    }
    Ok(Outcome::Done(0))
}

/// epoll_wait(2).
pub fn epoll_wait(
    cx: &mut Context<'_>,
    [epfd, events, max, timeout, ..]: [u64; 6],
) -> Result<Outcome> {
    epoll_pwait(cx, [epfd, events, max, timeout, 0, 0])
}

/// epoll_pwait(2).
pub fn epoll_pwait(
    cx: &mut Context<'_>,
    [epfd, events, max, timeout, mask, size]: [u64; 6],
) -> Result<Outcome> {
    let timeout = u64::try_from(timeout as i32).ok().map(Duration::from_millis);
    cx.deadline_after(timeout);
    mask::set_for_call(cx, mask, size)?;
    wait(cx, epfd, events, max)
}

/// epoll_pwait2(2).
pub fn epoll_pwait2(
    cx: &mut Context<'_>,
    [epfd, events, max, timeout, mask, size]: [u64; 6],
) -> Result<Outcome> {
    let timeout = cx.read_timeout(timeout)?;
    cx.deadline_after(timeout);
    mask::set_for_call(cx, mask, size)?;
    wait(cx, epfd, events, max)
}

/// Most events of one call (`EP_MAX_EVENTS`).
const EVENTS_MAX: usize = i32::MAX as usize / size_of::<EpollEvent>();

fn wait(cx: &mut Context<'_>, epfd: u64, events: u64, max: u64) -> Result<Outcome> {
    let max = usize::try_from(max as i32).map_err(|_| Errno::EINVAL)?;
    if max == 0 || max > EVENTS_MAX {
        return Err(Errno::EINVAL.into());
    }
    UserSlice { address: events, len: max * size_of::<EpollEvent>() }.check()?;
    let file = cx.description(epfd)?;
    let epoll = instance(&file)?;
    let to = UserPtr::<EpollEvent>::new(events);
    let host = &mut *cx.host;
    let found =
        epoll.harvest(max, &mut |index, event| user::write(host, to.add(index as u64), &event))?;
    if found > 0 || cx.timed_out() {
        return Ok(Outcome::Done(found as u64));
    }
    cx.hold(epfd, &file);
    cx.wait_in(&epoll.queue, Readiness::READABLE);
    Ok(cx.block(Restart::Never, "an epoll instance"))
}
