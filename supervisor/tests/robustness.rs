//! Whatever a program does, its run ends in a status or a report, and nothing is left of it.

mod common;

use std::{
    collections::BTreeSet,
    fs,
    os::unix::process::CommandExt,
    path::{Path, PathBuf},
    process::Command,
};

use common::{Said, build_in, parent, processes, said, simrun};
use nix::sys::resource::{Resource, setrlimit};

/// A program of `tests/robustness`, and a folder for it to run in.
struct Program {
    folder: tempfile::TempDir,
    binary: PathBuf,
}

impl Program {
    fn build(name: &str) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let binary = build_in("robustness", name, folder.path());
        Self { folder, binary }
    }

    fn command(&self, arguments: &[&str]) -> Command {
        let mut command = simrun(["--seed", "1", "--wall-timeout", "120s", "--"]);
        command.arg(&self.binary).args(arguments).current_dir(self.folder.path());
        command
    }

    /// Runs it, and sees to it that nothing is left.
    fn run(&self, arguments: &[&str]) -> Said {
        ended(self.command(arguments), self.folder.path())
    }
}

/// Runs a command to its end; no process, temporary file or shared memory of it may be left.
fn ended(mut command: Command, folder: &Path) -> Said {
    let temporary = tempfile::tempdir().expect("a folder");
    command.env("TMPDIR", temporary.path());
    let before = names(folder);
    let child = command.spawn().expect("simrun can be run");
    let simrun = child.id() as i32;
    let said = said(&child.wait_with_output().expect("it ends"));
    assert_eq!(children(simrun), [] as [i32; 0], "left over");
    assert_eq!(names(temporary.path()), BTreeSet::new(), "left over");
    assert_eq!(names(folder), before, "left over");
    said
}

/// Names in a folder.
fn names(folder: &Path) -> BTreeSet<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder").flatten();
    entries.map(|entry| entry.path()).collect()
}

/// Processes that `simrun` has begun and that nobody has collected.
fn children(simrun: i32) -> Vec<i32> {
    processes().into_iter().filter(|&pid| parent(pid) == Some(simrun)).collect()
}

#[test]
fn crashes_have_the_status_that_linux_gives_them() {
    let program = Program::build("endings");
    let cases = [
        ("segfault", 139),
        ("abort", 134),
        ("jump_to_nowhere", 139),
        ("jump_to_data", 139),
        ("jump_into_arena", 139),
        ("write_to_image", 139),
        ("divide", 136),
        ("trap", 132),
        ("breakpoint", 133),
        ("privileged", 139),
        ("x32_call", 3),
        ("overflow_stack", 139),
        ("overwrite_stack", 139),
        ("lose_stack", 139),
        ("segfault_without_handler_stack", 139),
        ("bad_sigreturn", 139),
        ("call_with_odd_flags", 3),
        ("crash_in_thread", 139),
        ("unmap_all", 139),
        ("protect_all", 139),
        ("map_at_odd_places", 3),
    ];
    for (how, status) in cases {
        let said = program.run(&[how]);
        assert_eq!(said.status, status, "{how}: {}", said.stderr);
        assert_eq!(said.stderr, "simrun: seed 1\nsimrun: seed 1, [summary]\n", "{how}");
    }
}

#[test]
fn what_runs_out_is_an_error_to_the_program() {
    let program = Program::build("endings");
    for how in ["fork_without_end", "open_without_end", "pipe_without_end", "allocate_without_end"]
    {
        let said = program.run(&[how]);
        assert_eq!((said.status, said.stdout.as_str()), (3, "1\n"), "{how}: {}", said.stderr);
    }
}

#[test]
fn a_32_bit_call_is_named() {
    let program = Program::build("endings");
    let output = program.command(&["old_call"]).output().expect("a run");
    assert_eq!(output.status.code(), Some(128 + 31));
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(
        words.contains("warning: endings: a 32-bit system call: it is not supported"),
        "{words}"
    );
}

#[test]
fn bad_arguments_are_errors() {
    let program = Program::build("bad_arguments");
    let said = program.run(&[]);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(said.stdout.starts_with("survived: "), "{}", said.stdout);
}

#[test]
fn a_deadlock_says_what_each_thread_waits_for() {
    let program = Program::build("stuck");
    let cases: [(&str, &[&str]); 4] = [
        ("pipe", &[" in read("]),
        ("futex", &[" in futex("]),
        ("wait", &[" in wait4(", " in read("]),
        ("socket", &[" in recvfrom("]),
    ];
    for (how, calls) in cases {
        let said = program.run(&[how]);
        assert_eq!(said.status, 125, "{how}: {}", said.stderr);
        assert!(said.stderr.contains("simrun: deadlock: no thread can ever run again\n"), "{how}");
        let threads = said.stderr.lines().filter(|line| line.starts_with("simrun:   stuck (pid "));
        let threads: Vec<_> = threads.collect();
        assert_eq!(threads.len(), calls.len(), "{how}: {}", said.stderr);
        for (thread, call) in threads.iter().zip(calls) {
            assert!(thread.contains(call) && thread.contains(" waits for "), "{how}: {thread}");
        }
    }
}

#[test]
fn limits_of_the_host_are_no_limits_of_the_run() {
    let program = Program::build("endings");
    let limits = [
        (Resource::RLIMIT_NOFILE, [64, 20, 4]),
        (Resource::RLIMIT_AS, [1 << 30, 64 << 20, 16 << 20]),
        (Resource::RLIMIT_NPROC, [1, 0, 0]),
        (Resource::RLIMIT_STACK, [1 << 20, 64 << 10, 16 << 10]),
        (Resource::RLIMIT_FSIZE, [1 << 20, 4096, 0]),
    ];
    for (resource, values) in limits {
        for value in values {
            let mut command = program.command(&["crash_in_thread"]);
            // SAFETY: the closure makes a system call only.
            unsafe { command.pre_exec(move || Ok(setrlimit(resource, value, value)?)) };
            let temporary = tempfile::tempdir().expect("a folder");
            command.env("TMPDIR", temporary.path());
            // The host may not even be able to start simrun.
            let Ok(output) = command.output() else { continue };
            let said = said(&output);
            let fine = said.status == 139 && said.stderr.contains("[summary]");
            let told = matches!(said.status, 125..=127) && said.stderr.starts_with("simrun: ");
            // The loader of simrun itself.
            let too_small = said.status == 127
                && said.stderr.contains("error while loading shared")
                || said.status == -1;
            assert!(
                fine || told || too_small,
                "{resource:?} {value}: {} {}",
                said.status,
                said.stderr
            );
            assert!(!said.stderr.contains("panicked"), "{resource:?} {value}: {}", said.stderr);
            assert_eq!(names(temporary.path()), BTreeSet::new(), "{resource:?} {value}");
        }
    }
}
