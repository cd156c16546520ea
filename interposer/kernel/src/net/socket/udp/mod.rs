//! UDP and UDP-Lite.
//!
//! - [`socket`]: the object: addresses, and datagrams coming in.
//! - [`send`]: datagrams going out.
//! - [`options`]: the two protocols, and their own options.
//! - [`object`]: as a kind of socket.

mod object;
mod options;
mod send;
mod socket;
pub use options::Protocol;
pub use socket::{Datagram, UdpSocket};
