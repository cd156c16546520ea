//! Calling the supervisor, and answering it.

use core::sync::atomic::Ordering;

use linux_raw_sys::general as nr;
use simrun_abi::layout::fds;

use crate::{
    frame::{SignalDetails, UserContext},
    gate, state,
};

/// Makes the supervisor look at the control block.
pub fn call() {
    let one = 1u64;
    // SAFETY: the host reads the number during the call.
    let _ = unsafe {
        gate::call(
            nr::__NR_write,
            [fds::BELL as usize, &raw const one as usize, size_of_val(&one), 0, 0, 0],
        )
    };
}

/// Answers [`simrun_abi::control::PROBE_SIGNAL`]. It may come at any time, in the middle of the kernel too, so it
/// touches nothing but two words of the control block.
pub unsafe extern "C" fn on_probe(_: i32, _: *mut SignalDetails, context: *mut UserContext) {
    let control = state::control();
    // SAFETY: the host passes the frame, which stays in place until this returns.
    let place = unsafe { (*context).registers.rip };
    control.probe_place.store(place, Ordering::Relaxed);
    control.probes.fetch_add(1, Ordering::Release);
}
