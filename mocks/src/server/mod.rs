//! The protocols.
//!
//! - [`listen`]: from services to sockets.
//! - [`talk`]: conversations that follow a script.
//! - [`stream`], [`datagrams`], [`websocket`]: over what.
//! - [`smtp`]: taking mail.
//! - [`http`]: requests of HTTP; [`calls`]: those of gRPC whose clients stream.
//! - [`wire`]: connections that can be broken on purpose.
//! - [`webhook`]: requests that services make by themselves.

mod calls;
mod datagrams;
mod http;
mod listen;
mod smtp;
mod stream;
mod talk;
mod webhook;
mod websocket;
mod wire;
pub use http::BODY_MAX;
pub use listen::{Error, Place, Ports, serve, told_to_end};
pub use talk::{Blow, Ending as TalkEnding, Held};
pub use wire::{Ended, Order, Orders};
