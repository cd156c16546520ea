//! Timers that send signals.

use alloc::rc::Rc;
use core::time::Duration;

use linux_raw_sys::general as raw;

use super::time::ClockId;
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    machine::SignalTarget,
    outcome::Outcome,
    process::Tid,
    signal::{First, Signal, SignalInfo, SignalTimer, TimerClock},
    uapi::{
        signal::RawEvent,
        time::{Itimerspec, Itimerval, Timespec, Timeval},
    },
    user::UserPtr,
};

/// Most timers of one process: a bound on what a program can make the kernel keep.
const TIMERS_MAX: usize = 4096;

/// One of the three timers that every process has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Which {
    Real,
    Virtual,
    Profiling,
}

impl Which {
    fn new(raw: u64) -> Result<Self> {
        match raw as u32 {
            raw::ITIMER_REAL => Ok(Self::Real),
            raw::ITIMER_VIRTUAL => Ok(Self::Virtual),
            raw::ITIMER_PROF => Ok(Self::Profiling),
            _ => Err(Errno::EINVAL.into()),
        }
    }

    const fn describe(self) -> (TimerClock, Signal) {
        match self {
            Self::Real => (TimerClock::Boot, Signal::ALRM),
            Self::Virtual => (TimerClock::User, Signal::VTALRM),
            Self::Profiling => (TimerClock::Process, Signal::PROF),
        }
    }
}

/// Time left and interval of an interval timer.
fn left(cx: &mut Context<'_>, which: Which) -> (Duration, Duration) {
    let id = cx.thread().process;
    let timer = cx.process().timers.interval[which as usize].clone();
    timer.map_or_else(Default::default, |timer| cx.kernel.signal_timer_left(id, &timer))
}

fn set(cx: &mut Context<'_>, which: Which, first: Duration, interval: Duration) {
    let id = cx.thread().process;
    let timer = cx.process().timers.interval[which as usize].get_or_insert_with(|| {
        let (clock, signal) = which.describe();
        SignalTimer::new(clock, Some((SignalTarget::Process(id), SignalInfo::from_kernel(signal))))
    });
    let timer = Rc::clone(timer);
    // One that is not set shows its interval only if it counts processor time (`do_setitimer`).
    let keeps_interval = !first.is_zero() || which != Which::Real;
    let interval = if keeps_interval { interval } else { Duration::ZERO };
    let first = if first.is_zero() { First::Never } else { First::In(first) };
    cx.kernel.set_signal_timer(id, &timer, first, interval);
}

/// alarm(2).
pub fn alarm(cx: &mut Context<'_>, [seconds, ..]: [u64; 6]) -> Result<Outcome> {
    let (left, _) = left(cx, Which::Real);
    set(cx, Which::Real, Duration::from_secs(seconds & 0xffff_ffff), Duration::ZERO);
    // As in Linux (alarm_setitimer): rounded, but never to zero.
    let half = Duration::from_millis(500);
    let rounded = (left + half).as_secs();
    Ok(Outcome::Done(if left.is_zero() { 0 } else { rounded.max(1) }))
}

fn as_itimerval((value, interval): (Duration, Duration)) -> Itimerval {
    // A set timer never shows zero.
    let least = if value.is_zero() { Duration::ZERO } else { Duration::from_micros(1) };
    Itimerval { interval: Timeval::from(interval), value: Timeval::from(value.max(least)) }
}

/// getitimer(2).
pub fn getitimer(cx: &mut Context<'_>, [which, to, ..]: [u64; 6]) -> Result<Outcome> {
    let which = Which::new(which)?;
    let setting = as_itimerval(left(cx, which));
    cx.write(UserPtr::new(to), &setting)?;
    Ok(Outcome::Done(0))
}

/// setitimer(2).
pub fn setitimer(cx: &mut Context<'_>, [which, new, old, ..]: [u64; 6]) -> Result<Outcome> {
    let new = match UserPtr::<Itimerval>::new(new).non_null() {
        Some(new) => cx.read(new)?,
        // Linux takes null for zero (sys_setitimer).
        None => Itimerval::default(),
    };
    let which = Which::new(which)?;
    let (value, interval) = (new.value.duration()?, new.interval.duration()?);
    let before = as_itimerval(left(cx, which));
    set(cx, which, value, interval);
    cx.write_optional(old, &before)?;
    Ok(Outcome::Done(0))
}

fn timer_clock(cx: &mut Context<'_>, clock: u64) -> Result<TimerClock> {
    match clock as u32 {
        raw::CLOCK_MONOTONIC_RAW | raw::CLOCK_REALTIME_COARSE | raw::CLOCK_MONOTONIC_COARSE => {
            return Err(Error::new(Errno::EOPNOTSUPP, "this clock has no timers"));
        }
        _ => {}
    }
    match ClockId::new(clock)? {
        ClockId::Wall => Ok(TimerClock::Wall),
        ClockId::Atomic => Ok(TimerClock::Atomic),
        ClockId::SinceBoot => Ok(TimerClock::Boot),
        ClockId::ProcessCpu(process) => {
            let found = cx.kernel.find_process(cx.thread, u64::from(process));
            match found {
                Ok(found) if found == cx.thread().process => Ok(TimerClock::Process),
                _ => Err(Error::new(Errno::EINVAL, "only of its own processor time")),
            }
        }
        ClockId::ThreadCpu(thread) => {
            let found = cx.kernel.find_thread(cx.thread, u64::from(thread));
            found.map(TimerClock::Thread).map_err(|_| Errno::EINVAL.into())
        }
    }
}

/// Whom a timer tells what, by `struct sigevent`; `SIGALRM` with the timer's number by default.
fn notification(
    cx: &mut Context<'_>,
    event: u64,
    number: u32,
) -> Result<Option<(SignalTarget, SignalInfo)>> {
    let own = cx.thread().process;
    let event = match UserPtr::<RawEvent>::new(event).non_null() {
        Some(event) => cx.read(event)?,
        None => RawEvent {
            value: u64::from(number),
            signal: raw::SIGALRM as i32,
            notify: raw::SIGEV_SIGNAL as i32,
            ..RawEvent::default()
        },
    };
    let target = match event.notify as u32 {
        raw::SIGEV_NONE => return Ok(None),
        raw::SIGEV_SIGNAL | raw::SIGEV_THREAD => SignalTarget::Process(own),
        raw::SIGEV_THREAD_ID => {
            let thread = cx.kernel.tids.get(&Tid::new(event.thread as u32)).copied();
            let ours = thread.filter(|&thread| cx.kernel.thread(thread).process == own);
            SignalTarget::Thread(ours.ok_or(Errno::EINVAL)?)
        }
        _ => return Err(Errno::EINVAL.into()),
    };
    let signal = Signal::new(u64::from(event.signal as u32)).ok_or(Errno::EINVAL)?;
    let fields = [u64::from(number), event.value, 0];
    Ok(Some((target, SignalInfo { signal, code: raw::SI_TIMER, errno: 0, fields })))
}

/// timer_create(2).
pub fn timer_create(cx: &mut Context<'_>, [clock, event, to, ..]: [u64; 6]) -> Result<Outcome> {
    let clock = timer_clock(cx, clock)?;
    if cx.process().timers.made.len() >= TIMERS_MAX {
        return Err(Errno::EAGAIN.into());
    }
    let number = cx.process().timers.next;
    // Even if nothing comes of it (`do_timer_create`).
    cx.process().timers.next += 1;
    let notify = notification(cx, event, number)?;
    cx.write(UserPtr::new(to), &number)?;
    cx.process().timers.made.insert(number, SignalTimer::new(clock, notify));
    Ok(Outcome::Done(0))
}

fn find(cx: &mut Context<'_>, number: u64) -> Result<Rc<SignalTimer>> {
    let timer = cx.process().timers.made.get(&(number as u32));
    timer.map(Rc::clone).ok_or(Errno::EINVAL.into())
}

fn describe(cx: &mut Context<'_>, timer: &SignalTimer) -> Itimerspec {
    let id = cx.thread().process;
    let (value, interval) = cx.kernel.signal_timer_left(id, timer);
    Itimerspec { interval: Timespec::from(interval), value: Timespec::from(value) }
}

/// timer_settime(2).
pub fn timer_settime(
    cx: &mut Context<'_>,
    [number, flags, new, old, ..]: [u64; 6],
) -> Result<Outcome> {
    let new = UserPtr::<Itimerspec>::new(new).non_null().ok_or(Errno::EINVAL)?;
    let new = cx.read(new)?;
    let (value, interval) = (new.value.duration()?, new.interval.duration()?);
    let timer = find(cx, number)?;
    // To look at it may let it go on.
    let before = (old != 0).then(|| describe(cx, &timer));
    // One that is not set has no interval (`posix_timer_set_common`).
    let interval = if value.is_zero() { Duration::ZERO } else { interval };
    let first = match (value.is_zero(), flags as u32 & raw::TIMER_ABSTIME != 0) {
        (true, _) => First::Never,
        (false, false) => First::In(value),
        (false, true) => First::At(value),
    };
    let id = cx.thread().process;
    cx.kernel.set_signal_timer(id, &timer, first, interval);
    if let Some(before) = before {
        cx.write(UserPtr::new(old), &before)?;
    }
    Ok(Outcome::Done(0))
}

/// timer_gettime(2).
pub fn timer_gettime(cx: &mut Context<'_>, [number, to, ..]: [u64; 6]) -> Result<Outcome> {
    let timer = find(cx, number)?;
    let setting = describe(cx, &timer);
    cx.write(UserPtr::new(to), &setting)?;
    Ok(Outcome::Done(0))
}

/// timer_getoverrun(2).
pub fn timer_getoverrun(cx: &mut Context<'_>, [number, ..]: [u64; 6]) -> Result<Outcome> {
    Ok(Outcome::Done(u64::from(find(cx, number)?.overrun())))
}

/// timer_delete(2).
pub fn timer_delete(cx: &mut Context<'_>, [number, ..]: [u64; 6]) -> Result<Outcome> {
    let timer = find(cx, number)?;
    let id = cx.thread().process;
    cx.kernel.unset_signal_timer(id, &timer);
    cx.process().timers.made.remove(&(number as u32));
    Ok(Outcome::Done(0))
}
