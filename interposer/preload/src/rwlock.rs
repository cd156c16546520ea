//! Read-write locks.

use libc::{c_int, pthread_rwlock_t, timespec};
use redhook::{hook, real};

use crate::point::{Sharing, pass};

/// Offset of `__data.__shared` in glibc's `pthread_rwlock_t` on x86-64, part of its ABI.
const SHARED_OFFSET: usize = 28;

unsafe fn sharing(lock: *mut pthread_rwlock_t) -> Sharing {
    // SAFETY: the caller of a lock function answers for the lock.
    let shared = unsafe { lock.byte_add(SHARED_OFFSET).cast::<c_int>().read_volatile() };
    if shared == 0 { Sharing::Threads } else { Sharing::Processes }
}

hook! {
    unsafe fn pthread_rwlock_rdlock(lock: *mut pthread_rwlock_t) -> c_int => on_rdlock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(lock));
            real!(pthread_rwlock_rdlock)(lock)
        }
    }
}

hook! {
    unsafe fn pthread_rwlock_wrlock(lock: *mut pthread_rwlock_t) -> c_int => on_wrlock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(lock));
            real!(pthread_rwlock_wrlock)(lock)
        }
    }
}

hook! {
    unsafe fn pthread_rwlock_tryrdlock(lock: *mut pthread_rwlock_t) -> c_int => on_tryrdlock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(lock));
            real!(pthread_rwlock_tryrdlock)(lock)
        }
    }
}

hook! {
    unsafe fn pthread_rwlock_trywrlock(lock: *mut pthread_rwlock_t) -> c_int => on_trywrlock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(lock));
            real!(pthread_rwlock_trywrlock)(lock)
        }
    }
}

hook! {
    unsafe fn pthread_rwlock_timedrdlock(lock: *mut pthread_rwlock_t, until: *const timespec) -> c_int => on_timedrdlock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(lock));
            real!(pthread_rwlock_timedrdlock)(lock, until)
        }
    }
}

hook! {
    unsafe fn pthread_rwlock_timedwrlock(lock: *mut pthread_rwlock_t, until: *const timespec) -> c_int => on_timedwrlock {
        // SAFETY: the program's own call, passed on.
        unsafe {
            pass(sharing(lock));
            real!(pthread_rwlock_timedwrlock)(lock, until)
        }
    }
}

hook! {
    unsafe fn pthread_rwlock_unlock(lock: *mut pthread_rwlock_t) -> c_int => on_rwlock_unlock {
        // SAFETY: the program's own call, passed on. The lock may be gone after it, so it is looked at before.
        unsafe {
            let sharing = sharing(lock);
            let result = real!(pthread_rwlock_unlock)(lock);
            pass(sharing);
            result
        }
    }
}

/// Finds the real functions.
pub fn find() {
    let _ = real!(pthread_rwlock_rdlock);
    let _ = real!(pthread_rwlock_wrlock);
    let _ = real!(pthread_rwlock_tryrdlock);
    let _ = real!(pthread_rwlock_trywrlock);
    let _ = real!(pthread_rwlock_timedrdlock);
    let _ = real!(pthread_rwlock_timedwrlock);
    let _ = real!(pthread_rwlock_unlock);
}
