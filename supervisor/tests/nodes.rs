//! Several machines in one run, as a kept run describes them.

mod common;

use std::{fs, path::Path};

use common::{
    fault_file, fingerprint,
    machines::{self, Machine, machine},
    stored,
};
use serde_json::{Value, json};

/// What waits for connections, tells who asks, counts in a file, and fails at the third.
const SERVER: &str = r#"
import os, socket, sys
print(open("/run/simrun/told").read(), oct(os.stat("/run/simrun/told").st_mode), flush=True)
listener = socket.create_server(("", 8080))
while True:
    connection, (peer, _) = listener.accept()
    with open("/tmp/asked", "a+") as file:
        file.write("x")
        file.seek(0)
        count = len(file.read())
    connection.sendall(f"{socket.gethostname()} {os.getpid()} {peer} {count}\n".encode())
    connection.close()
    if count == 3:
        sys.exit(1)
"#;
const CLIENT: &str = r#"
import os, socket, time
assert not os.path.exists("/run/simrun/told")
print(socket.gethostname(), os.getpid(), socket.gethostbyname("web"), os.path.exists("/tmp/asked"), flush=True)
for attempt in range(5):
    try:
        print(socket.create_connection(("web", 8080)).makefile().read(), end="", flush=True)
    except ConnectionError as error:
        print(type(error).__name__, flush=True)
        time.sleep(1)
"#;

/// Keeps a run of the client, and makes the server a second machine of it.
fn keep(store: &Path) -> String {
    let kept =
        stored(store, ["--seed", "1", "--", "python3", "-c", CLIENT]).output().expect("a run");
    assert_eq!(kept.status.code(), Some(1), "alone, it finds no machine of that name");
    let runs = fs::read_dir(store.join("runs")).expect("runs").flatten();
    let folder = runs.map(|entry| entry.path()).next().expect("a run is kept");
    let path = folder.join("run.json");
    let mut record: Value =
        serde_json::from_slice(&fs::read(&path).expect("a record")).expect("it is JSON");
    let client = &mut record["nodes"][0];
    let mut web = client.clone();
    (client["name"], client["hostname"]) = (json!("client"), json!("client"));
    client["starts_when"] = json!([{ "node": 1, "reached": { "Listens": 8080 } }]);
    (web["name"], web["hostname"]) = (json!("web"), json!("web"));
    web["address"] = json!("10.0.1.1");
    web["command"][2] = json!(SERVER);
    web["role"] = json!({ "Service": { "restart": "OnFailure", "delay_ns": 500_000_000 } });
    record["nodes"].as_array_mut().expect("a list").push(web);
    record["files"] =
        json!([{ "node": 1, "path": "/run/simrun/told", "mode": 0o444, "content": "as told" }]);
    record["options"]["streams"] = json!("Told");
    fs::write(&path, record.to_string()).expect("a record");
    folder.file_name().and_then(|name| name.to_str()).expect("a name").to_owned()
}

/// What a machine of the last run wrote.
fn lines_of(store: &Path, node: &str) -> Vec<String> {
    let logs = stored(store, ["logs", "last", "--node", node]).output().expect("logs");
    let said = String::from_utf8_lossy(&logs.stdout);
    let text = |line: &str| line.rsplit_once("   ").map_or(line, |(_, text)| text).to_owned();
    said.lines().map(text).collect()
}

#[test]
fn machines_have_things_of_their_own_and_reach_each_other() {
    let store = tempfile::tempdir().expect("a folder");
    let run = keep(store.path());
    let again = || stored(store.path(), ["rerun", &run]).output().expect("a run");
    let idle = fingerprint(&again());
    let busy = {
        let _load = common::Load::start();
        fingerprint(&again())
    };
    assert_eq!(idle, busy);
    assert_eq!(
        lines_of(store.path(), "client"),
        [
            "client 100 10.0.1.1 False",
            "web 100 10.0.0.1 1",
            "web 100 10.0.0.1 2",
            "web 100 10.0.0.1 3",
            "ConnectionRefusedError",
            // What it wrote is still there when it has started again.
            "web 100 10.0.0.1 4",
        ]
    );
    let told = "as told 0o100444";
    assert_eq!(lines_of(store.path(), "web"), [told, told], "it is there again, too");
    let files = stored(store.path(), ["files", "last"]).output().expect("files");
    assert!(!String::from_utf8_lossy(&files.stdout).contains("told"), "nobody wrote it");
}

/// Answers whatever is asked, and tells how long its own sleep of a second took.
const ECHO: &str = r#"
import socket, time
start = time.monotonic()
time.sleep(1)
print(round(time.monotonic() - start), flush=True)
listener = socket.create_server(("", 8080))
while True:
    connection, _ = listener.accept()
    while data := connection.recv(100):
        connection.sendall(data)
"#;
const ASK: &str = r#"
import socket, time
time.sleep(4)
for name in ["a", "b", "localhost"]:
    if name == "localhost":
        listener = socket.create_server(("", 8080))
    connection = socket.create_connection((name, 8080))
    if name == "localhost":
        other, _ = listener.accept()
        start = time.monotonic()
        connection.sendall(b"x")
        other.recv(100)
    else:
        start = time.monotonic()
        connection.sendall(b"x")
        connection.recv(100)
    print(name, round((time.monotonic() - start) * 1000), flush=True)
"#;

#[test]
fn a_fault_is_for_the_machines_that_it_names() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  pair:\n    do: { latency: 50ms }\n    match: { node: client, peer: a }\n  all:\n    do: { latency: 1ms }\n  sleep:\n    do: { delay: 2s }\n    match: { call: clock_nanosleep, tag: slow, not: { node: client } }\n    limit: 1\n",
    );
    let machines = [
        Machine { name: "client", tags: &["slow"], program: ASK.into() },
        machine("a", ECHO),
        Machine { name: "b", tags: &["slow"], program: ECHO.into() },
    ];
    let output = machines::simulate("1", &faults, &machines);
    let printed = |node| machines::printed(&output, node);
    // What goes back from `a` is not slow, and within a machine nothing is.
    assert_eq!(printed("client"), "a 52\nb 2\nlocalhost 0\n");
    // A sleep that begins late is over when both are.
    assert_eq!((printed("a"), printed("b")), ("1\n".into(), "2\n".into()));
}
