//! How far a connection of TCP is, once both ends know of it (RFC 9293, 3.3.2).
//!
//! What is lost is sent again below this, and nothing is reordered, so acknowledgements matter only for a connection's end.

use linux_raw_sys::net as raw;

use super::Urgency;
use crate::error::Errno;

/// What one end tells the other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Segment {
    /// The connection is accepted.
    SynAck,
    /// This many more bytes of those written into the receiver's queue.
    Data(usize, Urgency),
    /// Nothing follows.
    Fin,
    /// The other's `Fin` has arrived.
    FinAck,
    /// Something that has arrived already, but for all its sender knows may have not.
    Again,
    /// There is no such connection any more.
    Reset,
    /// A router knows no way to the other end.
    Unreachable,
}

/// Both ends are open.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Established;
/// This end has said that nothing follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FinWait;
/// The other end has said that nothing follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CloseWait;
/// Both have, the other one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LastAck;
/// Both have, this one first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeWait;
/// It is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ended;

/// How far a connection is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each holds the state it is named after")]
pub enum Phase {
    Established(Established),
    FinWait(FinWait),
    CloseWait(CloseWait),
    LastAck(LastAck),
    TimeWait(TimeWait),
    Ended(Ended),
}

/// What a transition asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
pub struct Effect {
    /// Sent to the other end.
    pub reply: Option<Segment>,
    /// Told to the program once.
    pub error: Option<Errno>,
}

impl Effect {
    const NONE: Self = Self { reply: None, error: None };

    const fn reply(segment: Segment) -> Self {
        Self { reply: Some(segment), error: None }
    }

    const fn error(errno: Errno) -> Self {
        Self { reply: None, error: Some(errno) }
    }
}

impl Phase {
    /// A connection that was just made.
    pub const START: Self = Self::Established(Established);

    /// This end says that nothing follows.
    #[must_use]
    pub fn finish(self) -> (Self, Effect) {
        match self {
            Self::Established(Established) => (Self::FinWait(FinWait), Effect::reply(Segment::Fin)),
            Self::CloseWait(CloseWait) => (Self::LastAck(LastAck), Effect::reply(Segment::Fin)),
            other => (other, Effect::NONE),
        }
    }

    /// The other end says that nothing follows.
    #[must_use]
    pub fn on_fin(self) -> (Self, Effect) {
        match self {
            Self::Established(Established) => (Self::CloseWait(CloseWait), Effect::NONE),
            Self::FinWait(FinWait) => (Self::TimeWait(TimeWait), Effect::reply(Segment::FinAck)),
            other => (other, Effect::NONE),
        }
    }

    /// The other end knows that nothing follows.
    #[must_use]
    pub fn on_fin_ack(self) -> (Self, Effect) {
        match self {
            Self::LastAck(LastAck) => (Self::Ended(Ended), Effect::NONE),
            other => (other, Effect::NONE),
        }
    }

    /// The other end knows of no connection (`tcp_reset` in net/ipv4/tcp_input.c).
    #[must_use]
    pub fn on_reset(self) -> (Self, Effect) {
        let ended = Self::Ended(Ended);
        match self {
            Self::CloseWait(CloseWait) => (ended, Effect::error(Errno::EPIPE)),
            Self::Established(_) | Self::FinWait(_) | Self::LastAck(_) => {
                (ended, Effect::error(Errno::ECONNRESET))
            }
            Self::TimeWait(_) | Self::Ended(_) => (ended, Effect::NONE),
        }
    }

    /// The other end has not answered for too long (`tcp_write_err` in net/ipv4/tcp_timer.c).
    #[must_use]
    pub fn time_out(self) -> (Self, Effect) {
        let effect = match self {
            Self::TimeWait(_) | Self::Ended(_) => Effect::NONE,
            _ => Effect::error(Errno::ETIMEDOUT),
        };
        (Self::Ended(Ended), effect)
    }

    /// This end gives the connection up.
    #[must_use]
    pub fn abort(self) -> (Self, Effect) {
        let effect = match self {
            Self::TimeWait(_) | Self::Ended(_) => Effect::NONE,
            _ => Effect::reply(Segment::Reset),
        };
        (Self::Ended(Ended), effect)
    }

    /// Whether this end may send.
    #[must_use]
    pub fn may_send(self) -> bool {
        matches!(self, Self::Established(_) | Self::CloseWait(_))
    }

    /// Whether more may come from the other end.
    #[must_use]
    pub fn may_receive(self) -> bool {
        matches!(self, Self::Established(_) | Self::FinWait(_))
    }

    /// Whether it is over for a socket that the program still holds. A connection in `TIME_WAIT` is none of the
    /// socket's any more (`tcp_time_wait` in net/ipv4/tcp_minisocks.c).
    #[must_use]
    pub fn is_over(self) -> bool {
        matches!(self, Self::TimeWait(_) | Self::Ended(_))
    }

    /// The number that `TCP_INFO` shows (include/net/tcp_states.h).
    #[must_use]
    pub fn number(self) -> u8 {
        const FIN_WAIT_2: u8 = 5;
        const CLOSE: u8 = 7;
        const CLOSE_WAIT: u8 = 8;
        const LAST_ACK: u8 = 9;
        match self {
            Self::Established(_) => 1,
            Self::FinWait(_) => FIN_WAIT_2,
            Self::CloseWait(_) => CLOSE_WAIT,
            Self::LastAck(_) => LAST_ACK,
            Self::TimeWait(_) | Self::Ended(_) => CLOSE,
        }
    }
}

bitflags::bitflags! {
    /// Which directions of a socket are shut.
    #[derive(Clone, Copy, Debug, PartialEq, Eq, Default)]
    pub struct Shut: u8 {
        /// Nothing more is received.
        const RECEIVE = 1;
        /// Nothing more is sent.
        const SEND = 2;
    }
}

impl Shut {
    /// The directions in `shutdown`'s argument.
    #[must_use]
    pub fn from_how(how: u32) -> Option<Self> {
        match how {
            raw::SHUT_RD => Some(Self::RECEIVE),
            raw::SHUT_WR => Some(Self::SEND),
            raw::SHUT_RDWR => Some(Self::all()),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{collections::VecDeque, vec::Vec};

    /// Two ends and what is under way to each.
    struct Pair {
        ends: [Phase; 2],
        under_way: [VecDeque<Segment>; 2],
        errors: [Option<Errno>; 2],
    }

    #[derive(Clone, Copy)]
    enum Action {
        /// An end finishes.
        Finish(usize),
        /// An end aborts.
        Abort(usize),
        /// All that is under way to an end arrives.
        Arrive(usize),
    }

    impl Pair {
        fn apply(&mut self, end: usize, (phase, effect): (Phase, Effect)) {
            self.ends[end] = phase;
            self.under_way[1 - end].extend(effect.reply);
            self.errors[end] = self.errors[end].or(effect.error);
        }

        fn run(script: &[Action]) -> ([u8; 2], [Option<Errno>; 2]) {
            let mut pair =
                Self { ends: [Phase::START; 2], under_way: Default::default(), errors: [None; 2] };
            for &action in script {
                match action {
                    Action::Finish(end) => pair.apply(end, pair.ends[end].finish()),
                    Action::Abort(end) => pair.apply(end, pair.ends[end].abort()),
                    Action::Arrive(end) => {
                        let arriving: Vec<_> = pair.under_way[end].drain(..).collect();
                        for segment in arriving {
                            let phase = pair.ends[end];
                            let step = match segment {
                                Segment::Fin => phase.on_fin(),
                                Segment::FinAck => phase.on_fin_ack(),
                                Segment::Reset => phase.on_reset(),
                                Segment::SynAck
                                | Segment::Unreachable
                                | Segment::Again
                                | Segment::Data(..) => (phase, Effect::NONE),
                            };
                            pair.apply(end, step);
                        }
                    }
                }
            }
            let name = |phase| match phase {
                Phase::TimeWait(_) => 6,
                other => Phase::number(other),
            };
            (pair.ends.map(name), pair.errors)
        }
    }

    #[test]
    fn connections_end_as_rfc_9293_draws_it() {
        use Action::{Abort, Arrive, Finish};
        const ESTABLISHED: u8 = 1;
        const FIN_WAIT: u8 = 5;
        const TIME_WAIT: u8 = 6;
        const CLOSED: u8 = 7;
        const CLOSE_WAIT: u8 = 8;
        const LAST_ACK: u8 = 9;
        let reset = Some(Errno::ECONNRESET);
        type Case = (&'static str, &'static [Action], [u8; 2], [Option<Errno>; 2]);
        let cases: [Case; 9] = [
            ("nothing", &[], [ESTABLISHED; 2], [None; 2]),
            ("fin sent", &[Finish(0)], [FIN_WAIT, ESTABLISHED], [None; 2]),
            ("half close", &[Finish(0), Arrive(1)], [FIN_WAIT, CLOSE_WAIT], [None; 2]),
            (
                "passive end closes",
                &[Finish(0), Arrive(1), Finish(1)],
                [FIN_WAIT, LAST_ACK],
                [None; 2],
            ),
            (
                "orderly end",
                &[Finish(0), Arrive(1), Finish(1), Arrive(0), Arrive(1)],
                [TIME_WAIT, CLOSED],
                [None; 2],
            ),
            (
                "simultaneous close",
                &[Finish(0), Finish(1), Arrive(0), Arrive(1), Arrive(0)],
                [TIME_WAIT, TIME_WAIT],
                [None; 2],
            ),
            ("reset", &[Abort(0), Arrive(1)], [CLOSED; 2], [None, reset]),
            (
                "reset after fin",
                &[Finish(0), Arrive(1), Abort(0), Arrive(1)],
                [CLOSED; 2],
                [None, Some(Errno::EPIPE)],
            ),
            (
                "finishing twice says it once",
                &[Finish(0), Finish(0), Arrive(1), Finish(1)],
                [FIN_WAIT, LAST_ACK],
                [None; 2],
            ),
        ];
        for (name, script, ends, errors) in cases {
            assert_eq!(Pair::run(script), (ends, errors), "{name}");
        }
    }
}
