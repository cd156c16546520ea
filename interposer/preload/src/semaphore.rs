//! Semaphores.

use libc::{c_int, sem_t, timespec};
use redhook::{hook, real};

use crate::point::{Sharing, pass};

/// Offset of `private` in glibc's `struct new_sem` on x86-64: zero unless processes share it.
const SHARED_OFFSET: usize = 8;

unsafe fn sharing(semaphore: *mut sem_t) -> Sharing {
    // SAFETY: the caller of a semaphore function answers for the semaphore.
    let shared = unsafe { semaphore.byte_add(SHARED_OFFSET).cast::<c_int>().read_volatile() };
    if shared == 0 { Sharing::Threads } else { Sharing::Processes }
}

hook! {
    unsafe fn sem_wait(semaphore: *mut sem_t) -> c_int => on_sem_wait {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(semaphore));
            real!(sem_wait)(semaphore)
        }
    }
}

hook! {
    unsafe fn sem_trywait(semaphore: *mut sem_t) -> c_int => on_sem_trywait {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(semaphore));
            real!(sem_trywait)(semaphore)
        }
    }
}

hook! {
    unsafe fn sem_timedwait(semaphore: *mut sem_t, until: *const timespec) -> c_int => on_sem_timedwait {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(semaphore));
            real!(sem_timedwait)(semaphore, until)
        }
    }
}

hook! {
    unsafe fn sem_post(semaphore: *mut sem_t) -> c_int => on_sem_post {
        // SAFETY: the program's own call, passed on. The semaphore may be gone after it, so it is looked at before.
        unsafe {
            let sharing = sharing(semaphore);
            let result = real!(sem_post)(semaphore);
            pass(sharing);
            result
        }
    }
}

/// Finds the real functions.
pub fn find() {
    let _ = real!(sem_wait);
    let _ = real!(sem_trywait);
    let _ = real!(sem_timedwait);
    let _ = real!(sem_post);
}
