//! The bytes of a file as they are on the disk, where they are not those that programs see.

use alloc::{boxed::Box, collections::BTreeMap, vec, vec::Vec};

use crate::{
    error::Result,
    fs::Contents,
    host::{Host, read_full},
    random::Stream,
    time::Instant,
};

/// Bytes of a page, the unit in which files are written back.
const PAGE: u64 = 4096;
/// Bytes that a disk writes as a whole or not at all.
const SECTOR: usize = 512;

/// The bytes of a file that has been changed since it was last made durable.
#[derive(Debug)]
pub struct Pages {
    /// Length on the disk.
    size: u64,
    /// The shortest that the file has been since: bytes behind it were cut off, and what is there now is in new blocks.
    cut: u64,
    /// Pages that have been changed, as they are on the disk.
    before: BTreeMap<u64, Box<[u8]>>,
    /// When the first of them was changed.
    pub since: Instant,
}

impl Pages {
    /// Nothing changed yet in a file of this length.
    #[must_use]
    pub const fn new(size: u64, since: Instant) -> Self {
        Self { size, cut: size, before: BTreeMap::new(), since }
    }

    /// Whether the file has another length than on the disk, or had one meanwhile.
    #[must_use]
    pub fn is_resized(&self, contents: &Contents) -> bool {
        self.cut != self.size || contents.size() != self.size
    }

    /// Bytes from `at` on are about to change.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn save(
        &mut self,
        host: &mut dyn Host,
        contents: &Contents,
        at: u64,
        len: u64,
    ) -> Result<()> {
        let end = at.saturating_add(len).min(self.cut);
        for page in at / PAGE..end.div_ceil(PAGE) {
            if !self.before.contains_key(&page) {
                let mut bytes = vec![0; (self.size - page * PAGE).min(PAGE) as usize];
                read(host, contents, &mut bytes, page * PAGE)?;
                self.before.insert(page, bytes.into());
            }
        }
        Ok(())
    }

    /// The file is about to get this length.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn cut(&mut self, host: &mut dyn Host, contents: &Contents, len: u64) -> Result<()> {
        self.save(host, contents, len, u64::MAX)?;
        self.cut = self.cut.min(len);
        Ok(())
    }

    /// Brings the file to a state in which the disk may be after a loss of power: cut off or not, grown from there as far
    /// as its bytes were written, each sector of what stayed in place old or new.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn lose(self, host: &mut dyn Host, contents: &Contents, random: &mut Stream) -> Result<()> {
        let now = contents.size();
        let new_share = SHARES[random.below(SHARES.len() as u64) as usize];
        let is_cut = self.cut == self.size || random.below(2) == 0;
        let mut mixed = Vec::new();
        for (page, before) in &self.before {
            let at = page * PAGE;
            let mut bytes = before.to_vec();
            let mut newer = vec![0; bytes.len()];
            // Behind the cut, old and new are in different blocks.
            let there = self.cut.min(now).saturating_sub(at).min(newer.len() as u64) as usize;
            read(host, contents, &mut newer[..there], at)?;
            for (old, new) in bytes.chunks_mut(SECTOR).zip(newer[..there].chunks(SECTOR)) {
                if random.below(100) < new_share {
                    old[..new.len()].copy_from_slice(new);
                }
            }
            mixed.push((at, bytes));
        }
        let size = if is_cut {
            let grown = now.saturating_sub(self.cut);
            self.cut
                + match random.below(3) {
                    0 => 0,
                    1 => grown,
                    _ => {
                        let end = self.cut + random.below(grown + 1);
                        (end / PAGE * PAGE).max(self.cut) - self.cut
                    }
                }
        } else {
            contents.truncate(host, self.cut)?;
            self.size
        };
        contents.truncate(host, size)?;
        let kept_in_place = if is_cut { self.cut } else { self.size };
        for (at, bytes) in mixed {
            let len = kept_in_place.saturating_sub(at).min(bytes.len() as u64) as usize;
            write(host, contents, &bytes[..len], at)?;
        }
        Ok(())
    }

    /// As [`Self::lose`], where nothing ties the length to the bytes: each sector may be there or not, and reads as
    /// zeros if it is not.
    ///
    /// # Errors
    /// What the host fails with.
    pub fn lose_strictly(
        self,
        host: &mut dyn Host,
        contents: &Contents,
        random: &mut Stream,
    ) -> Result<()> {
        let (old, now) = (self.cut, contents.size());
        let zeroed_share = SHARES[random.below(SHARES.len() as u64) as usize];
        self.lose(host, contents, random)?;
        let (mut at, end) = (old.next_multiple_of(SECTOR as u64), contents.size().min(now));
        while at < end {
            let len = (end - at).min(SECTOR as u64) as usize;
            if random.below(100) < zeroed_share {
                write(host, contents, &vec![0; len], at)?;
            }
            at += len as u64;
        }
        Ok(())
    }
}

/// How likely a sector is new, in percent: drawn for each file, so that all old and all new are common.
const SHARES: [u64; 4] = [0, 50, 90, 100];

fn read(host: &mut dyn Host, contents: &Contents, into: &mut [u8], at: u64) -> Result<()> {
    read_full(into, at, |into, at| contents.read(host, into, at)).map(drop)
}

fn write(host: &mut dyn Host, contents: &Contents, bytes: &[u8], at: u64) -> Result<()> {
    let mut done = 0;
    while done < bytes.len() {
        done += contents.write(host, &bytes[done..], at + done as u64)?;
    }
    Ok(())
}
