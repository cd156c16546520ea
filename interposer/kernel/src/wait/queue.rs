//! Wait queues: who wants to know when an object changes.

use alloc::{
    collections::VecDeque,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::cell::RefCell;

use linux_raw_sys::general as raw;

use super::{Notice, Notifies};
use crate::process::ThreadId;

bitflags::bitflags! {
    /// What an object is ready for: the bits of poll(2) and epoll(7), which are the same.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Readiness: u32 {
        /// Something to read.
        const IN = raw::POLLIN;
        /// Urgent data.
        const PRI = raw::POLLPRI;
        /// Room to write.
        const OUT = raw::POLLOUT;
        /// An error; always reported.
        const ERR = raw::POLLERR;
        /// Both directions are shut; always reported.
        const HUP = raw::POLLHUP;
        /// Not an open descriptor; `poll` only.
        const NVAL = raw::POLLNVAL;
        /// As `IN`.
        const RDNORM = raw::POLLRDNORM;
        /// Priority data.
        const RDBAND = raw::POLLRDBAND;
        /// As `OUT`.
        const WRNORM = raw::POLLWRNORM;
        /// Room for priority data.
        const WRBAND = raw::POLLWRBAND;
        /// The peer has shut its writing half.
        const RDHUP = raw::POLLRDHUP;
    }
}

impl Readiness {
    /// Readable in both spellings.
    pub const READABLE: Self = Self::IN.union(Self::RDNORM);
    /// Writable in both spellings.
    pub const WRITABLE: Self = Self::OUT.union(Self::WRNORM);
}

/// Something other than a blocked thread that follows an object: an epoll instance's interest.
pub trait Observer {
    /// The object may have become ready for `what`; whether that woke a thread.
    fn notify(&self, what: Readiness, wakes: &mut Wakes) -> bool;

    /// Whether it wants to be left out once another one like it has woken a thread (`EPOLLEXCLUSIVE`).
    fn is_exclusive(&self) -> bool;
}

enum Waiter {
    Thread(ThreadId, Readiness),
    Observer(Weak<dyn Observer>),
}

/// Threads to be made runnable, and signals that tell of readiness. Objects fill it, the kernel empties it after every
/// handler, so that no object reaches into the scheduler.
#[derive(Default)]
pub struct Wakes {
    threads: VecDeque<ThreadId>,
    notifiers: Vec<Rc<dyn Notifies>>,
}

impl Wakes {
    /// Notes a thread.
    pub fn push(&mut self, thread: ThreadId) {
        self.threads.push_back(thread);
    }

    /// Takes the thread that was noted first.
    pub fn take_first(&mut self) -> Option<ThreadId> {
        self.threads.pop_front()
    }

    /// Notes somebody who has signals to send.
    pub fn push_notifier(&mut self, notifier: Rc<dyn Notifies>) {
        self.notifiers.push(notifier);
    }

    /// Takes all signals to be sent, in order.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        let notifiers = core::mem::take(&mut self.notifiers);
        notifiers.iter().flat_map(|notifier| notifier.notices(self)).collect()
    }

    /// Whether there is nothing to take.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.threads.is_empty() && self.notifiers.is_empty()
    }
}

/// Who wants to know when an object changes. A handle: clones are the same queue.
#[derive(Clone, Default)]
pub struct WaitQueue {
    waiters: Rc<RefCell<Vec<Waiter>>>,
}

impl WaitQueue {
    /// Wakes every waiter that wants any of this: threads look again and wait again if they must; observers are told
    /// `what`. An error or a hang-up is wanted by all.
    pub fn wake(&self, what: Readiness, wakes: &mut Wakes) {
        if self.waiters.borrow().is_empty() {
            return;
        }
        let concerns_all = what.intersects(Readiness::ERR | Readiness::HUP);
        let mut observers = false;
        self.waiters.borrow_mut().retain(|waiter| match waiter {
            Waiter::Thread(thread, wanted) if concerns_all || wanted.intersects(what) => {
                wakes.push(*thread);
                false
            }
            Waiter::Thread(..) => true,
            Waiter::Observer(observer) => {
                let lives = observer.strong_count() > 0;
                observers |= lives;
                lives
            }
        });
        if observers {
            self.notify_observers(what, wakes);
        }
    }

    /// An observer may wake further queues, this one too, so none is borrowed while it is told.
    fn notify_observers(&self, what: Readiness, wakes: &mut Wakes) {
        let mut index = 0;
        let mut taken = false;
        loop {
            let observer = match self.waiters.borrow().get(index) {
                None => return,
                Some(Waiter::Thread(..)) => None,
                Some(Waiter::Observer(observer)) => observer.upgrade(),
            };
            if let Some(observer) = observer.filter(|one| !(taken && one.is_exclusive())) {
                taken |= observer.notify(what, wakes) && observer.is_exclusive();
            }
            index += 1;
        }
    }

    /// Registers a thread that wants any of this until the next such wake, or until [`WaitQueue::remove`].
    pub fn add(&self, thread: ThreadId, wanted: Readiness) {
        self.waiters.borrow_mut().push(Waiter::Thread(thread, wanted));
    }

    /// Takes out the thread that has waited longest, and wakes it.
    pub fn take_first(&self, wakes: &mut Wakes) -> Option<ThreadId> {
        let mut waiters = self.waiters.borrow_mut();
        let index = waiters.iter().position(|waiter| matches!(waiter, Waiter::Thread(..)))?;
        let Waiter::Thread(thread, _) = waiters.remove(index) else { return None };
        wakes.push(thread);
        Some(thread)
    }

    /// Takes a thread back out.
    pub fn remove(&self, thread: ThreadId) {
        self.waiters
            .borrow_mut()
            .retain(|waiter| !matches!(waiter, Waiter::Thread(id, _) if *id == thread));
    }

    /// Registers an observer for as long as it lives. The one that came last is told first, and behind them, as they came,
    /// those that leave each other out (`__add_wait_queue`, `__add_wait_queue_entry_tail`).
    pub fn observe(&self, observer: Weak<dyn Observer>) {
        let mut waiters = self.waiters.borrow_mut();
        waiters.retain(
            |waiter| !matches!(waiter, Waiter::Observer(other) if other.strong_count() == 0),
        );
        let is_exclusive = observer.upgrade().is_some_and(|observer| observer.is_exclusive());
        let place = if is_exclusive { waiters.len() } else { 0 };
        waiters.insert(place, Waiter::Observer(observer));
    }

    /// Whether a thread waits.
    #[must_use]
    pub fn has_threads(&self) -> bool {
        self.waiters.borrow().iter().any(|waiter| matches!(waiter, Waiter::Thread(..)))
    }
}

impl core::fmt::Debug for WaitQueue {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        write!(f, "WaitQueue({})", self.waiters.borrow().len())
    }
}
