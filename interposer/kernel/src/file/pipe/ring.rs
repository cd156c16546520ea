//! The buffer of a pipe: page slots, as fs/pipe.c has them.
//!
//! How much fits depends on how it was written: a write that does not fit into the rest of the last page starts a
//! new one. Programs that fill a pipe without blocking see that.

use alloc::{boxed::Box, collections::VecDeque, vec::Vec};

use crate::{
    error::{Errno, Result},
    file::transfer::{Sink, Source},
};

/// Bytes in a slot.
pub(crate) const PAGE: usize = 4096;
/// Slots of a new pipe (`PIPE_DEF_BUFFERS`).
const SLOTS_DEFAULT: usize = 16;
/// Empty pages kept for the next write.
const SPARE_MAX: usize = 2;

/// Whether a write keeps its bounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// Bytes run together.
    Stream,
    /// A read gives one write, and drops what does not fit (`O_DIRECT`, pipe(2)).
    Packet,
}

struct Slot {
    page: Box<[u8; PAGE]>,
    start: usize,
    end: usize,
    framing: Framing,
    /// Whether a write may go on in it (`PIPE_BUF_FLAG_CAN_MERGE`): not if another pipe has it too.
    may_grow: bool,
}

impl Slot {
    fn len(&self) -> usize {
        self.end - self.start
    }

    /// Its first bytes, as another pipe gets them.
    fn part(&self, len: usize) -> Self {
        let end = self.start + len.min(self.len());
        Self {
            page: self.page.clone(),
            start: self.start,
            end,
            framing: self.framing,
            may_grow: false,
        }
    }
}

/// Page slots in order of writing.
pub(crate) struct Ring {
    slots: VecDeque<Slot>,
    slots_max: usize,
    spare: Vec<Box<[u8; PAGE]>>,
}

impl Default for Ring {
    fn default() -> Self {
        Self { slots: VecDeque::new(), slots_max: SLOTS_DEFAULT, spare: Vec::new() }
    }
}

impl Ring {
    /// Whether there is nothing to read.
    pub fn is_empty(&self) -> bool {
        self.slots.is_empty()
    }

    /// Whether no slot is free.
    pub fn is_full(&self) -> bool {
        self.slots.len() >= self.slots_max
    }

    /// Bytes to read.
    pub fn len(&self) -> usize {
        self.slots.iter().map(Slot::len).sum()
    }

    /// Bytes in all slots, used or not.
    pub fn capacity(&self) -> usize {
        self.slots_max * PAGE
    }

    /// Bytes in free slots.
    pub fn room(&self) -> usize {
        (self.slots_max - self.slots.len()) * PAGE
    }

    /// Copies what comes next, and leaves it; how many bytes.
    pub fn peek(&self, into: &mut [u8]) -> usize {
        let mut done = 0;
        for slot in &self.slots {
            let len = slot.len().min(into.len() - done);
            into[done..done + len].copy_from_slice(&slot.page[slot.start..slot.start + len]);
            done += len;
        }
        done
    }

    /// Drops what comes next, whatever pieces it was written in.
    pub fn skip(&mut self, mut len: usize) {
        while let Some(slot) = self.slots.front_mut().filter(|_| len > 0) {
            let part = slot.len().min(len);
            slot.start += part;
            len -= part;
            if slot.len() == 0 {
                self.pop();
            }
        }
    }

    /// Sets the number of slots.
    ///
    /// # Errors
    /// `EBUSY` if more are in use.
    pub fn resize(&mut self, slots: usize) -> Result<()> {
        if slots < self.slots.len() {
            return Err(Errno::EBUSY.into());
        }
        self.slots_max = slots;
        Ok(())
    }

    /// Puts in what fits.
    ///
    /// # Errors
    /// `EAGAIN` if nothing fits; the source's.
    pub fn write(&mut self, source: &mut dyn Source, framing: Framing) -> Result<usize> {
        let mut done = self.merge(source)?;
        while source.left() > 0 {
            if self.is_full() {
                return if done > 0 { Ok(done) } else { Err(Errno::EAGAIN.into()) };
            }
            let end = source.left().min(PAGE);
            let mut page = self.spare.pop().unwrap_or_else(|| Box::new([0; PAGE]));
            if let Err(error) = source.take(&mut page[..end]) {
                self.spare.push(page);
                return if done > 0 { Ok(done) } else { Err(error) };
            }
            let may_grow = framing == Framing::Stream;
            self.slots.push_back(Slot { page, start: 0, end, framing, may_grow });
            done += end;
        }
        Ok(done)
    }

    /// Puts in bytes that lie in pages of something else, the first of them at this place of its page. Each page takes a
    /// slot, in which no write goes on, and no packet is made of it (`splice_folio_into_pipe`). How many fit.
    pub fn put_pages(&mut self, bytes: &[u8], first: usize) -> usize {
        let (mut done, mut start) = (0, first % PAGE);
        while done < bytes.len() && !self.is_full() {
            let len = (bytes.len() - done).min(PAGE - start);
            let mut page = self.spare.pop().unwrap_or_else(|| Box::new([0; PAGE]));
            page[..len].copy_from_slice(&bytes[done..done + len]);
            let framing = Framing::Stream;
            self.slots.push_back(Slot { page, start: 0, end: len, framing, may_grow: false });
            (done, start) = (done + len, 0);
        }
        done
    }

    /// Puts the odd bytes of a write, even of a packet, behind the last one if they fit there.
    fn merge(&mut self, source: &mut dyn Source) -> Result<usize> {
        let odd = source.left() % PAGE;
        match self.slots.back_mut() {
            Some(Slot { page, end, may_grow: true, .. }) if odd > 0 && *end + odd <= PAGE => {
                source.take(&mut page[*end..*end + odd])?;
                *end += odd;
                Ok(odd)
            }
            _ => Ok(0),
        }
    }

    /// Takes out what there is, or the next packet.
    ///
    /// # Errors
    /// `EAGAIN` if it is empty; the sink's.
    pub fn read(&mut self, sink: &mut dyn Sink) -> Result<usize> {
        let mut done = 0;
        while sink.room() > 0
            && let Some(slot) = self.slots.front_mut()
        {
            let len = slot.len().min(sink.room());
            if let Err(error) = sink.put(&slot.page[slot.start..slot.start + len]) {
                return if done > 0 { Ok(done) } else { Err(error) };
            }
            done += len;
            slot.start += len;
            let framing = slot.framing;
            if slot.start == slot.end || framing == Framing::Packet {
                self.pop();
            }
            if framing == Framing::Packet {
                break;
            }
        }
        if done == 0 && sink.room() > 0 { Err(Errno::EAGAIN.into()) } else { Ok(done) }
    }

    /// Moves slots into another ring as long as there are free ones (`splice_pipe_to_pipe` in fs/splice.c); how many
    /// bytes.
    pub fn pour(&mut self, to: &mut Self, len: usize) -> usize {
        let mut done = 0;
        while done < len
            && !to.is_full()
            && let Some(slot) = self.slots.front_mut()
        {
            let moved = slot.len().min(len - done);
            if moved < slot.len() {
                to.slots.push_back(slot.part(moved));
                slot.start += moved;
            } else {
                to.slots.extend(self.slots.pop_front());
            }
            done += moved;
        }
        done
    }

    /// As [`Ring::pour`], but leaves what is here (`link_pipe`).
    pub fn copy_to(&self, to: &mut Self, len: usize) -> usize {
        let mut done = 0;
        for slot in &self.slots {
            if done == len || to.is_full() {
                break;
            }
            let part = slot.part(len - done);
            done += part.len();
            to.slots.push_back(part);
        }
        done
    }

    fn pop(&mut self) {
        if let Some(slot) = self.slots.pop_front()
            && self.spare.len() < SPARE_MAX
        {
            self.spare.push(slot.page);
        }
    }
}

#[cfg(test)]
mod tests;
