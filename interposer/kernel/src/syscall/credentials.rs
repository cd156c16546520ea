//! Users, groups, capabilities.

use alloc::{rc::Rc, vec::Vec};

use bytemuck::{Pod, Zeroable};

use crate::{
    context::Context,
    error::{Errno, Result},
    outcome::Outcome,
    process::{Capabilities, Credentials, unless_minus_one},
    user::{self, UserPtr},
};

/// Most supplementary groups.
const GROUPS_MAX: usize = 65536;

fn who<'a>(cx: &'a mut Context<'_>) -> &'a mut Credentials {
    Rc::make_mut(&mut cx.process().credentials)
}

fn done(result: Result<()>) -> Result<Outcome> {
    result.map(|()| Outcome::Done(0))
}

fn write_three(cx: &mut Context<'_>, to: [u64; 3], ids: [u32; 3]) -> Result<Outcome> {
    for (to, id) in to.into_iter().zip(ids) {
        cx.write(UserPtr::new(to), &id)?;
    }
    Ok(Outcome::Done(0))
}

/// getresuid(2).
pub fn getresuid(cx: &mut Context<'_>, [real, effective, saved, ..]: [u64; 6]) -> Result<Outcome> {
    let ids = [who(cx).uid, who(cx).euid, who(cx).suid];
    write_three(cx, [real, effective, saved], ids)
}

/// getresgid(2).
pub fn getresgid(cx: &mut Context<'_>, [real, effective, saved, ..]: [u64; 6]) -> Result<Outcome> {
    let ids = [who(cx).gid, who(cx).egid, who(cx).sgid];
    write_three(cx, [real, effective, saved], ids)
}

/// setuid(2).
pub fn setuid(cx: &mut Context<'_>, [user, ..]: [u64; 6]) -> Result<Outcome> {
    done(who(cx).set_user(user as u32))
}

/// setgid(2).
pub fn setgid(cx: &mut Context<'_>, [group, ..]: [u64; 6]) -> Result<Outcome> {
    done(who(cx).set_group(group as u32))
}

/// setreuid(2).
pub fn setreuid(cx: &mut Context<'_>, [real, effective, ..]: [u64; 6]) -> Result<Outcome> {
    done(who(cx).set_real_effective_users(unless_minus_one(real), unless_minus_one(effective)))
}

/// setregid(2).
pub fn setregid(cx: &mut Context<'_>, [real, effective, ..]: [u64; 6]) -> Result<Outcome> {
    done(who(cx).set_real_effective_groups(unless_minus_one(real), unless_minus_one(effective)))
}

/// setresuid(2).
pub fn setresuid(cx: &mut Context<'_>, [real, effective, saved, ..]: [u64; 6]) -> Result<Outcome> {
    done(who(cx).set_users([real, effective, saved].map(unless_minus_one)))
}

/// setresgid(2).
pub fn setresgid(cx: &mut Context<'_>, [real, effective, saved, ..]: [u64; 6]) -> Result<Outcome> {
    done(who(cx).set_groups_of_three([real, effective, saved].map(unless_minus_one)))
}

/// setfsuid(2).
pub fn setfsuid(cx: &mut Context<'_>, [user, ..]: [u64; 6]) -> Result<Outcome> {
    Ok(Outcome::Done(u64::from(who(cx).set_file_user(user as u32))))
}

/// setfsgid(2).
pub fn setfsgid(cx: &mut Context<'_>, [group, ..]: [u64; 6]) -> Result<Outcome> {
    Ok(Outcome::Done(u64::from(who(cx).set_file_group(group as u32))))
}

/// getgroups(2).
pub fn getgroups(cx: &mut Context<'_>, [size, to, ..]: [u64; 6]) -> Result<Outcome> {
    let groups = who(cx).groups.clone();
    match size as i32 {
        0 => {}
        size if size < groups.len() as i32 => return Err(Errno::EINVAL.into()),
        _ => user::write_bytes(cx.host, to, bytemuck::cast_slice(&groups))?,
    }
    Ok(Outcome::Done(groups.len() as u64))
}

/// setgroups(2).
pub fn setgroups(cx: &mut Context<'_>, [size, from, ..]: [u64; 6]) -> Result<Outcome> {
    if !who(cx).can(Capabilities::SETGID) {
        return Err(Errno::EPERM.into());
    }
    let size = usize::try_from(size as i32).ok().filter(|&size| size <= GROUPS_MAX);
    let size = size.ok_or(Errno::EINVAL)?;
    let mut groups: Vec<u32> = user::read_vec(cx.host, UserPtr::new(from), size)?;
    groups.sort_unstable();
    who(cx).groups = groups;
    Ok(Outcome::Done(0))
}

/// `struct __user_cap_header_struct`.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct CapabilityHeader {
    version: u32,
    pid: i32,
}

/// `struct __user_cap_data_struct`.
#[repr(C)]
#[derive(Clone, Copy, Default, Pod, Zeroable)]
struct CapabilityData {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

const CAPABILITY_VERSION_1: u32 = 0x1998_0330;
const CAPABILITY_VERSION_2: u32 = 0x2007_1026;
const CAPABILITY_VERSION_3: u32 = 0x2008_0522;

/// How many words of data the version in the header has; tells the newest version where it is unknown.
fn capability_words(cx: &mut Context<'_>, header: u64) -> Result<(CapabilityHeader, usize)> {
    let place = UserPtr::<CapabilityHeader>::new(header);
    let header = cx.read(place)?;
    match header.version {
        CAPABILITY_VERSION_1 => Ok((header, 1)),
        CAPABILITY_VERSION_2 | CAPABILITY_VERSION_3 => Ok((header, 2)),
        _ => {
            cx.write(place, &CapabilityHeader { version: CAPABILITY_VERSION_3, ..header })?;
            Err(Errno::EINVAL.into())
        }
    }
}

/// capget(2).
pub fn capget(cx: &mut Context<'_>, [header, data, ..]: [u64; 6]) -> Result<Outcome> {
    let (header, words) = match capability_words(cx, header) {
        Err(error) if data == 0 && error.errno == Errno::EINVAL => return Ok(Outcome::Done(0)),
        result => result?,
    };
    if header.pid < 0 {
        return Err(Errno::EINVAL.into());
    }
    let target = cx.kernel.find_process(cx.thread, header.pid as u64)?;
    let who = &cx.kernel.process(target).credentials;
    let sets = [who.effective, who.permitted, who.inheritable].map(|set| set.bits());
    for word in 0..words {
        let [effective, permitted, inheritable] = sets.map(|set| (set >> (32 * word)) as u32);
        let part = CapabilityData { effective, permitted, inheritable };
        cx.write(UserPtr::new(data).add(word as u64), &part)?;
    }
    Ok(Outcome::Done(0))
}

/// capset(2).
pub fn capset(cx: &mut Context<'_>, [header, data, ..]: [u64; 6]) -> Result<Outcome> {
    let (header, words) = capability_words(cx, header)?;
    let target = cx.kernel.find_process(cx.thread, header.pid as u64)?;
    if target != cx.thread().process {
        return Err(Errno::EPERM.into());
    }
    let parts: Vec<CapabilityData> = user::read_vec(cx.host, UserPtr::new(data), words)?;
    let join = |of: fn(&CapabilityData) -> u32| {
        let bits = parts.iter().rev().fold(0, |bits, part| bits << 32 | u64::from(of(part)));
        Capabilities::from_bits_retain(bits) & Capabilities::full()
    };
    let (effective, permitted) = (join(|part| part.effective), join(|part| part.permitted));
    let inheritable = join(|part| part.inheritable);
    done(who(cx).set_capabilities(effective, permitted, inheritable))
}
