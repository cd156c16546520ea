//! Entering the kernel where a program does not.

use core::arch::asm;

use libc::c_char;
use simrun_abi::calls;

unsafe extern "C" {
    /// Zero once the process has had a second thread (sys/single_threaded.h).
    static __libc_single_threaded: c_char;
}

/// Who can touch an object at the same time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// Threads of this process: with one thread there is nobody to switch to.
    Threads,
    /// Perhaps another process.
    Processes,
}

/// Lets the scheduler switch here.
pub fn pass(sharing: Sharing) {
    // SAFETY: glibc writes the byte only while no other thread can read it.
    let alone = unsafe { __libc_single_threaded } != 0;
    if !alone || sharing == Sharing::Processes {
        enter::<{ calls::POINT }>();
    }
}

/// Tells the kernel that this thread waits for another without a call that would say so.
pub fn spin() {
    enter::<{ calls::SPIN }>();
}

/// A raw call: libc's `syscall` would write `errno`. It is one site of a form that the kernel can patch, so that it need
/// not trap again and again.
#[inline(never)]
fn enter<const NUMBER: u64>() {
    // SAFETY: the reserved calls touch no memory, and only the registers named here change.
    unsafe {
        asm!(
            "mov eax, {number}",
            "syscall",
            number = const NUMBER,
            out("rax") _,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
}
