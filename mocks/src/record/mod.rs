//! Asks a real service for others, and keeps what it answers.
//!
//! - [`proxy`]: takes requests and passes them on.
//! - [`upstream`]: the service.
//! - [`exchange`]: what was asked and answered, as other tools write it down.

mod exchange;
mod proxy;
mod upstream;
pub use proxy::{Recorded, Recording, record};
pub use upstream::Error;
