//! What is said of runs.
//!
//! - [`run`]: of one, on standard error.
//! - [`summary`]: of many runs together; [`text`], [`junit`], [`github`], [`html`]: how it is written.
//! - [`events`]: what happened in a run, for people.
//! - [`files`]: the files that a report is written to.
//! - [`table`]: columns of text.

pub mod events;
pub mod files;
pub mod github;
pub mod html;
pub mod junit;
mod run;
pub mod summary;
pub mod table;
pub mod text;
pub use run::{Report, exit_status, failure, fault_line, say, seconds};
