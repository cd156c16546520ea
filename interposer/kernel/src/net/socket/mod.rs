//! Sockets by kind.
//!
//! - [`options`]: what all of them have.
//! - [`arrival`]: what they tell of packets that come in.
//! - [`icmp`]: echoes and other messages about the network.
//! - [`inbox`]: what has arrived and was not received yet.
//! - [`message`]: what goes in and comes out.
//! - [`netlink`]: questions about the machine's interfaces.
//! - [`object`]: what every kind can be asked, and sockets as files.
//! - [`option_value`]: how options are spelt.
//! - [`shown`]: what is shown of those of the internet protocols.
//! - [`tcp`]: streams of the internet protocols.
//! - [`udp`]: datagrams of the internet protocols.
//! - [`unix`]: unix sockets.

pub mod arrival;
pub mod icmp;
pub mod inbox;
pub mod message;
pub mod netlink;
pub mod object;
pub mod option_value;
pub mod options;
pub mod shown;
pub mod tcp;
pub mod udp;
pub mod unix;
pub use message::{Caller, Control, MessageFlags, Outgoing, PacketChoices, Received};
pub use object::{Kind, Socket, SocketObject};
