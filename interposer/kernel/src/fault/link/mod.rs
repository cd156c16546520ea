//! Faults of links: what becomes of what one socket sends another.
//!
//! - [`wire`]: a link, what goes over it, and the faults that are for it.
//! - [`target`]: which links a fault is for.
//! - [`passage`]: what the faults make of something that is sent, all together.
//! - [`doing`]: what one fault makes of it.
//! - [`partition`]: nodes that cannot reach each other.
//! - [`tamper`]: what somebody in the middle does to messages.
//! - [`links`]: all faults of links.

mod doing;
mod links;
mod partition;
mod passage;
mod tamper;
mod target;
mod wire;
pub use links::Links;
pub use passage::{Fate, Passage, Report};
pub use tamper::{Messages, Tamper};
pub use wire::{Cargo, Link, Wire};
