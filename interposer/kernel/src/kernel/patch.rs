//! Call sites that need not trap again.
//!
//! A trap costs microseconds, a jump nanoseconds. A site `mov $number, %eax; syscall` that traps a second time gets its
//! first five bytes, the `mov`, replaced by a jump to a stub, which does the `mov` and goes on to the image's entry. The
//! `syscall` stays: threads and signal frames point at it or past it, and whoever jumps to it traps as before.
//! No instruction boundary lies within the replaced bytes, so no thread can stand there.

use simrun_abi::layout::stubs;

use super::Kernel;
use crate::{
    error::{Errno, Result},
    host::{Backing, Host},
    mm::{AddressSpace, MapFlags, Mapping, Protection, Range, SpaceId},
    uapi::limits::PAGE_SIZE,
};

/// `mov $imm32, %eax`.
const MOV_EAX: u8 = 0xb8;
/// `syscall`.
const SYSCALL: [u8; 2] = [0x0f, 0x05];
/// `jmp rel32`.
const JUMP: u8 = 0xe9;
/// Length of the `mov`, and of the jump that takes its place.
const MOV_LEN: u64 = 5;
/// Length of the whole site.
const SITE_LEN: u64 = 7;

impl Kernel {
    /// Patches the site whose call has just trapped, if that is safe and worth it. `site` is the address after it.
    pub(super) fn consider_patching(
        &mut self,
        host: &mut dyn Host,
        here: SpaceId,
        site: u64,
        number: u64,
    ) {
        if !host.trapped_before(site) {
            return;
        }
        let start = site.wrapping_sub(SITE_LEN);
        let Some(space) = self.spaces.get_mut(here) else { return };
        // Failure leaves the site as it was: it goes on trapping.
        if is_patchable(space, start) && matches_site(host, start, number) {
            let _ = patch(host, space, start, number);
        }
    }
}

/// Only code of a file that the program cannot write to: what a program writes itself may be read or rewritten by it.
fn is_patchable(space: &AddressSpace, start: u64) -> bool {
    space.at(start).is_some_and(|(range, mapping): (Range, &Mapping)| {
        mapping.inode != 0
            && mapping.prot.contains(Protection::EXEC)
            && !mapping.prot.contains(Protection::WRITE)
            && !mapping.flags.contains(MapFlags::SHARED)
            && start + SITE_LEN <= range.end
    })
}

fn matches_site(host: &mut dyn Host, start: u64, number: u64) -> bool {
    let mut code = [0; SITE_LEN as usize];
    let [n0, n1, n2, n3, ..] = number.to_le_bytes();
    host.read_user(start, &mut code).is_ok()
        && code[..5] == [MOV_EAX, n0, n1, n2, n3]
        && code[5..] == SYSCALL
        && number <= u64::from(u32::MAX)
}

fn patch(host: &mut dyn Host, space: &mut AddressSpace, start: u64, number: u64) -> Result<()> {
    let (stub, offset) = place_stub(host, space, start)?;
    host.write_user(stub, &stub_code(number as u32, start + SITE_LEN, host.call_entry()))?;
    let (first, last) = (start & !(PAGE_SIZE - 1), (start + MOV_LEN - 1) & !(PAGE_SIZE - 1));
    let len = last - first + PAGE_SIZE;
    let Some((_, mapping)) = space.at(start) else { return Err(Errno::EFAULT.into()) };
    let prot = mapping.prot;
    let [o0, o1, o2, o3] = offset.to_le_bytes();
    host.protect(first, len, prot | Protection::WRITE)?;
    let written = host.write_user(start, &[JUMP, o0, o1, o2, o3]);
    host.protect(first, len, prot)?;
    Ok(written?)
}

/// Room for a stub that a jump at `start` can reach, and the jump's offset.
fn place_stub(host: &mut dyn Host, space: &mut AddressSpace, start: u64) -> Result<(u64, i32)> {
    for (range_start, made) in stubs::STARTS.into_iter().zip(&mut space.stubs) {
        let stub = range_start + u64::from(*made) * stubs::STUB_SIZE;
        let distance = (stub as i64).wrapping_sub((start + MOV_LEN) as i64);
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

/// `mov $number, %eax; movabs $return_to, %rcx; jmp *entry`. The processor leaves the return address in rcx, too.
fn stub_code(number: u32, return_to: u64, entry: u64) -> [u8; stubs::STUB_SIZE as usize] {
    let mut code = [0xcc; stubs::STUB_SIZE as usize];
    code[0] = MOV_EAX;
    code[1..5].copy_from_slice(&number.to_le_bytes());
    code[5..7].copy_from_slice(&[0x48, 0xb9]);
    code[7..15].copy_from_slice(&return_to.to_le_bytes());
    code[15..21].copy_from_slice(&[0xff, 0x25, 0, 0, 0, 0]);
    code[21..29].copy_from_slice(&entry.to_le_bytes());
    code
}
