//! `simrun sim`: the machines of a simulation file.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{Load, fingerprint, run, run_stored, said, simrun, stored};

fn world() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sim/world.yaml")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// A simulation file with this text.
fn file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("sim.yaml");
    fs::write(&path, text).expect("a file");
    path
}

#[test]
fn machines_of_a_file_talk_and_come_out_the_same_again() {
    let world = world();
    let once = || simrun(["sim", path(&world), "--seed", "1"]).output().expect("a run");
    let idle = once();
    let busy = {
        let _load = Load::start();
        once()
    };
    assert_eq!(idle.stdout, busy.stdout);
    assert_eq!(fingerprint(&idle), fingerprint(&busy));
    let said = said(&idle);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let mut lines: Vec<_> = said.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "client-1 | 0 ['10.0.1.1', '10.0.1.2']",
            "client-1 | web-1 to 10.0.0.1",
            "client-1 | web-2 to 10.0.0.1",
            "client-2 | 1 ['10.0.1.1', '10.0.1.2']",
            "client-2 | web-1 to 10.0.0.2",
            "client-2 | web-2 to 10.0.0.2",
            "web-1    | up",
            "web-2    | up",
        ]
    );
    let outputs: Vec<_> = ["3", "4", "6", "7"]
        .into_iter()
        .map(|seed| run(["sim", path(&world), "--seed", seed]).stdout)
        .collect();
    assert!(outputs.iter().any(|output| *output != said.stdout), "the seed makes a difference");
}

#[test]
fn the_first_workload_that_fails_decides() {
    let said = run(["sim", path(&world()), "--seed", "2"]);
    assert_eq!(said.status, 3);
    assert!(said.stderr.contains("| as asked\n"), "{}", said.stderr);
    let folder = tempfile::tempdir().expect("a folder");
    let text = "nodes: { a: { command: 'false' } }\nworkloads: { c: { command: sh -c 'sleep 1; exit 4' }, d: { command: sleep 5 } }";
    let said = run(["sim", path(&file(folder.path(), text)), "--seed", "1", "--no-store"]);
    assert_eq!((said.status, said.stdout.as_str()), (4, ""), "{}", said.stderr);
    let circle =
        "workloads: { c: { command: 'true', after: { d: succeeded } }, d: { command: sleep inf } }";
    let said = run(["sim", path(&file(folder.path(), circle)), "--seed", "1", "--timeout", "1h"]);
    assert_eq!(said.status, 124, "{}", said.stderr);
}

#[test]
fn a_kept_run_has_all_that_it_needs() {
    let store = tempfile::tempdir().expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["server.py", "client.py", "world.yaml"] {
        fs::copy(world().with_file_name(name), folder.path().join(name)).expect("a copy");
    }
    let own = folder.path().join("world.yaml");
    let first = stored(store.path(), ["sim", path(&own), "--seed", "4"]).output().expect("a run");
    assert_eq!(first.status.code(), Some(0));
    // The file may change: what was read of it is kept.
    fs::write(&own, "workloads: { other: { command: 'false' } }").expect("a file");
    let again = stored(store.path(), ["rerun", "last"]).output().expect("a run");
    assert_eq!(fingerprint(&first), fingerprint(&again));
    assert_eq!(first.stdout, again.stdout);
    let show = run_stored(store.path(), ["show", "last"]).stdout;
    assert!(show.contains("sim ") && show.contains("web-2 10.0.1.2"), "{show}");
    let logs = run_stored(store.path(), ["logs", "last", "--node", "web-1"]).stdout;
    assert!(logs.contains("up") && !logs.contains("client"), "{logs}");
    let record: Vec<_> = fs::read_dir(store.path().join("runs")).expect("runs").flatten().collect();
    let record = fs::read_to_string(record[0].path().join("run.json")).expect("a record");
    assert!(record.contains("Two servers, and two clients"), "the file is kept");
}

#[test]
fn many_seeds_of_a_file_are_explored() {
    let store = tempfile::tempdir().expect("a folder");
    let world = world();
    let all = run_stored(store.path(), ["explore", "sim", path(&world), "-j", "2"]);
    assert_eq!(all.status, 1, "{}", all.stderr);
    assert!(
        all.stdout.contains("2 succeeded, 1 failed"),
        "three, as the file says: {}",
        all.stdout
    );
    let again = format!("simrun sim --seed 2 --faults baseline {}", path(&world));
    assert!(all.stdout.contains(&again), "{}", all.stdout);
    let said = run(again.split(' ').skip(1));
    assert_eq!(said.status, 3, "{}", said.stderr);
    let more = ["explore", "--depth", "1", "--faults", "slow-network", "sim", path(&world)];
    let more = run_stored(store.path(), more);
    assert!(more.stdout.contains("under baseline, slow-network"), "{}", more.stdout);
}

#[test]
fn runs_of_a_file_are_compared() {
    let said = run(["verify", "--runs", "3", "sim", path(&world()), "--seed", "3"]);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(said.stderr.contains("all 3 runs are equal"), "{}", said.stderr);
    assert!(said.stdout.contains("web-1    | up\n"), "{}", said.stdout);
    let wrong = run(["verify", "sum", path(&world())]);
    assert_eq!(wrong.status, 125);
    assert!(wrong.stderr.contains("`sum` is none of the words"), "{}", wrong.stderr);
}

#[test]
fn faults_of_the_file_are_injected() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("late.yaml"),
        "about: x\nfaults: { late: { do: { latency: 5s }, match: { protocol: tcp } } }",
    )
    .expect("a file");
    let text = format!(
        "{}faults: late.yaml\n",
        fs::read_to_string(world()).expect("it is there").replace("python3 ", "python3 DIR/")
    );
    let directory = world().parent().expect("a folder").display().to_string();
    let own = file(folder.path(), &text.replace("DIR", &directory));
    let simulated = |arguments: &[&str]| {
        let all = [&["sim", path(&own), "--seed", "1"], arguments].concat();
        let output = simrun(all).output().expect("a run");
        assert_eq!(output.status.code(), Some(0));
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let seconds = words.split("simulated ").nth(1).and_then(|rest| rest.split('.').next());
        seconds.expect("a time").parse::<u64>().expect("seconds")
    };
    assert!(simulated(&[]) >= 20);
    assert!(simulated(&["--faults", "baseline"]) < 5);
}
