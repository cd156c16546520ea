//! POSIX message queues (mq_overview(7)).

use alloc::{rc::Rc, vec::Vec};
use core::time::Duration;

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::{
        File, FileDescription, MessageQueueFile, Notice, OpenFlags, PRIORITIES, QueueSize,
        QueuedMessage,
    },
    fs::views,
    machine::SignalTarget,
    outcome::{Outcome, Restart},
    process::{Capabilities, Credentials, Resource},
    signal::{Signal, SignalInfo},
    uapi::{limits::NAME_MAX, signal::RawEvent, time::Timespec},
    user::{self, UserPtr},
    wait::Readiness,
};

/// Most messages and bytes that even an administrator may ask for (`HARD_MSGMAX`, `HARD_MSGSIZEMAX`).
const SIZE_MAX: QueueSize = QueueSize { messages: 65536, bytes: 16 << 20 };
/// Bytes of what the C library wants back through its socket (`NOTIFY_COOKIE_LEN`).
const COOKIE_SIZE: usize = 32;

/// `struct mq_attr`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
struct Attributes {
    flags: i64,
    messages: i64,
    bytes: i64,
    count: i64,
    reserved: [i64; 4],
}

/// A name without the slash that the C library has taken away.
fn read_name(cx: &mut Context<'_>, name: u64) -> Result<Vec<u8>> {
    let name = cx.read_path(name)?;
    match name.as_slice() {
        b"" => Err(Errno::ENOENT.into()),
        b"." | b".." => Err(Errno::EACCES.into()),
        name if name.contains(&b'/') => Err(Errno::EACCES.into()),
        name if name.len() > NAME_MAX => Err(Errno::ENAMETOOLONG.into()),
        _ => Ok(name),
    }
}

fn setting(cx: &Context<'_>, name: &str) -> u64 {
    let numbers = views::numbers(cx.kernel, &["fs/mqueue/", name].concat());
    numbers.first().copied().unwrap_or(0)
}

/// mq_open(3).
pub fn mq_open(cx: &mut Context<'_>, [name, flags, mode, size, ..]: [u64; 6]) -> Result<Outcome> {
    let flags = OpenFlags::from_bits_truncate(flags as u32);
    let asked = match UserPtr::<Attributes>::new(size).non_null() {
        Some(from) if flags.contains(OpenFlags::CREATE) => Some(cx.read(from)?),
        _ => None,
    };
    let name = read_name(cx, name)?;
    let found = cx.kernel.ipc.queues.get(&name).cloned();
    let queue = match found {
        Some(_) if flags.contains(OpenFlags::CREATE | OpenFlags::EXCLUSIVE) => {
            return Err(Errno::EEXIST.into());
        }
        Some(queue) => {
            let both = OpenFlags::READ_WRITE | OpenFlags::WRITE_ONLY;
            if flags.contains(both) {
                return Err(Errno::EINVAL.into());
            }
            let who = cx.process().credentials.clone();
            check_access(&queue, &who, flags)?;
            queue
        }
        None if !flags.contains(OpenFlags::CREATE) => return Err(Errno::ENOENT.into()),
        None => make(cx, &name, mode as u32, asked)?,
    };
    let kept = OpenFlags::NONBLOCK | OpenFlags::WRITE_ONLY | OpenFlags::READ_WRITE;
    let path = [b"/", name.as_slice()].concat();
    let description = FileDescription::new(File::MessageQueue(queue), flags & kept, &path);
    cx.add_descriptor(description, true).map(Outcome::Done)
}

fn check_access(queue: &MessageQueueFile, who: &Credentials, flags: OpenFlags) -> Result<()> {
    let status = queue.status();
    let mut wanted = 0;
    if flags.reads() {
        wanted |= 0o4;
    }
    if flags.writes() {
        wanted |= 0o2;
    }
    let granted = if who.fsuid == status.uid {
        status.mode >> 6
    } else if who.is_in_group(status.gid) {
        status.mode >> 3
    } else {
        status.mode
    };
    if wanted & !granted == 0 || who.can(Capabilities::DAC_OVERRIDE) {
        Ok(())
    } else {
        Err(Errno::EACCES.into())
    }
}

fn make(
    cx: &mut Context<'_>,
    name: &[u8],
    mode: u32,
    asked: Option<Attributes>,
) -> Result<Rc<MessageQueueFile>> {
    let who = cx.process().credentials.clone();
    let may_all = who.can(Capabilities::SYS_RESOURCE);
    if cx.kernel.ipc.queues.len() as u64 >= setting(cx, "queues_max") && !may_all {
        return Err(Error::new(Errno::ENOSPC, "as many queues as there may be"));
    }
    let limit = QueueSize { messages: setting(cx, "msg_max"), bytes: setting(cx, "msgsize_max") };
    let size = match asked {
        Some(asked) => checked_size(asked, if may_all { SIZE_MAX } else { limit })?,
        None => QueueSize {
            messages: limit.messages.min(setting(cx, "msg_default")),
            bytes: limit.bytes.min(setting(cx, "msgsize_default")),
        },
    };
    let charge = size.charge().ok_or(Errno::EOVERFLOW)?;
    let used = cx.kernel.ipc.charged_for_queues(who.uid);
    if used.saturating_add(charge) > cx.process().limits.soft(Resource::MessageQueues) {
        return Err(Error::new(Errno::EMFILE, "more than RLIMIT_MSGQUEUE"));
    }
    let mode = mode & 0o7777 & !cx.process().fs.borrow().umask;
    let (ino, time) = (cx.kernel.machine.allocate_inode(), cx.env().file_time());
    let queue = Rc::new(MessageQueueFile::new(size, &who, ino, mode, time));
    cx.kernel.ipc.add_queue(name, &queue);
    Ok(queue)
}

fn checked_size(asked: Attributes, limit: QueueSize) -> Result<QueueSize> {
    match (u64::try_from(asked.messages), u64::try_from(asked.bytes)) {
        (Ok(messages @ 1..), Ok(bytes @ 1..))
            if messages <= limit.messages && bytes <= limit.bytes =>
        {
            Ok(QueueSize { messages, bytes })
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// mq_unlink(3). The queues lie in a directory in which only a file's owner may remove it.
pub fn mq_unlink(cx: &mut Context<'_>, [name, ..]: [u64; 6]) -> Result<Outcome> {
    let name = read_name(cx, name)?;
    let who = cx.process().credentials.clone();
    let queue = cx.kernel.ipc.queues.get(&name).ok_or(Errno::ENOENT)?;
    if who.fsuid != queue.status().uid && !who.can(Capabilities::FOWNER) {
        return Err(Errno::EPERM.into());
    }
    if let Some(queue) = cx.kernel.ipc.queues.remove(&name) {
        queue.unlink();
    }
    Ok(Outcome::Done(0))
}

/// Reads when a call is to give up, by the wall clock.
fn read_deadline(cx: &mut Context<'_>, from: u64) -> Result<Option<Duration>> {
    match UserPtr::<Timespec>::new(from).non_null() {
        Some(from) => Ok(Some(cx.read(from)?.duration()?)),
        None => Ok(None),
    }
}

type Opened = (Rc<FileDescription>, Rc<MessageQueueFile>);

fn opened(cx: &mut Context<'_>, fd: u64) -> Result<Opened> {
    let file = cx.description(fd)?;
    match &file.file {
        File::MessageQueue(queue) => {
            let queue = Rc::clone(queue);
            Ok((file, queue))
        }
        _ => Err(Error::new(Errno::EBADF, "no message queue")),
    }
}

/// mq_timedsend (mq_send(3)).
pub fn mq_timedsend(
    cx: &mut Context<'_>,
    [fd, from, len, priority, timeout, _]: [u64; 6],
) -> Result<Outcome> {
    if cx.kernel.ipc.is_sent(cx.thread) {
        return Ok(Outcome::Done(0));
    }
    let deadline = read_deadline(cx, timeout)?;
    let priority = priority as u32;
    if u64::from(priority) >= PRIORITIES {
        return Err(Errno::EINVAL.into());
    }
    let (file, queue) = opened(cx, fd)?;
    file.check_writes()?;
    if len > queue.size.bytes {
        return Err(Errno::EMSGSIZE.into());
    }
    let bytes = user::read_vec(cx.host, UserPtr::<u8>::new(from), len as usize)?;
    let message = QueuedMessage { priority, bytes };
    if queue.is_full() {
        cx.kernel.ipc.sending.insert(cx.thread, message);
        return wait(cx, (file, queue), fd, deadline, Side::Sender);
    }
    let sender = (cx.process().pid.raw(), cx.process().credentials.uid);
    let passed = queue.send(&mut cx.kernel.machine, message, sender);
    if let Some((receiver, message)) = passed {
        cx.kernel.ipc.received.insert(receiver, message);
    }
    Ok(Outcome::Done(0))
}

/// mq_timedreceive (mq_receive(3)).
pub fn mq_timedreceive(
    cx: &mut Context<'_>,
    [fd, to, len, priority, timeout, _]: [u64; 6],
) -> Result<Outcome> {
    if let Some(message) = cx.kernel.ipc.received.remove(&cx.thread) {
        return take(cx, message, to, priority);
    }
    let deadline = read_deadline(cx, timeout)?;
    let (file, queue) = opened(cx, fd)?;
    file.check_reads()?;
    if len < queue.size.bytes {
        return Err(Errno::EMSGSIZE.into());
    }
    let crate::kernel::Kernel { machine, ipc, .. } = &mut *cx.kernel;
    match queue.receive(machine, |sender| ipc.take_sending(sender)) {
        Some(message) => take(cx, message, to, priority),
        None => wait(cx, (file, queue), fd, deadline, Side::Receiver),
    }
}

fn take(cx: &mut Context<'_>, message: QueuedMessage, to: u64, priority: u64) -> Result<Outcome> {
    cx.write_optional(priority, &message.priority)?;
    user::write_bytes(cx.host, to, &message.bytes)?;
    Ok(Outcome::Done(message.bytes.len() as u64))
}

/// What a thread waits at a queue as.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Sender,
    Receiver,
}

fn wait(
    cx: &mut Context<'_>,
    (file, queue): Opened,
    fd: u64,
    deadline: Option<Duration>,
    side: Side,
) -> Result<Outcome> {
    let fails = if file.is_nonblocking() {
        Some(Errno::EAGAIN)
    } else {
        deadline.map(|wall| cx.deadline_at_wall(wall));
        cx.timed_out().then_some(Errno::ETIMEDOUT)
    };
    if let Some(errno) = fails {
        cx.kernel.ipc.forget_waiter(cx.thread);
        return Err(errno.into());
    }
    cx.hold(fd, &file);
    let (line, waits_for) = match side {
        Side::Sender => (&queue.senders, "room in a message queue"),
        Side::Receiver => (&queue.receivers, "a message"),
    };
    cx.wait_in(line, Readiness::all());
    Ok(cx.block(Restart::IfAsked, waits_for))
}

/// mq_getsetattr(2).
pub fn mq_getsetattr(cx: &mut Context<'_>, [fd, new, old, ..]: [u64; 6]) -> Result<Outcome> {
    let new = match UserPtr::<Attributes>::new(new).non_null() {
        Some(from) => Some(cx.read(from)?),
        None => None,
    };
    let nonblocking = i64::from(raw::O_NONBLOCK);
    if new.is_some_and(|new| new.flags & !nonblocking != 0) {
        return Err(Errno::EINVAL.into());
    }
    let (file, queue) = opened(cx, fd)?;
    let before = Attributes {
        flags: if file.is_nonblocking() { nonblocking } else { 0 },
        messages: queue.size.messages as i64,
        bytes: queue.size.bytes as i64,
        count: queue.count() as i64,
        reserved: [0; 4],
    };
    if let Some(new) = new {
        let mut flags = file.flags.get();
        flags.set(OpenFlags::NONBLOCK, new.flags & nonblocking != 0);
        file.flags.set(flags);
    }
    cx.write_optional(old, &before)?;
    Ok(Outcome::Done(0))
}

/// mq_notify(3).
pub fn mq_notify(cx: &mut Context<'_>, [fd, event, ..]: [u64; 6]) -> Result<Outcome> {
    let pid = cx.process().pid.raw();
    let Some(event) = UserPtr::<RawEvent>::new(event).non_null() else {
        let (_, queue) = opened(cx, fd)?;
        queue.unregister(pid, &mut cx.kernel.machine);
        return Ok(Outcome::Done(0));
    };
    let event = cx.read(event)?;
    let notice = notice(cx, &event)?;
    let (_, queue) = opened(cx, fd)?;
    queue.register(pid, notice)?;
    Ok(Outcome::Done(0))
}

fn notice(cx: &mut Context<'_>, event: &RawEvent) -> Result<Notice> {
    match event.notify as u32 {
        raw::SIGEV_NONE => Ok(Notice::None),
        // Registered it is, and told by no signal (`do_mq_notify`).
        raw::SIGEV_SIGNAL if event.signal == 0 => Ok(Notice::None),
        raw::SIGEV_SIGNAL => {
            let signal = Signal::new(event.signal as u32 as u64).ok_or(Errno::EINVAL)?;
            let process = cx.thread().process;
            let fields = [0, event.value, 0];
            let info = SignalInfo { signal, code: raw::SI_MESGQ, errno: 0, fields };
            Ok(Notice::Signal(SignalTarget::Process(process), info))
        }
        raw::SIGEV_THREAD => {
            let mut cookie = [0; COOKIE_SIZE];
            user::read_bytes(cx.host, event.value, &mut cookie)?;
            let socket = cx.description(event.signal as u32 as u64)?;
            match &socket.file {
                File::Socket(_) => Ok(Notice::Socket(Rc::clone(&socket), cookie.to_vec())),
                _ => Err(Errno::ENOTSOCK.into()),
            }
        }
        _ => Err(Errno::EINVAL.into()),
    }
}
