//! From services to sockets that take connections.

use std::{
    collections::BTreeMap,
    future::poll_fn,
    io,
    net::{IpAddr, SocketAddr},
    rc::Rc,
    task::Poll,
    time::Duration,
};

use tokio::{
    net::{TcpListener, TcpStream},
    runtime,
    signal::unix::{SignalKind, signal},
    task::{LocalSet, spawn_local},
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

use super::http;
use crate::{
    compile::{Protocol, Service},
    serving::Serving,
    tls,
};

/// Why services cannot be served.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no runtime.
    #[error("the mocks cannot be served")]
    Runtime(#[source] io::Error),
    /// A port cannot be listened at.
    #[error("{mocks}: port {port} cannot be listened at")]
    Listen {
        /// The services.
        mocks: String,
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
pub(super) type Shared = Rc<[Rc<Serving>]>;

/// Serves until the process is told to end; then it says what of what is expected is so. What is drawn depends on the seed.
///
/// One thread does everything, so that what happens depends on nothing but what arrives, and when. `listening` is told
/// where each port is.
///
/// # Errors
/// When a port cannot be listened at.
pub fn serve(
    services: Vec<Service>,
    seed: u64,
    place: Place,
    mut listening: impl FnMut(&str, Protocol, SocketAddr),
) -> Result<(), Error> {
    let runtime =
        runtime::Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    let mut ports: BTreeMap<(u16, Protocol), Vec<Rc<Serving>>> = BTreeMap::new();
    let services: Vec<_> =
        services.into_iter().map(|service| Serving::new(service, seed)).collect();
    for serving in &services {
        for &port in &serving.service.ports {
            ports.entry(port).or_default().push(Rc::clone(serving));
        }
    }
    LocalSet::new().block_on(&runtime, async {
        for ((port, protocol), services) in ports {
            let names: Vec<&str> =
                services.iter().map(|serving| serving.service.name.as_str()).collect();
            let names = names.join(", ");
            let fail = |source| Error::Listen { mocks: names.clone(), port, source };
            let asked = if place.ports == Ports::Free { 0 } else { port };
            let listener = TcpListener::bind((place.address, asked)).await.map_err(fail)?;
            listening(&names, protocol, listener.local_addr().map_err(fail)?);
            let acceptor = match protocol {
                Protocol::Http => None,
                Protocol::Https => Some(tls::acceptor(seed, &services[0].service)),
            };
            spawn_local(accept(listener, acceptor, services.into()));
        }
        told_to_end().await.map_err(Error::Runtime)?;
        services.iter().for_each(|serving| serving.tell_expectations());
        Ok(())
    })
}

/// Waits for a signal to end.
async fn told_to_end() -> io::Result<()> {
    let (mut terminate, mut interrupt) =
        (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    poll_fn(|context| {
        let (a, b) = (terminate.poll_recv(context), interrupt.poll_recv(context));
        if a.is_ready() || b.is_ready() { Poll::Ready(()) } else { Poll::Pending }
    })
    .await;
    Ok(())
}

/// How long to wait when no connection can be taken, as when there are no descriptors left.
const RETRY: Duration = Duration::from_millis(10);

async fn accept(listener: TcpListener, acceptor: Option<TlsAcceptor>, services: Shared) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                spawn_local(connection(stream, acceptor.clone(), Rc::clone(&services)));
            }
            Err(_) => sleep(RETRY).await,
        }
    }
}

async fn connection(stream: TcpStream, acceptor: Option<TlsAcceptor>, services: Shared) {
    // What is small must not wait for more.
    let _ = stream.set_nodelay(true);
    match acceptor {
        None => http::connection(stream, "http", services).await,
        // Who does not shake hands is not served.
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                http::connection(stream, "https", services).await;
            }
        }
    }
}
