//! Folders of commands that drive a test, each run as its name says (Antithesis's test composer).

use std::{
    fs,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use simrun_config::spelling;

/// What a command is for, by the beginning of its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One of them is run before anything else.
    First,
    /// Any number of them at one time, also of the same.
    Parallel,
    /// One of them, and no other driver.
    Singleton,
    /// While no other driver runs.
    Serial,
    /// At any time but first and at the end.
    Anytime,
    /// One of them at the end, everything else killed and faults over.
    Eventually,
    /// One of them at the end, all drivers having ended and faults over.
    Finally,
}

/// How names begin.
const PREFIXES: [(&str, Kind); 7] = [
    ("first_", Kind::First),
    ("parallel_driver_", Kind::Parallel),
    ("singleton_driver_", Kind::Singleton),
    ("serial_driver_", Kind::Serial),
    ("anytime_", Kind::Anytime),
    ("eventually_", Kind::Eventually),
    ("finally_", Kind::Finally),
];
/// What the composer prints when faults are to be over.
pub const QUIET: &str = "simrun: no more faults from here on";
/// What begins so is for the others to use.
const HELPER: &str = "helper_";

/// The commands of a folder, by name.
///
/// # Errors
/// What is wrong, in words.
pub fn commands(folder: &Path) -> Result<Vec<(Kind, PathBuf)>, String> {
    let entries =
        fs::read_dir(folder).map_err(|error| format!("`{}`: {error}", folder.display()))?;
    let mut commands = Vec::new();
    for path in entries.flatten().map(|entry| entry.path()) {
        let is_command = path
            .metadata()
            .is_ok_and(|file| file.is_file() && file.permissions().mode() & 0o111 != 0);
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if !is_command || name.starts_with(HELPER) {
            continue;
        }
        match PREFIXES.iter().find(|(prefix, _)| name.starts_with(prefix)) {
            Some((_, kind)) => commands.push((*kind, path)),
            None => return Err(unknown(&name)),
        }
    }
    commands.sort_by(|(_, one), (_, other)| one.cmp(other));
    let drives = |kind| matches!(kind, Kind::Parallel | Kind::Singleton | Kind::Serial);
    if commands.iter().any(|(kind, _)| drives(*kind)) {
        Ok(commands)
    } else {
        Err(format!("`{}` has no driver that can be executed", folder.display()))
    }
}

fn unknown(name: &str) -> String {
    let start: String = name.rfind('_').map_or(name, |at| &name[..=at]).into();
    let prefixes = || PREFIXES.iter().map(|(prefix, _)| *prefix).chain([HELPER]);
    let hint = spelling::nearest(&start, prefixes())
        .map_or_else(|| spelling::alternatives(prefixes()), |near| format!("`{near}`"));
    format!("`{name}` does not say what it is for: a name begins with {hint}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(names: &[&str]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for name in names {
            let path = folder.path().join(name);
            fs::write(&path, "").expect("a file");
            let mode = if name.ends_with(".txt") { 0o644 } else { 0o755 };
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).expect("a mode");
        }
        folder
    }

    #[test]
    fn names_say_what_commands_are_for() {
        let all =
            ["serial_driver_b", "first_a", "helper_x", "notes.txt", "eventually_c", "anytime_d"];
        let folder = folder(&all);
        let kinds: Vec<_> = commands(folder.path())
            .expect("they are right")
            .into_iter()
            .map(|(kind, _)| kind)
            .collect();
        assert_eq!(kinds, [Kind::Anytime, Kind::Eventually, Kind::First, Kind::Serial]);
    }

    #[test]
    fn what_is_wrong_is_said() {
        let wrong = |names: &[&str]| commands(folder(names).path()).expect_err("it is wrong");
        let near =
            "`paralel_driver_a` does not say what it is for: a name begins with `parallel_driver_`";
        assert_eq!(wrong(&["paralel_driver_a"]), near);
        assert!(wrong(&["x"]).contains("`first_`, `parallel_driver_`"));
        assert!(wrong(&["first_a"]).ends_with("has no driver that can be executed"));
        assert!(commands(Path::new("/no/such")).is_err());
    }
}
