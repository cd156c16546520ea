//! Finding a futex and waking who waits on it.

use super::FutexKey;
use crate::{
    error::{Errno, Result},
    kernel::Kernel,
    mm::{MapFlags, SpaceId},
    process::ThreadId,
    user::UserSlice,
};

/// Whether only threads of one address space meet at a futex.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sharing {
    /// They do: `FUTEX_PRIVATE_FLAG`.
    Private,
    /// Anyone who has mapped its memory may come.
    Shared,
}

impl Kernel {
    /// What a futex is known by.
    ///
    /// # Errors
    /// `EINVAL` for an unaligned address, `EFAULT` for one that is not mapped.
    pub fn futex_key(&self, space: SpaceId, address: u64, sharing: Sharing) -> Result<FutexKey> {
        if !address.is_multiple_of(4) {
            return Err(Errno::EINVAL.into());
        }
        UserSlice::new(address, 4).check()?;
        if sharing == Sharing::Private {
            return Ok(FutexKey::Private(space, address));
        }
        let place = self.spaces.get(space).and_then(|space| space.at(address));
        let (range, mapping) = place.ok_or(Errno::EFAULT)?;
        if mapping.object != 0 && mapping.flags.contains(MapFlags::SHARED) {
            return Ok(FutexKey::Shared(mapping.object, mapping.offset + (address - range.start)));
        }
        Ok(FutexKey::Local(space, address))
    }

    /// Wakes at most `max` waiters whose bits meet `bits`; how many.
    pub fn wake_futex(&mut self, key: FutexKey, max: usize, bits: u32) -> usize {
        let taken = self.futexes.take(key, max, bits);
        for &(id, number) in &taken {
            self.wake_with(id, number.into());
        }
        taken.len()
    }

    /// Ends the futex call of a thread with this result.
    pub fn wake_with(&mut self, id: ThreadId, result: u64) {
        if let Some(call) = self.threads.get_mut(id).and_then(|thread| thread.call.as_mut()) {
            call.woken_with = Some(result);
        }
        self.machine.wakes.push(id);
    }

    /// Wakes at most `max` waiters on an address, as a call without `FUTEX_PRIVATE_FLAG` does.
    pub fn wake_shared_address(&mut self, space: SpaceId, address: u64, max: usize) {
        if let Ok(key) = self.futex_key(space, address, Sharing::Shared) {
            self.wake_futex(key, max, u32::MAX);
        }
    }
}
