//! The simulated Linux kernel: a pure, deterministic state machine.
//!
//! It runs inside every process of a simulation (see `interposer/image`), but knows nothing of that:
//! all it may ask of the real machine goes through the one trait [`host::Host`]. Exactly one simulated
//! thread runs at a time, so nothing here is locked and nothing races.
//!
//! The way of a system call: the shell stores the thread's registers and calls
//! [`kernel::Kernel::enter`]; the row of [`syscall::table`] names the handler; the handler decodes its
//! arguments, calls an object and returns an [`outcome::Outcome`]; `enter` schedules, delivers
//! signals and says what the shell must do [`outcome::Next`].
//!
//! A blocked call is *restarted* from its beginning when what it waits for may have happened, so no
//! stack of the kernel ever outlives a call.
//!
//! Layers, each using only those before it: `node`, `uapi`, `error`, `arch`, `user`, `host`, `random`, `event`, `time`;
//! `wait`, `sched`, `spin`, `fault`; `mm`, `signal`, `futex`; `machine`; `file`, `poll`, `aio`; `process`, `fs`, `net`, `ipc`;
//! `syscall`; `kernel`.
#![no_std]
#![deny(unsafe_code)]
extern crate alloc;

pub mod aio;
pub mod arch;
pub mod context;
pub mod error;
pub mod event;
pub mod fault;
pub mod file;
pub mod fs;
pub mod futex;
pub mod host;
pub mod ipc;
pub mod kernel;
pub mod lookup;
pub mod machine;
pub mod mm;
pub mod net;
pub mod node;
pub mod outcome;
pub mod poll;
pub mod process;
pub mod random;
pub mod sched;
pub mod signal;
pub mod slab;
pub mod spin;
pub mod syscall;
#[cfg(any(test, feature = "testing"))]
pub mod testing;
pub mod time;
pub mod uapi;
pub mod user;
pub mod wait;
