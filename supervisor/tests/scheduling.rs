//! Faults of the turns of threads, as ordinary programs meet them.

mod common;

use std::{path::Path, process::Output};

use common::{
    build_in,
    compared::{self, simulated, stdout},
    fault_file, said, simrun,
};

/// Runs a command under faults twice, once of them beside a load: what came out, after comparing the two.
fn twice(seed: &str, faults: &str, command: &[&str]) -> Output {
    let run = || {
        let mut run = simrun(["--seed", seed]);
        if !faults.is_empty() {
            run.args(["--faults", faults, "--fault-log"]);
        }
        run.arg("--").args(command).output().expect("a run")
    };
    let output = compared::idle_and_busy(&format!("{faults}: {command:?}"), run);
    assert!(output.status.success(), "{}", said(&output).stderr);
    output
}

/// What `turns` prints: how often the turn changed, and the longest wait in milliseconds.
fn turns(output: &Output) -> (usize, u64) {
    let words = stdout(output);
    let mut lines = words.lines();
    let turns = lines.next().expect("the turns");
    let longest = lines.next().and_then(|line| line.parse().ok()).expect("a time");
    (turns.chars().filter(char::is_ascii_lowercase).count() - 1, longest)
}

fn built(folder: &Path, name: &str) -> String {
    build_in("scheduling", name, folder).to_str().expect("a path").into()
}

#[test]
fn a_starved_thread_has_no_turn_while_another_can_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = built(folder.path(), "turns");
    let command = [program.as_str(), "2", "300"];
    for seed in ["1", "2", "3", "4"] {
        let plain = turns(&twice(seed, "", &command)).0;
        let faults = fault_file(
            folder.path(),
            "  starve:\n    do: { starve: 10s }\n    match: { call: getppid }\n    skip: 50\n    limit: 1\n",
        );
        let starved = twice(seed, &faults, &command);
        let words = stdout(&starved);
        // The one makes all its calls before the other goes on; then nobody else can run.
        let last = words.lines().next().expect("the turns");
        let last: u64 = last
            .rsplit(|c: char| c.is_ascii_lowercase())
            .next()
            .expect("a number")
            .parse()
            .expect("a number");
        assert!(turns(&starved).0 < plain && last >= 200, "{plain}: {words}");
    }
}

#[test]
fn a_thread_of_a_process_is_starved_at_a_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = built(folder.path(), "turns");
    let faults = fault_file(
        folder.path(),
        "  starve:\n    do: { starve: 5ms }\n    match: { process: turns }\n    after: 2ms\n    every: 20ms\n",
    );
    let command = [program.as_str(), "3", "10000"];
    assert!(turns(&twice("5", "", &command)).1 < 2);
    let starved = twice("5", &faults, &command);
    let longest = turns(&starved).1;
    assert!((5..12).contains(&longest), "{longest}: {}", said(&starved).stderr);
    assert!(
        said(&starved)
            .stderr
            .contains("turns, process 100, has no turn for 5.000000ms while others can run"),
        "{}",
        said(&starved).stderr
    );
}

#[test]
fn a_thread_that_is_woken_goes_on_later() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  late:\n    do: { delay-wakeup: 3s }\n    match: { call: read, process: cat }\n    limit: 1\n",
    );
    let command = ["bash", "-c", "(sleep 1; echo late) | cat"];
    assert!((1.0..1.1).contains(&simulated(&twice("1", "", &command))));
    let output = twice("1", &faults, &command);
    assert_eq!(stdout(&output), "late\n");
    assert!((4.0..4.1).contains(&simulated(&output)), "{}", simulated(&output));
}

#[test]
fn who_came_last_is_woken_first() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = built(folder.path(), "queue");
    assert_eq!(stdout(&twice("1", "", &[&program])), "0 1 2 3 4 \n");
    let faults = fault_file(folder.path(), "  order:\n    do: reverse-wakes\n");
    assert_eq!(stdout(&twice("1", &faults, &[&program])), "4 3 2 1 0 \n");
}

#[test]
fn the_thread_of_highest_priority_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = built(folder.path(), "turns");
    let command = [program.as_str(), "4", "300"];
    let mut first = Vec::new();
    for seed in ["1", "2", "3", "4", "5", "6"] {
        let plain = turns(&twice(seed, "", &command)).0;
        let mut with = |changes: u64| {
            let faults = fault_file(
                folder.path(),
                &format!(
                    "  order:\n    do: {{ prioritize: {{ changes: {changes}, steps: 1000 }} }}\n"
                ),
            );
            let output = twice(seed, &faults, &command);
            first.push(stdout(&output).chars().next());
            turns(&output).0
        };
        let (none, some) = (with(0), with(20));
        assert!(none <= 6 && none < some && none < plain, "{none} {some} {plain}");
    }
    first.sort_unstable();
    first.dedup();
    assert!(first.len() > 2, "each seed draws its own: {first:?}");
}

#[test]
fn a_slow_processor_takes_so_many_times_the_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=20000"];
    let plain = simulated(&twice("1", "", &command));
    let faults = fault_file(
        folder.path(),
        "  slow:\n    do: { slow-cpu: 50 }\n    match: { process: dd }\n",
    );
    let slow = simulated(&twice("1", &faults, &command));
    assert!((48.0..52.0).contains(&(slow / plain)), "{plain} {slow}");
    let other = fault_file(
        folder.path(),
        "  slow:\n    do: { slow-cpu: 50 }\n    match: { process: cat }\n",
    );
    assert!((simulated(&twice("1", &other, &command)) - plain).abs() < 1e-9);
}

#[test]
fn the_models_do_what_they_are_named_after() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = built(folder.path(), "turns");
    let command = [program.as_str(), "4", "5000"];
    let plain = turns(&twice("3", "", &command));
    let starved = turns(&twice("3", "starvation", &command));
    assert!(plain.1 < 2 && starved.1 > 5, "{plain:?} {starved:?}");
    let ordered = turns(&twice("3", "priorities", &command));
    assert!(ordered.0 < plain.0 / 4, "{plain:?} {ordered:?}");
    let dd = ["dd", "if=/dev/zero", "of=/dev/null", "bs=1", "count=4000"];
    let (fast, slow) = (simulated(&twice("3", "", &dd)), simulated(&twice("3", "slow-cpu", &dd)));
    assert!((0.9..1.1).contains(&(slow / fast / 100.0)), "{fast} {slow}");
}
