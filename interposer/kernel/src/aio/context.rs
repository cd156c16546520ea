//! A context: what was submitted, and what came of it.

use alloc::{
    collections::VecDeque,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::cell::RefCell;

use super::PollRequest;
use crate::{
    error::Result,
    file::{File, FileDescription},
    machine::{Expire, Machine},
    mm::Range,
    node::NodeId,
    time::Instant,
    uapi::aio::IoEvent,
    wait::{Readiness, WaitQueue, Wakes},
};

/// A request, as far as its end goes.
#[derive(Clone, Debug)]
pub struct Request {
    /// The program's own data.
    pub data: u64,
    /// Where the program has it.
    pub address: u64,
    /// The eventfd that is told of its end, if it is still open then.
    pub tells: Option<Weak<FileDescription>>,
}

/// A context of asynchronous I/O.
pub struct AioContext {
    /// Its number, which no other of the run has.
    pub number: u64,
    /// The node it is on.
    pub node: NodeId,
    /// How many requests it was made for, as the node's limit counts them.
    pub asked: u64,
    /// How many events fit into its ring.
    pub capacity: usize,
    /// Where its ring is mapped.
    pub ring: Range,
    /// Woken when a request has ended, and when the context goes.
    pub queue: WaitQueue,
    /// Events that nobody has taken yet.
    events: RefCell<VecDeque<IoEvent>>,
    /// Requests that wait for descriptors, in the order in which they came.
    polls: RefCell<Vec<Rc<PollRequest>>>,
    /// Requests that are done, and end later.
    late: RefCell<Vec<Rc<Late>>>,
    /// Files of requests that have ended, to be let go of.
    files: RefCell<Vec<Rc<FileDescription>>>,
}

/// A request that is done and ends at an instant.
struct Late {
    this: Weak<Self>,
    context: Weak<AioContext>,
    request: Request,
    result: i64,
}

impl Expire for Late {
    fn expire(&self, machine: &mut Machine) {
        let Some(context) = self.context.upgrade() else { return };
        context.late.borrow_mut().retain(|late| !core::ptr::eq(Rc::as_ptr(late), self));
        context.finish(&self.request, self.result, &mut machine.wakes);
    }
}

impl AioContext {
    /// A context in which nothing was submitted.
    #[must_use]
    pub fn new(number: u64, node: NodeId, asked: u64, capacity: usize, ring: Range) -> Rc<Self> {
        Rc::new(Self {
            number,
            node,
            asked,
            capacity,
            ring,
            queue: WaitQueue::default(),
            events: RefCell::default(),
            polls: RefCell::default(),
            late: RefCell::default(),
            files: RefCell::default(),
        })
    }

    /// Whether another request could leave its event in the ring, which is full with one place left.
    #[must_use]
    pub fn has_room(&self) -> bool {
        let events = self.events.borrow().len();
        let under_way = self.polls.borrow().len() + self.late.borrow().len();
        events + under_way + 1 < self.capacity
    }

    /// A request has ended with this result.
    pub fn finish(&self, request: &Request, result: i64, wakes: &mut Wakes) {
        let event = IoEvent { data: request.data, request: request.address, result, result2: 0 };
        self.events.borrow_mut().push_back(event);
        self.queue.wake(Readiness::READABLE, wakes);
        let told = request.tells.as_ref().and_then(Weak::upgrade);
        if let Some(File::Event(counter)) = told.as_ref().map(|file| &file.file) {
            counter.signal(wakes);
        }
    }

    /// A request is done, and ends with this result at an instant.
    pub fn finish_at(
        self: &Rc<Self>,
        request: Request,
        result: i64,
        due: Instant,
        machine: &mut Machine,
    ) {
        let late = Rc::new_cyclic(|this| Late {
            this: Weak::clone(this),
            context: Rc::downgrade(self),
            request,
            result,
        });
        let timer: Weak<dyn Expire> = late.this.clone();
        machine.set_timer(due, timer);
        self.late.borrow_mut().push(late);
    }

    /// A request waits for a descriptor.
    pub(super) fn add_poll(&self, poll: Rc<PollRequest>) {
        self.polls.borrow_mut().push(poll);
    }

    /// A request that waited for a descriptor has ended.
    pub(super) fn finish_poll(&self, poll: &PollRequest, result: i64, wakes: &mut Wakes) {
        let at =
            self.polls.borrow().iter().position(|other| core::ptr::eq(&raw const **other, poll));
        if let Some(at) = at {
            let poll = self.polls.borrow_mut().remove(at);
            self.files.borrow_mut().extend(poll.take_file());
            self.finish(&poll.request, result, wakes);
        }
    }

    /// Ends the request that waits and lies at this address; whether there is one. Its event is like any other.
    pub fn cancel(&self, address: u64, wakes: &mut Wakes) -> bool {
        let polls = self.polls.borrow();
        let found = polls.iter().find(|poll| poll.request.address == address).cloned();
        drop(polls);
        let is_found = found.is_some();
        if let Some(poll) = found {
            self.finish_poll(&poll, 0, wakes);
        }
        is_found
    }

    /// The context goes: all that waits ends, and whoever waits for events looks again.
    pub fn end(&self, wakes: &mut Wakes) {
        let polls = self.polls.borrow().clone();
        for poll in &polls {
            self.finish_poll(poll, 0, wakes);
        }
        for late in self.late.take() {
            self.finish(&late.request, late.result, wakes);
        }
        self.queue.wake(Readiness::all(), wakes);
    }

    /// Takes the files that it no longer needs.
    pub fn take_files(&self) -> Vec<Rc<FileDescription>> {
        self.files.take()
    }

    /// Hands out at most `max` events, oldest first; how many.
    ///
    /// # Errors
    /// Those of `put`: all events stay then.
    pub fn take(&self, max: usize, put: &mut dyn FnMut(&[IoEvent]) -> Result<()>) -> Result<usize> {
        let mut events = self.events.borrow_mut();
        let taken = max.min(events.len());
        if taken > 0 {
            put(&events.make_contiguous()[..taken])?;
            events.drain(..taken);
        }
        Ok(taken)
    }
}
