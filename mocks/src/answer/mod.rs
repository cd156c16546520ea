//! What is answered.
//!
//! - [`template`]: text and JSON with places that are filled in.
//! - [`world`]: what they are filled with.
//! - [`compile`]: from a file to answers.
//! - [`prepare`]: an answer to one request.
//! - [`outgoing`]: its body, as it is sent.

mod compile;
mod outgoing;
mod prepare;
mod template;
mod world;
pub use compile::{Answers, Content, Files, compile, said};
pub use outgoing::{Outgoing, Piece};
pub use prepare::{Maker, Prepared};
pub use template::{Json, Templates, Text};
pub use world::{Counters, Draws, World};
