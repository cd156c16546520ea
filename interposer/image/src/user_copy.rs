//! Copying between the kernel and a program whose pointers may be wrong.

use core::arch::global_asm;

use simrun_kernel::host::Fault;

global_asm!(
    ".text",
    ".globl simrun_copy",
    "simrun_copy:", // to, from, length
    ".globl simrun_copy_start",
    "simrun_copy_start:",
    // What is copied most often is shorter than what a string instruction takes to start.
    "cmp rdx, 16",
    "ja 1f",
    "jb 2f",
    "movups xmm0, [rsi]",
    "movups [rdi], xmm0",
    "jmp 3f",
    "1:",
    "mov rcx, rdx",
    "rep movsb",
    "jmp 3f",
    "2:",
    "cmp rdx, 8",
    "jb 4f",
    "mov rcx, [rsi]",
    "mov r8, [rsi + rdx - 8]",
    "mov [rdi], rcx",
    "mov [rdi + rdx - 8], r8",
    "jmp 3f",
    "4:",
    "cmp rdx, 4",
    "jb 5f",
    "mov ecx, [rsi]",
    "mov r8d, [rsi + rdx - 4]",
    "mov [rdi], ecx",
    "mov [rdi + rdx - 4], r8d",
    "jmp 3f",
    "5:",
    "test rdx, rdx",
    "jz 3f",
    "movzx ecx, byte ptr [rsi]",
    "mov [rdi], cl",
    "inc rsi",
    "inc rdi",
    "dec rdx",
    "jmp 5b",
    ".globl simrun_copy_end",
    "simrun_copy_end:",
    "3:",
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
