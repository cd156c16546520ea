//! The files that a report is written to.

use std::{fs, io, path::Path};

use super::{github, html::html, junit::junit, summary::Summary, table::print};
use crate::{cli::ReportFiles, store::Place, verbs::Failure};

/// Writes what was asked for, and what a workflow of GitHub's shows.
///
/// # Errors
/// When a file cannot be written.
pub fn write(files: &ReportFiles, summary: &Summary, place: &Place) -> Result<(), Failure> {
    if let Some(path) = &files.junit {
        let text = junit(summary).map_err(|error| failure(path, io::Error::other(error)))?;
        put(path, text.as_bytes())?;
    }
    if let Some(path) = &files.json {
        put(path, &json(summary))?;
    }
    if let Some(path) = &files.html {
        put(path, html(summary, place)?.as_bytes())?;
    }
    if github::is_here() {
        let doing = "the summary of the step cannot be written";
        github::write_step_summary(summary).map_err(|source| Failure::File { doing, source })?;
    }
    Ok(())
}

/// The report as JSON.
pub fn json(summary: &Summary) -> Vec<u8> {
    let mut bytes = serde_json::to_vec_pretty(summary).expect("names, numbers and text");
    bytes.push(b'\n');
    bytes
}

fn put(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    let written = if path == Path::new("-") { print(bytes) } else { fs::write(path, bytes) };
    written.map_err(|error| failure(path, error))
}

fn failure(path: &Path, error: io::Error) -> Failure {
    crate::store::Error::File(path.to_path_buf(), error).into()
}
