//! Signals.
//!
//! - [`set`], [`info`], [`action`], [`pending`], [`stack`], [`state`]: the data.
//! - [`send`]: from sender to the threads that may take it.
//! - [`deliver`]: what a thread does with its signals before it returns to its program.
//! - [`frame`]: the frame that a handler runs on, and the way back.
//! - [`stop`]: stopping and continuing processes.
//! - [`timer`]: timers that send signals.

mod action;
mod deliver;
mod frame;
mod info;
mod pending;
mod send;
mod set;
mod stack;
mod state;
mod stop;
mod timer;
pub use action::{Action, ActionFlags, Actions, Disposition};
pub use frame::BadFrame;
pub use info::{SignalInfo, end_code};
pub use pending::PendingSignals;
pub use set::{DefaultAction, Signal, SignalSet};
pub use stack::AlternateStack;
pub use state::{Exception, ThreadSignals};
pub use timer::{First, ProcessTimers, SignalTimer, TimerClock};
