//! Where bytes come from and go to: a program's buffers, or memory of the kernel.

use crate::{
    error::Result,
    host::Host,
    user::{self, UserSlice},
};

/// Bytes on their way into an object.
pub(crate) trait Source {
    /// How many are left.
    fn left(&self) -> usize;
    /// Takes the next ones; `into` is no longer than what is left.
    fn take(&mut self, into: &mut [u8]) -> Result<()>;
}

/// Room for bytes that come out of an object.
pub(crate) trait Sink {
    /// How many still fit.
    fn room(&self) -> usize;
    /// Puts the next ones, which must fit.
    fn put(&mut self, bytes: &[u8]) -> Result<()>;
}

/// A program's buffers, from front to back.
pub(crate) struct UserBuffers<'a> {
    host: &'a mut dyn Host,
    slices: &'a [UserSlice],
    left: usize,
    /// Bytes of the first slice that are through.
    passed: usize,
}

impl<'a> UserBuffers<'a> {
    /// All of these buffers.
    pub fn new(host: &'a mut dyn Host, slices: &'a [UserSlice]) -> Self {
        Self { host, slices, left: user::total_len(slices), passed: 0 }
    }

    /// The next stretch of one buffer, at most this long.
    fn next(&mut self, len: usize) -> UserSlice {
        while let [first, rest @ ..] = self.slices
            && first.len == self.passed
        {
            (self.slices, self.passed) = (rest, 0);
        }
        let Some(first) = self.slices.first() else { return UserSlice::default() };
        first.part(self.passed, len)
    }

    fn advance(&mut self, len: usize) {
        self.passed += len;
        self.left -= len;
    }
}

impl Source for UserBuffers<'_> {
    fn left(&self) -> usize {
        self.left
    }

    fn take(&mut self, mut into: &mut [u8]) -> Result<()> {
        while !into.is_empty() {
            let slice = self.next(into.len());
            let (now, later) = into.split_at_mut(slice.len);
            user::read_bytes(self.host, slice.address, now)?;
            self.advance(slice.len);
            into = later;
        }
        Ok(())
    }
}

impl Sink for UserBuffers<'_> {
    fn room(&self) -> usize {
        self.left
    }

    fn put(&mut self, mut bytes: &[u8]) -> Result<()> {
        while !bytes.is_empty() {
            let slice = self.next(bytes.len());
            let (now, later) = bytes.split_at(slice.len);
            user::write_bytes(self.host, slice.address, now)?;
            self.advance(slice.len);
            bytes = later;
        }
        Ok(())
    }
}

impl Source for &[u8] {
    fn left(&self) -> usize {
        self.len()
    }

    fn take(&mut self, into: &mut [u8]) -> Result<()> {
        let (now, later) = self.split_at(into.len());
        into.copy_from_slice(now);
        *self = later;
        Ok(())
    }
}

impl Sink for &mut [u8] {
    fn room(&self) -> usize {
        self.len()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<()> {
        let (now, later) = core::mem::take(self).split_at_mut(bytes.len());
        now.copy_from_slice(bytes);
        *self = later;
        Ok(())
    }
}
