//! The options that sockets of all kinds have (socket(7)).

use core::{cell::Cell, time::Duration};

use crate::error::{Errno, Error};

/// `net.core.rmem_default` and `wmem_default`.
pub const BUFFER_DEFAULT: u32 = 212_992;
/// `net.core.rmem_max` and `wmem_max`.
pub const BUFFER_MAX: u32 = 212_992;
/// Least that `SO_SNDBUF` can be set to (`SOCK_MIN_SNDBUF`).
pub const SEND_BUFFER_MIN: u32 = 4608;
/// Least that `SO_RCVBUF` can be set to (`SOCK_MIN_RCVBUF`).
pub const RECEIVE_BUFFER_MIN: u32 = 2304;

/// What `close` does with what was not sent yet (`SO_LINGER`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Linger {
    /// It is sent in the background.
    Off,
    /// `close` waits for it this many seconds; at zero the connection is reset.
    Seconds(u32),
}

/// The size of a buffer and where it comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BufferSize {
    /// What the kernel found right; shown as this.
    Automatic(u32),
    /// What the program asked for, doubled, as Linux does.
    Fixed(u32),
}

impl BufferSize {
    /// What `getsockopt` shows.
    #[must_use]
    pub fn shown(self) -> u32 {
        match self {
            Self::Automatic(size) | Self::Fixed(size) => size,
        }
    }
}

/// The options that sockets of all kinds have.
#[derive(Clone, Debug)]
#[allow(missing_docs, reason = "socket(7) describes each")]
pub struct Options {
    pub reuse_address: Cell<bool>,
    pub reuse_port: Cell<bool>,
    pub keep_alive: Cell<bool>,
    pub broadcast: Cell<bool>,
    pub dont_route: Cell<bool>,
    pub urgent_inline: Cell<bool>,
    pub pass_credentials: Cell<bool>,
    pub timestamp: Cell<Timestamp>,
    pub linger: Cell<Linger>,
    pub send_buffer: Cell<BufferSize>,
    pub receive_buffer: Cell<BufferSize>,
    pub send_timeout: Cell<Option<Duration>>,
    pub receive_timeout: Cell<Option<Duration>>,
    pub receive_low_water: Cell<u32>,
    pub priority: Cell<u32>,
    pub mark: Cell<u32>,
    /// What went wrong meanwhile; told once (`SO_ERROR`).
    pub error: Cell<Option<Errno>>,
}

/// Whether messages come with the time of their arrival.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Timestamp {
    /// They do not.
    Off,
    /// As `struct timeval` (`SO_TIMESTAMP`).
    Micros,
    /// As `struct timespec` (`SO_TIMESTAMPNS`).
    Nanos,
}

impl Options {
    /// A new socket's, with these sizes of buffers.
    #[must_use]
    pub fn new(send_buffer: u32, receive_buffer: u32) -> Self {
        Self {
            reuse_address: Cell::new(false),
            reuse_port: Cell::new(false),
            keep_alive: Cell::new(false),
            broadcast: Cell::new(false),
            dont_route: Cell::new(false),
            urgent_inline: Cell::new(false),
            pass_credentials: Cell::new(false),
            timestamp: Cell::new(Timestamp::Off),
            linger: Cell::new(Linger::Off),
            send_buffer: Cell::new(BufferSize::Automatic(send_buffer)),
            receive_buffer: Cell::new(BufferSize::Automatic(receive_buffer)),
            send_timeout: Cell::new(None),
            receive_timeout: Cell::new(None),
            receive_low_water: Cell::new(1),
            priority: Cell::new(0),
            mark: Cell::new(0),
            error: Cell::new(None),
        }
    }

    /// Fails with what went wrong meanwhile, once.
    ///
    /// # Errors
    /// That.
    pub fn check_error(&self) -> Result<(), Error> {
        self.error.take().map_or(Ok(()), |errno| Err(errno.into()))
    }
}
