//! Services that stand in for others, as machines of a run.
//!
//! - [`machines`]: from files to machines.
//! - [`trust`]: what makes programs trust them.

mod machines;
mod trust;
pub use machines::{
    Error, HEARS_DATAGRAMS, ask, files, is_mock, join, join_again, of, of_files, offers, read,
    read_all, renew,
};
