//! Removes runs.

use serde_json::json;

use super::{Failure, print_json, printed};
use crate::{
    cli::{Format, GcArguments},
    report::table::{bytes, print},
    store::remove::{Limits, remove, select},
};

/// Removes the runs that are beyond the limits.
///
/// # Errors
/// When one cannot be removed.
pub fn gc(arguments: &GcArguments) -> Result<u8, Failure> {
    let place = arguments.stored.place()?;
    let limits = Limits {
        count: arguments.keep,
        age: arguments.older_than,
        bytes: arguments.max_size,
        state: arguments.state,
    };
    let removal = select(&place, &limits)?;
    if !arguments.dry_run {
        remove(&place, &removal)?;
    }
    match arguments.stored.format {
        Format::Json => print_json(&json!({ "removed": removal.runs, "bytes": removal.bytes })),
        Format::Text => {
            let would = if arguments.dry_run { "would remove" } else { "removed" };
            let (count, size) = (removal.runs.len(), bytes(removal.bytes));
            printed(print(format!("{would} {count} runs, {size}\n").as_bytes()))
        }
    }
}
