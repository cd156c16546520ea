//! What faults of links cost that do nothing yet: `cargo bench -p simrun --bench links`.
//!
//! A hundred partitions that come in a thousand hours, and ten thousand links between a hundred nodes: what it takes to
//! ask for the fate of a segment. Then a round trip over TCP with ten thousand such faults, as a ratio to one without.

use std::{
    fmt::Write as _,
    fs,
    hint::black_box,
    net::{Ipv4Addr, SocketAddr},
    path::Path,
    process::{Command, Stdio},
    rc::Rc,
    time::{Duration, Instant},
};

use simrun_abi::{
    faults::{Cut, Effect, Fault, Partition, Protocol, Quantity, Shape, Way, Window},
    node::Node,
};
use simrun_kernel::{
    fault::{
        Faults,
        link::{Cargo, Link, Wire},
    },
    node::NodeId,
    random::Random,
};

const NODES: u16 = 100;
const PARTITIONS: usize = 100;
const SEGMENTS: u32 = 5_000_000;
const RULES: usize = 10_000;
const FEW_TRIPS: u32 = 5_000;
const MANY_TRIPS: u32 = 45_000;
/// A thousand hours, in nanoseconds.
const LATER: u64 = 3_600_000_000_000_000;
const ATTEMPTS: u32 = 5;

fn main() {
    let empty = ask(&mut Vec::new(), None);
    let (mut faults, wires) = world();
    let idle = ask(&mut faults, Some(&wires));
    println!("{} links, {PARTITIONS} partitions, {SEGMENTS} segments", wires.len());
    println!("a segment without faults    {:>8.1} ns", nanoseconds(empty));
    println!("a segment with idle ones    {:>8.1} ns", nanoseconds(idle));
    ping_pong();
}

fn nanoseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1e9 / f64::from(SEGMENTS)
}

/// The shortest time of a few attempts.
fn shortest(mut attempt: impl FnMut() -> Duration) -> Duration {
    (0..ATTEMPTS).map(|_| attempt()).min().unwrap_or_default()
}

/// How long it takes to ask for the fate of so many segments, one link after the other.
fn ask(faults: &mut [Faults], wires: Option<&[Rc<Wire>]>) -> Duration {
    shortest(|| {
        let start = Instant::now();
        for segment in 0..SEGMENTS {
            if let Some((faults, wires)) = faults.first_mut().zip(wires) {
                let wire = &wires[segment as usize % wires.len()];
                let now = u64::from(segment) * 1000;
                black_box(faults.links.pass(wire, Way::Request, Cargo::Data(1448), now));
            } else {
                black_box(segment);
            }
        }
        start.elapsed()
    })
}

fn world() -> (Vec<Faults>, Vec<Rc<Wire>>) {
    let nodes: Vec<Node> = (0..NODES).map(node).collect();
    let plan: Vec<Fault> = (0..PARTITIONS).map(partition).collect();
    let mut faults = Faults::new(&plan, &nodes, &Random::new(1)).expect("there are some");
    let mut wires = Vec::new();
    for from in 0..NODES {
        for to in 0..NODES {
            let end = |node: u16, port| {
                SocketAddr::new(Ipv4Addr::from([10, 0, node as u8, 1]).into(), port)
            };
            let link = Link {
                protocol: Protocol::Tcp,
                client: end(from, 40_000),
                server: end(to, 80),
                nodes: (NodeId::new(from), NodeId::new(to)),
                program: Rc::default(),
            };
            wires.extend(faults.links.wire(link, &|_| false));
        }
    }
    (Vec::from([faults]), wires)
}

fn node(index: u16) -> Node {
    Node::new(&format!("n{index}"), [10, 0, index as u8, 1])
}

fn partition(index: usize) -> Fault {
    let plan = Partition { shape: Shape::Majority, cut: Cut::Both, length: None };
    Fault {
        window: Window { after: Quantity::fixed(LATER), length: None, every: None, until: None },
        ..Fault::always(format!("f/{index}"), Effect::Partition(plan))
    }
}

/// What a round trip over TCP takes, alone and with faults that are idle.
fn ping_pong() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = folder.path().join("operations");
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/operations.c");
    let built =
        Command::new("cc").args(["-O2", "-pthread", "-o"]).arg(&program).arg(source).status();
    assert!(built.expect("a C compiler").success());
    let mut text = String::from("about: Idle.\nfaults:\n");
    for index in 0..RULES {
        let _ = writeln!(text, "  f{index}:\n    do: lose\n    after: 1000h");
    }
    let file = folder.path().join("idle.yaml");
    fs::write(&file, text).expect("a file");
    let run = |faults: bool, trips: u32| {
        shortest(|| {
            let mut command = Command::new(env!("CARGO_BIN_EXE_simrun"));
            command.args(["--quiet", "--seed", "1"]).env("SIMRUN_STORE", "");
            if faults {
                command.arg("--faults").arg(&file);
            }
            command.arg("--").arg(&program).args(["processes-over-tcp", &trips.to_string()]);
            command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
            let start = Instant::now();
            assert!(command.status().expect("a run").success());
            start.elapsed()
        })
    };
    // Reading the file and starting are the same in both runs of a pair.
    let trip = |faults| {
        let time = run(faults, MANY_TRIPS).saturating_sub(run(faults, FEW_TRIPS));
        time / (MANY_TRIPS - FEW_TRIPS)
    };
    let (alone, idle) = (trip(false), trip(true));
    let ratio = idle.as_secs_f64() / alone.as_secs_f64();
    println!(
        "a round trip over TCP       {alone:>8.1?}, with {RULES} idle faults {idle:.1?}: {ratio:.2}"
    );
}
