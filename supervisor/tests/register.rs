//! The register of `examples/register`: five nodes in Go and in Python, and clients that watch them.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

use common::{Load, compared::simulated, fingerprint, said, simrun, stored};
use nix::sys::resource::{UsageWho, getrusage};

/// Simulated time is to pass so much faster than the processors work for it.
const COMPRESSION_MIN: f64 = 100.0;

/// The example in a folder of its own, the Go one built.
fn example() -> (tempfile::TempDir, PathBuf) {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/register");
    let folder = tempfile::tempdir().expect("a folder");
    for entry in fs::read_dir(source).expect("the example").flatten() {
        fs::copy(entry.path(), folder.path().join(entry.file_name())).expect("a copy");
    }
    let mut build = Command::new("go");
    build.args(["build", "-o", "store", "store.go"]).current_dir(folder.path());
    build.env("GOFLAGS", "-mod=mod").env("GOCACHE", folder.path().join("cache"));
    assert!(build.status().expect("a Go compiler").success());
    let path = folder.path().to_path_buf();
    (folder, path)
}

/// Time that the processors have worked for processes that have ended.
fn worked() -> Duration {
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN).expect("a plain call");
    let time = |value: nix::sys::time::TimeVal| {
        Duration::new(value.tv_sec() as u64, value.tv_usec() as u32 * 1000)
    };
    time(usage.user_time()) + time(usage.system_time())
}

#[test]
fn a_store_in_either_language_comes_out_the_same_again_and_fast() {
    let (_folder, place) = example();
    for file in ["go.yaml", "python.yaml"] {
        let once = || {
            let mut command = simrun(["sim", file, "--seed", "2"]);
            command.current_dir(&place).output().expect("a run")
        };
        let (before, start) = (worked(), Instant::now());
        let idle = once();
        let work = (worked() - before).as_secs_f64();
        let told = said(&idle);
        assert_eq!(told.status, 0, "{file}: {}", told.stderr);
        assert!(told.stdout.matches("never-back PASS").count() >= 2, "{file}: {}", told.stdout);
        let compression = simulated(&idle) / work;
        println!("{file}: {compression:.0} times, {:?} of real time", start.elapsed());
        assert!(compression > COMPRESSION_MIN, "{file}: {compression} times");
        let busy = {
            let _load = Load::start();
            once()
        };
        assert_eq!(fingerprint(&idle), fingerprint(&busy), "{file}");
        assert_eq!(idle.stdout, busy.stdout, "{file}");
    }
}

#[test]
fn majorities_that_are_none_are_found_out() {
    let (_folder, place) = example();
    let store = tempfile::tempdir().expect("a folder");
    let explored = |arguments: &[&str], file: &str| {
        let all = [&["explore", "--fail-fast"], arguments, &["sim", file]].concat();
        said(&stored(store.path(), all).current_dir(&place).output().expect("runs"))
    };
    let python = explored(&["--depth", "3", "--env", "MAJORITY=2"], "python.yaml");
    assert_eq!(python.status, 1, "{}", python.stderr);
    assert!(python.stdout.contains("invariant 1 (never-back) is violated"), "{}", python.stdout);
    let go = ["--depth", "20", "--env", "MAJORITY=1", "--faults", "outages.yaml"];
    let go = explored(&go, "go.yaml");
    assert_eq!(go.status, 1, "{}", go.stderr);
    // The baseline is right, and a fault is what shows it.
    let again = go.stdout.lines().find_map(|line| line.split_once("again with: "));
    let (_, again) = again.unwrap_or_else(|| panic!("a command: {}", go.stdout));
    assert!(again.contains("--faults outages.yaml --env MAJORITY=1 go.yaml"), "{again}");
    let words = again.split(' ').skip(1);
    let again = said(&simrun(words).current_dir(&place).output().expect("a run"));
    assert_eq!(again.status, 1);
    assert!(again.stdout.contains("never-back FAIL"), "{}", again.stdout);
}
