//! Setting clocks, and what they can do.

use core::time::Duration;

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use super::time::{ClockId, read_clock};
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    outcome::Outcome,
    process::Capabilities,
    time::Leap,
    uapi::time::{LONGEST, Timespec, Timeval},
    user::UserPtr,
};

/// What the coarse clocks show is at most this old (`CONFIG_HZ=250`).
const COARSE: Duration = Duration::from_millis(4);
const FINE: Duration = Duration::from_nanos(1);

/// clock_getres(2).
pub fn clock_getres(cx: &mut Context<'_>, [clock, to, ..]: [u64; 6]) -> Result<Outcome> {
    let id = ClockId::new(clock)?;
    read_clock(cx, id)?;
    let resolution = match clock as u32 {
        raw::CLOCK_REALTIME_COARSE | raw::CLOCK_MONOTONIC_COARSE => COARSE,
        _ => FINE,
    };
    cx.write_optional(to, &Timespec::from(resolution))?;
    Ok(Outcome::Done(0))
}

/// What the wall clock can be set to is less: thirty years before it would overflow (`TIME_SETTOD_SEC_MAX`).
const WALL_MAX: Duration = Duration::from_secs(LONGEST.as_secs() - 30 * 365 * 86_400);

fn set_wall(cx: &mut Context<'_>, wall: Duration) -> Result<Outcome> {
    if !cx.process().credentials.can(Capabilities::SYS_TIME) {
        return Err(Error::new(Errno::EPERM, "only an administrator sets the clock"));
    }
    if wall < cx.kernel.machine.clock.since_boot() {
        return Err(Error::new(Errno::EINVAL, "before the machine was booted"));
    }
    if wall >= WALL_MAX {
        return Err(Error::new(Errno::EINVAL, "too late for the clock to go on"));
    }
    cx.kernel.machine.clock.set_wall(wall);
    cx.kernel.wall_clock_was_set();
    Ok(Outcome::Done(0))
}

/// clock_settime(2).
pub fn clock_settime(cx: &mut Context<'_>, [clock, from, ..]: [u64; 6]) -> Result<Outcome> {
    if clock as u32 != raw::CLOCK_REALTIME {
        return Err(Error::new(Errno::EINVAL, "this clock cannot be set"));
    }
    let wall = cx.read(UserPtr::<Timespec>::new(from))?.duration()?;
    set_wall(cx, wall)
}

/// settimeofday(2). Time zones are accepted and forgotten.
pub fn settimeofday(cx: &mut Context<'_>, [from, _zone, ..]: [u64; 6]) -> Result<Outcome> {
    match UserPtr::<Timeval>::new(from).non_null() {
        Some(from) => {
            let wall = cx.read(from)?.duration()?;
            set_wall(cx, wall)
        }
        None if cx.process().credentials.can(Capabilities::SYS_TIME) => Ok(Outcome::Done(0)),
        None => Err(Errno::EPERM.into()),
    }
}

/// `struct timex`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Timex {
    modes: u32,
    pad: u32,
    offset: i64,
    frequency: i64,
    error_max: i64,
    error_estimated: i64,
    status: i32,
    pad2: i32,
    constant: i64,
    precision: i64,
    tolerance: i64,
    time: Timeval,
    tick: i64,
    pps: [i64; 3],
    pps_shift: i32,
    pad3: i32,
    pps_counts: [i64; 5],
    tai: i32,
    pad4: [i32; 11],
}

/// adjtimex(2).
pub fn adjtimex(cx: &mut Context<'_>, [to, ..]: [u64; 6]) -> Result<Outcome> {
    /// The clock is not synchronised: `STA_UNSYNC`, and what adjtimex returns then, `TIME_ERROR`.
    const UNSYNCHRONISED: (i32, u64) = (0x40, 5);
    /// Who knows of a leap second has it from a server: `STA_PLL`, and `STA_INS` until it is over.
    const SYNCHRONISED: i32 = 0x01;
    const INSERT: i32 = 0x10;
    let asked = cx.read(UserPtr::<Timex>::new(to))?;
    if asked.modes != 0 {
        return Err(Error::new(Errno::EPERM, "the clock cannot be steered"));
    }
    let leap = cx.kernel.machine.clock.leap();
    // What it returns: `TIME_INS`, `TIME_OOP`, `TIME_WAIT`.
    let (status, result, tai) = match leap {
        None => (UNSYNCHRONISED.0, UNSYNCHRONISED.1, 0),
        Some(Leap::Insert) => (SYNCHRONISED | INSERT, 1, 0),
        Some(Leap::InProgress) => (SYNCHRONISED | INSERT, 3, 1),
        Some(Leap::Over) => (SYNCHRONISED, 4, 1),
    };
    let shown = Timex {
        error_max: 16_000_000,
        error_estimated: 16_000_000,
        status,
        tai,
        constant: 2,
        precision: 1,
        tolerance: 32_768_000,
        time: Timeval::from(cx.kernel.machine.clock.wall()),
        tick: 10_000,
        ..Timex::default()
    };
    cx.write(UserPtr::new(to), &shown)?;
    Ok(Outcome::Done(result))
}

/// clock_adjtime(2).
pub fn clock_adjtime(cx: &mut Context<'_>, [clock, to, ..]: [u64; 6]) -> Result<Outcome> {
    match clock as u32 {
        raw::CLOCK_REALTIME => adjtimex(cx, [to, 0, 0, 0, 0, 0]),
        _ => {
            ClockId::new(clock)?;
            Err(Errno::EOPNOTSUPP.into())
        }
    }
}
