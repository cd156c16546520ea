//! Removes runs.

use std::{fs, path::Path, time::Duration};

use super::{
    Error, Id, Place, RunFolder, State, Timestamp,
    index::{Filter, Index, Row},
    simulation::Simulation,
};

/// What is kept. A run goes if any of this says so; one that goes on never does.
#[derive(Clone, Debug, Default)]
pub struct Limits {
    /// At most so many, the last ones.
    pub count: Option<usize>,
    /// Those that began not longer ago.
    pub age: Option<Duration>,
    /// At most so many bytes, those of the last ones.
    pub bytes: Option<u64>,
    /// Only runs in this state go.
    pub state: Option<State>,
}

/// Runs to be removed.
#[derive(Debug)]
pub struct Removal {
    /// Their names.
    pub runs: Vec<Id>,
    /// Bytes that their folders take.
    pub bytes: u64,
}

/// The runs that are to go.
///
/// # Errors
/// When they cannot be listed.
pub fn select(place: &Place, limits: &Limits) -> Result<Removal, Error> {
    let rows = Index::open(place)?.runs(&Filter::default())?;
    let now = Timestamp::now().0;
    let mut kept = 0;
    let mut kept_bytes = 0;
    let mut removal = Removal { runs: Vec::new(), bytes: 0 };
    // From the last one, so that what is kept counts first.
    for row in rows.iter().rev().filter(|row| may_go(row, limits)) {
        let size = RunFolder::of(place, &row.id).size();
        let age = Duration::from_millis(now.saturating_sub(row.start.0));
        let goes = limits.count.is_some_and(|count| kept >= count)
            || limits.age.is_some_and(|most| age > most)
            || limits.bytes.is_some_and(|bytes| kept_bytes + size > bytes);
        if goes {
            removal.runs.push(row.id.clone());
            removal.bytes += size;
        } else {
            kept += 1;
            kept_bytes += size;
        }
    }
    removal.runs.reverse();
    Ok(removal)
}

fn may_go(row: &Row, limits: &Limits) -> bool {
    row.state.is_final() && limits.state.is_none_or(|state| state == row.state)
}

/// Removes these runs, what was never finished, and simulations that have no runs any more.
///
/// # Errors
/// When one cannot be removed.
pub fn remove(place: &Place, removal: &Removal) -> Result<(), Error> {
    let runs = place.runs();
    for id in &removal.runs {
        // Out of sight first, so that nobody finds half a run.
        let hidden = runs.join(format!(".{id}-removed"));
        let folder = runs.join(id.as_str());
        fs::rename(&folder, &hidden).map_err(|error| Error::File(folder, error))?;
        remove_folder(&hidden)?;
    }
    sweep(&runs);
    let index = Index::open(place)?;
    for id in Simulation::names(place)? {
        let filter = Filter { simulation: Some(id.clone()), limit: Some(1), ..Filter::default() };
        let is_over = Simulation::load(place, &id).is_ok_and(|simulation| {
            let since = simulation.start.system_time().elapsed().unwrap_or_default();
            simulation.end.is_some() || since > ABANDONED
        });
        if is_over && index.runs(&filter)?.is_empty() {
            remove_folder(&place.simulations().join(id.as_str()))?;
        }
    }
    Ok(())
}

fn remove_folder(path: &Path) -> Result<(), Error> {
    fs::remove_dir_all(path).map_err(|error| Error::File(path.to_path_buf(), error))
}

/// A folder that is being filled or emptied is done with long before, and a simulation has its first run.
const ABANDONED: Duration = Duration::from_secs(3600);

/// Removes what somebody who was killed had begun to fill or to empty.
fn sweep(runs: &Path) {
    for entry in fs::read_dir(runs).into_iter().flatten().flatten() {
        let is_old = entry
            .metadata()
            .and_then(|found| found.modified())
            .is_ok_and(|modified| modified.elapsed().is_ok_and(|since| since > ABANDONED));
        if is_old && entry.file_name().as_encoded_bytes().starts_with(b".") {
            let _ = fs::remove_dir_all(entry.path());
        }
    }
}
