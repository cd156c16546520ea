//! `simrun sim`: the machines of a simulation file.

mod common;

use std::{
    fs,
    path::{Path, PathBuf},
};

use common::{Load, fingerprint, run, run_stored, said, simrun, stored};

fn world() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/sim/world.yaml")
}

fn path(path: &Path) -> &str {
    path.to_str().expect("a path")
}

/// A simulation file with this text.
fn file(folder: &Path, text: &str) -> PathBuf {
    let path = folder.join("sim.yaml");
    fs::write(&path, text).expect("a file");
    path
}

#[test]
fn machines_of_a_file_talk_and_come_out_the_same_again() {
    let world = world();
    let once = || simrun(["sim", path(&world), "--seed", "1"]).output().expect("a run");
    let idle = once();
    let busy = {
        let _load = Load::start();
        once()
    };
    assert_eq!(idle.stdout, busy.stdout);
    assert_eq!(fingerprint(&idle), fingerprint(&busy));
    let said = said(&idle);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let mut lines: Vec<_> = said.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "client-1 | 0 ['10.0.1.1', '10.0.1.2']",
            "client-1 | web-1 to 10.0.0.1",
            "client-1 | web-2 to 10.0.0.1",
            "client-2 | 1 ['10.0.1.1', '10.0.1.2']",
            "client-2 | web-1 to 10.0.0.2",
            "client-2 | web-2 to 10.0.0.2",
            "web-1    | up",
            "web-2    | up",
        ]
    );
    let outputs: Vec<_> = ["3", "4", "6", "7"]
        .into_iter()
        .map(|seed| run(["sim", path(&world), "--seed", seed]).stdout)
        .collect();
    assert!(outputs.iter().any(|output| *output != said.stdout), "the seed makes a difference");
}

#[test]
fn the_first_workload_that_fails_decides() {
    let said = run(["sim", path(&world()), "--seed", "2"]);
    assert_eq!(said.status, 3);
    assert!(said.stderr.contains("| as asked\n"), "{}", said.stderr);
    let folder = tempfile::tempdir().expect("a folder");
    let text = "nodes: { a: { command: 'false' } }\nworkloads: { c: { command: sh -c 'sleep 1; exit 4' }, d: { command: sleep 5 } }";
    let said = run(["sim", path(&file(folder.path(), text)), "--seed", "1", "--no-store"]);
    assert_eq!((said.status, said.stdout.as_str()), (4, ""), "{}", said.stderr);
    let output =
        simrun(["sim", path(&folder.path().join("sim.yaml")), "--seed", "1", "--no-store"]);
    let output = { output }.output().expect("a run");
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    let told = "simrun: warning: a ended with status 1 after 0.0";
    assert!(words.contains(told) && words.contains("does not start again"), "{words}");
    let circle =
        "workloads: { c: { command: 'true', after: { d: succeeded } }, d: { command: sleep inf } }";
    let said = run(["sim", path(&file(folder.path(), circle)), "--seed", "1", "--timeout", "1h"]);
    assert_eq!(said.status, 124, "{}", said.stderr);
}

#[test]
fn a_kept_run_has_all_that_it_needs() {
    let store = tempfile::tempdir().expect("a folder");
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["server.py", "client.py", "world.yaml"] {
        fs::copy(world().with_file_name(name), folder.path().join(name)).expect("a copy");
    }
    let own = folder.path().join("world.yaml");
    let first = stored(store.path(), ["sim", path(&own), "--seed", "4"]).output().expect("a run");
    assert_eq!(first.status.code(), Some(0));
    // The file may change: what was read of it is kept.
    fs::write(&own, "workloads: { other: { command: 'false' } }").expect("a file");
    let again = stored(store.path(), ["rerun", "last"]).output().expect("a run");
    assert_eq!(fingerprint(&first), fingerprint(&again));
    assert_eq!(first.stdout, again.stdout);
    let show = run_stored(store.path(), ["show", "last"]).stdout;
    assert!(show.contains("sim ") && show.contains("web-2 10.0.1.2"), "{show}");
    let logs = run_stored(store.path(), ["logs", "last", "--node", "web-1"]).stdout;
    assert!(logs.contains("up") && !logs.contains("client"), "{logs}");
    let record: Vec<_> = fs::read_dir(store.path().join("runs")).expect("runs").flatten().collect();
    let record = fs::read_to_string(record[0].path().join("run.json")).expect("a record");
    assert!(record.contains("Two servers, and two clients"), "the file is kept");
}

#[test]
fn many_seeds_of_a_file_are_explored() {
    let store = tempfile::tempdir().expect("a folder");
    let world = world();
    let all = run_stored(store.path(), ["explore", "sim", path(&world), "-j", "2"]);
    assert_eq!(all.status, 1, "{}", all.stderr);
    assert!(
        all.stdout.contains("2 succeeded, 1 failed"),
        "three, as the file says: {}",
        all.stdout
    );
    let again = format!("simrun sim --seed 2 --faults baseline {}", path(&world));
    assert!(all.stdout.contains(&again), "{}", all.stdout);
    let said = run(again.split(' ').skip(1));
    assert_eq!(said.status, 3, "{}", said.stderr);
    let more = ["explore", "--depth", "1", "--faults", "slow-network", "sim", path(&world)];
    let more = run_stored(store.path(), more);
    assert!(more.stdout.contains("under baseline, slow-network"), "{}", more.stdout);
}

/// Seed, model and fingerprint of each run of the last simulation.
fn cases(store: &Path) -> Vec<String> {
    let listed = run_stored(store, ["status", "last", "--format", "json"]).stdout;
    let report: serde_json::Value = serde_json::from_str(&listed).expect("JSON");
    let cases = report["cases"].as_array().expect("cases");
    let one = |case: &serde_json::Value| {
        format!("{} {} {}", case["seed"], case["model"], case["fingerprint"])
    };
    cases.iter().map(one).collect()
}

#[test]
fn a_file_is_the_same_on_one_processor_and_in_shares() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = fs::read_to_string(world()).expect("it is there");
    let directory = world().parent().expect("a folder").display().to_string();
    let text = text.replace("python3 ", &format!("python3 {directory}/")).replace("2 5", "");
    let own = file(folder.path(), &text);
    let explore = |store: &str, options: &[&str]| {
        let store = folder.path().join(store);
        let words = ["explore", "--level", "sunny", "--depth", "4"];
        let all = [&words, options, &["sim", path(&own)]].concat();
        let said = run_stored(&store, all);
        assert!(said.status <= 1, "{}", said.stderr);
        cases(&store)
    };
    let whole = explore("one", &["-j", "1"]);
    assert!(whole.len() == 5 && whole[1..].iter().all(|case| case.contains("sunny")), "{whole:?}");
    assert_eq!(explore("two", &["-j", "2"]), whole);
    let shares = ["1/4", "2/4", "3/4", "4/4"];
    for (share, name) in shares.iter().zip(["a", "b", "c", "d"]) {
        explore(name, &["--shard", share]);
    }
    let parts = ["a", "b", "c", "d"].map(|name| path(&folder.path().join(name)).to_owned());
    let merged = folder.path().join("merged");
    let said = run_stored(&merged, ["merge".to_owned()].iter().chain(&parts));
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert_eq!(cases(&merged), whole);
}

#[test]
fn runs_of_a_file_are_compared() {
    let said = run(["verify", "--runs", "3", "sim", path(&world()), "--seed", "3"]);
    assert_eq!(said.status, 0, "{}", said.stderr);
    assert!(said.stderr.contains("all 3 runs are equal"), "{}", said.stderr);
    assert!(said.stdout.contains("web-1    | up\n"), "{}", said.stdout);
    let wrong = run(["verify", "sum", path(&world())]);
    assert_eq!(wrong.status, 125);
    assert!(wrong.stderr.contains("`sum` is none of the words"), "{}", wrong.stderr);
}

#[test]
fn faults_of_the_file_are_injected() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(
        folder.path().join("late.yaml"),
        "about: x\nfaults: { late: { do: { latency: 5s }, match: { protocol: tcp } } }",
    )
    .expect("a file");
    let text = format!(
        "{}faults: late.yaml\n",
        fs::read_to_string(world()).expect("it is there").replace("python3 ", "python3 DIR/")
    );
    let directory = world().parent().expect("a folder").display().to_string();
    let own = file(folder.path(), &text.replace("DIR", &directory));
    let simulated = |arguments: &[&str]| {
        let all = [&["sim", path(&own), "--seed", "1"], arguments].concat();
        let output = simrun(all).output().expect("a run");
        assert_eq!(output.status.code(), Some(0));
        let words = String::from_utf8_lossy(&output.stderr).into_owned();
        let seconds = words.split("simulated ").nth(1).and_then(|rest| rest.split('.').next());
        seconds.expect("a time").parse::<u64>().expect("seconds")
    };
    assert!(simulated(&[]) >= 20);
    assert!(simulated(&["--faults", "baseline"]) < 5);
}

#[test]
fn a_file_to_start_from_works() {
    let folder = tempfile::tempdir().expect("a folder");
    let inside = |arguments: &[&str]| {
        said(&simrun(arguments).current_dir(folder.path()).output().expect("simrun can be run"))
    };
    let made = inside(&["init"]);
    assert_eq!(made.stdout, "sim.yaml; run it with: simrun sim sim.yaml\n", "{}", made.stderr);
    let ran = inside(&["sim", "sim.yaml", "--seed", "1"]);
    assert_eq!(ran.status, 0, "{}", ran.stderr);
    assert!(ran.stdout.contains("client | 200\n"), "{}", ran.stdout);
    let again = inside(&["init"]);
    assert_eq!(again.status, 125);
    assert!(again.stderr.contains("sim.yaml: File exists"), "{}", again.stderr);

    let compose = "services:\n  one: { command: sleep 9, ports: ['1:2'], volumes: [x] }\n";
    fs::write(folder.path().join("docker-compose.yml"), compose).expect("a file");
    let made = inside(&["init", "own.yaml"]);
    assert_eq!(made.stderr, "simrun: not taken over: `volumes` of one\n");
    let said = inside(&["sim", "own.yaml"]);
    assert!(
        said.stderr.contains("own.yaml:13:14: CHANGE-ME: command not found"),
        "{}",
        said.stderr
    );
    let wrong = inside(&["init", "w.yaml", "--compose", "sim.yaml"]);
    assert!(wrong.stderr.contains("sim.yaml: there are no `services` in it"), "{}", wrong.stderr);
}

/// Says when each word of another machine came.
const LISTENER: &str = "
import socket, time
listener = socket.create_server((\"\", 80))
connection, _ = listener.accept()
start = time.monotonic()
while data := connection.recv(100):
    print(data.decode(), round(time.monotonic() - start), flush=True)
";
const SENDER: &str = "
import socket, time
connection = socket.create_connection((\"b\", 80))
for second in range(9):
    connection.sendall(str(second).encode())
    time.sleep(1)
";

#[test]
fn faults_keep_to_their_time_and_links_are_as_they_are() {
    let folder = tempfile::tempdir().expect("a folder");
    let late = "about: x\nfaults: { late: { do: { latency: 10s }, match: { node: a }, after: 1s, limit: 1 } }";
    for (name, text) in [("a.py", SENDER), ("b.py", LISTENER), ("late.yaml", late)] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let machines = "workloads:\n  a: { command: python3 a.py, after: { b: { listens: 80 } } }\n  b: { command: python3 b.py }\n";
    let simulated = |rest: &str| {
        let said =
            run(["sim", path(&file(folder.path(), &format!("{machines}{rest}"))), "--seed", "1"]);
        assert_eq!(said.status, 0, "{}", said.stderr);
        said
    };
    let calm: String = (0..9).map(|second| format!("b | {second} {second}\n")).collect();
    assert_eq!(simulated("").stdout, calm);
    // What was sent after the fault waits behind what it has hit.
    let hit = simulated("faults: late.yaml\nchaos: { after: 3s }\n").stdout;
    assert!(hit.starts_with("b | 0 0\nb | 1 1\nb | 2 2\nb | 3 3\n"), "{hit}");
    assert_ne!(hit, calm);
    assert_eq!(simulated("faults: late.yaml\nchaos: { after: 30s, for: 10s }\n").stdout, calm);
    assert_eq!(simulated("faults: late.yaml\nchaos: { for: 500ms }\n").stdout, calm);
    // Or it is quiet when a machine has come so far.
    let until = |text: &str| {
        let chaos = format!("chaos: {{ after: 3s, until: {{ b: {{ prints: {text} }} }} }}\n");
        simulated(&format!("faults: late.yaml\n{chaos}")).stdout
    };
    assert_eq!(until("'2 2'"), calm);
    assert_eq!(until("nothing"), hit);
    let linked = simulated("links: [{ between: [a, b], latency: 20s }]\n");
    assert!(!linked.stderr.contains("never fired"), "{}", linked.stderr);
    // The answer to the connecting end comes 20s after the other end has it, and the first word as much later.
    let late: String = (0..9).map(|second| format!("b | {second} {}\n", second + 40)).collect();
    assert_eq!(linked.stdout, late);
    assert!(linked.stderr.contains("seed 1, [summary]"), "{}", linked.stderr);
}

/// Listens at once, and is well after three seconds.
const SLOW_START: &str = "
import http.server, time
start = time.monotonic()
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        well = time.monotonic() - start > 3 and self.path == \"/health\"
        self.send_response(200 if well else 503)
        self.end_headers()
    def log_message(self, *words):
        pass
http.server.HTTPServer((\"\", 80), Handler).serve_forever()
";

#[test]
fn readiness_may_be_an_answer_over_http() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("slow.py"), SLOW_START).expect("a file");
    let text = "nodes: { web: { command: python3 slow.py, count: 2, ready: { answers: { port: 80, path: /health } } } }\nworkloads: { c: { command: date -u +%s } }";
    let own = file(folder.path(), text);
    let once = || simrun(["sim", path(&own), "--seed", "1"]).output().expect("a run");
    let (first, second) = (once(), once());
    assert_eq!(fingerprint(&first), fingerprint(&second));
    let said = said(&first);
    let time =
        said.stdout.trim().strip_prefix("c     | ").unwrap_or_else(|| panic!("{}", said.stdout));
    let seconds = time.parse::<u64>().expect("a time") - 1_893_456_000;
    assert!((3..10).contains(&seconds), "it started after {seconds}s");
}

#[test]
fn a_node_ends_in_order_and_has_the_descriptors_it_is_given() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = r#"
nodes:
  asked: { command: "sh -c 'trap \"sleep 1; echo bye\" TERM; ulimit -n; while :; do sleep 0.1; done'", stop-grace: 3s, descriptors: 64 }
  late: { command: "sh -c 'trap \"sleep 5; echo never\" TERM; ulimit -n; while :; do sleep 0.1; done'", stop-grace: 2s }
  other: { command: "sh -c 'trap \"echo never\" TERM; while :; do sleep 0.1; done'" }
workloads: { c: { command: sleep 1, after: { asked: started, late: started } } }
"#;
    let file = file(folder.path(), text);
    let once = || simrun(["sim", path(&file), "--seed", "3"]).output().expect("a run");
    let idle = once();
    let busy = {
        let _load = Load::start();
        once()
    };
    assert_eq!(fingerprint(&idle), fingerprint(&busy));
    let said = said(&idle);
    assert_eq!(said.status, 0, "{}", said.stderr);
    let mut lines: Vec<_> = said.stdout.lines().collect();
    lines.sort_unstable();
    assert_eq!(lines, ["asked | 64", "asked | bye", "late  | 1024"]);
}

#[test]
fn a_fault_gives_a_node_that_it_stops_the_grace_that_the_node_has() {
    let folder = tempfile::tempdir().expect("a folder");
    let command = r#""sh -c 'date -u +%s; trap \"\" TERM; while :; do sleep 0.1; done'""#;
    let text = format!(
        "nodes:\n  short: {{ command: {command}, stop-grace: 3s }}\n  long: {{ command: {command} }}\n\
         workloads: {{ c: {{ command: sleep 30 }} }}\nfaults: stop.yaml\n"
    );
    let fault = "about: x\nfaults: { stop: { do: { stop: { off: 1s } }, hits: all, after: 5s } }\n";
    fs::write(folder.path().join("stop.yaml"), fault).expect("a file");
    let said = said(
        &simrun(["sim", path(&file(folder.path(), &text)), "--seed", "1"]).output().expect("a run"),
    );
    let mut lines: Vec<_> = said.stdout.lines().collect();
    lines.sort_unstable();
    let expected =
        ["long  | 1893456000", "long  | 1893456016", "short | 1893456000", "short | 1893456009"];
    assert_eq!(lines, expected, "{}", said.stderr);
}
