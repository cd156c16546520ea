//! Sockets of ICMP and ICMPv6 (icmp(7), raw(7)).
//!
//! - [`socket`]: the object: identifiers, addresses, and messages coming in.
//! - [`send`]: messages going out.
//! - [`filter`]: which messages a raw socket does not want.
//! - [`object`]: as a kind of socket.

mod filter;
mod object;
mod send;
mod socket;
pub use socket::{IcmpSocket, Use};
