//! Lists or prints what a run has left for people.

use std::{fs::File, io};

use super::{Failure, find_run, print_json, printed};
use crate::{
    cli::{ArtifactsArguments, Format},
    report::{
        say,
        table::{Table, bytes, print},
    },
    store::{Error, find::nearest},
};

/// Lists the artifacts of a run, or prints one.
///
/// # Errors
/// When there is none.
pub fn artifacts(arguments: &ArtifactsArguments) -> Result<u8, Failure> {
    let folder = find_run(&arguments.stored.place()?, &arguments.run)?;
    let artifacts = folder.artifacts()?;
    if let Some(name) = &arguments.name {
        // Only a name of the list: no path out of the folder is one.
        let Some(found) = artifacts.iter().find(|artifact| artifact.name == *name) else {
            let names: Vec<&str> = artifacts.iter().map(|found| found.name.as_str()).collect();
            let hint = nearest(name, &names);
            return Err(Failure::Unknown(format!("no artifact of the run is called {name}{hint}")));
        };
        let path = folder.artifact_folder().join(&found.name);
        let mut file = File::open(&path).map_err(|error| Error::File(path, error))?;
        return printed(match io::copy(&mut file, &mut io::stdout().lock()) {
            Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
            result => result.map(drop),
        });
    }
    match arguments.stored.format {
        Format::Json => print_json(&artifacts),
        Format::Text if artifacts.is_empty() => {
            say("the run has left no artifacts");
            Ok(0)
        }
        Format::Text => {
            let mut table = Table::new(&["size", "name"]).numbers(&[0]);
            artifacts
                .iter()
                .for_each(|found| table.push(vec![bytes(found.size), found.name.clone()]));
            printed(print(table.text().as_bytes()))
        }
    }
}
