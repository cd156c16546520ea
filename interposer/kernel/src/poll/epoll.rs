//! An epoll instance (fs/eventpoll.c).

use alloc::{
    collections::{BTreeMap, VecDeque},
    format,
    rc::{Rc, Weak},
    string::String,
    vec::Vec,
};
use core::cell::RefCell;

use super::interest::{Interest, Wanted, follow};
use crate::{
    error::{Errno, Error, Result},
    file::{File, FileDescription, FileObject, Whence},
    machine::Env,
    uapi::{poll::EpollEvent, stat::kernel_device},
    wait::{Readiness, WaitQueue, Wakes},
};

/// How deep instances may be nested (`EP_MAX_NESTS`).
const NESTS_MAX: usize = 4;

/// An epoll instance: what it follows, and what of that may be ready, in the order in which it became so.
#[derive(Default)]
pub struct Epoll {
    interests: RefCell<BTreeMap<(u32, usize), Rc<Interest>>>,
    ready: RefCell<VecDeque<Rc<Interest>>>,
    /// Woken when something becomes ready.
    pub queue: WaitQueue,
    /// Instances that follow this one.
    outer: RefCell<Vec<Weak<Epoll>>>,
}

fn key(fd: u32, file: &Rc<FileDescription>) -> (u32, usize) {
    (fd, Rc::as_ptr(file).addr())
}

fn as_epoll(file: &FileDescription) -> Option<&Rc<Epoll>> {
    match &file.file {
        File::Epoll(epoll) => Some(epoll),
        _ => None,
    }
}

impl Epoll {
    /// `EPOLL_CTL_ADD`.
    ///
    /// # Errors
    /// `EEXIST`, `ELOOP`, `EINVAL`.
    pub fn add(
        self: &Rc<Self>,
        wakes: &mut Wakes,
        fd: u32,
        file: &Rc<FileDescription>,
        event: EpollEvent,
    ) -> Result<()> {
        let wanted = Wanted::from_bits_retain(event.events);
        let inner = as_epoll(file);
        if wanted.contains(Wanted::EXCLUSIVE)
            && (inner.is_some() || !Wanted::BESIDE_EXCLUSIVE.contains(wanted))
        {
            return Err(Errno::EINVAL.into());
        }
        if let Some(inner) = inner {
            self.check_nesting(inner)?;
        }
        if self.interests.borrow().contains_key(&key(fd, file)) {
            return Err(Errno::EEXIST.into());
        }
        if let Some(inner) = inner {
            inner.outer.borrow_mut().push(Rc::downgrade(self));
        }
        let interest = follow(self, file, fd, wanted, event.data);
        self.interests.borrow_mut().insert(interest.key(), Rc::clone(&interest));
        self.look_at(&interest, wakes);
        Ok(())
    }

    /// `EPOLL_CTL_MOD`.
    ///
    /// # Errors
    /// `ENOENT`; `EINVAL` where `EPOLLEXCLUSIVE` is involved.
    pub fn modify(
        &self,
        wakes: &mut Wakes,
        fd: u32,
        file: &Rc<FileDescription>,
        event: EpollEvent,
    ) -> Result<()> {
        let wanted = Wanted::from_bits_retain(event.events);
        if wanted.contains(Wanted::EXCLUSIVE) {
            return Err(Errno::EINVAL.into());
        }
        let found = self.interests.borrow().get(&key(fd, file)).cloned();
        let interest = found.ok_or(Errno::ENOENT)?;
        if interest.wanted.get().contains(Wanted::EXCLUSIVE) {
            return Err(Errno::EINVAL.into());
        }
        interest.wanted.set(wanted.with_errors());
        interest.data.set(event.data);
        self.look_at(&interest, wakes);
        Ok(())
    }

    /// `EPOLL_CTL_DEL`.
    ///
    /// # Errors
    /// `ENOENT`.
    pub fn delete(self: &Rc<Self>, fd: u32, file: &Rc<FileDescription>) -> Result<()> {
        if !self.forget(key(fd, file)) {
            return Err(Errno::ENOENT.into());
        }
        if let Some(inner) = as_epoll(file) {
            let mut outer = inner.outer.borrow_mut();
            if let Some(at) = outer.iter().position(|other| other.as_ptr() == Rc::as_ptr(self)) {
                outer.remove(at);
            }
        }
        Ok(())
    }

    /// The file that was added by this descriptor, after so many others that were.
    #[must_use]
    pub fn followed(&self, fd: u32, skip: usize) -> Option<Rc<FileDescription>> {
        let interests = self.interests.borrow();
        let added = interests.range((fd, 0)..=(fd, usize::MAX));
        added.filter_map(|(_, interest)| interest.file.upgrade()).nth(skip)
    }

    /// Follows a file no longer; whether it did.
    pub(super) fn forget(&self, key: (u32, usize)) -> bool {
        let Some(interest) = self.interests.borrow_mut().remove(&key) else { return false };
        if interest.queued.replace(false) {
            self.ready.borrow_mut().retain(|other| **other != *interest);
        }
        true
    }

    /// Notes an interest that may have become ready; whether a thread waits that will look at it.
    pub(super) fn mark_ready(&self, interest: &Interest, wakes: &mut Wakes) -> bool {
        if !interest.queued.get() {
            let found = self.interests.borrow().get(&interest.key()).cloned();
            if let Some(interest) = found {
                self.enqueue(interest);
            }
        }
        let is_awaited = self.queue.has_threads();
        self.queue.wake(Readiness::READABLE, wakes);
        is_awaited
    }

    fn enqueue(&self, interest: Rc<Interest>) {
        interest.queued.set(true);
        self.ready.borrow_mut().push_back(interest);
    }

    /// After a change to an interest: it may be ready at once. Nobody is told again of one that was noted (`ep_modify`).
    fn look_at(&self, interest: &Rc<Interest>, wakes: &mut Wakes) {
        if !interest.queued.get() && !interest.readiness().is_empty() {
            self.mark_ready(interest, wakes);
        }
    }

    /// Hands out at most `max` events, first what has waited longest; how many. What is followed by level stays in
    /// the list, behind the others.
    ///
    /// # Errors
    /// Those of `put`, if nothing was handed out before.
    pub fn harvest(
        &self,
        max: usize,
        put: &mut dyn FnMut(usize, EpollEvent) -> Result<()>,
    ) -> Result<usize> {
        let mut done = 0;
        let mut left = self.ready.borrow().len();
        while left > 0 && done < max {
            left -= 1;
            let Some(interest) = self.ready.borrow_mut().pop_front() else { break };
            interest.queued.set(false);
            let ready = interest.readiness();
            if ready.is_empty() {
                continue;
            }
            let event = EpollEvent { events: ready.bits(), data: interest.data.get() };
            if let Err(error) = put(done, event) {
                interest.queued.set(true);
                self.ready.borrow_mut().push_front(interest);
                return if done > 0 { Ok(done) } else { Err(error) };
            }
            done += 1;
            let wanted = interest.wanted.get();
            if wanted.contains(Wanted::ONE_SHOT) {
                interest.disarm();
            } else if !wanted.contains(Wanted::EDGE) {
                self.enqueue(interest);
            }
        }
        Ok(done)
    }

    /// Refuses a loop, and nesting too deep (`ep_loop_check`).
    fn check_nesting(self: &Rc<Self>, inner: &Rc<Self>) -> Result<()> {
        let below = inner.depth_below(self, 0);
        if below + 1 + self.depth_above(0) > NESTS_MAX {
            return Err(Error::new(
                Errno::ELOOP,
                "epoll instances in a circle, or nested too deep",
            ));
        }
        Ok(())
    }

    /// Levels of instances below this one; more than allowed if `into` is among them.
    fn depth_below(self: &Rc<Self>, into: &Rc<Self>, level: usize) -> usize {
        if Rc::ptr_eq(self, into) || level > NESTS_MAX {
            return NESTS_MAX + 1;
        }
        let interests = self.interests.borrow();
        let files = interests.values().filter_map(|interest| interest.file.upgrade());
        let depths = files
            .filter_map(|file| as_epoll(&file).map(|inner| inner.depth_below(into, level + 1) + 1));
        depths.max().unwrap_or(0)
    }

    fn depth_above(&self, level: usize) -> usize {
        if level > NESTS_MAX {
            return 0;
        }
        let outer = self.outer.borrow();
        let depths = outer.iter().filter_map(Weak::upgrade);
        depths.map(|outer| outer.depth_above(level + 1) + 1).max().unwrap_or(0)
    }
}

impl FileObject for Rc<Epoll> {
    fn details(&self) -> String {
        let line = |interest: &Rc<Interest>| {
            let Interest { fd, wanted, data, file, .. } = &**interest;
            let file = file.upgrade();
            let inode = file.as_ref().and_then(|file| file.file.inode());
            let position = file.as_ref().map_or(0, |file| file.offset.get());
            let (ino, device) =
                inode.map_or((0, 0), |inode| (inode.number, kernel_device(inode.device)));
            format!(
                "tfd: {fd:8} events: {:8x} data: {:16x}  pos:{position} ino:{ino:x} sdev:{device:x}\n",
                wanted.get().bits(),
                data.get(),
            )
        };
        self.interests.borrow().values().map(line).collect()
    }

    fn seek(&self, _: &mut Env<'_>, file: &FileDescription, _: i64, _: Whence) -> Result<u64> {
        Ok(file.offset.get())
    }

    fn readiness(&self) -> Readiness {
        let mut ready = self.ready.borrow_mut();
        // What is ready no longer leaves the list when somebody looks (`__ep_eventpoll_poll`).
        while let Some(first) = ready.front() {
            if !first.readiness().is_empty() {
                return Readiness::READABLE;
            }
            first.queued.set(false);
            ready.pop_front();
        }
        Readiness::empty()
    }

    fn queue(&self) -> Option<&WaitQueue> {
        Some(&self.queue)
    }
}

#[cfg(test)]
mod tests;
