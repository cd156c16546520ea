//! Clocks and sleeping.

use core::time::Duration;

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Result},
    outcome::{Outcome, Restart},
    time::Instant,
    uapi::time::{Timespec, Timeval},
    user::UserPtr,
};

/// What a clock counts from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ClockId {
    Wall,
    SinceBoot,
    ProcessCpu,
    ThreadCpu,
}

impl ClockId {
    fn new(raw: u64) -> Result<Self> {
        Ok(match raw as u32 {
            raw::CLOCK_REALTIME
            | raw::CLOCK_REALTIME_COARSE
            | raw::CLOCK_REALTIME_ALARM
            | raw::CLOCK_TAI => Self::Wall,
            raw::CLOCK_MONOTONIC
            | raw::CLOCK_MONOTONIC_RAW
            | raw::CLOCK_MONOTONIC_COARSE
            | raw::CLOCK_BOOTTIME
            | raw::CLOCK_BOOTTIME_ALARM => Self::SinceBoot,
            raw::CLOCK_PROCESS_CPUTIME_ID => Self::ProcessCpu,
            raw::CLOCK_THREAD_CPUTIME_ID => Self::ThreadCpu,
            _ => return Err(Errno::EINVAL.into()),
        })
    }
}

fn read_clock(cx: &mut Context<'_>, clock: ClockId) -> Duration {
    match clock {
        ClockId::Wall => cx.kernel.machine.clock.wall(),
        ClockId::SinceBoot => cx.now().since_boot(),
        ClockId::ThreadCpu => cx.thread().cpu_time,
        ClockId::ProcessCpu => {
            let process = cx.process();
            let (dead, threads) = (process.dead_threads_time, process.threads.clone());
            dead + threads.into_iter().map(|id| cx.kernel.thread(id).cpu_time).sum::<Duration>()
        }
    }
}

/// clock_gettime(2).
pub fn clock_gettime(cx: &mut Context<'_>, [clock, to, ..]: [u64; 6]) -> Result<Outcome> {
    let clock = ClockId::new(clock)?;
    let time = Timespec::from(read_clock(cx, clock));
    cx.write(UserPtr::new(to), &time)?;
    Ok(Outcome::Done(0))
}

/// gettimeofday(2).
pub fn gettimeofday(cx: &mut Context<'_>, [to, zone, ..]: [u64; 6]) -> Result<Outcome> {
    let time = Timeval::from(read_clock(cx, ClockId::Wall));
    cx.write_optional(to, &time)?;
    cx.write_optional(zone, &[0u32; 2])?;
    Ok(Outcome::Done(0))
}

/// time(2).
pub fn time(cx: &mut Context<'_>, [to, ..]: [u64; 6]) -> Result<Outcome> {
    let seconds = read_clock(cx, ClockId::Wall).as_secs();
    cx.write_optional(to, &seconds)?;
    Ok(Outcome::Done(seconds))
}

/// nanosleep(2).
pub fn nanosleep(cx: &mut Context<'_>, [request, _rest, ..]: [u64; 6]) -> Result<Outcome> {
    let duration = cx.read(UserPtr::<Timespec>::new(request))?.duration()?;
    let due = cx.now() + duration;
    sleep_until(cx, due)
}

/// clock_nanosleep(2).
pub fn clock_nanosleep(
    cx: &mut Context<'_>,
    [clock, flags, request, _rest, ..]: [u64; 6],
) -> Result<Outcome> {
    let clock = ClockId::new(clock)?;
    let time = cx.read(UserPtr::<Timespec>::new(request))?.duration()?;
    let due = match (flags as u32 & raw::TIMER_ABSTIME != 0, clock) {
        (false, _) => cx.now() + time,
        (true, ClockId::Wall) => cx.kernel.machine.clock.at_wall(time),
        (true, _) => Instant::BOOT + time,
    };
    sleep_until(cx, due)
}

fn sleep_until(cx: &mut Context<'_>, due: Instant) -> Result<Outcome> {
    cx.deadline_at(due);
    if cx.timed_out() {
        return Ok(Outcome::Done(0));
    }
    Ok(cx.block_on(&[], Restart::UnlessHandled, "time to pass"))
}
