//! eventfd(2).

use alloc::{format, string::String};
use core::cell::Cell;

use super::{
    FileDescription, FileObject, Whence,
    transfer::{Sink, Source, UserBuffers},
};
use crate::{
    error::{Errno, Result},
    machine::Env,
    user::UserSlice,
    wait::{Readiness, WaitQueue, Wakes},
};

/// What a read takes from the counter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EventKind {
    /// All.
    Counter,
    /// One (`EFD_SEMAPHORE`).
    Semaphore,
}

/// A counter that can be waited for.
pub struct EventFd {
    count: Cell<u64>,
    kind: EventKind,
    queue: WaitQueue,
}

/// Most that a counter can hold.
const COUNT_MAX: u64 = u64::MAX - 1;

impl EventFd {
    /// A counter that stands at `count`.
    #[must_use]
    pub fn new(count: u64, kind: EventKind) -> Self {
        Self { count: Cell::new(count), kind, queue: WaitQueue::default() }
    }

    /// What a read gets.
    ///
    /// # Errors
    /// `EAGAIN` at zero.
    pub fn take(&self, wakes: &mut Wakes) -> Result<u64> {
        let count = self.count.get();
        let taken = match self.kind {
            EventKind::Counter => count,
            EventKind::Semaphore => count.min(1),
        };
        if taken == 0 {
            return Err(Errno::EAGAIN.into());
        }
        self.count.set(count - taken);
        self.queue.wake(Readiness::OUT, wakes);
        Ok(taken)
    }

    /// Adds what was written.
    ///
    /// # Errors
    /// `EINVAL` for more than a counter holds, `EAGAIN` for more than this one has room for.
    pub fn add(&self, added: u64, wakes: &mut Wakes) -> Result<()> {
        if added > COUNT_MAX {
            return Err(Errno::EINVAL.into());
        }
        if added > COUNT_MAX.saturating_sub(self.count.get()) {
            return Err(Errno::EAGAIN.into());
        }
        self.count.set(self.count.get() + added);
        self.queue.wake(Readiness::IN, wakes);
        Ok(())
    }

    /// Adds one, as the kernel does: only so a counter gets to the number that stands for too many (`eventfd_signal`).
    pub fn signal(&self, wakes: &mut Wakes) {
        self.count.set(self.count.get().saturating_add(1));
        self.queue.wake(Readiness::IN, wakes);
    }
}

impl FileObject for EventFd {
    fn read(&self, env: &mut Env<'_>, _: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        let mut sink = UserBuffers::new(env.host, into);
        if sink.room() < size_of::<u64>() {
            return Err(Errno::EINVAL.into());
        }
        let taken = self.take(&mut env.machine.wakes)?;
        sink.put(&taken.to_ne_bytes())?;
        Ok(size_of::<u64>())
    }

    /// Each buffer is a number of its own (`do_loop_readv_writev`), and nothing else (`eventfd_write` since Linux 6.7;
    /// before, what was behind the number did not count).
    fn write(&self, env: &mut Env<'_>, _: &FileDescription, from: &[UserSlice]) -> Result<usize> {
        let number =
            from.iter().position(|buffer| buffer.len > 0).map_or(from, |at| &from[at..=at]);
        let mut source = UserBuffers::new(env.host, number);
        if source.left() != size_of::<u64>() {
            return Err(Errno::EINVAL.into());
        }
        let mut bytes = [0; size_of::<u64>()];
        source.take(&mut bytes)?;
        self.add(u64::from_ne_bytes(bytes), &mut env.machine.wakes)?;
        Ok(size_of::<u64>())
    }

    fn details(&self) -> String {
        let is_semaphore = u8::from(self.kind == EventKind::Semaphore);
        let count = self.count.get();
        format!("eventfd-count: {count:16x}\neventfd-id: 1\neventfd-semaphore: {is_semaphore}\n")
    }

    fn seek(&self, _: &mut Env<'_>, file: &FileDescription, _: i64, _: Whence) -> Result<u64> {
        Ok(file.offset.get())
    }

    fn readiness(&self) -> Readiness {
        let mut ready = Readiness::empty();
        ready.set(Readiness::IN, self.count.get() > 0);
        ready.set(Readiness::OUT, self.count.get() < COUNT_MAX);
        ready.set(Readiness::ERR, self.count.get() > COUNT_MAX);
        ready
    }

    fn queue(&self) -> Option<&WaitQueue> {
        Some(&self.queue)
    }
}
