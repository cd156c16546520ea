//! What is kept of runs, and what one does with them.

mod common;

use std::{
    fs,
    io::{self, Write},
    os::unix::{fs::PermissionsExt, process::CommandExt},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use common::{fingerprint, run, run_stored, said, simrun, stored, until};
use serde_json::Value;
use tempfile::TempDir;

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Runs a script of the shell with a seed, and keeps the run.
fn keep(store: &Path, seed: u64, script: &str) -> common::Said {
    run_stored(store, ["--seed", &seed.to_string(), "--", "/bin/sh", "-c", script])
}

/// What a verb prints as JSON.
fn json(store: &Path, arguments: &[&str]) -> Value {
    let said = run_stored(store, arguments.iter().chain(&["--format", "json"]));
    serde_json::from_str(&said.stdout)
        .unwrap_or_else(|error| panic!("{arguments:?}: {error}: {} {}", said.stdout, said.stderr))
}

/// The folders of runs, in the order of their making.
fn runs(store: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(store.join("runs")).into_iter().flatten().flatten();
    let mut paths: Vec<_> = entries.map(|entry| entry.path()).collect();
    paths.sort();
    paths
}

fn name(run: &Path) -> &str {
    run.file_name().and_then(|name| name.to_str()).expect("a name")
}

/// A new program: a script of the shell.
fn script(path: &Path, text: &str) {
    fs::write(path, format!("#!/bin/sh\n{text}\n")).expect("a file");
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("own file");
}

#[test]
fn a_run_is_kept_as_it_was() {
    let store = folder();
    let said = keep(store.path(), 7, "echo out; echo err >&2; sleep 60; printf 'a\\377b'; exit 3");
    assert_eq!((said.status, said.stderr.lines().nth(1)), (3, Some("err")), "{}", said.stderr);
    let [run] = runs(store.path()).try_into().expect("one run");
    assert_eq!(fs::read(run.join("stdout")).expect("a file"), b"out\na\xffb");
    assert_eq!(fs::read(run.join("stderr")).expect("a file"), b"err\n");
    assert_eq!(fs::read(store.path().join(".gitignore")).expect("a file"), b"*\n");
    assert!(!run.join("lock").exists() && !run.join("events.jsonl").exists());

    let shown = json(store.path(), &["show", "last"]);
    assert_eq!(shown["id"], name(&run));
    assert_eq!(shown["state"], "failed");
    assert_eq!(shown["seed"], 7);
    assert_eq!(shown["model"], "baseline");
    assert_eq!(shown["nodes"][0]["name"], "simrun");
    assert_eq!(shown["command"][0], "/bin/sh");
    assert_eq!(shown["result"]["exit_status"], 3);
    assert_eq!(shown["result"]["ending"]["status"], 0x300);
    assert!(shown["result"]["simulated_ns"].as_u64() > Some(60_000_000_000));
    assert_eq!(shown["result"]["failure"]["title"], "err (exit status 3)");
    let inputs = shown["inputs"]["files"].as_array().expect("a list");
    let digest = inputs.iter().find(|input| input["path"] == "/bin/sh").expect("the shell");
    assert_eq!(digest["digest"].as_str().map(str::len), Some(32), "{inputs:?}");
    let text = run_stored(store.path(), ["show", "last"]).stdout;
    for words in ["state        failed\n", "seed         7\n", "failure      crash: err"] {
        assert!(text.contains(words), "{words} in {text}");
    }
}

#[test]
fn where_runs_are_kept_is_the_users_choice() {
    let root = folder();
    let deep = root.path().join("a/b");
    fs::create_dir_all(&deep).expect("folders");
    let at = |directory: &Path, arguments: &[&str]| {
        let mut command = simrun(arguments);
        command.args(["--", "/bin/true"]).env_remove("SIMRUN_STORE").current_dir(directory);
        let output = command.output().expect("a run");
        assert!(output.status.success(), "{}", said(&output).stderr);
    };
    let kept = |store: &str| runs(&root.path().join(store)).len();
    at(&deep, &["--no-store"]);
    assert!(!deep.join(".simrun").exists());
    at(&deep, &[]);
    assert_eq!(kept("a/b/.simrun/store"), 1, "the working directory's, if there is none above");
    fs::create_dir(root.path().join("a/.simrun")).expect("a folder");
    fs::remove_dir_all(deep.join(".simrun")).expect("own folder");
    at(&deep, &[]);
    assert_eq!((kept("a/b/.simrun/store"), kept("a/.simrun/store")), (0, 1), "the nearest above");
    at(&deep, &["--store", "elsewhere"]);
    assert_eq!((kept("a/.simrun/store"), kept("a/b/elsewhere")), (1, 1));
    let said = run(["runs"]);
    assert_eq!(said.status, 125);
    assert!(said.stderr.contains("no runs are kept: SIMRUN_STORE is empty"), "{}", said.stderr);
}

#[test]
fn programs_do_not_see_the_store() {
    let root = folder();
    let list = || {
        let mut command = simrun(["--seed", "1", "--", "/bin/ls", "-A"]);
        command.env_remove("SIMRUN_STORE").current_dir(root.path()).output().expect("a run")
    };
    let (first, second) = (list(), list());
    assert_eq!((first.stdout.as_slice(), second.stdout.as_slice()), (&b""[..], &b""[..]));
    assert_eq!(fingerprint(&first), fingerprint(&second));
    assert_eq!(runs(&root.path().join(".simrun/store")).len(), 2);
    fs::write(root.path().join(".simrun/faults.yaml"), "").expect("a file");
    assert_eq!(list().stdout, b".simrun\n", "what is not the store's is seen");
    let here = |arguments: &[&str], store: Option<&str>| {
        let mut command = simrun(arguments);
        command.env_remove("SIMRUN_STORE").current_dir(root.path());
        command.envs(store.map(|store| ("SIMRUN_STORE", store)));
        command.output().expect("a run")
    };
    let listing = ["--seed", "1", "--", "/bin/ls", "-A", ".simrun"];
    let kept = here(&listing, None);
    assert_eq!(kept.stdout, b"faults.yaml\n");
    let unkept = here(&[&["--no-store"][..], &listing].concat(), None);
    assert_eq!(fingerprint(&unkept), fingerprint(&kept), "whether a run is kept");
    assert_eq!(fingerprint(&here(&listing, Some(""))), fingerprint(&kept), "or none ever is");
    let verified = here(&[&["verify", "--runs", "2"][..], &listing].concat(), None);
    assert!(String::from_utf8_lossy(&verified.stderr).contains(&fingerprint(&kept)));
    let mut again = simrun(["rerun", "last", "--no-store"]);
    again.env("SIMRUN_STORE", root.path().join(".simrun/store")).current_dir("/");
    let again = again.output().expect("a run");
    assert_eq!(fingerprint(&again), fingerprint(&kept), "wherever it is made again from");
}

#[test]
fn a_store_that_cannot_be_written_loses_the_copy_and_not_the_run() {
    let said = simrun(["--", "/bin/echo", "hi"])
        .env("SIMRUN_STORE", "/proc/self/store")
        .output()
        .expect("a run");
    let words = String::from_utf8_lossy(&said.stderr);
    assert_eq!((said.status.code(), said.stdout.as_slice()), (Some(0), &b"hi\n"[..]));
    assert!(words.contains("warning: the run is not kept: /proc/self/store: "), "{words}");
}

#[test]
fn keeping_a_run_changes_nothing_in_it() {
    let store = folder();
    let script = "env | grep -c SIMRUN_STORE; cat; sleep 1 & wait";
    let arguments = ["--seed", "4", "--", "/bin/sh", "-c", script];
    let go = |mut command: Command| {
        let mut child = command.stdin(Stdio::piped()).spawn().expect("a run");
        child.stdin.take().expect("a pipe").write_all(b"words\n").expect("it reads");
        child.wait_with_output().expect("a run")
    };
    let (kept, free) = (go(stored(store.path(), arguments)), go(simrun(arguments)));
    assert_eq!(fingerprint(&kept), fingerprint(&free));
    assert_eq!(
        (kept.stdout.as_slice(), free.stdout.as_slice()),
        (&b"0\nwords\n"[..], &b"0\nwords\n"[..])
    );
    let mut with_events = vec!["--keep-events", "--trace-syscalls"];
    with_events.extend(arguments);
    assert_eq!(fingerprint(&go(stored(store.path(), with_events))), fingerprint(&free));
    let [first, second] = runs(store.path()).try_into().expect("two runs");
    assert_eq!(fs::read(first.join("stdin")).expect("a file"), b"words\n", "what it read");
    let events = fs::read_to_string(second.join("events.jsonl")).expect("a file");
    assert!(events.contains("\"call\":\"write(") && events.contains("\"what\":\"exec\""));
}

/// A shell without job control has its background jobs ignore some signals.
fn heed_signals() -> io::Result<()> {
    for signal in [libc::SIGINT, libc::SIGTERM] {
        // SAFETY: no handler is installed.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
    }
    Ok(())
}

#[test]
fn a_run_whose_simrun_was_killed_shows_as_interrupted() {
    let (store, elsewhere) = (folder(), folder());
    keep(store.path(), 1, "echo before");
    let program = common::build("busy", elsewhere.path());
    let line = format!("echo started; exec {}", program.display());
    let begin = || {
        let mut command = stored(store.path(), ["--seed", "2", "--", "/bin/sh", "-c", &line]);
        // SAFETY: the closure makes system calls only.
        unsafe { command.pre_exec(heed_signals) };
        let child = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("a run");
        until("its output is kept", || {
            let is_written = |run: &PathBuf| {
                run.join("output.jsonl").metadata().is_ok_and(|file| file.len() > 0)
            };
            // First that it is this one: it may be the other that is written.
            json(store.path(), &["show", "last"])["seed"] == 2
                && runs(store.path()).last().is_some_and(is_written)
        });
        child
    };
    let mut killed = begin();
    assert_eq!(json(store.path(), &["show", "last"])["state"], "executing");
    assert_eq!(json(store.path(), &["runs"])[1]["state"], "executing");
    killed.kill().expect("it runs");
    killed.wait().expect("it is gone");
    until("nobody holds it", || json(store.path(), &["show", "last"])["state"] == "interrupted");
    let listed = json(store.path(), &["runs"]);
    assert_eq!(
        (&listed[0]["state"], &listed[1]["state"]),
        (&"succeeded".into(), &"interrupted".into())
    );
    let logs = run_stored(store.path(), ["logs", "last"]);
    assert!(logs.stdout.ends_with(" started\n"), "{}", logs.stdout);

    fs::remove_dir_all(runs(store.path()).pop().expect("a run")).expect("own folder");
    let mut ended = begin();
    nix::sys::signal::kill(
        nix::unistd::Pid::from_raw(ended.id() as i32),
        nix::sys::signal::Signal::SIGTERM,
    )
    .expect("it runs");
    assert_eq!(ended.wait().expect("an end").code(), Some(143));
    let shown = json(store.path(), &["show", "last"]);
    assert_eq!(shown["state"], "interrupted");
    assert_eq!(shown["result"]["ending"]["signal"], "SIGTERM");
}

#[test]
fn lists_are_brought_up_to_date_whatever_happened() {
    let store = folder();
    keep(store.path(), 1, "exit 0");
    keep(store.path(), 2, "echo bad >&2; exit 1");
    run_stored(store.path(), ["--timeout", "1s", "--seed", "3", "--", "/bin/sleep", "2"]);
    keep(store.path(), 4, "echo INVARIANT sum money is kept FAIL 9 instead of 10");
    let seeds = |arguments: &[&str]| -> Vec<u64> {
        let list = json(store.path(), arguments);
        list.as_array().expect("a list").iter().filter_map(|run| run["seed"].as_u64()).collect()
    };
    assert_eq!(seeds(&["runs"]), [1, 2, 3, 4]);
    assert_eq!(seeds(&["runs", "--limit", "2"]), [3, 4]);
    assert_eq!(seeds(&["runs", "--state", "failed"]), [2, 4]);
    assert_eq!(seeds(&["runs", "--state", "timedOut"]), [3]);
    assert_eq!(seeds(&["runs", "--violations"]), [4]);
    let groups = json(store.path(), &["ls"]);
    assert_eq!((&groups[1]["runs"], &groups[1]["states"]["failed"]), (&1.into(), &1.into()));

    let [one, two, _, _] = runs(store.path()).try_into().expect("four runs");
    fs::remove_dir_all(one).expect("own folder");
    fs::write(two.join("run.json"), "{").expect("own file");
    fs::write(store.path().join("index.sqlite"), "no database at all, but long enough to be read")
        .expect("own file");
    let list = json(store.path(), &["runs"]);
    assert_eq!((&list[0]["state"], &list[0]["id"]), (&"interrupted".into(), &name(&two).into()));
    assert_eq!(seeds(&["runs"]), [0, 3, 4]);
    keep(store.path(), 5, "exit 0");
    assert_eq!(seeds(&["runs"]), [0, 3, 4, 5]);

    let table = run_stored(store.path(), ["runs"]).stdout;
    assert!(table.starts_with("run "), "{table}");
    assert!(
        table.contains("invariant sum (money is kept) is violated: 9 instead of 10\n"),
        "{table}"
    );
    let none = run_stored(store.path(), ["runs", "--state", "pending"]);
    assert!(none.stderr.contains("simrun: there is no such run in "), "{}", none.stderr);
    let nothing = run_stored(&store.path().join("other"), ["ls"]);
    assert_eq!((nothing.status, nothing.stdout.as_str()), (0, ""));
    assert!(nothing.stderr.contains("simrun: nothing is kept in "), "{}", nothing.stderr);
}

#[test]
fn logs_are_merged_by_virtual_time() {
    let store = folder();
    let script = "(sleep 2; echo late >&2) & (sleep 1; echo early; printf unfinished) & wait";
    keep(store.path(), 1, script);
    let lines = |arguments: &[&str]| -> Vec<String> {
        let said = run_stored(store.path(), ["logs", "last"].iter().chain(arguments));
        assert_eq!(said.status, 0, "{}", said.stderr);
        said.stdout.lines().map(str::to_owned).collect()
    };
    let all = lines(&[]);
    assert_eq!(all.len(), 3, "{all:?}");
    assert!(all[0].starts_with("     1.00") && all[0].ends_with("   early"), "{all:?}");
    assert!(all[1].ends_with("   unfinished") && all[2].ends_with(" ! late"), "{all:?}");
    assert_eq!(lines(&["--since", "1.5s"]), all[2..]);
    assert_eq!(lines(&["--node", "simrun", "--follow"]), all);
    let json = lines(&["--format", "json"]);
    let late: Value = serde_json::from_str(&json[2]).expect("JSON");
    assert_eq!((&late["text"], &late["stream"]), (&"late".into(), &"stderr".into()));
    let said = run_stored(store.path(), ["logs", "last", "--node", "simru"]);
    assert_eq!(said.status, 125);
    assert!(said.stderr.contains("is called simru; did you mean simrun?"), "{}", said.stderr);
}

/// Leaves three artifacts, one of them in a folder, and something that is none.
const LEAVES: &str = "cd $SIMRUN_ARTIFACTS && mkdir plots empty && printf b >b.txt && ln b.txt c.txt && \
    printf 12345 >plots/a.svg && rm -f gone && pwd && ls && df . | tail -1 | cut -d' ' -f1";

#[test]
fn what_programs_leave_for_people_is_kept_apart() {
    let store = folder();
    let arguments = ["--seed", "3", "--", "/bin/sh", "-c", LEAVES];
    let kept = stored(store.path(), arguments).output().expect("a run");
    let said = String::from_utf8_lossy(&kept.stdout);
    assert_eq!(said, "/run/simrun/artifacts\nb.txt\nc.txt\nempty\nplots\ntmpfs\n");
    let free = {
        let _load = common::Load::start();
        simrun(arguments).output().expect("a run")
    };
    assert_eq!(fingerprint(&kept), fingerprint(&free), "whether they are kept");
    assert!(!Path::new("/run/simrun").exists(), "nothing of it is the host's");
    let list = json(store.path(), &["artifacts", "last"]);
    let list = list.as_array().expect("a list").iter();
    let list: Vec<_> = list.map(|one| (one["name"].as_str(), one["size"].as_u64())).collect();
    let one = |name, size| (Some(name), Some(size));
    assert_eq!(list, [one("b.txt", 1), one("c.txt", 1), one("plots/a.svg", 5)]);
    assert_eq!(run_stored(store.path(), ["artifacts", "last", "plots/a.svg"]).stdout, "12345");
    assert_eq!(json(store.path(), &["files", "last"]), Value::Array(Vec::new()));
}

#[test]
fn artifacts_that_are_too_large_are_named() {
    let store = folder();
    let script = format!("{LEAVES}; ln -s plots/a.svg link; mkfifo pipe");
    let mut command = stored(store.path(), ["--seed", "3", "--artifact-limit", "2"]);
    let output = command.args(["--", "/bin/sh", "-c", &script]).output().expect("a run");
    let words = String::from_utf8_lossy(&output.stderr);
    let limit = "the artifact plots/a.svg (5 B) is not kept: those of a run may have 2 B in all \
                 (--artifact-limit)";
    for words_of_one in [
        limit,
        "the artifact link is a link to no artifact that is kept",
        "the artifact pipe is no file",
    ] {
        assert!(words.contains(&format!("simrun: warning: {words_of_one}")), "{words}");
    }
    let shown = json(store.path(), &["show", "last"]);
    let warnings = shown["result"]["warnings"].as_array().expect("a list");
    assert!(warnings.iter().any(|warning| *warning == limit), "{warnings:?}");
    assert_eq!(shown["artifacts"].as_array().map(Vec::len), Some(2));
}

#[test]
fn artifacts_are_listed_and_printed() {
    let store = folder();
    keep(store.path(), 1, "exit 0");
    let artifacts = runs(store.path())[0].join("artifacts");
    let said = run_stored(store.path(), ["artifacts", "last"]);
    assert_eq!((said.status, said.stderr.as_str()), (0, "simrun: the run has left no artifacts\n"));
    fs::create_dir_all(artifacts.join("plots")).expect("folders");
    fs::write(artifacts.join("plots/a.svg"), b"\xff\0").expect("a file");
    fs::write(artifacts.join("b.txt"), "b").expect("a file");
    let list = json(store.path(), &["artifacts", "last"]);
    assert_eq!((&list[0]["name"], &list[1]["name"]), (&"b.txt".into(), &"plots/a.svg".into()));
    assert_eq!(list[1]["size"], 2);
    let output =
        stored(store.path(), ["artifacts", "last", "plots/a.svg"]).output().expect("bytes");
    assert_eq!(output.stdout, b"\xff\0");
    for (name, words) in [("b.tx", "did you mean b.txt?"), ("../run.json", "there are b.txt")] {
        let said = run_stored(store.path(), ["artifacts", "last", name]);
        assert_eq!(said.status, 125);
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
}

#[test]
fn a_rerun_has_everything_as_it_was() {
    let (store, elsewhere) = (folder(), folder());
    let program = elsewhere.path().join("program");
    script(&program, "cat; pwd; echo $A; date +%s; exit 4");
    let mut child =
        stored(store.path(), ["--seed", "6", "--env", "A=b", "--start-time", "@5", "--"])
            .arg(&program)
            .current_dir(elsewhere.path())
            .stdin(Stdio::piped())
            .spawn()
            .expect("a run");
    child.stdin.take().expect("a pipe").write_all(b"input\n").expect("it reads");
    let first = child.wait_with_output().expect("a run");
    assert_eq!(first.status.code(), Some(4), "{}", said(&first).stderr);

    let rerun = |arguments: &[&str]| run_stored(store.path(), ["rerun"].iter().chain(arguments));
    let same = rerun(&["last"]);
    assert_eq!((same.status, same.stdout.as_bytes()), (4, first.stdout.as_slice()));
    let original = runs(store.path())[0].clone();
    let words = format!("simrun: the same fingerprint as run {}\n", name(&original));
    assert!(same.stderr.ends_with(&words), "{}", same.stderr);
    assert_eq!(json(store.path(), &["show", "last"])["rerun_of"], name(&original));
    let data = json(store.path(), &["rerun", name(&original), "--no-store"]);
    assert_eq!((&data["same"], &data["exit_status"]), (&true.into(), &4.into()));
    assert_eq!(runs(store.path()).len(), 2);

    script(&program, "cat; pwd; sleep 5; echo other; exit 4");
    let other = rerun(&[name(&original)]);
    assert_eq!(other.status, 125, "{}", other.stderr);
    let path = program.display();
    for words in [
        format!("simrun: run {} differs: fingerprint ", name(&original)),
        format!("simrun: its inputs have changed since; see: simrun diff {} ", name(&original)),
    ] {
        assert!(other.stderr.contains(&words), "{words} in {}", other.stderr);
    }
    let data = json(store.path(), &["rerun", name(&original), "--no-store"]);
    assert_eq!(data["changes"][0]["path"], path.to_string());
    assert_eq!(data["changes"][0]["what"], "changed");
    let refused = rerun(&[name(&original), "--strict"]);
    assert_eq!((refused.status, refused.stdout.as_str()), (125, ""));
    assert!(
        refused.stderr.contains("is not run again: its inputs have changed"),
        "{}",
        refused.stderr
    );
    fs::remove_file(&program).expect("own file");
    let gone = stored(store.path(), ["rerun", name(&original)]).output().expect("a run");
    let words = format!("warning: since run {}, {path} is gone", name(&original));
    assert!(String::from_utf8_lossy(&gone.stderr).contains(&words));
}

#[test]
fn a_difference_is_shown_by_its_first_event() {
    let store = folder();
    let script = "for i in 1 2 3 4; do (sleep 0.01; echo $i) & done; wait";
    keep(store.path(), 1, script);
    keep(store.path(), 1, script);
    keep(store.path(), 2, script);
    let kept = runs(store.path());
    let [one, same, other] = [&kept[0], &kept[1], &kept[2]].map(|run| name(run));
    let equal = run_stored(store.path(), ["diff", one, same]);
    assert_eq!(
        (equal.status, equal.stdout.as_str()),
        (0, "the runs are the same\n"),
        "{}",
        equal.stderr
    );
    let differ = run_stored(store.path(), ["diff", one, other]);
    assert_eq!(differ.status, 1, "{}", differ.stderr);
    for words in
        ["seed\n- 1\n+ 2\n", "fingerprint\n- ", "the first event that differs", "\n- {", "\n+ {"]
    {
        assert!(differ.stdout.contains(words), "{words} in {}", differ.stdout);
    }
    let data = json(store.path(), &["diff", one, other]);
    assert_eq!(data["same"], false);
    assert!(data["event"]["first"].is_string());
}

#[test]
fn kept_events_are_compared_without_another_run() {
    let (store, elsewhere) = (folder(), folder());
    let program = elsewhere.path().join("program");
    script(&program, "echo a");
    let keep = || {
        let mut command = stored(store.path(), ["--seed", "1", "--keep-events", "--"]);
        assert!(command.arg(&program).status().expect("a run").success());
    };
    keep();
    script(&program, "echo b");
    keep();
    let kept = runs(store.path());
    let differ = run_stored(store.path(), ["diff", name(&kept[0]), name(&kept[1])]);
    assert_eq!((differ.status, differ.stderr.as_str()), (1, ""));
    assert!(differ.stdout.contains("\"text\":\"a\\n\""), "{}", differ.stdout);
    let changed = format!("between the runs, {} has changed\n", program.display());
    assert!(differ.stdout.contains(&changed), "{}", differ.stdout);
}

#[test]
fn runs_beyond_the_limits_are_removed() {
    let store = folder();
    for seed in 1..=5 {
        keep(store.path(), seed, if seed == 2 { "exit 1" } else { "exit 0" });
    }
    let gc = |arguments: &[&str]| run_stored(store.path(), ["gc"].iter().chain(arguments));
    assert!(gc(&["--keep", "3", "--dry-run"]).stdout.starts_with("would remove 2 runs, "));
    assert_eq!(runs(store.path()).len(), 5);
    assert!(gc(&["--older-than", "1h"]).stdout.starts_with("removed 0 runs"));
    assert!(gc(&["--keep", "2", "--state", "succeeded"]).stdout.starts_with("removed 2 runs"));
    let list = json(store.path(), &["runs"]);
    assert_eq!([0, 1, 2].map(|at| list[at]["seed"].as_u64()), [Some(2), Some(4), Some(5)]);
    assert!(gc(&["--max-size", "1"]).stdout.starts_with("removed 3 runs"));
    assert_eq!(json(store.path(), &["runs"]), Value::Array(Vec::new()));
    let said = gc(&[]);
    assert_eq!(said.status, 125);
    assert!(said.stderr.contains("--keep <N>|--older-than <DURATION>|--max-size <SIZE>"));
}

#[test]
fn a_name_that_is_none_is_answered_with_the_nearest() {
    let store = folder();
    let said = run_stored(store.path(), ["show", "last"]);
    assert_eq!(said.status, 125);
    assert!(said.stderr.contains("no run is called last: no run is kept here"), "{}", said.stderr);
    keep(store.path(), 1, "exit 0");
    keep(store.path(), 2, "exit 0");
    let kept = runs(store.path());
    let (first, second) = (name(&kept[0]), name(&kept[1]));
    let end = &first[first.len() - 4..];
    assert_eq!(json(store.path(), &["show", end])["id"], first, "an end is enough");
    let typo = format!("{}%", &first[..first.len() - 1]);
    let said = run_stored(store.path(), ["show", &typo]);
    assert!(said.stderr.contains(&format!("; did you mean {first}?")), "{}", said.stderr);
    let said = run_stored(store.path(), ["show", &first[..3]]);
    let words = format!("{} may be any of 2 runs: {second}, {first}", &first[..3]);
    assert!(said.stderr.contains(&words), "{}", said.stderr);
    let said = run_stored(store.path(), ["runs", "--state", "faild"]);
    assert!(said.stderr.contains("a similar value exists: 'failed'"), "{}", said.stderr);
}

#[test]
fn output_that_never_ends_its_line_is_kept_while_it_comes() {
    let store = folder();
    let mut child = stored(store.path(), ["--", "/bin/cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .expect("a run");
    let mut input = child.stdin.take().expect("a pipe");
    // More than cat reads at a time: the rest is waited for.
    input.write_all(&[b'x'; 200_000]).expect("it reads");
    until("it is kept", || {
        std::thread::sleep(Duration::from_millis(20));
        let kept = runs(store.path());
        let stdout = kept.first().map(|run| run.join("stdout"));
        stdout.and_then(|path| path.metadata().ok()).is_some_and(|file| file.len() > 60_000)
    });
    drop(input);
    assert!(child.wait().expect("an end").success());
    let bytes = fs::read(runs(store.path())[0].join("stdout")).expect("a file");
    assert_eq!(bytes.len(), 200_000);
}

#[test]
fn spellings_of_other_tools_are_understood() {
    let store = folder();
    keep(store.path(), 1, "echo words");
    for (alias, ours) in
        [("workloads ls", "runs"), ("workloads logs", "logs"), ("simulate ls", "ls")]
    {
        let run: &[&str] = if ours == "logs" { &["last"] } else { &[] };
        let aliased = run_stored(store.path(), alias.split(' ').chain(run.iter().copied()));
        let own = run_stored(store.path(), [ours].iter().chain(run));
        assert_eq!((aliased.status, aliased.stdout), (0, own.stdout), "{alias}");
    }
}

#[test]
fn who_reads_a_file_depends_on_its_mode() {
    let (store, elsewhere) = (folder(), folder());
    let path = elsewhere.path().join("read");
    fs::write(&path, "1").expect("a file");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).expect("own file");
    let mut command = stored(store.path(), ["--seed", "1", "--", "/bin/cat", "read"]);
    command.current_dir(elsewhere.path()).output().expect("a run");
    let shown = json(store.path(), &["show", "last"]);
    let inputs = shown["inputs"]["files"].as_array().expect("a list").iter();
    let read = |input: &&Value| input["path"].as_str().is_some_and(|path| path.ends_with("/read"));
    assert_eq!(inputs.clone().find(read).expect("it")["status"], "file 0644 1");
    let changes = || json(store.path(), &["rerun", "last", "--no-store"])["changes"].clone();
    assert_eq!(changes(), Value::Array(Vec::new()));
    fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).expect("own file");
    let changed = serde_json::json!([{ "path": path, "what": "mode" }]);
    assert_eq!(changes(), changed);
    let strict = ["rerun", "last", "--no-store", "--strict"];
    assert_eq!(run_stored(store.path(), strict).status, 125);
}

#[test]
fn who_only_asks_about_a_file_depends_on_what_is_said_of_it() {
    let (store, elsewhere) = (folder(), folder());
    let path = |name: &str| elsewhere.path().join(name);
    fs::write(path("asked"), "1").expect("a file");
    fs::write(path("other"), "1").expect("a file");
    let script = "stat -c '%F %a %s' asked; test -e absent";
    let mut command = stored(store.path(), ["--seed", "1", "--", "/bin/sh", "-c", script]);
    command.current_dir(elsewhere.path()).output().expect("a run");
    let changes = || {
        let data = json(store.path(), &["rerun", "last", "--no-store"]);
        let changes = data["changes"].as_array().cloned().expect("a list");
        let paths = changes.iter().map(|change| change["path"].as_str().unwrap_or_default());
        paths.map(|path| path.rsplit('/').next().unwrap_or_default().to_owned()).collect::<Vec<_>>()
    };
    fs::write(path("asked"), "2").expect("own file");
    fs::write(path("other"), "22").expect("own file");
    assert_eq!(changes(), [""; 0], "what is in a file is not told by stat(2)");
    fs::set_permissions(path("asked"), fs::Permissions::from_mode(0o600)).expect("own file");
    fs::write(path("absent"), "").expect("a file");
    assert_eq!(changes(), ["absent", "asked"]);
}
