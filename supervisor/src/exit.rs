//! simrun's own exit statuses, those of timeout(1) and env(1).

/// The run took longer than it may.
pub const TIMED_OUT: u8 = 124;
/// simrun itself failed, or the run gave no result.
pub const FAILED: u8 = 125;
/// The command was found but cannot be executed.
pub const NOT_EXECUTABLE: u8 = 126;
/// The command was not found.
pub const NOT_FOUND: u8 = 127;

/// After a signal, as a shell shows it.
pub fn after_signal(signal: i32) -> u8 {
    128 + signal as u8
}

/// A wait status as a shell shows it.
pub fn from_wait_status(status: u32) -> u8 {
    match status & 0x7f {
        0 => (status >> 8) as u8,
        signal => after_signal(signal as i32),
    }
}
