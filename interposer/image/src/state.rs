//! Where state lies: the kernel in the image's statics, which all processes share, and the few words of each host
//! process at the bottom of its trap stack, which is private memory.

use core::{cell::UnsafeCell, ptr};

use simrun_abi::{control::Control, layout};
use simrun_kernel::{kernel::Kernel, mm::SpaceId};

use crate::frame::UserContext;

/// What only one host process knows.
#[repr(C)]
pub struct Private {
    /// The address space it is.
    pub space: Option<SpaceId>,
    /// The signal frame of the trap that is being served.
    pub frame: *mut UserContext,
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
