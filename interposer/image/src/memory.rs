//! The kernel's heap, and the memory routines that a C library would bring.

use core::{
    alloc::{GlobalAlloc, Layout},
    arch::{asm, naked_asm},
    sync::atomic::{AtomicUsize, Ordering},
};

use linux_raw_sys::general as nr;
use simrun_abi::layout;
use talc::{ErrOnOom, Span, Talc, Talck, locking::AssumeUnlockable};

use crate::gate;

/// Bytes of the arena that the host is asked for at a time: one call costs less than a fault for each page.
const STEP: usize = 64 << 10;

/// The heap, and up to where the host has been asked for its memory ahead of use.
struct Heap {
    // No lock is needed: only the holder of the token runs.
    talc: Talck<AssumeUnlockable, ErrOnOom>,
    asked: AtomicUsize,
}

#[global_allocator]
static HEAP: Heap =
    Heap { talc: Talc::new(ErrOnOom).lock(), asked: AtomicUsize::new(layout::ARENA_BASE as usize) };

/// Gives the arena to the heap; once, before the first allocation.
pub fn open_heap() {
    let span = Span::from_base_size(layout::ARENA_BASE as *mut u8, layout::ARENA_SIZE as usize);
    // SAFETY: the arena is mapped, writable, and nobody else's.
    let claimed = unsafe { HEAP.talc.lock().claim(span) };
    assert!(claimed.is_ok(), "the arena is large enough for a heap");
}

impl Heap {
    /// The heap has grown up to here, or not.
    fn reach(&self, end: usize) {
        let asked = self.asked.load(Ordering::Relaxed);
        if end <= asked {
            return;
        }
        let next = end.next_multiple_of(STEP);
        self.asked.store(next, Ordering::Relaxed);
        // Of something large not all may ever be used.
        if next - asked == STEP {
            let arguments = [asked, STEP, nr::MADV_POPULATE_WRITE as usize, 0, 0, 0];
            // SAFETY: the step lies in the arena, of which nothing changes. A host that cannot do it gives its memory later.
            let _ = unsafe { gate::call(nr::__NR_madvise, arguments) };
        }
    }
}

// SAFETY: all memory comes from talc, which keeps to the contract; that the host is asked for it changes no byte.
unsafe impl GlobalAlloc for Heap {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller's.
        let place = unsafe { self.talc.alloc(layout) };
        self.reach(place as usize + layout.size());
        place
    }

    unsafe fn dealloc(&self, place: *mut u8, layout: Layout) {
        // SAFETY: the caller's.
        unsafe { self.talc.dealloc(place, layout) };
    }

    unsafe fn realloc(&self, place: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: the caller's.
        let place = unsafe { self.talc.realloc(place, layout, size) };
        self.reach(place as usize + size);
        place
    }
}

/// The compiler calls it wherever a structure moves. A string instruction takes longer to start than a few hundred bytes
/// take by vector moves. All loads come before the first store up to [`OVERLAP_MAX`] bytes; beyond, it copies forward.
///
/// # Safety
/// As memcpy(3).
#[unsafe(no_mangle)]
#[unsafe(naked)]
pub unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    naked_asm!(
        "mov rax, rdi",
        "cmp rdx, 16",
        "jb 3f",
        "cmp rdx, {long}",
        "ja 2f",
        "movups xmm0, [rsi + rdx - 16]", // the last sixteen bytes, however many precede them
        "lea r8, [rdi + rdx - 16]",
        "1:",
        "movups xmm1, [rsi]",
        "movups [rdi], xmm1",
        "add rsi, 16",
        "add rdi, 16",
        "cmp rdi, r8",
        "jb 1b",
        "movups [r8], xmm0",
        "ret",
        "2:",
        "mov rcx, rdx",
        "rep movsb",
        "ret",
        "3:", // eight to fifteen: two words that may overlap
        "cmp edx, 8",
        "jb 4f",
        "mov rcx, [rsi]",
        "mov r8, [rsi + rdx - 8]",
        "mov [rdi], rcx",
        "mov [rdi + rdx - 8], r8",
        "ret",
        "4:", // four to seven
        "cmp edx, 4",
        "jb 5f",
        "mov ecx, [rsi]",
        "mov r8d, [rsi + rdx - 4]",
        "mov [rdi], ecx",
        "mov [rdi + rdx - 4], r8d",
        "ret",
        "5:", // up to three: the first, the middle and the last
        "test edx, edx",
        "jz 6f",
        "mov r9, rdx",
        "shr r9, 1",
        "movzx ecx, byte ptr [rsi]",
        "movzx r10d, byte ptr [rsi + r9]",
        "movzx r8d, byte ptr [rsi + rdx - 1]",
        "mov [rdi], cl",
        "mov [rdi + r9], r10b",
        "mov [rdi + rdx - 1], r8b",
        "6:",
        "ret",
        long = const LONG,
    )
}

/// Bytes beyond which a string instruction is the faster way.
const LONG: usize = 768;
/// Bytes up to which `memcpy` loads everything before it stores anything.
const OVERLAP_MAX: usize = 32;

/// # Safety
/// As memmove(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, len: usize) -> *mut u8 {
    if len <= OVERLAP_MAX || (to as usize).wrapping_sub(from as usize) >= len {
        // SAFETY: the caller's; the ranges do not overlap in a way that this copy would spoil.
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

/// Bytes that [`memcmp`] compares at a time while they are the same.
const WORD: usize = size_of::<u64>();

/// # Safety
/// As memcmp(3).
#[unsafe(no_mangle)]
pub unsafe extern "C" fn memcmp(a: *const u8, b: *const u8, len: usize) -> i32 {
    let mut same = 0;
    while same + WORD <= len {
        // SAFETY: the caller's; both words lie in what is compared.
        let word = |from: *const u8| unsafe { from.add(same).cast::<u64>().read_unaligned() };
        if word(a) != word(b) {
            break;
        }
        same += WORD;
    }
    for i in same..len {
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
