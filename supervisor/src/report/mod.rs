//! What is said of runs.
//!
//! - [`run`]: of one, on standard error.
//! - [`table`]: columns of text.

mod run;
pub mod table;
pub use run::{Report, exit_status, failure, fault_line, say, seconds};
