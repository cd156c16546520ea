//! The protocols.
//!
//! - [`listen`]: from services to sockets.
//! - [`http`]: requests of HTTP.

mod http;
mod listen;
pub use listen::{Error, Place, Ports, serve};
