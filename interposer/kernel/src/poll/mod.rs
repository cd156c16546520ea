//! Readiness of many files at once: epoll(7). `poll` and `select` keep nothing between calls, so they are handlers only.

mod epoll;
mod interest;
pub use epoll::Epoll;
pub use interest::{Interest, Wanted};
