//! What the supervisor and the kernel image agree on.
//!
//! - [`layout`]: the fixed addresses of a simulated process.
//! - [`boot`]: everything a run is started with.
//! - [`calls`]: the calls that the preload library makes.
//! - [`control`]: the shared page of counters and flags, and the event ring behind it.
//! - [`event`]: the records of a run's ordered log.
//! - [`faults`]: what is injected into the run.
//! - [`node`]: its simulated machines.
//! - [`node_faults`]: what is done to whole machines.
//! - [`thread_faults`]: what is done to the turns of threads.
#![no_std]
#![deny(unsafe_code)]
extern crate alloc;

pub mod boot;
pub mod calls;
pub mod capture;
pub mod control;
pub mod event;
pub mod faults;
pub mod layout;
pub mod node;
pub mod node_faults;
pub mod thread_faults;
