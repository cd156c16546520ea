//! The machine as a whole: sysinfo(2), names, and what only its administrator may do.

use bytemuck::{Pod, Zeroable};

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    outcome::Outcome,
    process::Capabilities,
    user::{self, UserPtr},
};

/// `struct sysinfo`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct SystemInfo {
    uptime: u64,
    loads: [u64; 3],
    total: u64,
    free: u64,
    shared: u64,
    buffers: u64,
    swap_total: u64,
    swap_free: u64,
    processes: u16,
    pad: u16,
    pad2: u32,
    high_total: u64,
    high_free: u64,
    unit: u32,
    pad3: u32,
}

/// sysinfo(2).
pub fn sysinfo(cx: &mut Context<'_>, [to, ..]: [u64; 6]) -> Result<Outcome> {
    let total = cx.kernel.machine.config.memory;
    let committed: u64 = cx.kernel.spaces.iter().map(|(_, space)| space.committed).sum();
    let info = SystemInfo {
        uptime: cx.kernel.machine.clock.since_boot().as_secs(),
        total,
        free: total.saturating_sub(committed),
        processes: cx.kernel.threads.len() as u16,
        unit: 1,
        ..SystemInfo::default()
    };
    cx.write(UserPtr::new(to), &info)?;
    Ok(Outcome::Done(0))
}

/// Longest host or domain name.
const NAME_MAX: u64 = 64;

fn read_name(cx: &mut Context<'_>, from: u64, len: u64) -> Result<alloc::string::String> {
    if !cx.process().credentials.can(Capabilities::SYS_ADMIN) {
        return Err(Errno::EPERM.into());
    }
    if len > NAME_MAX {
        return Err(Errno::EINVAL.into());
    }
    let mut name = alloc::vec![0; len as usize];
    user::read_bytes(cx.host, from, &mut name)?;
    Ok(alloc::string::String::from_utf8_lossy(&name).into_owned())
}

/// sethostname(2).
pub fn sethostname(cx: &mut Context<'_>, [from, len, ..]: [u64; 6]) -> Result<Outcome> {
    cx.kernel.machine.config.hostname = read_name(cx, from, len)?;
    Ok(Outcome::Done(0))
}

/// setdomainname(2).
pub fn setdomainname(cx: &mut Context<'_>, [from, len, ..]: [u64; 6]) -> Result<Outcome> {
    cx.kernel.machine.config.domain = read_name(cx, from, len)?;
    Ok(Outcome::Done(0))
}

/// A call that only the administrator of a real machine may make.
pub fn refused(_: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    Err(Error::new(Errno::EPERM, "only for the machine's administrator"))
}

/// seccomp(2), as with `CONFIG_SECCOMP_FILTER` off.
pub fn seccomp(_: &mut Context<'_>, _: [u64; 6]) -> Result<Outcome> {
    Err(Error::new(Errno::EINVAL, "as with CONFIG_SECCOMP_FILTER off"))
}
