//! The protocols.
//!
//! - [`listen`]: from services to sockets.
//! - [`http`]: requests of HTTP.
//! - [`wire`]: connections that can be broken on purpose.
//! - [`webhook`]: requests that services make by themselves.

mod http;
mod listen;
mod webhook;
mod wire;
pub use listen::{Error, Place, Ports, serve};
pub use wire::{Ended, Order, Orders};
