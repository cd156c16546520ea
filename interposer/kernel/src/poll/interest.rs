//! One file in an epoll instance.

use alloc::rc::{Rc, Weak};
use core::cell::Cell;

use linux_raw_sys::general as raw;

use super::Epoll;
use crate::{
    file::{FileDescription, Watcher},
    wait::{Observer, Readiness, Wakes},
};

bitflags::bitflags! {
    /// `epoll_event.events` as a program gives it: what is wanted, and how.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Wanted: u32 {
        /// Report a readiness once.
        const EDGE = raw::EPOLLET;
        /// Report once, then nothing until the interest is modified.
        const ONE_SHOT = raw::EPOLLONESHOT;
        /// Keep the machine awake; without effect here.
        const WAKE_UP = raw::EPOLLWAKEUP;
        /// Of several instances that follow a file so, wake one.
        const EXCLUSIVE = raw::EPOLLEXCLUSIVE;
        /// The bits that say what is wanted.
        const _ = !0;
    }
}

impl Wanted {
    /// The bits that say how (`EP_PRIVATE_BITS`).
    const HOW: Self = Self::EDGE.union(Self::ONE_SHOT).union(Self::WAKE_UP).union(Self::EXCLUSIVE);
    /// What may stand beside `EXCLUSIVE` (`EPOLLEXCLUSIVE_OK_BITS`).
    pub const BESIDE_EXCLUSIVE: Self =
        Self::from_bits_retain(raw::EPOLLIN | raw::EPOLLOUT | raw::EPOLLERR | raw::EPOLLHUP)
            .union(Self::EDGE)
            .union(Self::WAKE_UP)
            .union(Self::EXCLUSIVE);

    /// What is wanted.
    #[must_use]
    pub fn readiness(self) -> Readiness {
        Readiness::from_bits_truncate(self.difference(Self::HOW).bits())
    }

    /// As the kernel keeps it: errors and hang-ups are always wanted.
    #[must_use]
    pub fn with_errors(self) -> Self {
        self | Self::from_bits_retain(raw::EPOLLERR | raw::EPOLLHUP)
    }
}

/// One file in an epoll instance, by the descriptor that it was added under.
pub struct Interest {
    pub(super) epoll: Weak<Epoll>,
    pub(super) file: Weak<FileDescription>,
    pub(super) fd: u32,
    pub(super) wanted: Cell<Wanted>,
    pub(super) data: Cell<u64>,
    /// What its file may ever be ready for.
    possible: Readiness,
    /// Whether it stands in the instance's ready list.
    pub(super) queued: Cell<bool>,
}

impl Interest {
    /// What the file is ready for of what is wanted.
    pub(super) fn readiness(&self) -> Readiness {
        let wanted = self.wanted.get().readiness();
        self.file.upgrade().map_or(Readiness::empty(), |file| file.readiness() & wanted)
    }

    /// What tells it from the others of its instance.
    pub(super) fn key(&self) -> (u32, usize) {
        (self.fd, self.file.as_ptr().addr())
    }

    /// After a report: a one-shot interest wants nothing more.
    pub(super) fn disarm(&self) {
        self.wanted.set(self.wanted.get() & Wanted::HOW);
    }
}

impl Observer for Interest {
    fn notify(&self, what: Readiness, wakes: &mut Wakes) -> bool {
        let Some(epoll) = self.epoll.upgrade() else { return false };
        let wanted = self.wanted.get().readiness();
        let concerns = what.is_empty() || (what & self.possible).intersects(wanted);
        if wanted.is_empty() || !concerns {
            return false;
        }
        epoll.mark_ready(self, wakes)
    }

    fn is_exclusive(&self) -> bool {
        self.wanted.get().contains(Wanted::EXCLUSIVE)
    }
}

impl Watcher for Interest {
    fn closed(&self) {
        if let Some(epoll) = self.epoll.upgrade() {
            epoll.forget(self.key());
        }
    }
}

impl PartialEq for Interest {
    fn eq(&self, other: &Self) -> bool {
        core::ptr::eq(self, other)
    }
}

/// Makes an interest and has it told of whatever happens to its file.
pub(super) fn follow(
    epoll: &Rc<Epoll>,
    file: &Rc<FileDescription>,
    fd: u32,
    wanted: Wanted,
    data: u64,
) -> Rc<Interest> {
    let interest = Rc::new(Interest {
        epoll: Rc::downgrade(epoll),
        file: Rc::downgrade(file),
        fd,
        wanted: Cell::new(wanted.with_errors()),
        data: Cell::new(data),
        possible: file.may_become(),
        queued: Cell::new(false),
    });
    if let Some(queue) = file.queue() {
        let weak = Rc::downgrade(&interest);
        queue.observe(weak);
    }
    let weak = Rc::downgrade(&interest);
    file.watch(weak);
    interest
}
