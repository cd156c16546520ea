//! Numbers of calls that only the preload library makes, far outside Linux's range.

/// The scheduler may switch here: a place where threads meet without a system call.
pub const POINT: u64 = 0x5152;
/// The thread waits for another by looking again and again.
pub const SPIN: u64 = 0x5153;
