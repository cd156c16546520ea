//! Test suites that others wrote, run natively and simulated: what passes natively must pass simulated.
//!
//! `cargo bench -p simrun --bench suites [NAME]` runs them. Each suite is a test here. Its own tests are told apart by
//! name; at least [`SHARE`] of those that pass natively must pass simulated, and each that does not is listed in
//! `benches/suites/known.txt` with the reason. `SUITES_TABLE=FILE` (from the workspace's root) has the results written
//! there; suites that did not run keep their rows.
//! `docs/reference/suites.md` is such a file.
//!
//! CPython's suites are in Debian's `libpython3.11-testsuite`, but for `test_sqlite3`, which a Python of `PATH` must have.

#[path = "suites/page.rs"]
mod page;

use std::{
    collections::BTreeMap,
    env, fs,
    os::unix::fs::symlink,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::{Arc, Mutex},
    time::{Duration, Instant},
};

use libtest_mimic::{Arguments, Failed, Trial};
use page::{Page, Row};

/// Least share, in percent, of a suite's natively passing tests that must pass simulated.
const SHARE: usize = 90;
/// Longest a suite may take, either way.
const WALL_MAX: Duration = Duration::from_secs(900);

/// A suite and how its tests are told apart.
#[derive(Clone, Copy, Debug)]
enum Suite {
    /// A module of CPython's `test` package.
    Python(&'static str),
    /// A package of Go's standard library.
    Go(&'static str),
    /// A crate as published: name and version.
    Crate(&'static str, &'static str),
}

const SUITES: [Suite; 34] = [
    Suite::Python("test_socket"),
    Suite::Python("test_select"),
    Suite::Python("test_selectors"),
    Suite::Python("test_threading"),
    Suite::Python("test_queue"),
    Suite::Python("test_asyncio"),
    Suite::Python("test_subprocess"),
    Suite::Python("test_signal"),
    Suite::Python("test_time"),
    Suite::Python("test_pipes"),
    Suite::Python("test_fcntl"),
    Suite::Python("test_concurrent_futures"),
    Suite::Python("test_os"),
    Suite::Python("test_posix"),
    Suite::Python("test_shutil"),
    Suite::Python("test_pathlib"),
    Suite::Python("test_tempfile"),
    Suite::Python("test_mmap"),
    Suite::Python("test_zipfile"),
    Suite::Python("test_sqlite3"),
    Suite::Python("test_socketserver"),
    Suite::Python("test_pty"),
    Suite::Python("test_resource"),
    Suite::Python("test_multiprocessing_fork"),
    Suite::Go("sync"),
    Suite::Go("time"),
    Suite::Go("context"),
    Suite::Go("os"),
    Suite::Go("os/signal"),
    Suite::Go("net"),
    Suite::Crate("crossbeam-channel", "0.5.15"),
    Suite::Crate("parking_lot", "0.12.4"),
    Suite::Crate("polling", "3.10.0"),
    Suite::Crate("signal-hook", "0.3.18"),
];

/// An interpreter that has this module of tests: the system's, or another of `PATH`.
fn python_with(module: &str) -> Result<String, Failed> {
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = [PathBuf::from("/usr/bin")].into_iter().chain(env::split_paths(&path));
    let script = format!("import importlib.util as u; exit(not u.find_spec('test.{module}'))");
    let has_it = |python: &PathBuf| {
        let mut command = Command::new(python);
        command.args(["-c", &script]).stdout(Stdio::null()).stderr(Stdio::null());
        command.status().is_ok_and(|status| status.success())
    };
    let found = folders.map(|folder| folder.join("python3")).find(has_it);
    let Some(found) = found else { return Err(format!("no python3 has test.{module}").into()) };
    // What only finds the interpreter is a script of the shell: the tests are about the interpreter itself.
    let output = Command::new(found).args(["-c", "import sys; print(sys.executable)"]).output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

type Results = BTreeMap<String, bool>;
type Table = Arc<Mutex<BTreeMap<String, Row>>>;

/// Commands whose tests together make up a suite, and how to read their results.
struct Prepared {
    commands: Vec<Vec<String>>,
    directory: PathBuf,
    /// Go's own root, if not the usual one.
    go_root: Option<PathBuf>,
}

impl Suite {
    fn name(self) -> String {
        match self {
            Self::Python(module) => format!("python/{module}"),
            Self::Go(package) => format!("go/{package}"),
            Self::Crate(name, _) => format!("crate/{name}"),
        }
    }

    /// What tells tests of one of its commands from those of another: a crate's binaries have names in common.
    fn group(self, program: &str) -> String {
        let stem = Path::new(program).file_name().and_then(|name| name.to_str());
        match (self, stem.and_then(|stem| stem.rsplit_once('-'))) {
            (Self::Crate(..), Some((name, _hash))) => format!("{name}::"),
            _ => String::new(),
        }
    }

    /// Arguments that leave tests out, where an environment variable does not do it.
    fn skips(self, group: &str, leave_out: &str) -> Vec<String> {
        let Self::Crate(..) = self else { return Vec::new() };
        let names = leave_out.split(',').filter_map(|name| name.strip_prefix(group));
        let skips: Vec<_> = names.flat_map(|name| ["--skip", name]).map(str::to_owned).collect();
        // For the names to be whole ones.
        if skips.is_empty() { skips } else { [vec!["--exact".into()], skips].concat() }
    }

    fn prepare(self, folder: &Path) -> Result<Prepared, Failed> {
        let text = |path: &Path| path.display().to_string();
        match self {
            Self::Python(module) => {
                let runner =
                    Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/suites/run_unittest.py");
                let command = vec![python_with(module)?, text(&runner), module.into()];
                Ok(Prepared {
                    commands: vec![command],
                    directory: folder.to_path_buf(),
                    go_root: None,
                })
            }
            Self::Go(package) => {
                let binary = folder.join("tests");
                let cache = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go");
                run_to_end(
                    Command::new("go")
                        .args(["test", "-c", "-o"])
                        .arg(&binary)
                        .arg(package)
                        .env("GOCACHE", &cache)
                        .env("GOPATH", cache.join("path")),
                )?;
                let root =
                    String::from_utf8(Command::new("go").args(["env", "GOROOT"]).output()?.stdout)?;
                let root = Path::new(root.trim());
                let command = vec![text(&binary), "-test.v".into(), "-test.short".into()];
                Ok(Prepared {
                    commands: vec![command],
                    directory: root.join("src").join(package),
                    go_root: Some(go_root_with_zones(root, folder)?),
                })
            }
            Self::Crate(name, version) => prepare_crate(name, version),
        }
    }
}

fn run_to_end(command: &mut Command) -> Result<Vec<u8>, Failed> {
    let output = command.stdin(Stdio::null()).output()?;
    if output.status.success() {
        Ok(output.stdout)
    } else {
        Err(format!("{command:?}: {}", String::from_utf8_lossy(&output.stderr)).into())
    }
}

/// Go's root with an archive of time zones in it, as Go itself has one and Debian has not.
fn go_root_with_zones(root: &Path, folder: &Path) -> Result<PathBuf, Failed> {
    const PACK: &str = "
import os, sys, zipfile
with zipfile.ZipFile(sys.argv[1], 'w', zipfile.ZIP_STORED) as archive:
    for directory, _, names in os.walk('/usr/share/zoneinfo'):
        for name in sorted(names):
            path = os.path.join(directory, name)
            archive.write(path, os.path.relpath(path, '/usr/share/zoneinfo'))
";
    let own = folder.join("go");
    fs::create_dir_all(own.join("lib/time"))?;
    for entry in fs::read_dir(root)?.flatten() {
        if entry.file_name() != "lib" {
            symlink(fs::canonicalize(entry.path())?, own.join(entry.file_name()))?;
        }
    }
    let archive = own.join("lib/time/zoneinfo.zip");
    run_to_end(Command::new("/usr/bin/python3").args(["-c", PACK]).arg(archive))?;
    Ok(own)
}

/// Fetches a crate's published source and builds its tests.
fn prepare_crate(name: &str, version: &str) -> Result<Prepared, Failed> {
    let base = Path::new(env!("CARGO_TARGET_TMPDIR")).join("crates");
    let fetcher = base.join(format!("fetch-{name}"));
    fs::create_dir_all(fetcher.join("src"))?;
    fs::write(fetcher.join("src/lib.rs"), "")?;
    let manifest = format!(
        "[package]\nname = \"fetcher\"\nversion = \"0.0.0\"\nedition = \"2021\"\n[workspace]\n[dependencies]\n{name} = \"={version}\"\n"
    );
    fs::write(fetcher.join("Cargo.toml"), manifest)?;
    let metadata = run_to_end(
        Command::new(env!("CARGO"))
            .args(["metadata", "--format-version", "1"])
            .current_dir(&fetcher),
    )?;
    let metadata: serde_json::Value = serde_json::from_slice(&metadata)?;
    let package = metadata["packages"]
        .as_array()
        .into_iter()
        .flatten()
        .find(|package| package["name"] == name);
    let manifest = package
        .and_then(|package| package["manifest_path"].as_str())
        .ok_or("the crate was not fetched")?;
    let source = Path::new(manifest).parent().ok_or("a manifest lies in a folder")?;
    let copy = base.join(name);
    if !copy.exists() {
        run_to_end(Command::new("cp").args(["-r"]).args([source, &copy]))?;
        let mut manifest = fs::read_to_string(copy.join("Cargo.toml"))?;
        manifest.push_str("\n[workspace]\n");
        fs::write(copy.join("Cargo.toml"), manifest)?;
    }
    let messages = run_to_end(
        Command::new(env!("CARGO"))
            .args(["test", "--no-run", "--lib", "--tests", "--message-format", "json"])
            .env("CARGO_TARGET_DIR", base.join("target"))
            .current_dir(&copy),
    )?;
    let commands = String::from_utf8(messages)?
        .lines()
        .filter_map(|line| serde_json::from_str::<serde_json::Value>(line).ok())
        .filter(|message| message["profile"]["test"] == true)
        .filter_map(|message| message["executable"].as_str().map(str::to_owned))
        .map(|binary| vec![binary, "--test-threads=2".into()])
        .collect();
    Ok(Prepared { commands, directory: copy, go_root: None })
}

/// Runs a suite, behind a prefix of the command line, and reads which of its tests passed.
fn run_suite(
    suite: Suite,
    prepared: &Prepared,
    folder: &Path,
    prefix: &[String],
    leave_out: &str,
) -> Result<Results, Failed> {
    let mut results = Results::new();
    for command in &prepared.commands {
        let group = suite.group(&command[0]);
        let skips = suite.skips(&group, leave_out);
        let line: Vec<_> = prefix.iter().chain(command).chain(&skips).collect();
        // Of its own: names for temporary files are drawn from the seed, so that two suites at a time draw the same.
        let temporary = tempfile::tempdir_in(folder)?;
        let (out, err) =
            (fs::File::create(folder.join("out"))?, fs::File::create(folder.join("err"))?);
        let mut command = Command::new(line[0]);
        if let Some(root) = &prepared.go_root {
            command.env("GOROOT", root);
        }
        let mut child = command
            .args(&line[1..])
            .current_dir(&prepared.directory)
            .env("SUITE_LEAVE_OUT", leave_out)
            .env("TMPDIR", temporary.path())
            .stdin(Stdio::null())
            .stdout(out)
            .stderr(err)
            .spawn()?;
        let start = Instant::now();
        while child.try_wait()?.is_none() {
            if start.elapsed() > WALL_MAX {
                // What had passed by then counts; the rest has not passed.
                child.kill()?;
                child.wait()?;
                break;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let text = fs::read(folder.join("out"))?;
        read_results(suite, &group, &String::from_utf8_lossy(&text), &mut results);
    }
    Ok(results)
}

fn read_results(suite: Suite, group: &str, text: &str, results: &mut Results) {
    for line in text.lines() {
        let found = match suite {
            Suite::Python(_) => line
                .strip_prefix(":: ")
                .and_then(|rest| rest.split_once(' '))
                .map(|(name, status)| (name, status == "pass")),
            Suite::Go(_) => {
                let line = line.trim_start();
                let pass = line.strip_prefix("--- PASS: ").map(|rest| (rest, true));
                pass.or_else(|| line.strip_prefix("--- FAIL: ").map(|rest| (rest, false)))
                    .map(|(rest, passed)| (rest.split(' ').next().unwrap_or(rest), passed))
            }
            Suite::Crate(..) => line
                .strip_prefix("test ")
                .and_then(|rest| rest.split_once(" ... "))
                .and_then(|(name, status)| match status {
                    "ok" => Some((name, true)),
                    "FAILED" => Some((name, false)),
                    _ => None,
                }),
        };
        if let Some((name, passed)) = found {
            results.insert(format!("{group}{name}"), passed);
        }
    }
}

/// Tests that are known to fail simulated, with the reason, by suite.
fn known() -> BTreeMap<String, BTreeMap<String, String>> {
    let text = include_str!("suites/known.txt");
    let mut known: BTreeMap<String, BTreeMap<String, String>> = BTreeMap::new();
    for line in text.lines().filter(|line| !line.starts_with('#') && !line.trim().is_empty()) {
        let (name, reason) = line.split_once(": ").expect("each known failure has a reason");
        let (suite, test) = name.split_once(' ').expect("a suite and a test");
        known.entry(suite.to_owned()).or_default().insert(test.to_owned(), reason.to_owned());
    }
    known
}

fn check(suite: Suite, table: &Table) -> Result<(), Failed> {
    let folder = tempfile::tempdir()?;
    let prepared = suite.prepare(folder.path())?;
    let native = run_suite(suite, &prepared, folder.path(), &[], "")?;
    let listed = known().remove(&suite.name()).unwrap_or_default();
    let leave_out = listed.keys().map(String::as_str).collect::<Vec<_>>().join(",");
    let simrun =
        [env!("CARGO_BIN_EXE_simrun"), "--no-store", "--seed", "1", "--"].map(str::to_owned);
    let simulated = run_suite(suite, &prepared, folder.path(), &simrun, &leave_out)?;
    let passing: Vec<&String> =
        native.iter().filter(|(_, passed)| **passed).map(|(name, _)| name).collect();
    let lost: Vec<&&String> =
        passing.iter().filter(|name| simulated.get(**name) != Some(&true)).collect();
    let mut row = Row::new(passing.len(), passing.len() - lost.len());
    for name in &lost {
        row.count_lost(listed.get(name.as_str()).map_or("not known", String::as_str));
    }
    table.lock().map_err(|_| "the table is broken")?.insert(suite.name(), row);
    if passing.is_empty() {
        return Err("no test of the suite passes natively".into());
    }
    let new: Vec<_> = lost.iter().filter(|name| !listed.contains_key(name.as_str())).collect();
    let words = fs::read(folder.path().join("err")).unwrap_or_default();
    let tail = String::from_utf8_lossy(&words[words.len().saturating_sub(4000)..]).into_owned();
    if (passing.len() - lost.len()) * 100 < passing.len() * SHARE {
        return Err(format!("{} of {} lost: {lost:?}\n{tail}", lost.len(), passing.len()).into());
    }
    if new.is_empty() {
        Ok(())
    } else {
        Err(format!("lost without a reason: {new:?}\n{tail}").into())
    }
}

fn main() {
    let mut arguments = Arguments::from_args();
    // What cargo says to benchmarks would leave tests out.
    arguments.bench = false;
    // Suites bring their own load; two at a time is what a small machine takes.
    arguments.test_threads.get_or_insert(2);
    let table = Table::default();
    let trials = SUITES
        .into_iter()
        .map(|suite| {
            let table = Arc::clone(&table);
            Trial::test(suite.name(), move || check(suite, &table))
        })
        .collect();
    let conclusion = libtest_mimic::run(&arguments, trials);
    if let (Some(path), Ok(mut table)) = (env::var_os("SUITES_TABLE"), table.lock()) {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(path);
        let mut page = Page::read(&fs::read_to_string(&path).unwrap_or_default());
        page.update(std::mem::take(&mut *table));
        if let Err(error) = fs::write(&path, page.to_string()) {
            eprintln!("the table cannot be written: {error}");
        }
    }
    conclusion.exit();
}
