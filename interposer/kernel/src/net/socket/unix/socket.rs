//! The object: naming and connecting.

use alloc::{
    collections::VecDeque,
    format,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::cell::{Cell, RefCell};

use super::transfer::Message;
use crate::{
    error::{Errno, Result},
    machine::{Env, Machine},
    net::{
        address::{Inode, UnixName},
        socket::{
            message::Caller,
            options::{BUFFER_DEFAULT, Options},
            tcp::Shut,
        },
        stack::{SocketId, Stack},
    },
    wait::{Readiness, WaitQueue},
};

/// `net.core.somaxconn`.
const BACKLOG_MAX: u32 = 4096;
/// Names that bind(2) may choose when it is given none: five hexadecimal digits.
const AUTOMATIC_NAMES: u64 = 1 << 20;

/// How a unix socket keeps its data apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnixKind {
    /// Not at all.
    Stream,
    /// Messages to and from anybody.
    Datagram,
    /// Messages over a connection.
    SeqPacket,
}

impl UnixKind {
    /// Whether it has connections.
    #[must_use]
    pub fn is_connected(self) -> bool {
        self != Self::Datagram
    }
}

/// By what a bound socket is found.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum UnixKey {
    /// A socket in the file tree.
    Inode(Inode),
    /// A name outside it.
    Abstract(Vec<u8>),
}

impl UnixKey {
    fn of(name: &UnixName) -> Option<Self> {
        match name {
            UnixName::Path { inode, .. } => inode.map(Self::Inode),
            UnixName::Abstract(name) => Some(Self::Abstract(name.clone())),
        }
    }
}

/// What a unix socket is.
#[derive(Default)]
pub(super) enum State {
    /// Neither connected nor listening.
    #[default]
    Fresh,
    /// Takes connections.
    Listening {
        /// Most connections that wait, less one.
        backlog: u32,
        /// Those that wait.
        ready: VecDeque<Rc<UnixSocket>>,
    },
    /// Has another end; for datagrams a default destination.
    Connected {
        /// That end.
        peer: Weak<UnixSocket>,
    },
}

/// A unix socket.
pub struct UnixSocket {
    pub(super) this: Weak<Self>,
    pub(super) stack: Rc<Stack>,
    pub(super) id: SocketId,
    pub(super) unix_kind: UnixKind,
    pub(super) options: Options,
    pub(super) state: RefCell<State>,
    pub(super) shut: Cell<Shut>,
    pub(super) name: RefCell<Option<UnixName>>,
    pub(super) inbox: RefCell<VecDeque<Message>>,
    /// Memory that what it has sent takes up until it is read.
    pub(super) sent: Cell<usize>,
    /// Sockets that wait for room in this one's inbox.
    pub(super) senders: RefCell<Vec<Weak<Self>>>,
    pub(super) closed: Cell<bool>,
    /// Whether it has become the other end of a datagram socket, which shows it as connected (`unix_dgram_connect`).
    pub(super) is_destination: Cell<bool>,
    /// Who is at the other end (`SO_PEERCRED`); for a listener, who listens.
    pub(super) peer_credentials: Cell<Option<Caller>>,
    pub(super) queue: WaitQueue,
}

impl UnixSocket {
    /// A fresh socket.
    #[must_use]
    pub fn new(stack: &Rc<Stack>, unix_kind: UnixKind) -> Rc<Self> {
        let id = stack.allocate_id();
        let socket = Rc::new_cyclic(|this| Self {
            this: this.clone(),
            stack: Rc::clone(stack),
            id,
            unix_kind,
            options: Options::new(BUFFER_DEFAULT, BUFFER_DEFAULT),
            state: RefCell::default(),
            shut: Cell::new(Shut::empty()),
            name: RefCell::new(None),
            inbox: RefCell::default(),
            sent: Cell::new(0),
            senders: RefCell::default(),
            closed: Cell::new(false),
            is_destination: Cell::new(false),
            peer_credentials: Cell::new(None),
            queue: WaitQueue::default(),
        });
        stack.all_unix.borrow_mut().insert(id, socket.this.clone());
        socket
    }

    /// Two sockets, each the other's end.
    #[must_use]
    pub fn pair(stack: &Rc<Stack>, unix_kind: UnixKind, caller: Caller) -> (Rc<Self>, Rc<Self>) {
        let (a, b) = (Self::new(stack, unix_kind), Self::new(stack, unix_kind));
        for (one, other) in [(&a, &b), (&b, &a)] {
            one.state.replace(State::Connected { peer: other.this.clone() });
            one.peer_credentials.set(Some(caller));
        }
        (a, b)
    }

    /// The socket at the other end, if it is still there.
    pub(super) fn peer(&self) -> Option<Rc<Self>> {
        match &*self.state.borrow() {
            State::Connected { peer } => peer.upgrade().filter(|peer| !peer.closed.get()),
            _ => None,
        }
    }

    /// Gives it a name; any free abstract one for `None`.
    ///
    /// # Errors
    /// `EINVAL` if it has one, `EADDRINUSE`.
    pub(super) fn take_name(&self, machine: &mut Machine, name: Option<&UnixName>) -> Result<()> {
        if self.name.borrow().is_some() {
            return match name {
                None => Ok(()),
                Some(_) => Err(Errno::EINVAL.into()),
            };
        }
        let name = match name {
            Some(name) => name.clone(),
            None => self.choose_name(machine)?,
        };
        let key = UnixKey::of(&name).ok_or(Errno::ENOENT)?;
        let taken = self.stack.unix_socket(&key).is_some();
        if taken && matches!(key, UnixKey::Abstract(_)) {
            return Err(Errno::EADDRINUSE.into());
        }
        self.stack.unix.borrow_mut().insert(key, self.this.clone());
        self.name.replace(Some(name));
        Ok(())
    }

    fn choose_name(&self, machine: &mut Machine) -> Result<UnixName> {
        let start = machine.random.network.below(AUTOMATIC_NAMES);
        (0..AUTOMATIC_NAMES)
            .map(|step| format!("{:05x}", (start + step) % AUTOMATIC_NAMES).into_bytes())
            .find(|name| self.stack.unix_socket(&UnixKey::Abstract(name.clone())).is_none())
            .map(UnixName::Abstract)
            .ok_or(Errno::ENOSPC.into())
    }

    /// The socket of that name.
    ///
    /// # Errors
    /// `ECONNREFUSED` if there is none, `EPROTOTYPE` if it is of another kind.
    pub(super) fn find(&self, name: &UnixName) -> Result<Rc<Self>> {
        let key = UnixKey::of(name).ok_or(Errno::ENOENT)?;
        let found = self.stack.unix_socket(&key).ok_or(Errno::ECONNREFUSED)?;
        if found.unix_kind == self.unix_kind { Ok(found) } else { Err(Errno::EPROTOTYPE.into()) }
    }

    /// Begins to take connections, or changes how many may wait.
    pub(super) fn begin_listening(
        &self,
        machine: &mut Machine,
        new_backlog: u32,
        caller: Caller,
    ) -> Result<()> {
        if !self.unix_kind.is_connected() {
            return Err(Errno::EOPNOTSUPP.into());
        }
        if self.name.borrow().is_none() {
            return Err(Errno::EINVAL.into());
        }
        let new_backlog = new_backlog.min(BACKLOG_MAX);
        match &mut *self.state.borrow_mut() {
            State::Listening { backlog, .. } => *backlog = new_backlog,
            state @ State::Fresh => {
                *state = State::Listening { backlog: new_backlog, ready: VecDeque::new() };
            }
            State::Connected { .. } => return Err(Errno::EINVAL.into()),
        }
        self.peer_credentials.set(Some(caller));
        self.queue.wake(Readiness::WRITABLE, &mut machine.wakes);
        Ok(())
    }

    /// Takes the oldest connection that waits.
    pub(super) fn next_connection(&self, machine: &mut Machine) -> Result<Rc<Self>> {
        let (next, was_full) = match &mut *self.state.borrow_mut() {
            State::Listening { backlog, ready } => {
                let was_full = ready.len() > *backlog as usize;
                (ready.pop_front(), was_full)
            }
            _ if !self.unix_kind.is_connected() => return Err(Errno::EOPNOTSUPP.into()),
            _ => return Err(Errno::EINVAL.into()),
        };
        if was_full {
            self.tell_senders(machine);
        }
        match next {
            Some(next) => Ok(next),
            None if self.shut.get().contains(Shut::RECEIVE) => Err(Errno::EINVAL.into()),
            None => Err(Errno::EAGAIN.into()),
        }
    }

    /// Connects to the socket of a name.
    ///
    /// # Errors
    /// As connect(2); `EAGAIN` if too many wait already.
    pub(super) fn connect_to(
        &self,
        env: &mut Env<'_>,
        name: &UnixName,
        caller: Caller,
    ) -> Result<()> {
        match &*self.state.borrow() {
            State::Connected { .. } if self.unix_kind.is_connected() => {
                return Err(Errno::EISCONN.into());
            }
            State::Listening { .. } => return Err(Errno::EINVAL.into()),
            _ => {}
        }
        let target = self.find(name)?;
        if !self.unix_kind.is_connected() {
            return self.set_destination(env, &target);
        }
        let has_room = match &*target.state.borrow() {
            State::Listening { backlog, ready } => ready.len() <= *backlog as usize,
            _ => return Err(Errno::ECONNREFUSED.into()),
        };
        if target.shut.get().contains(Shut::RECEIVE) {
            return Err(Errno::ECONNREFUSED.into());
        }
        if !has_room {
            target.senders.borrow_mut().push(self.this.clone());
            return Err(Errno::EAGAIN.into());
        }
        let child = Self::new(&self.stack, self.unix_kind);
        child.state.replace(State::Connected { peer: self.this.clone() });
        child.name.replace(target.name.borrow().clone());
        child.options.pass_credentials.set(target.options.pass_credentials.get());
        child.peer_credentials.set(Some(caller));
        self.peer_credentials.set(target.peer_credentials.get());
        self.state.replace(State::Connected { peer: child.this.clone() });
        if let State::Listening { ready, .. } = &mut *target.state.borrow_mut() {
            ready.push_back(child);
        }
        target.queue.wake(Readiness::READABLE, &mut env.machine.wakes);
        self.queue.wake(Readiness::WRITABLE, &mut env.machine.wakes);
        Ok(())
    }

    fn set_destination(&self, env: &mut Env<'_>, target: &Rc<Self>) -> Result<()> {
        if !target.accepts_from(self) {
            return Err(Errno::EPERM.into());
        }
        target.is_destination.set(true);
        let before = self.state.replace(State::Connected { peer: target.this.clone() });
        match before {
            State::Connected { peer } if !peer.ptr_eq(&target.this) => {
                self.lose_inbox(env, peer.upgrade().filter(|peer| !peer.closed.get()).as_deref());
            }
            _ => {}
        }
        Ok(())
    }

    /// Whether datagrams of another socket may come in: not if this one talks to a third one (`unix_may_send`).
    pub(super) fn accepts_from(&self, other: &Self) -> bool {
        match &*self.state.borrow() {
            State::Connected { peer } => peer.ptr_eq(&other.this),
            _ => true,
        }
    }

    /// Dissolves a datagram socket's association.
    pub(super) fn disconnect(&self, env: &mut Env<'_>) {
        let peer = self.peer();
        self.is_destination.set(false);
        if let State::Connected { .. } = self.state.replace(State::Fresh) {
            self.lose_inbox(env, peer.as_deref());
        }
        self.queue.wake(Readiness::WRITABLE, &mut env.machine.wakes);
    }

    /// Shuts directions down, at the other end too.
    pub(super) fn shut_down(&self, machine: &mut Machine, what: Shut) {
        self.shut.set(self.shut.get() | what);
        self.queue.wake(Readiness::all(), &mut machine.wakes);
        if self.unix_kind.is_connected()
            && let Some(peer) = self.peer()
        {
            let mut mirrored = Shut::empty();
            mirrored.set(Shut::RECEIVE, what.contains(Shut::SEND));
            mirrored.set(Shut::SEND, what.contains(Shut::RECEIVE));
            peer.shut.set(peer.shut.get() | mirrored);
            peer.queue.wake(Readiness::all(), &mut machine.wakes);
        }
    }

    /// The program has closed it (`unix_release_sock` in net/unix/af_unix.c).
    pub(super) fn let_go(&self, env: &mut Env<'_>) {
        let peer = self.peer();
        self.closed.set(true);
        self.stack.all_unix.borrow_mut().remove(&self.id);
        if let Some(key) = self.name.borrow().as_ref().and_then(UnixKey::of) {
            let mut names = self.stack.unix.borrow_mut();
            if names.get(&key).is_some_and(|holder| holder.ptr_eq(&self.this)) {
                names.remove(&key);
            }
        }
        let state = self.state.take();
        let unread = self.inbox.take();
        // An empty packet at the front is taken for urgent data that was read.
        let passed = usize::from(unread.front().is_some_and(|message| message.rest().is_empty()));
        let has_unread = unread.len() > passed;
        for message in unread {
            message.discard(env);
        }
        if let State::Listening { ready, .. } = state {
            for child in ready {
                child.refuse(env);
            }
        }
        if let Some(peer) = peer
            && self.unix_kind.is_connected()
        {
            peer.shut.set(Shut::all());
            if has_unread {
                peer.options.error.set(Some(Errno::ECONNRESET));
            }
            peer.queue.wake(Readiness::all(), &mut env.machine.wakes);
        }
        self.tell_senders(env.machine);
        self.queue.wake(Readiness::all(), &mut env.machine.wakes);
    }

    /// Closes a connection that nobody took.
    fn refuse(&self, env: &mut Env<'_>) {
        if let Some(peer) = self.peer() {
            peer.options.error.set(Some(Errno::ECONNRESET));
        }
        self.name.take();
        self.let_go(env);
    }

    /// Wakes those who wait for room.
    pub(super) fn tell_senders(&self, machine: &mut Machine) {
        for sender in self.senders.take() {
            if let Some(sender) = sender.upgrade() {
                sender.queue.wake(Readiness::WRITABLE, &mut machine.wakes);
            }
        }
    }
}

impl Drop for UnixSocket {
    /// One that was never given a descriptor is not closed.
    fn drop(&mut self) {
        self.stack.all_unix.borrow_mut().remove(&self.id);
    }
}
