//! The object: addresses, and datagrams coming in.

use alloc::{
    collections::BTreeMap,
    rc::{Rc, Weak},
    vec::Vec,
};
use core::{
    cell::{Cell, RefCell},
    net::{IpAddr, SocketAddr},
    time::Duration,
};

use super::{
    options::{Protocol, UdpOptions},
    send::Draft,
};
use crate::{
    error::{Errno, Error, Result},
    fault::link::Messages,
    machine::Machine,
    net::{
        address::Family,
        dns, host,
        link::{self, Order, Parcel, Path, Wired},
        socket::{
            inbox::Inbox,
            option_value::IpOptions,
            options::{BUFFER_DEFAULT, Options},
            shown::{Shown, state},
            tcp::Shut,
        },
        stack::{OnlyV6, Ports, SocketId, Stack, overlap},
    },
    time::Instant,
    wait::{Readiness, WaitQueue},
};

/// A datagram under way or received.
#[derive(Clone, Debug)]
pub struct Datagram {
    /// What carries it.
    pub protocol: Protocol,
    /// Where it comes from.
    pub from: SocketAddr,
    /// Where it goes to.
    pub to: SocketAddr,
    /// What it says.
    pub bytes: Vec<u8>,
    /// Type of service, or traffic class.
    pub service: u32,
    /// Time to live, or hop limit.
    pub hops: u32,
    /// Bytes that its checksum covers, if not all.
    pub coverage: Option<u16>,
    /// When it arrived, since 1970.
    pub arrived: Duration,
}

/// A socket of UDP or UDP-Lite.
pub struct UdpSocket {
    pub(super) this: Weak<Self>,
    pub(super) stack: Rc<Stack>,
    pub(super) id: SocketId,
    pub(super) protocol: Protocol,
    pub(super) family: Family,
    pub(super) only_v6: Cell<OnlyV6>,
    pub(super) options: Options,
    pub(super) ip: IpOptions,
    pub(super) udp: UdpOptions,
    pub(super) draft: RefCell<Option<Draft>>,
    binding: Cell<Option<(SocketAddr, OnlyV6, u32)>>,
    explicit: Cell<bool>,
    pub(super) remote: Cell<Option<SocketAddr>>,
    pub(super) shut: Cell<Shut>,
    pub(super) inbox: Inbox<Datagram>,
    /// The links to where it sends, and the way over them, if faults are for them.
    pub(super) wires: RefCell<BTreeMap<(SocketAddr, SocketAddr), Wired>>,
    /// What was sent before, if somebody in the middle may send it again.
    pub(super) messages: RefCell<Messages>,
    /// Keeps what is sent to an endpoint in order.
    pub(super) order: Order<SocketAddr>,
    /// The program that has taken its address.
    program: RefCell<Rc<[u8]>>,
    pub(super) queue: WaitQueue,
}

impl UdpSocket {
    /// A fresh socket.
    #[must_use]
    pub fn new(stack: &Rc<Stack>, family: Family, protocol: Protocol) -> Rc<Self> {
        Rc::new_cyclic(|this| Self {
            this: this.clone(),
            stack: Rc::clone(stack),
            id: stack.allocate_id(),
            protocol,
            family,
            only_v6: Cell::new(OnlyV6::No),
            options: Options::new(BUFFER_DEFAULT, BUFFER_DEFAULT),
            ip: IpOptions::default(),
            udp: UdpOptions::default(),
            draft: RefCell::default(),
            binding: Cell::new(None),
            explicit: Cell::new(false),
            remote: Cell::new(None),
            shut: Cell::new(Shut::empty()),
            inbox: Inbox::default(),
            wires: RefCell::default(),
            messages: RefCell::default(),
            order: Order::default(),
            program: RefCell::default(),
            queue: WaitQueue::default(),
        })
    }

    /// Whether it has an address.
    pub(super) fn is_bound(&self) -> bool {
        self.binding.get().is_some()
    }

    /// This end.
    pub(super) fn local_end(&self) -> SocketAddr {
        self.family.show(self.bound_to().unwrap_or(SocketAddr::new(self.family.any(), 0)))
    }

    /// What sock_diag(7) shows of it; nothing if it has no address. What waits is told as memory (`udp_diag_get_info`).
    #[must_use]
    pub fn shown(&self) -> Option<Shown> {
        let (_, only_v6, uid) = self.binding.get()?;
        let remote = self.remote.get().map(|remote| self.family.show(remote));
        Some(Shown {
            id: self.id,
            is_held: true,
            family: self.family,
            state: if remote.is_some() { state::ESTABLISHED } else { state::CLOSE },
            local: self.local_end(),
            remote,
            incoming: self.inbox.used(),
            outgoing: 0,
            uid,
            shut: self.shut.get(),
            only_v6,
        })
    }

    /// The address it holds.
    pub(super) fn bound_to(&self) -> Option<SocketAddr> {
        self.binding.get().map(|(local, ..)| local)
    }

    fn ports(&self) -> &Ports<Self> {
        self.stack.datagrams(self.protocol)
    }

    fn is_free(&self, wanted: SocketAddr, uid: u32) -> bool {
        let only = self.only_v6.get();
        !self.ports().holders(wanted.port()).iter().any(|other| {
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
        if !ip.is_unspecified() && !ip.is_multicast() && !self.stack.is_local(ip) {
            return Err(Error::new(Errno::EADDRNOTAVAIL, "the machine has no such address"));
        }
        if (1..machine.config.unprivileged_port_start).contains(&wanted.port()) && uid != 0 {
            return Err(Errno::EACCES.into());
        }
        let port = match wanted.port() {
            0 => {
                let random = &mut machine.random.network;
                let holders = |port| self.ports().holders(port).is_empty();
                self.ports().choose(random, holders).ok_or(Errno::EADDRINUSE)?
            }
            port if self.is_free(wanted, uid) => port,
            _ => return Err(Errno::EADDRINUSE.into()),
        };
        self.explicit.set(!ip.is_unspecified());
        self.program.replace(Rc::clone(&machine.program));
        self.binding.set(Some((SocketAddr::new(ip, port), self.only_v6.get(), uid)));
        self.ports().hold(port, self.id, self.this.clone());
        Ok(())
    }

    pub(super) fn bind_any(&self, machine: &mut Machine, uid: u32) -> Result<()> {
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
        if !self.stack.has_route_to(remote.ip()) {
            return Err(Error::new(Errno::ENETUNREACH, "no route leaves the simulation"));
        }
        self.bind_any(machine, uid)?;
        if let Some((local, only, uid)) = self.binding.get()
            && !self.explicit.get()
        {
            let local = SocketAddr::new(self.stack.source_for(remote.ip()), local.port());
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
        if to == dns::SERVER && datagram.protocol == Protocol::Udp {
            return Self::answer_query(stack, machine, &datagram, sender);
        }
        let holders = stack.datagrams(datagram.protocol).holders(to.port());
        let ranked = |socket: &Rc<Self>| socket.rank(from, to).map(|rank| (rank, socket.clone()));
        let mut fitting: Vec<_> = holders.iter().filter_map(ranked).collect();
        if to.ip().is_multicast() {
            for (_, socket) in fitting {
                socket.take_in(machine, datagram.clone());
            }
            return;
        }
        let Some(best) = fitting.iter().map(|&(rank, _)| rank).max() else {
            let path = Self::path_back(stack, machine, sender, (to, from));
            let parcel = Parcel::Unreachable { sender: sender.clone(), destination: to };
            link::deliver(stack, machine, &path, Instant::BOOT, parcel);
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

    /// The program that sends with it.
    pub(super) fn program(&self) -> Rc<[u8]> {
        Rc::clone(&self.program.borrow())
    }

    /// The path of what the machine itself answers to a sender.
    fn path_back(
        stack: &Stack,
        machine: &mut Machine,
        sender: &Weak<Self>,
        (from, to): (SocketAddr, SocketAddr),
    ) -> Path {
        let program = sender.upgrade().map_or_else(Rc::default, |sender| sender.program());
        Path::of_datagram(stack, machine, &program, from, to)
    }

    /// The machine's name server answers.
    fn answer_query(
        stack: &Rc<Stack>,
        machine: &mut Machine,
        query: &Datagram,
        sender: &Weak<Self>,
    ) {
        if query.from == dns::SERVER {
            return;
        }
        let Some(read) = dns::Query::read(&query.bytes) else { return };
        let program = sender.upgrade().map_or_else(Rc::default, |sender| sender.program());
        let Some((bytes, late)) = dns::serve(stack, machine, &read, &program) else { return };
        let (from, to) = (query.to, query.from);
        let path = Self::path_back(stack, machine, sender, (from, to));
        let datagram = Datagram { from, to, bytes, service: 0, ..query.clone() };
        let parcel = Parcel::Datagram { datagram, sender: Weak::new() };
        let not_before = machine.clock.now() + late;
        link::deliver(stack, machine, &path, not_before, parcel);
    }

    fn take_in(&self, machine: &mut Machine, datagram: Datagram) {
        if !self.udp.accepts_coverage(datagram.coverage) {
            return;
        }
        let (bytes, buffer) = (datagram.bytes.len(), self.options.receive_buffer.get().shown());
        if self.inbox.take_in(datagram, bytes, buffer) {
            self.queue.wake(Readiness::READABLE, &mut machine.wakes);
        }
    }

    /// Nobody receives what was sent to an endpoint: a connected socket is told.
    pub(in crate::net) fn on_unreachable(&self, machine: &mut Machine, destination: SocketAddr) {
        if self.remote.get() == Some(destination) || self.ip.receive_errors.get() {
            self.options.error.set(Some(Errno::ECONNREFUSED));
            self.queue.wake(Readiness::all(), &mut machine.wakes);
        }
    }

    /// The program has closed it.
    pub(super) fn let_go(&self) {
        if let Some((local, ..)) = self.binding.take() {
            self.ports().release(local.port(), self.id);
        }
    }
}
