//! POSIX message queues (mq_overview(7)).
//!
//! Who waits is served by whoever makes it possible, in the order in which they came (ipc/mqueue.c): a message goes to a
//! waiting receiver past the queue, and the message of a waiting sender takes the room that a receiver leaves.

use alloc::{
    collections::{BTreeMap, VecDeque},
    format,
    rc::Rc,
    vec::Vec,
};
use core::{
    cell::{Cell, RefCell},
    cmp::Reverse,
};

use linux_raw_sys::general as raw;

use super::{FileDescription, FileObject, Whence};
use crate::{
    error::{Errno, Result},
    host::HostStat,
    machine::{Env, Machine, SignalTarget},
    process::{Credentials, ThreadId},
    signal::SignalInfo,
    user::{self, UserSlice},
    wait::{Readiness, WaitQueue},
};

/// A message and its priority.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueuedMessage {
    /// Higher ones come first.
    pub priority: u32,
    /// The text.
    pub bytes: Vec<u8>,
}

/// How much a queue holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QueueSize {
    /// Most messages.
    pub messages: u64,
    /// Most bytes of one.
    pub bytes: u64,
}

/// What tells a process that a message has come to an empty queue (mq_notify(3)).
#[derive(Clone, Debug)]
pub enum Notice {
    /// Nothing does.
    None,
    /// A signal, which says who sent the message.
    Signal(SignalTarget, SignalInfo),
    /// Some bytes through a socket, as the C library's thread expects them.
    Socket(Rc<FileDescription>, Vec<u8>),
}

/// Who is told of the next message to an empty queue, and how.
#[derive(Clone, Debug)]
struct Registration {
    pid: u32,
    notice: Notice,
}

/// The last byte of what comes through a socket (include/linux/mqueue.h in the C library's use of it).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Woken {
    /// A message came: `NOTIFY_WOKENUP`.
    ByMessage = 1,
    /// The registration is gone: `NOTIFY_REMOVED`.
    ByRemoval = 2,
}

/// A message queue.
pub struct MessageQueueFile {
    /// How much it holds.
    pub size: QueueSize,
    /// The user whose limit it counts against.
    pub user: u32,
    status: HostStat,
    unlinked: Cell<bool>,
    messages: RefCell<BTreeMap<Reverse<u32>, VecDeque<Vec<u8>>>>,
    count: Cell<u64>,
    registration: RefCell<Option<Registration>>,
    /// Those who poll.
    queue: WaitQueue,
    /// Those who wait for a message.
    pub receivers: WaitQueue,
    /// Those who wait for room.
    pub senders: WaitQueue,
}

/// Bytes of the text that a queue can be read as (`FILENT_SIZE`).
const TEXT_SIZE: u64 = 80;
/// What the kernel needs for a message besides its text (`struct msg_msg`), and for a priority
/// (`struct posix_msg_tree_node`).
const MESSAGE_OVERHEAD: u64 = 48;
/// One more than the highest priority (`MQ_PRIO_MAX`).
pub const PRIORITIES: u64 = 32768;

impl QueueSize {
    /// What counts against `RLIMIT_MSGQUEUE` (getrlimit(2)); `None` for more than can be counted.
    #[must_use]
    pub fn charge(self) -> Option<u64> {
        let tree = self.messages.min(PRIORITIES) * MESSAGE_OVERHEAD;
        let each = self.bytes.checked_add(MESSAGE_OVERHEAD)?;
        self.messages.checked_mul(each)?.checked_add(tree)
    }
}

impl MessageQueueFile {
    /// An empty queue of a user's, with this inode number and mode.
    #[must_use]
    pub fn new(size: QueueSize, owner: &Credentials, ino: u64, mode: u32, time: i64) -> Self {
        let status = HostStat {
            ino,
            mode: raw::S_IFREG | mode,
            nlink: 1,
            uid: owner.fsuid,
            gid: owner.fsgid,
            size: TEXT_SIZE,
            blksize: 4096,
            mtime_ns: time,
            atime_ns: time,
            ctime_ns: time,
            birth_ns: time,
            ..HostStat::default()
        };
        Self {
            size,
            user: owner.uid,
            status,
            unlinked: Cell::new(false),
            messages: RefCell::default(),
            count: Cell::new(0),
            registration: RefCell::default(),
            queue: WaitQueue::default(),
            receivers: WaitQueue::default(),
            senders: WaitQueue::default(),
        }
    }

    /// What fstat(2) says of it.
    #[must_use]
    pub fn status(&self) -> HostStat {
        HostStat { nlink: u64::from(!self.unlinked.get()), ..self.status }
    }

    /// Its name is gone.
    pub fn unlink(&self) {
        self.unlinked.set(true);
    }

    /// How many messages are in it.
    #[must_use]
    pub fn count(&self) -> u64 {
        self.count.get()
    }

    /// Whether there is no room for another message.
    #[must_use]
    pub fn is_full(&self) -> bool {
        self.count() >= self.size.messages
    }

    /// Takes a message for which there is room. The one who waits for it, if somebody does, gets it back instead.
    #[must_use]
    pub fn send(
        &self,
        machine: &mut Machine,
        message: QueuedMessage,
        sender: (u32, u32),
    ) -> Option<(ThreadId, QueuedMessage)> {
        if let Some(receiver) = self.receivers.take_first(&mut machine.wakes) {
            return Some((receiver, message));
        }
        let was_empty = self.count() == 0;
        self.put(message);
        self.queue.wake(Readiness::READABLE, &mut machine.wakes);
        if was_empty {
            self.notify(machine, sender);
        }
        None
    }

    fn put(&self, message: QueuedMessage) {
        let mut messages = self.messages.borrow_mut();
        messages.entry(Reverse(message.priority)).or_default().push_back(message.bytes);
        self.count.set(self.count() + 1);
    }

    /// Gives the oldest message of the highest priority. The message of the sender who has waited longest takes its
    /// place: `waiting` knows it.
    pub fn receive(
        &self,
        machine: &mut Machine,
        waiting: impl FnOnce(ThreadId) -> Option<QueuedMessage>,
    ) -> Option<QueuedMessage> {
        let message = self.take()?;
        match self.senders.take_first(&mut machine.wakes).and_then(waiting) {
            Some(next) => self.put(next),
            None => self.queue.wake(Readiness::WRITABLE, &mut machine.wakes),
        }
        Some(message)
    }

    fn take(&self) -> Option<QueuedMessage> {
        let mut messages = self.messages.borrow_mut();
        let mut first = messages.first_entry()?;
        let Reverse(priority) = *first.key();
        let bytes = first.get_mut().pop_front()?;
        if first.get().is_empty() {
            first.remove();
        }
        self.count.set(self.count() - 1);
        Some(QueuedMessage { priority, bytes })
    }

    /// Tells who wants to know of a message to an empty queue, once; `sender` is its process and user.
    fn notify(&self, machine: &mut Machine, (pid, uid): (u32, u32)) {
        let Some(registration) = self.registration.take() else { return };
        match registration.notice {
            Notice::None => {}
            Notice::Signal(target, info) => {
                let [_, value, rest] = info.fields;
                let from = u64::from(pid) | u64::from(uid) << 32;
                machine.post_signal(target, SignalInfo { fields: [from, value, rest], ..info });
            }
            Notice::Socket(..) => registration.send(machine, Woken::ByMessage),
        }
    }

    /// Has a process told of the next message.
    ///
    /// # Errors
    /// `EBUSY` if another is, or it is already.
    pub fn register(&self, pid: u32, notice: Notice) -> Result<()> {
        let mut registration = self.registration.borrow_mut();
        if registration.is_some() {
            return Err(Errno::EBUSY.into());
        }
        *registration = Some(Registration { pid, notice });
        Ok(())
    }

    /// A process no longer wants to be told, if it was the one.
    pub fn unregister(&self, pid: u32, machine: &mut Machine) {
        let mut registration = self.registration.borrow_mut();
        if registration.as_ref().is_some_and(|own| own.pid == pid)
            && let Some(own) = registration.take()
        {
            own.send(machine, Woken::ByRemoval);
        }
    }

    fn text(&self) -> Vec<u8> {
        let messages = self.messages.borrow();
        let bytes: usize = messages.values().flatten().map(Vec::len).sum();
        let registration = self.registration.borrow();
        let (notify, signal, pid) = match registration.as_ref() {
            None => (raw::SIGEV_SIGNAL, 0, 0),
            Some(Registration { pid, notice }) => match notice {
                Notice::None => (raw::SIGEV_NONE, 0, *pid),
                Notice::Signal(_, info) => (raw::SIGEV_SIGNAL, info.signal.number(), *pid),
                Notice::Socket(..) => (raw::SIGEV_THREAD, 0, *pid),
            },
        };
        format!("QSIZE:{bytes:<10} NOTIFY:{notify:<5} SIGNO:{signal:<5} NOTIFY_PID:{pid:<6}\n")
            .into_bytes()
    }
}

impl Registration {
    fn send(self, machine: &mut Machine, woken: Woken) {
        let Notice::Socket(socket, mut cookie) = self.notice else { return };
        if let (super::File::Socket(socket), Some(last)) = (&socket.file, cookie.last_mut()) {
            *last = woken as u8;
            socket.as_object().deliver(machine, cookie);
        }
    }
}

impl FileObject for Rc<MessageQueueFile> {
    fn read(&self, env: &mut Env<'_>, file: &FileDescription, into: &[UserSlice]) -> Result<usize> {
        let done = self.read_at(env, into, file.offset.get())?;
        file.offset.set(file.offset.get() + done as u64);
        Ok(done)
    }

    fn read_at(&self, env: &mut Env<'_>, into: &[UserSlice], at: u64) -> Result<usize> {
        let text = self.text();
        let rest = usize::try_from(at).ok().and_then(|at| text.get(at..)).unwrap_or_default();
        user::scatter(env.host, into, &rest[..rest.len().min(user::total_len(into))])
    }

    fn seek(
        &self,
        _: &mut Env<'_>,
        file: &FileDescription,
        offset: i64,
        whence: Whence,
    ) -> Result<u64> {
        let base = match whence {
            Whence::Start => 0,
            Whence::Current => file.offset.get(),
            Whence::End => TEXT_SIZE,
            Whence::Data | Whence::Hole => return Err(Errno::EINVAL.into()),
        };
        file.seek_from(base, offset)
    }

    fn stat(&self, _: &mut Env<'_>) -> Result<HostStat> {
        Ok(self.status())
    }

    fn readiness(&self) -> Readiness {
        let mut ready = Readiness::empty();
        ready.set(Readiness::READABLE, self.count() > 0);
        ready.set(Readiness::WRITABLE, !self.is_full());
        ready
    }

    fn queue(&self) -> Option<&WaitQueue> {
        Some(&self.queue)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn queue() -> MessageQueueFile {
        let owner = Credentials::new(0, 0, Vec::new());
        MessageQueueFile::new(QueueSize { messages: 3, bytes: 8 }, &owner, 1, 0o600, 0)
    }

    #[test]
    fn the_oldest_of_the_highest_priority_comes_first() {
        let queue = queue();
        for (priority, text) in [(1, b"a"), (5, b"b"), (5, b"c")] {
            queue.put(QueuedMessage { priority, bytes: text.to_vec() });
        }
        assert!(queue.is_full());
        let order: Vec<_> = core::iter::from_fn(|| queue.take()).map(|one| one.bytes).collect();
        assert_eq!(order, [b"b", b"c", b"a"]);
        assert_eq!(queue.count(), 0);
    }

    #[test]
    fn the_charge_is_what_getrlimit_says() {
        assert_eq!(QueueSize { messages: 10, bytes: 8192 }.charge(), Some(10 * 8192 + 960));
        assert_eq!(QueueSize { messages: 2, bytes: u64::MAX }.charge(), None);
    }
}
