//! Workloads that are folders of commands.

mod common;

use std::{collections::BTreeSet, fs, os::unix::fs::PermissionsExt, path::Path};

use common::{Load, fingerprint, run, simrun};

/// Says when it begins and ends.
const SCRIPT: &str =
    "#!/bin/sh\nname=$(basename $0)\necho begin $name\nsleep 0.4\necho end $name\n";
/// Goes on until it is killed.
const ANYTIME: &str = "#!/bin/sh\necho begin anytime_a\nwhile :; do sleep 0.1; done\n";

/// A folder of such commands, and a simulation with it.
fn simulation(folder: &Path, commands: &[(&str, &str)]) -> String {
    let test = folder.join("test");
    fs::create_dir(&test).expect("a folder");
    for (name, text) in commands {
        let path = test.join(name);
        fs::write(&path, text).expect("a file");
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("a mode");
    }
    let file = folder.join("sim.yaml");
    fs::write(&file, "workloads: { test: { compose: test } }\n").expect("a file");
    file.to_str().expect("a path").into()
}

/// What the commands said, in their order.
fn said_with(file: &str, seed: u64) -> Vec<String> {
    let said = run(["sim", file, "--seed", &seed.to_string()]);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let lines = said.stdout.lines().map(|line| line.strip_prefix("test | ").unwrap_or(line));
    lines.map(str::to_owned).collect()
}

#[test]
fn commands_are_run_as_their_names_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let names = ["first_a", "parallel_driver_a", "parallel_driver_b", "serial_driver_a"];
    let names = names.iter().chain(&["singleton_driver_a", "eventually_a", "finally_a"]);
    let mut commands: Vec<_> = names.map(|name| (*name, SCRIPT)).collect();
    commands.push(("anytime_a", ANYTIME));
    let file = simulation(folder.path(), &commands);
    let mut seen = BTreeSet::new();
    for seed in 1..=16 {
        let lines = said_with(&file, seed);
        check_rules(&lines);
        seen.extend(lines);
    }
    for (name, _) in commands {
        assert!(seen.contains(&format!("begin {name}")), "no seed runs {name}");
    }
}

fn check_rules(lines: &[String]) {
    assert_eq!(lines[..2], ["begin first_a", "end first_a"], "{lines:#?}");
    let mut running: Vec<&str> = Vec::new();
    let mut had = BTreeSet::new();
    for line in &lines[2..] {
        let Some((what, name)) = line.split_once(' ') else { panic!("{line}") };
        if what == "simrun:" || name == "anytime_a" {
            continue;
        }
        if what == "end" {
            let at = running.iter().position(|other| *other == name);
            running.remove(at.unwrap_or_else(|| panic!("{name} did not begin: {lines:#?}")));
            continue;
        }
        had.insert(name);
        match name {
            "eventually_a" => running.clear(),
            _ if name.starts_with("parallel") => {
                assert!(running.iter().all(|other| other.starts_with("parallel")), "{lines:#?}");
            }
            // Alone.
            _ => assert!(running.is_empty(), "{name} beside {running:?}: {lines:#?}"),
        }
        running.push(name);
    }
    assert!(running.is_empty(), "{running:?} did not end: {lines:#?}");
    assert!(had.contains("eventually_a") != had.contains("finally_a"), "{lines:#?}");
    let mixed = had.iter().any(|name| name.starts_with("parallel") || name.starts_with("serial"));
    assert!(had.contains("singleton_driver_a") != mixed, "{lines:#?}");
    let (said, last) = (&lines[lines.len() - 3], &lines[lines.len() - 1]);
    assert_eq!(said, "simrun: no more faults from here on");
    assert!(last == "end eventually_a" || last == "end finally_a", "{lines:#?}");
}

#[test]
fn the_first_command_that_fails_ends_it_and_all_is_the_same_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let fails = "#!/bin/sh\necho begin $0\nsleep 0.2\nexit 7\n";
    let commands = [("parallel_driver_a", fails), ("anytime_a", ANYTIME), ("finally_a", SCRIPT)];
    let file = simulation(folder.path(), &commands);
    let once = || simrun(["sim", &file, "--seed", "3"]).output().expect("a run");
    let idle = once();
    assert_eq!(idle.status.code(), Some(7));
    let words = String::from_utf8_lossy(&idle.stderr).into_owned();
    assert!(words.contains("simrun: parallel_driver_a ends with status 7"), "{words}");
    assert!(!String::from_utf8_lossy(&idle.stdout).contains("finally"));
    let busy = {
        let _load = Load::start();
        once()
    };
    assert_eq!(fingerprint(&idle), fingerprint(&busy));
}

#[test]
fn several_wait_for_each_other_at_the_beginning_and_at_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    // The later of two is the slower, at each.
    let slow = "#!/bin/sh\nname=$(basename $0)\necho begin $name\nsleep $((SIMRUN_CLIENT_ID * 5 + 1))\necho end $name\n";
    let commands = [("first_a", slow), ("serial_driver_a", slow), ("finally_a", SCRIPT)];
    let file = simulation(folder.path(), &commands);
    let text = "workloads: { test: { compose: test, count: 2 }, other: { compose: test } }\nfaults: late.yaml\n\
                chaos: { until: { test-1: { prints: never } } }\n";
    fs::write(&file, text).expect("a file");
    let late = "about: x\nfaults:\n  late: { do: { delay: 1ms }, match: { call: write, process: sh } }\n  \
                slow: { do: { latency: 300ms }, probability: 50% }\n  refused: { do: { connect: refuse }, probability: 20% }\n";
    fs::write(folder.path().join("late.yaml"), late).expect("a file");
    let once = || simrun(["sim", &file, "--seed", "2", "--fault-log"]).output().expect("a run");
    let output = once();
    assert_eq!(fingerprint(&output), fingerprint(&once()));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let position = |what: &str, last: bool| {
        let mut found = said.lines().enumerate().filter(|(_, line)| line.contains(what));
        let found = if last { found.last() } else { found.next() };
        found.unwrap_or_else(|| panic!("{what}: {said}")).0
    };
    assert!(position("end first_a", true) < position("begin serial_driver_a", false), "{said}");
    assert!(position("end serial_driver_a", true) < position("begin finally_a", false), "{said}");
    assert_eq!(said.matches("end finally_a").count(), 3, "{said}");
    let writes = |end: &str| {
        said.matches(&format!("{end} first_a")).count()
            + said.matches(&format!("{end} serial_driver_a")).count()
    };
    let delays = words.lines().filter(|line| line.contains("late/late")).count();
    assert_eq!(delays, writes("begin") + writes("end"), "none in the end: {words}");
}

#[test]
fn no_fault_happens_in_the_end() {
    let folder = tempfile::tempdir().expect("a folder");
    let commands = [("serial_driver_a", SCRIPT), ("finally_a", SCRIPT)];
    let file = simulation(folder.path(), &commands);
    let text = fs::read_to_string(&file).expect("it is there");
    fs::write(&file, format!("{text}faults: late.yaml\n")).expect("a file");
    let late =
        "about: x\nfaults: { late: { do: { delay: 1s }, match: { call: write, process: sh } } }";
    fs::write(folder.path().join("late.yaml"), late).expect("a file");
    let output = simrun(["sim", &file, "--seed", "1", "--fault-log"]).output().expect("a run");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words}");
    let fired = words.matches("simrun: fault at ").count();
    let drivers = String::from_utf8_lossy(&output.stdout).matches("serial_driver_a").count();
    assert!(
        drivers >= 2 && fired == drivers,
        "{fired} faults, {drivers} lines of drivers: {words}"
    );
}
