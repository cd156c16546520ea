//! What processes have used: getrusage(2), times(2).
//!
//! Processor time is the model's: each call costs its thread a fixed time, half of it the kernel's.

use core::time::Duration;

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Result},
    outcome::Outcome,
    uapi::time::Timeval,
    user::UserPtr,
};

/// `struct rusage`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
pub struct Usage {
    user: Timeval,
    system: Timeval,
    resident_max: u64,
    counters: [u64; 13],
}

impl Usage {
    /// That of someone who has used this much processor time.
    #[must_use]
    pub fn of_time(time: Duration) -> Self {
        let system = time / 2;
        Self { user: (time - system).into(), system: system.into(), ..Self::default() }
    }
}

fn process_time(cx: &mut Context<'_>) -> Duration {
    let process = cx.process();
    let (ended, threads) = (process.dead_threads_time, process.threads.clone());
    ended + threads.into_iter().map(|id| cx.kernel.thread(id).cpu_time).sum::<Duration>()
}

const RUSAGE_SELF: i32 = raw::RUSAGE_SELF as i32;
const RUSAGE_CHILDREN: i32 = raw::RUSAGE_CHILDREN;
const RUSAGE_THREAD: i32 = raw::RUSAGE_THREAD as i32;

/// getrusage(2).
pub fn getrusage(cx: &mut Context<'_>, [who, to, ..]: [u64; 6]) -> Result<Outcome> {
    let time = match who as i32 {
        RUSAGE_SELF => process_time(cx),
        RUSAGE_CHILDREN => cx.process().children_time,
        RUSAGE_THREAD => cx.thread().cpu_time,
        _ => return Err(Errno::EINVAL.into()),
    };
    let resident_max = if who as i32 == RUSAGE_CHILDREN { 0 } else { cx.space().committed / 1024 };
    cx.write(UserPtr::new(to), &Usage { resident_max, ..Usage::of_time(time) })?;
    Ok(Outcome::Done(0))
}

/// Clock ticks a second (`sysconf(_SC_CLK_TCK)`).
const TICKS: u128 = 100;

fn ticks(time: Duration) -> u64 {
    (time.as_nanos() * TICKS / 1_000_000_000) as u64
}

/// times(2).
pub fn times(cx: &mut Context<'_>, [to, ..]: [u64; 6]) -> Result<Outcome> {
    let halves = |time: Duration| [ticks(time - time / 2), ticks(time / 2)];
    let [user, system] = halves(process_time(cx));
    let [children_user, children_system] = halves(cx.process().children_time);
    cx.write_optional(to, &[user, system, children_user, children_system])?;
    Ok(Outcome::Done(ticks(cx.kernel.machine.clock.since_boot())))
}
