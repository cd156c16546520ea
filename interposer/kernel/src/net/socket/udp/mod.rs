//! UDP.
//!
//! - [`socket`]: the object: addresses, and datagrams in and out.
//! - [`object`]: as a kind of socket.

mod object;
mod socket;
pub use socket::{Datagram, UdpSocket};
