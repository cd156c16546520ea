//! Netlink, as far as programs ask it for the machine's interfaces, addresses and sockets.
//!
//! - [`socket`]: the object.
//! - [`message`]: messages, whatever they are about.
//! - [`route`]: questions of `NETLINK_ROUTE` and their answers.
//! - [`diag`]: questions of `NETLINK_SOCK_DIAG` and their answers.

mod diag;
mod message;
mod route;
mod socket;
pub use socket::{NetlinkSocket, Subject};
