//! Linux's user-space interface, by header: limits and the `repr(C)` structures that cross the boundary.
//! Constants come from `linux_raw_sys`, where it has them.

pub mod aio;
pub mod icmp;
pub mod inotify;
pub mod ipc;
pub mod limits;
pub mod poll;
pub mod signal;
pub mod socket;
pub mod stat;
pub mod statfs;
pub mod termios;
pub mod time;
pub mod udp;
pub use linux_raw_sys::general as nr;
