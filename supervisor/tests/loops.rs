//! Threads that wait in a loop without a system call go on as if they had blocked, the same each time.

mod common;

use std::{path::Path, process::Command};

use common::{Load, build_in, fingerprint, run, said, simrun};

/// Runs of each program that are compared, the last of them on a busy machine.
const RUNS: usize = 3;

/// Runs a command so often, and compares; gives its output.
#[track_caller]
fn output_of(command: &[&Path]) -> String {
    let mut first = None;
    for run in 0..RUNS {
        let load = (run == RUNS - 1).then(Load::start);
        let output = simrun(["--seed", "3", "--wall-timeout", "300s", "--"])
            .args(command)
            .output()
            .expect("a run");
        drop(load);
        let said = said(&output);
        assert_eq!(said.status, 0, "{}", said.stderr);
        let this = (fingerprint(&output), said.stdout);
        assert_eq!(first.get_or_insert_with(|| this.clone()), &this, "run {run} of {command:?}");
    }
    first.expect("there were runs").1
}

#[track_caller]
fn assert_goes_on(name: &str, expected: &str) {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build_in("loops", name, folder.path());
    assert_eq!(output_of(&[&program]), expected);
}

#[test]
fn for_a_thread() {
    assert_goes_on("flag", "");
}

#[test]
fn several_threads_at_one_place_with_calls_and_writes() {
    assert_goes_on("calls", "all have seen it\n");
}

#[test]
fn for_signals_of_timers() {
    assert_goes_on("alarm", "alarm\nprocessor time\n");
}

#[test]
fn for_another_process() {
    assert_goes_on("processes", "1\n2\n3\n");
}

#[test]
fn in_code_that_must_not_be_patched() {
    assert_goes_on("made_code", "done\n");
}

#[test]
fn computing_is_not_waiting() {
    assert_goes_on("vectors", "2.000000\n");
}

#[test]
fn bytecode() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/loops/flag.py");
    let output = output_of(&[Path::new("/usr/bin/python3"), &script]);
    assert_eq!(output, "seen\nended after 5 s\n");
}

#[test]
fn a_loop_that_counts_is_learned_and_the_run_begins_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build_in("loops", "counting", folder.path());
    let first = simrun(["--seed", "1", "--"]).arg(&program).output().expect("a run");
    let words = String::from_utf8_lossy(&first.stderr).into_owned();
    assert_eq!(first.status.code(), Some(0), "{words}");
    let place = words.split("--yield-at ").nth(1).expect("the place is named");
    let place = place.split(')').next().expect("in parentheses");
    let mut told = simrun(["--seed", "1", "--yield-at", place, "--"]);
    let told = told.arg(&program).output().expect("a run");
    assert_eq!(fingerprint(&told), fingerprint(&first), "with the place told at once");
    assert!(!String::from_utf8_lossy(&told.stderr).contains("warning"));
}

#[test]
fn waiting_for_nobody_is_a_deadlock_that_names_the_place() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build_in("loops", "forever", folder.path());
    for (arguments, threads) in [(&[][..], 1), (&["two"][..], 2)] {
        let output =
            simrun(["--seed", "1", "--"]).arg(&program).args(arguments).output().expect("a run");
        let said = said(&output);
        assert_eq!(said.status, 125, "{}", said.stderr);
        assert!(said.stderr.contains("simrun: deadlock: no thread can ever run again"));
        let named = said.stderr.matches("waits for a change of memory, in a loop at ").count();
        assert_eq!(named, threads, "{}", said.stderr);
        assert!(said.stderr.contains("/forever+0x"), "{}", said.stderr);
    }
}

#[test]
fn a_place_must_be_one() {
    let cases = [
        ("/bin/true", "write a file and an offset in it, as in ./service+0x12f3"),
        ("/no/such+0x10", "/no/such: cannot be read for --yield-at: No such file"),
        ("/bin/true+0x1", "/bin/true+0x1: no jump is there to yield at"),
    ];
    for (place, words) in cases {
        let said = run(["--yield-at", place, "--", "/bin/true"]);
        assert_eq!(said.status, 125, "{place}");
        assert!(said.stderr.contains(words), "{place}: {}", said.stderr);
    }
}

#[test]
fn a_shell_computes_for_nobody_s_trouble() {
    let mut alone = Command::new("/bin/sh");
    let script = "i=0; while [ $i -lt 300000 ]; do i=$((i+1)); done; echo $i";
    let native = alone.args(["-c", script]).output().expect("a shell").stdout;
    let simulated = run(["--", "/bin/sh", "-c", script]);
    assert_eq!((simulated.status, simulated.stdout.as_bytes()), (0, native.as_slice()));
}
