//! The token: whoever holds it runs. It is handed from one host process to another by futex.

use core::sync::atomic::{AtomicU32, Ordering};

use linux_raw_sys::general as nr;
use simrun_kernel::mm::SpaceId;

use crate::{gate, state};

const FUTEX_WAIT: usize = 0;
const FUTEX_WAKE: usize = 1;

/// Wakes whoever waits on a futex that processes share.
pub fn wake(futex: &AtomicU32) {
    // SAFETY: it touches no memory.
    let _ = unsafe {
        gate::call(
            nr::__NR_futex,
            [futex.as_ptr() as usize, FUTEX_WAKE, i32::MAX as usize, 0, 0, 0],
        )
    };
}

/// Waits while a futex that processes share has this value.
pub fn wait(futex: &AtomicU32, value: u32) {
    // SAFETY: it touches no memory.
    let _ = unsafe {
        gate::call(nr::__NR_futex, [futex.as_ptr() as usize, FUTEX_WAIT, value as usize, 0, 0, 0])
    };
}

/// Hands the token to an address space's host process. Nothing shared may be touched after.
pub fn give(to: SpaceId) {
    let control = state::control();
    control.holder.store(control.host_pids[to.index()].load(Ordering::Relaxed), Ordering::Relaxed);
    let token = &control.tokens[to.index()];
    token.store(1, Ordering::Release);
    wake(token);
}

/// Waits for the token; leaves if the supervisor has ended the run.
pub fn take(own: SpaceId) {
    let token = &state::control().tokens[own.index()];
    while token.load(Ordering::Acquire) == 0 {
        wait(token, 0);
    }
    token.store(0, Ordering::Relaxed);
    if state::control().stop.load(Ordering::Relaxed) != 0 {
        gate::exit(0);
    }
}
