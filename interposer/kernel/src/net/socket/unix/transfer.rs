//! Messages in and out, and readiness.

use alloc::{
    rc::{Rc, Weak},
    vec::Vec,
};

use super::{
    memory,
    socket::{State, UnixKind, UnixSocket},
};
use crate::{
    error::{Errno, Error, Result},
    file::FileDescription,
    machine::{Env, Machine},
    net::{
        address::{Address, UnixName},
        socket::{
            message::{Caller, Control, MessageFlags, Outgoing, Received},
            tcp::Shut,
        },
    },
    user::{self, UserSlice},
    wait::Readiness,
};

/// Most datagrams that wait at one socket, less one (`net.unix.max_dgram_qlen`).
const DATAGRAMS_MAX: usize = 10;
/// What of the send buffer a datagram may not use (`unix_dgram_sendmsg`).
const DATAGRAM_RESERVE: usize = 32;

/// What was sent and not yet read.
pub(super) struct Message {
    bytes: Vec<u8>,
    read: usize,
    rights: Vec<Rc<FileDescription>>,
    credentials: Caller,
    from: Option<UnixName>,
    sender: Weak<UnixSocket>,
    cost: usize,
}

impl Message {
    pub(super) fn rest(&self) -> &[u8] {
        &self.bytes[self.read..]
    }

    /// Gives the sender its room back.
    fn settle(&self, machine: &mut Machine) {
        let Some(sender) = self.sender.upgrade() else { return };
        sender.sent.set(sender.sent.get().saturating_sub(self.cost));
        if sender.is_roomy() {
            sender.queue.wake(Readiness::WRITABLE, &mut machine.wakes);
        }
    }

    /// Drops it unread.
    pub(super) fn discard(self, env: &mut Env<'_>) {
        self.settle(env.machine);
        for right in self.rights {
            FileDescription::let_go(right, env);
        }
    }
}

impl UnixSocket {
    fn send_limit(&self) -> usize {
        self.options.send_buffer.get().shown() as usize
    }

    /// Whether there is enough room for writing to make sense (`unix_writable`).
    fn is_roomy(&self) -> bool {
        // Linux counts one from the start (`sk_alloc`).
        (self.sent.get() + 1) * 4 <= self.send_limit()
    }

    fn push(&self, to: &Rc<Self>, bytes: Vec<u8>, message: &Outgoing<'_>, machine: &mut Machine) {
        let cost = match self.unix_kind {
            UnixKind::Stream => memory::of_stream(bytes.len()),
            UnixKind::SeqPacket | UnixKind::Datagram => memory::of_datagram(bytes.len()),
        };
        self.sent.set(self.sent.get() + cost);
        to.inbox.borrow_mut().push_back(Message {
            bytes,
            read: 0,
            rights: message.rights.to_vec(),
            credentials: message.caller,
            from: self.name.borrow().clone(),
            sender: self.this.clone(),
            cost,
        });
        to.queue.wake(Readiness::READABLE, &mut machine.wakes);
    }

    /// sendmsg(2).
    pub(super) fn put(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        match self.unix_kind {
            UnixKind::Stream => self.put_stream(env, message),
            UnixKind::SeqPacket => self.put_packet(env, message),
            UnixKind::Datagram => self.put_datagram(env, message),
        }
    }

    fn is_connected(&self) -> bool {
        matches!(*self.state.borrow(), State::Connected { .. })
    }

    /// What keeps this end from sending (`sock_alloc_send_pskb`).
    fn check_sending(&self) -> Result<()> {
        self.options.check_error()?;
        if self.shut.get().contains(Shut::SEND) {
            return Err(Errno::EPIPE.into());
        }
        if self.sent.get() >= self.send_limit() {
            return Err(Errno::EAGAIN.into());
        }
        Ok(())
    }

    fn put_stream(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        if message.to.is_some() {
            let errno = if self.is_connected() { Errno::EISCONN } else { Errno::EOPNOTSUPP };
            return Err(errno.into());
        }
        let total = user::total_len(message.data);
        self.send_stream(env, message, total, |env, done, most| {
            user::gather(env.host, &user::skip(message.data, done), most)
        })
    }

    /// Sends so many bytes of a stream, which `take` hands out: from which on, and how many at most.
    fn send_stream(
        &self,
        env: &mut Env<'_>,
        message: &Outgoing<'_>,
        total: usize,
        take: impl Fn(&mut Env<'_>, usize, usize) -> Result<Vec<u8>>,
    ) -> Result<usize> {
        if !self.is_connected() {
            return Err(Errno::ENOTCONN.into());
        }
        // Before a pending error, which stays.
        if self.shut.get().contains(Shut::SEND) {
            return Err(Errno::EPIPE.into());
        }
        let mut done = 0;
        while done < total {
            match self.check_sending() {
                Ok(()) => {}
                Err(_) if done > 0 => return Ok(done),
                Err(error) => return Err(error),
            }
            let Some(peer) = self.peer() else { return Err(Errno::EPIPE.into()) };
            let bytes = match take(env, done, memory::stream_message_max(self.send_limit())) {
                Ok(bytes) => bytes,
                Err(_) if done > 0 => return Ok(done),
                Err(error) => return Err(error),
            };
            let len = bytes.len();
            let rights = if done == 0 { message.rights } else { &[] };
            self.push(&peer, bytes, &Outgoing { rights, ..*message }, env.machine);
            done += len;
        }
        Ok(done)
    }

    /// Sends bytes of the kernel's, for sendfile(2) and splice(2).
    pub(super) fn put_bytes(&self, env: &mut Env<'_>, from: &[u8]) -> Result<usize> {
        let message = Outgoing::plain(&[], env.machine);
        self.send_stream(env, &message, from.len(), |_, done, most| {
            Ok(from[done..].iter().take(most).copied().collect())
        })
    }

    /// Takes bytes of a stream for the kernel, for splice(2); descriptors that come with them are lost.
    pub(super) fn take_bytes(&self, env: &mut Env<'_>, into: &mut [u8]) -> Result<usize> {
        if !self.is_connected() {
            return Err(Errno::EINVAL.into());
        }
        let mut done = 0;
        while done < into.len() {
            let mut inbox = self.inbox.borrow_mut();
            let Some(message) = inbox.front_mut() else { break };
            let len = message.rest().len().min(into.len() - done);
            into[done..done + len].copy_from_slice(&message.rest()[..len]);
            message.read += len;
            done += len;
            let lost = core::mem::take(&mut message.rights);
            let spent = if message.rest().is_empty() { inbox.pop_front() } else { None };
            drop(inbox);
            for right in lost {
                FileDescription::let_go(right, env);
            }
            if let Some(spent) = spent {
                spent.settle(env.machine);
            }
        }
        if done > 0 || into.is_empty() {
            Ok(done)
        } else {
            Ok(self.nothing(MessageFlags::DONT_WAIT)?.moved)
        }
    }

    /// What keeps this end from sending packets, whatever they are.
    pub(super) fn check_packets(&self) -> Result<()> {
        self.options.check_error()?;
        if self.is_connected() { Ok(()) } else { Err(Errno::ENOTCONN.into()) }
    }

    fn put_packet(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        self.check_packets()?;
        self.check_datagram(message)?;
        let peer = self.peer().ok_or(Error::from(Errno::EPIPE));
        let done = peer.and_then(|peer| self.deliver(env, &peer, message));
        self.give_back(env, done)
    }

    /// Memory for a message is had before anybody looks where it goes: where it goes nowhere, there is room again
    /// (`sock_wfree`).
    fn give_back(&self, env: &mut Env<'_>, done: Result<usize>) -> Result<usize> {
        if done.is_err() && self.is_roomy() {
            self.queue.wake(Readiness::WRITABLE, &mut env.machine.wakes);
        }
        done
    }

    fn put_datagram(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        self.check_datagram(message)?;
        let done = self.put_to_receiver(env, message);
        self.give_back(env, done)
    }

    fn put_to_receiver(&self, env: &mut Env<'_>, message: &Outgoing<'_>) -> Result<usize> {
        let to = match message.to {
            Some(Address::Unix(Some(name))) => self.find(name)?,
            Some(_) => return Err(Errno::EINVAL.into()),
            None if !self.is_connected() => return Err(Errno::ENOTCONN.into()),
            None => match self.peer() {
                Some(peer) => peer,
                None => {
                    self.state.replace(State::Fresh);
                    self.lose_inbox(env, None);
                    return Err(Errno::ECONNREFUSED.into());
                }
            },
        };
        if !to.accepts_from(self) {
            return Err(Errno::EPERM.into());
        }
        self.deliver(env, &to, message)
    }

    fn check_datagram(&self, message: &Outgoing<'_>) -> Result<()> {
        let len = user::total_len(message.data);
        if len > self.send_limit().saturating_sub(DATAGRAM_RESERVE) {
            return Err(Errno::EMSGSIZE.into());
        }
        self.check_sending()
    }

    fn deliver(&self, env: &mut Env<'_>, to: &Rc<Self>, message: &Outgoing<'_>) -> Result<usize> {
        if to.shut.get().contains(Shut::RECEIVE) {
            return Err(Errno::EPIPE.into());
        }
        if to.is_full_for(self) {
            to.senders.borrow_mut().push(self.this.clone());
            return Err(Errno::EAGAIN.into());
        }
        let len = user::total_len(message.data);
        let bytes = user::gather(env.host, message.data, len)?;
        if bytes.len() < len {
            return Err(Errno::EFAULT.into());
        }
        self.push(to, bytes, message, env.machine);
        Ok(len)
    }

    /// What the other end of a datagram association sent is lost with it, and if it is still there and talks to this
    /// one it is told (`unix_dgram_disconnected`).
    pub(super) fn lose_inbox(&self, env: &mut Env<'_>, other: Option<&Self>) {
        let lost = self.inbox.take();
        if lost.is_empty() {
            return;
        }
        for message in lost {
            message.discard(env);
        }
        self.tell_senders(env.machine);
        if let Some(other) = other
            && matches!(&*other.state.borrow(), State::Connected { peer } if peer.ptr_eq(&self.this))
        {
            other.options.error.set(Some(Errno::ECONNRESET));
            other.queue.wake(Readiness::all(), &mut env.machine.wakes);
        }
    }

    /// Whether datagrams of another socket have to wait. Those of one it talks to do not: they are bounded by that
    /// one's send buffer.
    fn is_full_for(&self, other: &Self) -> bool {
        let talks_to = match &*self.state.borrow() {
            State::Connected { peer } => peer.ptr_eq(&other.this),
            _ => false,
        };
        !talks_to && self.inbox.borrow().len() > DATAGRAMS_MAX
    }

    /// What there is to say when there is nothing to read. A datagram socket that is shut only keeps from waiting.
    fn nothing(&self, flags: MessageFlags) -> Result<Received> {
        self.options.check_error()?;
        let at_once = flags.contains(MessageFlags::DONT_WAIT);
        if self.shut.get().contains(Shut::RECEIVE) && (self.unix_kind.is_connected() || !at_once) {
            return Ok(Received::default());
        }
        Err(Errno::EAGAIN.into())
    }

    /// recvmsg(2).
    pub(super) fn take(
        &self,
        env: &mut Env<'_>,
        into: &[UserSlice],
        skip: usize,
        flags: MessageFlags,
    ) -> Result<Received> {
        let connected = self.is_connected();
        match self.unix_kind {
            UnixKind::Stream if !connected => Err(Errno::EINVAL.into()),
            UnixKind::SeqPacket if !connected => Err(Errno::ENOTCONN.into()),
            UnixKind::Stream => self.take_stream(env, into, skip, flags),
            _ => self.take_datagram(env, into, flags),
        }
    }

    /// The ancillary data that comes with a message.
    fn control(&self, message: &Message, rights: Vec<Rc<FileDescription>>) -> Vec<Control> {
        let mut control = Vec::new();
        if self.options.pass_credentials.get() {
            control.push(Control::Credentials(message.credentials));
        }
        if !rights.is_empty() {
            control.push(Control::Rights(rights));
        }
        control
    }

    fn take_datagram(
        &self,
        env: &mut Env<'_>,
        into: &[UserSlice],
        flags: MessageFlags,
    ) -> Result<Received> {
        let peeks = flags.contains(MessageFlags::PEEK);
        // Before what waits (`__skb_try_recv_datagram`).
        self.options.check_error()?;
        let mut inbox = self.inbox.borrow_mut();
        let Some(message) = inbox.front_mut() else {
            drop(inbox);
            return self.nothing(flags);
        };
        let room = user::total_len(into);
        let full = message.bytes.len();
        let moved = user::scatter(env.host, into, &message.bytes[..full.min(room)])?;
        let rights =
            if peeks { message.rights.clone() } else { core::mem::take(&mut message.rights) };
        let control = self.control(message, rights);
        let from = message.from.clone().map(|name| Address::Unix(Some(name)));
        let mut shown = MessageFlags::empty();
        shown.set(MessageFlags::TRUNCATED, full > moved);
        if !peeks {
            let message = inbox.pop_front();
            drop(inbox);
            if let Some(message) = message {
                message.settle(env.machine);
            }
            self.tell_senders(env.machine);
        }
        Ok(Received { moved, full, flags: shown, from, control })
    }

    fn take_stream(
        &self,
        env: &mut Env<'_>,
        into: &[UserSlice],
        skip: usize,
        flags: MessageFlags,
    ) -> Result<Received> {
        let peeks = flags.contains(MessageFlags::PEEK);
        let room = user::total_len(into);
        let (mut moved, mut passed, mut index) = (0, 0, 0);
        let mut has_begun = false;
        let mut received = Received::default();
        loop {
            let mut inbox = self.inbox.borrow_mut();
            let Some(message) = inbox.get_mut(index) else { break };
            // What comes with descriptors may be read behind what does not, but nothing behind it. Who only looks goes on
            // to it, also without room (`unix_stream_read_generic`).
            let is_full = moved == room && !peeks;
            if has_begun && (is_full || !self.joins(&received, message)) {
                break;
            }
            let jump = skip.saturating_sub(passed).min(message.rest().len());
            passed += jump;
            if peeks && jump > 0 && jump == message.rest().len() {
                index += 1;
                continue;
            }
            has_begun = true;
            let part = &message.rest()[jump..];
            let part = &part[..part.len().min(room - moved)];
            let len = part.len();
            match user::scatter(env.host, &user::skip(into, moved), part) {
                Ok(copied) if copied == len => {}
                Ok(_) | Err(_) if moved > 0 => break,
                Ok(_) => return Err(Errno::EFAULT.into()),
                Err(error) => return Err(error),
            }
            moved += len;
            let rights =
                if peeks { message.rights.clone() } else { core::mem::take(&mut message.rights) };
            let had_rights = !rights.is_empty();
            if received.control.is_empty() {
                received.control = self.control(message, rights);
            } else if had_rights {
                received.control.push(Control::Rights(rights));
            }
            if peeks {
                index += 1;
            } else {
                message.read += len;
                let spent = if message.rest().is_empty() { inbox.pop_front() } else { None };
                drop(inbox);
                if let Some(spent) = spent {
                    spent.settle(env.machine);
                }
            }
            if had_rights {
                break;
            }
        }
        if moved == 0 && received.control.is_empty() && (room > 0 || self.inbox.borrow().is_empty())
        {
            return self.nothing(flags);
        }
        (received.moved, received.full) = (moved, moved);
        Ok(received)
    }

    /// Whether a message may be read together with what was read before: not if it says who sent it and that differs.
    fn joins(&self, received: &Received, message: &Message) -> bool {
        received.control.iter().all(|control| match control {
            Control::Credentials(before) => *before == message.credentials,
            _ => true,
        })
    }

    /// Bytes that can be read at once: of the next message, or of all.
    pub(super) fn waiting(&self) -> usize {
        let inbox = self.inbox.borrow();
        match self.unix_kind {
            UnixKind::Datagram => inbox.front().map_or(0, |message| message.bytes.len()),
            _ => inbox.iter().map(|message| message.rest().len()).sum(),
        }
    }

    /// What it is ready for (`unix_poll` and `unix_dgram_poll`).
    pub(super) fn poll(&self) -> Readiness {
        let mut ready = Readiness::empty();
        if self.options.error.get().is_some() {
            ready |= Readiness::ERR;
        }
        let shut = self.shut.get();
        if shut == Shut::all() {
            ready |= Readiness::HUP;
        }
        if shut.contains(Shut::RECEIVE) {
            ready |= Readiness::RDHUP | Readiness::READABLE;
        }
        if !self.inbox.borrow().is_empty() {
            ready |= Readiness::READABLE;
        }
        match &*self.state.borrow() {
            State::Listening { ready: waiting, .. } if !waiting.is_empty() => {
                ready |= Readiness::READABLE;
            }
            State::Fresh if self.unix_kind.is_connected() => ready |= Readiness::HUP,
            _ => {}
        }
        if self.is_roomy() && !self.waits_for_peer() {
            ready |= Readiness::WRITABLE;
        }
        ready
    }

    /// Whether the inbox of the default destination is full; it will say when it is not.
    fn waits_for_peer(&self) -> bool {
        if self.unix_kind.is_connected() {
            return false;
        }
        let Some(peer) = self.peer() else { return false };
        let full = peer.is_full_for(self);
        if full {
            peer.senders.borrow_mut().push(self.this.clone());
        }
        full
    }
}
