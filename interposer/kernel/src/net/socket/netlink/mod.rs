//! Netlink, as far as programs ask it for the machine's interfaces and addresses.
//!
//! - [`socket`]: the object.
//! - [`route`]: questions of `NETLINK_ROUTE` and their answers.

mod route;
mod socket;
pub use socket::NetlinkSocket;
