//! Which address and port a socket of TCP may have.

use alloc::rc::Rc;
use core::net::{IpAddr, SocketAddr};

use super::{State, TcpSocket};
use crate::{
    error::{Errno, Error, Result},
    machine::Machine,
    net::stack::{OnlyV6, overlap},
};

/// What a bound socket holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Binding {
    /// Address, perhaps unspecified, and port.
    pub local: SocketAddr,
    /// Whether IPv4 is left out of the unspecified address of IPv6.
    pub only_v6: OnlyV6,
    /// Who holds it.
    pub uid: u32,
}

impl TcpSocket {
    /// Whether another socket keeps this one from an address (`inet_csk_bind_conflict` in
    /// net/ipv4/inet_connection_sock.c).
    fn conflicts(&self, wanted: &Binding, other: &Self) -> bool {
        let Some(held) = other.binding.get() else { return false };
        if !overlap((held.local.ip(), held.only_v6), (wanted.local.ip(), wanted.only_v6)) {
            return false;
        }
        let both_reuse_port = self.options.reuse_port.get()
            && other.options.reuse_port.get()
            && held.uid == wanted.uid;
        let both_reuse_address = self.options.reuse_address.get()
            && other.options.reuse_address.get()
            && !other.takes_connections();
        !both_reuse_port && !both_reuse_address
    }

    pub(super) fn is_port_free(&self, wanted: &Binding) -> bool {
        let holders = self.stack.tcp.holders(wanted.local.port());
        !holders.iter().any(|other| other.id != self.id && self.conflicts(wanted, other))
    }

    /// Takes an address and a port; any free one for port zero.
    ///
    /// # Errors
    /// `EADDRINUSE`, `EADDRNOTAVAIL`, `EACCES`; `EINVAL` if it has one.
    pub fn take_address(&self, machine: &mut Machine, wanted: Binding) -> Result<()> {
        if self.binding.get().is_some() || !matches!(*self.state.borrow(), State::Fresh(_)) {
            return Err(Errno::EINVAL.into());
        }
        let ip = wanted.local.ip();
        if !ip.is_unspecified() && !self.stack.is_local(ip) {
            return Err(Error::new(Errno::EADDRNOTAVAIL, "the machine has no such address"));
        }
        let privileged = 1..machine.config.unprivileged_port_start;
        if privileged.contains(&wanted.local.port()) && wanted.uid != 0 {
            return Err(Errno::EACCES.into());
        }
        let binding = self.with_port(machine, wanted)?;
        self.explicit.set(wanted.local.port() != 0 || !ip.is_unspecified());
        self.hold(binding);
        Ok(())
    }

    fn with_port(&self, machine: &mut Machine, wanted: Binding) -> Result<Binding> {
        let at = |port| Binding { local: SocketAddr::new(wanted.local.ip(), port), ..wanted };
        if wanted.local.port() != 0 {
            return match self.is_port_free(&wanted) {
                true => Ok(wanted),
                false => Err(Errno::EADDRINUSE.into()),
            };
        }
        let random = &mut machine.random.network;
        let chosen = self.stack.tcp.choose(random, |port| self.is_port_free(&at(port)));
        chosen.map(at).ok_or(Errno::EADDRINUSE.into())
    }

    fn hold(&self, binding: Binding) {
        self.binding.set(Some(binding));
        self.stack.tcp.hold(binding.local.port(), self.id, self.this.clone());
    }

    /// Takes an address from which to reach `remote`, unless bound already.
    pub(super) fn bind_for(
        &self,
        machine: &mut Machine,
        remote: SocketAddr,
        uid: u32,
    ) -> Result<SocketAddr> {
        let source = match self.binding.get() {
            Some(binding) if !binding.local.ip().is_unspecified() => binding.local.ip(),
            _ => self.stack.source_for(remote.ip()),
        };
        let port = match self.binding.get() {
            Some(binding) => binding.local.port(),
            None => self.choose_source_port(machine, source, remote)?,
        };
        let local = SocketAddr::new(source, port);
        if self.binding.get().is_some() && self.is_taken(local, remote) {
            return Err(Errno::EADDRNOTAVAIL.into());
        }
        self.release_port();
        self.hold(Binding { local, only_v6: OnlyV6::No, uid });
        Ok(local)
    }

    fn choose_source_port(
        &self,
        machine: &mut Machine,
        source: IpAddr,
        remote: SocketAddr,
    ) -> Result<u16> {
        let stack = &self.stack;
        let random = &mut machine.random.network;
        let unused = stack.tcp.choose(random, |port| stack.tcp.holders(port).is_empty());
        let shared = || {
            stack.tcp.choose(random, |port| {
                let holders = stack.tcp.holders(port);
                holders.iter().all(|other| other.is_connected_elsewhere(remote))
                    && !self.is_taken(SocketAddr::new(source, port), remote)
            })
        };
        unused.or_else(shared).ok_or(Errno::EADDRNOTAVAIL.into())
    }

    /// Whether a connection between these two endpoints is there.
    fn is_taken(&self, local: SocketAddr, remote: SocketAddr) -> bool {
        let holders = self.stack.tcp.holders(local.port());
        holders.iter().any(|other| other.id != self.id && other.ends() == Some((local, remote)))
    }

    fn is_connected_elsewhere(self: &Rc<Self>, remote: SocketAddr) -> bool {
        self.ends().is_some_and(|(_, other)| other != remote)
    }

    /// Lets the port go.
    pub(super) fn release_port(&self) {
        if let Some(binding) = self.binding.take() {
            self.stack.tcp.release(binding.local.port(), self.id);
        }
    }
}
