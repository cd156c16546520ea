//! External services, from YAML: a server that answers for them, natively or as machines of a simulation.
//!
//! - [`file`]: what a file of mocks may say.
//! - [`compile`]: from there to services that can answer; finds what cannot be.
//! - [`request`]: a request as routes and answers see it.
//! - [`matching`]: which route a request takes, and what keeps it from the others.
//! - [`answer`]: what is answered.
//! - [`server`]: the protocols.
//! - [`journal`]: what is told of each call.

mod answer;
mod compile;
mod file;
mod journal;
mod matching;
mod request;
mod server;
pub use compile::{Protocol, Service, read};
pub use file::MocksFile;
pub use server::{Error, Place, Ports, serve};
