//! Descriptors of the host's files, closed many at a time.
//!
//! Programs go through files one by one. To close each costs a call of its own; when that happens makes no difference, as
//! nobody else knows of the descriptor.

use core::cell::UnsafeCell;

use linux_raw_sys::general as nr;

use crate::gate;

/// How many are closed together.
const COUNT: usize = 16;

/// Those that are still open.
struct Pending {
    files: [u32; COUNT],
    count: usize,
}

struct Shared(UnsafeCell<Pending>);

// SAFETY: only the holder of the token runs.
unsafe impl Sync for Shared {}

static PENDING: Shared = Shared(UnsafeCell::new(Pending { files: [0; COUNT], count: 0 }));

/// Closes a descriptor that is not used any more, sooner or later.
pub fn close_later(file: u32) {
    // SAFETY: only the holder of the token runs, and nothing that is called here comes back here.
    let pending = unsafe { &mut *PENDING.0.get() };
    pending.files[pending.count] = file;
    pending.count += 1;
    if pending.count == COUNT {
        pending.count = 0;
        pending.files.sort_unstable();
        for run in pending.files.chunk_by(|one, next| one + 1 == *next) {
            let (first, last) = (run[0] as usize, run[run.len() - 1] as usize);
            // SAFETY: the descriptors are of files that nobody uses any more.
            let _ = unsafe { gate::call(nr::__NR_close_range, [first, last, 0, 0, 0, 0]) };
        }
    }
}
