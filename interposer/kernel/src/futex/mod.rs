//! Futexes.

mod table;
pub use table::{FutexKey, FutexTable, Waiting};
