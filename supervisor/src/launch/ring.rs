//! The events of a run, as they come out of the ring.

use std::sync::atomic::Ordering;

use simrun_abi::{
    control::{RING_OFFSET, RING_SIZE},
    event::Event,
};

use super::memory::Memory;

/// Reads the ring. There is one reader.
#[derive(Default)]
pub struct Reader {
    pending: Vec<u8>,
}

impl Reader {
    /// Takes all events that are complete.
    pub fn drain(&mut self, memory: &Memory, mut each: impl FnMut(Event)) {
        self.fetch(memory);
        let mut at = 0;
        while let Some(head) = self.pending.get(at..at + 4) {
            let len = u32::from_le_bytes(head.try_into().expect("four bytes")) as usize;
            let Some(record) = self.pending.get(at + 4..at + 4 + len) else { break };
            if let Some(event) = Event::decode(record) {
                each(event);
            }
            at += 4 + len;
        }
        self.pending.drain(..at);
    }

    fn fetch(&mut self, memory: &Memory) {
        let control = memory.control();
        let mut tail = control.ring_tail.load(Ordering::Relaxed);
        let head = control.ring_head.load(Ordering::Acquire);
        while tail < head {
            let at = tail as usize % RING_SIZE;
            let len = ((head - tail) as usize).min(RING_SIZE - at);
            // SAFETY: the bytes between tail and head are in the ring and the writer leaves them alone.
            let bytes = unsafe {
                std::slice::from_raw_parts(memory.base().as_ptr().add(RING_OFFSET + at), len)
            };
            self.pending.extend_from_slice(bytes);
            tail += len as u64;
        }
        if control.ring_tail.swap(tail, Ordering::Release) != tail {
            control.ring_room.fetch_add(1, Ordering::Release);
            // SAFETY: the futex lives in the mapping.
            unsafe {
                libc::syscall(
                    libc::SYS_futex,
                    control.ring_room.as_ptr(),
                    libc::FUTEX_WAKE,
                    i32::MAX,
                )
            };
        }
    }
}
