//! Copying between the kernel and a program whose pointers may be wrong.

use core::arch::global_asm;

use simrun_kernel::host::Fault;

global_asm!(
    ".text",
    ".globl simrun_copy",
    "simrun_copy:", // to, from, length
    "mov rcx, rdx",
    ".globl simrun_copy_start",
    "simrun_copy_start:",
    "rep movsb",
    ".globl simrun_copy_end",
    "simrun_copy_end:",
    "xor eax, eax",
    "ret",
    ".globl simrun_copy_fault",
    "simrun_copy_fault:", // the exception handler continues here
    "mov eax, 1",
    "ret",
);

unsafe extern "C" {
    fn simrun_copy(to: *mut u8, from: *const u8, len: usize) -> u32;
    fn simrun_copy_start();
    fn simrun_copy_end();
    fn simrun_copy_fault();
}

/// Copies bytes of which one side belongs to the program.
///
/// # Safety
/// The kernel's side must be valid for the length; the program's side must lie outside simrun's ranges.
pub unsafe fn copy(to: *mut u8, from: *const u8, len: usize) -> Result<(), Fault> {
    // SAFETY: an exception on the program's side ends in `simrun_copy_fault`.
    if unsafe { simrun_copy(to, from, len) } == 0 { Ok(()) } else { Err(Fault) }
}

/// Where to go on after an exception at this address; `None` if it was not in a copy.
pub fn fix_up(rip: u64) -> Option<u64> {
    let range = simrun_copy_start as *const () as u64..simrun_copy_end as *const () as u64;
    range.contains(&rip).then_some(simrun_copy_fault as *const () as u64)
}
