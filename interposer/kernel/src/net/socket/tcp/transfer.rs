//! Bytes in and out, and readiness.

use alloc::rc::{Rc, Weak};

use super::{Connected, Inline, Phase, Segment, Shut, State, Stretch, TcpSocket, Urgency};
use crate::{
    error::{Errno, Result},
    machine::{Env, Machine},
    net::{link, ring::Ring, socket::options::BufferSize},
    user::UserSlice,
    wait::Readiness,
};

/// What a buffer that the kernel sizes itself grows to, in bytes. Linux goes further (`tcp_wmem` and `tcp_rmem`), at
/// the price of the processor's cache.
const BUFFER_AUTOMATIC: usize = 512 << 10;

/// What a read does with what it has read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Taking {
    /// Takes it out.
    Consume,
    /// Leaves it (`MSG_PEEK`).
    Peek,
    /// Takes it out unseen (`MSG_TRUNC`).
    Discard,
}

fn capacity(size: BufferSize) -> usize {
    match size {
        BufferSize::Automatic(_) => BUFFER_AUTOMATIC,
        BufferSize::Fixed(size) => size as usize,
    }
}

impl TcpSocket {
    fn window(&self) -> usize {
        capacity(self.options.receive_buffer.get())
    }

    /// Bytes this end has written that have not been taken in by the other.
    #[must_use]
    pub fn unacknowledged(&self) -> usize {
        self.peer().map_or(0, |peer| peer.incoming.borrow().unacknowledged(peer.window()))
    }

    /// Whether something that this end has written has not been taken in by the other; who asks is woken when it may
    /// have been.
    pub(super) fn has_under_way(&self) -> bool {
        self.wants_room.set(true);
        self.unacknowledged() > 0
    }

    /// Bytes that can be read.
    #[must_use]
    pub fn readable(&self) -> usize {
        self.incoming.borrow().readable(self.window())
    }

    /// Bytes that one read takes at most: those before an urgent one (`tcp_inq`).
    #[must_use]
    pub fn readable_at_once(&self) -> usize {
        let incoming = self.incoming.borrow();
        let readable = incoming.readable(self.window());
        match self.inline() {
            Inline::Yes => readable,
            Inline::No if incoming.is_at_mark() => 0,
            Inline::No => incoming.stretch(0, readable, Inline::No).len,
        }
    }

    fn peer(&self) -> Option<Rc<Self>> {
        match &*self.state.borrow() {
            State::Connected(connected) => connected.peer.upgrade(),
            _ => None,
        }
        .filter(|peer| !peer.orphaned.get())
    }

    /// What keeps this end from sending (`tcp_sendmsg_locked` in net/ipv4/tcp.c).
    fn check_sending(&self) -> Result<()> {
        let blocked = match &*self.state.borrow() {
            State::Connecting(_) => Some(Errno::EAGAIN),
            State::Connected(connected) if !connected.all_shut().contains(Shut::SEND) => None,
            _ => Some(Errno::EPIPE),
        };
        self.options.check_error()?;
        blocked.map_or(Ok(()), |errno| Err(errno.into()))
    }

    /// Writes a program's bytes.
    ///
    /// # Errors
    /// `EPIPE` after a shutdown, `ECONNRESET`, `EAGAIN`.
    pub fn write(&self, env: &mut Env<'_>, from: &[UserSlice], urgency: Urgency) -> Result<usize> {
        let total = crate::user::total_len(from);
        let host = &mut *env.host;
        let fill = |ring: &mut Ring, room| ring.fill_from_user(host, from, room);
        self.send_with(env.machine, (total, urgency), fill)
    }

    /// Writes the kernel's bytes.
    ///
    /// # Errors
    /// As [`TcpSocket::write`].
    pub fn write_bytes(&self, machine: &mut Machine, from: &[u8]) -> Result<usize> {
        self.send_with(machine, (from.len(), Urgency::Normal), |ring, room| {
            let len = from.len().min(room);
            ring.fill(&from[..len]);
            Ok(len)
        })
    }

    fn send_with(
        &self,
        machine: &mut Machine,
        (total, urgency): (usize, Urgency),
        fill: impl FnOnce(&mut Ring, usize) -> Result<usize>,
    ) -> Result<usize> {
        self.check_sending()?;
        if total == 0 {
            return Ok(0);
        }
        let limit = capacity(self.options.send_buffer.get());
        let Some(peer) = self.peer() else {
            // Nobody is there to read it; the answer to what fits the buffer will say so.
            let sent = total.min(limit);
            self.send_segment(machine, Segment::Data(sent, urgency));
            return Ok(sent);
        };
        let room = limit.saturating_sub(peer.incoming.borrow().unacknowledged(peer.window()));
        if room == 0 {
            self.wants_room.set(true);
            return Err(Errno::EAGAIN.into());
        }
        let sent = fill(&mut peer.incoming.borrow_mut().bytes, room)?;
        let carried = self.meet_tampering(machine, &peer, sent);
        drop(peer);
        let mut last = urgency;
        if sent < total {
            self.wants_room.set(true);
            last = Urgency::Normal;
        }
        self.send_data(machine, carried, last);
        Ok(sent)
    }

    /// Has somebody in the middle change what was just written, if there is one; how many bytes are under way then.
    fn meet_tampering(&self, machine: &mut Machine, peer: &Self, sent: usize) -> usize {
        let Some(wire) = self.wire.borrow().clone().filter(|wire| wire.is_tampered()) else {
            return sent;
        };
        let Some((local, _)) = self.ends() else { return sent };
        let tampers = link::tamper(machine, &wire, wire.way_from(local));
        let bytes = &mut peer.incoming.borrow_mut().bytes;
        let message = bytes.take_last(sent);
        let mut messages = self.messages.borrow_mut();
        let all = messages.tampered(&message, &tampers);
        messages.keep(&message);
        all.iter().for_each(|message| bytes.fill(message));
        all.iter().map(alloc::vec::Vec::len).sum()
    }

    /// Sends what was written, in pieces if the link is narrow: they arrive one after the other.
    fn send_data(&self, machine: &mut Machine, len: usize, urgency: Urgency) {
        let wire = self.wire.borrow().clone();
        let local = self.ends().map(|(local, _)| local);
        let mut rest = len;
        while let Some((wire, local)) = wire.as_ref().zip(local)
            && let Some(piece) = link::piece(machine, wire, local)
            && rest > piece
        {
            self.send_segment(machine, Segment::Data(piece, Urgency::Normal));
            rest -= piece;
        }
        self.send_segment(machine, Segment::Data(rest, urgency));
    }

    /// Bytes from the other end have arrived.
    pub(super) fn on_data(
        &self,
        connected: Connected,
        from: &Weak<Self>,
        segment: Segment,
        machine: &mut Machine,
    ) {
        let Segment::Data(len, urgency) = segment else { return };
        let is_over = !connected.phase.may_receive();
        // Both directions are shut, though a program still holds the socket (`tcp_rcv_state_process`).
        let is_unwanted = matches!(connected.phase, Phase::FinWait(_))
            && connected.shut.contains(Shut::RECEIVE)
            && !self.orphaned.get();
        self.state.replace(State::Connected(connected));
        if is_over || is_unwanted {
            Self::refuse(from, segment, machine);
            if is_unwanted {
                self.on_segment(from, Segment::Reset, machine);
            }
            return;
        }
        if self.orphaned.get() {
            // Data that nobody will read ends the connection (RFC 2525, 2.17).
            return self.abort(machine);
        }
        let mut woken = Readiness::READABLE;
        let mut incoming = self.incoming.borrow_mut();
        incoming.arrived += len;
        if urgency == Urgency::Urgent {
            incoming.mark_urgent(self.inline());
            woken |= Readiness::PRI;
        }
        drop(incoming);
        self.queue.wake(woken, &mut machine.wakes);
        if let Some(sender) = from.upgrade() {
            sender.tell_room(machine);
        }
    }

    /// Wakes those who wait for room if there is enough of it (`sk_stream_is_writeable`).
    pub(super) fn tell_room(&self, machine: &mut Machine) {
        if self.wants_room.get() && self.has_room() {
            self.wants_room.set(false);
            self.queue.wake(Readiness::WRITABLE, &mut machine.wakes);
        }
    }

    fn has_room(&self) -> bool {
        let limit = capacity(self.options.send_buffer.get());
        let used = self.unacknowledged();
        limit.saturating_sub(used) >= used / 2
    }

    /// What there is to say when there is nothing to read (`tcp_recvmsg_locked`).
    fn nothing_to_read(&self) -> Result<usize> {
        let (ended, unconnected) = match &*self.state.borrow() {
            // The end comes before an error.
            State::Connected(connected) if connected.is_done => return Ok(0),
            State::Connected(connected) => (connected.all_shut().contains(Shut::RECEIVE), false),
            State::Connecting(_) => (false, false),
            // As after any end of a connection, once the error is told.
            State::Fresh(fresh) => (fresh.is_over(), !fresh.is_over()),
            State::Listening(_) => (false, true),
        };
        self.options.check_error()?;
        match (ended, unconnected) {
            (true, _) => Ok(0),
            (_, true) => Err(Errno::ENOTCONN.into()),
            _ => Err(Errno::EAGAIN.into()),
        }
    }

    /// Reads into a program's buffers, from the `skip`th byte on.
    ///
    /// # Errors
    /// `ENOTCONN`, `ECONNRESET`, `EAGAIN`.
    pub fn read(
        &self,
        env: &mut Env<'_>,
        into: &[UserSlice],
        skip: usize,
        taking: Taking,
    ) -> Result<usize> {
        let available = self.readable().saturating_sub(skip);
        let Stretch { hole, len } = self.incoming.borrow().stretch(skip, available, self.inline());
        let moved = match taking {
            _ if len == 0 => 0,
            Taking::Discard => len.min(crate::user::total_len(into)),
            _ => {
                let incoming = self.incoming.borrow();
                incoming.bytes.copy_to_user(env.host, skip + hole, into, len)?
            }
        };
        if taking != Taking::Peek && hole + moved > 0 {
            self.consume(env.machine, hole + moved);
        }
        if len == 0 { self.nothing_to_read() } else { Ok(moved) }
    }

    /// Reads into memory of the kernel.
    ///
    /// # Errors
    /// As [`TcpSocket::read`].
    pub fn read_bytes(&self, machine: &mut Machine, into: &mut [u8]) -> Result<usize> {
        let Stretch { hole, len } =
            self.incoming.borrow().stretch(0, self.readable(), self.inline());
        let wanted = len.min(into.len());
        let moved = self.incoming.borrow().bytes.copy_from(hole, &mut into[..wanted]);
        if hole + moved > 0 {
            self.consume(machine, hole + moved);
        }
        if len == 0 { self.nothing_to_read() } else { Ok(moved) }
    }

    fn consume(&self, machine: &mut Machine, len: usize) {
        self.incoming.borrow_mut().consume(len);
        let peer = match &*self.state.borrow() {
            State::Connected(connected) => connected.peer.upgrade(),
            _ => None,
        };
        if let Some(peer) = peer {
            peer.tell_room(machine);
        }
    }

    /// What it is ready for (`tcp_poll` in net/ipv4/tcp.c).
    #[must_use]
    pub fn poll(&self) -> Readiness {
        let state = self.state.borrow();
        let mut ready = Readiness::empty();
        match &*state {
            State::Listening(listening) => {
                return match listening.ready.is_empty() {
                    true => ready,
                    false => Readiness::READABLE,
                };
            }
            State::Fresh(_) => ready |= Readiness::HUP | Readiness::WRITABLE,
            State::Connecting(_) => {}
            State::Connected(connected) => ready |= self.connection_readiness(connected),
        }
        if self.options.error.get().is_some() {
            ready |= Readiness::ERR;
        }
        if let State::Fresh(fresh) = &*state
            && fresh.is_over()
        {
            ready |= Readiness::READABLE | Readiness::RDHUP;
        }
        ready
    }

    fn connection_readiness(&self, connected: &Connected) -> Readiness {
        let shut = connected.all_shut();
        let mut ready = Readiness::empty();
        if shut == Shut::all() || connected.phase.is_over() {
            ready |= Readiness::HUP;
        }
        if shut.contains(Shut::RECEIVE) {
            ready |= Readiness::READABLE | Readiness::RDHUP;
        }
        if self.readable() >= self.low_water() {
            ready |= Readiness::READABLE;
        }
        ready |= self.urgent_readiness();
        let peer = connected.peer.upgrade().filter(|peer| !peer.orphaned.get());
        let used = peer.map_or(0, |peer| peer.incoming.borrow().unacknowledged(peer.window()));
        let limit = capacity(self.options.send_buffer.get());
        if shut.contains(Shut::SEND) || limit.saturating_sub(used) >= used / 2 {
            ready |= Readiness::WRITABLE;
        } else {
            self.wants_room.set(true);
        }
        ready
    }
}
