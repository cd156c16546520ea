//! Sockets.
//!
//! - [`connection`]: making them, naming them, connecting them.
//! - [`transfer`]: sending and receiving.
//! - [`message`], [`control`]: the same with ancillary data.
//! - [`interface`]: what they take by ioctl.
//! - [`unix_path`]: sockets in the file tree.
//! - [`option`]: setsockopt and getsockopt.

mod connection;
mod control;
mod interface;
mod message;
mod option;
mod transfer;
mod unix_path;
pub use connection::{
    accept, accept4, bind, connect, getpeername, getsockname, listen, shutdown, socket, socketpair,
};
pub use interface::control as ioctl;
pub use message::{recvmmsg, recvmsg, sendmmsg, sendmsg};
pub use option::{getsockopt, setsockopt};
pub use transfer::{read, recvfrom, sendto, write};

use alloc::{rc::Rc, vec};
use core::time::Duration;

use crate::{
    context::Context,
    error::{Errno, Result},
    file::{File, FileDescription},
    net::{
        Socket,
        address::{ADDRESS_MAX, Address},
        socket::{Caller, SocketObject},
    },
    outcome::{Outcome, Restart},
    process::Held,
    user::{self, UserPtr},
};

/// An open description of a socket.
struct Open {
    description: Rc<FileDescription>,
}

impl Open {
    /// The socket behind a descriptor.
    fn at(cx: &mut Context<'_>, fd: u64) -> Result<Self> {
        let description = cx.description(fd)?;
        match description.file {
            File::Socket(_) => Ok(Self { description }),
            _ => Err(Errno::ENOTSOCK.into()),
        }
    }

    fn socket(&self) -> &Socket {
        match &self.description.file {
            File::Socket(socket) => socket,
            _ => unreachable!("only sockets get in"),
        }
    }

    fn object(&self) -> &dyn SocketObject {
        self.socket().as_object()
    }
}

fn caller(cx: &mut Context<'_>) -> Caller {
    let process = cx.process();
    let credentials = &process.credentials;
    Caller { pid: process.pid, uid: credentials.euid, gid: credentials.egid }
}

/// Whether a call may wait.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Patience {
    /// It fails instead.
    None,
    /// This long, or for ever.
    Until(Option<Duration>),
}

/// Waits for a socket to change; `otherwise` is what a call without patience, or at the end of it, fails with.
fn wait(
    cx: &mut Context<'_>,
    open: &Open,
    patience: Patience,
    otherwise: Errno,
    waits_for: &'static str,
) -> Result<Outcome> {
    let Patience::Until(timeout) = patience else { return Err(otherwise.into()) };
    cx.deadline_after(timeout);
    if cx.timed_out() {
        return Err(otherwise.into());
    }
    let fd = Some(cx.call().arguments[0] as u32);
    let file = Rc::clone(&open.description);
    cx.call().held.get_or_insert_with(|| Held { fd, file });
    let restart = if timeout.is_some() { Restart::Never } else { Restart::IfAsked };
    Ok(cx.block_on(&[open.object().queue()], restart, waits_for))
}

/// Reads an address that a program passed.
fn read_address(cx: &mut Context<'_>, at: u64, len: u64) -> Result<Address> {
    let len = len as u32 as i32;
    if !(0..=ADDRESS_MAX as i32).contains(&len) {
        return Err(Errno::EINVAL.into());
    }
    let mut bytes = vec![0; len as usize];
    user::read_bytes(cx.host, at, &mut bytes)?;
    Address::decode(&bytes)
}

/// Reads for how many bytes a program has room, which it tells as a `socklen_t`.
fn read_room(cx: &mut Context<'_>, at: u64) -> Result<usize> {
    let room = cx.read(UserPtr::<u32>::new(at))? as i32;
    Ok(usize::try_from(room).map_err(|_| Errno::EINVAL)?)
}

/// Writes an address where a program wants it, cut to its buffer, with its full length.
fn write_address(cx: &mut Context<'_>, to: u64, len_at: u64, address: &Address) -> Result<()> {
    let room = read_room(cx, len_at)?;
    let bytes = address.encode();
    let cut = bytes.len().min(room);
    user::write_bytes(cx.host, to, &bytes[..cut])?;
    cx.write(UserPtr::new(len_at), &(bytes.len() as u32))
}
