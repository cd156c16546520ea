//! Many runs together: what they find, what is told of it, and that nothing is lost.

mod common;

use std::{
    fs::{self, File},
    io,
    os::unix::process::CommandExt,
    path::Path,
    process::{Child, Command, Stdio},
    time::Instant,
};

use common::{copy_program, fingerprint, processes, run, run_stored, said, simrun, stored, until};
use nix::{
    sys::signal::{SigHandler, Signal, kill, signal},
    unistd::Pid,
};
use serde_json::Value;
use tempfile::TempDir;

/// Who comes first depends on the seed: one order is fine, one violates an invariant, one crashes.
const RACE: &str = "for i in 1 2 3; do (sleep 0.01; echo $i >>out) & done; wait; read first <out
if [ $first = 2 ]; then echo \"oops: $first after $SIMRUN_SEED\" >&2; exit 5; fi
echo INVARIANT order things are in order $([ $first = 1 ] && echo PASS || echo FAIL) first is $first";

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// Explores a script of the shell.
fn explore(store: &Path, options: &[&str], script: &str) -> common::Said {
    let mut command = stored(store, ["explore"].iter().chain(options));
    said(&command.args(["--", "/bin/sh", "-c", script]).output().expect("runs"))
}

fn status(store: &Path, simulation: &str) -> Value {
    let said = run_stored(store, ["status", simulation, "--format", "json"]);
    serde_json::from_str(&said.stdout).unwrap_or_else(|error| panic!("{error}: {}", said.stderr))
}

/// Seed, state and fingerprint of each run.
fn cases(report: &Value) -> Vec<(u64, String, String)> {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let cases = report["cases"].as_array().expect("a list");
    let case = |case: &Value| {
        (case["seed"].as_u64().expect("a seed"), text(&case["state"]), text(&case["fingerprint"]))
    };
    cases.iter().map(case).collect()
}

#[test]
fn failures_are_grouped_into_bugs() {
    let store = folder();
    let said = explore(store.path(), &["--depth", "30"], RACE);
    assert_eq!(said.status, 1, "{}", said.stderr);
    let report = status(store.path(), "last");
    let cases = cases(&report);
    assert!(cases.iter().map(|(seed, ..)| *seed).eq(1..=30), "{cases:?}");
    let bugs = report["bugs"].as_array().expect("a list");
    assert_eq!(bugs.len(), 2, "{bugs:?}");
    let of_kind = |kind: &str| bugs.iter().find(|bug| bug["kind"] == kind).expect("a bug");
    let (violation, crash) = (of_kind("violation"), of_kind("crash"));
    assert_eq!(violation["title"], "invariant order (things are in order) is violated: first is 3");
    let number = |value: &Value| value.as_u64().expect("a number");
    let failed = cases.iter().filter(|(_, state, _)| state == "failed").count() as u64;
    assert_eq!(number(&violation["runs"]) + number(&crash["runs"]), failed);
    let checked = &report["invariants"]["order"];
    assert_eq!(number(&checked["failed"]), number(&violation["runs"]));
    assert_eq!(number(&checked["runs"]), 30 - number(&crash["runs"]), "a crash checks nothing");

    let seed = number(&crash["first"]["seed"]);
    for words in [
        "result      failed\n".to_owned(),
        format!("runs        30: {} succeeded, {failed} failed\n", 30 - failed),
        format!(
            "crash: oops: 2 after {seed} (exit status 5)\n   again with: simrun --seed {seed} -- /bin/sh -c"
        ),
        "100 ! oops: 2 after".to_owned(),
        "order      things are in order".to_owned(),
    ] {
        assert!(said.stdout.contains(&words), "{words} in {}", said.stdout);
    }
    assert!(said.stderr.contains(": oops: 2 after "), "told at once: {}", said.stderr);
    let again = simrun(["--seed", &seed.to_string(), "--", "/bin/sh", "-c", RACE]);
    let again = { again }.output().expect("a run");
    assert_eq!(crash["first"]["fingerprint"], fingerprint(&again), "as the command says");
    let told = run_stored(store.path(), ["status", "last"]).stdout;
    assert_eq!(told, said.stdout, "it is told again as it was");
    let single =
        run_stored(store.path(), ["status", crash["first"]["run"].as_str().expect("a name")]);
    assert!(single.stdout.starts_with("run "), "{}", single.stdout);
}

#[test]
fn paths_are_counted_and_artifacts_of_failures_kept() {
    let store = folder();
    let script = "echo PATH always DECLARED; echo PATH in vain DECLARED; echo PATH always REACHED
if [ $SIMRUN_SEED = 2 ]; then echo PATH once REACHED; echo state >$SIMRUN_ARTIFACTS/dump; exit 1; fi";
    let said = explore(store.path(), &["--depth", "6"], script);
    let table = "path     reached  runs\nalways         6     6\nin vain        0     0  never reached\n\
                 once           1     1  seldom reached\n";
    assert!(said.stdout.contains(table), "{}", said.stdout);
    let report = status(store.path(), "last");
    assert_eq!(report["paths"]["always"]["reached"], 6);
    let run = report["bugs"][0]["first"]["run"].as_str().expect("a name");
    assert_eq!(run_stored(store.path(), ["artifacts", run, "dump"]).stdout, "state\n");
    let page = run_stored(store.path(), ["status", "last", "--html", "-"]).stdout;
    assert!(
        page.contains(
            "<td>in vain<td class=\"number bad\">0<td class=\"number\">0<td>never reached"
        )
    );
}

#[test]
fn it_is_the_same_on_one_processor_and_in_shares() {
    let (one, two, parts) = (folder(), folder(), folder());
    explore(one.path(), &["--seeds", "5..16", "-j", "1"], RACE);
    explore(two.path(), &["--seeds", "5..16", "-j", "2"], RACE);
    let whole = cases(&status(one.path(), "last"));
    assert_eq!(whole.len(), 12);
    assert_eq!(cases(&status(two.path(), "last")), whole);
    let names: Vec<_> = (1..=3).map(|number| parts.path().join(number.to_string())).collect();
    for (number, store) in (1..).zip(&names) {
        let share = format!("{number}/3");
        explore(store, &["--seeds", "5..16", "--shard", &share], RACE);
        assert_eq!(cases(&status(store, "last")).len(), 4);
    }
    let merged = parts.path().join("merged");
    let merge = || {
        let stores: Vec<_> = names.iter().map(|name| name.to_str().expect("a path")).collect();
        run_stored(&merged, ["merge"].iter().chain(&stores))
    };
    assert_eq!(merge().stdout, "copied 12 runs of 1 simulations\n");
    assert_eq!(merge().stdout, "copied 0 runs of 1 simulations\n");
    let report = status(&merged, "last");
    assert_eq!(cases(&report), whole);
    assert_eq!(report["simulation"]["shards"].as_array().map(Vec::len), Some(3));
    let listed = run_stored(&merged, ["runs", "--simulation", "last", "--format", "json"]).stdout;
    let listed: Value = serde_json::from_str(&listed).expect("JSON");
    assert_eq!(listed.as_array().map(Vec::len), Some(12));
    let none = run_stored(&merged, ["merge", "/no/such"]);
    assert_eq!(none.status, 125);
    assert!(none.stderr.contains("/no/such is no store of runs"), "{}", none.stderr);
}

#[test]
fn a_greater_depth_extends_a_smaller_one() {
    let (small, large) = (folder(), folder());
    explore(small.path(), &["--depth", "4", "--seed", "7"], RACE);
    explore(large.path(), &["--depth", "8", "--seed", "7"], RACE);
    let (small, large) =
        (cases(&status(small.path(), "last")), cases(&status(large.path(), "last")));
    assert_eq!(small[..], large[..4]);
}

#[test]
fn it_ends_as_asked() {
    let store = folder();
    let green = explore(store.path(), &["--depth", "3"], "exit 0");
    assert_eq!(green.status, 0, "{}", green.stderr);
    assert!(green.stdout.starts_with("result      passed\n"), "{}", green.stdout);
    let fast = explore(store.path(), &["--depth", "500", "--fail-fast"], "exit 1");
    assert_eq!(fast.status, 1);
    let ran = cases(&status(store.path(), "last")).len();
    assert!((1..=16).contains(&ran), "{ran} runs");
    assert!(fast.stdout.contains("not made    4"), "{}", fast.stdout);
    let start = Instant::now();
    let timed = explore(store.path(), &["--for", "1s"], "exit 0");
    assert_eq!(timed.status, 0, "{}", timed.stderr);
    assert!((1..20).contains(&start.elapsed().as_secs()));
    assert!(cases(&status(store.path(), "last")).len() > 3);
    let unkept = explore(store.path(), &["--no-store", "--depth", "2"], "exit 3");
    assert_eq!(unkept.status, 1);
    let listed = run_stored(store.path(), ["ls", "--format", "json"]).stdout;
    assert_eq!(
        serde_json::from_str::<Value>(&listed).expect("JSON").as_array().map(Vec::len),
        Some(3)
    );
}

#[test]
fn a_machine_reads_the_report_too() {
    let store = folder();
    let path = |name: &str| store.path().join(name).display().to_string();
    let (junit, json, step) = (path("j.xml"), path("j.json"), path("step.md"));
    let output =
        stored(store.path(), ["explore", "--depth", "12", "--junit", &junit, "--json", &json])
            .args(["--timeout", "1h", "--", "/bin/sh", "-c", RACE])
            .env("GITHUB_ACTIONS", "true")
            .env("GITHUB_STEP_SUMMARY", &step)
            .output()
            .expect("runs");
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("::error title=violation in "), "{text}");
    assert!(text.contains("%0Aagain with: simrun --seed "), "{text}");
    assert!(text.contains(" --timeout 1h -- /bin/sh -c "), "{text}");
    let xml = fs::read_to_string(&junit).expect("a file");
    assert_eq!(xml.matches("<testcase ").count(), 12, "{xml}");
    assert!(xml.contains("<testsuite name=\"baseline\" tests=\"12\""), "{xml}");
    assert!(xml.contains("type=\"violation\">again with: simrun --seed "), "{xml}");
    let report: Value =
        serde_json::from_str(&fs::read_to_string(&json).expect("a file")).expect("JSON");
    assert_eq!(cases(&report), cases(&status(store.path(), "last")));
    let step = fs::read_to_string(&step).expect("a file");
    assert!(step.starts_with("## simrun: failed\n"), "{step}");
    assert!(step.contains("| order (things are in order) | "), "{step}");
    let again = run_stored(store.path(), ["status", "last", "--junit", "-"]).stdout;
    assert!(again.ends_with(&xml), "{again}");
}

#[test]
fn every_run_reads_the_same_file() {
    let store = folder();
    let input = store.path().join("input");
    fs::write(&input, "words\n").expect("a file");
    let output =
        stored(store.path(), ["explore", "--depth", "3", "--", "/bin/grep", "-q", "words"])
            .stdin(File::open(&input).expect("the file"))
            .output()
            .expect("runs");
    assert_eq!(output.status.code(), Some(0), "{}", said(&output).stderr);
    // Nobody writes into it: it is not waited for.
    let mut child = stored(store.path(), ["explore", "--depth", "1", "--", "/bin/cat"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("runs");
    assert_eq!(child.wait().expect("an end").code(), Some(0));
}

/// Begins runs without end, and waits until some have ended.
fn begin(store: &Path, program: &Path) -> Child {
    let mut command: Command = stored(store, ["explore", "--seeds", "1..1000000", "--"]);
    // SAFETY: the closure makes system calls only.
    unsafe { command.arg(program).pre_exec(heed_signals) };
    let child = command.spawn().expect("runs");
    until("runs end", || ended(store) >= 20);
    child
}

/// A shell without job control has its background jobs ignore SIGINT, and simrun keeps to it.
fn heed_signals() -> io::Result<()> {
    // SAFETY: no handler is installed.
    unsafe { signal(Signal::SIGINT, SigHandler::SigDfl) }?;
    Ok(())
}

fn ended(store: &Path) -> usize {
    let runs = fs::read_dir(store.join("runs")).into_iter().flatten().flatten();
    runs.filter(|run| {
        let text = fs::read_to_string(run.path().join("run.json")).unwrap_or_default();
        text.contains("\"state\": \"succeeded\"")
    })
    .count()
}

/// Processes of simulations of this program.
fn left(program: &Path) -> usize {
    let name = program.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
    let is_it = |pid: &i32| {
        fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
    };
    processes().iter().filter(|pid| is_it(pid)).count()
}

/// A program of this name that ends well after a while.
fn slow_program(folder: &Path, name: &str) -> std::path::PathBuf {
    let program = folder.join(name);
    copy_program("/bin/sleep", &program);
    let script = folder.join(format!("{name}.sh"));
    let text = format!("#!/bin/sh\n{} 5\n{0} 5\n", program.display());
    fs::write(&script, text).expect("a file");
    let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    fs::set_permissions(&script, mode).expect("own file");
    script
}

#[test]
fn a_kill_loses_no_run_that_had_ended() {
    let (store, elsewhere) = (folder(), folder());
    let program = slow_program(elsewhere.path(), "kill-explore");
    let mut child = begin(store.path(), &program);
    child.kill().expect("it goes on");
    child.wait().expect("it is gone");
    until("nothing is left", || left(&program) + left(&elsewhere.path().join("kill-explore")) == 0);
    let listed = || -> Vec<String> {
        let text = run_stored(store.path(), ["runs", "--format", "json"]).stdout;
        let list: Value = serde_json::from_str(&text).expect("JSON");
        let state = |run: &Value| run["state"].as_str().expect("a state").to_owned();
        list.as_array().expect("a list").iter().map(state).collect()
    };
    until("nobody writes any more", || !listed().contains(&"executing".to_owned()));
    let states = listed();
    let succeeded = states.iter().filter(|state| *state == "succeeded").count();
    let interrupted = states.iter().filter(|state| *state == "interrupted").count();
    assert_eq!(succeeded, ended(store.path()));
    assert!(succeeded >= 20 && succeeded + interrupted == states.len(), "{states:?}");
    let processors = std::thread::available_parallelism().map_or(2, usize::from);
    assert!(interrupted <= processors, "{states:?}");
    let report = status(store.path(), "last");
    assert_eq!(cases(&report).len(), states.len());
}

#[test]
fn a_signal_ends_it_with_a_report() {
    let (store, elsewhere) = (folder(), folder());
    let program = slow_program(elsewhere.path(), "int-explore");
    let child = begin(store.path(), &program);
    kill(Pid::from_raw(child.id() as i32), Signal::SIGINT).expect("it goes on");
    let output = child.wait_with_output().expect("an end");
    assert_eq!(output.status.code(), Some(130), "{}", said(&output).stderr);
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(text.contains("not made "), "{text}");
    assert_eq!(left(&program), 0);
}

#[test]
fn what_cannot_be_explored_is_said() {
    let cases: [(&[&str], &str); 9] = [
        (&["--write-through", "."], "many runs would write over each other's files"),
        (&["--depth", "0"], "invalid value '0' for '--depth <N>'"),
        (&["--depth", "2", "--shard", "3/4"], "there is no run to make: this share has none"),
        (&["--shard", "5/4"], "of 4 shares there is none with number 5"),
        (&["--seeds", "4..1"], "there is no seed from 4 to 1"),
        (&["--seeds", "4"], "write the first and the last seed, as in 1..1000"),
        (&["--seeds", "1..2", "--depth", "3"], "cannot be used with"),
        (&["--for", "10"], "a unit is missing, as in 10s"),
        (&["--fial-fast"], "a similar argument exists: '--fail-fast'"),
    ];
    for (arguments, words) in cases {
        let said = run(["explore"].iter().chain(arguments).chain(&["--", "/bin/true"]));
        assert_eq!(said.status, 125, "{arguments:?}");
        assert!(said.stderr.contains(words), "{arguments:?}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments:?}");
    }
    assert_eq!(run(["explore", "--", "/no/such"]).status, 127);
}
