//! Contexts of asynchronous I/O and their events: io_setup(2) and kin.

use alloc::rc::Rc;
use core::time::Duration;

use super::{mask, memory};
use crate::{
    aio::{AioContext, Room},
    context::Context,
    error::{Errno, Error, Result},
    fs::views,
    outcome::{Outcome, Restart},
    uapi::{aio, aio::IoEvent, limits::PAGE_SIZE, time::Timespec},
    user::{self, UserPtr},
    wait::Readiness,
};

/// Bytes in front of the events of a ring (`struct aio_ring`).
const RING_HEADER: u64 = 32;
/// Most events of a ring (`ioctx_alloc`).
const EVENTS_MAX: u32 = (0x1000_0000 / size_of::<IoEvent>()) as u32;

/// The context that a program knows by this address. Linux looks at the ring there, too.
///
/// # Errors
/// `EINVAL`.
pub(super) fn find(cx: &mut Context<'_>, address: u64) -> Result<Rc<AioContext>> {
    let space = cx.process().space;
    let context = cx.kernel.aio.get(space, address).cloned().ok_or(Errno::EINVAL)?;
    cx.read(UserPtr::<u32>::new(address)).map_err(|_| Errno::EINVAL)?;
    Ok(context)
}

/// io_setup(2).
pub fn io_setup(cx: &mut Context<'_>, [asked, to, ..]: [u64; 6]) -> Result<Outcome> {
    let (asked, to) = (asked as u32, UserPtr::<u64>::new(to));
    if cx.read(to)? != 0 || asked == 0 {
        return Err(Errno::EINVAL.into());
    }
    let for_processors = cx.kernel.machine.config.cpus.saturating_mul(4);
    let events = asked.max(for_processors).wrapping_mul(2);
    if events > EVENTS_MAX {
        return Err(Errno::EINVAL.into());
    }
    let limit = views::numbers(cx.kernel, "fs/aio-max-nr").first().copied().unwrap_or(0);
    let node = cx.kernel.node();
    let asked = u64::from(asked);
    if events == 0 || cx.kernel.aio.asked_on(node).saturating_add(asked) > limit {
        return Err(Error::new(Errno::EAGAIN, "more than fs.aio-max-nr"));
    }
    // Two more, as in Linux: one place of a ring stays empty.
    let len = RING_HEADER + (u64::from(events) + 2) * size_of::<IoEvent>() as u64;
    let ring = memory::map_shared(cx, len.next_multiple_of(PAGE_SIZE), b"/[aio] (deleted)")?;
    let capacity = (ring.len() - RING_HEADER) as usize / size_of::<IoEvent>();
    let space = cx.process().space;
    let context = cx.kernel.aio.add(node, space, ring, Room { asked, capacity });
    if let Err(error) = cx.write(to, &ring.start) {
        destroy(cx, &context)?;
        return Err(error);
    }
    Ok(Outcome::Done(0))
}

/// io_destroy(2).
pub fn io_destroy(cx: &mut Context<'_>, [address, ..]: [u64; 6]) -> Result<Outcome> {
    let context = find(cx, address)?;
    destroy(cx, &context)
}

fn destroy(cx: &mut Context<'_>, context: &AioContext) -> Result<Outcome> {
    let space = cx.process().space;
    cx.kernel.aio.remove(space, context.ring.start);
    context.end(&mut cx.kernel.machine.wakes);
    cx.kernel.release_finished(cx.host, context);
    memory::munmap(cx, [context.ring.start, context.ring.len(), 0, 0, 0, 0])
}

/// io_cancel(2). Only what waits for a descriptor can be cancelled; its event comes as any other.
pub fn io_cancel(cx: &mut Context<'_>, [address, request, ..]: [u64; 6]) -> Result<Outcome> {
    if cx.read(UserPtr::<u32>::new(request.wrapping_add(aio::KEY_OFFSET)))? != aio::KEY {
        return Err(Errno::EINVAL.into());
    }
    let context = find(cx, address)?;
    if !context.cancel(request, &mut cx.kernel.machine.wakes) {
        return Err(Error::new(Errno::EINVAL, "no such request can be cancelled"));
    }
    cx.kernel.release_finished(cx.host, &context);
    Err(Errno::EINPROGRESS.into())
}

/// io_getevents(2).
pub fn io_getevents(
    cx: &mut Context<'_>,
    [address, min, max, to, timeout, _]: [u64; 6],
) -> Result<Outcome> {
    let timeout = read_timeout(cx, timeout)?;
    cx.deadline_after(timeout);
    get_events(cx, [address, min, max, to], Restart::Never)
}

/// io_pgetevents(2).
pub fn io_pgetevents(
    cx: &mut Context<'_>,
    [address, min, max, to, timeout, mask]: [u64; 6],
) -> Result<Outcome> {
    let timeout = read_timeout(cx, timeout)?;
    let pair = match UserPtr::<[u64; 2]>::new(mask).non_null() {
        Some(pair) => cx.read(pair)?,
        None => [0; 2],
    };
    let [mask, size] = pair;
    mask::set_for_call(cx, mask, size)?;
    cx.deadline_after(timeout);
    get_events(cx, [address, min, max, to], Restart::UnlessHandled)
}

/// Unlike elsewhere, nanoseconds may be a second and more, and a negative time is without end (`ktime_add_safe`).
fn read_timeout(cx: &mut Context<'_>, address: u64) -> Result<Option<Duration>> {
    let Some(pointer) = UserPtr::<Timespec>::new(address).non_null() else { return Ok(None) };
    let time = cx.read(pointer)?;
    let nanoseconds = i128::from(time.sec) * 1_000_000_000 + i128::from(time.nsec);
    let limit = i128::from(i64::MAX);
    Ok((0..limit).contains(&nanoseconds).then(|| Duration::from_nanos(nanoseconds as u64)))
}

fn get_events(
    cx: &mut Context<'_>,
    [address, min, max, to]: [u64; 4],
    restart: Restart,
) -> Result<Outcome> {
    let (min, max) = (min as i64, max as i64);
    let done = cx.call().progress;
    let gone = if done > 0 { Ok(Outcome::Done(done)) } else { Err(Errno::EINVAL.into()) };
    let Ok(context) = find(cx, address) else { return gone };
    // While it waited, the context may have gone and another have taken its place.
    if *cx.call().aio.context.get_or_insert(context.number) != context.number {
        return gone;
    }
    if min < 0 || min > max {
        return Err(Errno::EINVAL.into());
    }
    let to = UserPtr::<IoEvent>::new(to).add(done).address();
    let host = &mut *cx.host;
    let taken = context.take((max as u64 - done) as usize, &mut |events| {
        user::write_bytes(host, to, bytemuck::cast_slice(events))
    });
    cx.kernel.release_finished(cx.host, &context);
    let done = match taken {
        Ok(taken) => done + taken as u64,
        Err(_) if done > 0 => return Ok(Outcome::Done(done)),
        Err(error) => return Err(error),
    };
    cx.call().progress = done;
    if done >= min as u64 || cx.timed_out() {
        return Ok(Outcome::Done(done));
    }
    cx.wait_in(&context.queue, Readiness::READABLE);
    Ok(cx.block(restart, "asynchronous I/O to complete"))
}
