//! Programs that trace others.

mod common;

use std::path::Path;

use common::{Load, build_in, fingerprint, said, simrun};

fn run(seed: &str, command: &[&str]) -> std::process::Output {
    let folder = tempfile::tempdir().expect("a folder");
    let mut run = simrun(["--no-store", "--seed", seed, "--"]);
    run.args(command).current_dir(folder.path()).output().expect("a run")
}

#[test]
fn what_is_traced_is_the_same_in_every_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let traced = build_in("fidelity/processes", "traced", folder.path());
    let traced = traced.to_str().expect("a path");
    let shell = "echo words | cat; (sleep 1 & wait)";
    let debugged =
        ["gdb", "-nx", "-batch", "-ex", "break getppid", "-ex", "run", "-ex", "stepi", traced];
    let commands: [&[&str]; 3] =
        [&[traced], &["strace", "-f", "-o", "log", "sh", "-c", shell], &debugged];
    for command in commands {
        for seed in ["1", "2"] {
            let first = run(seed, command);
            assert_eq!(said(&first).status, 0, "{command:?}: {}", said(&first).stderr);
            let _load = Load::start();
            assert_eq!(fingerprint(&first), fingerprint(&run(seed, command)), "{command:?}");
        }
    }
}

#[test]
fn a_tracer_that_forgets_what_it_traces_is_named() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build_in("tracing", "forgets", folder.path());
    let output = run("1", &[Path::new(&program).to_str().expect("a path")]);
    let stderr = said(&output).stderr;
    assert!(stderr.contains("deadlock"), "{stderr}");
    assert!(stderr.contains("waits for its tracer to let it go on"), "{stderr}");
}
