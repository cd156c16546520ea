//! What the tests of the command share.
#![allow(dead_code, reason = "each test file uses some of it")]

pub mod compared;
pub mod links;
pub mod machines;
pub mod mocks;

use std::{
    ffi::OsStr,
    fs,
    path::{Path, PathBuf},
    process::{Child, Command, Output, Stdio},
    sync::Once,
    time::{Duration, Instant},
};

/// The command under test.
pub const SIMRUN: &str = env!("CARGO_BIN_EXE_simrun");

/// Copies a program that is about to be run. Another process writes the copy: a child that a test makes at the same time
/// would hold this one's descriptor for a moment, and what is open for writing cannot be run (`ETXTBSY`).
pub fn copy_program(from: impl AsRef<Path>, to: &Path) {
    let status = Command::new("cp").arg(from.as_ref()).arg(to).status();
    assert!(status.is_ok_and(|status| status.success()), "a copy");
}

/// `simrun` with these arguments.
pub fn simrun<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = Command::new(SIMRUN);
    // What cargo sets for its children would make the loader look in more places.
    command.env_remove("LD_LIBRARY_PATH");
    // Runs of tests are kept only where a test says so.
    command.env("SIMRUN_STORE", "");
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// What a command that has ended said, with all that differs between machines taken out.
pub struct Said {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

pub fn said(output: &Output) -> Said {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Said {
        status: output.status.code().unwrap_or(-1),
        stdout: text(&output.stdout),
        stderr: redact(&text(&output.stderr)),
    }
}

/// `simrun` with these arguments and this store.
pub fn stored<S: AsRef<OsStr>>(store: &Path, arguments: impl IntoIterator<Item = S>) -> Command {
    let mut command = simrun(arguments);
    command.env("SIMRUN_STORE", store);
    command
}

/// Runs to the end.
pub fn run<S: AsRef<OsStr>>(arguments: impl IntoIterator<Item = S>) -> Said {
    said(&simrun(arguments).output().expect("simrun can be run"))
}

/// Warnings of calls that are not supported yet come and go; numbers of a run are its own.
fn redact(text: &str) -> String {
    text.lines()
        .filter(|line| !line.starts_with("simrun: warning: "))
        .map(|line| match line.split_once(", fingerprint ") {
            Some((seed, _)) if line.starts_with("simrun: seed ") => {
                format!("{seed}, [summary]\n")
            }
            _ => format!("{line}\n"),
        })
        .collect()
}

/// The fingerprint in simrun's own words.
pub fn fingerprint(output: &Output) -> String {
    let words = String::from_utf8_lossy(&output.stderr);
    let rest = words.split("fingerprint ").nth(1).unwrap_or_else(|| panic!("a summary: {words}"));
    rest.split(',').next().unwrap_or_default().trim().to_owned()
}

/// A file with these faults.
pub fn fault_file(folder: &Path, faults: &str) -> String {
    let path = folder.join("test.yaml");
    fs::write(&path, format!("about: A test.\nfaults:\n{faults}")).expect("a file");
    path.to_str().expect("a path").into()
}

/// Builds `tests/command/NAME.c`.
pub fn build(name: &str, folder: &Path) -> PathBuf {
    build_in("command", name, folder)
}

/// Runs to the end, with this store.
pub fn run_stored<S: AsRef<OsStr>>(store: &Path, arguments: impl IntoIterator<Item = S>) -> Said {
    said(&stored(store, arguments).output().expect("simrun can be run"))
}

/// Builds `tests/AREA/NAME.c`.
pub fn build_in(area: &str, name: &str, folder: &Path) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests").join(area).join(name);
    let binary = folder.join(name);
    let built = Command::new("cc")
        .args(["-O1", "-pthread", "-Wall", "-o"])
        .arg(&binary)
        .arg(source.with_extension("c"))
        .status()
        .expect("a C compiler");
    assert!(built.success());
    binary
}

/// Processes that do nothing but compute, to keep others from the processors.
pub struct Load(Vec<Child>);

impl Load {
    pub fn start() -> Self {
        let one = |_| {
            let mut command = Command::new("/bin/sh");
            command.args(["-c", "while :; do :; done"]).stdout(Stdio::null());
            command.spawn().expect("a shell")
        };
        let processors = std::thread::available_parallelism().map_or(2, usize::from);
        Self((0..processors).map(one).collect())
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        for child in &mut self.0 {
            // One that is gone already is no load.
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}

/// All host processes.
pub fn processes() -> Vec<i32> {
    let entries = fs::read_dir("/proc").expect("/proc").flatten();
    entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok()).collect()
}

/// Parent of a host process.
pub fn parent(pid: i32) -> Option<i32> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

/// Waits until something is so.
pub fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let start = Instant::now();
    while !is_so() {
        assert!(start.elapsed() < Duration::from_secs(20), "in vain: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// An example of this package. `cargo test` builds them all beside the binary, unless it is told which test to run.
pub fn example(name: &str) -> PathBuf {
    static BUILT: Once = Once::new();
    let folder = Path::new(SIMRUN).with_file_name("examples");
    let path = folder.join(name);
    BUILT.call_once(|| {
        if !path.exists() {
            let built = Command::new(env!("CARGO"))
                .args(["build", "--package", env!("CARGO_PKG_NAME"), "--examples"])
                .args((!cfg!(debug_assertions)).then_some("--release"))
                .status();
            assert!(built.is_ok_and(|status| status.success()), "the examples can be built");
        }
    });
    path
}
