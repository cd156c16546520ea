//! The control block: counters and flags at the start of the control mapping, then the boot
//! parameters, then the event ring.
//!
//! The ring is a byte queue with one writer (whichever process holds the token) and one reader (the
//! supervisor). A record is a little-endian `u32` length and that many bytes of an encoded
//! [`crate::event::Event`].

use core::sync::atomic::{AtomicI32, AtomicU32, AtomicU64};

/// Where the boot parameters start, in bytes from the control block.
pub const BOOT_OFFSET: usize = 0x2_0000;
/// Where the event ring starts, in bytes from the control block.
pub const RING_OFFSET: usize = 0x20_0000;
/// Room for the encoded boot parameters, in bytes.
pub const BOOT_SIZE_MAX: usize = RING_OFFSET - BOOT_OFFSET;
/// Size of the ring in bytes, a power of two: small enough for its pages to be used again and again.
pub const RING_SIZE: usize = 0x8_0000;
/// Most host processes a run can have at one time.
pub const SPACES_MAX: usize = 4096;
/// Room for the image's last words, in bytes.
pub const PANIC_SIZE: usize = 1024;

/// The host signal (SIGPROF) by which the supervisor has the running thread looked at, for [`Control::search_steps`]:
/// it may wait in a loop without a system call. [`Control::searches`] is the answer.
pub const PROBE_SIGNAL: i32 = 27;

/// How the run ended, in [`Control::end`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub enum End {
    /// Still going.
    Running = 0,
    /// The first process has ended and nothing else runs.
    Finished = 1,
    /// Simulated time ran out.
    TimedOut = 2,
    /// Nothing can run and no timer is set.
    Deadlock = 3,
    /// The image itself failed; [`Control::panic`] says how.
    Panic = 4,
    /// Something the simulation cannot go on from; an event says what.
    Unsupported = 5,
    /// The host ran out of something (memory, disk, processes).
    HostExhausted = 6,
    /// The first program cannot be executed.
    NotStarted = 7,
}

impl End {
    /// The end with this number.
    #[must_use]
    pub fn from_raw(raw: u32) -> Option<Self> {
        Some(match raw {
            0 => Self::Running,
            1 => Self::Finished,
            2 => Self::TimedOut,
            3 => Self::Deadlock,
            4 => Self::Panic,
            5 => Self::Unsupported,
            6 => Self::HostExhausted,
            7 => Self::NotStarted,
            _ => return None,
        })
    }
}

/// The head of the control mapping. All of it may be read by the supervisor at any time.
#[repr(C)]
pub struct Control {
    /// Length of the boot parameters in bytes.
    pub boot_len: AtomicU32,
    /// How the run ended, an [`End`]; the bell ([`crate::layout::fds::BELL`]) rings after.
    pub end: AtomicU32,
    /// Wait status of the first process, as `waitpid` would give it.
    pub status: AtomicU32,
    /// Set by the supervisor to end the run: checked whenever a process takes the token.
    pub stop: AtomicU32,
    /// Bytes ever written to the ring.
    pub ring_head: AtomicU64,
    /// Bytes ever read from the ring.
    pub ring_tail: AtomicU64,
    /// Changes whenever the reader has made room; a futex.
    pub ring_room: AtomicU32,
    /// Calls that entered the kernel; it stands still while a program computes.
    pub entries: AtomicU64,
    /// Simulated time since the start, in nanoseconds.
    pub now_ns: AtomicU64,
    /// Choices made so far.
    pub choices: AtomicU64,
    /// Switches between threads.
    pub switches: AtomicU64,
    /// The fingerprint so far.
    pub fingerprint: AtomicU64,
    /// Whether anybody but the running thread could change something: a thread waits for its turn, or a timer is set.
    pub others: AtomicU32,
    /// Calls of the host on the workload's standard streams: after the first, a run cannot be started again unnoticed.
    pub stream_calls: AtomicU64,
    /// Whether the run waits for its standard input.
    pub awaits_input: AtomicU32,
    /// How many instructions of a thread to look at.
    pub search_steps: AtomicU64,
    /// Searches that have ended with the verdict that the thread computes.
    pub searches: AtomicU32,
    /// The jump that makes the widest loop that the last of them has seen; zero for none.
    pub search_loop: AtomicU64,
    /// Looks that found the image at work, not the program.
    pub looks_inside: AtomicU32,
    /// Where the last of them found it.
    pub inside_at: AtomicU64,
    /// The supervisor's process id.
    pub supervisor: AtomicI32,
    /// Host process that holds the token.
    pub holder: AtomicI32,
    /// Length of the message in `panic`.
    pub panic_len: AtomicU32,
    /// The image's last words, UTF-8.
    pub panic: [core::sync::atomic::AtomicU8; PANIC_SIZE],
    /// Host process id of each address space, zero where there is none.
    pub host_pids: [AtomicI32; SPACES_MAX],
    /// The token's futex of each address space: one when it may run.
    pub tokens: [AtomicU32; SPACES_MAX],
}

const _: () = assert!(size_of::<Control>() <= BOOT_OFFSET);
const _: () = assert!((RING_OFFSET + RING_SIZE) as u64 <= crate::layout::CONTROL_SIZE);
