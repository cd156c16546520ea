//! The object: questions in, answers out.

use alloc::{collections::VecDeque, rc::Rc, vec::Vec};
use core::cell::{Cell, RefCell};

use linux_raw_sys::net as raw;

use super::{diag, route};
use crate::{
    error::{Errno, Result},
    machine::{Env, Machine},
    net::{
        address::Address,
        socket::{
            message::{Caller, MessageFlags, Outgoing, Received},
            object::{Kind, SocketObject},
            options::{BUFFER_DEFAULT, Options},
            tcp::Shut,
        },
        stack::{SocketId, Stack},
    },
    user::{self, UserSlice},
    wait::{Readiness, WaitQueue},
};

/// Most bytes of a question: what fits the send buffer less the kernel's own (`netlink_sendmsg`).
const QUESTION_MAX: usize = BUFFER_DEFAULT as usize - 32;
/// Ports of sockets beyond the first of a process (`netlink_autobind`): the first of them.
const PORT_FURTHER: u32 = (-4097i32) as u32;

/// What the kernel is asked about: a protocol of netlink.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Subject {
    /// Interfaces and addresses (`NETLINK_ROUTE`).
    Route,
    /// Sockets (`NETLINK_SOCK_DIAG`).
    Sockets,
}

impl Subject {
    /// The subject of a protocol's number, if it is one that is answered here.
    #[must_use]
    pub fn of(protocol: u32) -> Option<Self> {
        [Self::Route, Self::Sockets].into_iter().find(|subject| subject.number() == protocol)
    }

    /// `NETLINK_*`.
    #[must_use]
    pub fn number(self) -> u32 {
        match self {
            Self::Route => 0,
            Self::Sockets => 4,
        }
    }
}

/// A socket of netlink.
pub struct NetlinkSocket {
    stack: Rc<Stack>,
    id: SocketId,
    subject: Subject,
    kind: u32,
    options: Options,
    port: Cell<u32>,
    groups: Cell<u32>,
    inbox: RefCell<VecDeque<Vec<u8>>>,
    queue: WaitQueue,
}

impl NetlinkSocket {
    /// A fresh socket of this type (`SOCK_*`).
    #[must_use]
    pub fn new(stack: &Rc<Stack>, subject: Subject, kind: u32) -> Rc<Self> {
        Rc::new(Self {
            stack: Rc::clone(stack),
            id: stack.allocate_id(),
            subject,
            kind,
            options: Options::new(BUFFER_DEFAULT, BUFFER_DEFAULT),
            port: Cell::new(0),
            groups: Cell::new(0),
            inbox: RefCell::default(),
            queue: WaitQueue::default(),
        })
    }

    /// Takes a port: the wanted one, or if that is zero the process's number if no other socket has it.
    fn take_port(&self, wanted: u32, caller: &Caller) -> Result<()> {
        if self.port.get() != 0 {
            return if wanted == self.port.get() { Ok(()) } else { Err(Errno::EINVAL.into()) };
        }
        let mut ports = self.stack.netlink_ports.borrow_mut();
        let is_free = |port: u32| !ports.contains(&(self.subject, port));
        let port = match wanted {
            0 if is_free(caller.pid.raw()) => caller.pid.raw(),
            0 => (0..=PORT_FURTHER).rev().find(|&port| is_free(port)).ok_or(Errno::EADDRINUSE)?,
            free if is_free(free) => free,
            _ => return Err(Errno::EADDRINUSE.into()),
        };
        ports.insert((self.subject, port));
        self.port.set(port);
        Ok(())
    }
}

impl SocketObject for NetlinkSocket {
    fn id(&self) -> SocketId {
        self.id
    }

    fn kind(&self) -> Kind {
        let protocol = self.subject.number();
        Kind { domain: raw::AF_NETLINK, kind: self.kind, protocol }
    }

    fn options(&self) -> &Options {
        &self.options
    }

    fn queue(&self) -> &WaitQueue {
        &self.queue
    }

    fn readiness(&self) -> Readiness {
        let mut ready = Readiness::WRITABLE;
        ready.set(Readiness::READABLE, !self.inbox.borrow().is_empty());
        ready
    }

    fn bind(&self, _env: &mut Env<'_>, address: &Address, caller: &Caller) -> Result<()> {
        let Address::Netlink { port, groups } = *address else { return Err(Errno::EINVAL.into()) };
        let wanted = if port == 0 { self.port.get() } else { port };
        self.take_port(wanted, caller)?;
        self.groups.set(groups);
        Ok(())
    }

    fn connect(&self, _env: &mut Env<'_>, address: &Address, caller: &Caller) -> Result<()> {
        match *address {
            Address::Unspecified => Ok(()),
            Address::Netlink { port: 0, .. } => self.take_port(self.port.get(), caller),
            Address::Netlink { .. } => Err(Errno::EPERM.into()),
            _ => Err(Errno::EINVAL.into()),
        }
    }

    fn local(&self) -> Address {
        Address::Netlink { port: self.port.get(), groups: self.groups.get() }
    }

    fn remote(&self) -> Result<Address> {
        Ok(Address::Netlink { port: 0, groups: 0 })
    }

    fn send(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        if message.flags.contains(MessageFlags::URGENT) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        match message.to {
            None | Some(Address::Netlink { port: 0, groups: 0 }) => {}
            Some(Address::Netlink { .. }) => return Err(Errno::EPERM.into()),
            Some(_) => return Err(Errno::EINVAL.into()),
        }
        let len = user::total_len(message.data);
        if len > QUESTION_MAX {
            return Err(Errno::EMSGSIZE.into());
        }
        self.take_port(self.port.get(), &message.caller)?;
        let question = user::gather(env.host, message.data, len)?;
        let port = self.port.get();
        self.inbox.borrow_mut().extend(match self.subject {
            Subject::Route => route::answer(&question, port, &self.stack.interfaces),
            Subject::Sockets => diag::answer(&question, port, &self.stack),
        });
        self.queue.wake(Readiness::READABLE, &mut env.machine.wakes);
        Ok(len)
    }

    fn receive(
        &self,
        env: &mut Env<'_>,
        into: &[UserSlice],
        _skip: usize,
        flags: MessageFlags,
    ) -> Result<Received> {
        if flags.contains(MessageFlags::URGENT) {
            return Err(Errno::EOPNOTSUPP.into());
        }
        let mut inbox = self.inbox.borrow_mut();
        let datagram = inbox.front().ok_or(Errno::EAGAIN)?;
        let full = datagram.len();
        let moved = user::scatter(env.host, into, &datagram[..full.min(user::total_len(into))])?;
        if !flags.contains(MessageFlags::PEEK) {
            inbox.pop_front();
        }
        let mut shown = MessageFlags::empty();
        shown.set(MessageFlags::TRUNCATED, full > moved);
        let from = Some(Address::Netlink { port: 0, groups: 0 });
        Ok(Received { moved, full, flags: shown, from, control: Vec::new() })
    }

    fn deliver(&self, machine: &mut Machine, message: Vec<u8>) {
        self.inbox.borrow_mut().push_back(message);
        self.queue.wake(Readiness::READABLE, &mut machine.wakes);
    }

    fn shutdown(&self, _env: &mut Env<'_>, _what: Shut) -> Result<()> {
        Err(Errno::EOPNOTSUPP.into())
    }

    fn close(&self, _env: &mut Env<'_>) {
        self.stack.netlink_ports.borrow_mut().remove(&(self.subject, self.port.take()));
    }

    fn unread(&self) -> Result<usize> {
        Err(Errno::ENOTTY.into())
    }

    fn set_option(&self, _: &mut Env<'_>, level: u32, _name: u32, _value: &[u8]) -> Result<()> {
        // Options choose what notices say; nothing here ever changes, so there are none.
        if level == raw::SOL_NETLINK { Ok(()) } else { Err(Errno::ENOPROTOOPT.into()) }
    }
}
