//! Sending and receiving.

use alloc::rc::Rc;

use super::{
    Open, Patience, caller, connection, control, read_address, read_room, unix_path, wait,
    write_address,
};
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    file::FileDescription,
    net::{
        address::Address,
        socket::{MessageFlags, Outgoing, PacketChoices, Received},
    },
    outcome::Outcome,
    syscall::io::raise_broken_pipe,
    user::{self, UserSlice},
};

/// What a call that may wait has come to.
pub(super) enum Progress<T> {
    /// It is over.
    Over(T),
    /// It waits.
    Waits(Outcome),
}

fn patience(open: &Open, flags: MessageFlags, timeout: Option<core::time::Duration>) -> Patience {
    // Nobody waits for what a network has to say of an error (`inet_recv_error`).
    let asks_errors = flags.contains(MessageFlags::ERROR_QUEUE) && open.object().kind().is_inet();
    let at_once = asks_errors || flags.contains(MessageFlags::DONT_WAIT);
    if open.description.is_nonblocking() || at_once {
        Patience::None
    } else {
        Patience::Until(timeout)
    }
}

/// Sends a message; a stream's whole, over as many attempts as it takes.
pub(super) fn send(cx: &mut Context<'_>, open: &Open, message: &Outgoing<'_>) -> Result<Outcome> {
    let total = user::total_len(message.data);
    loop {
        let done = cx.call().progress as usize;
        let rest = user::skip(message.data, done);
        let rights = if done == 0 { message.rights } else { &[] };
        match open.object().send(&mut cx.env(), &Outgoing { data: &rest, rights, ..*message }) {
            Ok(moved) => {
                let done = done + moved;
                if moved == 0 || done >= total || !open.object().is_stream() {
                    return Ok(Outcome::Done(done as u64));
                }
                cx.call().progress = done as u64;
            }
            Err(Error { errno: Errno::EAGAIN, .. }) => {
                let timeout = open.object().options().send_timeout.get();
                let patience = patience(open, message.flags, timeout);
                return wait_for_room(cx, open, patience, done);
            }
            Err(error) => return fail_sending(cx, open, message, done, error),
        }
    }
}

/// What a send that cannot go on comes to, after so many bytes.
fn fail_sending(
    cx: &mut Context<'_>,
    open: &Open,
    message: &Outgoing<'_>,
    done: usize,
    error: Error,
) -> Result<Outcome> {
    let is_stream = open.object().is_stream();
    if done > 0 {
        if error.errno == Errno::ECONNRESET {
            // The next call tells of it.
            open.object().options().error.set(Some(error.errno));
        }
        return Ok(Outcome::Done(done as u64));
    }
    if is_stream && error.errno == Errno::EPIPE && !message.flags.contains(MessageFlags::NO_SIGNAL)
    {
        raise_broken_pipe(cx);
    }
    if error.errno == Errno::ENETUNREACH
        && let Some(to) = message.to
    {
        connection::report_escape(cx, to);
    }
    Err(error)
}

/// read(2) on a socket; reading nothing asks it nothing (`sock_read_iter` in net/socket.c).
pub fn read(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    into: &[UserSlice],
    flags: MessageFlags,
) -> Result<Outcome> {
    if user::total_len(into) == 0 {
        return Ok(Outcome::Done(0));
    }
    let open = Open { description: Rc::clone(file) };
    match receive(cx, &open, into, flags)? {
        Progress::Over(received) => {
            control::drop_rights(cx, received.control);
            Ok(Outcome::Done(received.moved as u64))
        }
        Progress::Waits(outcome) => Ok(outcome),
    }
}

/// write(2) on a socket.
pub fn write(
    cx: &mut Context<'_>,
    file: &Rc<FileDescription>,
    from: &[UserSlice],
    flags: MessageFlags,
) -> Result<Outcome> {
    let open = Open { description: Rc::clone(file) };
    let caller = caller(cx);
    let packet = PacketChoices::default();
    let message = Outgoing { data: from, to: None, flags, caller, rights: &[], packet };
    send(cx, &open, &message)
}

fn wait_for_room(
    cx: &mut Context<'_>,
    open: &Open,
    patience: Patience,
    done: usize,
) -> Result<Outcome> {
    match wait(cx, open, patience, Errno::EAGAIN, "room to send") {
        Err(Error { errno: Errno::EAGAIN, .. }) if done > 0 => Ok(Outcome::Done(done as u64)),
        other => other,
    }
}

/// Receives a message, or as much of a stream as there is; with `MSG_WAITALL` as much as is wanted.
pub(super) fn receive(
    cx: &mut Context<'_>,
    open: &Open,
    into: &[UserSlice],
    flags: MessageFlags,
) -> Result<Progress<Received>> {
    let patience = patience(open, flags, open.object().options().receive_timeout.get());
    let object = open.object();
    let before = cx.call().progress as usize;
    let rest = user::skip(into, before);
    let peeks = flags.contains(MessageFlags::PEEK);
    let skip = if peeks { before } else { 0 };
    let partial = || Received { moved: before, full: before, ..Received::default() };
    let now = if patience == Patience::None { MessageFlags::DONT_WAIT } else { flags };
    match object.receive(&mut cx.env(), &rest, skip, flags | now) {
        Ok(mut received) => {
            let done = before + received.moved;
            let waits = flags.contains(MessageFlags::WAIT_ALL)
                && object.is_stream()
                && patience != Patience::None
                && received.moved > 0
                && done < user::total_len(into);
            if !waits {
                (received.moved, received.full) = (done, before + received.full);
                return Ok(Progress::Over(received));
            }
            cx.call().progress = done as u64;
            match wait(cx, open, patience, Errno::EAGAIN, "more data") {
                Ok(outcome) => Ok(Progress::Waits(outcome)),
                Err(_) => {
                    (received.moved, received.full) = (done, done);
                    Ok(Progress::Over(received))
                }
            }
        }
        Err(Error { errno: Errno::EAGAIN, .. }) => {
            match wait(cx, open, patience, Errno::EAGAIN, "data to receive") {
                Ok(outcome) => Ok(Progress::Waits(outcome)),
                Err(_) if before > 0 => Ok(Progress::Over(partial())),
                Err(error) => Err(error),
            }
        }
        Err(_) if before > 0 => Ok(Progress::Over(partial())),
        Err(error) => Err(error),
    }
}

/// sendto(2).
pub fn sendto(
    cx: &mut Context<'_>,
    [fd, data, len, flags, address, address_len]: [u64; 6],
) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let data = [cx.buffer(data, len)?];
    let to = match address {
        0 => None,
        _ => {
            let address = read_address(cx, address, address_len)?;
            Some(unix_path::find(cx, address)?)
        }
    };
    let (flags, caller) = (MessageFlags::from_bits_retain(flags as u32), caller(cx));
    let packet = PacketChoices::default();
    send(cx, &open, &Outgoing { data: &data, to: to.as_ref(), flags, caller, rights: &[], packet })
}

/// recvfrom(2).
pub fn recvfrom(
    cx: &mut Context<'_>,
    [fd, buffer, len, flags, address, address_len]: [u64; 6],
) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let into = [cx.buffer(buffer, len)?];
    let flags = MessageFlags::from_bits_retain(flags as u32);
    let received = match receive(cx, &open, &into, flags)? {
        Progress::Over(received) => received,
        Progress::Waits(outcome) => return Ok(outcome),
    };
    control::drop_rights(cx, received.control);
    if address != 0 {
        write_source(cx, address, address_len, received.from.as_ref())?;
    }
    let cut = flags.contains(MessageFlags::TRUNCATED);
    Ok(Outcome::Done(if cut { received.full } else { received.moved } as u64))
}

/// Writes where a message came from; an empty address if it does not say.
fn write_source(cx: &mut Context<'_>, to: u64, len_at: u64, from: Option<&Address>) -> Result<()> {
    match from {
        Some(from) => write_address(cx, to, len_at, from),
        None => {
            read_room(cx, len_at)?;
            cx.write(crate::user::UserPtr::new(len_at), &0u32)
        }
    }
}
