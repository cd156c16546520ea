//! The entry for patched call sites: a system call without a trap.
//!
//! A stub comes here with the return address in rcx, and everything else as the program had it. Nothing may be pushed on
//! the program's stack (red zone, small stacks). The kernel uses no vector register past xmm15 and no upper half, so
//! saving xmm0 to xmm15 is enough until the full extended state is asked for.

#![expect(
    clippy::too_many_lines,
    reason = "the entry is one straight line: each register saved, then each restored"
)]

use core::{arch::naked_asm, ptr};

use simrun_abi::layout;
use simrun_kernel::arch::x86_64::Registers;

use crate::{frame, state, trap};

/// What the entry leaves on the trap stack. The offsets are known to the assembly below.
#[repr(C, align(64))]
pub struct PatchedFrame {
    /// xmm0 to xmm15.
    vectors: [[u8; 16]; 16],
    /// General registers.
    pub registers: Registers,
    /// Whether the full extended state has been asked for, and has to be loaded on the way out.
    full_state: bool,
}

/// Offset of the general registers in the frame.
const REGISTERS: usize = 256;
const _: () = assert!(core::mem::offset_of!(PatchedFrame, registers) == REGISTERS);
/// Where the frame lies: at the top of the trap stack, but for room that the exit needs.
pub const FRAME: usize = layout::TRAP_STACK_TOP as usize - 1024;
const _: () = assert!(FRAME.is_multiple_of(64) && size_of::<PatchedFrame>() <= 512);
/// Where a full extended state is put: below the frame.
const STATE_AREA: usize = FRAME - STATE_AREA_SIZE;
/// Room for any extended state without AMX.
const STATE_AREA_SIZE: usize = 8192;
/// The stack of the kernel during a patched call: that for signals, so that one that comes while the frame is being
/// made or taken apart does not land on it.
const STACK: usize = (layout::TRAP_STACK_TOP - layout::ENTRY_AREA_SIZE) as usize;
const _: () = assert!(STACK <= STATE_AREA);
/// What a program may set in its flags and the image must not run with: the nested task flag and the alignment check.
pub const FLAGS_OF_PROGRAM: i32 = 1 << 14 | 1 << 18;

/// The way in. Saves what a call must preserve, lets the kernel serve it, and goes out by the short way if the thread
/// returns from this very call with nothing else changed.
///
/// # Safety
/// Only stubs jump here, from a program, in a host process that holds the token.
#[unsafe(naked)]
pub unsafe extern "C" fn enter() {
    naked_asm!(
        "movabs r11, {frame}",
        "mov [r11 + {regs} + 0x78], rsp",
        "mov [r11 + {regs} + 0x00], r8",
        "mov [r11 + {regs} + 0x08], r9",
        "mov [r11 + {regs} + 0x10], r10",
        "mov [r11 + {regs} + 0x20], r12",
        "mov [r11 + {regs} + 0x28], r13",
        "mov [r11 + {regs} + 0x30], r14",
        "mov [r11 + {regs} + 0x38], r15",
        "mov [r11 + {regs} + 0x40], rdi",
        "mov [r11 + {regs} + 0x48], rsi",
        "mov [r11 + {regs} + 0x50], rbp",
        "mov [r11 + {regs} + 0x58], rbx",
        "mov [r11 + {regs} + 0x60], rdx",
        "mov [r11 + {regs} + 0x68], rax",
        "mov [r11 + {regs} + 0x70], rcx",
        "mov [r11 + {regs} + 0x80], rcx", // rip: the call returns to where rcx says
        "movabs rsp, {stack}",
        "pushfq",
        "pop rax",
        "mov [r11 + {regs} + 0x88], rax",
        "mov [r11 + {regs} + 0x18], rax", // r11: flags, as the processor leaves them
        "cld",
        "test eax, {flags}",
        "jnz 5f",
        "1:",
        "movaps [r11 + 0x00], xmm0",
        "movaps [r11 + 0x10], xmm1",
        "movaps [r11 + 0x20], xmm2",
        "movaps [r11 + 0x30], xmm3",
        "movaps [r11 + 0x40], xmm4",
        "movaps [r11 + 0x50], xmm5",
        "movaps [r11 + 0x60], xmm6",
        "movaps [r11 + 0x70], xmm7",
        "movaps [r11 + 0x80], xmm8",
        "movaps [r11 + 0x90], xmm9",
        "movaps [r11 + 0xa0], xmm10",
        "movaps [r11 + 0xb0], xmm11",
        "movaps [r11 + 0xc0], xmm12",
        "movaps [r11 + 0xd0], xmm13",
        "movaps [r11 + 0xe0], xmm14",
        "movaps [r11 + 0xf0], xmm15",
        "call {serve}",
        "movabs r11, {frame}",
        "cmp byte ptr [r11 + {full}], 0",
        "jne 2f",
        "movaps xmm0, [r11 + 0x00]",
        "movaps xmm1, [r11 + 0x10]",
        "movaps xmm2, [r11 + 0x20]",
        "movaps xmm3, [r11 + 0x30]",
        "movaps xmm4, [r11 + 0x40]",
        "movaps xmm5, [r11 + 0x50]",
        "movaps xmm6, [r11 + 0x60]",
        "movaps xmm7, [r11 + 0x70]",
        "movaps xmm8, [r11 + 0x80]",
        "movaps xmm9, [r11 + 0x90]",
        "movaps xmm10, [r11 + 0xa0]",
        "movaps xmm11, [r11 + 0xb0]",
        "movaps xmm12, [r11 + 0xc0]",
        "movaps xmm13, [r11 + 0xd0]",
        "movaps xmm14, [r11 + 0xe0]",
        "movaps xmm15, [r11 + 0xf0]",
        "jmp 3f",
        // All of the extended state, perhaps another thread's. No component may be named that the area has no room for
        // (AMX): the processor looks at where it would be, even if that has its initial value.
        "2:",
        "mov eax, dword ptr [rip + {features}]",
        "mov edx, dword ptr [rip + {features} + 4]",
        "movabs rcx, {area}",
        "xrstor64 [rcx]",
        "3:",
        "mov r8, [r11 + {regs} + 0x00]",
        "mov r9, [r11 + {regs} + 0x08]",
        "mov r10, [r11 + {regs} + 0x10]",
        "mov r12, [r11 + {regs} + 0x20]",
        "mov r13, [r11 + {regs} + 0x28]",
        "mov r14, [r11 + {regs} + 0x30]",
        "mov r15, [r11 + {regs} + 0x38]",
        "mov rdi, [r11 + {regs} + 0x40]",
        "mov rsi, [r11 + {regs} + 0x48]",
        "mov rbp, [r11 + {regs} + 0x50]",
        "mov rbx, [r11 + {regs} + 0x58]",
        "mov rcx, [r11 + {regs} + 0x70]",
        "mov rax, [r11 + {regs} + 0x88]",
        "cmp rcx, [r11 + {regs} + 0x80]",
        "jne 4f",
        "cmp rax, [r11 + {regs} + 0x18]",
        "jne 4f",
        "mov rdx, [r11 + {regs} + 0x60]", // as after `syscall`: rip is in rcx, the flags in r11
        "push rax",
        "mov rax, [r11 + {regs} + 0x68]",
        "popfq",
        "mov rsp, [r11 + {regs} + 0x78]",
        "mov r11, [r11 + {regs} + 0x18]",
        "jmp rcx",
        "4:", // any other state: `iretq` restores it to the last bit
        "mov edx, ss",
        "push rdx",
        "push qword ptr [r11 + {regs} + 0x78]",
        "push rax",
        "mov edx, cs",
        "push rdx",
        "push qword ptr [r11 + {regs} + 0x80]",
        "mov rdx, [r11 + {regs} + 0x60]",
        "mov rax, [r11 + {regs} + 0x68]",
        "mov r11, [r11 + {regs} + 0x18]",
        "iretq",
        "5:",
        "and eax, {kept_flags}",
        "push rax",
        "popfq",
        "jmp 1b",
        frame = const FRAME,
        regs = const REGISTERS,
        stack = const STACK,
        area = const STATE_AREA,
        features = sym state::STATE_FEATURES,
        flags = const FLAGS_OF_PROGRAM,
        kept_flags = const !FLAGS_OF_PROGRAM,
        full = const core::mem::offset_of!(PatchedFrame, full_state),
        serve = sym serve,
    )
}

extern "C" fn serve() {
    let frame: *mut PatchedFrame = ptr::with_exposed_provenance_mut(FRAME);
    // SAFETY: the entry has filled the frame, which is on this process's own trap stack, but for this field, which may
    // hold anything that an earlier use of the stack left.
    unsafe { (&raw mut (*frame).full_state).write(false) };
    trap::serve_patched(frame);
}

impl PatchedFrame {
    /// The full extended state of the thread that entered, saved now if it was not yet.
    pub fn extended_state(&mut self) -> &mut [u8] {
        let layout = state::extended_state_layout();
        let area: *mut u8 = ptr::with_exposed_provenance_mut(STATE_AREA);
        // SAFETY: the area lies on the trap stack above the kernel's stack, is aligned and large enough (checked when the
        // layout was learned), and belongs to this process.
        let bytes = unsafe { core::slice::from_raw_parts_mut(area, layout.size) };
        if !self.full_state {
            self.full_state = true;
            bytes[LEGACY_SIZE..LEGACY_SIZE + HEADER_SIZE].fill(0);
            // SAFETY: as above. It stores the state as it is; what the kernel has used of it is put right below.
            unsafe {
                core::arch::asm!("xsave64 [{}]", in(reg) area, in("eax") layout.features as u32,
                    in("edx") (layout.features >> 32) as u32, options(nostack, preserves_flags));
            }
            bytes[VECTORS_OFFSET..VECTORS_OFFSET + 256]
                .copy_from_slice(self.vectors.as_flattened());
            bytes[LEGACY_SIZE] |= SSE_IN_USE;
            frame::describe_extended_state(bytes, layout.features);
        }
        bytes
    }
}

/// Size of the legacy area of XSAVE.
const LEGACY_SIZE: usize = 512;
/// Size of the header after it.
const HEADER_SIZE: usize = 64;
/// Where xmm0 lies in the legacy area.
const VECTORS_OFFSET: usize = 160;
/// Bit of XSTATE_BV for the xmm registers.
const SSE_IN_USE: u8 = 2;
/// Most bytes of extended state for which there is room.
pub const STATE_SIZE_MAX: usize = STATE_AREA_SIZE;
