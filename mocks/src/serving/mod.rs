//! A service while it serves: what it remembers from call to call, and what it makes of the next.
//!
//! - [`service`]: from a request to its reply.
//! - [`memory`]: all that is remembered.
//! - [`store`]: things by key; [`resource`]: what can be done with them.
//! - [`limit`]: how many requests are taken.
//! - [`replay`]: requests that are known again.
//! - [`tokens`]: tokens that were given.
//! - [`trouble`]: what goes wrong, and when; [`spoil`]: what becomes of an answer then.
//! - [`talk`]: conversations that are not HTTP; [`mail`]: letters; [`socket`]: those that HTTP turns into.
//! - [`webhook`]: requests that are made afterwards.
//! - [`expect`]: what must be so in the end.

mod expect;
mod limit;
mod mail;
mod memory;
mod replay;
mod resource;
mod service;
mod socket;
mod spoil;
mod store;
mod talk;
mod tokens;
mod trouble;
mod webhook;
pub use mail::{Letter, Receipt};
pub use service::{Reply, Serving};
pub use spoil::Ending;
pub use store::Stores;
pub use talk::Conversation;
pub use webhook::Outbound;

#[cfg(test)]
mod tests;
