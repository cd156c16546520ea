//! Copies what another store holds, and makes one simulation of those that are parts of one.

use std::{collections::BTreeMap, fs, io, path::Path};

use super::{
    Error, Id, Place, RunFolder, folder::names, recording::replace_json, simulation::Simulation,
};

/// What was copied.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize)]
pub struct Merged {
    /// The runs that are new.
    pub runs: u64,
    /// The simulations that they belong to, under the names that they have now.
    pub simulations: Vec<Id>,
}

/// Copies everything that is not there yet.
///
/// # Errors
/// When something cannot be read or copied.
pub fn merge(from: &Place, into: &Place, merged: &mut Merged) -> Result<(), Error> {
    into.create().map_err(|error| Error::File(into.path().to_path_buf(), error))?;
    let mut renamed = BTreeMap::new();
    for id in Simulation::names(from)? {
        let now = take_simulation(from, into, &id)?;
        if !merged.simulations.contains(&now) {
            merged.simulations.push(now.clone());
        }
        renamed.insert(id, now);
    }
    for id in names(&from.runs())? {
        if !into.runs().join(id.as_str()).exists() {
            take_run(from, into, &id, &renamed)?;
            merged.runs += 1;
        }
    }
    Ok(())
}

/// Takes in a simulation, and gives the name that it has here: that of the one that it is a part of, if there is one.
fn take_simulation(from: &Place, into: &Place, id: &Id) -> Result<Id, Error> {
    let part = Simulation::load(from, id)?;
    for known in Simulation::names(into)? {
        let mut whole = Simulation::load(into, &known)?;
        if whole.id == part.id || whole.has(&part) {
            return Ok(known);
        }
        if whole.takes(&part) {
            whole.join(&part);
            whole.save(into)?;
            return Ok(known);
        }
    }
    part.save(into)?;
    copy_files(&Simulation::folder(from, id), &Simulation::folder(into, id))?;
    Ok(part.id)
}

fn take_run(from: &Place, into: &Place, id: &Id, renamed: &BTreeMap<Id, Id>) -> Result<(), Error> {
    let source = RunFolder::of(from, id);
    let hidden = into.runs().join(format!(".{id}"));
    let fail = |error| Error::File(hidden.clone(), error);
    if let Err(error) = fs::remove_dir_all(&hidden)
        && error.kind() != io::ErrorKind::NotFound
    {
        return Err(fail(error));
    }
    copy_files(source.path(), &hidden)?;
    let mut record = source.record()?;
    if let Some(now) = record.simulation.as_ref().and_then(|simulation| renamed.get(simulation)) {
        record.simulation = Some(now.clone());
    }
    // A copy of a run that goes on does not.
    let copy = RunFolder::at(&hidden);
    replace_json(&copy.record_file(), &record).map_err(fail)?;
    fs::rename(&hidden, into.runs().join(id.as_str())).map_err(fail)
}

/// Copies a folder with all that is in it.
fn copy_files(from: &Path, into: &Path) -> Result<(), Error> {
    let fail = |path: &Path| {
        let path = path.to_path_buf();
        move |error| Error::File(path.clone(), error)
    };
    fs::create_dir_all(into).map_err(fail(into))?;
    for entry in fs::read_dir(from).map_err(fail(from))? {
        let entry = entry.map_err(fail(from))?;
        let (source, target) = (entry.path(), into.join(entry.file_name()));
        let kind = entry.file_type().map_err(fail(&source))?;
        if kind.is_dir() {
            copy_files(&source, &target)?;
        } else if kind.is_symlink() {
            let to = fs::read_link(&source).map_err(fail(&source))?;
            std::os::unix::fs::symlink(to, &target).map_err(fail(&target))?;
        } else if !target.exists() {
            fs::copy(&source, &target).map_err(fail(&source))?;
        }
    }
    Ok(())
}
