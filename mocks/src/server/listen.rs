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
    net::{TcpListener, TcpStream, UdpSocket},
    runtime,
    signal::unix::{SignalKind, signal},
    task::{LocalSet, spawn_local},
    time::sleep,
};
use tokio_rustls::TlsAcceptor;

use super::{datagrams, http, smtp, stream};
use crate::{
    compile::{Kind, Protocol, Service},
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
/// From `SIGUSR1` on nothing goes wrong any more that was asked for.
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
    let own = |port| (place.address, if place.ports == Ports::Free { 0 } else { port });
    LocalSet::new().block_on(&runtime, async {
        // Before anybody can be heard of: whoever may be told so is there then.
        let mut quiet = signal(SignalKind::user_defined1()).map_err(Error::Runtime)?;
        let told = services.clone();
        spawn_local(async move {
            quiet.recv().await;
            told.iter().for_each(|serving| serving.calm_down());
        });
        for ((port, protocol), services) in ports {
            let names: Vec<&str> =
                services.iter().map(|serving| serving.service.name.as_str()).collect();
            let names = names.join(", ");
            let fail = |source| Error::Listen { mocks: names.clone(), port, source };
            let listener = TcpListener::bind(own(port)).await.map_err(fail)?;
            listening(&names, protocol, listener.local_addr().map_err(fail)?);
            let acceptor = match protocol {
                Protocol::Https => {
                    Some(tls::acceptor(seed, &services[0].service, tls::Offer::Http))
                }
                _ => None,
            };
            let services: Shared = services.into();
            spawn_local(accept(listener, move |stream| {
                requests(stream, acceptor.clone(), Rc::clone(&services))
            }));
        }
        for serving in &services {
            for (index, talk) in serving.service.talks.iter().enumerate() {
                let (name, port) = (&serving.service.name, talk.port);
                let fail = |source| Error::Listen { mocks: name.clone(), port, source };
                let address = listen(serving, index, own(port), seed).await.map_err(fail)?;
                listening(name, talk.kind.protocol(), address);
            }
        }
        told_to_end().await.map_err(Error::Runtime)?;
        services.iter().for_each(|serving| serving.tell_expectations());
        Ok(())
    })
}

/// Waits for a signal to end.
///
/// # Errors
/// When none can be waited for.
pub async fn told_to_end() -> io::Result<()> {
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

async fn accept<F: Future<Output = ()> + 'static>(
    listener: TcpListener,
    serve: impl Fn(TcpStream) -> F,
) {
    loop {
        match listener.accept().await {
            Ok((stream, _)) => {
                // What is small must not wait for more.
                let _ = stream.set_nodelay(true);
                spawn_local(serve(stream));
            }
            Err(_) => sleep(RETRY).await,
        }
    }
}

/// Serves the requests of a connection; who does not shake hands is not served.
async fn requests(stream: TcpStream, acceptor: Option<TlsAcceptor>, services: Shared) {
    match acceptor {
        None => http::connection(stream, "http", services).await,
        Some(acceptor) => {
            if let Ok(stream) = acceptor.accept(stream).await {
                http::connection(stream, "https", services).await;
            }
        }
    }
}

/// Holds conversations at a port; where that is.
async fn listen(
    serving: &Rc<Serving>,
    index: usize,
    asked: (IpAddr, u16),
    seed: u64,
) -> io::Result<SocketAddr> {
    let serving = Rc::clone(serving);
    if matches!(serving.service.talks[index].kind, Kind::Udp(_)) {
        let socket = UdpSocket::bind(asked).await?;
        let address = socket.local_addr()?;
        spawn_local(datagrams::converse(socket, serving, index));
        return Ok(address);
    }
    let listener = TcpListener::bind(asked).await?;
    let address = listener.local_addr()?;
    // Certificates are made when they are needed first.
    let acceptor = tls::acceptor(seed, &serving.service, tls::Offer::Nothing);
    spawn_local(accept(listener, move |stream| {
        talk(stream, acceptor.clone(), Rc::clone(&serving), index)
    }));
    Ok(address)
}

/// Holds the conversation of a connection.
async fn talk(stream: TcpStream, acceptor: TlsAcceptor, serving: Rc<Serving>, index: usize) {
    let own = Rc::clone(&serving);
    match &own.service.talks[index].kind {
        Kind::Tcp(script, false) => stream::converse(stream, script, serving, index).await,
        Kind::Tcp(script, true) => {
            if let Ok(line) = acceptor.accept(stream).await {
                stream::converse(line, script, serving, index).await;
            }
        }
        Kind::Mail(mail, false) => smtp::plain(stream, acceptor, mail, serving, index).await,
        Kind::Mail(mail, true) => {
            if let Ok(line) = acceptor.accept(stream).await {
                smtp::encrypted(line, mail, serving, index, smtp::Greeting::Due).await;
            }
        }
        Kind::Udp(_) => unreachable!("it has no connections"),
    }
}
