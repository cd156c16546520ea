//! Services that stand in for others, as ordinary programs meet them.

mod common;

use std::{
    io::{BufRead, BufReader},
    path::{Path, PathBuf},
    process::{Command, Output, Stdio},
};

use common::{Load, SIMRUN, fingerprint, said, simrun};

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/mocks").join(name)
}

/// Runs a command with mocks, once more under load, and compares the two.
fn twice(mocks: &str, command: &[&str]) -> Output {
    let run = || {
        let mut run = simrun(["--seed", "1", "--mocks"]);
        run.arg(file(mocks)).arg("--").args(command).output().expect("a run")
    };
    let first = run();
    let load = Load::start();
    let second = run();
    drop(load);
    assert_eq!(first.stdout, second.stdout, "{command:?}");
    assert_eq!(fingerprint(&first), fingerprint(&second), "{command:?}: {}", said(&first).stderr);
    first
}

#[test]
fn programs_find_the_services_by_their_names() {
    let script = file("client.py");
    let output = twice("payments.yaml", &["/usr/bin/python3", script.to_str().expect("a path")]);
    let said = said(&output);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert_eq!(
        said.stdout.lines().collect::<Vec<_>>(),
        [
            "201 ['one', 'two'] {'amount': 500, 'id': 'ch_1', 'paid': True}",
            "200 b'a charge\\n'",
            "404 no mock matched: GET /v1/refunds; closest: route read, path differs: /v1/refunds, not /v1/charges/{id}",
            "gaierror",
        ]
    );
}

#[test]
fn curl_gets_the_answer_and_nothing_else_on_its_streams() {
    let url = "http://api.payments.test/v1/charges/7";
    let output = twice("payments.yaml", &["curl", "-s", "--fail", url]);
    let said = said(&output);
    assert_eq!((said.status, said.stdout.as_str()), (0, "a charge\n"), "{}", said.stderr);
    assert_eq!(said.stderr, "simrun: seed 1\nsimrun: seed 1, [summary]\n");
}

#[test]
fn the_same_services_can_be_served_natively() {
    let mut command = Command::new(SIMRUN);
    command.args(["mocks", "serve", "--free-ports"]).arg(file("payments.yaml"));
    let mut server =
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("a server");
    let mut line = String::new();
    let stderr = server.stderr.take().expect("its standard error");
    BufReader::new(stderr).read_line(&mut line).expect("it says where it is");
    let address = line.split_whitespace().find(|word| word.starts_with("http://"));
    let url = format!("{}/v1/charges/7", address.unwrap_or_else(|| panic!("{line}")));
    let asked = Command::new("curl").args(["-s", "--noproxy", "*", &url]).output().expect("curl");
    server.kill().expect("it is there");
    server.wait().expect("it ends");
    assert_eq!(String::from_utf8_lossy(&asked.stdout), "a charge\n", "{line}");
}

#[test]
fn what_is_wrong_with_a_file_is_said_before_anything_runs() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("wrong.yaml");
    let text = "mocks:\n  payments:\n    routes:\n      a: { answer: { staus: 200 } }\n";
    std::fs::write(&path, text).expect("a file");
    let output = simrun(["--mocks"]).arg(&path).args(["--", "true"]).output().expect("simrun");
    let said = said(&output);
    assert_eq!(said.status, 125);
    let words = format!("{}:4:22: unknown key `staus`; did you mean `status`?", path.display());
    assert!(said.stderr.contains(&words), "{}", said.stderr);
}
