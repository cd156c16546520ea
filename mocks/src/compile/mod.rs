//! From a file of mocks to services that can answer. What cannot be is found here.
//!
//! - [`service`]: services and their routes.
//! - [`resource`]: collections, as routes.
//! - [`script`]: conversations, step by step; [`talk`]: where they are held.
//! - [`state`]: what is remembered from call to call.
//! - [`trouble`]: what goes wrong.
//! - [`expect`]: what must be so in the end.

mod expect;
mod resource;
mod script;
mod service;
mod state;
mod talk;
mod trouble;
pub use expect::{Expect, Wanted};
pub use resource::{Operation, Resource};
pub use script::{Extent, Instruction, Script, Take};
pub use service::{Action, Protocol, Route, Service, read};
pub use state::{Idempotency, Limit, Signature, Tokens, Webhook};
pub use talk::{Kind, Mail, Talk, WebSocket};
pub use trouble::{Chaos, Realm, Trouble};
