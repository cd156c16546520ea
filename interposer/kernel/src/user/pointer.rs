//! Addresses that a program gave.

use core::marker::PhantomData;

use simrun_abi::layout;

use crate::host::Fault;

/// A program's pointer to a `T`.
#[derive(Debug)]
pub struct UserPtr<T> {
    address: u64,
    of: PhantomData<fn() -> T>,
}

impl<T> Clone for UserPtr<T> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<T> Copy for UserPtr<T> {}

impl<T> UserPtr<T> {
    /// The pointer in a register.
    #[must_use]
    pub const fn new(address: u64) -> Self {
        Self { address, of: PhantomData }
    }

    /// The address.
    #[must_use]
    pub const fn address(self) -> u64 {
        self.address
    }

    /// Whether it is null.
    #[must_use]
    pub const fn is_null(self) -> bool {
        self.address == 0
    }

    /// The pointer, unless it is null.
    #[must_use]
    pub fn non_null(self) -> Option<Self> {
        (self.address != 0).then_some(self)
    }

    /// The pointer to the `index`th `T` from here.
    #[must_use]
    pub const fn add(self, index: u64) -> Self {
        Self::new(self.address.wrapping_add(index.wrapping_mul(size_of::<T>() as u64)))
    }
}

/// A stretch of a program's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct UserSlice {
    /// First byte.
    pub address: u64,
    /// Length in bytes.
    pub len: usize,
}

impl UserSlice {
    /// The slice in two registers.
    #[must_use]
    pub const fn new(address: u64, len: u64) -> Self {
        Self { address, len: len as usize }
    }

    /// The part from `offset` on, at most `len` bytes of it.
    #[must_use]
    pub fn part(self, offset: usize, len: usize) -> Self {
        let offset = offset.min(self.len);
        Self { address: self.address.wrapping_add(offset as u64), len: len.min(self.len - offset) }
    }

    /// Refuses what is not in user space, or in simrun's own ranges.
    ///
    /// # Errors
    /// [`Fault`] for such a slice.
    pub fn check(self) -> Result<(), Fault> {
        let end = self.address.checked_add(self.len as u64).ok_or(Fault)?;
        if end > layout::USER_END || (self.address < layout::OWN_END && end > layout::OWN_START) {
            return Err(Fault);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_may_not_touch_simrun_or_the_host_kernel() {
        let cases = [
            (0x1000, 16, true),
            (layout::OWN_START - 16, 16, true),
            (layout::OWN_START - 16, 17, false),
            (layout::ARENA_BASE, 1, false),
            (layout::OWN_END - 1, 1, false),
            (layout::OWN_END, 1, true),
            (layout::USER_END - 1, 1, true),
            (layout::USER_END, 1, false),
            (u64::MAX, 2, false),
            (0x1000, u64::MAX, false),
        ];
        for (address, len, allowed) in cases {
            assert_eq!(
                UserSlice::new(address, len).check().is_ok(),
                allowed,
                "{address:#x}+{len:#x}"
            );
        }
    }
}
