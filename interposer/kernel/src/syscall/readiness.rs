//! poll(2) and select(2).

use alloc::{rc::Rc, vec, vec::Vec};
use core::time::Duration;

use super::mask;
use crate::{
    context::Context,
    error::{Errno, Result},
    file::{Fd, FileDescription},
    outcome::{Outcome, Restart},
    uapi::{
        poll::PollFd,
        time::{Timespec, Timeval},
    },
    user::{self, UserPtr},
    wait::Readiness,
};

/// Reported whether asked for or not.
const ALWAYS: Readiness = Readiness::ERR.union(Readiness::HUP);

/// Where a call leaves the time that it did not use.
#[derive(Clone, Copy)]
enum Remaining {
    Nowhere,
    Timespec(UserPtr<Timespec>),
    Timeval(UserPtr<Timeval>),
}

impl Remaining {
    /// Writes the time left. As in Linux (`poll_select_finish`), memory that cannot be written is no error.
    fn write(self, cx: &mut Context<'_>) {
        let Some(due) = cx.call().deadline else { return };
        let left = cx.kernel.machine.clock.left_until(due);
        let _ = match self {
            Self::Nowhere => Ok(()),
            Self::Timespec(to) => cx.write(to, &Timespec::from(left)),
            Self::Timeval(to) => cx.write(to, &Timeval::from(left)),
        };
    }
}

/// poll(2).
pub fn poll(cx: &mut Context<'_>, [fds, count, timeout, ..]: [u64; 6]) -> Result<Outcome> {
    let timeout = u64::try_from(timeout as i32).ok().map(Duration::from_millis);
    cx.deadline_after(timeout);
    poll_all(cx, fds, count, Remaining::Nowhere)
}

/// ppoll(2).
pub fn ppoll(
    cx: &mut Context<'_>,
    [fds, count, timeout, mask, size, _]: [u64; 6],
) -> Result<Outcome> {
    let limit = cx.read_timeout(timeout)?;
    cx.deadline_after(limit);
    mask::set_for_call(cx, mask, size)?;
    poll_all(cx, fds, count, Remaining::Timespec(UserPtr::new(timeout)))
}

fn poll_all(
    cx: &mut Context<'_>,
    address: u64,
    count: u64,
    remaining: Remaining,
) -> Result<Outcome> {
    let count = count as u32 as usize;
    if count as u64 > cx.kernel.descriptor_limit(cx.thread) {
        return Err(Errno::EINVAL.into());
    }
    let mut fds = user::read_vec(cx.host, UserPtr::<PollFd>::new(address), count)?;
    let mut files = Vec::new();
    let mut ready = 0;
    for entry in &mut fds {
        let Ok(fd) = u32::try_from(entry.fd) else {
            entry.revents = 0;
            continue;
        };
        let wanted = Readiness::from_bits_truncate(u32::from(entry.events)) | ALWAYS;
        let found = match cx.description(u64::from(fd)) {
            Ok(file) => {
                let found = file.readiness() & wanted;
                files.push((file, wanted));
                found
            }
            Err(_) => Readiness::NVAL,
        };
        entry.revents = found.bits() as u16;
        ready += usize::from(!found.is_empty());
    }
    if ready == 0 && !cx.timed_out() {
        return Ok(wait(cx, &files, remaining));
    }
    user::write_bytes(cx.host, address, bytemuck::cast_slice(&fds))?;
    remaining.write(cx);
    Ok(Outcome::Done(ready as u64))
}

/// Waits until one of the files may be ready for what is wanted of it.
fn wait(
    cx: &mut Context<'_>,
    files: &[(Rc<FileDescription>, Readiness)],
    remaining: Remaining,
) -> Outcome {
    for (file, wanted) in files {
        if let Some(queue) = file.queue() {
            cx.wait_in(queue, *wanted);
        }
    }
    if cx.is_interrupted() {
        remaining.write(cx);
    }
    cx.block(Restart::UnlessHandled, "a descriptor to be ready")
}

/// select(2).
pub fn select(
    cx: &mut Context<'_>,
    [count, reads, writes, exceptions, timeout, _]: [u64; 6],
) -> Result<Outcome> {
    let to = UserPtr::<Timeval>::new(timeout);
    let limit = match to.non_null() {
        Some(pointer) => Some(select_timeout(cx.read(pointer)?)?),
        None => None,
    };
    cx.deadline_after(limit);
    select_all(cx, count, [reads, writes, exceptions], Remaining::Timeval(to))
}

/// Unlike elsewhere, microseconds may be a second and more.
fn select_timeout(time: Timeval) -> Result<Duration> {
    match (u64::try_from(time.sec), u64::try_from(time.usec)) {
        (Ok(sec), Ok(usec)) => {
            Ok(Duration::from_secs(sec).saturating_add(Duration::from_micros(usec)))
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// pselect(2).
pub fn pselect6(
    cx: &mut Context<'_>,
    [count, reads, writes, exceptions, timeout, mask]: [u64; 6],
) -> Result<Outcome> {
    let limit = cx.read_timeout(timeout)?;
    cx.deadline_after(limit);
    if let Some(pair) = UserPtr::<[u64; 2]>::new(mask).non_null() {
        let [mask, size] = cx.read(pair)?;
        mask::set_for_call(cx, mask, size)?;
    }
    let remaining = Remaining::Timespec(UserPtr::new(timeout));
    select_all(cx, count, [reads, writes, exceptions], remaining)
}

/// What each of the three sets asks for (`POLLIN_SET`, `POLLOUT_SET`, `POLLEX_SET` in fs/select.c).
const SETS: [Readiness; 3] = [
    Readiness::READABLE.union(Readiness::RDBAND).union(ALWAYS),
    Readiness::WRITABLE.union(Readiness::WRBAND).union(Readiness::ERR),
    Readiness::PRI,
];
/// Descriptors in a word of a set.
const WORD_BITS: usize = u64::BITS as usize;

fn select_all(
    cx: &mut Context<'_>,
    count: u64,
    addresses: [u64; 3],
    remaining: Remaining,
) -> Result<Outcome> {
    let count = usize::try_from(count as i32).map_err(|_| Errno::EINVAL)?;
    let known = cx.process().files.borrow().len().max(WORD_BITS).next_multiple_of(WORD_BITS);
    let count = count.min(known);
    let words = count.div_ceil(WORD_BITS);
    let mut asked = [const { Vec::new() }; 3];
    for (set, address) in asked.iter_mut().zip(addresses) {
        *set = match UserPtr::<u64>::new(address).non_null() {
            Some(pointer) => user::read_vec(cx.host, pointer, words)?,
            None => vec![0; words],
        };
    }
    let mut found = [const { Vec::new() }; 3].map(|_: Vec<u64>| vec![0; words]);
    let (files, ready) = select_scan(cx, count, &asked, &mut found)?;
    if ready == 0 && !cx.timed_out() {
        return Ok(wait(cx, &files, remaining));
    }
    for (set, address) in found.iter().zip(addresses) {
        if address != 0 {
            user::write_bytes(cx.host, address, bytemuck::cast_slice(set))?;
        }
    }
    remaining.write(cx);
    Ok(Outcome::Done(ready as u64))
}

type Followed = Vec<(Rc<FileDescription>, Readiness)>;

/// Marks in `found` what is ready of what was asked for: the descriptors asked about, and how many marks there are.
fn select_scan(
    cx: &mut Context<'_>,
    count: usize,
    asked: &[Vec<u64>; 3],
    found: &mut [Vec<u64>; 3],
) -> Result<(Followed, usize)> {
    let mut files = Vec::new();
    let mut ready = 0;
    for fd in 0..count {
        let (word, bit) = (fd / WORD_BITS, 1 << (fd % WORD_BITS));
        let wanted: [bool; 3] = core::array::from_fn(|i| asked[i][word] & bit != 0);
        if wanted == [false; 3] {
            continue;
        }
        let fd = Fd(fd as u32);
        let file = Rc::clone(&cx.process().files.borrow().get(fd)?.description);
        let state = file.readiness();
        let mut interest = ALWAYS;
        for i in (0..3).filter(|&i| wanted[i]) {
            interest |= SETS[i];
            if state.intersects(SETS[i]) {
                found[i][word] |= bit;
                ready += 1;
            }
        }
        files.push((file, interest));
    }
    Ok((files, ready))
}
