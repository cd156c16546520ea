//! gRPC over HTTP/2: messages are JSON for routes and answers, and Protocol Buffers for clients.
//!
//! - [`methods`]: what a service can be asked for.
//! - [`frames`]: how messages stand in bodies.
//! - [`status`]: how calls end.
//! - [`call`]: from a request to its messages, and from an answer to what is sent.

mod call;
mod frames;
mod methods;
mod status;
pub use call::Call;
pub use frames::{CUT_OFF, take};
pub use methods::Methods;
pub use status::{FIELD, MESSAGE, fields};
