//! The kernel's heap, and the memory routines that a C library would bring.

use core::arch::asm;

use simrun_abi::layout;
use talc::{ErrOnOom, Span, Talc, Talck, locking::AssumeUnlockable};

// No lock is needed: only the holder of the token runs.
#[global_allocator]
static HEAP: Talck<AssumeUnlockable, ErrOnOom> = Talc::new(ErrOnOom).lock();

/// Gives the arena to the heap; once, before the first allocation.
pub fn open_heap() {
    let span = Span::from_base_size(layout::ARENA_BASE as *mut u8, layout::ARENA_SIZE as usize);
    // SAFETY: the arena is mapped, writable, and nobody else's.
    let claimed = unsafe { HEAP.lock().claim(span) };
    assert!(claimed.is_ok(), "the arena is large enough for a heap");
}

/// # Safety
/// As memcpy(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        asm!("rep movsb", inout("rcx") len => _, inout("rdi") to => _, inout("rsi") from => _, options(nostack, preserves_flags))
    };
    to
}

/// # Safety
/// As memmove(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    if (to as usize).wrapping_sub(from as usize) >= len {
        // SAFETY: the caller's; the ranges do not overlap in a way that a forward copy would spoil.
        return unsafe { memcpy(to, from, len) };
    }
    // SAFETY: the caller's; copied from the end because the target overlaps the source from above. The direction
    // flag is clear again afterwards.
    unsafe {
        asm!("std", "rep movsb", "cld", inout("rcx") len => _, inout("rdi") to.add(len).wrapping_sub(1) => _,
            inout("rsi") from.add(len).wrapping_sub(1) => _, options(nostack));
    }
    to
}

/// # Safety
/// As memset(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memset(to: *mut u8, byte: i32, len: usize) -> *mut u8 {
    // SAFETY: the caller's.
    unsafe {
        asm!("rep stosb", inout("rcx") len => _, inout("rdi") to => _, in("al") byte as u8, options(nostack, preserves_flags))
    };
    to
}

/// # Safety
/// As memcmp(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    for i in 0..len {
        // SAFETY: the caller's. Volatile, or the compiler would make this loop a call of memcmp.
        let (x, y) = unsafe { (a.add(i).read_volatile(), b.add(i).read_volatile()) };
        if x != y {
            return i32::from(x) - i32::from(y);
        }
    }
    0
}

/// # Safety
/// As bcmp(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn bcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    // SAFETY: the caller's.
    unsafe { memcmp(a, b, len) }
}

/// # Safety
/// As strlen(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn strlen(string: *const u8) -> usize {
    let mut len = 0;
    // SAFETY: the caller's. Volatile, or the compiler would make this loop a call of strlen.
    while unsafe { string.add(len).read_volatile() } != 0 {
        len += 1;
    }
    len
}
