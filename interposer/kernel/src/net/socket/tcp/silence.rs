//! Asking from time to time whether the other end is still there (`tcp_keepalive_timer` in net/ipv4/tcp_timer.c).
//!
//! As long as it is, nobody sees that it is asked. So it is only asked from when it may have gone.

use alloc::rc::Weak;
use core::time::Duration;

use super::{Segment, State, TcpSocket};
use crate::{machine::Machine, net::link, time::Instant};

/// When the other end is asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Asking {
    at: Instant,
    /// How often it has not answered.
    unanswered: u32,
}

impl TcpSocket {
    /// From now on nothing may get through. Who asks from time to time whether the other end is there will find out.
    pub(in crate::net) fn on_silence(&self, machine: &mut Machine) {
        if self.options.keep_alive.get() && self.asks.get().is_none() {
            let idle = Duration::from_secs(self.tcp_options.keep_idle.get().into());
            self.ask_later(machine, idle, 0);
        }
    }

    /// Whether it will find out if what it sends or is sent is lost from some time on.
    pub(in crate::net) fn would_notice_silence(&self) -> bool {
        let asks = self.options.keep_alive.get() && self.asks.get().is_none();
        asks && self.wire.borrow().is_some() && self.other_end().is_some()
    }

    /// The same as in silence, if what it sends or is sent is lost in a partition now.
    pub(in crate::net) fn look_for_silence(&self, machine: &mut Machine) {
        if self.would_notice_silence() && self.is_cut_off(machine) {
            self.on_silence(machine);
        }
    }

    /// Whether it asks, or how soon, has been set (`tcp_set_keepalive`, `tcp_sock_set_keepidle_locked`): also in silence.
    pub(super) fn ask_anew(&self, machine: &mut Machine) {
        self.asks.set(None);
        if self.would_notice_silence() && self.is_in_silence(machine) {
            self.on_silence(machine);
        }
    }

    /// Whether nobody answers.
    fn is_in_silence(&self, machine: &mut Machine) -> bool {
        let Some((_, remote)) = self.ends() else { return false };
        let is_silent = self.wire.borrow().as_ref().is_some_and(|wire| wire.is_silent());
        let is_off = || self.stack.toward(remote.ip()).is_none_or(|stack| stack.is_off());
        is_silent || is_off() || self.is_cut_off(machine)
    }

    fn is_cut_off(&self, machine: &mut Machine) -> bool {
        self.wire.borrow().as_ref().is_some_and(|wire| link::is_cut(machine, wire))
    }

    /// This end's machine is without power, and the other end is not told.
    pub(in crate::net) fn leave_without_a_word(&self, machine: &mut Machine) {
        if let Some(peer) = self.other_end() {
            peer.on_silence(machine);
        }
    }

    pub(super) fn other_end(&self) -> Option<alloc::rc::Rc<Self>> {
        match &*self.state.borrow() {
            State::Connected(connected) => connected.peer.upgrade(),
            _ => None,
        }
    }

    fn ask_later(&self, machine: &mut Machine, wait: Duration, unanswered: u32) {
        let at = machine.clock.now() + wait;
        self.asks.set(Some(Asking { at, unanswered }));
        let this: Weak<Self> = self.this.clone();
        machine.set_timer_on(self.stack.node, at, this);
    }

    /// Asks, if it is time to.
    pub(super) fn ask_whether_there(&self, machine: &mut Machine) {
        let due = self.asks.get().filter(|asking| asking.at <= machine.clock.now());
        let Some(Asking { unanswered, .. }) = due else { return };
        self.asks.set(None);
        if self.ends().is_none() {
            return;
        }
        if !self.is_in_silence(machine) {
            // Somebody answers, if only that there is no such connection.
            if self.other_end().is_none_or(|other| other.stack.is_off()) {
                self.on_segment(&Weak::new(), Segment::Reset, machine);
            }
            return;
        }
        if unanswered >= self.tcp_options.keep_count.get() {
            return self.give_up(machine);
        }
        let interval = Duration::from_secs(self.tcp_options.keep_interval.get().into());
        self.ask_later(machine, interval, unanswered + 1);
    }
}
