//! ICMP and ICMPv6: echoes, which every machine answers (icmp(7)).
//!
//! - [`packet`]: a message and what carries it.
//! - [`exchange`]: who gets a message that arrives, and the kernel's own answers.

mod exchange;
mod packet;
pub use exchange::Exchange;
pub use packet::{HEADER, Kind, Packet};
