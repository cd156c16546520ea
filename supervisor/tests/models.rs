//! The fault models that come with simrun: each has a test, and the large ones do what they say.

mod common;

use std::{collections::BTreeSet, fs, path::Path, process::Output};

use common::{
    compared::{self, stdout},
    fingerprint, run, run_stored, said, simrun, stored,
};
use serde_json::Value;

/// Runs a command in a folder twice: what came out, after comparing the two.
fn twice(seed: &str, faults: &str, folder: &Path, command: &[&str]) -> Output {
    let run = || {
        simrun(["--seed", seed, "--faults", faults, "--fault-log", "--"])
            .args(command)
            .current_dir(folder)
            .output()
            .expect("a run")
    };
    compared::twice(&format!("{faults}: {command:?}"), run)
}

/// The faults that have fired in a run, without the names of their files.
fn fired(output: &Output) -> BTreeSet<String> {
    let words = said(output).stderr;
    let names = words.lines().filter_map(|line| {
        let (_, rest) = line.strip_prefix("simrun: fault at ")?.split_once(": ")?;
        Some(rest.split_once(" #")?.0.split_once('/')?.1.to_owned())
    });
    names.collect()
}

#[test]
fn every_model_has_a_test() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests");
    let sources: Vec<String> = fs::read_dir(folder)
        .expect("the tests")
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "rs"))
        .map(|path| fs::read_to_string(path).expect("a text"))
        .collect();
    // Names of models stand in quotes, several with commas between them.
    let is_used = |name: &str| {
        let begins = ["\"", ","].map(|before| format!("{before}{name}"));
        let forms =
            begins.iter().flat_map(|begin| ["\"", ","].map(|after| format!("{begin}{after}")));
        forms.into_iter().any(|form| sources.iter().any(|text| text.contains(&form)))
    };
    let models = run(["faults"]).stdout;
    let names = models.lines().filter_map(|line| line.split_whitespace().next());
    let untested: Vec<&str> = names.filter(|name| !is_used(name)).collect();
    assert!(untested.is_empty(), "no test uses {untested:?}");
}

#[test]
fn bad_disks_do_what_they_are_named_after() {
    let folder = tempfile::tempdir().expect("a folder");
    let shell = |seed: &str, model: &str, script: &str| {
        stdout(&twice(seed, model, folder.path(), &["bash", "-c", script]))
    };
    let script =
        "head -c 1000000 /dev/zero >f; for n in {1..30}; do md5sum <f; done | sort -u | wc -l";
    let sums: u32 = shell("1", "bit-rot", script).trim().parse().expect("a number");
    assert!(sums > 3, "{sums}");
    let script = "for n in {1..300}; do echo $n >>f; done; grep -c . f";
    let lines: u32 = shell("1", "lost-writes", script).trim().parse().expect("a number");
    assert!((280..300).contains(&lines), "{lines}");
    let script = "head -c 800000 /dev/zero >f; sync f
        head -c 800000 /dev/zero | tr '\\0' n | dd of=f bs=4000 conv=notrunc iflag=fullblock 2>/dev/null
        tr -cd n <f | wc -c";
    let written: u32 = shell("1", "torn-writes", script).trim().parse().expect("a number");
    assert!((700_000..800_000).contains(&written), "{written}");
    let script = "dd if=/dev/zero of=f bs=100 count=1000";
    for seed in ["1", "2", "3", "4"] {
        let output = twice(seed, "disk-errors", folder.path(), &["bash", "-c", script]);
        // Some fail in writing, others before, in reading what they consist of.
        assert!(!output.status.success());
        assert!(said(&output).stderr.contains("Input/output error"), "{}", said(&output).stderr);
    }
}

#[test]
fn memory_runs_short() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "import mmap\nfailed = 0\nfor n in range(400):\n  try: mmap.mmap(-1, 1 << 20).close()\n  \
                  except OSError: failed += 1\nprint(failed)";
    let mut counted = 0;
    for seed in 1..=8 {
        let command = ["/usr/bin/python3", "-c", script];
        let output = twice(&seed.to_string(), "out-of-memory", folder.path(), &command);
        // Some cannot even start.
        if let Ok(failed) = stdout(&output).trim().parse::<u32>() {
            assert!((6..40).contains(&failed), "{failed}");
            counted += 1;
        } else {
            assert!(!output.status.success());
        }
    }
    assert!(counted > 0);
}

/// A client and a server that bear with much, and files that are synchronized.
const PROGRAM: &str = "\
import os, signal, socket, sys, threading, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
def serve():
    listener = socket.create_server(('127.0.0.1', 5000))
    while True:
        peer = listener.accept()[0]
        threading.Thread(target=answer, args=(peer,), daemon=True).start()
def answer(peer):
    try:
        while data := peer.recv(1000): peer.sendall(data)
    except OSError: pass
threading.Thread(target=serve, daemon=True).start()
done = 0
while done < 200:
    try:
        with socket.create_connection(('127.0.0.1', 5000), timeout=5) as peer:
            while done < 200:
                peer.sendall(b'x' * 100)
                left = 100
                while left: left -= len(peer.recv(left)) or sys.exit('short')
                done += 1
                time.sleep(0.05)
    except OSError: time.sleep(0.1)
    try:
        with open('log', 'a') as log:
            log.write(f'{done}\\n'); log.flush(); os.fsync(log.fileno())
    except OSError: pass
print('done')
";

#[test]
fn levels_are_what_a_good_a_bad_and_a_terrible_day_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = ["/usr/bin/python3", "-c", PROGRAM];
    let of = |level: &str, seeds: &[&str]| -> BTreeSet<String> {
        seeds.iter().flat_map(|seed| fired(&twice(seed, level, folder.path(), &command))).collect()
    };
    for seed in ["1", "2", "3"] {
        let output = twice(seed, "sunny", folder.path(), &command);
        assert_eq!(stdout(&output), "done\n", "{}", said(&output).stderr);
    }
    let (sunny, stormy) = (of("sunny", &["1"]), of("stormy", &["1", "2", "3", "4"]));
    let radioactive = of("radioactive", &["1", "2", "3", "4"]);
    let has = |fired: &BTreeSet<String>, names: &[&str]| {
        let missing: Vec<_> = names.iter().filter(|name| !fired.contains(**name)).collect();
        assert!(missing.is_empty(), "{missing:?} of {fired:?}");
    };
    has(&sunny, &["latency", "drift"]);
    has(&stormy, &["latency", "pauses", "restarts", "clocks", "starved"]);
    has(&radioactive, &["latency", "pauses", "deaths", "clocks", "starved"]);
}

#[test]
fn levels_bring_their_own_depth() {
    let store = tempfile::tempdir().expect("a folder");
    let explore = |options: &[&str]| {
        let arguments = ["explore"].iter().chain(options).chain(&["--", "/bin/true"]);
        said(&stored(store.path(), arguments).output().expect("runs"))
    };
    let runs = || {
        let said = run_stored(store.path(), ["status", "last", "--format", "json"]);
        let report: Value = serde_json::from_str(&said.stdout).expect("a report");
        report["cases"].as_array().expect("a list").len()
    };
    assert_eq!(explore(&["--level", "sunny"]).status, 0);
    assert_eq!(runs(), 1 + 10);
    // Of 1 + 10 + 100 + 1000 runs, the share that begins with the first.
    assert_eq!(explore(&["--level", "sunny,stormy,radioactive", "--shard", "1/101"]).status, 0);
    assert_eq!(runs(), 11);
    assert_eq!(explore(&["--level", "sunny", "--faults", "eintr", "--depth", "3"]).status, 0);
    assert_eq!(runs(), 1 + 3 + 3);
    let wrong = explore(&["--level", "eintr"]);
    assert!(
        wrong.stderr.contains("`eintr` is no level: no `depth` is in its file"),
        "{}",
        wrong.stderr
    );
}

#[test]
fn a_swarm_has_other_families_in_every_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = ["/usr/bin/python3", "-c", PROGRAM];
    let runs: Vec<BTreeSet<String>> = (1..=12)
        .map(|seed| fired(&twice(&seed.to_string(), "swarm", folder.path(), &command)))
        .collect();
    let different: BTreeSet<_> = runs.iter().collect();
    assert!(different.len() > 4, "{runs:?}");
    let with = |name: &str| runs.iter().filter(|fired| fired.contains(name)).count();
    for name in ["latency", "skew", "starved", "short"] {
        assert!((1..12).contains(&with(name)), "{name}: {runs:?}");
    }
    for fired in &runs {
        assert_eq!(fired.contains("latency"), fired.contains("line"), "one family: {fired:?}");
    }
}

#[test]
fn a_kept_run_meets_the_same_faults_again() {
    let store = tempfile::tempdir().expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    for (seed, faults) in [("3", "swarm"), ("4", "attrition,clock-skew,starvation")] {
        let mut first = stored(store.path(), ["--seed", seed, "--faults", faults, "--fault-log"]);
        first.args(["--", "/usr/bin/python3", "-c", PROGRAM]).current_dir(folder.path());
        let first = first.output().expect("a run");
        assert!(fired(&first).len() > 1, "{}", said(&first).stderr);
        // Every firing is part of the fingerprint.
        let again = stored(store.path(), ["rerun", "last"]).output().expect("a run");
        assert_eq!(fingerprint(&first), fingerprint(&again));
        assert!(first.stdout == again.stdout);
    }
}
