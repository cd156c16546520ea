//! The object: addresses, and datagrams in and out.

use alloc::{
    collections::VecDeque,
    format,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::{
    cell::{Cell, RefCell},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use crate::{
    error::{Errno, Error, Result},
    machine::{Env, Machine},
    net::{
        address::Family,
        dns, host,
        link::{self, Parcel, Path},
        socket::{
            message::{Caller, Outgoing},
            option_value::IpOptions,
            options::{BUFFER_DEFAULT, Options},
            tcp::{PRIVILEGED_PORTS_END, Shut},
        },
        stack::{OnlyV6, SocketId, Stack, overlap},
    },
    time::Instant,
    user,
    wait::{Readiness, WaitQueue},
};

/// Most bytes of a datagram: what is left of 65535 by the headers of IPv4 and UDP.
const DATAGRAM_MAX: usize = 65_507;
/// Memory that a datagram takes up besides its bytes (`SKB_TRUESIZE(0)`).
const DATAGRAM_OVERHEAD: usize = 768;

/// A datagram under way or received.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// Where it comes from.
    pub from: SocketAddr,
    /// Where it goes to.
    pub to: SocketAddr,
    /// What it says.
    pub bytes: Vec<u8>,
    /// Type of service.
    pub service: u32,
    /// When it arrived, since 1970.
    pub arrived: Duration,
}

/// A socket of UDP.
pub struct UdpSocket {
    this: Weak<Self>,
    stack: Rc<Stack>,
    pub(super) id: SocketId,
    pub(super) family: Family,
    pub(super) only_v6: Cell<OnlyV6>,
    pub(super) options: Options,
    pub(super) ip: IpOptions,
    binding: Cell<Option<(SocketAddr, OnlyV6, u32)>>,
    explicit: Cell<bool>,
    pub(super) remote: Cell<Option<SocketAddr>>,
    pub(super) shut: Cell<Shut>,
    pub(super) inbox: RefCell<VecDeque<Datagram>>,
    used: Cell<usize>,
    last_due: Cell<Instant>,
    pub(super) queue: WaitQueue,
}

impl UdpSocket {
    /// A fresh socket.
    #[must_use]
    pub fn new(stack: &Rc<Stack>, family: Family) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            stack: Rc::clone(stack),
            id: stack.allocate_id(),
            family,
            only_v6: Cell::new(OnlyV6::No),
            options: Options::new(BUFFER_DEFAULT, BUFFER_DEFAULT),
            ip: IpOptions::default(),
            binding: Cell::new(None),
            explicit: Cell::new(false),
            remote: Cell::new(None),
            shut: Cell::new(Shut::empty()),
            inbox: RefCell::default(),
            used: Cell::new(0),
            last_due: Cell::new(Instant::BOOT),
            queue: WaitQueue::default(),
        })
    }

    /// Whether it has an address.
    pub(super) fn is_bound(&self) -> bool {
        self.binding.get().is_some()
    }

    /// This end.
    pub(super) fn local_end(&self) -> SocketAddr {
        let local = self.binding.get().map(|(local, ..)| local);
        self.family.show(local.unwrap_or(SocketAddr::new(self.family.any(), 0)))
    }

    fn is_free(&self, wanted: SocketAddr, uid: u32) -> bool {
        let only = self.only_v6.get();
        !self.stack.udp.holders(wanted.port()).iter().any(|other| {
            let Some((held, held_only, held_uid)) = other.binding.get() else { return false };
            let reuse = self.options.reuse_address.get() && other.options.reuse_address.get();
            let share =
                self.options.reuse_port.get() && other.options.reuse_port.get() && uid == held_uid;
            other.id != self.id
                && overlap((held.ip(), held_only), (wanted.ip(), only))
                && !reuse
                && !share
        })
    }

    /// Takes an address; any free port for port zero.
    pub(super) fn take_address(
        &self,
        machine: &mut Machine,
        wanted: SocketAddr,
        uid: u32,
    ) -> Result<()> {
        if self.is_bound() {
            return Err(Errno::EINVAL.into());
        }
        let ip = wanted.ip();
        if !ip.is_unspecified() && !ip.is_multicast() && !host::is_local(ip) {
            return Err(Error::new(Errno::EADDRNOTAVAIL, "the machine has no such address"));
        }
        if (1..PRIVILEGED_PORTS_END).contains(&wanted.port()) && uid != 0 {
            return Err(Errno::EACCES.into());
        }
        let port = match wanted.port() {
            0 => {
                let random = &mut machine.random.network;
                let holders = |port| self.stack.udp.holders(port).is_empty();
                self.stack.udp.choose(random, holders).ok_or(Errno::EADDRINUSE)?
            }
            port if self.is_free(wanted, uid) => port,
            _ => return Err(Errno::EADDRINUSE.into()),
        };
        self.explicit.set(!ip.is_unspecified());
        self.binding.set(Some((SocketAddr::new(ip, port), self.only_v6.get(), uid)));
        self.stack.udp.hold(port, self.id, self.this.clone());
        Ok(())
    }

    fn bind_any(&self, machine: &mut Machine, uid: u32) -> Result<()> {
        if self.is_bound() {
            return Ok(());
        }
        self.take_address(machine, SocketAddr::new(self.family.any(), 0), uid)
    }

    /// Settles where datagrams go to and come from.
    pub(super) fn set_remote(
        &self,
        machine: &mut Machine,
        remote: SocketAddr,
        uid: u32,
    ) -> Result<()> {
        let remote = SocketAddr::new(host::destination(remote.ip()), remote.port());
        if !host::is_local(remote.ip()) {
            return Err(Error::new(Errno::ENETUNREACH, "no route leaves the simulation"));
        }
        self.bind_any(machine, uid)?;
        if let Some((local, only, uid)) = self.binding.get()
            && !self.explicit.get()
        {
            let local = SocketAddr::new(host::source_for(remote.ip()), local.port());
            self.binding.set(Some((local, only, uid)));
        }
        self.remote.set(Some(remote));
        Ok(())
    }

    /// Lets datagrams go anywhere and come from anywhere again.
    pub(super) fn clear_remote(&self) {
        self.remote.set(None);
        if let Some((local, only, uid)) = self.binding.get()
            && !self.explicit.get()
        {
            let local = SocketAddr::new(self.family.any(), local.port());
            self.binding.set(Some((local, only, uid)));
        }
    }

    /// sendmsg(2) to an endpoint.
    pub(super) fn put(
        &self,
        env: &mut Env<'_>,
        to: SocketAddr,
        message: &Outgoing<'_>,
    ) -> Result<usize> {
        let len = user::total_len(message.data);
        if len > DATAGRAM_MAX {
            return Err(Errno::EMSGSIZE.into());
        }
        if self.shut.get().contains(Shut::SEND) {
            return Err(Errno::EPIPE.into());
        }
        self.options.check_error()?;
        if to.port() == 0 {
            return Err(Errno::EINVAL.into());
        }
        let to = SocketAddr::new(host::destination(to.ip()), to.port());
        let is_group = to.ip().is_multicast();
        if matches!(to.ip(), IpAddr::V4(v4) if v4.is_broadcast()) && !self.options.broadcast.get() {
            return Err(Errno::EACCES.into());
        }
        if !is_group && !host::is_local(to.ip()) {
            return Err(Error::new(Errno::ENETUNREACH, "no route leaves the simulation"));
        }
        self.bind_any(env.machine, message.caller.uid)?;
        let bytes = user::gather(env.host, message.data, len)?;
        if bytes.len() < len {
            return Err(Errno::EFAULT.into());
        }
        if to == dns::SERVER {
            Self::report_foreign_name(env, &bytes, message.caller);
        }
        self.send_on_way(env.machine, to, bytes, message.source);
        Ok(len)
    }

    fn send_on_way(
        &self,
        machine: &mut Machine,
        to: SocketAddr,
        bytes: Vec<u8>,
        source: Option<IpAddr>,
    ) {
        let Some((local, ..)) = self.binding.get() else { return };
        let own = if local.ip().is_unspecified() { host::source_for(to.ip()) } else { local.ip() };
        let from = SocketAddr::new(source.unwrap_or(own), local.port());
        let service = match to {
            SocketAddr::V4(_) => self.ip.type_of_service.get(),
            SocketAddr::V6(_) => self.ip.traffic_class.get(),
        };
        let datagram = Datagram { from, to, bytes, service, arrived: Duration::ZERO };
        let path = Path { from: from.ip(), to: to.ip() };
        let parcel = Parcel::Datagram { datagram, sender: self.this.clone() };
        let due = link::deliver(&self.stack, machine, path, self.last_due.get(), parcel);
        self.last_due.set(due);
    }

    /// How well it fits as the receiver of a datagram; `None` if it does not (`compute_score` in net/ipv4/udp.c).
    fn rank(&self, from: SocketAddr, to: SocketAddr) -> Option<u32> {
        let (local, only, _) = self.binding.get()?;
        let fits_local = match (local.ip(), to.ip()) {
            (held, wanted) if held == wanted => 2,
            (held, wanted) if held.is_unspecified() && held.is_ipv4() == wanted.is_ipv4() => 1,
            (IpAddr::V6(held), IpAddr::V4(_)) if held.is_unspecified() && only == OnlyV6::No => 0,
            _ => return None,
        };
        match self.remote.get() {
            None => Some(fits_local),
            Some(remote) if remote == from => Some(fits_local + 4),
            Some(_) => None,
        }
    }

    /// A datagram has arrived at the machine.
    pub(in crate::net) fn arrive(
        stack: &Rc<Stack>,
        machine: &mut Machine,
        mut datagram: Datagram,
        sender: &Weak<Self>,
    ) {
        datagram.arrived = machine.clock.wall();
        let (from, to) = (datagram.from, datagram.to);
        if to == dns::SERVER {
            return Self::answer_query(stack, machine, &datagram);
        }
        let holders = stack.udp.holders(to.port());
        let ranked = |socket: &Rc<Self>| socket.rank(from, to).map(|rank| (rank, socket.clone()));
        let mut fitting: Vec<_> = holders.iter().filter_map(ranked).collect();
        if to.ip().is_multicast() {
            for (_, socket) in fitting {
                socket.take_in(machine, datagram.clone());
            }
            return;
        }
        let Some(best) = fitting.iter().map(|&(rank, _)| rank).max() else {
            let path = Path { from: to.ip(), to: from.ip() };
            let parcel = Parcel::Unreachable { sender: sender.clone(), destination: to };
            link::deliver(stack, machine, path, Instant::BOOT, parcel);
            return;
        };
        fitting.retain(|&(rank, _)| rank == best);
        let shares = fitting.iter().all(|(_, socket)| socket.options.reuse_port.get());
        // Of sockets that share a port by SO_REUSEADDR, the one bound last receives.
        let chosen = match fitting.len() {
            several if several > 1 && shares => {
                machine.random.network.below(several as u64) as usize
            }
            len => len - 1,
        };
        fitting.swap_remove(chosen).1.take_in(machine, datagram);
    }

    /// The machine's name server answers.
    fn answer_query(stack: &Rc<Stack>, machine: &mut Machine, query: &Datagram) {
        if query.from == dns::SERVER {
            return;
        }
        let Some(read) = dns::Query::read(&query.bytes) else { return };
        let bytes = read.answer(&machine.config.hostname);
        let path = Path { from: query.to.ip(), to: query.from.ip() };
        let (from, to) = (query.to, query.from);
        let datagram = Datagram { from, to, bytes, service: 0, arrived: Duration::ZERO };
        let parcel = Parcel::Datagram { datagram, sender: Weak::new() };
        link::deliver(stack, machine, path, Instant::BOOT, parcel);
    }

    /// Says so if a program asks for a name that only the world outside knows.
    fn report_foreign_name(env: &mut Env<'_>, query: &[u8], caller: Caller) {
        let Some(query) = dns::Query::read(query) else { return };
        if query.addresses(&env.machine.config.hostname).is_some() {
            return;
        }
        let (what, who) = (format!("name {}", query.name), format!("process {}", caller.pid));
        let effect = "it is outside the simulation and has no address";
        env.machine.escape(env.host, &what, &who, effect);
    }

    fn take_in(&self, machine: &mut Machine, datagram: Datagram) {
        let cost = datagram.bytes.len() + DATAGRAM_OVERHEAD;
        if self.used.get() + cost > self.options.receive_buffer.get().shown() as usize {
            return;
        }
        self.used.set(self.used.get() + cost);
        self.inbox.borrow_mut().push_back(datagram);
        self.queue.wake(Readiness::READABLE, &mut machine.wakes);
    }

    /// Nobody receives what was sent to an endpoint: a connected socket is told.
    pub(in crate::net) fn on_unreachable(&self, machine: &mut Machine, destination: SocketAddr) {
        if self.remote.get() == Some(destination) || self.ip.receive_errors.get() {
            self.options.error.set(Some(Errno::ECONNREFUSED));
            self.queue.wake(Readiness::all(), &mut machine.wakes);
        }
    }

    /// Takes the oldest datagram out.
    pub(super) fn pop(&self) -> Option<Datagram> {
        let datagram = self.inbox.borrow_mut().pop_front()?;
        self.used.set(self.used.get() - datagram.bytes.len() - DATAGRAM_OVERHEAD);
        Some(datagram)
    }

    /// The program has closed it.
    pub(super) fn let_go(&self) {
        if let Some((local, ..)) = self.binding.take() {
            self.stack.udp.release(local.port(), self.id);
        }
    }
}
