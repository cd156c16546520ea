//! Sockets by kind.
//!
//! - [`options`]: what all of them have.
//! - [`message`]: what goes in and comes out.
//! - [`object`]: what every kind can be asked, and sockets as files.
//! - [`tcp`]: streams of the internet protocols.

pub mod message;
pub mod object;
pub mod option_value;
pub mod options;
pub mod tcp;
pub use message::{Caller, MessageFlags, Outgoing, Received};
pub use object::{Socket, SocketObject};
