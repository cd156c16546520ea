//! How runs end, whoever ends them, and that nothing is left of them.

mod common;

use std::{
    fs,
    io::{self, BufRead, BufReader, Write},
    os::unix::process::CommandExt,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use common::{SIMRUN, build, parent, processes, run, said, simrun, until};
use nix::{
    sys::signal::{SigHandler, Signal, kill, signal},
    unistd::Pid,
};

/// A run that computes without end.
struct Endless {
    child: Child,
    /// The host process of the program.
    inside: i32,
    _folder: tempfile::TempDir,
}

impl Endless {
    fn start() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let busy = build("busy", folder.path());
        let mut command = simrun(["--seed", "1", "--"]);
        // SAFETY: the closure makes system calls only.
        unsafe { command.arg(busy).pre_exec(heed_signals) };
        let child = command.spawn().expect("a run");
        let mut inside = None;
        until("the run gets going", || {
            let mut pids = processes().into_iter();
            inside =
                pids.find(|&pid| parent(pid) == Some(child.id() as i32) && name(pid) == "busy");
            inside.is_some()
        });
        Self { child, inside: inside.expect("it runs"), _folder: folder }
    }

    fn pid(&self) -> i32 {
        self.child.id() as i32
    }

    fn end(self) -> common::Said {
        let inside = self.inside;
        let said = said(&self.child.wait_with_output().expect("an end"));
        assert_ne!(name(inside), "busy", "left over");
        said
    }
}

/// A shell without job control has its background jobs ignore SIGINT, and simrun keeps to it.
fn heed_signals() -> io::Result<()> {
    for ending in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        // SAFETY: no handler is installed.
        unsafe { signal(ending, SigHandler::SigDfl) }?;
    }
    Ok(())
}

fn name(pid: i32) -> String {
    fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default().trim().into()
}

fn send(pid: i32, signal: Signal) {
    kill(Pid::from_raw(pid), signal).expect("a process of this test");
}

#[test]
fn signals_to_simrun_end_the_run() {
    for ending in [Signal::SIGINT, Signal::SIGTERM, Signal::SIGHUP] {
        let run = Endless::start();
        send(run.pid(), ending);
        let said = run.end();
        assert_eq!(said.status, 128 + ending as i32);
        assert_eq!(
            said.stderr,
            format!("simrun: seed 1\nsimrun: ended by {ending}\nsimrun: seed 1, [summary]\n")
        );
    }
}

#[test]
fn a_killed_simrun_takes_the_run_with_it() {
    let mut run = Endless::start();
    run.child.kill().expect("it runs");
    run.child.wait().expect("it is gone");
    until("nothing is left", || name(run.inside) != "busy");
}

#[test]
fn a_process_killed_from_outside_is_no_result() {
    let run = Endless::start();
    let inside = run.inside;
    send(inside, Signal::SIGKILL);
    let said = run.end();
    assert_eq!(said.status, 125);
    let words = format!(
        "simrun: busy (process {inside}) was killed from outside the simulation by SIGKILL"
    );
    assert!(said.stderr.contains(&words), "{}", said.stderr);
}

#[test]
fn time_runs_out() {
    let start = Instant::now();
    let simulated = run(["--seed", "1", "--timeout", "2h", "--", "/bin/sleep", "1d"]);
    assert_eq!(simulated.status, 124);
    assert!(
        simulated.stderr.contains("simrun: timed out after 7200.000000s of simulated time\n"),
        "{}",
        simulated.stderr
    );
    assert!(start.elapsed() < Duration::from_secs(10), "no real time passes");

    let folder = tempfile::tempdir().expect("a folder");
    let busy = build("busy", folder.path());
    let real = said(&simrun(["--wall-timeout", "300ms", "--"]).arg(busy).output().expect("a run"));
    assert_eq!(real.status, 124);
    assert!(
        real.stderr.contains("of real time; the last program to run was busy\n"),
        "{}",
        real.stderr
    );
}

#[test]
fn a_run_that_waits_for_input_says_so_and_goes_on_when_there_is_some() {
    let mut command = simrun(["--seed", "1", "--", "/bin/cat"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().expect("a run");
    let words = BufReader::new(child.stderr.take().expect("it is piped")).lines();
    let mut words = words.map(|line| line.expect("text"));
    let line = words.nth(1).expect("more than the seed");
    assert_eq!(line, "simrun: cat waits for standard input; `</dev/null` gives it none");
    let mut input = child.stdin.take().expect("it is piped");
    input.write_all(b"here it is").expect("it is read");
    drop(input);
    let output = child.wait_with_output().expect("an end");
    assert_eq!((output.status.code(), output.stdout), (Some(0), b"here it is".to_vec()));
}

#[test]
fn a_deadlock_names_every_thread() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build("deadlock", folder.path());
    let said = said(&simrun(["--seed", "1", "--"]).arg(program).output().expect("a run"));
    assert_eq!(said.status, 125, "{}", said.stderr);
    let lines: Vec<_> = said.stderr.lines().collect();
    assert_eq!(lines[1], "simrun: deadlock: no thread can ever run again");
    for line in &lines[2..4] {
        assert!(line.starts_with("simrun:   deadlock (pid "), "{line}");
        assert!(line.contains(" in futex(") && line.contains(" waits for "), "{line}");
    }
    assert_eq!(lines[4], "simrun: again with: --seed 1");
}

/// Runs with a limit that only a shell sets easily.
fn limited(limit: &str) -> common::Said {
    let script = format!("{limit} && exec \"$0\" --quiet -- /bin/true");
    let mut shell = Command::new("/bin/bash");
    shell.args(["-c", &script, SIMRUN]).env("SIMRUN_STORE", "");
    said(&shell.output().expect("a shell"))
}

#[test]
fn limits_of_the_host_that_forbid_a_run_are_named() {
    let cases = [
        ("ulimit -v 4000000", "the limit on address space is too low: 4000000, and a run needs"),
        ("ulimit -f 1000", "the limit on file size is too low: 1000, and a run needs"),
        (
            "ulimit -Sn 100 && ulimit -Hn 100",
            "the limit on open files is too low: 100, and a run needs",
        ),
    ];
    for (limit, words) in cases {
        let said = limited(limit);
        assert_eq!(said.status, 125, "{limit}");
        assert!(said.stderr.contains(words), "{limit}: {}", said.stderr);
    }
    assert_eq!(limited("ulimit -Sn 64").status, 0, "a soft limit is raised");
    assert_eq!(limited("trap '' CHLD").status, 0, "inherited dispositions do not matter");
}

#[test]
fn a_closed_standard_stream_is_no_failure() {
    for closed in ["<&-", ">&-", "2>&-"] {
        let script = format!("\"$0\" -- /bin/true {closed}");
        let status = Command::new("/bin/bash")
            .args(["-c", &script, SIMRUN])
            .env("SIMRUN_STORE", "")
            .stderr(Stdio::null())
            .status()
            .expect("a shell");
        assert!(status.success(), "{closed}");
    }
}

#[test]
fn nothing_is_left_in_temporary_folders() {
    let folder = tempfile::tempdir().expect("a folder");
    let status = simrun(["--", "/bin/true"])
        .env("TMPDIR", folder.path())
        .current_dir(folder.path())
        .status();
    assert!(status.expect("a run").success());
    assert_eq!(fs::read_dir(folder.path()).expect("a folder").count(), 0);
}
