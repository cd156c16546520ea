//! Faults: what goes wrong on purpose.
//!
//! Everything here decides; subsystems ask, and apply the verdict. Each fault draws from its own stream of random
//! numbers, named after the fault, so that one more or less leaves the decisions of the others as they were.
//!
//! - [`engine`]: all faults of a run, by the call that they are for.
//! - [`armed`]: one fault.
//! - [`damage`]: what a bad disk does to bytes.
//! - [`scene`]: what a fault may ask about the call before it.
//! - [`nodes`]: faults of whole machines, and of their clocks.
//! - [`family`]: faults that some runs have and some have not.
//! - [`raise`]: one failure that makes others likely.
//! - [`link`]: faults of links between sockets.
//! - [`names`]: faults of the name server.
//! - [`threads`]: slow processors, and priorities.
//! - [`timed`]: those that come at their time.
//! - [`trigger`]: when and how often one fires.
//! - [`chance`], [`window`]: how often, and when.
//! - [`quantity`], [`pattern`], [`place`]: numbers that are drawn, names and nodes that are matched.

mod armed;
mod chance;
mod damage;
mod engine;
mod family;
pub mod link;
mod names;
mod nodes;
mod pattern;
mod place;
mod quantity;
mod raise;
mod scene;
mod threads;
mod timed;
mod trigger;
mod window;
pub use armed::Hit;
pub use damage::{Damage, Reaching};
pub use engine::{
    Faults, Firing, Injected, NodesVerdict, Strike, TimedVerdict, Verdict, WaitEnd, WaitVerdict,
    Zone,
};
pub use names::{Lie, NameVerdict};
pub use nodes::{Machines, NodeHit};
pub use pattern::Pattern;
pub use quantity::{Source, happens};
pub use scene::Scene;
pub use timed::Timed;
#[cfg(test)]
mod tests;
