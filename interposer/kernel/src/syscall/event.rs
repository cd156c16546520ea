//! eventfd(2) and timerfd_create(2).

use alloc::rc::Rc;

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Result},
    file::{
        EventFd, EventKind, File, FileDescription, OpenFlags, TimerBase, TimerFd, TimerSetting,
    },
    outcome::Outcome,
    uapi::time::{Itimerspec, Timespec},
    user::UserPtr,
};

/// eventfd(2), as it was at first.
pub fn eventfd(cx: &mut Context<'_>, [count, ..]: [u64; 6]) -> Result<Outcome> {
    eventfd2(cx, [count, 0, 0, 0, 0, 0])
}

/// eventfd(2).
pub fn eventfd2(cx: &mut Context<'_>, [count, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let (kind, flags) = match flags as u32 & raw::EFD_SEMAPHORE {
        0 => (EventKind::Counter, flags as u32),
        semaphore => (EventKind::Semaphore, flags as u32 & !semaphore),
    };
    let file = File::Event(EventFd::new(u64::from(count as u32), kind));
    add(cx, file, flags, b"anon_inode:[eventfd]")
}

/// Opens an anonymous file that can be read and written, with no flags but `O_CLOEXEC` and `O_NONBLOCK`.
fn add(cx: &mut Context<'_>, file: File, flags: u32, name: &[u8]) -> Result<Outcome> {
    let flags = OpenFlags::from_bits(flags).ok_or(Errno::EINVAL)?;
    if !(OpenFlags::CLOSE_ON_EXEC | OpenFlags::NONBLOCK).contains(flags) {
        return Err(Errno::EINVAL.into());
    }
    let description = FileDescription::new(file, flags | OpenFlags::READ_WRITE, name);
    cx.add_descriptor(description, flags.contains(OpenFlags::CLOSE_ON_EXEC)).map(Outcome::Done)
}

/// timerfd_create(2).
pub fn timerfd_create(cx: &mut Context<'_>, [clock, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let base = match clock as u32 {
        raw::CLOCK_REALTIME => TimerBase::Wall,
        raw::CLOCK_MONOTONIC | raw::CLOCK_BOOTTIME => TimerBase::Boot,
        raw::CLOCK_REALTIME_ALARM | raw::CLOCK_BOOTTIME_ALARM
            if cx.process().credentials.euid != 0 =>
        {
            return Err(Errno::EPERM.into());
        }
        raw::CLOCK_REALTIME_ALARM => TimerBase::Wall,
        raw::CLOCK_BOOTTIME_ALARM => TimerBase::Boot,
        _ => return Err(Errno::EINVAL.into()),
    };
    add(cx, File::Timer(TimerFd::new(base)), flags as u32, b"anon_inode:[timerfd]")
}

fn timer(file: &FileDescription) -> Result<&Rc<TimerFd>> {
    match &file.file {
        File::Timer(timer) => Ok(timer),
        _ => Err(Errno::EINVAL.into()),
    }
}

/// timerfd_settime(2).
pub fn timerfd_settime(
    cx: &mut Context<'_>,
    [fd, flags, new, old, ..]: [u64; 6],
) -> Result<Outcome> {
    let new: Itimerspec = cx.read(UserPtr::new(new))?;
    let (value, interval) = (new.value.duration()?, new.interval.duration()?);
    let flags = flags as u32;
    if flags & !(raw::TFD_TIMER_ABSTIME | raw::TFD_TIMER_CANCEL_ON_SET) != 0 {
        return Err(Errno::EINVAL.into());
    }
    let file = cx.description(fd)?;
    let timer = timer(&file)?;
    let is_absolute = flags & raw::TFD_TIMER_ABSTIME != 0;
    let on = if is_absolute { timer.base } else { TimerBase::Boot };
    let now = on.now(&cx.kernel.machine.clock);
    let due = if is_absolute { value } else { now.saturating_add(value) };
    let due = (!value.is_zero()).then_some(due);
    let before = remaining(cx, timer);
    timer.set(&mut cx.kernel.machine, TimerSetting { due, on, interval });
    let follows_clock = raw::TFD_TIMER_ABSTIME | raw::TFD_TIMER_CANCEL_ON_SET;
    if timer.base == TimerBase::Wall && flags == follows_clock {
        timer.cancel_on_clock_change(&cx.kernel.machine);
    }
    cx.write_optional(old, &before)?;
    Ok(Outcome::Done(0))
}

fn remaining(cx: &mut Context<'_>, timer: &Rc<TimerFd>) -> Itimerspec {
    let (value, interval) = timer.remaining(&mut cx.kernel.machine);
    Itimerspec { interval: Timespec::from(interval), value: Timespec::from(value) }
}

/// timerfd_gettime(2).
pub fn timerfd_gettime(cx: &mut Context<'_>, [fd, to, ..]: [u64; 6]) -> Result<Outcome> {
    let file = cx.description(fd)?;
    let now = remaining(cx, timer(&file)?);
    cx.write(UserPtr::new(to), &now)?;
    Ok(Outcome::Done(0))
}
