//! From services to sockets that take connections.

use std::{
    collections::BTreeMap,
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    task::{LocalSet, spawn_local},
    time::sleep,
};

use super::http;
use crate::compile::{Protocol, Service};

/// Why services cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no runtime.
    #[error("the mocks cannot be served")]
    Runtime(#[source] io::Error),
    /// A port cannot be listened at.
    #[error("{mock}: port {port} cannot be listened at")]
    Listen {
        /// The service.
        mock: String,
        /// The port.
        port: u16,
        /// Why not.
        #[source]
        source: io::Error,
    },
}

/// Where services listen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The address.
    pub address: IpAddr,
    /// Their ports, or others where the system says so.
    pub ports: Ports,
}

/// Which ports services listen at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ports {
    /// Their own.
    Own,
    /// Any that are free.
    Free,
}

/// The services of a port: which of them is asked depends on the host that a request names.
pub(super) type Shared = Rc<[Rc<Service>]>;

/// Serves for as long as the process lives.
///
/// One thread does everything, so that what happens depends on nothing but what arrives, and when. `listening` is told
/// where each port is.
///
/// # Errors
/// When a port cannot be listened at.
pub fn serve(
    services: Vec<Service>,
    place: Place,
    mut listening: impl FnMut(&[Rc<Service>], Protocol, SocketAddr),
) -> Result<(), Error> {
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let services: Vec<_> = services.into_iter().map(Rc::new).collect();
    let mut ports: BTreeMap<(u16, Protocol), Vec<Rc<Service>>> = BTreeMap::new();
    for service in &services {
        for &port in &service.ports {
            ports.entry(port).or_default().push(Rc::clone(service));
        }
    }
    LocalSet::new().block_on(&runtime, async {
        for ((port, protocol), services) in ports {
            let fail = |source| Error::Listen { mock: services[0].name.clone(), port, source };
            let asked = if place.ports == Ports::Free { 0 } else { port };
            let listener = TcpListener::bind((place.address, asked)).await.map_err(fail)?;
            listening(&services, protocol, listener.local_addr().map_err(fail)?);
            spawn_local(accept(listener, services.into()));
        }
        std::future::pending().await
    })
}

/// How long to wait when no connection can be taken, as when there are no descriptors left.
const RETRY: Duration = Duration::from_millis(10);

async fn accept(listener: TcpListener, services: Shared) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                spawn_local(connection(stream, Rc::clone(&services)));
            }
            Err(_) => sleep(RETRY).await,
        }
    }
}

async fn connection(stream: TcpStream, services: Shared) {
    // What is small must not wait for more.
    let _ = stream.set_nodelay(true);
    http::connection(stream, "http", services).await;
}
