//! How a connection, an attempt or listening ends by this end's doing.

use super::{Fresh, Phase, Shut, State, TcpSocket};
use crate::{
    error::{Errno, Result},
    machine::Machine,
    net::socket::options::Linger,
    wait::Readiness,
};

impl TcpSocket {
    /// Shuts directions down.
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn shut_down(&self, machine: &mut Machine, what: Shut) -> Result<()> {
        match &mut *self.state.borrow_mut() {
            State::Connected(connected) if !connected.phase.is_over() => connected.shut |= what,
            State::Listening(_) | State::Connecting(_) => {}
            State::Fresh(fresh) => {
                // It has an effect all the same (`inet_shutdown`).
                fresh.shut |= what;
                self.queue.wake(Readiness::all(), &mut machine.wakes);
                return Err(Errno::ENOTCONN.into());
            }
            State::Connected(_) => return Err(Errno::ENOTCONN.into()),
        }
        if self.takes_connections() {
            if what.contains(Shut::RECEIVE) {
                self.stop_listening(machine);
                self.state.replace(State::default());
            }
        } else if matches!(*self.state.borrow(), State::Connecting(_)) {
            self.options.error.set(Some(Errno::ECONNRESET));
            self.state.replace(State::Fresh(Fresh::failed()));
            self.forget_source();
        } else if what.contains(Shut::SEND) {
            self.step(machine, Phase::finish);
        }
        self.queue.wake(Readiness::all(), &mut machine.wakes);
        Ok(())
    }

    /// Dissolves a connection, as `connect` with `AF_UNSPEC` does (`tcp_disconnect`).
    pub fn disconnect(&self, machine: &mut Machine) {
        let is_cut = match &*self.state.borrow() {
            State::Connecting(_) => true,
            State::Connected(connected) => matches!(
                connected.phase,
                Phase::Established(_) | Phase::FinWait(_) | Phase::CloseWait(_)
            ),
            State::Fresh(_) | State::Listening(_) => false,
        };
        if self.takes_connections() {
            self.stop_listening(machine);
        }
        self.step(machine, Phase::abort);
        self.state.replace(State::default());
        self.incoming.take();
        if is_cut {
            self.options.error.set(Some(Errno::ECONNRESET));
        }
        self.forget_source();
        self.queue.wake(Readiness::all(), &mut machine.wakes);
    }

    fn stop_listening(&self, machine: &mut Machine) {
        let waiting = match &mut *self.state.borrow_mut() {
            State::Listening(listening) => core::mem::take(&mut listening.ready),
            _ => return,
        };
        if let Some(binding) = self.binding.get() {
            self.stack.listeners.release(binding.local.port(), self.id);
        }
        for child in waiting {
            child.abort(machine);
        }
    }

    /// Gives the connection up at once.
    pub(super) fn abort(&self, machine: &mut Machine) {
        self.orphaned.set(true);
        self.step(machine, Phase::abort);
        self.release_port();
    }

    /// The program has closed its last descriptor (`__tcp_close` in net/ipv4/tcp.c).
    pub fn let_go(&self, machine: &mut Machine) {
        self.orphaned.set(true);
        let has_unread = self.incoming.take().arrived > 0;
        let reset = has_unread || self.options.linger.get() == Linger::Seconds(0);
        let phase = match &*self.state.borrow() {
            State::Connected(connected) => Some(connected.phase),
            _ => None,
        };
        match phase {
            Some(_) if reset => self.abort(machine),
            Some(_) => {
                if let Some(this) = self.this.upgrade() {
                    self.stack.orphans.borrow_mut().insert(self.id, this);
                }
                self.step(machine, Phase::finish);
            }
            None => {
                self.stop_listening(machine);
                self.release_port();
                self.state.replace(State::default());
            }
        }
        self.queue.wake(Readiness::all(), &mut machine.wakes);
    }
}
