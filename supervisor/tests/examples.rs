//! What the examples' pages promise.

mod common;

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use common::{run_stored, said, simrun, stored};
use serde_json::Value;

/// A copy of an example, in a folder as the repository's.
fn copy(name: &str, folder: &Path) -> PathBuf {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples").join(name);
    let to = folder.join("examples").join(name);
    fs::create_dir_all(&to).expect("a folder");
    for entry in fs::read_dir(from).expect("an example").flatten() {
        fs::copy(entry.path(), to.join(entry.file_name())).expect("a copy");
    }
    to
}

/// Mends a copy as its page says.
fn mend(example: &Path, folder: &Path) {
    let mended = Command::new("patch")
        .args(["-p1", "-s", "-i"])
        .arg(example.join("fix.patch"))
        .current_dir(folder)
        .status()
        .expect("patch");
    assert!(mended.success());
}

/// What was told of the runs that were explored last.
fn report(store: &Path) -> Value {
    let status = run_stored(store, ["status", "last", "--format", "json"]);
    serde_json::from_str(&status.stdout).expect("a report")
}

/// Explores a command from the folder that has `examples` in it. What went wrong, and the exit status.
fn explore(folder: &Path, options: &[&str], command: &[&str]) -> (i32, BTreeSet<String>) {
    let store = folder.join("store");
    let arguments = ["explore"].iter().chain(options).chain(&["--"]).chain(command);
    let output = stored(&store, arguments).current_dir(folder).output().expect("runs");
    let said = said(&output);
    let report = report(&store);
    let bugs = report["bugs"].as_array().expect("a list").iter();
    (said.status, bugs.map(|bug| bug["title"].as_str().unwrap_or_default().to_owned()).collect())
}

#[test]
fn flaky_test_is_found_out_and_mended() {
    let folder = tempfile::tempdir().expect("a folder");
    let example = copy("flaky", folder.path());
    let test = ["/usr/bin/python3", "examples/flaky/test_shop.py"];
    let options = ["--depth", "10", "--faults", "slow-network,pauses"];
    let (status, bugs) = explore(folder.path(), &options, &test);
    assert_eq!(status, 1);
    for part in ["ConnectionRefusedError", "TimeoutError", "Lists differ"] {
        assert!(bugs.iter().any(|bug| bug.contains(part)), "{part}: {bugs:?}");
    }
    mend(&example, folder.path());
    assert_eq!(explore(folder.path(), &options, &test), (0, BTreeSet::new()));
}

#[test]
fn orders_are_lost_and_doubled_until_they_are_known_by_their_number() {
    let folder = tempfile::tempdir().expect("a folder");
    let example = copy("orders", folder.path());
    let test = ["/usr/bin/python3", "examples/orders/test_orders.py"];
    let options = ["--depth", "20", "--faults", "slow-network,flaky-connections"];
    let (status, bugs) = explore(folder.path(), &options, &test);
    assert_eq!(status, 1);
    assert!(bugs.iter().any(|bug| bug.contains("no-order-is-lost")), "{bugs:?}");
    let report = report(&folder.path().join("store"));
    for invariant in ["1", "2"] {
        let failed = &report["invariants"][invariant]["failed"];
        assert!(failed.as_u64().is_some_and(|failed| failed > 0), "{}", report["invariants"]);
    }
    mend(&example, folder.path());
    assert_eq!(explore(folder.path(), &options, &test), (0, BTreeSet::new()));
}

#[test]
fn a_divided_store_loses_writes_until_it_asks_for_a_majority() {
    let folder = tempfile::tempdir().expect("a folder");
    let example = copy("replicated", folder.path());
    let file = example.join("replicated.yaml");
    let sim = |options: &[&str]| {
        let mut command = simrun(["sim"]);
        said(&command.arg(&file).args(options).output().expect("a run"))
    };
    let calm = sim(&["--seed", "1", "--faults", "baseline"]);
    assert_eq!(calm.status, 0, "{}{}", calm.stdout, calm.stderr);
    for seed in ["1", "2"] {
        let divided = sim(&["--seed", seed]);
        assert_eq!(divided.status, 1, "{}{}", divided.stdout, divided.stderr);
        assert!(divided.stdout.contains("acknowledged-writes-are-kept FAIL"), "{}", divided.stdout);
    }
    mend(&example, folder.path());
    for seed in ["1", "2"] {
        let divided = sim(&["--seed", seed]);
        assert_eq!(divided.status, 0, "{}{}", divided.stdout, divided.stderr);
    }
}
