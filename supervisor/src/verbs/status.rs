//! Shows what came of a simulation.

use super::{Failure, find_run, printed, show};
use crate::{
    cli::{Format, ShowArguments, StatusArguments},
    report::{
        files,
        summary::{Cases, Summary},
        table::print,
        text,
    },
    store::{
        Error, Id, Place, RunFolder,
        find::find,
        index::{Filter, Index},
        simulation::Simulation,
    },
};

/// Shows the report of a simulation.
///
/// # Errors
/// When there is none.
pub fn status(arguments: &StatusArguments) -> Result<u8, Failure> {
    let place = arguments.stored.place()?;
    let names = Simulation::names(&place)?;
    let id = match find("simulation", &arguments.simulation, &names) {
        Ok(id) => id,
        // A single run is a simulation by itself.
        Err(_) if find_run(&place, &arguments.simulation).is_ok() => {
            let run = ShowArguments {
                run: arguments.simulation.clone(),
                stored: arguments.stored.clone(),
            };
            return show(&run);
        }
        Err(error) => return Err(Error::from(error).into()),
    };
    let summary = summary(&place, &id)?;
    match arguments.stored.format {
        Format::Json => printed(print(&files::json(&summary)))?,
        Format::Text => printed(print(text::text(&summary, &place)?.as_bytes()))?,
    };
    files::write(&arguments.files, &summary, &place)?;
    Ok(0)
}

/// All runs of a simulation together.
fn summary(place: &Place, id: &Id) -> Result<Summary, Error> {
    let mut summary = Summary::new(Simulation::load(place, id)?, Cases::Kept);
    let filter = Filter { simulation: Some(id.clone()), ..Filter::default() };
    for row in Index::open(place)?.runs(&filter)? {
        summary.add(&RunFolder::of(place, &row.id).record()?);
    }
    summary.sort();
    Ok(summary)
}
