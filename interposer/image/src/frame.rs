//! The host's signal frame (arch/x86/include/uapi/asm/{ucontext,sigcontext,siginfo}.h).

use simrun_kernel::{arch::x86_64::Registers, signal::Exception};

use crate::state::ExtendedStateLayout;

/// `struct ucontext` with `struct sigcontext_64` in it.
#[repr(C)]
pub struct UserContext {
    flags: u64,
    link: u64,
    stack: [u64; 3],
    /// General registers.
    pub registers: Registers,
    segments: [u16; 4],
    error_code: u64,
    trap_number: u64,
    old_mask: u64,
    fault_address: u64,
    extended: *mut u8,
}

/// `siginfo_t` as far as it is used.
#[repr(C)]
pub struct SignalDetails {
    /// Signal number.
    pub signal: i32,
    errno: i32,
    /// `si_code`.
    pub code: i32,
    pad: i32,
    /// `si_addr`, or `si_call_addr` of SIGSYS.
    pub address: u64,
    /// `si_syscall` of SIGSYS.
    pub number: i32,
    /// `si_arch` of SIGSYS.
    pub arch: u32,
}

/// Offset of `sw_reserved.xstate_size` in the extended state.
const XSTATE_SIZE_OFFSET: usize = 480;
/// Offset of `sw_reserved.xfeatures`.
const XFEATURES_OFFSET: usize = 472;
/// Offset of `sw_reserved.magic1`.
const MAGIC1_OFFSET: usize = 464;
/// There is more than the legacy area (`FP_XSTATE_MAGIC1`).
const MAGIC1: u32 = 0x4650_5853;
/// Size of the legacy area.
const LEGACY_SIZE: usize = 512;
/// Offset of MXCSR.
const MXCSR_OFFSET: usize = 24;
/// MXCSR and x87 control word of a new program.
const MXCSR_INITIAL: u32 = 0x1f80;
const FCW_INITIAL: u16 = 0x37f;

impl UserContext {
    /// What the processor says of the exception that this frame is of.
    pub fn exception(&self) -> Exception {
        Exception { number: self.trap_number, error: self.error_code, address: self.fault_address }
    }

    /// The extended state in this frame.
    ///
    /// # Safety
    /// The frame must be one the host made, still in place.
    pub unsafe fn extended_state(&mut self) -> &mut [u8] {
        // SAFETY: the host points `extended` at an area of at least the legacy size, 64-byte aligned, and says in
        // its reserved words how large it is.
        unsafe {
            let magic = self.extended.add(MAGIC1_OFFSET).cast::<u32>().read();
            let len = match magic {
                MAGIC1 => self.extended.add(XSTATE_SIZE_OFFSET).cast::<u32>().read() as usize,
                _ => LEGACY_SIZE,
            };
            core::slice::from_raw_parts_mut(self.extended, len)
        }
    }

    /// What the host says of the extended state in its frames; the legacy area alone where it says nothing.
    ///
    /// # Safety
    /// As [`UserContext::extended_state`].
    pub unsafe fn extended_state_layout(&mut self) -> ExtendedStateLayout {
        const LEGACY_FEATURES: u64 = 3;
        // SAFETY: the caller's.
        let state = unsafe { self.extended_state() };
        let size = state.len();
        if size == LEGACY_SIZE {
            return ExtendedStateLayout { features: LEGACY_FEATURES, size: LEGACY_SIZE + 64 };
        }
        let mut features = [0; 8];
        features.copy_from_slice(&state[XFEATURES_OFFSET..XFEATURES_OFFSET + 8]);
        ExtendedStateLayout { features: u64::from_le_bytes(features), size }
    }
}

/// Says what a state in the standard form of XSAVE consists of, where the host says so in its frames
/// (`struct _fpx_sw_bytes`).
pub fn describe_extended_state(state: &mut [u8], features: u64) {
    /// Size of `FP_XSTATE_MAGIC2`, which follows the state in a frame.
    const MAGIC2_SIZE: u32 = 4;
    let size = state.len() as u32;
    let mut put = |at: usize, bytes: &[u8]| state[at..at + bytes.len()].copy_from_slice(bytes);
    put(MAGIC1_OFFSET, &MAGIC1.to_le_bytes());
    put(MAGIC1_OFFSET + 4, &(size + MAGIC2_SIZE).to_le_bytes());
    put(XFEATURES_OFFSET, &features.to_le_bytes());
    put(XSTATE_SIZE_OFFSET, &size.to_le_bytes());
}

/// Sets an extended state to what a new program finds.
pub fn reset_extended_state(state: &mut [u8]) {
    let (legacy, rest) = state.split_at_mut(LEGACY_SIZE);
    legacy[..MAGIC1_OFFSET].fill(0);
    legacy[..2].copy_from_slice(&FCW_INITIAL.to_le_bytes());
    legacy[MXCSR_OFFSET..MXCSR_OFFSET + 4].copy_from_slice(&MXCSR_INITIAL.to_le_bytes());
    // No component is in use: XRSTOR then gives each its initial value.
    if let Some(in_use) = rest.get_mut(..8) {
        in_use.fill(0);
    }
}
