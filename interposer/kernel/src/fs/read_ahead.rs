//! Reading ahead in a file of the host that is read in sequence, piece by piece.
//!
//! A call of the host costs more than copying a page: a program that reads small pieces one after the other gets most of
//! them from what one call has brought.

use alloc::{boxed::Box, vec, vec::Vec};

use crate::host::{Host, HostFd, HostResult};

/// Longest piece that is worth it, in bytes.
const PIECE_MAX: usize = 16 << 10;
/// Bytes read at a time: few enough to be still in the processor's cache when they are wanted.
const AHEAD: usize = 64 << 10;
/// Pieces in sequence before anything is read ahead.
const PIECES_MIN: u32 = 4;

/// How a file has been read lately, and what has been read of it ahead.
#[derive(Debug, Default)]
pub(super) struct ReadAhead {
    /// Where the last piece ended.
    end: u64,
    /// Pieces in sequence.
    pieces: u32,
    ahead: Option<Box<Ahead>>,
}

/// Bytes from an offset on.
#[derive(Debug)]
struct Ahead {
    start: u64,
    bytes: Vec<u8>,
    /// Whether the file ends with them.
    is_last: bool,
}

impl Ahead {
    /// Up to `len` bytes at an offset, if they are there.
    fn part(&self, at: u64, len: usize) -> Option<&[u8]> {
        let from = usize::try_from(at.checked_sub(self.start)?).ok()?;
        let rest = self.bytes.get(from..)?;
        (rest.len() >= len || self.is_last).then(|| &rest[..len.min(rest.len())])
    }
}

impl ReadAhead {
    /// The bytes for a piece; `None` if it should be read as it is.
    ///
    /// # Errors
    /// As pread(2).
    pub(super) fn piece(
        &mut self,
        host: &mut dyn Host,
        file: HostFd,
        at: u64,
        len: usize,
    ) -> HostResult<Option<&[u8]>> {
        self.pieces = if at == self.end { self.pieces.saturating_add(1) } else { 0 };
        self.end = at.saturating_add(len as u64);
        if len > PIECE_MAX || self.pieces < PIECES_MIN {
            return Ok(None);
        }
        let is_there = self.ahead.as_ref().is_some_and(|ahead| ahead.part(at, len).is_some());
        if !is_there {
            let ahead = self.ahead.get_or_insert_with(|| {
                Box::new(Ahead { start: 0, bytes: vec![0; AHEAD], is_last: false })
            });
            ahead.bytes.resize(AHEAD, 0);
            let done = host.pread(file, &mut ahead.bytes, at);
            ahead.bytes.truncate(done.unwrap_or(0));
            (ahead.start, ahead.is_last) = (at, done? < AHEAD);
        }
        Ok(self.ahead.as_ref().and_then(|ahead| ahead.part(at, len)))
    }

    /// Forgets everything.
    pub(super) fn clear(&mut self) {
        *self = Self::default();
    }
}
