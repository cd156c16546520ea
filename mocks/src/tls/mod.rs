//! Encryption: certificates that follow from the seed.
//!
//! - [`key`]: keys that follow from the seed, and what they sign.
//! - [`authority`]: who vouches for the services.
//! - [`acceptor`]: the service's side of TLS; [`connector`]: the other, when it makes requests itself.

mod acceptor;
mod authority;
mod connector;
mod key;
pub use acceptor::{Offer, acceptor};
pub use authority::Authority;
pub use connector::connector;
