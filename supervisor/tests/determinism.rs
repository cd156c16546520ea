//! A seed gives one fingerprint, whatever else the machine does and wherever simrun is started.
//!
//! `SIMRUN_RUNS` says how many runs of each program are compared.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::{Load, build_in, fingerprint, simrun};

/// Runs of each program, unless `SIMRUN_RUNS` says otherwise.
const RUNS: usize = 6;

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fidelity")
}

/// `PATH` of every run. That and a home are the whole environment, so that a test is the same wherever it runs: a program
/// that copies its environment may allocate in another order for each, see the README's limits.
const SEARCH: &str = "/usr/sbin:/usr/bin:/sbin:/bin";
/// What differs between two shells of one user.
const OTHER_ENVIRONMENT: [(&str, &str); 2] = [("TERM", "dumb"), ("EXTRA", "1")];

/// Compares the runs of a command: half of them on a busy machine, begun in turn from two directories with two
/// environments.
#[track_caller]
fn assert_one_fingerprint(command: &[&Path]) {
    assert_one_fingerprint_with(&OTHER_ENVIRONMENT, command);
}

#[track_caller]
fn assert_one_fingerprint_with(environment: &[(&str, &str)], command: &[&Path]) {
    let runs = std::env::var("SIMRUN_RUNS").map_or(RUNS, |runs| runs.parse().expect("a number"));
    let scratch = tempfile::tempdir().expect("a folder");
    let mut load = None;
    let mut first = None;
    for run in 0..runs {
        if run == runs / 2 {
            load = Some(Load::start());
        }
        // The program's own directory is one of its inputs, and must be empty each time.
        let inside = scratch.path().join("inside");
        fs::create_dir_all(&inside).expect("a folder");
        let mut simrun = simrun(["--seed", "7", "--wall-timeout", "300s", "--cwd"]);
        simrun.arg(&inside).arg("--").args(command);
        simrun.env_clear().env("PATH", SEARCH).env("HOME", scratch.path());
        if run % 2 == 1 {
            simrun.current_dir("/").envs(environment.iter().copied());
        }
        let output = simrun.output().expect("a run");
        fs::remove_dir_all(&inside).expect("the folder");
        let this = (output.status.code(), fingerprint(&output), output.stdout);
        let first = first.get_or_insert_with(|| this.clone());
        assert!(
            first.1 == this.1 && first.0 == this.0 && first.2 == this.2,
            "run {run} of {command:?}"
        );
    }
    drop(load);
}

/// A script or program text of the fidelity tests, and what interprets it.
#[track_caller]
fn assert_interpreted(interpreter: &str, source: &str) {
    assert_one_fingerprint(&[Path::new(interpreter), &sources().join(source)]);
}

#[track_caller]
fn assert_built(compiler: &str, arguments: &[&str], source: &Path) {
    assert_built_with(&OTHER_ENVIRONMENT, compiler, arguments, source);
}

#[track_caller]
fn assert_built_with(
    environment: &[(&str, &str)],
    compiler: &str,
    arguments: &[&str],
    source: &Path,
) {
    let folder = tempfile::tempdir().expect("a folder");
    let binary = folder.path().join("program");
    let built = Command::new(compiler).args(arguments).arg(&binary).arg(source).status();
    assert!(built.expect("a compiler").success());
    assert_one_fingerprint_with(environment, &[&binary]);
}

#[test]
fn pipelines() {
    assert_interpreted("/bin/bash", "shell/pipeline.sh");
}

#[test]
fn tools() {
    assert_interpreted("/bin/bash", "shell/tools.sh");
}

#[test]
fn c_threads() {
    let folder = tempfile::tempdir().expect("a folder");
    assert_one_fingerprint(&[&build_in("command", "threads", folder.path())]);
}

#[test]
fn cpp_threads() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/determinism/threads.cc");
    assert_built("c++", &["-O1", "-pthread", "-o"], &source);
}

#[test]
fn rust_threads() {
    assert_built("rustc", &["-O", "-o"], &sources().join("rust/threads_and_channels.rs"));
}

#[test]
fn goroutines() {
    // When its collector runs depends on the size of the heap, which has a copy of the environment in it.
    assert_built_with(&[], "go", &["build", "-o"], &sources().join("go/goroutines.go"));
}

#[test]
fn go_http_in_two_processes() {
    let source = sources().join("go/http_processes.go");
    assert_built_with(&[], "go", &["build", "-o"], &source);
}

#[test]
fn static_c() {
    let source = sources().join("threads/primitives.c");
    assert_built("cc", &["-O1", "-static", "-pthread", "-D_GNU_SOURCE", "-o"], &source);
}

#[test]
fn make_and_a_compiler() {
    // A compiler asks for its terminal only where TERM names one that can show colours.
    let script = sources().join("shell/make_and_gcc.sh");
    assert_one_fingerprint_with(&[("EXTRA", "1")], &[Path::new("/bin/bash"), &script]);
}

#[test]
fn git() {
    assert_interpreted("/bin/bash", "shell/git.sh");
}

#[test]
fn python_http() {
    assert_interpreted("/usr/bin/python3", "python/http_server.py");
}

#[test]
fn python_asyncio() {
    assert_interpreted("/usr/bin/python3", "python/asyncio_echo.py");
}

#[test]
fn python_threads_and_processes() {
    // It keeps waiting threads in sets, which are ordered by where objects lie on a heap that the environment is on, too.
    let script = sources().join("python/threads_and_processes.py");
    assert_one_fingerprint_with(&[], &[Path::new("/usr/bin/python3"), &script]);
}

#[test]
fn redis() {
    // It copies its environment, and how often its allocator takes a lock depends on what was allocated before: to this
    // program the environment is input.
    let script = sources().join("servers/redis.sh");
    assert_one_fingerprint_with(&[], &[Path::new("/bin/bash"), &script]);
}

#[test]
fn nginx() {
    assert_interpreted("/bin/bash", "servers/nginx.sh");
}

#[test]
fn memcached() {
    assert_interpreted("/bin/bash", "servers/memcached.sh");
}

#[test]
fn sqlite() {
    assert_interpreted("/bin/bash", "servers/sqlite.sh");
}
