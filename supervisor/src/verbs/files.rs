//! Lists, prints or copies out the files that a run wrote.

use std::{fs::File, io, path::Path};

use simrun_abi::capture::Change;

use super::{Failure, find_run, open_null, print_json, printed, rerun, streams};
use crate::{
    captured::{Entry, Kind, Manifest, export},
    cli::{FilesArguments, Format},
    conduct::Conduct,
    report::{
        say,
        table::{Table, bytes, print},
    },
    store::{Belonging, Error, Place, RunFolder, find::nearest, text::Text},
};

/// Lists the files of a run, prints one, or copies them out.
///
/// # Errors
/// When there is no such run or file.
pub fn files(arguments: &FilesArguments) -> Result<u8, Failure> {
    let folder = find_run(&arguments.stored.place()?, &arguments.run)?;
    match arguments.at {
        None => show(arguments, folder.path(), folder.record()?.state.is_final()),
        Some(at) => {
            let again = tempfile::tempdir().map_err(|source| Failure::File {
                doing: "a folder for the run cannot be made",
                source,
            })?;
            let run = run_until(&folder, at.as_nanos() as u64, again.path())?;
            show(arguments, run.path(), true)
        }
    }
}

/// Runs again until a simulated time; what is kept of that.
fn run_until(folder: &RunFolder, at_ns: u64, store: &Path) -> Result<RunFolder, Failure> {
    let original = folder.record()?;
    rerun::warn(&original, &folder.inputs()?.changes());
    let mut plan = original.pinned.plan()?;
    plan.boot.timeout_ns = Some(plan.boot.timeout_ns.map_or(at_ns, |limit| limit.min(at_ns)));
    let place = Place::at(store).map_err(|error| Error::File(store.to_path_buf(), error))?;
    let (nowhere, input) = (open_null()?, folder.standard_input()?);
    let conducted = Conduct {
        streams: streams(input.as_ref().unwrap_or(&nowhere), Some(&nowhere)),
        trace: None,
        traces_calls: false,
        logs_faults: false,
        kept: Some((&place, Belonging::default())),
        quiet: true,
    }
    .run(&mut plan)?;
    match conducted.record {
        Some(record) => Ok(RunFolder::of(&place, &record.id)),
        None => Err(Failure::Unknown("what the run wrote until then cannot be kept".into())),
    }
}

fn show(arguments: &FilesArguments, run: &Path, has_ended: bool) -> Result<u8, Failure> {
    let manifest = Manifest::read(run)?;
    if let Some(to) = &arguments.export {
        let exported = export(&manifest, run, to)?;
        say(&format!("{} files copied to {}", exported.copied, to.display()));
        if exported.missing > 0 {
            let why = "they were larger than what is kept (--capture-limit)";
            say(&format!("{} files without their contents: {why}", exported.missing));
        }
        return Ok(0);
    }
    if let Some(path) = &arguments.path {
        return print_file(
            &manifest,
            run,
            &Text(std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str()).to_vec()),
        );
    }
    match arguments.stored.format {
        Format::Json => print_json(&manifest.files),
        Format::Text if manifest.files.is_empty() && !has_ended => {
            say("the run was interrupted: its files are not known");
            Ok(0)
        }
        Format::Text if manifest.files.is_empty() => {
            say("the run has changed no files");
            Ok(0)
        }
        Format::Text => {
            let mut table = Table::new(&["change", "mode", "size", "path"]).numbers(&[2]);
            manifest.files.iter().for_each(|entry| table.push(row(entry)));
            printed(print(table.text().as_bytes()))
        }
    }
}

fn row(entry: &Entry) -> Vec<String> {
    let change = match entry.change {
        Change::Made => "made",
        Change::Changed => "changed",
        Change::Attributes => "attributes",
        Change::Removed => "removed",
    };
    let Some(file) = &entry.file else {
        return vec![change.into(), String::new(), String::new(), entry.path.to_string()];
    };
    let (size, mut path) = match &file.kind {
        Kind::Regular => (bytes(file.size), entry.path.to_string()),
        Kind::Directory => (String::new(), format!("{}/", entry.path)),
        Kind::Link(target) => (String::new(), format!("{} -> {target}", entry.path)),
        Kind::Special => (String::new(), entry.path.to_string()),
    };
    if let Some(from) = &file.moved_from {
        path.push_str(&format!(" (was {from})"));
    }
    vec![change.into(), format!("{:04o}", file.mode & 0o7777), size, path]
}

fn print_file(manifest: &Manifest, run: &Path, path: &Text) -> Result<u8, Failure> {
    let Some(entry) = manifest.find(path) else {
        let paths: Vec<String> =
            manifest.files.iter().map(|entry| entry.path.to_string()).collect();
        let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
        let hint = nearest(&path.to_string(), &paths);
        return Err(Failure::Unknown(format!("the run has not written {path}{hint}")));
    };
    let fail = |why: &str| Err(Failure::Unknown(format!("{path} {why}")));
    let Some(file) = &entry.file else { return fail("was removed") };
    match (&file.kind, &file.bytes) {
        (Kind::Regular, None) => Ok(0),
        (Kind::Regular, Some(bytes)) => {
            let Some(place) = bytes.place(run) else {
                return fail("was larger than what is kept (--capture-limit)");
            };
            let mut from = File::open(&place).map_err(|error| Error::File(place, error))?;
            printed(match io::copy(&mut from, &mut io::stdout().lock()) {
                Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
                result => result.map(drop),
            })
        }
        (Kind::Directory, _) => fail("is a directory"),
        (Kind::Link(target), _) => fail(&format!("is a symbolic link to {target}")),
        (Kind::Special, _) => fail("holds nothing"),
    }
}
