//! Who and where a program is, and randomness.

use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Result},
    machine::{KERNEL_RELEASE, KERNEL_VERSION},
    outcome::Outcome,
    user,
};

fn done(value: u32) -> Result<Outcome> {
    Ok(Outcome::Done(u64::from(value)))
}

/// getpid(2).
pub fn getpid(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    done(cx.process().pid.raw())
}

/// gettid(2).
pub fn gettid(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    done(cx.thread().tid.raw())
}

/// getppid(2).
pub fn getppid(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    let parent = cx.process().parent;
    done(parent.map_or(crate::process::Tid::INIT, |parent| cx.kernel.process(parent).pid).raw())
}

/// getuid(2).
pub fn getuid(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    done(cx.process().credentials.uid)
}

/// geteuid(2).
pub fn geteuid(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    done(cx.process().credentials.euid)
}

/// getgid(2).
pub fn getgid(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    done(cx.process().credentials.gid)
}

/// getegid(2).
pub fn getegid(cx: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    done(cx.process().credentials.egid)
}

/// Most bytes drawn at a time.
const DRAW_MAX: usize = 4096;

/// getrandom(2). The flags choose among sources that are one here.
pub fn getrandom(cx: &mut Context<'_>, [buffer, len, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let (flags, either) = (flags as u32, raw::GRND_RANDOM | raw::GRND_INSECURE);
    if flags & !(either | raw::GRND_NONBLOCK) != 0 || flags & either == either {
        return Err(Errno::EINVAL.into());
    }
    let mut chunk = [0; DRAW_MAX];
    let mut done = 0;
    let len = len.min(cx.bytes_max() as u64);
    while done < len {
        let part = &mut chunk[..(len - done).min(DRAW_MAX as u64) as usize];
        cx.kernel.machine.random.entropy.fill(part);
        user::write_bytes(cx.host, buffer + done, part)?;
        done += part.len() as u64;
    }
    Ok(Outcome::Done(done))
}

/// Bytes in each field of `struct new_utsname`.
const UTS_FIELD: usize = 65;

/// uname(2).
pub fn uname(cx: &mut Context<'_>, [to, ..]: [u64; 6]) -> Result<Outcome> {
    let config = &cx.kernel.machine.config;
    let (hostname, domain) = (config.hostname.clone(), config.domain.clone());
    let fields: [&[u8]; 6] = [
        b"Linux",
        hostname.as_bytes(),
        KERNEL_RELEASE.as_bytes(),
        KERNEL_VERSION.as_bytes(),
        b"x86_64",
        domain.as_bytes(),
    ];
    let mut raw = [0; 6 * UTS_FIELD];
    for (place, field) in raw.chunks_mut(UTS_FIELD).zip(fields) {
        let len = field.len().min(UTS_FIELD - 1);
        place[..len].copy_from_slice(&field[..len]);
    }
    user::write_bytes(cx.host, to, &raw)?;
    Ok(Outcome::Done(0))
}
