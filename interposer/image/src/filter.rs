//! The seccomp filter: a system call from the gate is allowed, every other one traps.

use linux_raw_sys::general as nr;
use simrun_abi::layout;

use crate::gate;

/// `struct sock_filter`.
#[repr(C)]
struct Instruction {
    code: u16,
    if_true: u8,
    if_false: u8,
    value: u32,
}

/// `struct sock_fprog`.
#[repr(C)]
struct Program {
    len: u16,
    filter: *const Instruction,
}

const LOAD: u16 = 0x20;
const AND: u16 = 0x54;
const JUMP_IF_EQUAL: u16 = 0x15;
const RETURN: u16 = 0x06;

const SECCOMP_RET_ALLOW: u32 = 0x7fff_0000;
const SECCOMP_RET_TRAP: u32 = 0x0003_0000;
const SECCOMP_SET_MODE_FILTER: usize = 1;
const SECCOMP_FILTER_FLAG_SPEC_ALLOW: usize = 4;
const AUDIT_ARCH_X86_64: u32 = 0xc000_003e;
const OFFSET_ARCH: u32 = 4;
const OFFSET_IP_LOW: u32 = 8;
const OFFSET_IP_HIGH: u32 = 12;

const fn instruction(code: u16, value: u32, if_true: u8, if_false: u8) -> Instruction {
    Instruction { code, if_true, if_false, value }
}

static FILTER: [Instruction; 9] = [
    instruction(LOAD, OFFSET_IP_HIGH, 0, 0),
    instruction(JUMP_IF_EQUAL, (layout::GATE >> 32) as u32, 0, 6),
    instruction(LOAD, OFFSET_IP_LOW, 0, 0),
    instruction(AND, 0xffff_f000, 0, 0),
    instruction(JUMP_IF_EQUAL, layout::GATE as u32, 0, 3),
    instruction(LOAD, OFFSET_ARCH, 0, 0),
    instruction(JUMP_IF_EQUAL, AUDIT_ARCH_X86_64, 0, 1),
    instruction(RETURN, SECCOMP_RET_ALLOW, 0, 0),
    instruction(RETURN, SECCOMP_RET_TRAP, 0, 0),
];

/// Installs the filter for this host process and all that come of it.
pub fn install() -> Result<(), simrun_kernel::error::Errno> {
    let program = Program { len: FILTER.len() as u16, filter: FILTER.as_ptr() };
    // Without this flag the kernel turns speculation mitigations on, which cost some 30 %.
    let flags = SECCOMP_FILTER_FLAG_SPEC_ALLOW;
    // SAFETY: the kernel copies the filter during the call.
    unsafe {
        gate::call(
            nr::__NR_seccomp,
            [SECCOMP_SET_MODE_FILTER, flags, &raw const program as usize, 0, 0, 0],
        )
    }?;
    Ok(())
}
