//! Copies runs from other stores, and puts the parts of a simulation together.

use super::{Failure, print_json, printed};
use crate::{
    cli::{Format, MergeArguments},
    report::{say, table::print},
    store::{
        Error, Place,
        merge::{Merged, merge as copy},
    },
};

/// Copies all that these stores hold.
///
/// # Errors
/// When something cannot be read or copied.
pub fn merge(arguments: &MergeArguments) -> Result<u8, Failure> {
    let into = arguments.stored.place()?;
    let mut merged = Merged::default();
    for path in &arguments.stores {
        let from = Place::at(path).map_err(|error| Error::File(path.clone(), error))?;
        if !from.runs().is_dir() {
            return Err(Failure::Unknown(format!(
                "{} is no store of runs: it has no folder runs",
                path.display()
            )));
        }
        copy(&from, &into, &mut merged)?;
    }
    match arguments.stored.format {
        Format::Json => print_json(&merged),
        Format::Text => {
            for id in &merged.simulations {
                say(&format!("see: simrun status {id}"));
            }
            let words = format!(
                "copied {} runs of {} simulations\n",
                merged.runs,
                merged.simulations.len()
            );
            printed(print(words.as_bytes()))
        }
    }
}
