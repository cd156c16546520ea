//! External services, from YAML: a server that answers for them, natively or as machines of a simulation.
//!
//! - [`file`]: what a file of mocks may say.
//! - [`compile`]: from there to services that can answer; finds what cannot be.
//! - [`request`]: a request as routes and answers see it.
//! - [`matching`]: which route a request takes, and what keeps it from the others.
//! - [`answer`]: what is answered.
//! - [`grpc`]: messages of gRPC.
//! - [`server`]: the protocols.
//! - [`serving`]: a service while it serves.
//! - [`client`]: requests that are made; [`tls`]: encryption, with certificates that follow from the seed.
//! - [`secrets`]: what is nobody else's business.
//! - [`record`]: what a real service answers.
//! - [`import`]: files of other tools.
//! - [`journal`]: what is told of each call.

mod answer;
mod client;
mod compile;
mod file;
mod grpc;
mod import;
mod journal;
mod matching;
mod record;
mod request;
mod secrets;
mod server;
mod serving;
mod tls;
pub use compile::{Chaos, Protocol, Service, read};
pub use file::MocksFile;
pub use import::{Error as ImportError, Imported, Tool, import};
pub use record::{Error as RecordError, Recorded, Recording, record};
pub use server::{Error, Place, Ports, serve};
pub use tls::Authority;
