//! The network of the simulated machine: streams and datagrams with Linux's semantics, not packets.
//!
//! - [`address`]: what programs call an endpoint.
//! - [`dns`]: what machines are called, and who answers that.
//! - [`host`]: which addresses are this machine's own, and its interfaces.
//! - [`icmp`]: echoes, which every machine answers.
//! - [`link`]: how long anything takes to arrive: the one place where latency, loss and partition are decided.
//! - [`ring`]: the byte queue that a stream's two ends share.
//! - [`stack`]: one node's ports and what is under way to it.
//! - [`socket`]: sockets by kind.

pub mod address;
pub mod dns;
pub mod host;
pub mod icmp;
pub mod link;
pub mod network;
pub mod ring;
pub mod socket;
pub mod stack;
pub use network::Network;
pub use socket::Socket;
pub use stack::Stack;
