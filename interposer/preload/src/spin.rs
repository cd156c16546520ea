//! Spin locks. A thread that waits for one burns its turn, and its holder never gets one: waiting is made visible.

use libc::{c_int, pthread_spinlock_t};
use redhook::{hook, real};

use crate::point::{Sharing, pass, spin};

hook! {
    unsafe fn pthread_spin_lock(lock: *mut pthread_spinlock_t) -> c_int => on_spin_lock {
        pass(Sharing::Threads);
        // SAFETY: the lock is the program's own. What glibc does, but for what is done between two looks.
        unsafe {
            loop {
                match real!(pthread_spin_trylock)(lock) {
                    libc::EBUSY => spin(),
                    result => return result,
                }
            }
        }
    }
}

hook! {
    unsafe fn pthread_spin_trylock(lock: *mut pthread_spinlock_t) -> c_int => on_spin_trylock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(Sharing::Threads);
            real!(pthread_spin_trylock)(lock)
        }
    }
}

hook! {
    unsafe fn pthread_spin_unlock(lock: *mut pthread_spinlock_t) -> c_int => on_spin_unlock {
        // SAFETY: the program's own call, passed on.
        let result = unsafe { real!(pthread_spin_unlock)(lock) };
        pass(Sharing::Threads);
        result
    }
}

/// Finds the real functions.
pub fn find() {
    let _ = real!(pthread_spin_trylock);
    let _ = real!(pthread_spin_unlock);
}
