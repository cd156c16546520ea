//! Encryption: certificates that follow from the seed.
//!
//! - [`key`]: keys that follow from the seed, and what they sign.
//! - [`authority`]: who vouches for the services.
//! - [`acceptor`]: the service's side of TLS.

mod acceptor;
mod authority;
mod key;
pub use acceptor::{Offer, acceptor};
pub use authority::Authority;
