//! The object: making and ending connections.

use alloc::{
    collections::VecDeque,
    rc::{Rc, Weak},
};
use core::{
    cell::{Cell, RefCell},
    net::SocketAddr,
    time::Duration,
};

use simrun_abi::faults::Protocol;

use super::{
    Connected, Connecting, Effect, Fresh, Listening, Phase, Segment, State, bind::Binding,
    retransmit::Lost, silence::Asking, state::Incoming,
};
use crate::{
    error::{Errno, Error, Result},
    fault::link::{Messages, Wire},
    machine::{Expire, Machine},
    net::{
        address::Family,
        host,
        link::{self, Parcel, Path},
        socket::{option_value::IpOptions, options::Options},
        stack::{OnlyV6, SocketId, Stack},
    },
    time::Instant,
    wait::{Readiness, WaitQueue},
};

/// `net.core.somaxconn`: most connections that wait at one socket.
const BACKLOG_MAX: u32 = 4096;
/// Time after which a connection request that was dropped is sent again; doubles each time (`TCP_TIMEOUT_INIT`).
const SYN_RETRY: Duration = Duration::from_secs(1);
/// Times it is sent again (`net.ipv4.tcp_syn_retries`).
const SYN_RETRIES: u32 = 6;
/// How long a port stays taken after a connection's end (`TCP_TIMEWAIT_LEN`).
const TIME_WAIT: Duration = Duration::from_secs(60);
/// `net.ipv4.tcp_wmem`'s default.
const SEND_BUFFER: u32 = 16_384;
/// `net.ipv4.tcp_rmem`'s default.
const RECEIVE_BUFFER: u32 = 131_072;

/// The options that only TCP has (tcp(7)). Most are only remembered: nothing here is a packet.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "tcp(7) describes each")]
pub struct TcpOptions {
    pub no_delay: Cell<bool>,
    pub cork: Cell<bool>,
    pub quick_ack: Cell<bool>,
    pub max_segment: Cell<u32>,
    pub keep_idle: Cell<u32>,
    pub keep_interval: Cell<u32>,
    pub keep_count: Cell<u32>,
    pub syn_count: Cell<u32>,
    pub linger2: Cell<i32>,
    pub defer_accept: Cell<u32>,
    pub window_clamp: Cell<u32>,
    pub user_timeout: Cell<u32>,
    pub fast_open: Cell<u32>,
    pub fast_open_connect: Cell<bool>,
    pub not_sent_low_water: Cell<u32>,
    pub inq: Cell<bool>,
}

impl Default for TcpOptions {
    fn default() -> Self {
        Self {
            no_delay: Cell::new(false),
            cork: Cell::new(false),
            quick_ack: Cell::new(true),
            max_segment: Cell::new(0),
            keep_idle: Cell::new(7200),
            keep_interval: Cell::new(75),
            keep_count: Cell::new(9),
            syn_count: Cell::new(SYN_RETRIES),
            linger2: Cell::new(60),
            defer_accept: Cell::new(0),
            window_clamp: Cell::new(0),
            user_timeout: Cell::new(0),
            fast_open: Cell::new(0),
            fast_open_connect: Cell::new(false),
            not_sent_low_water: Cell::new(u32::MAX),
            inq: Cell::new(false),
        }
    }
}

/// A socket of TCP.
pub struct TcpSocket {
    pub(super) this: Weak<Self>,
    pub(super) stack: Rc<Stack>,
    /// Names it.
    pub id: SocketId,
    /// The family it was made for.
    pub family: Family,
    /// Whether it leaves IPv4 alone.
    pub only_v6: Cell<OnlyV6>,
    /// Options that all sockets have.
    pub options: Options,
    /// Options that only TCP has.
    pub tcp_options: TcpOptions,
    /// Options of the protocol below.
    pub ip: IpOptions,
    pub(super) state: RefCell<State>,
    pub(super) incoming: RefCell<Incoming>,
    pub(super) binding: Cell<Option<Binding>>,
    /// Whether the program chose address or port itself.
    pub(super) explicit: Cell<bool>,
    /// Whether its program has closed it.
    pub(super) orphaned: Cell<bool>,
    /// Whether somebody waits for room to write (`SOCK_NOSPACE`).
    pub(super) wants_room: Cell<bool>,
    /// The link of its connection, if faults are for it.
    pub(super) wire: RefCell<Option<Rc<Wire>>>,
    /// What this end has sent that has not got through.
    pub(super) lost: RefCell<Option<Lost>>,
    /// How long what was sent last takes.
    pub(super) last_delay: Cell<Duration>,
    /// What was written before, if somebody in the middle may send it again.
    pub(super) messages: RefCell<Messages>,
    /// The next time at which it asks whether the other end is still there.
    pub(super) asks: Cell<Option<Asking>>,
    /// When it asks for a connection again, or forgets it.
    pub(super) due: Cell<Option<Instant>>,
    /// The stack's reference while the program holds none.
    pub queue: WaitQueue,
}

impl TcpSocket {
    /// A fresh socket.
    #[must_use]
    pub fn new(stack: &Rc<Stack>, family: Family) -> Rc<Self> {
        let options = Options::new(SEND_BUFFER, RECEIVE_BUFFER);
        Self::build(stack, family, options, TcpOptions::default(), State::default())
    }

    fn build(
        stack: &Rc<Stack>,
        family: Family,
        options: Options,
        tcp_options: TcpOptions,
        state: State,
    ) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            stack: Rc::clone(stack),
            id: stack.allocate_id(),
            family,
            only_v6: Cell::new(OnlyV6::No),
            options,
            tcp_options,
            ip: IpOptions::default(),
            state: RefCell::new(state),
            incoming: RefCell::default(),
            binding: Cell::new(None),
            explicit: Cell::new(false),
            orphaned: Cell::new(false),
            wants_room: Cell::new(false),
            wire: RefCell::default(),
            lost: RefCell::default(),
            last_delay: Cell::default(),
            messages: RefCell::default(),
            asks: Cell::default(),
            due: Cell::default(),
            queue: WaitQueue::default(),
        })
    }

    /// Whether it takes connections.
    #[must_use]
    pub fn takes_connections(&self) -> bool {
        matches!(*self.state.borrow(), State::Listening(_))
    }

    /// The state's number (include/net/tcp_states.h).
    #[must_use]
    pub fn state_number(&self) -> u8 {
        const SYN_SENT: u8 = 2;
        const CLOSE: u8 = 7;
        const LISTEN: u8 = 10;
        match &*self.state.borrow() {
            State::Fresh(_) => CLOSE,
            State::Listening(_) => LISTEN,
            State::Connecting(_) => SYN_SENT,
            State::Connected(connected) => connected.phase.number(),
        }
    }

    /// Both endpoints of its connection.
    #[must_use]
    pub fn ends(&self) -> Option<(SocketAddr, SocketAddr)> {
        match &*self.state.borrow() {
            State::Connected(connected) => Some((connected.local, connected.remote)),
            State::Connecting(connecting) => Some((connecting.local, connecting.remote)),
            _ => None,
        }
    }

    /// This end, for getsockname(2).
    #[must_use]
    pub fn local_end(&self) -> SocketAddr {
        let bound = self.binding.get().map(|binding| binding.local);
        let ends = self.ends().map(|(local, _)| local);
        let local = ends.or(bound).unwrap_or(SocketAddr::new(self.family.any(), 0));
        self.family.show(local)
    }

    /// The other end, for getpeername(2).
    ///
    /// # Errors
    /// `ENOTCONN`.
    pub fn remote_end(&self) -> Result<SocketAddr> {
        match &*self.state.borrow() {
            State::Connected(connected) if !connected.phase.is_over() => {
                Ok(self.family.show(connected.remote))
            }
            _ => Err(Errno::ENOTCONN.into()),
        }
    }

    /// Begins to take connections, or changes how many may wait.
    ///
    /// # Errors
    /// `EINVAL`, `EADDRINUSE`.
    pub fn begin_listening(&self, machine: &mut Machine, backlog: u32, uid: u32) -> Result<()> {
        let backlog = backlog.min(BACKLOG_MAX);
        if let State::Listening(listening) = &mut *self.state.borrow_mut() {
            listening.backlog = backlog;
            return Ok(());
        }
        if !matches!(*self.state.borrow(), State::Fresh(_)) {
            return Err(Errno::EINVAL.into());
        }
        match self.binding.get() {
            Some(binding) if !self.is_port_free(&binding) => return Err(Errno::EADDRINUSE.into()),
            Some(_) => {}
            None => {
                let local = SocketAddr::new(self.family.any(), 0);
                self.take_address(machine, Binding { local, only_v6: self.only_v6.get(), uid })?;
            }
        }
        self.state.replace(State::Listening(Listening { backlog, ready: VecDeque::new() }));
        if let Some(binding) = self.binding.get() {
            self.stack.listeners.hold(binding.local.port(), self.id, self.this.clone());
        }
        self.queue.wake(Readiness::WRITABLE, &mut machine.wakes);
        Ok(())
    }

    /// Takes the oldest connection that waits.
    ///
    /// # Errors
    /// `EINVAL` unless it listens; `EAGAIN`.
    pub fn next_connection(&self) -> Result<Rc<Self>> {
        match &mut *self.state.borrow_mut() {
            State::Listening(listening) => listening.ready.pop_front().ok_or(Errno::EAGAIN.into()),
            _ => Err(Errno::EINVAL.into()),
        }
    }

    /// Asks for a connection, or tells how far it is.
    ///
    /// # Errors
    /// As connect(2) on a descriptor that does not block: `EINPROGRESS` if it was asked for just now, even if the
    /// answer is there already (the socket takes it in when the call lets go of it).
    pub fn ask_for(&self, machine: &mut Machine, remote: SocketAddr, uid: u32) -> Result<()> {
        match &mut *self.state.borrow_mut() {
            State::Listening(_) => return Err(Errno::EISCONN.into()),
            State::Connecting(_) => return Err(Errno::EALREADY.into()),
            State::Connected(connected) if !connected.told => {
                connected.told = true;
                return Ok(());
            }
            State::Connected(_) => return Err(Errno::EISCONN.into()),
            // Between a failure and `connect` telling it, a shutdown ends the socket (`SS_DISCONNECTING`).
            State::Fresh(fresh) if fresh.failed && !fresh.shut.is_empty() => {
                return Err(Errno::EINVAL.into());
            }
            State::Fresh(fresh) if fresh.failed => {
                fresh.failed = false;
                self.options.check_error()?;
                return Err(Errno::ECONNABORTED.into());
            }
            State::Fresh(_) => {}
        }
        let remote = SocketAddr::new(host::destination(remote.ip()), remote.port());
        if !self.stack.has_route_to(remote.ip()) {
            return Err(Error::new(Errno::ENETUNREACH, "no route leaves the simulation"));
        }
        let local = self.bind_for(machine, remote, uid)?;
        let program = Rc::clone(&machine.program);
        self.wire.replace(link::wire(
            &self.stack,
            machine,
            Protocol::Tcp,
            &program,
            (local, remote),
        ));
        self.state.replace(State::Connecting(Connecting { local, remote, attempts: 0 }));
        self.ask(machine);
        Err(Errno::EINPROGRESS.into())
    }

    /// Sends the request for a connection, and sees to it that it is sent again unless it is answered at once.
    fn ask(&self, machine: &mut Machine) {
        let Some(Connecting { local, remote, attempts }) = self.next_attempt() else { return };
        let wire = self.wire.borrow().clone();
        let path = Path::of_stream(local, remote, wire.clone());
        let parcel = Parcel::Syn { client: self.this.clone(), from: local, to: remote, wire };
        link::deliver(&self.stack, machine, &path, Instant::BOOT, parcel);
        if !matches!(*self.state.borrow(), State::Connecting(_)) {
            return;
        }
        let due = machine.clock.now() + SYN_RETRY * (1 << (attempts - 1).min(SYN_RETRIES));
        self.call_at(machine, due);
    }

    /// Has itself called at an instant, and at no other that was said before.
    fn call_at(&self, machine: &mut Machine, due: Instant) {
        self.due.set(Some(due));
        let this: Weak<Self> = self.this.clone();
        machine.set_timer_on(self.stack.node, due, this);
    }

    fn next_attempt(&self) -> Option<Connecting> {
        match &mut *self.state.borrow_mut() {
            State::Connecting(connecting) => {
                connecting.attempts += 1;
                Some(*connecting)
            }
            _ => None,
        }
    }

    /// A request for a connection has arrived at the machine.
    pub(in crate::net) fn on_request(
        stack: &Rc<Stack>,
        machine: &mut Machine,
        client: &Weak<Self>,
        (from, to): (SocketAddr, SocketAddr),
        wire: Option<Rc<Wire>>,
    ) {
        if stack.tcp.holders(to.port()).iter().any(|socket| socket.is_end_of(client)) {
            // It was asked for again before the answer arrived.
            return;
        }
        let Some(listener) = Self::find_listener(stack, machine, to) else {
            let path = Path::of_stream(to, from, wire);
            let (to, from) = (client.clone(), Weak::new());
            let reset = Parcel::Segment { to, from, segment: Segment::Reset };
            link::deliver(stack, machine, &path, Instant::BOOT, reset);
            return;
        };
        let State::Listening(listening) = &mut *listener.state.borrow_mut() else { return };
        if listening.ready.len() > listening.backlog as usize {
            return;
        }
        let child = listener.make_child(machine, client, to, from);
        child.wire.replace(wire);
        listening.ready.push_back(Rc::clone(&child));
        listener.queue.wake(Readiness::READABLE, &mut machine.wakes);
        child.send_segment(machine, Segment::SynAck);
    }

    /// Whether it has a connection with this socket.
    fn is_end_of(&self, other: &Weak<Self>) -> bool {
        match &*self.state.borrow() {
            State::Connected(connected) => connected.peer.ptr_eq(other),
            _ => false,
        }
    }

    fn make_child(
        &self,
        machine: &mut Machine,
        client: &Weak<Self>,
        local: SocketAddr,
        remote: SocketAddr,
    ) -> Rc<Self> {
        let connecting = Connecting { local, remote, attempts: 0 };
        let mut connected = connecting.establish(client.clone(), machine.clock.now());
        connected.told = true;
        let (options, tcp) = (self.options.clone(), self.tcp_options.clone());
        options.error.set(None);
        let child =
            Self::build(&self.stack, self.family, options, tcp, State::Connected(connected));
        child.only_v6.set(self.only_v6.get());
        if let Some(binding) = self.binding.get() {
            child.binding.set(Some(Binding { local, ..binding }));
            self.stack.tcp.hold(local.port(), child.id, child.this.clone());
        }
        child
    }

    /// The socket that takes connections to this endpoint: one bound to the very address before one bound to any.
    /// Of several that share it (`SO_REUSEPORT`), chance chooses.
    fn find_listener(stack: &Stack, machine: &mut Machine, to: SocketAddr) -> Option<Rc<Self>> {
        let rank = |socket: &Rc<Self>| {
            let binding = socket.binding.get()?;
            let held = binding.local.ip();
            match (held == to.ip(), held.is_unspecified()) {
                (true, _) => Some(0),
                (_, true) if held.is_ipv4() == to.is_ipv4() => Some(1),
                (_, true) if held.is_ipv6() && binding.only_v6 == OnlyV6::No => Some(2),
                _ => None,
            }
        };
        let mut candidates: alloc::vec::Vec<_> = stack
            .listeners
            .holders(to.port())
            .into_iter()
            .filter(|socket| socket.takes_connections())
            .filter_map(|socket| Some((rank(&socket)?, socket)))
            .collect();
        let best = candidates.iter().map(|&(rank, _)| rank).min()?;
        candidates.retain(|&(rank, _)| rank == best);
        let chosen = match candidates.len() {
            1 => 0,
            several => machine.random.network.below(several as u64) as usize,
        };
        Some(candidates.swap_remove(chosen).1)
    }

    /// Something from the other end arrives.
    pub(in crate::net) fn arrive(
        to: &Weak<Self>,
        from: &Weak<Self>,
        segment: Segment,
        machine: &mut Machine,
    ) {
        // What a machine without power had in mind is gone when it is on again.
        match to.upgrade().filter(|socket| !socket.stack.is_off()) {
            Some(socket) => socket.on_segment(from, segment, machine),
            None => Self::refuse(from, segment, machine),
        }
    }

    /// Tells the sender that there is no such connection.
    pub(super) fn refuse(sender: &Weak<Self>, segment: Segment, machine: &mut Machine) {
        if matches!(segment, Segment::Reset | Segment::FinAck | Segment::Unreachable) {
            return;
        }
        let Some(sender) = sender.upgrade() else { return };
        let Some((local, remote)) = sender.ends() else { return };
        let path = Path::of_stream(remote, local, sender.wire.borrow().clone());
        let (to, from) = (sender.this.clone(), Weak::new());
        let parcel = Parcel::Segment { to, from, segment: Segment::Reset };
        link::deliver(&sender.stack, machine, &path, Instant::BOOT, parcel);
    }

    pub(super) fn on_segment(&self, from: &Weak<Self>, segment: Segment, machine: &mut Machine) {
        let state = self.state.take();
        let (state, woken) = match (state, segment) {
            (State::Connecting(connecting), Segment::SynAck) => {
                let connected = connecting.establish(from.clone(), machine.clock.now());
                (State::Connected(connected), Readiness::WRITABLE)
            }
            (State::Connecting(_), Segment::Reset | Segment::Unreachable) => {
                let refused = segment == Segment::Reset;
                let errno = if refused { Errno::ECONNREFUSED } else { Errno::EHOSTUNREACH };
                self.options.error.set(Some(errno));
                (State::Fresh(Fresh::failed()), Readiness::all())
            }
            (State::Connected(connected), segment) => {
                return self.on_connected(connected, from, segment, machine);
            }
            (other, segment) => {
                Self::refuse(from, segment, machine);
                (other, Readiness::empty())
            }
        };
        self.state.replace(state);
        if matches!(*self.state.borrow(), State::Fresh(_)) {
            self.forget_source();
        }
        self.queue.wake(woken, &mut machine.wakes);
    }

    /// Lets go of what was chosen for an attempt to connect that failed.
    pub(super) fn forget_source(&self) {
        if !self.explicit.get() {
            self.release_port();
        }
    }

    fn on_connected(
        &self,
        mut connected: Connected,
        from: &Weak<Self>,
        segment: Segment,
        machine: &mut Machine,
    ) {
        let (phase, mut effect) = match segment {
            // That there is no way now may pass (RFC 1122, 4.2.3.9).
            Segment::SynAck | Segment::Unreachable | Segment::Again => {
                (connected.phase, Effect::default())
            }
            Segment::Data(..) => return self.on_data(connected, from, segment, machine),
            Segment::Fin => connected.phase.on_fin(),
            Segment::FinAck => connected.phase.on_fin_ack(),
            Segment::Reset => connected.phase.on_reset(),
        };
        connected.phase = phase;
        connected.is_done |= segment == Segment::Fin;
        let reply = effect.reply.take();
        self.state.replace(State::Connected(connected));
        if effect.error.is_some() {
            self.options.error.set(effect.error);
        }
        if let Some(reply) = reply {
            self.send_segment(machine, reply);
        }
        self.after_step(machine);
        let woken = match segment {
            Segment::Fin => Readiness::READABLE | Readiness::RDHUP | Readiness::HUP,
            _ => Readiness::all(),
        };
        self.queue.wake(woken, &mut machine.wakes);
    }

    /// Applies a transition of the connection that this end makes.
    pub(super) fn step(&self, machine: &mut Machine, transition: fn(Phase) -> (Phase, Effect)) {
        let effect = match &mut *self.state.borrow_mut() {
            State::Connected(connected) => {
                let (phase, effect) = transition(connected.phase);
                connected.phase = phase;
                effect
            }
            _ => return,
        };
        if let Some(reply) = effect.reply {
            self.send_segment(machine, reply);
        }
        self.after_step(machine);
    }

    /// Lets go of what an ended connection no longer needs.
    pub(super) fn after_step(&self, machine: &mut Machine) {
        let phase = match &*self.state.borrow() {
            State::Connected(connected) => connected.phase,
            _ => return,
        };
        match phase {
            Phase::TimeWait(_) => {
                let due = machine.clock.now() + TIME_WAIT;
                self.call_at(machine, due);
            }
            Phase::Ended(_) => {
                self.forget_lost(machine);
                if self.orphaned.get() {
                    self.release_port();
                }
                self.stack.orphans.borrow_mut().remove(&self.id);
            }
            _ => {}
        }
    }
}

impl Expire for TcpSocket {
    /// Sends again what is lost; asks whether the other end is there; asks again for a connection, or gives up; or ends
    /// `TIME_WAIT`: whatever is due.
    fn expire(&self, machine: &mut Machine) {
        self.send_again(machine);
        self.ask_whether_there(machine);
        if self.due.get().is_none_or(|due| due > machine.clock.now()) {
            return;
        }
        self.due.set(None);
        let attempts = match &*self.state.borrow() {
            State::Connecting(connecting) => Some(connecting.attempts),
            _ => None,
        };
        match attempts {
            Some(attempts) if attempts <= self.tcp_options.syn_count.get() => self.ask(machine),
            Some(_) => {
                self.options.error.set(Some(Errno::ETIMEDOUT));
                self.state.replace(State::Fresh(Fresh::failed()));
                self.forget_source();
                self.queue.wake(Readiness::all(), &mut machine.wakes);
            }
            None => {
                let is_waiting = matches!(
                    &*self.state.borrow(),
                    State::Connected(Connected { phase: Phase::TimeWait(_), .. })
                );
                if is_waiting && self.lost.borrow().is_some() {
                    let later = machine.clock.now() + TIME_WAIT;
                    self.call_at(machine, later);
                } else if is_waiting && self.orphaned.get() {
                    self.step(machine, Phase::abort);
                }
            }
        }
    }
}
