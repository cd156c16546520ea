//! What a bad disk does to the bytes of a file while a call reads or writes them.

use simrun_abi::faults::DamageKind;

use crate::{error::Result, host::Host, user::UserSlice};

/// Bytes that a disk writes as a whole or not at all.
const SECTOR: u64 = 512;

/// A damage that is about to happen, and the number by which its place is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Damage {
    /// What happens.
    pub kind: DamageKind,
    /// A random number.
    pub random: u64,
}

/// What is written, or what of it reaches the disk.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reaching {
    /// So many of its first bytes.
    pub len: u64,
    /// At this offset.
    pub at: u64,
}

impl Damage {
    /// What reaches the disk of `len` bytes that are written at an offset of a file of this size.
    #[must_use]
    pub fn of_write(self, at: u64, len: u64, size: u64) -> Reaching {
        let boundaries = (at + len).div_ceil(SECTOR) - at / SECTOR - 1;
        match self.kind {
            DamageKind::FlipBit => Reaching { len, at },
            DamageKind::Lose => Reaching { len: 0, at },
            // What lies in a single sector cannot be torn.
            DamageKind::Tear if boundaries == 0 => Reaching { len, at },
            DamageKind::Tear => {
                let boundary = (at / SECTOR + 1 + self.random % boundaries) * SECTOR;
                Reaching { len: boundary - at, at }
            }
            DamageKind::Misdirect => {
                let sectors = (size / SECTOR).max(1);
                Reaching { len, at: self.random % sectors * SECTOR + at % SECTOR }
            }
        }
    }

    /// Flips a bit of the bytes that were read to a program's memory.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn of_read(self, host: &mut dyn Host, into: &[UserSlice], done: usize) -> Result<()> {
        if self.kind != DamageKind::FlipBit || done == 0 {
            return Ok(());
        }
        let bit = self.random % (done as u64 * 8);
        let mut at = (bit / 8) as usize;
        for slice in into {
            if at < slice.len {
                let address = slice.address + at as u64;
                let mut byte = [0];
                host.read_user(address, &mut byte)?;
                host.write_user(address, &[byte[0] ^ 1 << (bit % 8)])?;
                return Ok(());
            }
            at -= slice.len;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_are_torn_between_sectors() {
        let reaches = |kind, random, at, len| {
            let Reaching { len, at } = Damage { kind, random }.of_write(at, len, 4096);
            (len, at)
        };
        assert_eq!(reaches(DamageKind::Lose, 7, 100, 50), (0, 100));
        assert_eq!(reaches(DamageKind::Tear, 7, 100, 50), (50, 100));
        assert_eq!(reaches(DamageKind::Tear, 0, 100, 1000), (412, 100));
        assert_eq!(reaches(DamageKind::Tear, 1, 100, 1000), (924, 100));
        assert_eq!(reaches(DamageKind::Tear, 2, 100, 1000), (412, 100));
        assert_eq!(reaches(DamageKind::Tear, 0, 512, 512), (512, 512));
        assert_eq!(reaches(DamageKind::Misdirect, 3, 100, 50), (50, 3 * 512 + 100));
    }
}
