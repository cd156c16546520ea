//! The bytes of a small file, in the kernel's memory.

use alloc::vec::Vec;
use core::ops::Range;

use super::Extent;
use crate::{error::Result, uapi::limits::PAGE_SIZE};

/// Most bytes of a file that is kept in the kernel's memory.
pub(super) const BYTES_MAX: u64 = 64 << 10;
/// Pages of that many bytes, each a bit of [`Bytes::written`].
const PAGES: u64 = BYTES_MAX / PAGE_SIZE;
const _: () = assert!(PAGES <= u32::BITS as u64);

/// The bytes of a small file. They know which pages have been written, the others being holes.
#[derive(Debug, Default)]
pub(super) struct Bytes {
    bytes: Vec<u8>,
    written: u32,
}

impl Bytes {
    /// These bytes, none of them a hole.
    pub(super) fn full(bytes: Vec<u8>) -> Self {
        let written = pages(0, bytes.len());
        Self { bytes, written }
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Blocks of 512 bytes that they take up.
    pub(super) fn blocks(&self) -> u64 {
        u64::from(self.written.count_ones()) * (PAGE_SIZE / 512)
    }

    /// The bytes from an offset on, at most `max` of them.
    pub(super) fn part(&self, at: u64, max: usize) -> &[u8] {
        let start = usize::try_from(at).unwrap_or(usize::MAX).min(self.len());
        &self.bytes[start..start + max.min(self.len() - start)]
    }

    /// Lets `fill` write `len` bytes at an offset, and keeps as many as it says that it has.
    pub(super) fn write(
        &mut self,
        at: usize,
        len: usize,
        fill: impl FnOnce(&mut [u8]) -> Result<usize>,
    ) -> Result<usize> {
        let before = self.len();
        self.bytes.resize(before.max(at + len), 0);
        let done = fill(&mut self.bytes[at..at + len]);
        let kept = done.as_ref().map_or(0, |&done| done);
        let end = if kept > 0 { at + kept } else { 0 };
        self.bytes.truncate(before.max(end));
        self.written |= pages(at, kept);
        done
    }

    /// Cuts or lengthens them.
    pub(super) fn resize(&mut self, len: usize) {
        self.bytes.resize(len, 0);
        self.written &= pages(0, len);
    }

    /// Where the next data or hole is, from an offset before the end; the end if there is none.
    pub(super) fn next(&self, extent: Extent, at: u64) -> u64 {
        let is_it = |page: u64| (self.written >> page & 1 != 0) == (extent == Extent::Data);
        let page = (at / PAGE_SIZE..PAGES).find(|&page| is_it(page)).unwrap_or(PAGES);
        (page * PAGE_SIZE).max(at).min(self.len() as u64)
    }

    /// The ranges that are no holes.
    pub(super) fn data(&self) -> impl Iterator<Item = Range<usize>> {
        let mut at = 0;
        core::iter::from_fn(move || {
            let end = self.len() as u64;
            let start = self.next(Extent::Data, at);
            at = self.next(Extent::Hole, start);
            (start < end).then_some(start as usize..at as usize)
        })
    }

    /// These.
    pub(super) fn range(&self, range: Range<usize>) -> &[u8] {
        &self.bytes[range]
    }
}

/// The pages that a range touches, as bits.
fn pages(at: usize, len: usize) -> u32 {
    let page = PAGE_SIZE as usize;
    let below = |end: usize| ((1u64 << end) - 1) as u32;
    if len == 0 { 0 } else { below((at + len).div_ceil(page)) & !below(at / page) }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;

    #[test]
    fn what_was_not_written_is_a_hole() {
        let mut bytes = Bytes::default();
        assert_eq!(bytes.write(9000, 10, |place| Ok(place.len())).unwrap(), 10);
        assert_eq!(bytes.next(Extent::Data, 5), 8192);
        assert_eq!(bytes.next(Extent::Hole, 5), 5);
        assert_eq!(bytes.next(Extent::Hole, 8200), 9010);
        assert_eq!(bytes.blocks(), 8);
        assert_eq!(bytes.data().next(), Some(8192..9010));
        bytes.resize(8192);
        assert_eq!(bytes.next(Extent::Data, 0), 8192);
        assert_eq!(bytes.blocks(), 0);
        bytes.resize(20_000);
        assert!(bytes.data().next().is_none());
    }

    #[test]
    fn a_write_that_stops_short_leaves_the_rest() {
        let mut bytes = Bytes::full(vec![7; 100]);
        assert_eq!(bytes.write(90, 50, |_| Ok(5)).unwrap(), 5);
        assert_eq!(bytes.len(), 100);
        assert_eq!(bytes.write(90, 50, |_| Ok(20)).unwrap(), 20);
        assert_eq!(bytes.len(), 110);
        assert_eq!(bytes.write(200, 50, |_| Ok(0)).unwrap(), 0);
        assert_eq!(bytes.len(), 110);
    }
}
