//! All objects of IPC.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    rc::{Rc, Weak},
    vec::Vec,
};

use super::{Delivery, MessageQueue, Registry, Segment, SemaphoreSet};
use crate::{
    file::{MessageQueueFile, QueuedMessage},
    process::ThreadId,
};

/// All objects of IPC.
#[derive(Default)]
pub struct Ipc {
    /// Shared memory.
    pub segments: Registry<Segment>,
    /// Semaphore sets.
    pub semaphores: Registry<SemaphoreSet>,
    /// Message queues.
    pub messages: Registry<MessageQueue>,
    /// What came for receivers that waited, until they have taken it; also from queues that are gone by now.
    pub delivered: BTreeMap<ThreadId, Delivery>,
    /// POSIX message queues by name, without a slash.
    pub queues: BTreeMap<Vec<u8>, Rc<MessageQueueFile>>,
    /// What came for receivers that waited at such a queue, until they have taken it.
    pub received: BTreeMap<ThreadId, QueuedMessage>,
    /// What senders that wait at such a queue want to send.
    pub sending: BTreeMap<ThreadId, QueuedMessage>,
    /// Senders whose message found room while they waited, and who do not know it yet.
    sent: BTreeSet<ThreadId>,
    /// All POSIX message queues, also those whose name is gone.
    all_queues: Vec<Weak<MessageQueueFile>>,
    undo_lists: u64,
}

impl Ipc {
    /// The number of a new list of adjustments.
    pub fn new_undo_list(&mut self) -> u64 {
        self.undo_lists += 1;
        self.undo_lists
    }

    /// Takes a POSIX message queue in.
    pub fn add_queue(&mut self, name: &[u8], queue: &Rc<MessageQueueFile>) {
        self.all_queues.retain(|queue| queue.strong_count() > 0);
        self.all_queues.push(Rc::downgrade(queue));
        self.queues.insert(name.to_vec(), Rc::clone(queue));
    }

    /// Bytes that a user's POSIX message queues count as, whether they still have names or not.
    #[must_use]
    pub fn charged_for_queues(&self, user: u32) -> u64 {
        let queues = self.all_queues.iter().filter_map(Weak::upgrade);
        let own = queues.filter(|queue| queue.user == user);
        own.map(|queue| queue.size.charge().unwrap_or(u64::MAX)).fold(0, u64::saturating_add)
    }

    /// Takes the message that a waiting sender wants to send: it is sent now.
    pub fn take_sending(&mut self, sender: ThreadId) -> Option<QueuedMessage> {
        let message = self.sending.remove(&sender)?;
        self.sent.insert(sender);
        Some(message)
    }

    /// Whether a sender's message was sent while it waited; says so once.
    pub fn is_sent(&mut self, sender: ThreadId) -> bool {
        self.sent.remove(&sender)
    }

    /// A thread no longer waits for anything.
    pub fn forget_waiter(&mut self, thread: ThreadId) {
        for (_, set) in self.semaphores.iter_mut() {
            set.forget_waiter(thread);
        }
        for (_, queue) in self.messages.iter_mut() {
            queue.forget_waiter(thread);
        }
        self.delivered.remove(&thread);
        self.received.remove(&thread);
        self.sending.remove(&thread);
        self.sent.remove(&thread);
    }
}
