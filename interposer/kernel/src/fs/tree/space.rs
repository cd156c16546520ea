//! How much of the disk the run has filled.
//!
//! Counted are bytes by which files have grown, and those that are free again when a file is cut or loses its last name.
//! What the host had is not: the simulated disk has room for it, whatever the host's.

use core::cell::Cell;

use crate::error::{Errno, Error, Result};

/// The free space of the disk.
#[derive(Debug)]
pub struct Space {
    size: u64,
    used: Cell<u64>,
}

impl Space {
    /// Of a disk on which so many bytes are free.
    #[must_use]
    pub const fn new(size: u64) -> Self {
        Self { size, used: Cell::new(0) }
    }

    /// Bytes that were free at the start.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Bytes that are free now.
    #[must_use]
    pub fn left(&self) -> u64 {
        self.size.saturating_sub(self.used.get())
    }

    /// Takes room for a file to grow by so many bytes, or for the first of them.
    ///
    /// # Errors
    /// `ENOSPC` if there is none at all.
    pub fn take(&self, len: u64) -> Result<u64> {
        let taken = len.min(self.left());
        if taken == 0 && len > 0 {
            return Err(Error::new(Errno::ENOSPC, "the disk is full (--disk)"));
        }
        self.used.set(self.used.get() + taken);
        Ok(taken)
    }

    /// Gives room back.
    pub fn give(&self, len: u64) {
        self.used.set(self.used.get().saturating_sub(len));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_bytes_are_taken_before_there_are_none() {
        let space = Space::new(10);
        assert_eq!(space.take(7).unwrap(), 7);
        assert_eq!(space.take(7).unwrap(), 3);
        assert_eq!(space.take(1).unwrap_err().errno, Errno::ENOSPC);
        assert_eq!(space.take(0).unwrap(), 0);
        space.give(4);
        assert_eq!((space.left(), space.take(9).unwrap(), space.left()), (4, 4, 0));
    }
}
