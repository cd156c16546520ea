//! From the supervisor's child to the first program.

use core::arch::naked_asm;

use linux_raw_sys::general as nr;
use simrun_abi::{
    boot::Boot,
    control::{BOOT_OFFSET, BOOT_SIZE_MAX},
    layout,
};

use crate::{filter, gate, memory, shell, state, trap};

/// Where the supervisor's child jumps to once image, arena, control block and trap stack are mapped. It comes on a
/// stack of its own; the rest of its memory is about to go.
///
/// # Safety
/// Only the supervisor's child may jump here, once.
#[unsafe(naked)]
#[unsafe(no_mangle)]
pub unsafe extern "C" fn simrun_start() -> ! {
    naked_asm!(
        "xor ebp, ebp",
        "movabs rsp, {top}",      // the trap stack, empty
        "call {prepare}",
        "mov eax, -1",            // no such call: the first trap boots the kernel
        "syscall",
        "ud2",
        top = const layout::TRAP_STACK_TOP,
        prepare = sym prepare,
    )
}

const PR_SET_TSC: usize = 26;
const PR_TSC_SIGSEGV: usize = 2;

/// Lets other processes of the simulation reach this one's memory, where Yama would not
/// (Documentation/admin-guide/LSM/Yama.rst). Where there is no Yama, nobody is kept from it.
pub fn allow_others() {
    const PR_SET_PTRACER: usize = 0x5961_6d61;
    const ANY: usize = usize::MAX;
    // SAFETY: it touches no memory.
    let _ = unsafe { gate::call(nr::__NR_prctl, [PR_SET_PTRACER, ANY, 0, 0, 0, 0]) };
}

/// Makes this host process a simulated machine without a program.
extern "C" fn prepare() {
    shell::unmap_all_but_simrun();
    memory::open_heap();
    trap::install_handlers();
    // SAFETY: it touches no memory.
    let tsc = unsafe { gate::call(nr::__NR_prctl, [PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0, 0]) };
    assert!(tsc.is_ok(), "the time stamp counter cannot be made to trap: {tsc:?}");
    allow_others();
    // The kernel applies the mask of whoever makes a file.
    // SAFETY: it touches no memory.
    let unmasked = unsafe { gate::call(nr::__NR_umask, [0; 6]) };
    assert!(unmasked.is_ok(), "umask(2) never fails");
    let filtered = filter::install();
    assert!(filtered.is_ok(), "the seccomp filter cannot be installed: {filtered:?}");
}

/// The parameters of the run.
pub fn boot_parameters() -> Boot {
    let len = state::control().boot_len.load(core::sync::atomic::Ordering::Acquire) as usize;
    assert!(len <= BOOT_SIZE_MAX, "the boot parameters fit");
    let start =
        core::ptr::with_exposed_provenance::<u8>(layout::CONTROL_BASE as usize + BOOT_OFFSET);
    // SAFETY: the supervisor wrote so many bytes there before it started this process, and writes no more.
    let bytes = unsafe { core::slice::from_raw_parts(start, len) };
    Boot::decode(bytes).expect("the supervisor wrote boot parameters")
}
