//! Faults of processes and machines, as ordinary programs meet them.

mod common;

use std::{fs, path::Path, process::Output};

use common::{
    compared::{self, stdout},
    fault_file,
    machines::{machine, printed, simulate},
    said, simrun,
};

/// Runs a script in a folder that knows nothing of it, and again under load: what came out, after comparing the two.
fn twice(seed: &str, faults: &str, folder: &Path, script: &str) -> Output {
    let run = || {
        simrun(["--seed", seed, "--faults", faults, "--fault-log", "--", "bash", "-c", script])
            .current_dir(folder)
            .output()
            .expect("a run")
    };
    compared::idle_and_busy(&format!("{faults}: {script}"), run)
}

#[test]
fn a_crash_leaves_files_and_nothing_else() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "
        date +%s; cat data; ls /dev/shm | wc -l; echo $$
        test -e data && exit 3
        echo kept >data; echo gone >/dev/shm/x; (sleep 100; echo never) &
        sleep 60; echo never";
    let faults = fault_file(
        folder.path(),
        "  crash:\n    do: { crash: { off: 5s } }\n    after: 10s\n    limit: 1\n",
    );
    let output = twice("1", &faults, folder.path(), script);
    assert_eq!(output.status.code(), Some(3), "{}", said(&output).stderr);
    // The disk was never synchronized: only power could have taken that. Numbers of processes begin anew.
    assert_eq!(stdout(&output), "1893456000\n0\n100\n1893456015\nkept\n0\n100\n");
    let words = said(&output).stderr;
    assert!(
        words.contains(
            "all processes of the machine are killed, to start again 5000.000000ms later"
        ),
        "{words}"
    );
    assert!(!folder.path().join("data").exists());
}

#[test]
fn a_wiped_machine_finds_what_it_found_first() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("input"), "first\n").expect("a file");
    let script = "
        ls; cat input; test $(date +%s) -gt 1893456012 && exit 0
        echo second >>input; echo x >data; sync; sleep 60";
    let faults = fault_file(
        folder.path(),
        "  crash:\n    do: { crash: { off: 5s, wipe: true } }\n    after: 10s\n    limit: 1\n",
    );
    let output = twice("1", &faults, folder.path(), script);
    assert_eq!(
        stdout(&output),
        "input\ntest.yaml\nfirst\ninput\ntest.yaml\nfirst\n",
        "{}",
        said(&output).stderr
    );
}

#[test]
fn a_machine_is_asked_to_stop_before_it_is_killed() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  stop:\n    do: { stop: { grace: 10s, off: 5s } }\n    after: 20s\n    limit: 1\n",
    );
    let polite = "
        date +%s; test -e data && { cat data; exit 0; }
        trap 'sleep 2; date +%s; echo saved >data; exit 0' TERM
        sleep 60 & wait; echo never";
    let output = twice("1", &faults, folder.path(), polite);
    assert_eq!(
        stdout(&output),
        "1893456000\n1893456022\n1893456027\nsaved\n",
        "{}",
        said(&output).stderr
    );
    let stubborn =
        "date +%s; test -e data && exit 0; trap '' TERM; touch data; sleep 60; echo never";
    let output = twice("1", &faults, folder.path(), stubborn);
    assert_eq!(stdout(&output), "1893456000\n1893456035\n", "{}", said(&output).stderr);
    // Ten seconds it also has if nobody says.
    let text = "  stop:\n    do: { stop: { off: 5s } }\n    after: 20s\n    limit: 1\n";
    let output = twice("1", &fault_file(folder.path(), text), folder.path(), stubborn);
    assert_eq!(stdout(&output), "1893456000\n1893456035\n", "{}", said(&output).stderr);
}

#[test]
fn a_paused_machine_stands_still_as_a_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults =
        fault_file(folder.path(), "  halt:\n    do: { pause-node: 7s }\n    after: 2500ms\n");
    let script = "tick() { for n in 1 2 3 4 5; do sleep 1; done; echo $(($(date +%s) - 1893456000)); }; tick & tick & wait";
    let output = twice("1", &faults, folder.path(), script);
    // What slept when it began has slept enough when it is over; the rest of the sleeps follow.
    assert_eq!(stdout(&output), "11\n11\n", "{}", said(&output).stderr);
}

#[test]
fn a_crash_comes_before_or_after_the_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let written = |when: &str| {
        let faults = fault_file(
            folder.path(),
            &format!(
                "  crash:\n    do: {{ crash: {{ off: 1s }} }}\n    match: {{ call: write, path: '**/log', process: dd }}\n    \
                 when: {when}\n    skip: 3\n    limit: 1\n"
            ),
        );
        let script = "test -e log && { stat -c %s log; exit; }; dd if=/dev/zero of=log bs=10 count=9 2>/dev/null";
        stdout(&twice("1", &faults, folder.path(), script))
    };
    assert_eq!((written("before"), written("after")), ("30\n".into(), "40\n".into()));
    let faults = fault_file(
        folder.path(),
        "  kill:\n    do: { kill: SIGKILL }\n    match: { call: write, path: '**/log', process: dd }\n    \
         when: after\n    skip: 3\n",
    );
    let script = "dd if=/dev/zero of=log bs=10 count=9 2>/dev/null; echo $? $(stat -c %s log)";
    assert_eq!(stdout(&twice("1", &faults, folder.path(), script)), "137 40\n");
}

#[test]
fn one_failure_raises_the_rate_of_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let count = |raises: &str| {
        let faults = fault_file(
            folder.path(),
            &format!(
                "  first:\n    do: {{ kill: SIGUSR1 }}\n    match: {{ process: bash }}\n    after: 100s\n    limit: 1\n{raises}  \
                 second:\n    do: {{ kill: SIGUSR2 }}\n    match: {{ process: bash }}\n    rate: 1/h\n"
            ),
        );
        let script =
            "trap 'echo first' USR1; trap 'echo second' USR2; for n in {1..200}; do sleep 1; done";
        let output = twice("1", &faults, folder.path(), script);
        let words = stdout(&output);
        let (before, after) = words.split_once("first\n").expect("the first");
        assert_eq!(before, "", "{}", said(&output).stderr);
        after.lines().count()
    };
    let plain = count("");
    let raised = count("    raises: { faults: sec*, factor: 3600, for: 20s }\n");
    assert!(plain <= 1 && (10..32).contains(&raised), "{plain} {raised}");
}

#[test]
fn power_is_lost_on_one_machine_or_on_all_together() {
    let folder = tempfile::tempdir().expect("a folder");
    let starts = |seed: &str, hits: &str| -> Vec<usize> {
        let faults = fault_file(
            folder.path(),
            &format!(
                "  off:\n    do: {{ lose-power: {{ off: 5s }} }}\n    match: {{ node: [a, b, c] }}\n    after: 10s\n    \
                 limit: 1\n{hits}"
            ),
        );
        let service = "import time\nprint('up', flush=True)\ntime.sleep(100)\n";
        let waits = "import time\ntime.sleep(30)\n";
        let nodes = [
            machine("watcher", waits),
            machine("a", service),
            machine("b", service),
            machine("c", service),
            machine("d", service),
        ];
        let output = simulate(seed, &faults, &nodes);
        ["a", "b", "c", "d"].map(|name| printed(&output, name).lines().count()).to_vec()
    };
    let mut who = std::collections::BTreeSet::new();
    for seed in ["1", "2", "3", "4", "5"] {
        let found = starts(seed, "");
        assert_eq!(found.iter().sum::<usize>(), 5, "one of them: {found:?}");
        assert_eq!(found[3], 1, "not one that does not match");
        who.insert(found);
    }
    assert!(who.len() > 1, "which one is drawn: {who:?}");
    assert_eq!(starts("1", "    hits: all\n"), [2, 2, 2, 1]);
}

/// A service that answers who connects, and says when it has started.
const SERVICE: &str = "\
import socket, time
listener = socket.create_server(('', 80))
print('up', flush=True)
while True:
    peer, _ = listener.accept()
    peer.close()
";

/// Asks all services again and again, and tells how many were dead at most, and how often one died.
const WATCHER: &str = "\
import socket, time
names, dead, most, deaths = ['a', 'b', 'c'], set(), 0, 0
for n in range(250):
    for name in names:
        try:
            socket.create_connection((name, 80), timeout=0.2).close()
            dead.discard(name)
        except OSError:
            if n > 10 and name not in dead: deaths += 1
            if n > 10: dead.add(name)
    most = max(most, len(dead))
    time.sleep(0.1)
print('most', most, 'deaths', deaths, flush=True)
";

#[test]
fn attrition_never_has_too_many_dead_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    for (max_dead, expected) in [(1, 1..=1), (3, 2..=3)] {
        let faults = fault_file(
            folder.path(),
            &format!(
                "  deaths:\n    do:\n      attrition:\n        max-dead: {max_dead}\n        \
                 off: {{ uniform: {{ from: 2s, to: 4s }} }}\n        \
                 deaths: {{ crash: 1, stop: 1, lose-power: 1, wipe: 1 }}\n    rate: 1/s\n"
            ),
        );
        let nodes = [
            machine("watcher", WATCHER),
            machine("a", SERVICE),
            machine("b", SERVICE),
            machine("c", SERVICE),
        ];
        let words = printed(&simulate("1", &faults, &nodes), "watcher");
        let number = |name: &str| -> u64 {
            let mut words = words.split_whitespace().skip_while(|word| *word != name);
            words.nth(1).and_then(|word| word.parse().ok()).unwrap_or_default()
        };
        assert!(expected.contains(&number("most")), "{words}");
        assert!(number("deaths") >= 4, "{words}");
    }
}

#[test]
fn the_models_do_what_they_are_named_after() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "echo up >>starts; sync starts .; trap 'echo bye; exit' TERM
        while test $(date +%s) -lt 1893456060; do sleep 1; done; wc -l <starts";
    let starts = |model: &str| {
        let output = twice("2", model, folder.path(), script);
        let words = stdout(&output);
        let last = words.lines().last().and_then(|line| line.parse::<u32>().ok());
        (last.unwrap_or_else(|| panic!("{model}: {words}\n{}", said(&output).stderr)), words)
    };
    let (crashes, _) = starts("crash-restart");
    assert!((2..6).contains(&crashes), "{crashes}");
    let (loops, _) = starts("crash-loop");
    assert!((8..25).contains(&loops), "{loops}");
    let (restarts, words) = starts("rolling-restart");
    assert!(restarts >= 3 && words.matches("bye").count() >= 3, "{restarts}: {words}");
    let (deaths, words) = starts("attrition");
    assert!(deaths >= 4 && words.contains("bye"), "{deaths}: {words}");
    let (cascade, _) = starts("cascade,crash-restart");
    assert!(cascade >= crashes, "{cascade}");
}
