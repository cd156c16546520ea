//! Unix sockets (unix(7)): everything arrives at once, for it never leaves the machine.
//!
//! - [`socket`]: the object, naming and connecting.
//! - [`transfer`]: messages in and out, and readiness.
//! - [`memory`]: what messages take up.
//! - [`object`]: as a kind of socket.
//! - [`shown`]: what others are shown of it.

mod memory;
mod object;
mod shown;
mod socket;
mod transfer;
pub use socket::{UnixKey, UnixKind, UnixSocket};
