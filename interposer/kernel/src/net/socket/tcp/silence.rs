//! What an end makes of it that nothing comes from the other one any more (`tcp_write_timeout` and
//! `tcp_keepalive_timer` in net/ipv4/tcp_timer.c).

use alloc::rc::Weak;
use core::time::Duration;

use super::{Phase, State, TcpSocket};
use crate::{machine::Machine, wait::Readiness};

/// How long data is sent again and again before the connection is given up: from 200 ms, doubled each time up to 120 s,
/// until the answer to the 15th has not come either (`net.ipv4.tcp_retries2` in ip-sysctl.rst).
const RETRANSMISSIONS: Duration = Duration::from_millis(924_600);

impl TcpSocket {
    /// From now on nothing gets through. Who asks from time to time whether the other end is there will find out.
    pub(in crate::net) fn on_silence(&self, machine: &mut Machine) {
        if !self.options.keep_alive.get() {
            return;
        }
        let options = &self.tcp_options;
        let seconds = u64::from(options.keep_idle.get())
            + u64::from(options.keep_interval.get()) * u64::from(options.keep_count.get());
        self.give_up_after(machine, Duration::from_secs(seconds));
    }

    /// Something was sent; if nothing gets through, the connection will be given up.
    pub(super) fn miss_answer(&self, machine: &mut Machine) {
        let is_silent = self.wire.borrow().as_ref().is_some_and(|wire| wire.is_silent());
        if !is_silent {
            return;
        }
        let patience = match self.tcp_options.user_timeout.get() {
            0 => RETRANSMISSIONS,
            milliseconds => Duration::from_millis(milliseconds.into()),
        };
        self.give_up_after(machine, patience);
    }

    fn give_up_after(&self, machine: &mut Machine, patience: Duration) {
        let due = machine.clock.now() + patience;
        if self.gives_up.get().is_some_and(|at| at <= due) {
            return;
        }
        self.gives_up.set(Some(due));
        let this: Weak<Self> = self.this.clone();
        machine.set_timer(due, this);
    }

    /// Ends a connection whose other end has not answered for too long.
    pub(super) fn give_up(&self, machine: &mut Machine) {
        self.gives_up.set(None);
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
