//! <linux/time.h>.

use bytemuck::{Pod, Zeroable};
use core::time::Duration;

use crate::error::{Errno, Result};

/// `struct timespec`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Timespec {
    /// Seconds.
    pub sec: i64,
    /// Nanoseconds, 0 to 999,999,999.
    pub nsec: i64,
}

/// `struct itimerspec`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Itimerspec {
    /// Time between expirations; zero for none after the first.
    pub interval: Timespec,
    /// Time until the first; zero for none.
    pub value: Timespec,
}

/// `struct timeval`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Timeval {
    /// Seconds.
    pub sec: i64,
    /// Microseconds, 0 to 999,999.
    pub usec: i64,
}

/// `struct itimerval`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
pub struct Itimerval {
    /// Time between expirations; zero for none after the first.
    pub interval: Timeval,
    /// Time until the first; zero for none.
    pub value: Timeval,
}

/// The longest time that Linux counts to (`KTIME_MAX`): longer ones are as long.
pub const LONGEST: Duration = Duration::from_nanos(i64::MAX as u64);

impl Timespec {
    /// The duration it stands for.
    ///
    /// # Errors
    /// `EINVAL` for a negative or unnormalised one.
    pub fn duration(self) -> Result<Duration> {
        match (u64::try_from(self.sec), u32::try_from(self.nsec)) {
            (Ok(sec), Ok(nsec @ 0..=999_999_999)) => Ok(Duration::new(sec, nsec).min(LONGEST)),
            _ => Err(Errno::EINVAL.into()),
        }
    }
}

impl From<Duration> for Timespec {
    fn from(duration: Duration) -> Self {
        Self { sec: duration.as_secs() as i64, nsec: i64::from(duration.subsec_nanos()) }
    }
}

impl Timeval {
    /// The duration it stands for.
    ///
    /// # Errors
    /// `EINVAL` for a negative or unnormalised one.
    pub fn duration(self) -> Result<Duration> {
        match (u64::try_from(self.sec), u32::try_from(self.usec)) {
            (Ok(sec), Ok(usec @ 0..=999_999)) => Ok(Duration::new(sec, usec * 1000).min(LONGEST)),
            _ => Err(Errno::EINVAL.into()),
        }
    }
}

impl From<Duration> for Timeval {
    fn from(duration: Duration) -> Self {
        Self { sec: duration.as_secs() as i64, usec: i64::from(duration.subsec_micros()) }
    }
}
