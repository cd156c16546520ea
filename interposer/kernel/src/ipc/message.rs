//! Message queues (msgsnd(2), msgrcv(2)).
//!
//! A message that a waiting thread wants goes to it at once, past the queue (`pipelined_send` in ipc/msg.c).

use alloc::{collections::VecDeque, vec::Vec};

use super::{Object, Permission};
use crate::{
    error::{Errno, Result},
    process::ThreadId,
    wait::WaitQueue,
};

/// A message.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Its type, above zero.
    pub kind: i64,
    /// Its text.
    pub bytes: Vec<u8>,
}

/// Which message a receiver wants.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Selection {
    /// The first.
    First,
    /// The first of this type.
    Of(i64),
    /// The first of another type than this (`MSG_EXCEPT`).
    OtherThan(i64),
    /// The first of the lowest type that is not above this.
    LowestTo(i64),
}

impl Selection {
    /// Whether it may be a message of this type.
    #[must_use]
    pub const fn allows(self, kind: i64) -> bool {
        match self {
            Self::First => true,
            Self::Of(wanted) => kind == wanted,
            Self::OtherThan(unwanted) => kind != unwanted,
            Self::LowestTo(max) => kind <= max,
        }
    }
}

/// Who receives, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// The thread.
    pub thread: ThreadId,
    /// Number of its process.
    pub pid: u32,
    /// What it wants.
    pub selection: Selection,
    /// Most bytes it takes.
    pub max: usize,
    /// Whether it takes the beginning of what is longer (`MSG_NOERROR`).
    pub truncates: bool,
}

/// What a waiting receiver comes to.
pub type Delivery = Result<Message>;

/// A message queue.
#[derive(Debug)]
pub struct MessageQueue {
    /// Whose it is.
    pub permission: Permission,
    /// What is in it.
    pub messages: VecDeque<Message>,
    /// Bytes of text in it.
    pub bytes: u64,
    /// Most bytes, and most messages.
    pub bytes_max: u64,
    /// Second of the last `msgsnd`; zero for none.
    pub send_time: i64,
    /// Second of the last `msgrcv`; zero for none.
    pub receive_time: i64,
    /// Second of the last change by `msgctl`, or of the making.
    pub change_time: i64,
    /// Number of the last process that sent.
    pub last_sender: u32,
    /// Number of the last process that received.
    pub last_receiver: u32,
    /// Woken when there may be room.
    pub room: WaitQueue,
    receivers: Vec<Receiver>,
}

impl MessageQueue {
    /// An empty queue.
    #[must_use]
    pub fn new(permission: Permission, bytes_max: u64, now: i64) -> Self {
        Self {
            permission,
            messages: VecDeque::new(),
            bytes: 0,
            bytes_max,
            send_time: 0,
            receive_time: 0,
            change_time: now,
            last_sender: 0,
            last_receiver: 0,
            room: WaitQueue::default(),
            receivers: Vec::new(),
        }
    }

    /// Whether there is room for a message of so many bytes.
    #[must_use]
    pub fn has_room(&self, len: usize) -> bool {
        self.bytes + len as u64 <= self.bytes_max && (self.messages.len() as u64) < self.bytes_max
    }

    /// Sends a message for which there is room; what receivers that wait no longer have come to.
    pub fn send(&mut self, message: Message, pid: u32, now: i64) -> Vec<(ThreadId, Delivery)> {
        (self.last_sender, self.send_time) = (pid, now);
        let mut delivered = Vec::new();
        while let Some(index) =
            self.receivers.iter().position(|waiting| waiting.selection.allows(message.kind))
        {
            let receiver = self.receivers.remove(index);
            if message.bytes.len() > receiver.max && !receiver.truncates {
                delivered.push((receiver.thread, Err(Errno::E2BIG.into())));
                continue;
            }
            (self.last_receiver, self.receive_time) = (receiver.pid, now);
            delivered.push((receiver.thread, Ok(message)));
            return delivered;
        }
        self.bytes += message.bytes.len() as u64;
        self.messages.push_back(message);
        delivered
    }

    fn find(&self, selection: Selection) -> Option<usize> {
        let mut allowed =
            self.messages.iter().enumerate().filter(|(_, one)| selection.allows(one.kind));
        let found = match selection {
            Selection::LowestTo(_) => allowed.min_by_key(|(_, message)| message.kind),
            _ => allowed.next(),
        };
        found.map(|(index, _)| index)
    }

    /// Takes the message that a receiver wants.
    ///
    /// # Errors
    /// `ENOMSG` if there is none, `E2BIG` for one that is too long.
    pub fn receive(&mut self, receiver: &Receiver, now: i64) -> Delivery {
        let index = self.find(receiver.selection).ok_or(Errno::ENOMSG)?;
        if self.messages[index].bytes.len() > receiver.max && !receiver.truncates {
            return Err(Errno::E2BIG.into());
        }
        let message = self.messages.remove(index).ok_or(Errno::ENOMSG)?;
        self.bytes -= message.bytes.len() as u64;
        (self.last_receiver, self.receive_time) = (receiver.pid, now);
        Ok(message)
    }

    /// Lets a receiver wait.
    pub fn wait(&mut self, receiver: Receiver) {
        self.receivers.push(receiver);
    }

    /// Whether a thread waits to receive.
    #[must_use]
    pub fn is_waiting(&self, thread: ThreadId) -> bool {
        self.receivers.iter().any(|receiver| receiver.thread == thread)
    }

    /// A thread no longer waits to receive.
    pub fn forget_waiter(&mut self, thread: ThreadId) {
        self.receivers.retain(|receiver| receiver.thread != thread);
    }

    /// All that wait to receive, in order: they have to look anew.
    pub fn take_waiters(&mut self) -> Vec<ThreadId> {
        core::mem::take(&mut self.receivers).into_iter().map(|receiver| receiver.thread).collect()
    }
}

impl Object for MessageQueue {
    fn permission(&self) -> &Permission {
        &self.permission
    }

    fn permission_mut(&mut self) -> &mut Permission {
        &mut self.permission
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{process::Credentials, slab::ids_for_test};

    fn queue() -> MessageQueue {
        let owner = Credentials::new(0, 0, Vec::new());
        MessageQueue::new(Permission::new(0, 0o600, &owner), 10, 0)
    }

    fn receiver(thread: ThreadId, selection: Selection, max: usize) -> Receiver {
        Receiver { thread, pid: 3, selection, max, truncates: false }
    }

    fn message(kind: i64, text: &[u8]) -> Message {
        Message { kind, bytes: text.to_vec() }
    }

    #[test]
    fn receivers_choose_by_type() {
        let [thread] = ids_for_test();
        let mut queue = queue();
        for kind in [5, 2, 7, 2] {
            queue.send(message(kind, b"x"), 1, 1);
        }
        let cases = [
            (Selection::LowestTo(6), 2),
            (Selection::OtherThan(5), 7),
            (Selection::Of(2), 2),
            (Selection::First, 5),
        ];
        for (selection, kind) in cases {
            let message = queue.receive(&receiver(thread, selection, 9), 2).unwrap();
            assert_eq!(message.kind, kind, "{selection:?}");
        }
        let none = queue.receive(&receiver(thread, Selection::First, 9), 2);
        assert_eq!((none.unwrap_err().errno, queue.bytes), (Errno::ENOMSG, 0));
    }

    #[test]
    fn a_message_goes_past_the_queue_to_the_first_who_can_take_it() {
        let [small, other, fitting] = ids_for_test();
        let mut queue = queue();
        queue.wait(receiver(small, Selection::First, 1));
        queue.wait(receiver(other, Selection::Of(9), 8));
        queue.wait(receiver(fitting, Selection::First, 8));
        let delivered = queue.send(message(1, b"long"), 1, 1);
        let too_long = Err(Errno::E2BIG.into());
        assert_eq!(delivered, [(small, too_long), (fitting, Ok(message(1, b"long")))]);
        assert!(queue.messages.is_empty() && queue.is_waiting(other));
    }

    #[test]
    fn room_is_counted_in_bytes_and_in_messages() {
        let mut queue = queue();
        queue.send(message(1, b"12345678"), 1, 1);
        assert!(queue.has_room(2) && !queue.has_room(3));
        for _ in 0..9 {
            assert!(queue.has_room(0));
            queue.send(message(1, b""), 1, 1);
        }
        assert!(!queue.has_room(0));
    }
}
