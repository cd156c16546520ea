//! What programs have left for people: kept as files under their own names.

use std::{
    ffi::OsStr,
    fs::{self, File},
    io,
    os::unix::{ffi::OsStrExt, fs::symlink},
    path::{Component, Path, PathBuf},
};

use simrun_abi::capture::{ARTIFACTS, Captured, CapturedKind, Content};

use super::Record;
use crate::report::table::bytes;

/// The path of an artifact below the directory of artifacts, if a record is of one.
pub fn name(captured: &Captured) -> Option<&Path> {
    let artifacts = Path::new(OsStr::from_bytes(ARTIFACTS));
    Path::new(OsStr::from_bytes(&captured.path)).strip_prefix(artifacts).ok()
}

/// Copies the artifacts among these records to a folder, which is made if there are any; of several nodes each has a
/// folder there. What cannot be kept is returned in words.
///
/// # Errors
/// When something cannot be read or written.
pub fn keep(
    capture: &File,
    records: &[Record],
    nodes: &[&str],
    (folder, limit): (&Path, u64),
) -> io::Result<Vec<String>> {
    let mut words = Vec::new();
    let mut left_out: Vec<(PathBuf, u64)> = Vec::new();
    let mut links = Vec::new();
    for record in records {
        let Some(below) = name(&record.captured) else { continue };
        let node = nodes.get(usize::from(record.captured.node)).copied().unwrap_or_default();
        let name = if nodes.len() > 1 { Path::new(node).join(below) } else { below.to_path_buf() };
        match record.captured.file.as_ref().map(|file| &file.kind) {
            None | Some(CapturedKind::Directory) => {}
            Some(CapturedKind::Special) => {
                words.push(format!("the artifact {} is no file, and not kept", name.display()));
            }
            Some(CapturedKind::Link { target }) => {
                links.push((relative(below, Path::new(OsStr::from_bytes(target))), name));
            }
            Some(CapturedKind::Regular { size, content: Content::Left }) => {
                left_out.push((name, *size));
            }
            Some(CapturedKind::Regular { .. }) => {
                let place = make_room(folder, &name)?;
                record.copy(capture, &mut File::create_new(place)?)?;
            }
        }
    }
    for name in keep_links(folder, links)? {
        words.push(format!(
            "the artifact {} is a link to no artifact that is kept, and not kept",
            name.display()
        ));
    }
    if let [(first, size), others @ ..] = &left_out[..] {
        let others = match others.len() {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        words.push(format!(
            "the artifact {} ({}){others} is not kept: those of a run may have {} in all (--artifact-limit)",
            first.display(),
            bytes(*size),
            bytes(limit),
        ));
    }
    Ok(words)
}

/// The place of an artifact, in a directory that is there.
fn make_room(folder: &Path, name: &Path) -> io::Result<PathBuf> {
    let place = folder.join(name);
    fs::create_dir_all(place.parent().unwrap_or(folder))?;
    Ok(place)
}

/// Makes the links that lead to something that was kept; the names of the others.
fn keep_links(folder: &Path, links: Vec<(Option<PathBuf>, PathBuf)>) -> io::Result<Vec<PathBuf>> {
    let (mut kept, mut lost) = (Vec::new(), Vec::new());
    for (target, name) in links {
        match target {
            None => lost.push(name),
            Some(target) => {
                symlink(target, make_room(folder, &name)?)?;
                kept.push(name);
            }
        }
    }
    // Only now: a link may lead to one that comes later.
    for name in kept {
        let place = folder.join(&name);
        if fs::metadata(&place).is_err() {
            fs::remove_file(&place)?;
            lost.push(name);
        }
    }
    Ok(lost)
}

/// Where the link of this name leads, as it is written in a folder that lies elsewhere; `None` if it leads out of the
/// artifacts, or might.
fn relative(name: &Path, target: &Path) -> Option<PathBuf> {
    let mut above = name.components().count() - 1;
    let mut to = PathBuf::new();
    let rest = if target.is_absolute() {
        to.extend((0..above).map(|_| ".."));
        above = 0;
        target.strip_prefix(OsStr::from_bytes(ARTIFACTS)).ok()?
    } else {
        target
    };
    let mut is_down = false;
    for component in rest.components() {
        match component {
            Component::CurDir => {}
            Component::Normal(part) => {
                is_down = true;
                to.push(part);
            }
            // The directory above one that may be a link is anywhere.
            Component::ParentDir if above > 0 && !is_down => {
                above -= 1;
                to.push("..");
            }
            _ => return None,
        }
    }
    is_down.then_some(to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn links_stay_among_artifacts() {
        let cases = [
            ("a", "b", Some("b")),
            ("a", "./c/b", Some("c/b")),
            ("c/a", "../b", Some("../b")),
            ("c/d/a", "/run/simrun/artifacts/b", Some("../../b")),
            ("c/a", "/run/simrun/artifacts/c/b", Some("../c/b")),
            ("a", "../b", None),
            ("c/a", "../../b", None),
            ("a", "c/../b", None),
            ("a", "/etc/passwd", None),
            ("a", "/run/simrun/artifacts/../b", None),
            ("a", ".", None),
        ];
        for (name, target, expected) in cases {
            let found = relative(Path::new(name), Path::new(target));
            assert_eq!(found.as_deref(), expected.map(Path::new), "{name} to {target}");
        }
    }
}
