//! The run's ordered log and its digest.

mod fingerprint;
mod log;
pub use fingerprint::Fingerprint;
pub use log::EventLog;
