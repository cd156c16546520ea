//! Futexes.
//!
//! - [`table`]: who waits on which.
//! - [`wake`]: keys, and waking from within the kernel.
//! - [`word`]: the words that threads and kernel share.
//! - [`robust`]: locks whose holder ends.

mod robust;
mod table;
mod wake;
mod word;
pub use table::{FutexKey, FutexTable, Purpose, Waiting};
pub use wake::Sharing;
pub use word::{LockWord, WakeOperation};
