//! The command line: what it accepts, what it answers, what it exits with.

mod common;

use std::{
    fs,
    io::Write,
    process::Stdio,
    sync::atomic::{AtomicBool, Ordering},
    thread,
};

use common::{Said, build, fingerprint, run, said, simrun};

#[test]
fn statuses_are_passed_on() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = folder.path().join("text");
    fs::write(&text, "no program\n").expect("a file");
    let text = text.to_str().expect("a path");
    let cases: [(&[&str], i32, &str); 7] = [
        (&["--seed", "1", "--", "/bin/true"], 0, "simrun: seed 1\nsimrun: seed 1, [summary]\n"),
        (&["--seed", "1", "--", "/bin/false"], 1, "simrun: seed 1\nsimrun: seed 1, [summary]\n"),
        (&["--quiet", "--", "/bin/false"], 1, ""),
        (&["--", "/no/such/program"], 127, "simrun: /no/such/program: command not found\n"),
        (&["--", "no-such-program"], 127, "simrun: no-such-program: command not found\n"),
        (&["--", ""], 127, "simrun: : command not found\n"),
        (&["--", text], 126, "simrun: TEXT: cannot be executed\n"),
    ];
    for (arguments, status, words) in cases {
        let said = run(arguments);
        assert_eq!(said.status, status, "{arguments:?}: {}", said.stderr);
        assert_eq!(said.stderr.replace(text, "TEXT"), words, "{arguments:?}");
        assert_eq!(said.stdout, "", "{arguments:?}");
    }
}

#[test]
fn what_is_wrong_is_named_with_the_nearest_that_is_right() {
    let cases: [(&[&str], &str); 16] = [
        (
            &["--timeout", "10"],
            "invalid value '10' for '--timeout <DURATION>': a unit is missing, as in 10s",
        ),
        (
            &["--wall-timeout", "x"],
            "'--wall-timeout <DURATION>': write a number with ns, us, ms, s, m, h or d",
        ),
        (&["--mem", "1GB"], "invalid value '1GB' for '--mem <SIZE>': did you mean 1GiB?"),
        (&["--cpus", "0"], "invalid value '0' for '--cpus <N>': 0 is not in 1..=1024"),
        (&["--seed", "x"], "invalid value 'x' for '--seed <N>': a seed is a number"),
        (&["--sede", "1"], "a similar argument exists: '--seed'"),
        (&["--strategy", "randm"], "a similar value exists: 'random'"),
        (&["--env", "A"], "invalid value 'A' for '--env <KEY=VALUE>': write A=VALUE"),
        (
            &["--start-time", "now"],
            "'--start-time <TIME>': write a date as in 2030-01-01T00:00:00Z",
        ),
        (
            &["--cwd", "/no/such"],
            "simrun: /no/such: no directory to run in: No such file or directory",
        ),
        (&["--cwd", "/etc/passwd"], "simrun: /etc/passwd: no directory to run in"),
        (
            &["--trace", "/no/such/file"],
            "simrun: /no/such/file: the trace cannot be written: No such file",
        ),
        (
            &["--schedule", "/no/such"],
            "simrun: /no/such: the schedule cannot be read: No such file",
        ),
        (&["--schedule", "/etc/passwd"], "simrun: /etc/passwd: line 1 is not one of a trace"),
        (
            &["--faults", "eintr,disk-ful"],
            "simrun: there are no faults named `disk-ful`; did you mean `disk-full`?",
        ),
        (&["--faults", "/etc/passwd"], "simrun: /etc/passwd:1:1: `root:x:0:0:root:/root:/bin/bash"),
    ];
    for (arguments, words) in cases {
        let said = run(arguments.iter().chain(&["--", "/bin/true"]));
        assert_eq!(said.status, 125, "{arguments:?}");
        assert!(said.stderr.contains(words), "{arguments:?}: {}", said.stderr);
        assert_eq!(said.stdout, "", "{arguments:?}");
    }
}

#[test]
fn without_a_command_nothing_runs() {
    for arguments in [&[] as &[&str], &["--seed", "1"], &["verify"], &["verfy"]] {
        assert_eq!(run(arguments).status, 125, "{arguments:?}");
    }
    let tips: [(&[&str], &str); 6] = [
        (&["verfy"], "tip: a similar verb exists: simrun verify ..."),
        (&["--seed", "1", "verify"], "tip: a verb comes before its options: simrun verify ..."),
        (&["--seed", "1", "./service"], "tip: a command comes after `--`: simrun -- ./service ..."),
        (&["explore", "./service"], "tip: a command comes after `--`"),
        (&["verify", "--sede", "1"], "tip: a similar argument exists: '--seed'"),
        (&["doctor", "who"], "error: unexpected argument 'who' found\n\nUsage: simrun doctor\n"),
    ];
    for (arguments, words) in tips {
        let said = run(arguments);
        assert_eq!(said.status, 125, "{arguments:?}");
        assert!(said.stderr.contains(words), "{arguments:?}: {}", said.stderr);
    }
    let help = run(["--help"]);
    assert_eq!((help.status, help.stderr.as_str()), (0, ""));
    assert!(help.stdout.contains("simrun [OPTIONS] -- COMMAND..."));
}

#[test]
fn a_seed_is_drawn_and_printed_first() {
    let first_line = || {
        let said = run(["--", "/bin/true"]);
        said.stderr.lines().next().unwrap_or_default().to_owned()
    };
    let (a, b) = (first_line(), first_line());
    assert!(a.starts_with("simrun: seed "), "{a}");
    assert_ne!(a, b);
}

#[test]
fn environment_directory_and_date_are_as_asked() {
    let said = run(["--seed", "5", "--env", "A=1", "--env", "A=2", "--", "/usr/bin/env"]);
    let lines: Vec<_> = said.stdout.lines().collect();
    for line in ["A=2", "SIMRUN_SEED=5", "WENV_SEED=5", "FORMAL_SEED=5"] {
        assert!(lines.contains(&line), "{line} in {}", said.stdout);
    }
    assert!(!lines.contains(&"A=1"));
    let path = run(["--env", "PATH=/nowhere", "--", "true"]);
    assert_eq!(path.status, 127, "programs are looked for where the command would");
    assert_eq!(run(["--cwd", "/", "--", "bin/true"]).status, 0);
    let date =
        |start| run(["--start-time", start, "--env", "TZ=UTC0", "--", "/bin/date", "+%s"]).stdout;
    assert_eq!(date("@1700000000"), "1700000000\n");
    assert_eq!(date("2001-09-09T01:46:40Z"), "1000000000\n");
}

#[test]
fn bytes_go_through_unchanged() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes: Vec<u8> =
        (0..1_000_000u32).map(|i| ((u64::from(i) * u64::from(i)) >> 7) as u8).collect();
    let file = folder.path().join("bytes");
    fs::write(&file, &bytes).expect("a file");

    let input = fs::File::open(&file).expect("the file");
    let from_file = simrun(["--", "/bin/cat"]).stdin(input).output().expect("a run");
    assert!(from_file.stdout == bytes, "from a file: {}", said(&from_file).stderr);

    let mut child = simrun(["--", "/bin/cat"]).stdin(Stdio::piped()).spawn().expect("a run");
    let mut pipe = child.stdin.take().expect("a pipe");
    let copy = bytes.clone();
    let writer = std::thread::spawn(move || pipe.write_all(&copy));
    let from_pipe = child.wait_with_output().expect("a run");
    writer.join().expect("no panic").expect("all is read");
    assert!(from_pipe.stdout == bytes, "from a pipe: {}", said(&from_pipe).stderr);
}

#[test]
fn a_trace_has_every_event_and_forces_a_schedule() {
    let folder = tempfile::tempdir().expect("a folder");
    let threads = build("threads", folder.path());
    let trace = folder.path().join("trace");
    let run = |arguments: &[&str]| {
        simrun(arguments)
            .arg("--trace")
            .arg(&trace)
            .arg("--")
            .arg(&threads)
            .output()
            .expect("a run")
    };
    let traced = run(&["--seed", "3", "--trace-syscalls"]);
    assert_eq!(traced.status.code(), Some(7), "{}", said(&traced).stderr);
    let text = fs::read_to_string(&trace).expect("a trace");
    let writes = text.lines().filter(|line| line.contains("\"call\":\"write(")).count();
    assert_eq!(writes, 80, "no call is lost");
    let plain = run(&["--seed", "3"]);
    assert_eq!(fingerprint(&plain), fingerprint(&traced), "a trace changes nothing");

    let schedule = folder.path().join("schedule");
    fs::rename(&trace, &schedule).expect("a schedule");
    let schedule = schedule.to_str().expect("a path");
    let forced = run(&["--seed", "4", "--schedule", schedule]);
    let free = run(&["--seed", "4"]);
    assert!(free.stdout != traced.stdout, "another seed, another order");
    let choices = |text: &str| {
        let of_choices = text.lines().filter(|line| line.contains("\"what\":\"choice\""));
        of_choices.count()
    };
    assert!(choices(&text) > 10);
    assert!(forced.stdout == traced.stdout, "the same choices, the same order");
}

#[test]
fn a_full_disk_loses_the_trace_and_not_the_run() {
    let output = simrun(["--trace", "/dev/full", "--", "/bin/echo", "hi"]).output().expect("a run");
    assert_eq!(output.stdout, b"hi\n");
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(words.contains("warning: the trace is incomplete: No space left"), "{words}");
}

#[test]
fn verify_compares_fingerprints() {
    let said = run(["verify", "--runs", "4", "--seed", "9", "--", "/bin/echo", "hi"]);
    assert_eq!((said.status, said.stdout.as_str()), (0, "hi\n"), "{}", said.stderr);
    assert!(said.stderr.contains("simrun: all 4 runs are equal: fingerprint "), "{}", said.stderr);
    assert_eq!(run(["verify", "--runs", "2", "--", "/bin/false"]).status, 1);
}

#[test]
fn verify_gives_every_run_the_same_input() {
    let mut child = simrun(["verify", "--runs", "100", "--seed", "1", "--", "/bin/cat"])
        .stdin(Stdio::piped())
        .spawn()
        .expect("a run");
    child.stdin.take().expect("a pipe").write_all(b"some input").expect("it reads");
    let output = child.wait_with_output().expect("a run");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(0), &b"some input"[..]));
}

#[test]
fn verify_shows_where_runs_part() {
    // A file of the host that somebody writes meanwhile is an input that is not the same.
    let folder = tempfile::tempdir().expect("a folder");
    let counted = folder.path().join("count");
    fs::write(&counted, "0").expect("a file");
    let ended = AtomicBool::new(false);
    let output = thread::scope(|scope| {
        scope.spawn(|| {
            for count in 0.. {
                if ended.load(Ordering::Relaxed) {
                    break;
                }
                fs::write(folder.path().join("next"), count.to_string()).expect("a file");
                fs::rename(folder.path().join("next"), &counted).expect("a file");
            }
        });
        let mut run = simrun(["verify", "--runs", "100", "--seed", "1", "--", "/bin/cat"]);
        let output = run.arg(&counted).output().expect("a run");
        ended.store(true, Ordering::Relaxed);
        output
    });
    let said = said(&output);
    assert_eq!(said.status, 125, "{}", said.stderr);
    for words in
        [" differs: fingerprint", "the first event that differs", "simrun: - {", "simrun: + {"]
    {
        assert!(said.stderr.contains(words), "{words} in {}", said.stderr);
    }
}

#[test]
fn doctor_finds_this_machine_well() {
    let said = run(["doctor"]);
    assert_eq!(said.status, 0, "{}", said.stdout);
    assert!(said.stdout.lines().all(|line| line.starts_with("ok ") || line.starts_with("warn ")));
}

/// A page of the reference is what a verb says.
fn page_is_current(page: &str, verb: &[&str]) {
    let page = format!("{}/../docs/reference/{page}.md", env!("CARGO_MANIFEST_DIR"));
    let Said { status, stdout: current, stderr } = run(verb.iter().chain(&["--markdown"]));
    assert_eq!(status, 0, "{stderr}");
    if std::env::var_os("SIMRUN_WRITE_PAGES").is_some() {
        fs::write(&page, &current).expect("the page");
    }
    let kept = fs::read_to_string(&page).unwrap_or_default();
    assert!(
        kept == current,
        "write it again: SIMRUN_WRITE_PAGES=1 cargo test -p simrun --test command"
    );
}

#[test]
fn the_page_of_system_calls_is_current() {
    page_is_current("syscalls", &["syscalls"]);
    let json = run(["syscalls", "--json"]).stdout;
    let list: serde_json::Value = serde_json::from_str(&json).expect("JSON");
    assert_eq!(list[0]["name"], "read");
}

#[test]
fn the_page_of_faults_is_current() {
    page_is_current("faults", &["faults"]);
    let schema = run(["schema", "faults"]).stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(schema["title"], "FaultFile");
}

#[test]
fn the_page_of_mocks_is_current() {
    page_is_current("mocks", &["schema", "mocks"]);
    let schema = run(["schema", "mocks"]).stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(schema["title"], "MocksFile");
}

#[test]
fn the_page_of_simulations_is_current() {
    page_is_current("simulations", &["schema", "sim"]);
    let schema = run(["schema", "sim"]).stdout;
    let schema: serde_json::Value = serde_json::from_str(&schema).expect("JSON");
    assert_eq!(schema["title"], "SimulationFile");
}

#[test]
fn faults_are_listed_and_shown() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = folder.path().join(".simrun/faults");
    fs::create_dir_all(&faults).expect("a folder");
    fs::write(faults.join("mine.yaml"), "about: Mine.\nfaults:\n  a: { do: { delay: 1s } }\n")
        .expect("a file");
    fs::write(faults.join("wrong.yaml"), "abuot: Mine.\n").expect("a file");
    let run = |arguments: &[&str]| {
        said(&simrun(arguments).current_dir(folder.path()).output().expect("a run"))
    };
    let list = run(&["faults"]).stdout;
    let line = |name: &str| {
        let found = list.lines().find(|line| line.starts_with(&format!("{name} ")));
        found.unwrap_or_else(|| panic!("{name} in {list}")).to_owned()
    };
    assert!(line("eintr").ends_with("where a signal could interrupt them."));
    assert!(line("mine").ends_with(" Mine."));
    assert!(line("wrong").ends_with(".yaml:1:1: unknown key `abuot`; did you mean `about`?"));
    let shown = run(&["faults", "show", "eintr"]).stdout;
    assert!(shown.contains("do: { fail: EINTR }"), "{shown}");
    let used = run(&["--seed", "1", "--faults", "mine", "--", "/bin/true"]);
    assert_eq!(used.status, 0, "{}", used.stderr);
}

/// The verbs that help lists.
fn verbs(help: &str) -> Vec<String> {
    let commands = help.split("\nCommands:\n").nth(1).unwrap_or_default();
    let lines = commands.lines().take_while(|line| line.starts_with("  "));
    // What goes on from the line before stands further in.
    let names = lines.filter(|line| !line.starts_with("   "));
    names.filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

#[test]
fn the_help_of_every_verb_has_an_example() {
    let mut asked = vec![Vec::new()];
    let mut count = 0;
    while let Some(words) = asked.pop() {
        let said = run(words.iter().map(String::as_str).chain(["--help"]));
        assert_eq!(said.status, 0, "{words:?}");
        let examples = said.stdout.split("\nExamples:\n").nth(1).unwrap_or_default();
        let start = [&["simrun".to_owned()], words.as_slice()].concat().join(" ");
        let is_one = |line: &str| line.trim_start().starts_with(&start);
        assert!(examples.lines().any(is_one), "{words:?}: {}", said.stdout);
        let below = verbs(&said.stdout).into_iter();
        asked.extend(below.map(|verb| [words.as_slice(), &[verb]].concat()));
        count += 1;
    }
    assert!(count > 18, "{count} verbs");
}

#[test]
fn the_page_of_the_command_line_names_every_option() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/reference/cli.md");
    let page = fs::read_to_string(page).expect("the page");
    let verbs = [
        "sim",
        "init",
        "verify",
        "schema",
        "faults",
        "ls",
        "runs",
        "show",
        "logs",
        "artifacts",
        "rerun",
        "diff",
        "gc",
        "explore",
        "status",
        "merge",
        "files",
    ];
    let helps = verbs.into_iter().map(|verb| run([verb, "--help"]).stdout);
    let of_mocks = ["serve", "import", "authority"];
    let helps = helps.chain(of_mocks.into_iter().map(|verb| run(["mocks", verb, "--help"]).stdout));
    for help in helps.chain([run(["--help"]).stdout]) {
        for word in help.split(|c: char| !(c.is_ascii_lowercase() || c == '-')) {
            if word.starts_with("--") && word.len() > 2 {
                assert!(page.contains(word), "{word} is not on the page");
            }
        }
    }
}
