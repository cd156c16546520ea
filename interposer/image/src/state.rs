//! Where state lies: the kernel in the image's statics, which all processes share, and the few words of each host
//! process at the bottom of its trap stack, which is private memory.

use core::{
    cell::UnsafeCell,
    ptr,
    sync::atomic::{AtomicU64, Ordering},
};

use simrun_abi::{control::Control, layout};
use simrun_kernel::{kernel::Kernel, mm::SpaceId};

use crate::{frame::UserContext, patched::PatchedFrame};

/// What only one host process knows.
#[repr(C)]
pub struct Private {
    /// The address space it is.
    pub space: Option<SpaceId>,
    /// Where the program's registers are while the kernel serves it.
    pub frame: Frame,
    /// Call sites that have trapped lately, by a hash of their address: the address, and how often.
    pub trapped: [u64; TRAPPED_SITES],
}

/// Sites remembered; a power of two.
pub const TRAPPED_SITES: usize = 256;
/// Bits for how often: user addresses leave so many.
pub const TRAPS_BITS: u32 = 16;
/// As often as can be told.
pub const TRAPS_MAX: u64 = (1 << TRAPS_BITS) - 1;

/// Where the program's registers are while the kernel serves it.
#[derive(Clone, Copy)]
pub enum Frame {
    /// In the host's signal frame.
    Trapped(*mut UserContext),
    /// In the frame of a patched call.
    Patched(*mut PatchedFrame),
}

/// What a full extended state consists of.
#[derive(Clone, Copy)]
pub struct ExtendedStateLayout {
    /// Components, as in XCR0.
    pub features: u64,
    /// Bytes in the standard form.
    pub size: usize,
}

/// Components of a full extended state, once learned.
pub static STATE_FEATURES: AtomicU64 = AtomicU64::new(0);
static STATE_SIZE: AtomicU64 = AtomicU64::new(0);

/// Learns from a frame of the host what a full extended state consists of.
pub fn learn_extended_state(layout: ExtendedStateLayout) {
    assert!(
        layout.size <= crate::patched::STATE_SIZE_MAX,
        "the processor's state fits the trap stack"
    );
    STATE_FEATURES.store(layout.features, Ordering::Relaxed);
    STATE_SIZE.store(layout.size as u64, Ordering::Relaxed);
}

/// What a full extended state consists of.
pub fn extended_state_layout() -> ExtendedStateLayout {
    ExtendedStateLayout {
        features: STATE_FEATURES.load(Ordering::Relaxed),
        size: STATE_SIZE.load(Ordering::Relaxed) as usize,
    }
}

struct Shared(UnsafeCell<Option<Kernel>>);

// SAFETY: only the holder of the token runs.
unsafe impl Sync for Shared {}

static KERNEL: Shared = Shared(UnsafeCell::new(None));

/// The kernel, once booted.
///
/// # Safety
/// No other reference to it may be in use: each trap takes one and lets it go before the token changes hands.
#[allow(clippy::mut_from_ref)]
pub unsafe fn kernel() -> &'static mut Option<Kernel> {
    // SAFETY: the caller's.
    unsafe { &mut *KERNEL.0.get() }
}

/// This host process's own words.
pub fn private() -> *mut Private {
    ptr::with_exposed_provenance_mut((layout::TRAP_STACK_TOP - layout::TRAP_STACK_SIZE) as usize)
}

/// The control block.
pub fn control() -> &'static Control {
    // SAFETY: the control block is mapped for as long as the process lives, and all its fields are atomic.
    unsafe { &*ptr::with_exposed_provenance(layout::CONTROL_BASE as usize) }
}
