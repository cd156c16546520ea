//! Nodes that lose each other, measured between each two of them.

mod common;

use std::{collections::BTreeSet, process::Output};

use common::{
    compared::{idle_and_busy, simulated},
    fault_file,
    machines::{self, Machine, machine},
    said, simrun,
};

/// The first is the client.
const NAMES: [&str; 6] = ["client", "s1", "s2", "s3", "s4", "s5"];
/// How often each sends each other something in a second, and how often in all.
const TICKS_PER_SECOND: usize = 2;
const TICKS: usize = 130;
/// When the first is sent, in seconds after the start of the run.
const FIRST: usize = 2;

/// Sends all others a datagram each half second, and prints those that it gets.
const MESH: &str = r#"
import socket, threading, time
start = 1893456000 + FIRST
me = socket.gethostname()
mine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
mine.bind(("", 9000))
def hear():
    while True:
        print(mine.recv(100).decode(), flush=True)
threading.Thread(target=hear, daemon=True).start()
others = [socket.gethostbyname(name) for name in NAMES if name != me]
for tick in range(TICKS):
    time.sleep(max(0, start + tick / 2 - time.time()))
    for other in others:
        mine.sendto(f"{me} {tick}".encode(), (other, 9000))
time.sleep(1)
while me != "client":
    time.sleep(60)
"#;

type Pairs = BTreeSet<(&'static str, &'static str)>;

/// Which pairs could not reach each other, at each tick. The run is made twice.
fn cuts(seed: &str, faults: &str) -> Vec<Pairs> {
    let program = MESH
        .replace("NAMES", &format!("{NAMES:?}"))
        .replace("TICKS", &TICKS.to_string())
        .replace("FIRST", &FIRST.to_string());
    let machines: Vec<Machine> = NAMES.iter().map(|&name| machine(name, program.clone())).collect();
    let output = machines::simulate(seed, faults, &machines);
    let mut cuts: Vec<Pairs> = vec![pairs(&NAMES, &NAMES); TICKS];
    for to in NAMES {
        for line in machines::printed(&output, to).lines() {
            let (from, tick) = line.split_once(' ').expect("a name and a tick");
            let from = NAMES.into_iter().find(|name| *name == from).expect("a name");
            let tick: usize = tick.parse().expect("a tick");
            assert!(cuts[tick].remove(&(from, to)), "once");
        }
    }
    cuts
}

/// What those send these.
fn pairs(from: &[&'static str], to: &[&'static str]) -> Pairs {
    let all = from.iter().flat_map(|&from| to.iter().map(move |&to| (from, to)));
    all.filter(|(from, to)| from != to).collect()
}

fn both(from: &[&'static str], to: &[&'static str]) -> Pairs {
    pairs(from, to).into_iter().chain(pairs(to, from)).collect()
}

/// Those of a list that are not in another.
fn without(spared: &[&str]) -> Vec<&'static str> {
    NAMES.into_iter().filter(|name| !spared.contains(name)).collect()
}

/// The times at which somebody was cut off, with their first tick and their length.
fn episodes(cuts: &[Pairs]) -> Vec<(usize, usize, Pairs)> {
    let mut episodes: Vec<(usize, usize, Pairs)> = Vec::new();
    for (tick, cut) in cuts.iter().enumerate().filter(|(_, cut)| !cut.is_empty()) {
        match episodes.last_mut() {
            Some((first, len, last)) if last == cut && *first + *len == tick => *len += 1,
            _ => episodes.push((tick, 1, cut.clone())),
        }
    }
    episodes
}

#[test]
fn a_full_partition_cuts_one_off_from_all() {
    let mut who = BTreeSet::new();
    for seed in ["1", "4"] {
        let episodes = episodes(&cuts(seed, "full-partition"));
        let (first, len, cut) = &episodes[0];
        let alone = NAMES.into_iter().find(|name| *cut == both(&[name], &NAMES));
        who.insert(alone.unwrap_or_else(|| panic!("one is alone: {cut:?}")));
        assert!((39..=41).contains(len), "for 20s: {len}");
        assert!((6..=37).contains(first), "from 5 to 20s on: {first}");
    }
    assert!(who.len() > 1 && !who.contains("client"), "{who:?}");
}

#[test]
fn an_asymmetric_partition_cuts_one_way() {
    let mut ways = BTreeSet::new();
    for seed in ["1", "2", "3"] {
        let (_, len, cut) = episodes(&cuts(seed, "asymmetric-partition")).remove(0);
        let out = NAMES.into_iter().find(|name| cut == pairs(&[name], &NAMES));
        let into = NAMES.into_iter().find(|name| cut == pairs(&NAMES, &[name]));
        assert!(out.is_some() != into.is_some(), "{cut:?}");
        ways.insert(out.is_some());
        assert!((39..=41).contains(&len), "for 20s: {len}");
    }
    assert_eq!(ways.len(), 2, "which way is drawn");
}

#[test]
fn a_flapping_partition_comes_and_goes_between_two() {
    let episodes = episodes(&cuts("1", "flapping-partition"));
    assert!((20..=22).contains(&episodes.len()), "in each three seconds: {}", episodes.len());
    let mut who = BTreeSet::new();
    for (_, len, cut) in episodes {
        let (one, other) = *cut.iter().next().expect("a pair");
        assert_eq!(cut, both(&[one], &[other]));
        assert!(len <= 3 && one != "client");
        who.insert((one, other));
    }
    assert!(who.len() > 4, "others each time: {who:?}");
}

#[test]
fn a_split_brain_has_two_halves_that_clients_reach() {
    for seed in ["1", "2"] {
        let (_, len, cut) = episodes(&cuts(seed, "split-brain")).remove(0);
        let cut_off = |from: &str| cut.iter().filter(|(one, _)| *one == from).count();
        let minority: Vec<_> = without(&[]).into_iter().filter(|name| cut_off(name) == 3).collect();
        let majority: Vec<_> = without(&[]).into_iter().filter(|name| cut_off(name) == 2).collect();
        assert_eq!((minority.len(), majority.len()), (2, 3));
        assert_eq!(cut, both(&minority, &majority));
        assert!((59..=61).contains(&len), "for 30s: {len}");
    }
}

#[test]
fn named_pairs_are_cut_and_no_others() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  one:\n    do: { partition: { shape: pair } }\n    match: { node: s1, peer: s2 }\n    after: 10s\n    for: 10s\n  two:\n    do: { partition: { shape: halves, cut: out } }\n    match: { node: [client, s5], peer: s4 }\n    after: 30s\n    for: 10s\n",
    );
    let episodes = episodes(&cuts("1", &faults));
    let at = |seconds: usize| (seconds - FIRST) * TICKS_PER_SECOND;
    assert_eq!(
        episodes,
        [(at(10), 20, both(&["s1"], &["s2"])), (at(30), 20, pairs(&["client", "s5"], &["s4"])),]
    );
}

#[test]
fn partitions_come_at_a_rate_and_last_as_long_as_they_shall() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  ring:\n    do: { partition: { shape: ring, lasts: 5s } }\n    rate: 6/m\n",
    );
    let episodes = episodes(&cuts("1", &faults));
    assert!(episodes.len() > 1);
    for (first, len, cut) in &episodes {
        let cut_off = |from: &str| cut.iter().filter(|(one, _)| *one == from).count();
        assert!(NAMES[1..].iter().all(|name| cut_off(name) == 2) && cut_off("client") == 0);
        assert!((9..=11).contains(len) || first + len == TICKS, "{first} {len}");
    }
}

/// A server that echoes.
const ECHO: &str = r#"
import socket, threading
def serve(connection):
    try:
        while data := connection.recv(100):
            connection.sendall(data)
    except OSError:
        pass
listener = socket.create_server(("", 8080))
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],)).start()
"#;

/// Runs a client of two servers, `s1` and `s2`; what it prints.
fn talk(faults: &str, client: &str) -> String {
    let head = "import socket, time\ndef at(seconds):\n    time.sleep(1893456000 + seconds - time.time())\n";
    let machines = [
        machine("client", format!("{head}at(1)\n{client}")),
        machine("s1", ECHO),
        machine("s2", ECHO),
    ];
    machines::printed(&machines::simulate("1", faults, &machines), "client")
}

#[test]
fn streams_outlive_a_partition_and_go_on_when_they_are_tried_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "  cut:\n    do: { partition: { shape: pair } }\n    match: { node: client, peer: s1 }\n    after: 5s\n    for: 20s\n";
    let faults = fault_file(folder.path(), text);
    let client = r#"
cut, other = [socket.create_connection((name, 8080)) for name in ["s1", "s2"]]
at(6)
for name, connection in [("other", other), ("cut", cut)]:
    start = time.monotonic()
    connection.sendall(b"ping")
    assert connection.recv(100) == b"ping"
    print(name, round(time.monotonic() - start, 2), flush=True)
"#;
    // After 0.2 s, 0.4 s, ... 12.8 s: what is sent at 31.4 s gets through.
    assert_eq!(talk(&faults, client), "other 0.0\ncut 25.4\n");
}

#[test]
fn a_machine_that_was_without_power_knows_no_connections() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  off:\n    do: { lose-power: { off: 30s } }\n    match: { node: s1 }\n    after: 10s\n    limit: 1\n",
    );
    let client = r#"
def connect(**options):
    connection = socket.create_connection(("s1", 8080))
    connection.sendall(b"x")
    assert connection.recv(1) == b"x"
    for name, value in options.items():
        level = socket.SOL_SOCKET if name == "SO_KEEPALIVE" else socket.IPPROTO_TCP
        connection.setsockopt(level, getattr(socket, name), value)
    return connection
asks = dict(SO_KEEPALIVE=1, TCP_KEEPIDLE=2, TCP_KEEPINTVL=1)
patient, sender = connect(**asks, TCP_KEEPCNT=100), connect()
impatient = connect(**asks, TCP_KEEPCNT=3)
at(11)
sender.sendall(b"ping")
for name, connection in [("impatient", impatient), ("patient", patient), ("sender", sender)]:
    try:
        print(name, connection.recv(100))
    except OSError as error:
        print(name, type(error).__name__, round(time.time() - 1893456000), flush=True)
try:
    socket.create_connection(("s1", 8080)).sendall(b"x")
    print("and again")
except OSError as error:
    print(error)
"#;
    assert_eq!(
        talk(&faults, client),
        "impatient TimeoutError 15\npatient ConnectionResetError 41\nsender ConnectionResetError 62\nand again\n"
    );
}

#[test]
fn requests_to_a_machine_without_power_are_made_again() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  off:\n    do: { lose-power: { off: 3s } }\n    match: { node: s1 }\n    after: 10s\n    limit: 1\n",
    );
    let client = r#"
at(10.5)
connection = socket.create_connection(("s1", 8080))
connection.sendall(b"ping")
print(connection.recv(100), round(time.time() - 1893456000, 1), flush=True)
"#;
    // At 11.5 s it is off, at 13.5 s it is on again.
    assert_eq!(talk(&faults, client), "b'ping' 13.5\n");
}

#[test]
fn who_gets_no_answers_sends_a_little_more_and_gives_up() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "  deaf:\n    do: { partition: { shape: pair, cut: in } }\n    match: { node: client, peer: s1 }\n    after: 5s\n    for: 1h\n";
    let faults = fault_file(folder.path(), text);
    let client = r#"
connection = socket.create_connection(("s1", 8081))
connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 20000)
at(6)
for number in range(100):
    connection.sendall(bytes(1000))
try:
    print(connection.recv(100), flush=True)
except OSError as error:
    print(type(error).__name__, round(time.time() - 1893456000), flush=True)
# Somebody else still gets through.
print(socket.create_connection(("s2", 8080)) and "there", flush=True)
"#;
    let counts = "import socket, time\nconnection, _ = socket.create_server(('', 8081)).accept()\nconnection.settimeout(30)\ngot = 0\ntry:\n    while data := connection.recv(65536):\n        got += len(data)\nexcept OSError:\n    pass\nprint(got, flush=True)\ntime.sleep(1000)\n";
    let head = "import socket, time\ndef at(seconds):\n    time.sleep(1893456000 + seconds - time.time())\n";
    let tail = "at(60)\n";
    let machines = [
        machine("client", format!("{head}at(1)\n{client}{tail}")),
        machine("s1", counts),
        machine("s2", ECHO),
    ];
    let output = machines::simulate("1", &faults, &machines);
    assert_eq!(machines::printed(&output, "client"), "TimeoutError 26\nthere\n");
    // Ten segments are sent before the first is answered.
    let got: usize = machines::printed(&output, "s1").trim().parse().expect("a number");
    assert!((14_000..17_000).contains(&got), "{got}");
}

/// Runs three machines that send nothing under faults, and again under load; the first one's program is given.
fn silent(faults: &str, client: &str) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let waits = "import time\ntime.sleep(3600)\n";
    let machines = [machine("client", client), machine("s1", waits), machine("s2", waits)];
    let file = machines::describe(folder.path(), &machines);
    idle_and_busy(faults, || {
        let mut command = simrun(["sim", &file, "--seed", "1", "--fault-log"]);
        if !faults.is_empty() {
            command.args(["--faults", faults]);
        }
        command.output().expect("a run")
    })
}

#[test]
fn a_partition_says_when_it_begins_and_when_it_has_healed_though_nobody_sends_anything() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  cut:\n    do: { partition: { shape: pair, cut: out } }\n    match: { node: s1, peer: s2 }\n    after: 2s\n    for: 3s\n    every: 10s\n",
    );
    let client = "import time\ntime.sleep(14)\n";
    let output = silent(&faults, client);
    let words = said(&output).stderr;
    let told: Vec<_> = words.lines().filter(|line| line.contains("test/cut")).collect();
    let begins = "a partition of s1 | s2 begins, for what the first side sends";
    let expected = [
        format!("simrun: fault at 2.000000s: test/cut #1: {begins}"),
        "simrun: fault at 5.000000s: test/cut #1: a partition of s1 | s2 has healed".into(),
        format!("simrun: fault at 12.000000s: test/cut #2: {begins}"),
    ];
    assert_eq!(told, expected, "{words}");
    assert_eq!(simulated(&output), simulated(&silent("", client)), "the end is not delayed");
}

#[test]
fn partitions_to_come_keep_no_run_alive_that_is_stuck() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  cut:\n    do: { partition: { shape: halves } }\n    after: 10h\n    for: 1s\n    every: 2s\n  flaps:\n    do: { partition: { shape: pair, lasts: 1s } }\n    rate: 1/h\n",
    );
    // The servers have ended after an hour, and the client waits for ever.
    let stuck = "import signal\nsignal.pause()\n";
    let output = silent(&faults, stuck);
    let plain = silent("", stuck);
    let deadlock = "deadlock: no thread can ever run again";
    assert!(said(&output).stderr.contains(deadlock), "{}", said(&output).stderr);
    assert!(said(&plain).stderr.contains(deadlock), "{}", said(&plain).stderr);
    assert_eq!(output.status, plain.status);
    assert_eq!(simulated(&output), simulated(&plain));
}

#[test]
fn who_begins_to_ask_in_a_partition_finds_out_too() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "  cut:\n    do: { partition: { shape: pair } }\n    match: { node: client, peer: s1 }\n    after: 5s\n    for: 60s\n";
    let faults = fault_file(folder.path(), text);
    let client = r#"
KEEPALIVE = (socket.SOL_SOCKET, socket.SO_KEEPALIVE)
def tcp(name): return (socket.IPPROTO_TCP, getattr(socket, name))
connections = [socket.create_connection(("s1", 8080)) for _ in range(4)]
asked_before, asks, in_order, no_more = connections
for option in [KEEPALIVE, tcp("TCP_KEEPINTVL"), tcp("TCP_KEEPCNT")]:
    asked_before.setsockopt(*option, 1)
    no_more.setsockopt(*option, 1)
no_more.setsockopt(*tcp("TCP_KEEPIDLE"), 15)
at(10)
# Sooner than it was to, and not any more.
asked_before.setsockopt(*tcp("TCP_KEEPIDLE"), 2)
no_more.setsockopt(*KEEPALIVE, 0)
for option, value in [(tcp("TCP_KEEPIDLE"), 4), (tcp("TCP_KEEPINTVL"), 1), (tcp("TCP_KEEPCNT"), 1), (KEEPALIVE, 1)]:
    asks.setsockopt(*option, value)
for option, value in [(KEEPALIVE, 1), (tcp("TCP_KEEPIDLE"), 6), (tcp("TCP_KEEPINTVL"), 1), (tcp("TCP_KEEPCNT"), 1)]:
    in_order.setsockopt(*option, value)
for connection in [asked_before, asks, in_order]:
    try:
        print(connection.recv(100))
    except OSError as error:
        print(type(error).__name__, round(time.time() - 1893456000), flush=True)
at(100)
no_more.sendall(b"ping")
print(no_more.recv(100), flush=True)
"#;
    assert_eq!(
        talk(&faults, client),
        "TimeoutError 13\nTimeoutError 15\nTimeoutError 17\nb'ping'\n"
    );
}

#[test]
fn idle_ends_that_ask_find_out_about_a_partition() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "  cut:\n    do: { partition: { shape: pair, cut: in } }\n    match: { node: client, peer: s1 }\n    after: 5s\n    for: 60s\n";
    let faults = fault_file(folder.path(), text);
    let client = r#"
def connect(name, idle, count):
    connection = socket.create_connection((name, 8080))
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for option, value in [("TCP_KEEPIDLE", idle), ("TCP_KEEPINTVL", 1), ("TCP_KEEPCNT", count)]:
        connection.setsockopt(socket.IPPROTO_TCP, getattr(socket, option), value)
    return connection
cut, other, patient = connect("s1", 10, 3), connect("s2", 10, 3), connect("s1", 10, 100)
try:
    cut.recv(100)
except OSError as error:
    print(type(error).__name__, round(time.time() - 1893456000), flush=True)
at(100)
for connection in [other, patient]:
    connection.sendall(b"ping")
    print(connection.recv(100), flush=True)
"#;
    // Ten seconds after it has begun, then each second, three times.
    assert_eq!(talk(&faults, client), "TimeoutError 18\nb'ping'\nb'ping'\n");
}
