//! Reading clocks, and sleeping.

use core::time::Duration;

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    outcome::{Outcome, Restart},
    uapi::time::{Timespec, Timeval},
    user::UserPtr,
};

/// What a clock counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ClockId {
    /// 1970.
    Wall,
    /// 1970, leap seconds included (clock_gettime(2), `CLOCK_TAI`).
    Atomic,
    /// The machine's boot.
    SinceBoot,
    /// Processor time of the process with this number; zero for the caller's.
    ProcessCpu(u32),
    /// Processor time of the thread with this number; zero for the caller.
    ThreadCpu(u32),
}

impl ClockId {
    pub(super) fn new(raw: u64) -> Result<Self> {
        if (raw as i32) < 0 {
            return Self::dynamic(raw as u32);
        }
        Ok(match raw as u32 {
            raw::CLOCK_REALTIME | raw::CLOCK_REALTIME_COARSE | raw::CLOCK_REALTIME_ALARM => {
                Self::Wall
            }
            raw::CLOCK_TAI => Self::Atomic,
            raw::CLOCK_MONOTONIC
            | raw::CLOCK_MONOTONIC_RAW
            | raw::CLOCK_MONOTONIC_COARSE
            | raw::CLOCK_BOOTTIME
            | raw::CLOCK_BOOTTIME_ALARM => Self::SinceBoot,
            raw::CLOCK_PROCESS_CPUTIME_ID => Self::ProcessCpu(0),
            raw::CLOCK_THREAD_CPUTIME_ID => Self::ThreadCpu(0),
            _ => return Err(Errno::EINVAL.into()),
        })
    }

    /// A clock of some process or thread: its number inverted, then a bit for a thread and two for the kind of time
    /// (include/linux/posix-timers_types.h). The kinds are one here.
    fn dynamic(raw: u32) -> Result<Self> {
        const KIND: u32 = 3;
        const OF_DESCRIPTOR: u32 = 3;
        const OF_THREAD: u32 = 4;
        let number = !((raw as i32) >> 3) as u32;
        match (raw & KIND, raw & OF_THREAD != 0) {
            (OF_DESCRIPTOR, _) => Err(Errno::EINVAL.into()),
            (_, true) => Ok(Self::ThreadCpu(number)),
            (_, false) => Ok(Self::ProcessCpu(number)),
        }
    }
}

/// What a clock shows.
///
/// # Errors
/// `EINVAL` for one of a process or thread that is not there.
pub(super) fn read_clock(cx: &mut Context<'_>, clock: ClockId) -> Result<Duration> {
    Ok(match clock {
        ClockId::Wall => cx.kernel.machine.clock.wall(),
        ClockId::Atomic => cx.kernel.machine.clock.atomic(),
        ClockId::SinceBoot => cx.kernel.machine.clock.since_boot(),
        ClockId::ThreadCpu(number) => {
            let found = cx.kernel.find_thread(cx.thread, u64::from(number));
            let found = found.map_err(|_| Errno::EINVAL)?;
            let (own, thread) = (cx.thread().process, cx.kernel.thread(found));
            if thread.process != own {
                return Err(Error::new(Errno::EINVAL, "a thread of another process"));
            }
            thread.cpu_time
        }
        ClockId::ProcessCpu(number) => {
            let found = cx.kernel.find_process(cx.thread, u64::from(number));
            cx.kernel.processor_time(found.map_err(|_| Errno::EINVAL)?)
        }
    })
}

/// clock_gettime(2).
pub fn clock_gettime(cx: &mut Context<'_>, [clock, to, ..]: [u64; 6]) -> Result<Outcome> {
    let clock = ClockId::new(clock)?;
    let time = Timespec::from(read_clock(cx, clock)?);
    cx.write(UserPtr::new(to), &time)?;
    Ok(Outcome::Done(0))
}

/// gettimeofday(2).
pub fn gettimeofday(cx: &mut Context<'_>, [to, zone, ..]: [u64; 6]) -> Result<Outcome> {
    let time = Timeval::from(cx.kernel.machine.clock.wall());
    cx.write_optional(to, &time)?;
    cx.write_optional(zone, &[0u32; 2])?;
    Ok(Outcome::Done(0))
}

/// time(2).
pub fn time(cx: &mut Context<'_>, [to, ..]: [u64; 6]) -> Result<Outcome> {
    let seconds = cx.kernel.machine.clock.wall().as_secs();
    cx.write_optional(to, &seconds)?;
    Ok(Outcome::Done(seconds))
}

/// nanosleep(2).
pub fn nanosleep(cx: &mut Context<'_>, [request, rest, ..]: [u64; 6]) -> Result<Outcome> {
    let duration = cx.read(UserPtr::<Timespec>::new(request))?.duration()?;
    cx.deadline_after(Some(duration));
    sleep(cx, rest)
}

/// clock_nanosleep(2).
pub fn clock_nanosleep(
    cx: &mut Context<'_>,
    [clock, flags, request, rest, ..]: [u64; 6],
) -> Result<Outcome> {
    let id = ClockId::new(clock)?;
    match clock as u32 {
        raw::CLOCK_THREAD_CPUTIME_ID
        | raw::CLOCK_MONOTONIC_RAW
        | raw::CLOCK_REALTIME_COARSE
        | raw::CLOCK_MONOTONIC_COARSE => {
            return Err(Error::new(Errno::EOPNOTSUPP, "nobody can sleep on this clock"));
        }
        _ => {}
    }
    let time = cx.read(UserPtr::<Timespec>::new(request))?.duration()?;
    let absolute = flags as u32 & raw::TIMER_ABSTIME != 0;
    match (id, absolute) {
        (ClockId::ThreadCpu(_), _) => return Err(Errno::EINVAL.into()),
        (ClockId::ProcessCpu(number), _) => {
            return sleep_on_processor_time(
                cx,
                number,
                time,
                if absolute { None } else { Some(rest) },
            );
        }
        (_, false) => cx.deadline_after(Some(time)),
        (ClockId::Wall, true) => cx.deadline_at_wall(time),
        (ClockId::Atomic, true) => {
            let wall = cx.kernel.machine.clock.wall_at_atomic(time);
            cx.deadline_at_wall(wall)
        }
        (ClockId::SinceBoot, true) => cx.deadline_at_since_boot(time),
    };
    sleep(cx, if absolute { 0 } else { rest })
}

/// Sleeps until a process has used this much processor time, or this much more if there is a place to write what is left.
fn sleep_on_processor_time(
    cx: &mut Context<'_>,
    process: u32,
    time: Duration,
    rest: Option<u64>,
) -> Result<Outcome> {
    let id = cx.kernel.find_process(cx.thread, process.into()).map_err(|_| Errno::EINVAL)?;
    let now = cx.kernel.processor_time(id);
    let due = match (cx.call().woken_with, rest) {
        (Some(due), _) => Duration::from_nanos(due),
        (None, None) => time,
        (None, Some(_)) => now.saturating_add(time),
    };
    let Some(left) = due.checked_sub(now).filter(|left| !left.is_zero()) else {
        return Ok(Outcome::Done(0));
    };
    cx.call().woken_with = Some(u64::try_from(due.as_nanos()).unwrap_or(u64::MAX));
    if cx.is_interrupted() {
        cx.write_optional(rest.unwrap_or(0), &Timespec::from(left))?;
    }
    let thread = cx.thread;
    cx.kernel.process_mut(id).timers.wake_at(due, thread);
    Ok(cx.block(Restart::UnlessHandled, "processor time to be used"))
}

/// Sleeps until the call's deadline. A signal that cuts it short leaves the remaining time at `rest`.
fn sleep(cx: &mut Context<'_>, rest: u64) -> Result<Outcome> {
    if cx.timed_out() {
        return Ok(Outcome::Done(0));
    }
    if cx.is_interrupted()
        && let Some(due) = cx.call().deadline
    {
        let left = cx.kernel.machine.clock.left_until(due);
        cx.write_optional(rest, &Timespec::from(left))?;
    }
    Ok(cx.block(Restart::UnlessHandled, "time to pass"))
}
