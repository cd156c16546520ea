//! What gets lost on its way and is sent again (RFC 6298; `tcp_retransmit_timer` in net/ipv4/tcp_timer.c).

use alloc::{collections::VecDeque, rc::Weak};
use core::time::Duration;

use super::{Phase, Segment, State, TcpSocket};
use crate::{
    machine::Machine,
    net::link::{self, Delivery, Parcel, Path},
    time::{Instant, TimerKey},
    wait::Readiness,
};

/// Least time after which something is sent again (`TCP_RTO_MIN`).
const TIMEOUT_MIN: Duration = Duration::from_millis(200);
/// The same for what begins a connection, of which no round trip is known (`TCP_TIMEOUT_INIT`).
const TIMEOUT_INITIAL: Duration = Duration::from_secs(1);
/// Longest time after which something is sent again (`TCP_RTO_MAX`).
const TIMEOUT_MAX: Duration = Duration::from_secs(120);
/// How long data is sent again and again before the connection is given up: from 200 ms, doubled each time up to 120 s,
/// until the answer to the 15th has not come either (`net.ipv4.tcp_retries2` in ip-sysctl.rst).
const PATIENCE: Duration = Duration::from_millis(924_600);
/// The same when the program has closed the socket: eight times (`tcp_orphan_retries`).
const PATIENCE_OF_ORPHANS: Duration = Duration::from_millis(102_200);
/// The same for the answer to a request for a connection: five times (`net.ipv4.tcp_synack_retries`).
const PATIENCE_OF_ANSWERS: Duration = Duration::from_secs(63);
/// How many segments must follow one that is lost for the sender to know it without waiting (RFC 5681, 3.2: three
/// duplicate acknowledgements).
const FOLLOWERS: usize = 3;

/// Bytes that are sent before the first is answered (`TCP_INIT_CWND` segments).
const WINDOW_INITIAL: usize = 10 * 1448;

/// What has not got through, as far as this end knows.
#[derive(Debug)]
pub(super) struct Lost {
    /// What has not, and what waits behind it, in order.
    segments: VecDeque<Segment>,
    /// Bytes before that which have, but whose answer has not.
    unanswered: Option<usize>,
    /// When the first of it was sent.
    since: Instant,
    /// How often it was sent again.
    attempts: u32,
    /// When it is sent again next.
    due: Instant,
    timer: Option<TimerKey>,
}

impl Lost {
    fn new(now: Instant) -> Self {
        let segments = VecDeque::new();
        Self { segments, unanswered: None, since: now, attempts: 0, due: now, timer: None }
    }

    /// Whether what is sent now has to wait.
    fn holds_up(&self) -> bool {
        !self.segments.is_empty() || self.unanswered.is_some_and(|bytes| bytes >= WINDOW_INITIAL)
    }

    /// What is sent again next.
    fn first(&self) -> Option<Segment> {
        match self.unanswered {
            Some(_) => Some(Segment::Again),
            None => self.segments.front().copied(),
        }
    }

    /// Adds something that did not get through either. What ends the stream comes last.
    fn add(&mut self, segment: Segment) {
        let is_data = |segment: &Segment| matches!(segment, Segment::Data(..));
        let end = self.segments.iter().rposition(is_data).map_or(0, |last| last + 1);
        match segment {
            Segment::Data(..) => self.segments.insert(end.max(self.answers()), segment),
            _ => self.segments.push_back(segment),
        }
    }

    /// How many answers to requests for a connection come first.
    fn answers(&self) -> usize {
        self.segments.iter().take_while(|segment| **segment == Segment::SynAck).count()
    }
}

/// Whether it is sent again until it has arrived.
fn matters(segment: Segment) -> bool {
    !matches!(segment, Segment::Reset | Segment::Unreachable)
}

impl TcpSocket {
    /// Sends something along the connection, after all that was sent before.
    pub(super) fn send_segment(&self, machine: &mut Machine, segment: Segment) {
        if self.waits_behind_lost(machine, segment) {
            return;
        }
        match self.deliver(machine, segment) {
            Delivery::At(_) => {}
            Delivery::Unanswered(_) => self.on_unanswered(machine, segment),
            Delivery::Lost => self.on_lost(machine, segment),
        }
    }

    /// When what it has sent last arrives.
    pub(in crate::net) fn last_due(&self) -> Instant {
        match &*self.state.borrow() {
            State::Connected(connected) => connected.last_due,
            _ => Instant::BOOT,
        }
    }

    fn deliver(&self, machine: &mut Machine, segment: Segment) -> Delivery {
        let now = machine.clock.now();
        let (peer, path, last_due) = match &*self.state.borrow() {
            State::Connected(connected) => {
                let wire = self.wire.borrow().clone();
                let path = Path::of_stream(connected.local, connected.remote, wire);
                (connected.peer.clone(), path, connected.last_due)
            }
            _ => return Delivery::At(now),
        };
        let parcel = Parcel::Segment { to: peer, from: self.this.clone(), segment };
        let delivery = link::deliver(&self.stack, machine, &path, last_due, parcel);
        if let Delivery::At(due) | Delivery::Unanswered(due) = delivery
            && let State::Connected(connected) = &mut *self.state.borrow_mut()
        {
            connected.last_due = due;
            self.last_delay.set(due.max(now) - now);
        }
        delivery
    }

    /// Lets something wait if what was sent before it has not got through. Whether it does.
    fn waits_behind_lost(&self, machine: &mut Machine, segment: Segment) -> bool {
        if !matches!(segment, Segment::Data(..) | Segment::Fin) {
            return false;
        }
        let is_noticed = {
            let mut lost = self.lost.borrow_mut();
            let Some(lost) = lost.as_mut().filter(|lost| lost.holds_up()) else { return false };
            lost.add(segment);
            // That there is a gap is told by answers.
            let is_third = lost.attempts == 0 && lost.segments.len() == FOLLOWERS + 1;
            is_third && lost.unanswered.is_none()
        };
        if is_noticed {
            let soon = machine.clock.now() + self.round_trip();
            self.send_again_at(machine, |lost| lost.due.min(soon));
        }
        true
    }

    /// Something that this end has sent did not get through.
    pub(in crate::net) fn on_lost(&self, machine: &mut Machine, segment: Segment) {
        let is_over = match &*self.state.borrow() {
            State::Connected(connected) => matches!(connected.phase, Phase::Ended(_)),
            _ => true,
        };
        if is_over || !matters(segment) {
            return;
        }
        if self.lost.borrow().is_none() {
            self.begin_again(machine, segment);
        }
        if let Some(lost) = &mut *self.lost.borrow_mut() {
            lost.add(segment);
        }
    }

    /// Something that this end has sent has got through, but its answer does not.
    fn on_unanswered(&self, machine: &mut Machine, segment: Segment) {
        let bytes = match segment {
            Segment::Data(len, _) => len,
            _ => 0,
        };
        if self.lost.borrow().is_none() {
            self.begin_again(machine, Segment::Again);
        }
        if let Some(lost) = &mut *self.lost.borrow_mut() {
            *lost.unanswered.get_or_insert(0) += bytes;
        }
    }

    /// Begins to send again what is lost from now on.
    fn begin_again(&self, machine: &mut Machine, segment: Segment) {
        let now = machine.clock.now();
        self.lost.replace(Some(Lost::new(now)));
        let due = now + self.timeout(segment, 0, Duration::ZERO);
        self.send_again_at(machine, |_| due);
    }

    /// How long it takes there and back, as far as this end knows.
    fn round_trip(&self) -> Duration {
        self.last_delay.get().saturating_mul(2)
    }

    /// How long to wait for an answer to something that was sent again so often.
    fn timeout(&self, segment: Segment, attempts: u32, waited: Duration) -> Duration {
        let first = match segment {
            Segment::SynAck => TIMEOUT_INITIAL,
            _ => TIMEOUT_MIN.max(self.round_trip()),
        };
        let timeout = first.saturating_mul(1 << attempts.min(16)).min(TIMEOUT_MAX);
        // A limit of the program's own is kept to the millisecond (`tcp_clamp_rto_to_user_timeout`).
        match self.tcp_options.user_timeout.get() {
            0 => timeout,
            _ => timeout.min(self.patience(segment).saturating_sub(waited)),
        }
    }

    /// How long something is sent again before the connection is given up.
    fn patience(&self, segment: Segment) -> Duration {
        match self.tcp_options.user_timeout.get() {
            _ if segment == Segment::SynAck => PATIENCE_OF_ANSWERS,
            0 if self.orphaned.get() => PATIENCE_OF_ORPHANS,
            0 => PATIENCE,
            milliseconds => Duration::from_millis(milliseconds.into()),
        }
    }

    /// Sets the time at which what is lost is sent again.
    fn send_again_at(&self, machine: &mut Machine, due: impl FnOnce(&Lost) -> Instant) {
        let mut lost = self.lost.borrow_mut();
        let Some(lost) = &mut *lost else { return };
        lost.due = due(lost);
        if let Some(timer) = lost.timer.take() {
            machine.timers.cancel(timer);
        }
        let this: Weak<Self> = self.this.clone();
        lost.timer = Some(machine.set_timer_on(self.stack.node, lost.due, this));
    }

    /// Sends again what is due to be.
    pub(super) fn send_again(&self, machine: &mut Machine) {
        let now = machine.clock.now();
        let (first, waited, attempts) = match &*self.lost.borrow() {
            Some(lost) if lost.due <= now => {
                let Some(first) = lost.first() else { return };
                (first, now - lost.since, lost.attempts)
            }
            _ => return,
        };
        if waited >= self.patience(first) {
            // Who waits for the answer to its end has waited as long.
            if first == Segment::FinAck
                && let Some(other) = self.other_end()
            {
                other.give_up(machine);
            }
            return self.give_up(machine);
        }
        let delivery = self.deliver(machine, first);
        if let Delivery::At(_) = delivery {
            return self.send_rest(machine, first);
        }
        if let Some(lost) = &mut *self.lost.borrow_mut() {
            lost.attempts = attempts + 1;
        }
        if let Delivery::Unanswered(_) = delivery
            && first != Segment::Again
        {
            self.pass_first(machine, first);
        }
        let due = now + self.timeout(first, attempts + 1, waited);
        self.send_again_at(machine, |_| due);
    }

    /// The first of what was lost has arrived, and is not answered.
    fn pass_first(&self, machine: &mut Machine, first: Segment) {
        if let Some(lost) = &mut *self.lost.borrow_mut() {
            lost.segments.pop_front();
        }
        self.on_unanswered(machine, first);
    }

    /// What was sent again has got through and is answered: what waits behind it follows.
    fn send_rest(&self, machine: &mut Machine, first: Segment) {
        let Some(lost) = self.lost.take() else { return };
        if let Some(timer) = lost.timer {
            machine.timers.cancel(timer);
        }
        let done = usize::from(first != Segment::Again);
        for segment in lost.segments.into_iter().skip(done) {
            self.send_segment(machine, segment);
        }
    }

    /// Nothing is sent again any more.
    pub(super) fn forget_lost(&self, machine: &mut Machine) {
        if let Some(timer) = self.lost.take().and_then(|lost| lost.timer) {
            machine.timers.cancel(timer);
        }
    }

    /// Ends a connection whose other end has not answered for too long.
    pub(super) fn give_up(&self, machine: &mut Machine) {
        self.forget_lost(machine);
        let error = match &mut *self.state.borrow_mut() {
            State::Connected(connected) => {
                let (phase, effect) = Phase::time_out(connected.phase);
                connected.phase = phase;
                effect.error
            }
            _ => return,
        };
        if error.is_some() {
            self.options.error.set(error);
        }
        self.after_step(machine);
        self.queue.wake(Readiness::all(), &mut machine.wakes);
    }
}
