//! A queue of bytes between two programs: filled from the memory of one, emptied into that of the other.

use alloc::vec::Vec;
use core::ops::Range;

use crate::{
    error::Result,
    host::Host,
    user::{self, UserSlice},
};

/// Smallest storage, in bytes.
const SIZE_MIN: usize = 4096;

/// A growing ring of bytes.
#[derive(Debug, Default)]
pub struct Ring {
    storage: Vec<u8>,
    head: usize,
    len: usize,
}

/// The at most two stretches of storage that hold `len` bytes from `at` on.
fn stretches(size: usize, at: usize, len: usize) -> [Range<usize>; 2] {
    if size == 0 {
        return [0..0, 0..0];
    }
    let at = at % size;
    let first = len.min(size - at);
    [at..at + first, 0..len - first]
}

impl Ring {
    /// Bytes in it.
    #[must_use]
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    fn reserve(&mut self, more: usize) {
        let needed = self.len + more;
        if needed <= self.storage.len() {
            return;
        }
        let mut storage = Vec::with_capacity(needed.next_power_of_two().max(SIZE_MIN));
        for range in stretches(self.storage.len(), self.head, self.len) {
            storage.extend_from_slice(&self.storage[range]);
        }
        storage.resize(storage.capacity(), 0);
        self.storage = storage;
        self.head = 0;
    }

    /// Appends at most `max` bytes of a program's buffers; how many.
    ///
    /// # Errors
    /// `EFAULT` if not even the first byte could be read.
    pub fn fill_from_user(
        &mut self,
        host: &mut dyn Host,
        from: &[UserSlice],
        max: usize,
    ) -> Result<usize> {
        let total = user::total_len(from).min(max);
        self.reserve(total);
        let mut done = 0;
        for slice in from {
            let mut slice = slice.part(0, total - done);
            let at = self.head + self.len;
            for range in stretches(self.storage.len(), at, slice.len) {
                let place = &mut self.storage[range];
                let len = place.len();
                match user::read_bytes(host, slice.address, place) {
                    Ok(()) => {}
                    Err(error) if done == 0 => return Err(error),
                    Err(_) => return Ok(done),
                }
                self.len += len;
                done += len;
                slice = slice.part(len, slice.len);
            }
        }
        Ok(done)
    }

    /// Appends bytes of the kernel's.
    pub fn fill(&mut self, bytes: &[u8]) {
        self.reserve(bytes.len());
        let [first, second] = stretches(self.storage.len(), self.head + self.len, bytes.len());
        let (a, b) = bytes.split_at(first.len());
        self.storage[first].copy_from_slice(a);
        self.storage[second].copy_from_slice(b);
        self.len += bytes.len();
    }

    /// Takes the last bytes out again.
    pub fn take_last(&mut self, len: usize) -> Vec<u8> {
        let len = len.min(self.len);
        let mut bytes = alloc::vec![0; len];
        self.copy_from(self.len - len, &mut bytes);
        self.len -= len;
        bytes
    }

    /// Copies at most `max` bytes, from the `skip`th on, into a program's buffers; how many.
    ///
    /// # Errors
    /// `EFAULT` if not even the first byte could be written.
    pub fn copy_to_user(
        &self,
        host: &mut dyn Host,
        skip: usize,
        into: &[UserSlice],
        max: usize,
    ) -> Result<usize> {
        let total = user::total_len(into).min(max).min(self.len.saturating_sub(skip));
        let mut done = 0;
        for slice in into {
            let mut slice = slice.part(0, total - done);
            let at = self.head + skip + done;
            for range in stretches(self.storage.len(), at, slice.len) {
                let bytes = &self.storage[range];
                match user::write_bytes(host, slice.address, bytes) {
                    Ok(()) => {}
                    Err(error) if done == 0 => return Err(error),
                    Err(_) => return Ok(done),
                }
                done += bytes.len();
                slice = slice.part(bytes.len(), slice.len);
            }
        }
        Ok(done)
    }

    /// Copies bytes from the front into memory of the kernel's; how many.
    pub fn copy_to(&self, into: &mut [u8]) -> usize {
        self.copy_from(0, into)
    }

    /// Copies bytes from the `skip`th on into memory of the kernel's; how many.
    pub fn copy_from(&self, skip: usize, into: &mut [u8]) -> usize {
        let len = into.len().min(self.len.saturating_sub(skip));
        let [first, second] = stretches(self.storage.len(), self.head + skip, len);
        let (a, b) = into[..len].split_at_mut(first.len());
        a.copy_from_slice(&self.storage[first]);
        b.copy_from_slice(&self.storage[second]);
        len
    }

    /// Drops bytes from the front.
    pub fn consume(&mut self, len: usize) {
        let len = len.min(self.len);
        self.len -= len;
        self.head = if self.len == 0 { 0 } else { (self.head + len) % self.storage.len() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::random::Stream;
    use alloc::{collections::VecDeque, vec};

    #[test]
    fn a_ring_behaves_as_a_queue_of_bytes() {
        let mut random = Stream::new(3, 9);
        let (mut ring, mut model) = (Ring::default(), VecDeque::new());
        for step in 0..20_000 {
            let len = random.below(3000) as usize;
            if random.below(2) == 0 && model.len() < 50_000 {
                let bytes: Vec<u8> = (0..len).map(|i| (i + step) as u8).collect();
                ring.fill(&bytes);
                model.extend(bytes);
            } else {
                let mut bytes = vec![0; len];
                let copied = ring.copy_to(&mut bytes);
                let expected: Vec<u8> = model.drain(..len.min(model.len())).collect();
                assert_eq!(&bytes[..copied], expected);
                ring.consume(copied);
            }
            assert_eq!(ring.len(), model.len());
        }
    }
}
