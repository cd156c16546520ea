//! Sending and receiving.

use super::{Open, Patience, caller, connection, read_address, unix_path, wait, write_address};
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    net::{
        address::Address,
        socket::{MessageFlags, Outgoing, Received},
    },
    outcome::Outcome,
    syscall::io::raise_broken_pipe,
    uapi::limits::RW_COUNT_MAX,
    user::{self, UserSlice},
};

fn slice(address: u64, len: u64) -> Result<UserSlice> {
    let slice = UserSlice::new(address, len.min(RW_COUNT_MAX as u64));
    slice.check()?;
    Ok(slice)
}

/// What a call that may wait has come to.
pub(super) enum Progress<T> {
    /// It is over.
    Over(T),
    /// It waits.
    Waits(Outcome),
}

fn patience(open: &Open, flags: MessageFlags, timeout: Option<core::time::Duration>) -> Patience {
    if open.description.is_nonblocking() || flags.contains(MessageFlags::DONT_WAIT) {
        Patience::None
    } else {
        Patience::Until(timeout)
    }
}

/// Sends a message; a stream's whole, over as many attempts as it takes.
pub(super) fn send(cx: &mut Context<'_>, open: &Open, message: &Outgoing<'_>) -> Result<Outcome> {
    let patience = patience(open, message.flags, open.object().options().send_timeout.get());
    let total = user::total_len(message.data);
    let before = cx.call().progress as usize;
    let rest = user::skip(message.data, before);
    let part = Outgoing { data: &rest, ..*message };
    let result = open.object().send(&mut cx.env(), &part);
    match result {
        Ok(moved) => {
            let done = before + moved;
            let waits = open.object().is_stream() && done < total && patience != Patience::None;
            if !waits {
                return Ok(Outcome::Done(done as u64));
            }
            cx.call().progress = done as u64;
            wait_for_room(cx, open, patience, done)
        }
        Err(Error { errno: Errno::EAGAIN, .. }) => wait_for_room(cx, open, patience, before),
        Err(_) if before > 0 => Ok(Outcome::Done(before as u64)),
        Err(error) => {
            let signals = open.object().is_stream();
            if signals
                && error.errno == Errno::EPIPE
                && !message.flags.contains(MessageFlags::NO_SIGNAL)
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
    }
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
    match object.receive(&mut cx.env(), &rest, skip, flags) {
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
    let data = [slice(data, len)?];
    let to = match address {
        0 => None,
        _ => {
            let address = read_address(cx, address, address_len)?;
            Some(unix_path::find(cx, address)?)
        }
    };
    let (flags, caller) = (MessageFlags::from_bits_retain(flags as u32), caller(cx));
    send(
        cx,
        &open,
        &Outgoing { data: &data, to: to.as_ref(), flags, caller, rights: &[], source: None },
    )
}

/// recvfrom(2).
pub fn recvfrom(
    cx: &mut Context<'_>,
    [fd, buffer, len, flags, address, address_len]: [u64; 6],
) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let into = [slice(buffer, len)?];
    let flags = MessageFlags::from_bits_retain(flags as u32);
    let received = match receive(cx, &open, &into, flags)? {
        Progress::Over(received) => received,
        Progress::Waits(outcome) => return Ok(outcome),
    };
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
        None => cx.write(crate::user::UserPtr::new(len_at), &0u32),
    }
}
