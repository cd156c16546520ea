//! Vector and floating-point state, in the standard form of XSAVE as a frame of the host has it: with what Linux puts into the
//! bytes that the processor leaves to software (arch/x86/include/uapi/asm/sigcontext.h).

use alloc::vec::Vec;

/// Bytes of it that were there before XSAVE (`struct user_fpregs_struct`).
pub const LEGACY_STATE: usize = at::HEADER;

/// Offsets in the extended state.
#[allow(missing_docs, reason = "the processor's manual describes each")]
pub mod at {
    pub const CONTROL_WORD: usize = 0;
    pub const MXCSR: usize = 24;
    pub const MXCSR_MASK: usize = 28;
    pub const MAGIC1: usize = 464;
    pub const FEATURES: usize = 472;
    pub const SIZE: usize = 480;
    pub const HEADER: usize = 512;
    pub const HEADER_REST: usize = 520;
    pub const COMPONENTS: usize = 576;
}
/// x87 and SSE in the header's word of components in use.
const LEGACY_COMPONENTS: u64 = 3;

/// A 32-bit word of a state; zero behind its end.
#[must_use]
pub fn word(bytes: &[u8], at: usize) -> u32 {
    let mut word = [0; 4];
    if let Some(found) = bytes.get(at..at + 4) {
        word.copy_from_slice(found);
    }
    u32::from_le_bytes(word)
}

fn long(bytes: &[u8], at: usize) -> u64 {
    u64::from(word(bytes, at)) | u64::from(word(bytes, at + 4)) << 32
}

/// Takes a program's idea of its extended state, without anything that the processor would refuse to load.
pub fn adopt(state: &mut [u8], saved: &[u8]) {
    let reserved: Vec<u8> = state[at::MAGIC1..at::HEADER].to_vec();
    let (mask, features) = (word(state, at::MXCSR_MASK), long(state, at::FEATURES));
    state[..saved.len()].copy_from_slice(saved);
    state[at::MAGIC1..at::HEADER].copy_from_slice(&reserved);
    let mxcsr = word(state, at::MXCSR) & mask;
    state[at::MXCSR..at::MXCSR + 4].copy_from_slice(&mxcsr.to_le_bytes());
    state[at::MXCSR_MASK..at::MXCSR_MASK + 4].copy_from_slice(&mask.to_le_bytes());
    if state.len() >= at::COMPONENTS {
        let in_use = if saved.len() > at::HEADER {
            long(saved, at::HEADER) & features
        } else {
            LEGACY_COMPONENTS
        };
        state[at::HEADER..at::HEADER_REST].copy_from_slice(&in_use.to_le_bytes());
        state[at::HEADER_REST..at::COMPONENTS].fill(0);
    }
}

/// Sets a state to what a new program finds (`fpstate_init_user`, arch/x86/kernel/fpu/init.c). Which bits of MXCSR there are
/// is the processor's, and stays.
pub fn reset(state: &mut [u8]) {
    const CONTROL_WORD: u16 = 0x37f;
    const MXCSR: u32 = 0x1f80;
    let after_mask = at::MXCSR_MASK + size_of::<u32>();
    for place in [0..at::MXCSR_MASK, after_mask..at::MAGIC1, at::HEADER..at::COMPONENTS] {
        if let Some(bytes) = state.get_mut(place) {
            bytes.fill(0);
        }
    }
    let words =
        [(at::CONTROL_WORD, &CONTROL_WORD.to_le_bytes()[..]), (at::MXCSR, &MXCSR.to_le_bytes())];
    for (at, bytes) in words {
        if let Some(place) = state.get_mut(at..at + bytes.len()) {
            place.copy_from_slice(bytes);
        }
    }
}

/// Shows a state as tracers see it: with the components that the processor has, which a frame tells, in the place of what
/// else a frame tells (`xstateregs_get`, arch/x86/kernel/fpu/regset.c).
pub fn show_components(state: &mut [u8], frame: &[u8]) {
    let components = long(frame, at::FEATURES).to_le_bytes();
    if let Some(place) = state.get_mut(at::MAGIC1..at::HEADER) {
        place.fill(0);
        place[..components.len()].copy_from_slice(&components);
    }
}
