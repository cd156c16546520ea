//! Call sites that need not trap again.
//!
//! A trap costs microseconds, a jump nanoseconds. A site that traps again gets a jump to a stub, which goes on to
//! the image's entry. No instruction boundary lies within the replaced bytes, so no thread can stand there.
//!
//! - `mov $number, %eax; syscall`: the jump takes the place of the `mov`, which the stub does. The `syscall` stays:
//!   threads and signal frames point at it or past it, and whoever jumps to it traps as before.
//! - Any other `syscall`: a short jump takes its place, to padding nearby that holds the jump to the stub.

use alloc::{vec, vec::Vec};

use linux_raw_sys::general::__NR_rt_sigreturn;
use simrun_abi::{boot::Patching, layout::stubs};

use super::Kernel;
use crate::{
    arch::x86_64::{
        instruction::INT3,
        padding::{self, Padding},
    },
    error::{Errno, Result},
    host::{Backing, Host},
    mm::{AddressSpace, MapFlags, Mapping, Protection, Range, SpaceId},
    process::code,
    uapi::limits::PAGE_SIZE,
};

/// `mov $imm32, %eax`.
const MOV_EAX: u8 = 0xb8;
/// `syscall`.
const SYSCALL: [u8; 2] = [0x0f, 0x05];
/// `jmp rel32`.
const JUMP: u8 = 0xe9;
/// `jmp rel8`.
const SHORT_JUMP: u8 = 0xeb;
/// Length of the `mov`, and of the jump that takes its place.
const JUMP_LEN: u64 = 5;
/// Code before and after a site that is searched for jumps into padding.
const NEIGHBOURHOOD: u64 = 8 << 10;

/// Traps of a site from which on it is worth a jump: to place one costs as much as two traps.
const MOVE_TRAPS: u64 = 2;
/// The same where padding has to be found first, which takes as long as some tens of traps.
const HOP_TRAPS: u64 = 16;

/// What the code at a site is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Site {
    /// The call's number is set just before.
    Moves,
    /// Something else is before the call.
    Bare,
    /// It must stay as it is.
    Fixed,
}

/// How a site is patched.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Form {
    /// The `mov` before it becomes the jump.
    Move,
    /// It becomes a short jump to a jump at this range of addresses.
    Hop(Range),
}

impl Kernel {
    /// Patches the site whose call has just trapped, if that is safe and worth it. `site` is the address after it.
    pub(super) fn consider_patching(
        &mut self,
        host: &mut dyn Host,
        here: SpaceId,
        site: u64,
        number: u64,
    ) {
        if self.patching == Patching::Off {
            return;
        }
        let traps = host.traps_at(site);
        if traps < MOVE_TRAPS {
            return;
        }
        let Some(space) = self.spaces.get_mut(here) else { return };
        let Some(code) = patchable_code(space, site) else { return };
        if space.unpatchable.contains(&site) {
            return;
        }
        let form = match look_at(host, site, number) {
            Site::Moves => Some(Form::Move),
            Site::Bare if traps < HOP_TRAPS => return,
            Site::Bare => find_padding(host, &code, site).map(Form::Hop),
            Site::Fixed => None,
        };
        let patched = form.is_some_and(|form| patch(host, space, site, number, &form).is_ok());
        if !patched {
            // It goes on trapping; to look for a way again would cost more than a trap.
            space.unpatchable.insert(site);
        }
    }
}

/// The mapping around a site that may be patched: only code of a file that the program cannot write to. What a program
/// writes itself may be read or rewritten by it.
pub(super) fn patchable_code(space: &AddressSpace, site: u64) -> Option<Range> {
    let (range, mapping): (Range, &Mapping) = space.at(site.wrapping_sub(1))?;
    let fits = mapping.inode != 0
        && mapping.prot.contains(Protection::EXEC)
        && !mapping.prot.contains(Protection::WRITE)
        && !mapping.flags.contains(MapFlags::SHARED)
        && range.start + SYSCALL.len() as u64 + JUMP_LEN <= site;
    fits.then_some(range)
}

fn look_at(host: &mut dyn Host, site: u64, number: u64) -> Site {
    let mut bytes = [0; JUMP_LEN as usize + SYSCALL.len()];
    let is_read = host.read_user(site - bytes.len() as u64, &mut bytes).is_ok();
    let [n0, n1, n2, n3, ..] = number.to_le_bytes();
    if !is_read || bytes[5..] != SYSCALL {
        Site::Fixed
    } else if bytes[..5] == [MOV_EAX, n0, n1, n2, n3] && number <= u64::from(u32::MAX) {
        Site::Moves
    } else if number == u64::from(__NR_rt_sigreturn) {
        // Unwinders know the code that ends a handler by its bytes.
        Site::Fixed
    } else {
        Site::Bare
    }
}

fn find_padding(host: &mut dyn Host, code: &Range, site: u64) -> Option<Range> {
    let start = code.start.max(site.saturating_sub(NEIGHBOURHOOD));
    let end = code.end.min(site + NEIGHBOURHOOD);
    let mut bytes: Vec<u8> = vec![0; (end - start) as usize];
    host.read_user(start, &mut bytes).ok()?;
    let Padding { start: first, end: last } =
        padding::find(&bytes, start, (site - start) as usize)?;
    Some(Range { start: start + first as u64, end: start + last as u64 })
}

fn patch(
    host: &mut dyn Host,
    space: &mut AddressSpace,
    site: u64,
    number: u64,
    form: &Form,
) -> Result<()> {
    let syscall = site - SYSCALL.len() as u64;
    let jump = match form {
        Form::Move => syscall - JUMP_LEN,
        Form::Hop(padding) => padding.start,
    };
    let (stub, offset) = place_stub(host, space, jump)?;
    let code = match form {
        Form::Move => stub_code(Some(number as u32), site, host.call_entry()),
        Form::Hop(_) => stub_code(None, site, host.call_entry()),
    };
    host.write_user(stub, &code)?;
    let [o0, o1, o2, o3] = offset.to_le_bytes();
    let far = [JUMP, o0, o1, o2, o3];
    match form {
        Form::Move => overwrite(host, space, jump, &far),
        Form::Hop(padding) => {
            let mut filled = vec![INT3; (padding.end - padding.start) as usize];
            filled[..far.len()].copy_from_slice(&far);
            overwrite(host, space, jump, &filled)?;
            let distance = i8::try_from(jump - site).map_err(|_| Errno::ERANGE)?;
            overwrite(host, space, syscall, &[SHORT_JUMP, distance as u8])
        }
    }
}

/// Writes over code.
fn overwrite(host: &mut dyn Host, space: &AddressSpace, at: u64, bytes: &[u8]) -> Result<()> {
    let Some((_, mapping)) = space.at(at) else { return Err(Errno::EFAULT.into()) };
    code::overwrite(host, at, mapping.prot, bytes)
}

/// Room for a stub that a jump at `start` can reach, and the jump's offset.
fn place_stub(host: &mut dyn Host, space: &mut AddressSpace, start: u64) -> Result<(u64, i32)> {
    for (range_start, made) in stubs::STARTS.into_iter().zip(&mut space.stubs) {
        let stub = range_start + u64::from(*made) * stubs::STUB_SIZE;
        let distance = (stub as i64).wrapping_sub((start + JUMP_LEN) as i64);
        let Ok(offset) = i32::try_from(distance) else { continue };
        if stub >= range_start + stubs::SIZE {
            return Err(Errno::ENOMEM.into());
        }
        if stub.is_multiple_of(PAGE_SIZE) {
            let prot = Protection::READ | Protection::WRITE | Protection::EXEC;
            let flags = MapFlags::PRIVATE | MapFlags::ANONYMOUS;
            host.map(stub, PAGE_SIZE, prot, flags, Backing::Anonymous)?;
        }
        *made += 1;
        return Ok((stub, offset));
    }
    Err(Errno::ENOMEM.into())
}

/// `mov $number, %eax` if that is wanted; `movabs $return_to, %rcx; jmp *entry`. The processor leaves the return address
/// in rcx, too.
fn stub_code(number: Option<u32>, return_to: u64, entry: u64) -> [u8; stubs::STUB_SIZE as usize] {
    let mut code = Vec::with_capacity(stubs::STUB_SIZE as usize);
    if let Some(number) = number {
        code.push(MOV_EAX);
        code.extend_from_slice(&number.to_le_bytes());
    }
    code.extend_from_slice(&[0x48, 0xb9]);
    code.extend_from_slice(&return_to.to_le_bytes());
    // The address is aligned, for a program that has the processor check alignment.
    let at = stubs::STUB_SIZE as usize - size_of::<u64>();
    let skipped = at - (code.len() + 6);
    code.extend_from_slice(&[0xff, 0x25, skipped as u8, 0, 0, 0]);
    let mut stub = [INT3; stubs::STUB_SIZE as usize];
    stub[..code.len()].copy_from_slice(&code);
    stub[at..].copy_from_slice(&entry.to_le_bytes());
    stub
}
