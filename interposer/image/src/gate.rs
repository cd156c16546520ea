//! The one page from which a host system call is allowed.

use core::arch::global_asm;

use simrun_kernel::error::Errno;

global_asm!(
    ".section .gate, \"ax\", @progbits",
    ".globl simrun_gate",
    "simrun_gate:",
    "mov rax, rdi", // number
    "mov rdi, rsi", // six arguments, each one place on
    "mov rsi, rdx",
    "mov rdx, rcx",
    "mov r10, r8",
    "mov r8, r9",
    "mov r9, [rsp + 8]",
    "syscall",
    "ret",
    ".globl simrun_restorer",
    "simrun_restorer:", // where a host signal handler returns to
    "mov eax, 15",      // rt_sigreturn
    "syscall",
    "ud2",
    ".text",
);

unsafe extern "C" {
    fn simrun_gate(
        number: usize,
        a: usize,
        b: usize,
        c: usize,
        d: usize,
        e: usize,
        f: usize,
    ) -> isize;
    /// Return address of host signal handlers.
    pub fn simrun_restorer();
}

/// A host system call.
///
/// # Safety
/// The call must do nothing to memory that Rust code of the image relies on.
pub unsafe fn call(number: u32, arguments: [usize; 6]) -> Result<usize, Errno> {
    let [a, b, c, d, e, f] = arguments;
    // SAFETY: the gate follows the C calling convention; the caller answers for the call itself.
    let result = unsafe { simrun_gate(number as usize, a, b, c, d, e, f) };
    if (-4095..0).contains(&result) { Err(Errno::from_host(result)) } else { Ok(result as usize) }
}

/// Ends this host process.
pub fn exit(status: i32) -> ! {
    loop {
        // SAFETY: it does not return, so nothing can rely on anything after it.
        let _ = unsafe {
            call(linux_raw_sys::general::__NR_exit_group, [status as usize, 0, 0, 0, 0, 0])
        };
    }
}
