//! Losing power: what it takes from a run, and who is found out by it.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use common::{Load, SIMRUN, fingerprint, said, simrun};

/// How the ledger has an entry written to the disk before it acknowledges it.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Synchronizes {
    /// Not at all.
    Not,
    /// By sync_file_range(2), which is not made for that.
    Range,
    /// By fsync(2).
    File,
}

/// Builds the ledger of the examples.
fn ledger(folder: &Path, synchronizes: Synchronizes) -> PathBuf {
    let crate_folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let source = crate_folder.join("../examples/ledger/ledger.c");
    let binary = folder.join("ledger");
    let mut compile = Command::new("cc");
    compile.args(["-O1", "-Wall", "-D_GNU_SOURCE", "-o"]).arg(&binary).arg(source);
    match synchronizes {
        Synchronizes::Not => {}
        Synchronizes::Range => {
            let by_range = crate_folder.join("tests/power/by_range.c");
            compile.args(["-DFIXED", "-Dfsync=sync_by_range"]).arg(by_range);
        }
        Synchronizes::File => {
            compile.arg("-DFIXED");
        }
    }
    assert!(compile.status().expect("a C compiler").success());
    binary
}

/// Explores seeds under fault models in a folder of its own; the exit status and the report.
fn explore(synchronizes: Synchronizes, depth: u32, models: &str) -> (i32, String) {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path(), synchronizes);
    let output = Command::new(SIMRUN)
        .args(["explore", "--no-store", "--depth", &depth.to_string(), "--faults", models, "--"])
        .arg(ledger)
        .current_dir(folder.path())
        .stdin(Stdio::null())
        .output()
        .expect("runs");
    let report = String::from_utf8_lossy(&output.stdout).into_owned();
    (output.status.code().unwrap_or(-1), report)
}

#[test]
fn a_forgotten_fsync_is_found_within_twenty_seeds() {
    for synchronizes in [Synchronizes::Not, Synchronizes::Range] {
        let (status, report) = explore(synchronizes, 20, "power-loss");
        assert_eq!(status, 1, "{report}");
        assert!(report.contains("acknowledged-entries-are-kept"), "{report}");
        assert!(report.contains("violation"), "{report}");
        assert!(!report.contains("crash"), "{report}");
    }
}

#[test]
fn with_the_fsync_a_thousand_seeds_pass() {
    let (status, report) = explore(Synchronizes::File, 1000, "power-loss");
    assert_eq!(status, 0, "{report}");
    assert!(report.contains("1001 succeeded"), "{report}");
}

#[test]
fn a_loss_of_power_is_the_same_every_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let ledger = ledger(folder.path(), Synchronizes::Not);
    let run = |seed: u32| {
        let mut run = simrun(["--seed", &seed.to_string(), "--faults", "power-loss-strict", "--"]);
        let output = run.arg(&ledger).current_dir(folder.path()).output().expect("a run");
        (fingerprint(&output), said(&output).stdout)
    };
    for seed in [1, 2, 3, 4] {
        let idle = run(seed);
        let load = Load::start();
        let loaded = run(seed);
        drop(load);
        assert_eq!(idle, loaded, "seed {seed}");
    }
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 1, "only the program");
}

#[test]
fn nothing_but_files_outlives_a_loss_of_power() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = folder.path().join("script.sh");
    let words = "
        echo x >>$SIMRUN_ARTIFACTS/starts
        echo $$ \"$(ls /dev/shm | wc -l)\" \"$(jobs -p | wc -l)\"
        test -e kept && { cat kept $SIMRUN_ARTIFACTS/starts; exit 5; }
        echo x >/dev/shm/gone
        (while :; do sleep 1; done) &
        echo synchronized >kept; sync kept .
        sleep 60
    ";
    fs::write(&script, words).expect("a file");
    let models = folder.path().join("late.yaml");
    let model = "about: Power is lost after ten seconds.\n\
                 faults: { once: { do: { lose-power: { off: 3s } }, after: 10s, limit: 1 } }\n";
    fs::write(&models, model).expect("a file");
    let mut run = simrun(["--seed", "1", "--fault-log", "--faults"]);
    run.arg(&models).args(["--", "/bin/bash"]).arg(&script).current_dir(folder.path());
    let said = said(&run.output().expect("a run"));
    assert_eq!(said.status, 5, "{}", said.stderr);
    // The same process number: the machine has booted anew.
    assert_eq!(said.stdout, "100 0 0\n100 0 0\nsynchronized\nx\nx\n");
    assert!(said.stderr.contains("the machine loses power and is off for 3000"), "{}", said.stderr);
}
