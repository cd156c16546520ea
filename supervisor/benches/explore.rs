//! Many runs of a server and its client, beside the same script in a loop of bash: `cargo bench -p simrun --bench explore
//! [-- RUNS]`.
//!
//! Two figures show what grows: the memory of simrun after a tenth of the runs and after all of them. `EXPLORE_TABLE=FILE`
//! (from the workspace's root) has the result written there, too: `docs/reference/explore.md` is such a file.

use std::{
    env, fs,
    path::Path,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Runs, unless the command says otherwise.
const RUNS: u64 = 1000;
/// Runs of which the loop of bash makes one: it waits for real.
const NATIVE_SHARE: u64 = 10;
/// A server over HTTP and a client that asks it, two processes, in the folder that the variable `FOLDER` names.
const SCRIPT: &str = r#"
cd "$FOLDER"
/usr/bin/python3 -m http.server --bind 127.0.0.1 7392 >/dev/null 2>&1 &
until curl -sf http://127.0.0.1:7392/page; do sleep 0.1; done
kill $!
"#;

fn main() {
    let argument = env::args().skip(1).find(|argument| !argument.starts_with('-'));
    let runs = argument.map_or(RUNS, |text| text.parse().expect("a number of runs"));
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("page"), "text\n").expect("own folder");
    let script = SCRIPT.replace("$FOLDER", folder.path().to_str().expect("a path in UTF-8"));

    let native = looped(&script, runs / NATIVE_SHARE);
    let few = explored(folder.path(), &script, runs / NATIVE_SHARE);
    let all = explored(folder.path(), &script, runs);
    let rate = |runs: u64, taken: Duration| runs as f64 / taken.as_secs_f64();
    let (outside, inside) = (rate(runs / NATIVE_SHARE, native), rate(runs, all.taken));
    let lines = [
        format!("{:<44} {outside:>8.1}", "a loop of bash, runs a second"),
        format!("{:<44} {inside:>8.1}", format!("explore --depth {runs}, runs a second")),
        format!("{:<44} {:>8.2}", "ratio", inside / outside),
        format!(
            "{:<44} {:>5} KiB",
            format!("memory of simrun, {} runs", runs / NATIVE_SHARE),
            few.memory
        ),
        format!("{:<44} {:>5} KiB", format!("memory of simrun, {runs} runs"), all.memory),
    ];
    for line in &lines {
        println!("{line}");
    }
    if let Some(file) = env::var_os("EXPLORE_TABLE") {
        let table: String = lines.iter().map(|line| format!("    {line}\n")).collect();
        let text = format!(
            "# What many runs cost\n\nWritten by `EXPLORE_TABLE=docs/reference/explore.md cargo bench -p simrun --bench \
             explore -- RUNS`; do not edit. A script starts\na server over HTTP (Python's), asks it with curl until it answers, \
             and ends it: in a loop of bash, and as runs that are\nkept, one for each core at a time.\n\n{table}"
        );
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(file);
        fs::write(path, text).expect("the page can be written");
    }
}

/// How long bash takes to run a script so often, one after the other.
fn looped(script: &str, runs: u64) -> Duration {
    let whole = format!("for run in $(seq {runs}); do (\n{script}\n); done");
    let start = Instant::now();
    let status = Command::new("bash").args(["-c", &whole]).stdout(Stdio::null()).status();
    assert!(status.is_ok_and(|status| status.success()), "the script fails natively");
    start.elapsed()
}

struct Explored {
    taken: Duration,
    /// The most that simrun's own process had, in KiB.
    memory: u64,
}

fn explored(folder: &Path, script: &str, runs: u64) -> Explored {
    let start = Instant::now();
    let mut child = Command::new(env!("CARGO_BIN_EXE_simrun"))
        .args(["explore", "--depth", &runs.to_string(), "--store"])
        .arg(folder.join(format!("store-{runs}")))
        .args(["--", "bash", "-c", script])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("simrun starts");
    let mut memory = 0;
    let status = loop {
        memory = memory.max(peak(&child));
        match child.try_wait().expect("own child") {
            Some(status) => break status,
            None => thread::sleep(Duration::from_millis(20)),
        }
    };
    assert!(status.success(), "a run fails");
    Explored { taken: start.elapsed(), memory }
}

/// The most memory a process has had so far, in KiB (proc_pid_status(5)).
fn peak(child: &Child) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().strip_suffix(" kB")?.parse().ok()).unwrap_or(0)
}
