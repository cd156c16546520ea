//! Connections that can be broken on purpose.

use std::{
    fmt, io,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use tokio::{
    io::{AsyncRead, AsyncWrite, ReadBuf},
    net::TcpStream,
};
use tokio_rustls::server::TlsStream;

/// What is to become of a connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// It ends.
    Close,
    /// It is reset.
    Reset,
    /// It says these bytes instead of what it would, and ends.
    Say(Bytes),
}

/// Orders to a connection, given by who answers its requests.
#[derive(Debug, Default)]
pub struct Orders(Mutex<Option<Order>>);

/// A body that ends before its end.
#[derive(Debug)]
pub struct Ended;

impl fmt::Display for Ended {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the connection is broken on purpose")
    }
}

impl std::error::Error for Ended {}

impl Orders {
    /// Gives an order.
    pub fn give(&self, order: Order) {
        *self.current() = Some(order);
    }

    fn current(&self) -> MutexGuard<'_, Option<Order>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives an order from within a body, which ends so.
    pub fn end(&self, order: Order) -> Ended {
        self.give(order);
        Ended
    }
}

/// What is below a connection: it can be reset.
pub trait Line: AsyncRead + AsyncWrite + Send + Unpin + 'static {
    /// The connection of TCP.
    fn tcp(&self) -> &TcpStream;
}

impl Line for TcpStream {
    fn tcp(&self) -> &TcpStream {
        self
    }
}

impl Line for TlsStream<TcpStream> {
    fn tcp(&self) -> &TcpStream {
        self.get_ref().0
    }
}

/// A connection that obeys orders.
pub struct Wire<S: Line> {
    line: S,
    orders: Arc<Orders>,
}

impl<S: Line> Wire<S> {
    /// A connection with nothing wrong yet.
    pub fn new(line: S, orders: Arc<Orders>) -> Self {
        Self { line, orders }
    }

    /// Obeys; nothing if there is no order.
    fn obey(&mut self, context: &mut Context<'_>) -> Poll<Option<io::Error>> {
        let mut order = self.orders.current();
        match &mut *order {
            None => return Poll::Ready(None),
            // What else there is to do is done when it is dropped.
            Some(Order::Close | Order::Reset) => {}
            Some(Order::Say(bytes)) => {
                while !bytes.is_empty() {
                    match ready!(Pin::new(&mut self.line).poll_write(context, bytes)) {
                        Ok(len) => drop(bytes.split_to(len)),
                        Err(error) => return Poll::Ready(Some(error)),
                    }
                }
                if let Err(error) = ready!(Pin::new(&mut self.line).poll_flush(context)) {
                    return Poll::Ready(Some(error));
                }
            }
        }
        Poll::Ready(Some(io::ErrorKind::ConnectionAborted.into()))
    }
}

impl<S: Line> Drop for Wire<S> {
    fn drop(&mut self) {
        if *self.orders.current() == Some(Order::Reset) {
            // With nothing to linger for, close(2) resets.
            let _ = self.line.tcp().set_zero_linger();
        }
    }
}

impl<S: Line> AsyncRead for Wire<S> {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.line).poll_read(context, buffer)
    }
}

impl<S: Line> AsyncWrite for Wire<S> {
    fn poll_write(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        match ready!(self.obey(context)) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.line).poll_write(context, bytes),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(self.obey(context)) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.line).poll_flush(context),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        match ready!(self.obey(context)) {
            Some(error) => Poll::Ready(Err(error)),
            None => Pin::new(&mut self.line).poll_shutdown(context),
        }
    }
}
