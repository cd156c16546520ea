//! Urgent data (tcp(7), `tcp_check_urg` and `tcp_recv_urg` in net/ipv4/tcp_input.c and tcp.c): one byte of the stream
//! that is read by itself, and leaves a mark where it stood.

use super::{State, TcpSocket, state::Incoming};
use crate::{
    error::{Errno, Result},
    machine::Env,
    net::socket::message::{MessageFlags, Received},
    user::{self, UserSlice},
    wait::Readiness,
};

/// Whether what is sent ends in an urgent byte (`MSG_OOB`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// It does not.
    Normal,
    /// It does.
    Urgent,
}

/// The last urgent byte that has arrived, until reading has gone past it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Urgent {
    /// Bytes that stand before it.
    ahead: usize,
    /// The byte, unless it was read.
    byte: Option<u8>,
}

/// What a read finds: so many bytes to leave out, and so many to take at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stretch {
    /// The urgent byte, if the read begins at it and it is not part of the stream.
    pub hole: usize,
    /// Bytes after that.
    pub len: usize,
}

/// Whether the urgent byte is also part of the stream (`SO_OOBINLINE`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Inline {
    /// It is not: reading skips it.
    No,
    /// It is.
    Yes,
}

impl Incoming {
    /// The last byte that has arrived is urgent. An older one that was about to be read is lost.
    pub fn mark_urgent(&mut self, inline: Inline) {
        let is_lost = |old: &Urgent| old.ahead == 0 && inline == Inline::No && self.arrived > 1;
        if self.urgent.as_ref().is_some_and(is_lost) {
            self.consume(1);
        }
        let ahead = self.arrived.saturating_sub(1);
        let mut byte = [0];
        let copied = self.bytes.copy_from(ahead, &mut byte);
        self.urgent = (copied == 1).then_some(Urgent { ahead, byte: Some(byte[0]) });
    }

    /// Of `available` bytes from the `skip`th on, those that one read takes: it ends before the urgent byte.
    #[must_use]
    pub fn stretch(&self, skip: usize, available: usize, inline: Inline) -> Stretch {
        let whole = Stretch { hole: 0, len: available };
        let Some(ahead) = self.urgent.and_then(|urgent| urgent.ahead.checked_sub(skip)) else {
            return whole;
        };
        match (ahead, inline) {
            (0, Inline::Yes) => whole,
            (0, Inline::No) => Stretch { hole: 1, len: available.saturating_sub(1) },
            _ => Stretch { hole: 0, len: available.min(ahead) },
        }
    }

    /// Whether the next byte to be read is the urgent one.
    #[must_use]
    pub fn is_at_mark(&self) -> bool {
        self.urgent.is_some_and(|urgent| urgent.ahead == 0)
    }

    /// Bytes were taken from the front.
    pub(super) fn pass_urgent(&mut self, len: usize) {
        self.urgent = self
            .urgent
            .and_then(|urgent| Some(Urgent { ahead: urgent.ahead.checked_sub(len)?, ..urgent }));
    }
}

impl TcpSocket {
    pub(super) fn inline(&self) -> Inline {
        if self.options.urgent_inline.get() { Inline::Yes } else { Inline::No }
    }

    /// Whether the next byte to be read is the urgent one.
    pub(super) fn is_before_urgent(&self) -> bool {
        self.incoming.borrow().is_at_mark()
    }

    /// Whether an urgent byte can be read by itself.
    pub(super) fn urgent_readiness(&self) -> Readiness {
        let urgent = self.incoming.borrow().urgent;
        match urgent.and_then(|urgent| urgent.byte) {
            Some(_) => Readiness::PRI,
            None => Readiness::empty(),
        }
    }

    /// Bytes that make the socket readable: the urgent one does not count.
    pub(super) fn low_water(&self) -> usize {
        let least = (self.options.receive_low_water.get() as usize).max(1);
        least + usize::from(self.is_before_urgent() && self.inline() == Inline::No)
    }

    /// Reads the urgent byte (`MSG_OOB`).
    ///
    /// # Errors
    /// `EINVAL` if there is none.
    pub fn read_urgent(
        &self,
        env: &mut Env<'_>,
        into: &[UserSlice],
        flags: MessageFlags,
    ) -> Result<Received> {
        let byte = self.incoming.borrow().urgent.and_then(|urgent| urgent.byte);
        let (Some(byte), Inline::No) = (byte, self.inline()) else {
            return Err(Errno::EINVAL.into());
        };
        if !matches!(*self.state.borrow(), State::Connected(_)) {
            return Err(Errno::ENOTCONN.into());
        }
        if !flags.contains(MessageFlags::PEEK)
            && let Some(urgent) = &mut self.incoming.borrow_mut().urgent
        {
            urgent.byte = None;
        }
        let mut shown = MessageFlags::URGENT;
        if user::total_len(into) == 0 {
            shown |= MessageFlags::TRUNCATED;
            return Ok(Received { flags: shown, ..Received::default() });
        }
        if !flags.contains(MessageFlags::TRUNCATED) {
            user::scatter(env.host, into, &[byte])?;
        }
        Ok(Received { moved: 1, full: 1, flags: shown, ..Received::default() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn incoming(bytes: &[u8]) -> Incoming {
        let mut incoming = Incoming::default();
        incoming.bytes.fill(bytes);
        incoming.arrived = bytes.len();
        incoming
    }

    #[test]
    fn reads_end_before_the_urgent_byte_and_then_skip_it() {
        let mut incoming = incoming(b"abc!");
        incoming.mark_urgent(Inline::No);
        incoming.bytes.fill(b"de");
        incoming.arrived += 2;
        assert_eq!(incoming.stretch(0, 6, Inline::No), Stretch { hole: 0, len: 3 });
        incoming.consume(3);
        assert!(incoming.is_at_mark());
        assert_eq!(incoming.stretch(0, 3, Inline::No), Stretch { hole: 1, len: 2 });
        assert_eq!(incoming.stretch(0, 3, Inline::Yes), Stretch { hole: 0, len: 3 });
        incoming.consume(3);
        assert_eq!((incoming.urgent, incoming.arrived), (None, 0));
    }

    #[test]
    fn a_second_urgent_byte_makes_the_first_an_ordinary_one_or_loses_it() {
        let mut second = incoming(b"a!");
        second.mark_urgent(Inline::No);
        second.bytes.fill(b"?");
        second.arrived += 1;
        second.mark_urgent(Inline::No);
        assert_eq!(second.stretch(0, 3, Inline::No), Stretch { hole: 0, len: 2 });
        let mut at_mark = incoming(b"!");
        at_mark.mark_urgent(Inline::No);
        at_mark.bytes.fill(b"?");
        at_mark.arrived += 1;
        at_mark.mark_urgent(Inline::No);
        assert_eq!((at_mark.arrived, at_mark.is_at_mark()), (1, true));
    }
}
