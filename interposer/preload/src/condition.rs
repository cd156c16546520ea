//! Condition variables.

use libc::{c_int, pthread_cond_t, pthread_mutex_t, timespec};
use redhook::{hook, real};

use crate::point::{Sharing, pass};

hook! {
    unsafe fn pthread_cond_signal(condition: *mut pthread_cond_t) -> c_int => on_signal {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(Sharing::Threads);
            real!(pthread_cond_signal)(condition)
        }
    }
}

hook! {
    unsafe fn pthread_cond_broadcast(condition: *mut pthread_cond_t) -> c_int => on_broadcast {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(Sharing::Threads);
            real!(pthread_cond_broadcast)(condition)
        }
    }
}

hook! {
    unsafe fn pthread_cond_wait(condition: *mut pthread_cond_t, mutex: *mut pthread_mutex_t) -> c_int => on_wait {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(Sharing::Threads);
            real!(pthread_cond_wait)(condition, mutex)
        }
    }
}

hook! {
    unsafe fn pthread_cond_timedwait(condition: *mut pthread_cond_t, mutex: *mut pthread_mutex_t, until: *const timespec) -> c_int => on_timedwait {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(Sharing::Threads);
            real!(pthread_cond_timedwait)(condition, mutex, until)
        }
    }
}

/// Finds the real functions.
pub fn find() {
    let _ = real!(pthread_cond_signal);
    let _ = real!(pthread_cond_broadcast);
    let _ = real!(pthread_cond_wait);
    let _ = real!(pthread_cond_timedwait);
}
