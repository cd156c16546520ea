//! Fixed addresses of every simulated process.
//!
//! All of simrun's own ranges lie in `OWN_START..OWN_END`. Nothing a program does may land there:
//! user-memory access by the kernel and `MAP_FIXED` by the program are both refused in it.
//! The places were tried against ASan, TSan, Go's race detector, ZGC, G1 and V8.

/// First address that belongs to simrun.
pub const OWN_START: u64 = 0x5500_0000_0000;
/// First address past simrun's ranges.
pub const OWN_END: u64 = 0x5540_0000_0000;

/// Where the kernel image is linked and mapped (code, constants, statics).
pub const IMAGE_BASE: u64 = OWN_START;
/// Size of the image mapping in bytes, code and statics together.
pub const IMAGE_SIZE: u64 = 0x1000_0000;
/// The one page from which a host system call is allowed.
pub const GATE: u64 = 0x5500_0000_1000;
/// Size of the gate in bytes.
pub const GATE_SIZE: u64 = 0x1000;
/// Where the control block and the event ring are mapped.
pub const CONTROL_BASE: u64 = 0x5500_2000_0000;
/// Size of the control mapping in bytes.
pub const CONTROL_SIZE: u64 = 0x28_0000;
/// Where the kernel's heap is mapped.
pub const ARENA_BASE: u64 = 0x5510_0000_0000;
/// Size of the kernel's heap in bytes; the memory file behind it is sparse.
pub const ARENA_SIZE: u64 = 16 << 30;
/// Top of the private stack on which the kernel runs in every process.
pub const TRAP_STACK_TOP: u64 = 0x5530_0010_0000;
/// Size of the trap stack in bytes.
pub const TRAP_STACK_SIZE: u64 = 0x10_0000;
/// The part at the top of the trap stack that is no stack for signals: frames of patched calls lie there.
pub const ENTRY_AREA_SIZE: u64 = 0x4000;

/// Where a position-independent program is loaded.
pub const PROGRAM_BASE: u64 = 0x5555_5555_4000;
/// Start of the program break.
pub const BREAK_BASE: u64 = 0x5600_0000_0000;
/// How far the break can grow, in bytes.
pub const BREAK_SIZE_MAX: u64 = 0x40_0000_0000;
/// Mappings are placed below this address, downward.
pub const MMAP_TOP: u64 = 0x7ee0_0000_0000;
/// Top of the main thread's stack.
pub const STACK_TOP: u64 = 0x7ef0_0000_0000;
/// Size of the main thread's stack in bytes (Linux's default `RLIMIT_STACK`).
pub const STACK_SIZE: u64 = 8 << 20;
/// Where the stubs of patched system call sites lie: each range within reach of a near jump from the code it
/// serves. They are simrun's own: no program may map there.
pub mod stubs {
    /// Bytes of one range.
    pub const SIZE: u64 = 0xe_0000;
    /// Start of each range: for programs linked low, for position-independent programs, for libraries.
    pub const STARTS: [u64; 3] = [0x2_0000, 0x5555_4000_0000, super::MMAP_TOP];
    /// Bytes of one stub.
    pub const STUB_SIZE: u64 = 32;
}

/// Whether an address lies in one of simrun's own ranges.
#[must_use]
pub const fn is_own(address: u64) -> bool {
    let mut range = 0;
    while range < stubs::STARTS.len() {
        let start = stubs::STARTS[range];
        if start <= address && address < start + stubs::SIZE {
            return true;
        }
        range += 1;
    }
    OWN_START <= address && address < OWN_END
}

/// Lowest address a program may map (`vm.mmap_min_addr`).
pub const USER_START: u64 = 0x1_0000;
/// First address past user space (`TASK_SIZE` with four-level page tables).
pub const USER_END: u64 = 0x7fff_ffff_f000;

/// Host descriptors that every process of a simulation holds at these numbers.
pub mod fds {
    /// The memory file of the image.
    pub const IMAGE: i32 = 1000;
    /// The memory file of the arena.
    pub const ARENA: i32 = 1001;
    /// The memory file of the control block.
    pub const CONTROL: i32 = 1002;
    /// The workload's standard input.
    pub const STDIN: i32 = 1003;
    /// The workload's standard output.
    pub const STDOUT: i32 = 1004;
    /// The workload's standard error.
    pub const STDERR: i32 = 1005;
    /// The preload library, where there is one.
    pub const PRELOAD: i32 = 1006;
    /// An eventfd by which the image calls the supervisor: the run has ended, or the event ring fills up.
    pub const BELL: i32 = 1007;
    /// The memory file into which the kernel writes what the run has done to its files.
    pub const CAPTURE: i32 = 1008;
    /// The last of them.
    pub const LAST: i32 = CAPTURE;
}
