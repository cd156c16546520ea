//! Services that stand in for others, as ordinary programs meet them.

mod common;

use std::{
    io::{BufRead, BufReader, Read},
    path::Path,
    process::{Child, ChildStderr, Command, Stdio},
};

use common::{
    SIMRUN, compared, example,
    mocks::{file, script, twice},
    said, simrun,
};

#[test]
fn programs_find_the_services_by_their_names() {
    let script = file("client.py");
    let output = twice("payments.yaml", &["/usr/bin/python3", script.to_str().expect("a path")]);
    let said = said(&output);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert_eq!(
        said.stdout.lines().collect::<Vec<_>>(),
        [
            "201 ['one', 'two'] {'id': 'ch_1', 'amount': 500, 'paid': True}",
            "200 b'a charge\\n'",
            "404 no mock matched: GET /v1/refunds; closest: route read, path differs: \"/v1/refunds\", not /v1/charges/{id}",
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

#[test]
fn troubles_are_what_clients_meet() {
    let output = twice("shop.yaml", &["sh", &script("troubles.sh"), "http://api.payments.test"]);
    let said = said(&output);
    let lines: Vec<&str> = said.stdout.lines().collect();
    // Exit statuses of curl: 56 receiving failed, 52 nothing came, 1 no HTTP, 18 less came than was told, 28 time-out.
    assert_eq!(
        lines[..9],
        [
            "reset-before 56 ",
            "reset-middle 56 01234",
            "reset-after 56 ",
            "empty 52 ",
            "garbage 1 ",
            "truncate 18 01234",
            "too-long 18 0123456789",
            "too-short 0 01234",
            "hang 28 ",
        ],
        "{}",
        said.stderr
    );
    let timed: Vec<Vec<&str>> = lines[9..].iter().map(|line| line.split(' ').collect()).collect();
    let took = |index: usize| timed[index][2].parse::<f64>().expect("seconds");
    assert!((1.0..1.1).contains(&took(0)) && (2.0..2.1).contains(&took(1)), "{lines:?}");
    assert_eq!((timed[2][1], timed[3][1], timed[3][3]), ("503", "429", "7"), "{lines:?}");
}

#[test]
fn webhooks_come_again_until_they_are_taken() {
    for scheme in ["http", "https"] {
        let output = twice("shop.yaml", &["/usr/bin/python3", &script("hooks.py"), scheme]);
        let said = said(&output);
        let expected =
            "3.0 /news {\"number\":1}\n4.0 /news {\"number\":1}\n6.0 /news {\"number\":1}\n";
        assert_eq!(said.stdout, expected, "{scheme}: {}", said.stderr);
    }
}

#[test]
fn what_is_expected_of_calls_is_an_invariant() {
    let store = tempfile::tempdir().expect("a folder");
    let pay = |faults: &[&str]| {
        let mut run = common::stored(store.path(), ["--seed", "1", "--mocks"]);
        run.arg(file("shop.yaml"))
            .args(faults)
            .arg("--")
            .args(["/usr/bin/python3", &script("pay.py")]);
        let output = run.output().expect("a run");
        let shown = common::run_stored(store.path(), ["show", "last"]);
        let lines = shown.stdout.lines().filter(|line| line.contains("payments/")).map(str::trim);
        let lines: Vec<String> =
            lines.map(|line| line.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        (said(&output).stdout.lines().count(), lines)
    };
    let (tries, invariants) = pay(&[]);
    assert_eq!(tries, 1);
    assert_eq!(
        invariants,
        [
            "invariant payments/charged-once (charged-once) held, passed 1 of 1",
            "invariant payments/charged (charged) held, passed 1 of 1",
        ]
    );
    let calls = common::run_stored(store.path(), ["mocks", "calls", "last"]).stdout;
    let words: Vec<&str> = calls.split_whitespace().skip(1).collect();
    assert_eq!(words, ["payments", "POST", "http://api.payments.test/charge/7", "200", "charge"]);
    // It was done, and the client was not told; so it asked again, and it was done once more.
    let (tries, invariants) = pay(&["--faults", "payments/ambiguous"]);
    assert_eq!(tries, 2);
    let broken = "invariant payments/charged-once (charged-once) violated, passed 0 of 1";
    assert!(invariants.iter().any(|line| line == broken), "{invariants:?}");
    let mut violated = common::run_stored(store.path(), ["runs", "--violations"]);
    violated.stdout.retain(|c| c != ' ');
    assert_eq!(violated.stdout.matches("failed").count(), 1, "{}", violated.stdout);
}

#[test]
fn encrypted_connections_are_vouched_for_by_the_authority_of_the_seed() {
    let folder = tempfile::tempdir().expect("a folder");
    let authority = folder.path().join("authority.pem");
    std::fs::write(&authority, common::run(["mocks", "authority", "--seed", "1"]).stdout)
        .expect("a file");
    let authority = authority.to_str().expect("a path");
    let url = "https://api.payments.test/x";
    let ask = |more: &[&str]| {
        let words =
            ["curl", "-s", "--cacert", authority, "-w", " %{http_version} %{ssl_verify_result}"];
        let command: Vec<&str> = words.iter().chain(more).copied().chain([url]).collect();
        said(&twice("shop.yaml", &command))
    };
    assert_eq!(ask(&[]).stdout, "0123456789 2 0");
    assert_eq!(ask(&["--http1.1"]).stdout, "0123456789 1.1 0");
    assert_eq!(ask(&["--tls-max", "1.2"]).stdout, "0123456789 2 0");
}

/// Programs in `tests/mocks/clients`, what they are run with, and how often the answer is in what they print.
#[test]
fn clients_trust_what_they_find_in_a_run() {
    let folder = tempfile::tempdir().expect("a folder");
    let source = |name: &str| script(&format!("clients/{name}"));
    let built = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let build = |command: &[&str]| {
        let status = Command::new(command[0]).args(&command[1..]).status().expect("a compiler");
        assert!(status.success(), "{command:?}");
    };
    build(&["go", "build", "-o", &built("client-go"), &source("client.go")]);
    build(&["javac", "-d", folder.path().to_str().expect("a path"), &source("Client.java")]);
    let clients: [(Vec<String>, usize); 6] = [
        (
            vec![
                "curl".into(),
                "-s".into(),
                "-d".into(),
                String::new(),
                "https://api.payments.test/charge/7".into(),
            ],
            1,
        ),
        (vec!["/usr/bin/python3".into(), source("client.py")], 4),
        (vec![built("client-go")], 1),
        // Where Debian has what npm would install.
        (
            vec![
                "env".into(),
                "NODE_PATH=/usr/share/nodejs".into(),
                "node".into(),
                source("client.mjs"),
            ],
            3,
        ),
        (vec!["java".into(), "-cp".into(), built(""), "Client".into()], 1),
        (vec![example("reqwest_post").to_str().expect("a path").into()], 1),
    ];
    for (command, count) in clients {
        let command: Vec<&str> = command.iter().map(String::as_str).collect();
        let said = said(&twice("shop.yaml", &command));
        let answers = said.stdout.replace(' ', "").matches("\"order\":\"7\"").count();
        assert_eq!(
            (said.status, answers),
            (0, count),
            "{command:?}\n{}{}",
            said.stdout,
            said.stderr
        );
    }
}

#[test]
fn the_mocks_of_a_project_are_there_without_being_asked_for() {
    let project = tempfile::tempdir().expect("a folder");
    for (path, text) in [
        (".simrun/mocks.yaml", "mocks:\n  own: { routes: { all: { answer: { text: own } } } }\n"),
        (
            ".workers/external-mocks.json",
            r#"{ "data": { "pairs": [{ "request": { "destination": [{ "matcher": "exact", "value": "other.test" }] }, "response": { "status": 200, "body": "other" } }] }, "meta": { "schemaVersion": "v5.2" } }"#,
        ),
    ] {
        let path = project.path().join(path);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, text).expect("a file");
    }
    let below = project.path().join("below");
    std::fs::create_dir(&below).expect("a folder");
    let ask = |options: &[&str]| {
        let mut run = simrun(["--seed", "1"]);
        run.args(options).args(["--", "curl", "-s", "http://own", "http://other.test"]);
        said(&run.current_dir(&below).output().expect("a run"))
    };
    assert_eq!(ask(&[]).stdout, "ownother");
    assert_eq!(ask(&["--no-mocks"]).status, 6, "curl resolves nothing");
}

#[test]
fn files_of_other_tools_are_imported() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("mappings.json");
    std::fs::write(
        &path,
        r#"{ "request": { "url": "/a" }, "response": { "body": "b", "fault": "odd" } }"#,
    )
    .expect("a file");
    let said = common::run(["mocks", "import", path.to_str().expect("a path")]);
    assert!(said.stdout.starts_with("mocks:\n  service:\n"), "{}", said.stdout);
    assert_eq!(said.stderr, "simrun: note: the fault `odd` is left out\n");
}

#[test]
fn an_answer_that_is_lost_charges_twice_until_the_key_is_sent() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/checkout");
    let mocks = folder.join("mocks.yaml");
    let store = tempfile::tempdir().expect("a folder");
    let explore = |more: &[&str]| {
        let words = ["explore", "--depth", "20", "--faults", "payments/ambiguous", "--mocks"];
        let mut command = common::stored(store.path(), words);
        command
            .arg(&mocks)
            .args(more)
            .args(["--", "/usr/bin/python3"])
            .arg(folder.join("checkout.py"));
        said(&command.output().expect("runs"))
    };
    let broken = explore(&[]);
    assert_eq!(broken.status, 1, "{}{}", broken.stdout, broken.stderr);
    assert!(broken.stdout.contains("payments/charged-once"), "{}", broken.stdout);
    let mended = explore(&["--env", "CHECKOUT_MENDED=1"]);
    assert_eq!(mended.status, 0, "{}{}", mended.stdout, mended.stderr);
}

#[test]
fn who_asks_for_a_stranger_is_told_how_to_mock_it() {
    let folder = tempfile::tempdir().expect("a folder");
    let ask = |more: &[&str]| {
        let mut run = simrun(["--seed", "1"]);
        run.args(more).args(["--", "curl", "-s", "http://api.stripe.test"]).output().expect("a run")
    };
    let alone = ask(&["--no-mocks"]);
    let words = String::from_utf8_lossy(&alone.stderr).into_owned();
    let begin = words.find("`mocks: ").unwrap_or_else(|| panic!("{words}")) + 1;
    let yaml = words[begin..].split('`').next().expect("an end");
    assert_eq!(yaml, "mocks: { api.stripe.test: { routes: { any: {} } } }");
    // What it says does it.
    let path = folder.path().join("mocks.yaml");
    std::fs::write(&path, yaml).expect("a file");
    assert_eq!(ask(&["--mocks", path.to_str().expect("a path")]).status.code(), Some(0));
}

#[test]
fn a_simulation_names_its_mocks() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sim.yaml");
    let text = format!(
        "workloads:\n  client: {{ command: curl -s http://api.payments.test/v1/charges/7 }}\nmocks: {}\n",
        script("payments.yaml")
    );
    std::fs::write(&path, text).expect("a file");
    let run = || {
        let output = simrun(["sim", path.to_str().expect("a path"), "--seed", "1"]).output();
        output.expect("a run")
    };
    let output = compared::idle_and_busy("sim", run);
    assert_eq!(said(&output).stdout, "client | a charge\n", "{}", said(&output).stderr);
}

/// A service that is gone when that is asked for.
const GONE: &str = "mocks:
  payments:
    hosts: api.payments.test
    routes: { all: { answer: { text: right } } }
    troubles: { gone: { do: { status: 503 }, asked: true } }
";

/// Writes a file; its path.
fn write(folder: &Path, name: &str, text: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, text).expect("a file");
    path.to_str().expect("a path").to_owned()
}

#[test]
fn a_simulation_asks_its_mocks_for_troubles_and_has_faults_on_the_way_to_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| write(folder.path(), name, text);
    write("mocks.yaml", GONE);
    let of_fault = |wanted: &str| {
        format!("about: x\nfaults: {{ slow: {{ do: {{ latency: 1s }}, match: {wanted} }} }}\n")
    };
    write("host.yaml", &of_fault("{ host: api.payments.test }"));
    write("peer.yaml", &of_fault("{ peer: payments, node: client }"));
    write("wrong.yaml", &of_fault("{ host: api.payment.test }"));
    let sim = |faults: &str| {
        let curl = "curl -s -w ' %{http_code} %{time_total}' http://api.payments.test/";
        let text = format!(
            "workloads:\n  client: {{ command: {curl:?} }}\nmocks: mocks.yaml\nfaults: {faults}\n"
        );
        let path = write("sim.yaml", &text);
        said(&simrun(["sim", &path, "--seed", "1"]).output().expect("simrun"))
    };
    let after_both_ways = |faults: &str, status: &str| {
        let said = sim(faults);
        let words: Vec<&str> = said.stdout.trim_end().rsplit(' ').collect();
        let time =
            words[0].parse::<f64>().unwrap_or_else(|_| panic!("{} {}", said.stdout, said.stderr));
        assert_eq!(words[1], status, "{}", said.stdout);
        time
    };
    assert!(after_both_ways("payments/gone", "503") < 0.1);
    assert!(after_both_ways("[host.yaml+payments/gone]", "503") >= 4.0);
    assert!((2.0..4.0).contains(&after_both_ways("peer.yaml", "200")), "one way only");
    let wrong = [
        (
            "payments/gnoe",
            "sim.yaml:4:9: `payments` has no trouble `gnoe` that may be asked for; did you mean `gone`?",
        ),
        (
            "wrong.yaml",
            "wrong.yaml:2:55: no name `api.payment.test` leads to a machine; did you mean `api.payments.test`?",
        ),
    ];
    for (faults, words) in wrong {
        let said = sim(faults);
        assert_eq!(said.status, 125, "{}", said.stderr);
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
}

#[test]
fn troubles_that_were_asked_for_happen_when_faults_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let write = |name: &str, text: &str| write(folder.path(), name, text);
    write("mocks.yaml", GONE);
    // Every other second from the first half on.
    let asks = "sleep 0.5; for at in 0 2 4 6 8; do curl -s -o /dev/null -w '%{http_code} ' \
                http://api.payments.test/; sleep 2; [ $at = 4 ] && echo halfway; done";
    let statuses = |chaos: &str| {
        let text = format!(
            "workloads: {{ client: {{ command: [/bin/bash, -c, {asks:?}] }} }}\nmocks: mocks.yaml\n\
             faults: payments/gone\n{chaos}"
        );
        let path = write("sim.yaml", &text);
        let run = || simrun(["sim", &path, "--seed", "1"]).output().expect("simrun");
        let said = said(&compared::idle_and_busy("sim", run));
        let words = said.stdout.split_whitespace();
        words.filter(|word| word.parse::<u16>().is_ok()).collect::<Vec<_>>().join(" ")
    };
    for (chaos, expected) in [
        ("", "503 503 503 503 503"),
        ("chaos: { after: 2s, for: 4s }", "200 503 503 200 200"),
        ("chaos: { until: { client: { prints: halfway } } }", "503 503 503 200 200"),
    ] {
        assert_eq!(statuses(chaos), expected, "{chaos}");
    }
}

#[test]
fn hostile_clients_leave_a_service_standing() {
    let output = twice("shop.yaml", &["/usr/bin/python3", &script("hostile.py")]);
    let said = said(&output);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let last = said.stdout.lines().last();
    assert_eq!(last, Some("b'0123456789' b'0123456789'"), "{}", said.stdout);
    let refused =
        ["long header b'HTTP/1.1 431", "many fields b'HTTP/1.1 431", "bad chunk b'HTTP/1.1 400"];
    for words in refused {
        assert!(said.stdout.contains(words), "{words}: {}", said.stdout);
    }
}

#[test]
fn who_is_not_root_has_services_at_their_usual_ports_too() {
    use std::{fs, os::unix::fs::PermissionsExt};
    let folder = tempfile::tempdir().expect("a folder");
    let open = |path: &Path| {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("its mode")
    };
    open(folder.path());
    let copy = |from: &Path, name: &str| {
        let to = folder.path().join(name);
        fs::copy(from, &to).expect("a copy");
        open(&to);
        to
    };
    let (own, mocks) =
        (copy(Path::new(SIMRUN), "simrun"), copy(&file("payments.yaml"), "mocks.yaml"));
    let id = Command::new("id").arg("-u").output().expect("id");
    let mut command = Command::new("setpriv");
    if id.stdout == b"0\n" {
        command.args(["--reuid", "65534", "--regid", "65534", "--clear-groups"]);
    }
    command.arg("--").arg(own).args(["--no-store", "--seed", "1", "--mocks"]).arg(mocks);
    let url = "http://api.payments.test/v1/charges/7";
    let output = command.args(["--", "curl", "-s", url]).current_dir(folder.path()).output();
    let said = said(&output.expect("a run"));
    assert_eq!((said.status, said.stdout.as_str()), (0, "a charge\n"), "{}", said.stderr);
}

/// A command of simrun's that runs until it is stopped, and the line on which it says where it listens.
struct Server {
    child: Child,
    stderr: BufReader<ChildStderr>,
    lines: Vec<String>,
}

impl Server {
    fn start(arguments: &[&str], lines: usize) -> Self {
        let mut command = Command::new(SIMRUN);
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("a server");
        let mut stderr = BufReader::new(child.stderr.take().expect("its standard error"));
        let mut read = || {
            let mut line = String::new();
            stderr.read_line(&mut line).expect("it says where it is");
            line
        };
        let lines = (0..lines).map(|_| read()).collect();
        Self { child, stderr, lines }
    }

    /// Where it listens for what begins so.
    fn at(&self, start: &str) -> &str {
        let mut words = self.lines.iter().flat_map(|line| line.split_whitespace());
        words.find(|word| word.starts_with(start)).unwrap_or_else(|| panic!("{:?}", self.lines))
    }

    /// Stops it; what it printed, and what it said since.
    fn stop(mut self) -> (String, String) {
        let (mut printed, mut said) = (String::new(), String::new());
        let id = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &id]).status().expect("kill").success());
        let mut stdout = self.child.stdout.take().expect("its standard output");
        stdout.read_to_string(&mut printed).expect("text");
        self.stderr.read_to_string(&mut said).expect("text");
        self.child.wait().expect("it ends");
        (printed, said)
    }
}

#[test]
fn a_recorded_service_is_answered_for_without_its_secrets() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let (authority, recorded) = (path("authority.pem"), path("recorded.yaml"));
    std::fs::write(&authority, common::run(["mocks", "authority"]).stdout).expect("a file");
    let real = script("real.yaml");
    let ask = |url: &str| {
        let asked = Command::new("sh").args([&script("ask.sh"), url]).output().expect("curl");
        said(&asked)
    };
    for scheme in ["http", "https"] {
        let service = Server::start(&["mocks", "serve", "--free-ports", &real], 2);
        let url = service.at(&format!("{scheme}://")).to_owned();
        let record =
            ["mocks", "record", &url, "--host", "api.payments.test", "--output", &recorded];
        let record = [&record[..], &["--authority", &authority]].concat();
        let recorder = Server::start(&record, 1);
        let asked = ask(recorder.at("http://"));
        assert_eq!(asked.stderr, "", "{scheme}");
        let (_, words) = recorder.stop();
        assert!(words.contains("recorded.yaml has 4 answers"), "{words}");
        service.stop();
        let text = std::fs::read_to_string(&recorded).expect("it was written");
        assert!(!text.contains("hidden"), "{text}");
        assert!(text.contains("amount: 5") || text.contains("\"amount\":5"), "{text}");
        // What was asked for is answered as it was, but for the secret.
        let run = || {
            let mut run = simrun(["--seed", "1", "--mocks", &recorded, "--", "sh"]);
            run.args([&script("ask.sh"), "http://api.payments.test"]).output().expect("a run")
        };
        let output = compared::twice("recorded", run);
        let token = asked.stdout.find("hidden-").expect("a token");
        let mut expected = asked.stdout.clone();
        expected.replace_range(token..token + "hidden-0123".len(), "***");
        assert_eq!(said(&output).stdout, expected, "{text}");
    }
}

#[test]
fn a_service_that_cannot_be_recorded_is_told() {
    for (url, words) in [
        ("payments", "`payments` is no address of a service, as in https://api.payments.test"),
        ("http://a.test/path", "`http://a.test/path` is no address of a service"),
    ] {
        let said = common::run(["mocks", "record", url]);
        assert_eq!(said.status, 125);
        assert!(said.stderr.contains(words), "{}", said.stderr);
    }
}

#[test]
fn calls_are_kept_as_an_artifact_without_their_secrets() {
    let store = tempfile::tempdir().expect("a folder");
    let mut run = common::stored(store.path(), ["--seed", "1", "--mocks"]);
    let body = r#"{"b":1,"a":{"card_token":"hidden"}}"#;
    let urls = ["http://api.payments.test/a?access_token=hidden", "http://api.payments.test/b"];
    run.arg(file("shop.yaml")).args(["--", "curl", "-s", "--json", body, urls[0], urls[1]]);
    assert_eq!(said(&run.output().expect("a run")).status, 0);
    let listed = common::run_stored(store.path(), ["artifacts", "last"]).stdout;
    assert!(listed.contains("mocks.jsonl"), "{listed}");
    let kept = common::run_stored(store.path(), ["artifacts", "last", "mocks.jsonl"]).stdout;
    let shown = common::run_stored(store.path(), ["mocks", "calls", "last", "--format", "json"]);
    assert_eq!(kept, shown.stdout);
    assert!(!kept.contains("hidden"), "{kept}");
    assert!(kept.contains(r#""body":"{\"b\":1,\"a\":{\"card_token\":\"***\"}}""#), "{kept}");
    assert!(kept.contains("/a?access_token=***"), "{kept}");
}
