//! sendmsg, recvmsg and their plural forms.

use super::{
    Open, control, read_address,
    transfer::{Progress, receive, send},
    unix_path,
};
use crate::{
    context::Context,
    error::{Errno, Result},
    net::socket::{MessageFlags, Outgoing},
    outcome::Outcome,
    uapi::{
        limits::IOV_MAX,
        socket::{Mmsghdr, Msghdr},
    },
    user::{self, UserPtr},
};

/// Most messages in one call (`UIO_MAXIOV`).
const MESSAGES_MAX: u64 = 1024;

/// Reads the head of a message (`__copy_msghdr` in net/socket.c).
fn read_header(cx: &mut Context<'_>, at: UserPtr<Msghdr>) -> Result<Msghdr> {
    let header = cx.read(at)?;
    if (header.name_len as i32) < 0 { Err(Errno::EINVAL.into()) } else { Ok(header) }
}

fn send_one(
    cx: &mut Context<'_>,
    open: &Open,
    header: &Msghdr,
    flags: MessageFlags,
) -> Result<Outcome> {
    if header.iov_len > IOV_MAX {
        return Err(Errno::EMSGSIZE.into());
    }
    let data = cx.buffers(header.iov, header.iov_len)?;
    let to = match (header.name, header.name_len) {
        (0, _) | (_, 0) => None,
        (name, len) => {
            let address = read_address(cx, name, u64::from(len))?;
            Some(unix_path::find(cx, address)?)
        }
    };
    open.object().check_before_control()?;
    let sent = control::read(cx, header, open.object().kind())?;
    let message = Outgoing {
        data: &data,
        to: to.as_ref(),
        flags,
        caller: sent.caller,
        rights: &sent.rights,
        packet: sent.packet,
    };
    send(cx, open, &message)
}

/// sendmsg(2).
pub fn sendmsg(cx: &mut Context<'_>, [fd, header, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let header = read_header(cx, UserPtr::new(header))?;
    send_one(cx, &open, &header, MessageFlags::from_bits_retain(flags as u32))
}

/// What a receiving call has come to: bytes, or that it waits.
fn receive_one(
    cx: &mut Context<'_>,
    open: &Open,
    at: UserPtr<Msghdr>,
    flags: MessageFlags,
) -> Result<Progress<usize>> {
    let mut header = read_header(cx, at)?;
    if header.iov_len > IOV_MAX {
        return Err(Errno::EMSGSIZE.into());
    }
    let into = cx.buffers(header.iov, header.iov_len)?;
    let received = match receive(cx, open, &into, flags)? {
        Progress::Over(received) => received,
        Progress::Waits(outcome) => return Ok(Progress::Waits(outcome)),
    };
    let (control_len, cut) = control::write(cx, &header, received.control, flags)?;
    if header.name != 0 {
        let address = received.from.map(|from| from.encode()).unwrap_or_default();
        let len = address.len().min(header.name_len as usize);
        user::write_bytes(cx.host, header.name, &address[..len])?;
        header.name_len = address.len() as u32;
    }
    header.control_len = control_len;
    header.flags = (received.flags | cut | flags & MessageFlags::CLOSE_ON_EXEC).bits();
    cx.write(at, &header)?;
    let whole = flags.contains(MessageFlags::TRUNCATED);
    Ok(Progress::Over(if whole { received.full } else { received.moved }))
}

/// recvmsg(2).
pub fn recvmsg(cx: &mut Context<'_>, [fd, header, flags, ..]: [u64; 6]) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let flags = MessageFlags::from_bits_retain(flags as u32);
    match receive_one(cx, &open, UserPtr::new(header), flags)? {
        Progress::Over(len) => Ok(Outcome::Done(len as u64)),
        Progress::Waits(outcome) => Ok(outcome),
    }
}

/// sendmmsg(2). Only the first message waits for room: as many as go at once are sent, which the call may do.
pub fn sendmmsg(
    cx: &mut Context<'_>,
    [fd, messages, count, flags, ..]: [u64; 6],
) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let mut flags = MessageFlags::from_bits_retain(flags as u32);
    let messages = UserPtr::<Mmsghdr>::new(messages);
    let mut done = 0;
    while done < (count & 0xffff_ffff).min(MESSAGES_MAX) {
        let at = messages.add(done);
        let message = cx.read(at)?;
        match send_one(cx, &open, &message.header, flags) {
            Ok(Outcome::Done(len)) => cx.write(at, &Mmsghdr { len: len as u32, ..message })?,
            Ok(waits) => return Ok(waits),
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
        done += 1;
        flags |= MessageFlags::DONT_WAIT;
        cx.call().progress = 0;
    }
    Ok(Outcome::Done(done))
}

/// recvmmsg(2). Messages already received are counted in the call's progress while it waits for more.
pub fn recvmmsg(
    cx: &mut Context<'_>,
    [fd, messages, count, flags, timeout, ..]: [u64; 6],
) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let flags = MessageFlags::from_bits_retain(flags as u32);
    let timeout = cx.read_timeout(timeout)?;
    let messages = UserPtr::<Mmsghdr>::new(messages);
    let count = (count & 0xffff_ffff).min(MESSAGES_MAX);
    let mut done = cx.call().woken_with.take().unwrap_or(0);
    let due = timeout.map(|timeout| cx.kernel.machine.clock.after(timeout));
    while done < count {
        let at = messages.add(done);
        let mut now = flags.difference(MessageFlags::WAIT_FOR_ONE);
        if done > 0 && flags.contains(MessageFlags::WAIT_FOR_ONE) {
            now |= MessageFlags::DONT_WAIT;
        }
        match receive_one(cx, &open, UserPtr::new(at.address()), now) {
            Ok(Progress::Over(len)) => {
                let mut message = cx.read(at)?;
                message.len = len as u32;
                cx.write(at, &message)?;
            }
            Ok(Progress::Waits(outcome)) => {
                cx.call().woken_with = Some(done);
                return Ok(outcome);
            }
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
        done += 1;
        // As Linux: the time-out is looked at only after a message was received.
        if due.is_some_and(|due| cx.now() >= due) {
            break;
        }
    }
    Ok(Outcome::Done(done))
}
