//! Mutexes and `pthread_once`.

use libc::{c_int, clockid_t, pthread_mutex_t, pthread_once_t, timespec};
use redhook::{hook, real};

use crate::point::{Sharing, pass};

/// Offset of `__data.__kind` in glibc's `pthread_mutex_t` on x86-64, part of its ABI.
const KIND_OFFSET: usize = 16;
/// `PTHREAD_MUTEX_PSHARED_BIT`.
const SHARED_BIT: c_int = 128;

unsafe fn sharing(mutex: *mut pthread_mutex_t) -> Sharing {
    // SAFETY: the caller of a mutex function answers for the mutex.
    let kind = unsafe { mutex.byte_add(KIND_OFFSET).cast::<c_int>().read_volatile() };
    if kind & SHARED_BIT == 0 { Sharing::Threads } else { Sharing::Processes }
}

hook! {
    unsafe fn pthread_mutex_lock(mutex: *mut pthread_mutex_t) -> c_int => on_mutex_lock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(mutex));
            real!(pthread_mutex_lock)(mutex)
        }
    }
}

hook! {
    unsafe fn pthread_mutex_trylock(mutex: *mut pthread_mutex_t) -> c_int => on_mutex_trylock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(mutex));
            real!(pthread_mutex_trylock)(mutex)
        }
    }
}

hook! {
    unsafe fn pthread_mutex_timedlock(mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int => on_mutex_timedlock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(mutex));
            real!(pthread_mutex_timedlock)(mutex, until)
        }
    }
}

hook! {
    unsafe fn pthread_mutex_clocklock(mutex: *mut pthread_mutex_t, clock: clockid_t, until: *const timespec) -> c_int => on_mutex_clocklock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(mutex));
            real!(pthread_mutex_clocklock)(mutex, clock, until)
        }
    }
}

hook! {
    unsafe fn pthread_mutex_unlock(mutex: *mut pthread_mutex_t) -> c_int => on_mutex_unlock {
        // SAFETY: the program's own call, passed on. The mutex may be gone after it (its memory freed by the next
        // holder), so it is looked at before.
        unsafe {
            let sharing = sharing(mutex);
            let result = real!(pthread_mutex_unlock)(mutex);
            pass(sharing);
            result
        }
    }
}

hook! {
    unsafe fn pthread_once(once: *mut pthread_once_t, routine: extern "C" fn()) -> c_int => on_once {
        pass(Sharing::Threads);
        // SAFETY: the program's own call, passed on.
        unsafe { real!(pthread_once)(once, routine) }
    }
}

/// Finds the real functions.
pub fn find() {
    let _ = real!(pthread_mutex_lock);
    let _ = real!(pthread_mutex_trylock);
    let _ = real!(pthread_mutex_timedlock);
    let _ = real!(pthread_mutex_clocklock);
    let _ = real!(pthread_mutex_unlock);
    let _ = real!(pthread_once);
}
