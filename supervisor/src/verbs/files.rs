//! Lists, prints or copies out the files that a run wrote.

use std::{
    fs::File,
    io,
    path::{Path, absolute},
};

use simrun_abi::capture::Change;

use super::{Failure, check_node, find_run, open_null, print_json, printed, rerun, streams};
use crate::{
    captured::{Entry, Kind, Manifest, export},
    cli::{FilesArguments, Format, units::Moment},
    conduct::Conduct,
    launch::Ending,
    report::{
        say,
        table::{Table, bytes, print},
    },
    store::{Belonging, Error, Place, Record, RunFolder, find::nearest, text::Text},
};

/// Lists the files of a run, prints one, or copies them out.
///
/// # Errors
/// When there is no such run or file.
pub fn files(arguments: &FilesArguments) -> Result<u8, Failure> {
    let folder = find_run(&arguments.stored.place()?, &arguments.run)?;
    let record = folder.record()?;
    check_node(arguments.node.as_deref(), &record)?;
    match arguments.at {
        None => show(arguments, folder.path(), &record),
        Some(at) => {
            let again = tempfile::tempdir().map_err(|source| Failure::File {
                doing: "a folder for the run cannot be made",
                source,
            })?;
            let run = run_until(&folder, &record, at, again.path())?;
            show(arguments, run.path(), &run.record()?)
        }
    }
}

/// Runs again until then; what is kept of that.
fn run_until(
    folder: &RunFolder,
    original: &Record,
    at: Moment,
    store: &Path,
) -> Result<RunFolder, Failure> {
    rerun::warn(original, &folder.inputs()?.changes());
    let mut plan = original.pinned.plan()?;
    match at {
        Moment::Event(number) => plan.boot.last_event = Some(number),
        Moment::Time(time) => {
            let at_ns = time.as_nanos() as u64;
            let timeout = plan.boot.timeout_ns.map_or(at_ns, |limit| limit.min(at_ns));
            plan.boot.timeout_ns = Some(timeout);
        }
    }
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
    if !matches!(conducted.outcome.ending, Ending::TimedOut) {
        say("the run has ended by then: these are its files at the end");
    }
    match conducted.record {
        Some(record) => Ok(RunFolder::of(&place, &record.id)),
        None => Err(Failure::Unknown("what the run wrote until then cannot be kept".into())),
    }
}

fn show(arguments: &FilesArguments, run: &Path, record: &Record) -> Result<u8, Failure> {
    let mut files = Manifest::read(run)?.files;
    // Kept before nodes had files of their own: there was one node.
    files.iter_mut().filter(|entry| entry.node.is_empty()).for_each(|entry| {
        entry.node = record.node_name(0).to_owned();
    });
    if let Some(node) = &arguments.node {
        files.retain(|entry| entry.node == *node);
    }
    let is_mixed = arguments.node.is_none() && record.pinned.nodes.len() > 1;
    if let Some(to) = &arguments.export {
        return export_all(&files, run, to, is_mixed);
    }
    if let Some(path) = &arguments.path {
        return print_file(&files, run, path);
    }
    match arguments.stored.format {
        Format::Json => print_json(&files),
        Format::Text if files.is_empty() && !record.state.is_final() => {
            say("the run was interrupted: its files are not known");
            Ok(0)
        }
        Format::Text if files.is_empty() => {
            say("the run has changed no files");
            Ok(0)
        }
        Format::Text => {
            let columns = ["node", "change", "mode", "size", "path"];
            let from = usize::from(!is_mixed);
            let mut table = Table::new(&columns[from..]).numbers(&[3 - from]);
            files.iter().for_each(|entry| table.push(row(entry).split_off(from)));
            printed(print(table.text().as_bytes()))
        }
    }
}

/// Copies files out, if they are of several nodes to a folder for each.
fn export_all(files: &[Entry], run: &Path, to: &Path, is_mixed: bool) -> Result<u8, Failure> {
    let (mut copied, mut missing) = (0, 0);
    for files in files.chunk_by(|one, other| one.node == other.node) {
        let to = if is_mixed { to.join(&files[0].node) } else { to.to_path_buf() };
        let exported = export(files, run, &to)?;
        copied += exported.copied;
        missing += exported.missing;
    }
    say(&format!("{copied} files copied to {}", to.display()));
    if missing > 0 {
        let why = "they were larger than what is kept (--capture-limit)";
        say(&format!("{missing} files without their contents: {why}"));
    }
    Ok(0)
}

fn row(entry: &Entry) -> Vec<String> {
    let change = match entry.change {
        Change::Made => "made",
        Change::Changed => "changed",
        Change::Attributes => "attributes",
        Change::Removed => "removed",
    };
    let node = entry.node.clone();
    let Some(file) = &entry.file else {
        return vec![node, change.into(), String::new(), String::new(), entry.path.to_string()];
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
    vec![node, change.into(), format!("{:04o}", file.mode & 0o7777), size, path]
}

fn print_file(files: &[Entry], run: &Path, path: &Path) -> Result<u8, Failure> {
    // One that is relative is meant as the shell would mean it.
    let path: Text = absolute(path).unwrap_or_else(|_| path.to_path_buf()).into_os_string().into();
    let found: Vec<&Entry> = files.iter().filter(|entry| entry.path == path).collect();
    let entry = match found[..] {
        [entry] => entry,
        [] => {
            let paths: Vec<String> = files.iter().map(|entry| entry.path.to_string()).collect();
            let paths: Vec<&str> = paths.iter().map(String::as_str).collect();
            let hint = nearest(&path.to_string(), &paths);
            return Err(Failure::Unknown(format!("the run has not written {path}{hint}")));
        }
        _ => {
            let nodes: Vec<&str> = found.iter().map(|entry| entry.node.as_str()).collect();
            let words = format!("{path} is on nodes {}: choose with --node", nodes.join(", "));
            return Err(Failure::Unknown(words));
        }
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
