//! setsockopt and getsockopt.

use alloc::{vec, vec::Vec};
use core::time::Duration;

use linux_raw_sys::net as raw;

use super::{Open, read_room};
use crate::{
    context::Context,
    error::{Errno, Result},
    net::socket::{
        SocketObject,
        option_value::{Value, read_flag, read_int},
        options::{
            BUFFER_MAX, BufferSize, Linger, Options, RECEIVE_BUFFER_MIN, SEND_BUFFER_MIN, Timestamp,
        },
    },
    outcome::Outcome,
    uapi::{socket::Ucred, time::Timeval},
    user::{self, UserPtr},
};

/// Longest value looked at.
const VALUE_MAX: u32 = 4096;

/// setsockopt(2).
pub fn setsockopt(
    cx: &mut Context<'_>,
    [fd, level, name, value, len, ..]: [u64; 6],
) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let len = len as u32;
    if (len as i32) < 0 {
        return Err(Errno::EINVAL.into());
    }
    let mut bytes = vec![0; len.min(VALUE_MAX) as usize];
    user::read_bytes(cx.host, value, &mut bytes)?;
    let (level, name) = (level as u32, name as u32);
    if level == raw::SOL_SOCKET {
        set_common(cx, open.object(), name, &bytes)?;
    } else {
        open.object().set_option(&mut cx.env(), level, name, &bytes)?;
    }
    Ok(Outcome::Done(0))
}

/// getsockopt(2).
pub fn getsockopt(
    cx: &mut Context<'_>,
    [fd, level, name, value, len, ..]: [u64; 6],
) -> Result<Outcome> {
    let open = Open::at(cx, fd)?;
    let room = read_room(cx, len)?;
    let (level, name) = (level as u32, name as u32);
    let bytes = if level == raw::SOL_SOCKET {
        common(open.object(), name)?
    } else {
        open.object().option(&mut cx.env(), level, name)?
    };
    let cut = bytes.len().min(room);
    user::write_bytes(cx.host, value, &bytes[..cut])?;
    cx.write(UserPtr::new(len), &(cut as u32))?;
    Ok(Outcome::Done(0))
}

fn buffer_size(asked: i32, least: u32) -> BufferSize {
    let asked = (asked.max(0) as u32).min(BUFFER_MAX);
    BufferSize::Fixed((asked * 2).max(least))
}

fn read_timeout(value: &[u8]) -> Result<Option<Duration>> {
    let bytes = value.get(..size_of::<Timeval>()).ok_or(Errno::EINVAL)?;
    let time: Timeval = bytemuck::pod_read_unaligned(bytes);
    if !(0..1_000_000).contains(&time.usec) {
        return Err(Errno::EDOM.into());
    }
    if time.sec < 0 {
        // As Linux: the call does not wait at all.
        return Ok(Some(Duration::ZERO));
    }
    let timeout = Duration::new(time.sec as u64, time.usec as u32 * 1000);
    Ok((!timeout.is_zero()).then_some(timeout))
}

fn read_linger(value: &[u8]) -> Result<Linger> {
    let (on, seconds) = (read_int(value)?, read_int(value.get(4..).unwrap_or_default())?);
    Ok(if on != 0 { Linger::Seconds(seconds.max(0) as u32) } else { Linger::Off })
}

fn set_common(
    cx: &mut Context<'_>,
    object: &dyn SocketObject,
    name: u32,
    value: &[u8],
) -> Result<()> {
    let options = object.options();
    match name {
        raw::SO_LINGER => options.linger.set(read_linger(value)?),
        raw::SO_RCVTIMEO_OLD | raw::SO_RCVTIMEO_NEW => {
            options.receive_timeout.set(read_timeout(value)?);
        }
        raw::SO_SNDTIMEO_OLD | raw::SO_SNDTIMEO_NEW => {
            options.send_timeout.set(read_timeout(value)?);
        }
        raw::SO_KEEPALIVE => {
            options.keep_alive.set(read_flag(value)?);
            object.on_keep_alive(&mut cx.env());
        }
        raw::SO_BINDTODEVICE => {}
        raw::SO_SNDBUFFORCE | raw::SO_RCVBUFFORCE | raw::SO_DEBUG
            if cx.process().credentials.euid != 0 =>
        {
            return Err(Errno::EPERM.into());
        }
        _ => return set_number(options, name, value),
    }
    Ok(())
}

fn set_number(options: &Options, name: u32, value: &[u8]) -> Result<()> {
    let number = read_int(value)?;
    let flag = read_flag(value)?;
    match name {
        raw::SO_REUSEADDR => options.reuse_address.set(flag),
        raw::SO_REUSEPORT => options.reuse_port.set(flag),
        raw::SO_BROADCAST => options.broadcast.set(flag),
        raw::SO_DONTROUTE => options.dont_route.set(flag),
        raw::SO_OOBINLINE => options.urgent_inline.set(flag),
        raw::SO_PASSCRED => options.pass_credentials.set(flag),
        raw::SO_SNDBUF | raw::SO_SNDBUFFORCE => {
            options.send_buffer.set(buffer_size(number, SEND_BUFFER_MIN));
        }
        raw::SO_RCVBUF | raw::SO_RCVBUFFORCE => {
            options.receive_buffer.set(buffer_size(number, RECEIVE_BUFFER_MIN));
        }
        raw::SO_RCVLOWAT => {
            let number = if number < 0 { i32::MAX } else { number };
            options.receive_low_water.set(number.max(1) as u32);
        }
        raw::SO_PRIORITY => options.priority.set(number as u32),
        raw::SO_MARK => options.mark.set(number as u32),
        raw::SO_TIMESTAMP => {
            options.timestamp.set(if flag { Timestamp::Micros } else { Timestamp::Off });
        }
        raw::SO_TIMESTAMPNS => {
            options.timestamp.set(if flag { Timestamp::Nanos } else { Timestamp::Off });
        }
        raw::SO_TYPE | raw::SO_PROTOCOL | raw::SO_DOMAIN | raw::SO_ERROR | raw::SO_SNDLOWAT => {
            return Err(Errno::ENOPROTOOPT.into());
        }
        raw::SO_DEBUG
        | raw::SO_NO_CHECK
        | raw::SO_BUSY_POLL
        | raw::SO_RXQ_OVFL
        | raw::SO_INCOMING_CPU
        | raw::SO_MAX_PACING_RATE
        | raw::SO_TIMESTAMPING => {}
        _ => return Err(Errno::ENOPROTOOPT.into()),
    }
    Ok(())
}

fn timeout_value(timeout: Option<Duration>) -> Vec<u8> {
    bytemuck::bytes_of(&Timeval::from(timeout.unwrap_or_default())).to_vec()
}

fn common(object: &dyn SocketObject, name: u32) -> Result<Vec<u8>> {
    let options = object.options();
    let kind = object.kind();
    Ok(match name {
        raw::SO_REUSEADDR => options.reuse_address.get().value(),
        raw::SO_REUSEPORT => options.reuse_port.get().value(),
        raw::SO_KEEPALIVE => options.keep_alive.get().value(),
        raw::SO_BROADCAST => options.broadcast.get().value(),
        raw::SO_DONTROUTE => options.dont_route.get().value(),
        raw::SO_OOBINLINE => options.urgent_inline.get().value(),
        raw::SO_PASSCRED => options.pass_credentials.get().value(),
        raw::SO_SNDBUF => options.send_buffer.get().shown().value(),
        raw::SO_RCVBUF => options.receive_buffer.get().shown().value(),
        raw::SO_RCVLOWAT => options.receive_low_water.get().value(),
        raw::SO_SNDLOWAT => 1u32.value(),
        raw::SO_PRIORITY => options.priority.get().value(),
        raw::SO_MARK => options.mark.get().value(),
        raw::SO_TYPE => kind.kind.value(),
        raw::SO_DOMAIN => kind.domain.value(),
        raw::SO_PROTOCOL => kind.protocol.value(),
        raw::SO_ACCEPTCONN => object.is_listening().value(),
        raw::SO_ERROR => options.error.take().map_or(0, |errno| u32::from(errno.number())).value(),
        raw::SO_TIMESTAMP => (options.timestamp.get() == Timestamp::Micros).value(),
        raw::SO_TIMESTAMPNS => (options.timestamp.get() == Timestamp::Nanos).value(),
        raw::SO_RCVTIMEO_OLD | raw::SO_RCVTIMEO_NEW => timeout_value(options.receive_timeout.get()),
        raw::SO_SNDTIMEO_OLD | raw::SO_SNDTIMEO_NEW => timeout_value(options.send_timeout.get()),
        raw::SO_LINGER => {
            let (on, seconds) = match options.linger.get() {
                Linger::Off => (0u32, 0),
                Linger::Seconds(seconds) => (1, seconds),
            };
            [on.value(), seconds.value()].concat()
        }
        raw::SO_PEERNAME => object.remote()?.encode(),
        raw::SO_PEERCRED => {
            let peer = object.peer_credentials();
            let raw = peer.map_or(Ucred { pid: 0, uid: u32::MAX, gid: u32::MAX }, |peer| Ucred {
                pid: peer.pid.raw(),
                uid: peer.uid,
                gid: peer.gid,
            });
            bytemuck::bytes_of(&raw).to_vec()
        }
        raw::SO_COOKIE => object.id().0.to_ne_bytes().to_vec(),
        raw::SO_DEBUG
        | raw::SO_NO_CHECK
        | raw::SO_BUSY_POLL
        | raw::SO_BINDTODEVICE
        | raw::SO_RXQ_OVFL
        | raw::SO_INCOMING_CPU => 0u32.value(),
        _ => return Err(Errno::ENOPROTOOPT.into()),
    })
}
