//! The bytes of a large file of the host of which the run has changed a part.
//!
//! Who changes a page of a file that may be gigabytes long pays for the page. Pages that the run has written to are in a
//! memory file, each at its place; the others are read where the host has them.

use alloc::{collections::BTreeMap, vec::Vec};

use super::memory_file;
use crate::{
    error::{Errno, Result},
    host::{Host, HostFd},
    uapi::limits::PAGE_SIZE,
};

/// Bytes that are copied at a time.
const COPIED: u64 = 64 << 10;

/// The bytes of a file, some of them the host's.
#[derive(Debug)]
pub(super) struct Partly {
    /// The host's file.
    below: HostFd,
    /// How many of its bytes may still show: what the run has cut off once does not come back.
    below_len: u64,
    /// The memory file, as long as all is.
    own: HostFd,
    /// The first pages of ranges that are in it, and the first behind them; no two of them touch.
    pages: BTreeMap<u64, u64>,
}

impl Partly {
    /// All of them the host's. Its file is this one's to close from now on, unless this fails.
    ///
    /// # Errors
    /// What the host says to a new memory file.
    pub(super) fn over(host: &mut dyn Host, below: HostFd, len: u64) -> Result<Self> {
        let own = memory_file::of_length(host, len)?;
        Ok(Self { below, below_len: len, own, pages: BTreeMap::new() })
    }

    /// Which file has the bytes at an offset, and how many of them, at most `len`, up to where it is the other.
    fn place(&self, at: u64, len: u64) -> (HostFd, u64) {
        let page = at / PAGE_SIZE;
        let until = |end: u64| end.saturating_sub(at).min(len);
        if at >= self.below_len {
            return (self.own, len);
        }
        if let Some((_, &end)) = self.pages.range(..=page).next_back()
            && page < end
        {
            return (self.own, until(end * PAGE_SIZE));
        }
        let next = self.pages.range(page + 1..).next().map(|(&start, _)| start * PAGE_SIZE);
        (self.below, until(next.unwrap_or(u64::MAX).min(self.below_len)))
    }

    /// Lets `read` read `len` bytes at an offset, piece by piece: from a file, how many, at which place in it, how many
    /// bytes after the first. How many it says that it has read.
    ///
    /// # Errors
    /// What it fails with.
    pub(super) fn read(
        &self,
        at: u64,
        len: usize,
        mut read: impl FnMut(HostFd, usize, u64, usize) -> Result<usize>,
    ) -> Result<usize> {
        let mut done = 0;
        while done < len {
            let from = at + done as u64;
            let (file, part) = self.place(from, (len - done) as u64);
            match read(file, part as usize, from, done) {
                Ok(moved) => {
                    done += moved;
                    if (moved as u64) < part {
                        break;
                    }
                }
                Err(error) if done == 0 => return Err(error),
                Err(_) => break,
            }
        }
        Ok(done)
    }

    /// Lets `write` write at an offset of a file, and keeps as many bytes as it says that it has written.
    ///
    /// # Errors
    /// What it fails with.
    pub(super) fn write(
        &mut self,
        host: &mut dyn Host,
        at: u64,
        write: impl FnOnce(&mut dyn Host, HostFd) -> Result<usize>,
    ) -> Result<usize> {
        self.fetch(host, at / PAGE_SIZE * PAGE_SIZE, at)?;
        let done = write(host, self.own)?;
        if done > 0 {
            let end = at + done as u64;
            self.fetch(host, end, end.next_multiple_of(PAGE_SIZE))?;
            self.keep(at / PAGE_SIZE, end.div_ceil(PAGE_SIZE));
        }
        Ok(done)
    }

    /// Copies what of a range is still the host's. Nobody sees it there yet.
    fn fetch(&self, host: &mut dyn Host, from: u64, to: u64) -> Result<()> {
        let (mut buffer, mut at) = (Vec::new(), from);
        while at < to {
            let (file, part) = self.place(at, (to - at).min(COPIED));
            let part = part as usize;
            if file == self.below {
                buffer.resize(part, 0);
                // A file that became shorter meanwhile reads as zeros there.
                let there = host.pread(file, &mut buffer, at)?;
                if there > 0 && host.pwrite(self.own, &buffer[..there], at)? < there {
                    return Err(Errno::ENOSPC.into());
                }
            }
            at += part as u64;
        }
        Ok(())
    }

    /// These pages are in the memory file from now on.
    fn keep(&mut self, mut start: u64, mut end: u64) {
        // The one before may reach into it, and so may several behind.
        while let Some((&first, &behind)) = self.pages.range(..=end).next_back()
            && behind >= start
        {
            start = start.min(first);
            end = end.max(behind);
            self.pages.remove(&first);
        }
        self.pages.insert(start, end);
    }

    /// Cuts or lengthens them.
    ///
    /// # Errors
    /// What the host says.
    pub(super) fn resize(&mut self, host: &mut dyn Host, len: u64) -> Result<()> {
        memory_file::resize(host, self.own, len)?;
        self.below_len = self.below_len.min(len);
        let behind = len.div_ceil(PAGE_SIZE);
        self.pages.split_off(&behind);
        if let Some((_, end)) = self.pages.range_mut(..behind).next_back() {
            *end = (*end).min(behind);
        }
        Ok(())
    }

    /// Blocks of 512 bytes that they take up.
    pub(super) fn blocks(&self) -> u64 {
        let below = self.below_len.div_ceil(PAGE_SIZE);
        let own = |(&start, &end): (&u64, &u64)| end.saturating_sub(start.max(below));
        (below + self.pages.iter().map(own).sum::<u64>()) * (PAGE_SIZE / 512)
    }

    /// Up to where there are no holes, as far as anybody is told: where the host keeps holes is its own affair. Behind it,
    /// the memory file has all.
    pub(super) fn dense(&self) -> (u64, HostFd) {
        (self.below_len.next_multiple_of(PAGE_SIZE), self.own)
    }

    /// Brings all of them into the memory file, which is the caller's from then on.
    ///
    /// # Errors
    /// What the host says.
    pub(super) fn gather(&self, host: &mut dyn Host) -> Result<HostFd> {
        self.fetch(host, 0, self.below_len)?;
        host.close(self.below);
        Ok(self.own)
    }

    /// Gives them up.
    pub(super) fn discard(self, host: &mut dyn Host) {
        host.close(self.below);
        host.close(self.own);
    }
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{random::Stream, testing::FakeHost};

    const LEN: u64 = 5 * PAGE_SIZE + 100;

    /// A file of the host, and a part of it.
    fn large(byte: impl Fn(u64) -> u8) -> (FakeHost, Vec<u8>, Partly) {
        let mut host = FakeHost::with_files(&["/large"]);
        let below = host.open(b"/large", 0, 0).unwrap();
        let bytes: Vec<u8> = (0..LEN).map(byte).collect();
        host.pwrite(below, &bytes, 0).unwrap();
        let file = Partly::over(&mut host, below, LEN).unwrap();
        (host, bytes, file)
    }

    fn bytes(host: &mut FakeHost, file: &Partly, len: usize) -> Vec<u8> {
        let mut bytes = vec![0xff; len];
        let read = file.read(0, len, |from, part, at, done| {
            Ok(host.pread(from, &mut bytes[done..done + part], at)?)
        });
        assert_eq!(read, Ok(len));
        bytes
    }

    #[test]
    fn it_holds_what_a_file_would() {
        for seed in 0..300 {
            let mut draw = Stream::new(seed, 0);
            let (mut host, mut model, mut file) = large(|at| (at % 251) as u8 + 1);
            for number in 0..draw.below(12) {
                let at = match draw.below(2) {
                    0 => draw.below(8) * PAGE_SIZE,
                    _ => draw.below(LEN + PAGE_SIZE),
                };
                if draw.below(4) == 0 {
                    file.resize(&mut host, at).unwrap();
                    model.resize(at as usize, 0);
                } else {
                    // Of some nothing arrives.
                    let len = [0, 1, PAGE_SIZE, draw.below(9000)][draw.below(4) as usize];
                    let from = vec![200 + number as u8; len as usize];
                    let write = |host: &mut dyn Host, own| Ok(host.pwrite(own, &from, at)?);
                    assert_eq!(file.write(&mut host, at, write), Ok(from.len()), "seed {seed}");
                    let end = at as usize + from.len();
                    if !from.is_empty() {
                        model.resize(model.len().max(end), 0);
                        model[at as usize..end].copy_from_slice(&from);
                    }
                }
                assert!(bytes(&mut host, &file, model.len()) == model, "seed {seed}");
                let mut apart = file.pages.iter().zip(file.pages.iter().skip(1));
                assert!(apart.all(|((_, end), (start, _))| end < start), "{:?}", file.pages);
            }
            let all = file.gather(&mut host).unwrap();
            let mut gathered = vec![0xff; model.len()];
            assert_eq!(host.pread(all, &mut gathered, 0), Ok(model.len()));
            assert!(gathered == model, "seed {seed}");
            assert_eq!(host.open_paths().len(), 1);
        }
    }

    #[test]
    fn only_what_is_written_is_copied() {
        let (mut host, _, mut file) = large(|_| 7);
        let write = |host: &mut dyn Host, own| Ok(host.pwrite(own, b"x", PAGE_SIZE + 1)?);
        assert_eq!(file.write(&mut host, PAGE_SIZE + 1, write), Ok(1));
        assert_eq!(file.pages, BTreeMap::from([(1, 2)]));
        assert_eq!((file.blocks(), file.dense().0), (6 * 8, 6 * PAGE_SIZE));
        file.resize(&mut host, PAGE_SIZE / 2).unwrap();
        file.resize(&mut host, LEN).unwrap();
        assert_eq!((file.blocks(), file.dense().0), (8, PAGE_SIZE));
        assert!(file.pages.is_empty());
        let mut own = vec![1; LEN as usize];
        host.pread(file.own, &mut own, 0).unwrap();
        assert!(own.iter().all(|&byte| byte == 0));
        file.discard(&mut host);
        assert!(host.open_paths().is_empty());
    }
}
