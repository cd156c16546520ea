//! Netlink, as far as programs ask it for the machine's interfaces and addresses.
//!
//! - [`socket`]: the object.
//! - [`message`]: messages, whatever they are about.
//! - [`route`]: questions of `NETLINK_ROUTE` and their answers.

mod message;
mod route;
mod socket;
pub use socket::NetlinkSocket;
