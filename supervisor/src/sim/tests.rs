//! What simulation files may say, and what is said of those that are wrong.

use std::fs;

use simrun_abi::{
    faults::Quantity,
    node::{Milestone, Node, Restart, Role},
};

use super::{Defaults, Described};
use crate::faults::{Asked, Catalog};

fn described(text: &str) -> (tempfile::TempDir, Described) {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("sim.yaml");
    fs::write(&path, text).expect("a file");
    let environment = vec![("PATH".to_owned(), "/usr/bin:/bin".to_owned())];
    let (memory, disk) = (1 << 30, 1 << 35);
    let defaults = Defaults { cpus: 2, memory, disk, environment, directory: None };
    let read = Described::read(&path, defaults).expect("it is there");
    (folder, read)
}

fn nodes(text: &str, seed: u64) -> Vec<Node> {
    described(text).1.machines(seed).unwrap_or_else(|problem| panic!("{problem}")).nodes
}

fn named<'a>(nodes: &'a [Node], name: &str) -> &'a Node {
    nodes.iter().find(|node| node.name == name).unwrap_or_else(|| panic!("no {name}"))
}

fn variable(node: &Node, name: &str) -> Option<String> {
    let start = format!("{name}=");
    let all = node.environment.iter().map(|line| String::from_utf8_lossy(line).into_owned());
    all.filter_map(|line| line.strip_prefix(&start).map(str::to_owned)).next()
}

fn words(node: &Node) -> Vec<String> {
    node.arguments.iter().map(|word| String::from_utf8_lossy(word).into_owned()).collect()
}

const STORE: &str = r#"
about: A store and its clients
nodes:
  store:
    command: sh -c 'serve "$1"' {{name}} {{self:80}} {{peers:80}} {{index}}/{{count}} {{{{x}}
    count: 3
    env: { PEERS: "{{peers}}", PORT: 80 }
    hostname: db
    names: ["*.store.local"]
    tags: zone-a
    ready: { listens: 80 }
    restart: on-failure
    restart-delay: 2s
    clock: -1500ms
    memory: 256MiB
    disk: 1GiB
    descriptors: 64
    stop-grace: 5s
    cpus: 4
  setup:
    command: ["true"]
    after: { store-2: started, store: { prints: up } }
    delay: 3s
workloads:
  client: { command: "true {{store:80}} {{setup}}", count: 2 }
  late: { command: "true", after: { setup: succeeded, store: ready, client: { listens: 9 } } }
timeout: 5m
depth: 7
"#;

#[test]
fn machines_have_names_addresses_and_what_the_file_says() {
    let nodes = nodes(STORE, 1);
    let all: Vec<_> =
        nodes.iter().map(|node| format!("{} {:?}", node.name, node.address)).collect();
    assert_eq!(
        all,
        [
            "client-1 [10, 0, 0, 1]",
            "client-2 [10, 0, 0, 2]",
            "late [10, 0, 0, 3]",
            "store-1 [10, 0, 1, 1]",
            "store-2 [10, 0, 1, 2]",
            "store-3 [10, 0, 1, 3]",
            "setup [10, 0, 1, 4]",
        ]
    );
    let store = named(&nodes, "store-2");
    assert_eq!(
        words(store)[1..],
        ["-c", "serve \"$1\"", "store-2", "10.0.1.2:80", "10.0.1.1:80,10.0.1.3:80", "2/3", "{{x}}"]
    );
    assert_eq!(store.program, b"/usr/bin/sh");
    assert_eq!(store.hostname, "db-2");
    assert_eq!(store.names, ["store", "*.store.local"]);
    assert_eq!(store.tags, ["zone-a", "store"]);
    assert_eq!((store.cpus, store.memory, store.disk), (4, 256 << 20, 1 << 30));
    assert_eq!((store.descriptors, store.stop_grace_ns), (Some(64), 5_000_000_000));
    assert_eq!(store.clock_offset_ns, -1_500_000_000);
    let again = Role::Service { restart: Restart::OnFailure, delay_ns: 2_000_000_000 };
    assert_eq!(store.role, again);
    assert_eq!(variable(store, "PEERS").as_deref(), Some("10.0.1.1,10.0.1.3"));
    assert_eq!(variable(store, "PORT").as_deref(), Some("80"));
    assert_eq!(variable(store, "SIMRUN_SEED").as_deref(), Some("1"));
    assert_eq!(variable(store, "SIMRUN_NODE").as_deref(), Some("store-2"));
    assert_eq!(variable(store, "SIMRUN_CLIENT_ID"), None);
    let client = named(&nodes, "client-2");
    assert_eq!(words(client)[1..], ["10.0.1.1:80,10.0.1.2:80,10.0.1.3:80", "10.0.1.4"]);
    assert_eq!(variable(client, "SIMRUN_CLIENT_ID").as_deref(), Some("1"));
    assert_eq!((client.role, &client.hostname), (Role::Workload, &client.name));
}

#[test]
fn machines_wait_for_each_other() {
    let nodes = nodes(STORE, 1);
    let waits = |name: &str| -> Vec<(u16, Milestone)> {
        let conditions = named(&nodes, name).starts_when.iter();
        conditions.map(|condition| (condition.node, condition.reached.clone())).collect()
    };
    let listens = |node, port| (node, Milestone::Listens(port));
    // A workload that does not say waits for all that say when they are ready.
    assert_eq!(waits("client-1"), [listens(3, 80), listens(4, 80), listens(5, 80)]);
    let printed = |node| (node, Milestone::Printed(b"up".to_vec()));
    assert_eq!(waits("setup"), [(4, Milestone::Started), printed(3), printed(4), printed(5)]);
    assert_eq!(named(&nodes, "setup").start_delay_ns, 3_000_000_000);
    let late = waits("late");
    assert_eq!(late[0], (6, Milestone::Succeeded));
    assert_eq!(late[4..], [listens(0, 9), listens(1, 9)]);
}

#[test]
fn programs_are_told_of_each_other() {
    let (_folder, described) = described(STORE);
    let machines = described.machines(1).unwrap_or_else(|problem| panic!("{problem}"));
    let [file] = &machines.files[..] else { panic!("one file") };
    assert_eq!((file.node, file.path.as_slice()), (None, &b"/run/simrun/topology.json"[..]));
    let told: serde_json::Value = serde_json::from_slice(&file.bytes).expect("JSON");
    let expected = serde_json::json!({
        "name": "store-3", "group": "store", "role": "node", "address": "10.0.1.3", "hostname": "db-3",
        "names": ["store", "*.store.local"], "tags": ["zone-a"], "ports": [80],
    });
    assert_eq!(told["machines"][5], expected);
    assert_eq!(told["machines"][1]["client_id"], 1);
    let limits = described.limits().expect("they are right");
    assert_eq!(limits, (Some(std::time::Duration::from_secs(300)), Some(7)));
}

#[test]
fn the_seed_draws_how_many_there_are_and_whose_clock_is_off() {
    let text = "nodes:\n  a: { command: 'true', count: 2..4, clock: -2s..2s }\n  b: { command: 'true', count: 1..3 }\nworkloads: { c: { command: 'true' } }";
    let count = |seed: u64, group: &str| {
        let is_of = |node: &&Node| node.name.starts_with(&format!("{group}-"));
        nodes(text, seed).iter().filter(is_of).count()
    };
    let counts: Vec<_> = (1..40).map(|seed| count(seed, "a")).collect();
    assert!(counts.contains(&2) && counts.contains(&3) && counts.contains(&4), "{counts:?}");
    assert_eq!(counts, (1..40).map(|seed| count(seed, "a")).collect::<Vec<_>>());
    assert!((1..40).any(|seed| count(seed, "b") == 1), "one of a range has a number, too");
    let drawn = nodes(text, 3);
    let offsets: Vec<i64> = drawn
        .iter()
        .filter(|node| node.name.starts_with("a-"))
        .map(|node| node.clock_offset_ns)
        .collect();
    assert!(offsets.iter().all(|offset| offset.abs() <= 2_000_000_000));
    assert!(offsets[0] != offsets[1], "each has its own");
}

#[test]
fn faults_are_found_beside_the_file() {
    let workload = "workloads: { c: { command: 'true', count: 1..4 } }\n";
    let (folder, described) =
        described(&format!("{workload}faults: [slow-network, own.yaml+slow-disk]"));
    let own = "about: x\nfaults: { a: { do: { delay: 1s }, match: { node: [c-4, c] } } }";
    fs::write(folder.path().join("own.yaml"), own).expect("a file");
    let models = described.faults(&[]).unwrap_or_else(|problem| panic!("{problem}"));
    let path = folder.path().join("own.yaml");
    assert_eq!(models, ["slow-network".to_owned(), format!("{}+slow-disk", path.display())]);
}

#[test]
fn faults_happen_when_they_may_and_links_are_always_so() {
    let text = "workloads: { c: { command: 'true', tags: east } }\nnodes: { a: { command: 'true', count: 2, tags: west } }\nchaos: { after: 10s, for: 1m }\nlinks:\n  - { between: [east, west], latency: 30ms, bandwidth: 1MB/s }\n  - { between: [a, a], latency: { uniform: { from: 1ms, to: 2ms } } }";
    let (_folder, described) = described(text);
    let nodes = described.any_seeds(&[]).expect("they are right");
    let names = ["power-loss".to_owned()];
    let plan = Catalog::built_in().plan(&names, &nodes, Asked::OfMachines).expect("a plan").faults;
    let before = plan[0].window.clone();
    let links = described.machines(1).expect("they are right").links;
    let names: Vec<_> = links.iter().map(|fault| fault.name.as_str()).collect();
    assert_eq!(
        names,
        [
            "links/east-west-latency",
            "links/east-west-bandwidth",
            "links/west-east-latency",
            "links/west-east-bandwidth",
            "links/a-a-latency"
        ]
    );
    let confined = described.confined(plan).unwrap_or_else(|problem| panic!("{problem}"));
    let window = &confined[0].window;
    assert_ne!(window.after, before.after);
    assert_eq!(window.until, Some(Quantity::fixed(70_000_000_000)));
    assert_eq!(links[0].window.until, None);
}

/// A file, and what is said of it after its name. `W` stands for a workload.
const WRONG: &[(&str, &str)] = &[
    ("", "1:1: the file is empty"),
    ("nodes: {}", "1:8: there is nothing in it"),
    ("nodes: { a: { command: x } }", "1:1: `workloads` is missing"),
    ("W\nnode: {}", "2:1: unknown key `node`; did you mean `nodes`?"),
    ("workloads: { c: { comand: x } }", "1:19: unknown key `comand`; did you mean `command`?"),
    ("workloads: { c: { count: 2 } }", "1:14: `c` has neither `command` nor `compose`"),
    (
        "workloads: { c: { command: 'a | b' } }",
        "1:28: `|` is for a shell, and none runs: put it into quotes, or write `[sh, -c, \"...\"]`",
    ),
    ("workloads: { c: { command: \"a 'b\" } }", "1:28: the quote `'` has no end"),
    ("workloads: { c: { command: [] } }", "1:28: the command is empty"),
    ("workloads: { c: { command: {} } }", "1:28: "),
    ("workloads: { c: { command: no-such-command } }", "1:28: no-such-command: command not found"),
    ("workloads: { c: { command: ./nothing } }", "1:28: ./nothing: command not found"),
    ("workloads: { c: { command: /etc/passwd } }", "1:28: /etc/passwd: cannot be executed"),
    (
        "workloads: { C: { command: 'true' } }",
        "1:14: `C` is no name of a machine: lower case letters, digits and `-`, a letter first, at most 50",
    ),
    ("workloads: { peers: { command: 'true' } }", "1:14: `peers` means something else already"),
    (
        "W\nnodes: { c: { command: 'true' } }",
        "2:10: `c` is a node and a workload: a name is one's only",
    ),
    (
        "workloads: { c: { command: 'true', count: 2 } }\nnodes: { c-2: { command: 'true' } }",
        "2:10: `c-2` is one of the machines of `c`, too",
    ),
    ("workloads: { c: { command: 'true', count: 0 } }", "1:43: there is at least one"),
    ("workloads: { c: { command: 'true', count: 5..2 } }", "1:43: the range from 5 to 2 is empty"),
    (
        "workloads: { c: { command: 'true', count: few } }",
        "1:43: `few` is neither a number nor a range as in 2..5",
    ),
    ("workloads: { c: { command: 'true', count: 251 } }", "1:43: there are at most 250"),
    (
        "workloads: { c: { command: 'true', count: 200 }, d: { command: 'true', count: 51 } }",
        "1:50: there are more than 250 of them",
    ),
    (
        "W\nnodes: { a: { command: 'true', clock: 2 } }",
        "2:39: `2` has no unit: did you mean `2ms`?",
    ),
    (
        "W\nnodes: { a: { command: 'true', clock: 2s..-2s } }",
        "2:39: the range from 2s to -2s is empty",
    ),
    (
        "W\nnodes: { a: { command: 'true', memory: 1MiB } }",
        "2:40: it is from 16777216 to 17592186044416",
    ),
    ("W\nnodes: { a: { command: 'true', cpus: 0 } }", "2:38: it is from 1 to 1024"),
    ("W\nnodes: { a: { command: 'true', descriptors: 3 } }", "2:45: it is from 16 to 1048576"),
    (
        "workloads: { c: { command: 'true', stop-grace: 1s } }",
        "1:48: a workload is not stopped: the run ends with it",
    ),
    (
        "W\nnodes: { a: { command: 'true', cwd: nowhere } }",
        "2:37: `nowhere`: No such file or directory (os error 2)",
    ),
    (
        "W\nnodes: { a: { command: 'true', cwd: /etc/passwd } }",
        "2:37: `/etc/passwd` is no directory",
    ),
    (
        "W\nnodes: { a: { command: 'true', env: { 'A=B': c } } }",
        "2:39: `A=B` is no name of a variable",
    ),
    ("W\nnodes: { a: { command: 'true', names: 'a b' } }", "2:39: `a b` is no name of a host"),
    ("W\nnodes: { a: { command: 'true', hostname: '' } }", "2:42: `` is no name of a host"),
    (
        "W\nnodes: { store: { command: 'true {{stores}}' } }",
        "2:28: there is no machine `stores`; did you mean `store`?",
    ),
    ("W\nnodes: { a: { command: 'true {{stone}}' } }", "2:24: there is no machine `stone`"),
    ("W\nnodes: { a: { command: 'true {{peers:x}}' } }", "2:24: `x` is no port, from 0 to 65535"),
    ("W\nnodes: { a: { command: 'true {{name:80}}' } }", "2:24: `name` has no port"),
    (
        "W\nnodes: { a: { command: 'true {{c' } }",
        "2:24: `{{` has no `}}`; for two braces as such write `{{{{`",
    ),
    ("W\nnodes: { a: { command: 'true', env: { A: '{{d}}' } } }", "2:42: there is no machine `d`"),
    (
        "W\nnodes: { a: { command: 'true', restart: sometimes } }",
        "2:41: unknown word `sometimes`; it is one of `never`, `on-failure` or `always`",
    ),
    (
        "W\nnodes: { a: { command: 'true', restart-delay: 1s } }",
        "2:47: it never starts again: `restart` is missing",
    ),
    (
        "workloads: { c: { command: 'true', restart: always } }",
        "1:45: a workload does not start again: the run ends with it",
    ),
    (
        "W\nnodes: { a: { command: 'true', ready: { port: 80 } } }",
        "2:41: unknown key `port`; it is one of `answers`, `listens` or `prints`",
    ),
    (
        "W\nnodes: { a: { command: 'true', ready: { listens: 65536 } } }",
        "2:50: `65536` is out of range here",
    ),
    (
        "W\nnodes: { a: { command: 'true', after: { stare: started } } }",
        "2:41: there is no machine `stare`",
    ),
    (
        "W\nnodes: { a: { command: 'true', after: { c: ready } } }",
        "2:44: `c` does not say when it is `ready`",
    ),
    (
        "W\nnodes: { a: { command: 'true', after: { c: begun } } }",
        "2:44: unknown word `begun`; it is one of `started`, `ready`, `succeeded`, `listens` or `prints`",
    ),
    (
        "W\nnodes: { a: { command: 'true', after: { a: started } } }",
        "2:41: nobody could start: `a` waits for `a`",
    ),
    (
        "W\nnodes: { a: { command: 'true', after: { b: started } }, b: { command: 'true', after: { a: started } } }",
        "2:88: nobody could start: `a` waits for `b` waits for `a`",
    ),
    (
        "W\nfaults: slow-netwrk",
        "2:9: there are no faults named `slow-netwrk`; did you mean `slow-network`?",
    ),
    (
        "W\nfaults: [slow-disk, slow-network+slow-network]",
        "2:21: two files of faults are named `slow-network`: what they draw could not be told apart",
    ),
    ("W\ntimeout: 0s", "2:10: nothing can be done in no time"),
    ("W\ndepth: 0", "2:8: no run would be made"),
    ("W\nchaos: { until: { d: started } }", "2:19: there is no machine `d`"),
    ("workloads: { c: { command: 'true', compose: x } }", "1:45: "),
    (
        "workloads: { c: { compose: /etc/apt } }",
        "1:28: `/etc/apt` has no driver that can be executed",
    ),
    (
        "W\nnodes: { a: { compose: x } }",
        "2:24: `compose` is for workloads: its commands drive a test",
    ),
    (
        "W\nnodes: { a: { command: 'true', ready: { answers: { path: / } } } }",
        "2:50: `port` is missing",
    ),
    ("W\nmocks: nothing.yaml", "2:8: "),
    ("W\nchaos: { for: 0s }", "2:15: a window that is open for no time never opens"),
    (
        "W\nchaos: { before: 2s }",
        "2:10: unknown key `before`; it is one of `after`, `for` or `until`",
    ),
    ("W\nlinks: [{ between: [c], latency: 1s }]", "2:20: a link has two ends"),
    ("W\nlinks: [{ between: [c, d], latency: 1s }]", "2:24: there is no machine or tag `d`"),
    ("W\nlinks: [{ between: [c, c] }]", "2:20: `latency` or `bandwidth` belongs to a link"),
    ("W\nlinks: [{ between: [c, c], latency: 0s }]", "2:37: a delay of nothing does nothing"),
    ("W\nlinks: [{ between: [c, c], bandwidth: 0B/s }]", "2:39: nothing could ever be sent"),
    ("W\ndepth: many", "2:8: `many` is no whole number"),
];

#[test]
fn what_is_wrong_is_told_with_its_place() {
    let mut wrong = String::new();
    for (text, expected) in WRONG {
        let text = text.replace('W', "workloads: { c: { command: 'true' } }");
        let (_folder, described) = described(&text);
        let problem = described
            .machines(1)
            .map(drop)
            .and_then(|()| described.faults(&[]).map(drop))
            .and_then(|()| described.limits().map(drop))
            .and_then(|()| described.mocks().map(drop))
            .and_then(|()| described.confined(Vec::new()).map(drop))
            .expect_err(&text);
        let said = problem.to_string();
        let said = said.strip_prefix(&format!("{}:", problem.file)).unwrap_or(&said);
        let is_so =
            if expected.ends_with(": ") { said.starts_with(expected) } else { said == *expected };
        if !is_so {
            wrong += &format!("{text}\n  said {said}\n  not  {expected}\n");
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}
