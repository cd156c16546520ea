//! Message queues: msgget(2), msgop(2), msgctl(2).

use super::{Naming, READ, WRITE, check_access, get_or_make, named, owned, setting, write_status};
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    ipc::{
        Delivery, Id, Ipc, Message, MessageQueue, Object, RawPermission, Receiver, Registry,
        Selection,
    },
    outcome::{Outcome, Restart},
    process::Capabilities,
    uapi::ipc::{self as uapi, QueueStatus, command},
    user::{self, UserPtr},
    wait::Readiness,
};

fn queues(ipc: &mut Ipc) -> &mut Registry<MessageQueue> {
    &mut ipc.messages
}

/// msgget(2).
pub fn msgget(cx: &mut Context<'_>, [key, flags, ..]: [u64; 6]) -> Result<Outcome> {
    get_or_make(
        cx,
        queues,
        [key, flags],
        |_| Ok(()),
        |cx, permission| {
            let (now, bytes_max) = (cx.kernel.ipc_time(), setting(cx, "msgmnb"));
            Ok((MessageQueue::new(permission, bytes_max, now), setting(cx, "msgmni")))
        },
    )
}

/// The queue of a call that may have waited at it: it may be gone by now.
fn queue_of(cx: &mut Context<'_>, id: u64) -> Result<Id> {
    let id = Id::from_register(id)?;
    let waited = cx.call().attempts > 1;
    match cx.kernel.ipc.messages.get(id) {
        Ok(_) => Ok(id),
        Err(_) if waited => Err(Errno::EIDRM.into()),
        Err(error) => Err(error),
    }
}

/// msgsnd (msgop(2)).
pub fn msgsnd(cx: &mut Context<'_>, [id, from, len, flags, ..]: [u64; 6]) -> Result<Outcome> {
    if len > setting(cx, "msgmax") || (id as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let kind = cx.read(UserPtr::<i64>::new(from))?;
    if kind < 1 {
        return Err(Errno::EINVAL.into());
    }
    let text = UserPtr::<u8>::new(from.wrapping_add(size_of::<i64>() as u64));
    let bytes = user::read_vec(cx.host, text, len as usize)?;
    let id = queue_of(cx, id)?;
    check_access(cx, queues, id, WRITE)?;
    let (pid, now) = (cx.process().pid.raw(), cx.kernel.ipc_time());
    let ipc = &mut cx.kernel.ipc;
    let queue = ipc.messages.get_mut(id)?;
    if !queue.has_room(bytes.len()) {
        if flags as u32 & uapi::NO_WAIT != 0 {
            return Err(Errno::EAGAIN.into());
        }
        let room = queue.room.clone();
        return Ok(cx.block_on(&[&room], Restart::UnlessHandled, "room in a message queue"));
    }
    for (thread, delivery) in queue.send(Message { kind, bytes }, pid, now) {
        ipc.delivered.insert(thread, delivery);
        cx.kernel.machine.wakes.push(thread);
    }
    Ok(Outcome::Done(0))
}

/// What a receiver asks for by type and flags.
fn selection(kind: i64, flags: u32) -> Selection {
    match kind {
        0 => Selection::First,
        ..0 => Selection::LowestTo(kind.checked_neg().unwrap_or(i64::MAX)),
        _ if flags & uapi::MSG_EXCEPT != 0 => Selection::OtherThan(kind),
        _ => Selection::Of(kind),
    }
}

/// msgrcv (msgop(2)).
pub fn msgrcv(cx: &mut Context<'_>, [id, to, len, kind, flags, _]: [u64; 6]) -> Result<Outcome> {
    if let Some(delivery) = cx.kernel.ipc.delivered.remove(&cx.thread) {
        return take(cx, delivery, to, len);
    }
    let flags = flags as u32;
    if (id as i32) < 0 || (len as i64) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let id = queue_of(cx, id)?;
    if cx.kernel.ipc.messages.get(id)?.is_waiting(cx.thread) {
        return Ok(cx.block(Restart::UnlessHandled, "a message"));
    }
    if flags & uapi::MSG_COPY != 0 {
        return copy(cx, id, [to, len, kind], flags);
    }
    check_access(cx, queues, id, READ)?;
    let receiver = Receiver {
        thread: cx.thread,
        pid: cx.process().pid.raw(),
        selection: selection(kind as i64, flags),
        max: len as usize,
        truncates: flags & uapi::MSG_NO_ERROR != 0,
    };
    let now = cx.kernel.ipc_time();
    let queue = cx.kernel.ipc.messages.get_mut(id)?;
    match queue.receive(&receiver, now) {
        Err(Error { errno: Errno::ENOMSG, .. }) if flags & uapi::NO_WAIT == 0 => {
            queue.wait(receiver);
            Ok(cx.block(Restart::UnlessHandled, "a message"))
        }
        delivery => {
            if delivery.is_ok() {
                let room = queue.room.clone();
                room.wake(Readiness::all(), &mut cx.kernel.machine.wakes);
            }
            take(cx, delivery, to, len)
        }
    }
}

/// Hands a message to the program; its length.
fn take(cx: &mut Context<'_>, delivery: Delivery, to: u64, max: u64) -> Result<Outcome> {
    let Message { kind, bytes } = delivery?;
    let len = bytes.len().min(max as usize);
    cx.write(UserPtr::new(to), &kind)?;
    user::write_bytes(cx.host, to.wrapping_add(size_of::<i64>() as u64), &bytes[..len])?;
    Ok(Outcome::Done(len as u64))
}

/// `MSG_COPY`: a message stays in the queue, and is named by its place there.
fn copy(cx: &mut Context<'_>, id: Id, [to, len, place]: [u64; 3], flags: u32) -> Result<Outcome> {
    if flags & uapi::MSG_EXCEPT != 0 || flags & uapi::NO_WAIT == 0 {
        return Err(Errno::EINVAL.into());
    }
    check_access(cx, queues, id, READ)?;
    let queue = cx.kernel.ipc.messages.get(id)?;
    let place = usize::try_from(place as i64).map_err(|_| Errno::ENOMSG)?;
    let message = queue.messages.get(place).ok_or(Errno::ENOMSG)?.clone();
    if message.bytes.len() as u64 > len && flags & uapi::MSG_NO_ERROR == 0 {
        return Err(Errno::E2BIG.into());
    }
    take(cx, Ok(message), to, len)
}

/// msgctl(2).
pub fn msgctl(cx: &mut Context<'_>, [id, command, argument, ..]: [u64; 6]) -> Result<Outcome> {
    if (id as i32) < 0 || (command as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    match command as u32 {
        command::INFO | command::MSG_INFO => info(cx, command as u32, argument),
        command::STAT => status(cx, id, Naming::Id, argument),
        command::MSG_STAT => status(cx, id, Naming::Place, argument),
        command::MSG_STAT_ANY => status(cx, id, Naming::PlaceForAll, argument),
        command::SET => set(cx, id, argument),
        command::REMOVE => {
            let id = owned(cx, queues, id)?;
            if let Some(queue) = cx.kernel.ipc.messages.remove(id) {
                wake_all(cx, queue);
            }
            Ok(Outcome::Done(0))
        }
        _ => Err(Errno::EINVAL.into()),
    }
}

/// Has all who wait at a queue look anew.
fn wake_all(cx: &mut Context<'_>, mut queue: MessageQueue) {
    for thread in queue.take_waiters() {
        cx.kernel.machine.wakes.push(thread);
    }
    queue.room.wake(Readiness::all(), &mut cx.kernel.machine.wakes);
}

fn set(cx: &mut Context<'_>, id: u64, from: u64) -> Result<Outcome> {
    let new = cx.read(UserPtr::<RawPermission>::new(from))?;
    let status_at = from.wrapping_add(size_of::<RawPermission>() as u64);
    let status = cx.read(UserPtr::<QueueStatus>::new(status_at))?;
    let id = owned(cx, queues, id)?;
    let grows = status.bytes_max > setting(cx, "msgmnb");
    if grows && !cx.process().credentials.can(Capabilities::SYS_RESOURCE) {
        return Err(Error::new(Errno::EPERM, "more than MSGMNB"));
    }
    let now = cx.kernel.ipc_time();
    let queue = cx.kernel.ipc.messages.get_mut(id)?;
    queue.permission.set(&new)?;
    (queue.bytes_max, queue.change_time) = (status.bytes_max, now);
    // Who waits may no longer be allowed to, or may find room.
    let (waiters, room) = (queue.take_waiters(), queue.room.clone());
    for thread in waiters {
        cx.kernel.machine.wakes.push(thread);
    }
    room.wake(Readiness::all(), &mut cx.kernel.machine.wakes);
    Ok(Outcome::Done(0))
}

fn status(cx: &mut Context<'_>, raw: u64, naming: Naming, to: u64) -> Result<Outcome> {
    let who = cx.process().credentials.clone();
    let (id, result) = named(&cx.kernel.ipc.messages, raw, naming, &who)?;
    let queue = cx.kernel.ipc.messages.get(id)?;
    let permission = queue.permission().to_raw(id.sequence());
    let status = QueueStatus {
        send_time: queue.send_time,
        receive_time: queue.receive_time,
        change_time: queue.change_time,
        bytes: queue.bytes,
        count: queue.messages.len() as u64,
        bytes_max: queue.bytes_max,
        last_sender: queue.last_sender,
        last_receiver: queue.last_receiver,
        unused: [0; 2],
    };
    write_status(cx, to, &permission, &status)?;
    Ok(Outcome::Done(result))
}

/// `IPC_INFO` and `MSG_INFO`: `struct msginfo`.
fn info(cx: &mut Context<'_>, command: u32, to: u64) -> Result<Outcome> {
    /// `MSGSSZ`, which means nothing any more, as the fields that hold `MSGMNB` in the first case.
    const SEGMENT_SIZE: u64 = 16;
    let [max, bytes_max, places] = ["msgmax", "msgmnb", "msgmni"].map(|name| setting(cx, name));
    let queues = &cx.kernel.ipc.messages;
    let (pool, map, total) = match command {
        command::MSG_INFO => (
            queues.len() as u64,
            queues.iter().map(|(_, queue)| queue.messages.len() as u64).sum(),
            queues.iter().map(|(_, queue)| queue.bytes).sum(),
        ),
        _ => (places * bytes_max / 1024, bytes_max, bytes_max),
    };
    let last = queues.last_place();
    let segments = (places * bytes_max / SEGMENT_SIZE).min(0xffff);
    let fields = [pool, map, max, bytes_max, places, SEGMENT_SIZE, total, segments];
    cx.write(UserPtr::<[u32; 8]>::new(to), &fields.map(|field| field as u32))?;
    Ok(Outcome::Done(last.into()))
}
