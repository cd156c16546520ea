//! What a file of mocks may say.
//!
//! - [`service`]: services and their routes.
//! - [`matching`]: which requests a route is for.
//! - [`answer`]: what is answered.
//! - [`script`]: conversations that are not HTTP.
//! - [`state`]: what is remembered from call to call.
//! - [`trouble`]: what goes wrong.

mod answer;
mod matching;
mod script;
mod service;
mod state;
mod trouble;
pub use answer::{Answer, Chunk, Event, GrpcStatus, Turn};
pub use matching::{Body, Match, Scheme, Text};
pub use script::{Case, Heard, Smtp, Step, Stream, Tcp, Udp, WebSocket};
pub use service::{Mock, MocksFile, Ports, Route};
pub use state::{Expect, Idempotency, Limit, PageStyle, Resource, Tokens, Webhook};
pub use trouble::{Drip, Misdeed, Moment, Side, Trouble};
