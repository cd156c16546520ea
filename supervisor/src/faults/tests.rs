//! Fault files: what they say, and what is said of those that are wrong.

use simrun_abi::{
    faults as abi,
    node::Node,
    node_faults::{Moment, Victims},
};
use simrun_kernel::{error::Errno, fault::Faults, random::Random};

use super::{Asked, FaultFile, compile, nodes};

fn read(text: &str) -> Result<Vec<abi::Fault>, String> {
    let file: FaultFile =
        simrun_config::parse("f.yaml", text).map_err(|problem| problem.to_string())?;
    compile("f", &file).map_err(|wrong| wrong.of("f.yaml").to_string())
}

/// A file with one fault that says this.
fn one(fault: &str) -> String {
    let lines: Vec<_> = fault.lines().map(|line| format!("    {}", line.trim_end())).collect();
    format!("about: x\nfaults:\n  a:\n{}\n", lines.join("\n"))
}

/// Files of one fault, and what is wrong with them.
const WRONG_FAULTS: &[(&str, &str)] = &[
    // Words.
    (
        "do: { fail: EIO }\nprobabilty: 1%",
        "5:5: unknown key `probabilty`; did you mean `probability`?",
    ),
    ("do: { fial: EIO }", "4:11: unknown key `fial`; did you mean `fail`?"),
    (
        "do: { explode: now }",
        "4:11: unknown key `explode`; it is one of `fail`, `shorten`, `delay`, `throttle`, `oversleep`, `wake`, `kill`, `pause`, `jump-clock`, `damage`, `lose-power`, `crash`, `stop`, `pause-node`, `attrition`, `skew-clock`, `leap-second`, `time-zone`, `starve`, `delay-wakeup`, `reverse-wakes`, `prioritize`, `slow-cpu`, `latency`, `bandwidth`, `connect`, `reset`, `vanish`, `slow-close`, `close`, `lose`, `lose-in-bursts`, `duplicate`, `reorder`, `corrupt`, `slice`, `partition`, `tamper`, `resolve` or `resolve-late`",
    ),
    (
        "do: explode",
        "4:9: unknown word `explode`; it is one of `fail`, `shorten`, `delay`, `throttle`, `oversleep`, `wake`, `kill`, `pause`, `jump-clock`, `damage`, `lose-power`, `crash`, `stop`, `pause-node`, `attrition`, `skew-clock`, `leap-second`, `time-zone`, `starve`, `delay-wakeup`, `reverse-wakes`, `prioritize`, `slow-cpu`, `latency`, `bandwidth`, `connect`, `reset`, `vanish`, `slow-close`, `close`, `lose`, `lose-in-bursts`, `duplicate`, `reorder`, `corrupt`, `slice`, `partition`, `tamper`, `resolve` or `resolve-late`",
    ),
    ("do: fail", "4:9: `fail` needs a value"),
    (
        "do: { fail: EIO, delay: 1s }",
        "4:9: one of `fail`, `shorten`, `delay`, `throttle`, `oversleep`, `wake`, `kill`, `pause`, `jump-clock`, `damage`, `lose-power`, `crash`, `stop`, `pause-node`, `attrition`, `skew-clock`, `leap-second`, `time-zone`, `starve`, `delay-wakeup`, `reverse-wakes`, `prioritize`, `slow-cpu`, `latency`, `bandwidth`, `connect`, `reset`, `vanish`, `slow-close`, `close`, `lose`, `lose-in-bursts`, `duplicate`, `reorder`, `corrupt`, `slice`, `partition`, `tamper`, `resolve` or `resolve-late` belongs here",
    ),
    (
        "do: {}",
        "4:9: one of `fail`, `shorten`, `delay`, `throttle`, `oversleep`, `wake`, `kill`, `pause`, `jump-clock`, `damage`, `lose-power`, `crash`, `stop`, `pause-node`, `attrition`, `skew-clock`, `leap-second`, `time-zone`, `starve`, `delay-wakeup`, `reverse-wakes`, `prioritize`, `slow-cpu`, `latency`, `bandwidth`, `connect`, `reset`, `vanish`, `slow-close`, `close`, `lose`, `lose-in-bursts`, `duplicate`, `reorder`, `corrupt`, `slice`, `partition`, `tamper`, `resolve` or `resolve-late` belongs here",
    ),
    ("do: [fail]", "4:9: a list is no word"),
    ("do:", "4:7: nothing is no word"),
    ("match: { call: read }", "4:5: `do` is missing"),
    ("do: { fail: EOI }", "4:17: there is no error `EOI`; did you mean `EIO`?"),
    ("do: { fail: enospc }", "4:17: there is no error `enospc`; did you mean `ENOSPC`?"),
    ("do: { fail: [] }", "4:17: the list is empty"),
    (
        "do: { fail: EIO }\nmatch: { call: raed }",
        "5:20: there is no call `raed`; did you mean `read`?",
    ),
    ("do: { delay: 1s }\nmatch: { call: x* }", "5:20: no call is named like `x*`"),
    (
        "do: { delay: 1s }\nmatch: { descriptor: fiel }",
        "5:26: unknown word `fiel`; did you mean `file`?",
    ),
    (
        "do: { delay: 1s }\nmatch: read",
        "5:12: `read` is no mapping with `call`, `process`, `path`, `descriptor`, `disk`, `argument`, `open-descriptors`, `protocol`, `address`, `port`, `host`, `direction`, `node`, `peer`, `tag` or `not`",
    ),
    (
        "do: { delay: 1s }\nmatch: { path: data/x }",
        "5:20: `data/x` matches nothing: a path is absolute; did you mean `**/data/x`?",
    ),
    ("do: { delay: 1s }\nmatch: { process: '' }", "5:23: a program has a name"),
    ("do: { delay: 1s }\nmatch: { node: [a, ''] }", "5:24: a node has a name, and a tag is a word"),
    (
        "do: { delay: 1s }\nmatch: { not: {} }",
        "5:19: one of `protocol`, `address`, `port`, `host`, `node`, `peer` or `tag` belongs here",
    ),
    (
        "do: lose\nmatch: { not: { port: 22, node: a } }",
        "5:19: it spares links or nodes: for what is either, `not` takes a list of both",
    ),
    (
        "do: { delay: 1s }\nmatch: { not: { port: 22 } }",
        "5:12: this is no fault of links: there is no link to match",
    ),
    (
        "do: { resolve: failure }\nmatch: { not: { port: 53 } }",
        "5:12: a question for a name is matched by `host`, `process`, `node` and `tag`",
    ),
    (
        "do: { delay: 1s }\nmatch: { node: a, peer: b }",
        "5:12: this is no fault of links: there is no link to match",
    ),
    (
        "do: { latency: 1s }\nmatch: { not: { pear: b } }",
        "5:21: unknown key `pear`; did you mean `peer`?",
    ),
    // What a call cannot do.
    (
        "do: { fail: EPERM }\nmatch: { call: close }",
        "5:20: `close` cannot fail with `EPERM`; it can with `EBADF`, `EDQUOT`, `EIO` or `ENOSPC`",
    ),
    (
        "do: { fail: EIO }\nmatch: { call: getpid }",
        "5:20: `getpid` cannot fail with `EIO`, nor otherwise",
    ),
    ("do: { fail: EIO }\nmatch: { call: getp* }", "5:20: no call like `getp*` can be hit so"),
    (
        "do: { fail: [EIO, EINTR] }",
        "4:23: `EINTR` stands alone: it comes when a call begins to wait, the others before it is made",
    ),
    (
        "do: { shorten: 50% }\nmatch: { call: [read, fsync] }",
        "5:27: `fsync` moves no bytes that could be counted",
    ),
    (
        "do: { delay: 1s }\nmatch: { call: openat, descriptor: file }",
        "5:20: `openat` has no descriptor",
    ),
    ("do: { delay: 1s }\nmatch: { call: getpid, path: /x }", "5:20: `getpid` is about no file"),
    (
        "do: { fail: EMFILE }\nmatch: { descriptor: tcp, path: /x, call: accept* }\nskip: -1",
        "6:11: `-1` is out of range here",
    ),
    // Units and quantities.
    ("do: { delay: 50 }", "4:18: `50` has no unit: did you mean `50ms`?"),
    ("do: { delay: 50sm }", "4:18: `sm` is no unit of a duration; did you mean `ms`?"),
    ("do: { delay: 0s }", "4:9: a delay of nothing does nothing"),
    ("do: { throttle: 5MB }", "4:21: `MB` is no unit of a rate of bytes; did you mean `MB/s`?"),
    ("do: { throttle: 0B/s }", "4:21: nothing could ever be moved"),
    ("do: { shorten: 120% }", "4:20: `120%` is more than there can be"),
    (
        "do: { delay: [1s] }",
        "4:18: a list is no mapping with `uniform`, `normal`, `lognormal`, `exponential`, `pareto`, `bimodal` or `correlation`",
    ),
    ("do: { delay: { uniform: { from: 2s, to: 1s } } }", "4:18: the range from 2s to 1s is empty"),
    ("do: { delay: { uniform: { from: 2s } } }", "4:29: `to` is missing"),
    (
        "do: { delay: { gauss: 1s } }",
        "4:20: unknown key `gauss`; it is one of `uniform`, `normal`, `lognormal`, `exponential`, `pareto`, `bimodal` or `correlation`",
    ),
    (
        "do: { delay: { correlation: 5% } }",
        "4:18: one of `uniform`, `normal`, `lognormal`, `exponential`, `pareto` or `bimodal` belongs here",
    ),
    ("do: { delay: { pareto: { least: 1s, shape: 0 } } }", "4:18: `shape` must be more than zero"),
    ("do: { delay: { pareto: { least: 1s, shape: x } } }", "4:48: `x` is no number"),
    (
        "do: { delay: { bimodal: { usual: 1s, rare: { exponential: { mean: 1s }, correlation: 1% }, share: 1% } } }",
        "4:18: `correlation` belongs next to `bimodal`, not into it",
    ),
    // Whom.
    ("do: { crash: { off: 1s } }\nhits: al", "5:11: unknown word `al`; did you mean `all`?"),
    (
        "do: { crash: { off: 1s } }\nmatch: { call: fsync }\nhits: all",
        "6:11: at a call it hits the machine that calls",
    ),
    (
        "do: { kill: SIGKILL }\nhits: all",
        "5:11: it is for `crash`, `stop`, `pause-node` and `lose-power`",
    ),
    // How often.
    ("do: { fail: EIO }\nprobability: 0.1", "5:18: `0.1` has no unit: did you mean `0.1%`?"),
    ("do: { fail: EIO }\nprobability: 0%", "5:18: a fault of probability 0% never happens"),
    (
        "do: { fail: EIO }\nprobability: 1%\nrate: 1/s",
        "6:11: `rate` and `probability` exclude each other",
    ),
    ("do: { fail: EIO }\nrate: 5", "5:11: `5` has no unit: did you mean `5/s`?"),
    ("do: { fail: EIO }\nrate: 0/s", "5:11: `0/s` is more than there can be"),
    (
        "do: { fail: EIO }\nrate: 1/s\ncorrelation: 1%",
        "6:18: `correlation` goes with `probability`, not with `rate`",
    ),
    ("do: { fail: EIO }\ncorrelation: 1%", "5:18: `correlation` needs a `probability`"),
    (
        "do: { fail: EIO }\nprobability: 1%\ncorrelation: 100%",
        "6:18: with a correlation of 100% nothing would ever change",
    ),
    ("do: { fail: EIO }\nlimit: 0", "5:12: a fault with limit 0 never happens"),
    ("do: { fail: EIO }\nlimit: many", "5:12: `many` is no whole number"),
    // When.
    ("do: { fail: EIO }\nfor: 0s", "5:10: a window that is open for no time never opens"),
    (
        "do: { fail: EIO }\nevery: 1s",
        "5:12: `every` needs a `for`: without it the window never closes",
    ),
    (
        "do: { fail: EIO }\nfor: 2s\nevery: 1s",
        "5:10: the window is open for longer than from one opening to the next",
    ),
    ("do: { fail: EIO }\nafter: 2s\nuntil: 1s", "6:12: the window closes for good before it opens"),
    ("do: { fail: EIO }\nuntil: 0s", "5:12: the window closes for good before it opens"),
    // Processes, clocks, waits.
    ("do: { kill: SIGTREM }", "4:17: there is no signal `SIGTREM`; did you mean `SIGTERM`?"),
    ("do: { kill: kill }", "4:17: there is no signal `kill`; did you mean `SIGKILL`?"),
    ("do: { pause: 0s }", "4:9: a pause of no time does nothing"),
    (
        "do: { pause: 1s }\nfor: 1s",
        "5:10: it happens at once when the window opens: `for` says nothing",
    ),
    ("do: { jump-clock: 5s }", "4:23: unknown word `5s`; it is one of `forward` or `backward`"),
    (
        "do: { jump-clock: { forward: 5s } }\nmatch: { process: x }",
        "5:12: a node has one wall clock for all of its programs",
    ),
    ("do: { oversleep: 1s }\nmatch: { call: getpid }", "5:20: `getpid` has no time-out"),
    ("do: wake\nmatch: { call: read }", "5:20: `read` is never woken for no reason"),
    (
        "do: { delay: 1s }\nmatch: { call: read, disk: sync }",
        "5:20: `read` does nothing of that with the disk",
    ),
    // Arguments.
    (
        "do: { fail: EIO }\nmatch: { argument: { is: 1 } }",
        "5:24: `number` says which argument, from 1 to 6",
    ),
    (
        "do: { fail: EIO }\nmatch: { argument: { number: 7, is: 1 } }",
        "5:24: `number` says which argument, from 1 to 6",
    ),
    (
        "do: { fail: EIO }\nmatch: { argument: { number: 1 } }",
        "5:24: one of `is`, `at-least`, `at-most` or `has-bits` belongs here",
    ),
    (
        "do: { fail: EIO }\nmatch: { argument: { number: 1, is: 1, at-most: 2 } }",
        "5:24: `is` stands without `at-least` and `at-most`",
    ),
    (
        "do: { fail: EIO }\nmatch: { argument: { number: 1, at-least: 0x10, at-most: 2 } }",
        "5:24: the range from 16 to 2 is empty",
    ),
];

/// Whole files, and what is wrong with them.
const WRONG_FILES: &[(&str, &str)] = &[
    ("", "1:1: the file is empty"),
    ("about: x", "1:1: `faults` is missing"),
    ("- a", "1:1: a list is no mapping with `about`, `families`, `depth` or `faults`"),
    ("about: x\nfaults: {}", "2:9: there is nothing in it"),
    ("about: x\nfaults: []", "2:9: a list is no mapping from names"),
    ("about: x\nabout: y", "2:1: `about` is there twice: first in line 1"),
    ("about: [x\n", "2:1: this is no YAML: while parsing a flow sequence, expected ',' or ']'"),
    ("about: &x y\nfaults: {}", "1:8: anchors are not used here"),
    ("about: *x\nfaults: {}", "1:8: this is no YAML: while parsing node, found unknown anchor"),
    ("about: !x y\nfaults: {}", "1:8: tags are not used here"),
    ("[a]: x", "1:1: a key is a word"),
    (
        "about: x\nfaults:\n  a b:\n    do: { delay: 1s }",
        "3:3: `a b` is no name: it has no slash and no space",
    ),
    (
        "about: x\nfaults:\n  a: { do: { delay: 1s } }\n---\nabout: y",
        "5:1: one document is enough: this is a second one",
    ),
    (
        "about: x\nfaults:\n\ta: 1",
        "3:2: this is no YAML: tabs disallowed within this context (block indentation)",
    ),
];

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let faults = WRONG_FAULTS.iter().map(|(text, words)| (one(text), *words));
    let files = WRONG_FILES.iter().map(|(text, words)| (String::from(*text), *words));
    let wrong: Vec<_> = faults
        .chain(files)
        .filter_map(|(text, words)| {
            let found = read(&text).err().unwrap_or_default();
            let expected = format!("f.yaml:{words}");
            (found != expected)
                .then(|| format!("{text}\n  expected {expected}\n  found    {found}"))
        })
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n\n"));
}

#[test]
fn a_file_says_what_the_kernel_does() {
    let text = one(
        "do: { fail: [EIO, ENOSPC] }\nmatch:\n  call: [write, pwrite*]\n  process: service\n  path: /var/**\n  \
         descriptor: [file, directory]\n  disk: write\n  argument: { number: 3, at-least: 0x10 }\n  open-descriptors: 4\n\
         probability: 25%\ncorrelation: 50%\nskip: 2\nlimit: 3\nafter: 1s\nfor: 2s\nevery: 10s\nuntil: 1m",
    );
    let plan = read(&text).expect("it is right");
    let share = abi::Share::from_parts;
    let time = |seconds: u64| abi::Quantity::fixed(seconds * 1_000_000_000);
    let expected = abi::Fault {
        name: "f/a".into(),
        matches: abi::Match {
            // write, pwrite64, pwritev, pwritev2
            calls: vec![1, 18, 296, 328],
            processes: vec!["service".into()],
            paths: vec!["/var/**".into()],
            descriptors: vec![abi::Descriptor::File, abi::Descriptor::Directory],
            disk: vec![abi::DiskOperation::Write],
            arguments: vec![abi::Argument { index: 2, least: 16, most: u64::MAX, bits: 0 }],
            open_descriptors: 4,
            ..abi::Match::default()
        },
        chance: abi::Chance::Probability { share: share(1 << 30), correlation: share(1 << 31) },
        window: abi::Window {
            after: time(1),
            length: Some(time(2)),
            every: Some(time(10)),
            until: Some(time(60)),
        },
        skip: 2,
        limit: 3,
        moment: Moment::Before,
        victims: Victims::One,
        raises: None,
        family: None,
        effect: abi::Effect::Fail(vec![Errno::EIO.number(), Errno::ENOSPC.number()]),
    };
    assert_eq!(plan, [expected]);
}

#[test]
fn without_calls_a_fault_is_for_all_that_it_can_hit() {
    let calls = |fault: &str| {
        let plan = read(&one(fault)).expect("it is right");
        let name = |number: &u16| simrun_kernel::syscall::table::row(u64::from(*number)).name;
        plan[0].matches.calls.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(
        calls("do: { fail: ENODATA }\nmatch: { descriptor: file }"),
        ["fsetxattr", "fgetxattr", "fremovexattr"]
    );
    let interrupted = calls("do: { fail: EINTR }");
    for name in ["read", "accept4", "futex", "nanosleep", "epoll_wait", "wait4"] {
        assert!(interrupted.contains(&name), "{name}");
    }
    for name in ["close", "dup2", "getpid", "mmap"] {
        assert!(!interrupted.contains(&name), "{name}");
    }
    let all = calls("do: { delay: 1s }");
    assert!(all.len() > 250 && !all.contains(&"exit_group"));
}

#[test]
fn what_hits_processes_comes_at_a_call_or_at_its_time() {
    let calls = |fault: &str| read(&one(fault)).expect("it is right")[0].matches.calls.len();
    assert_eq!(calls("do: { kill: SIGKILL }"), 0);
    assert_eq!(calls("do: { pause: 1s }\nmatch: { process: x }\nafter: 1s\nevery: 2s"), 0);
    assert_eq!(calls("do: { jump-clock: { backward: 1s } }\nrate: 1/s"), 0);
    assert_eq!(calls("do: { kill: SIGKILL }\nmatch: { disk: sync }"), 4);
    assert_eq!(calls("do: { pause: 1s }\nmatch: { call: read }"), 1);
    assert_eq!(calls("do: wake"), 1);
}

#[test]
fn plans_survive_the_way_to_the_kernel() {
    let text =
        one("do: { delay: { lognormal: { median: 1ms, sigma: 1 }, correlation: 5% } }\nrate: 5/s");
    let plan = read(&text).expect("it is right");
    let bytes = postcard::to_allocvec(&plan).expect("a plan can be encoded");
    let decoded: Vec<abi::Fault> = postcard::from_bytes(&bytes).expect("it was encoded");
    assert_eq!(decoded, plan);
    assert!(bytes.len() < 20_000, "{} bytes", bytes.len());
    assert!(Faults::new(&decoded, &[], &Random::new(1)).is_some());
}

#[test]
fn a_schema_tells_editors_the_same() {
    let schema = schemars::schema_for!(FaultFile).to_value();
    let fault = &schema["$defs"]["Fault"];
    assert_eq!(fault["additionalProperties"], false);
    for key in
        ["do", "match", "probability", "rate", "after", "for", "every", "until", "skip", "limit"]
    {
        assert!(fault["properties"][key].is_object(), "{key}");
        assert!(fault["properties"][key]["description"].is_string(), "{key} is explained");
    }
    assert_eq!(fault["required"], serde_json::json!(["do"]));
}

#[test]
fn what_cannot_be_done_to_machines_is_said() {
    let cases = [
        ("do: { pause-node: 0s }", "4:9: a pause of no time does nothing"),
        ("do: { crash: { off: 1s } }\nmatch: { process: x }", "`node` and `tag` say which"),
        ("do: { crash: { of: 1s } }", "4:20: unknown key `of`; did you mean `off`?"),
        ("do: { attrition: { max-dead: 0, off: 1s } }\nrate: 1/m", "then no machine ever dies"),
        (
            "do: { attrition: { max-dead: 1, off: 1s, deaths: { stop: 0 } } }",
            "the weights add up to nothing that could be drawn",
        ),
        ("do: { skew-clock: {} }", "4:9: an `offset` or a `drift` belongs here"),
        ("do: { skew-clock: { drift: 30% } }", "no clock drifts by more than 25%"),
        ("do: { skew-clock: { drift: 5ppm } }\nmatch: { call: read }", "and not at a call"),
        ("do: leap-second\nevery: 1h\nafter: 1s", "5:12: it happens once"),
        ("do: { time-zone: 'Middle Earth' }", "`Middle Earth` is no time zone, as in"),
        ("do: { time-zone: UTC }\nprobability: 5%", "5:18: it is so for as long as"),
        ("do: { crash: { off: 1s } }\nwhen: after", "5:11: it comes at its time and not at a call"),
        ("do: { delay: 1s }\nwhen: after", "5:11: it is for what hits a thread, a process or"),
        ("do: { delay: 1s }\nraises: { factor: 1, for: 1s }", "a factor from 2 to 1000000"),
        ("do: { delay: 1s }\nraises: { factor: 2, for: 0s }", "for no time, nothing changes"),
        (
            "do: { delay: 1s }\nraises: { factor: 2, for: 1s, faults: b }",
            "the file has no fault `b`",
        ),
        ("do: { delay: 1s }\nfamily: disks", "5:13: there is no family `disks`"),
    ];
    for (text, words) in cases {
        let found = read(&one(text)).err().unwrap_or_default();
        assert!(found.contains(words), "{text}: {found}");
    }
    let family =
        "about: x\nfamilies: { disk: { presence: 50% } }\nfaults:\n  a: { do: { delay: 1s } }";
    assert_eq!(
        read(family).err().unwrap_or_default(),
        "f.yaml:2:13: no fault belongs to the family `disk`"
    );
}

#[test]
fn what_cannot_be_done_to_threads_is_said() {
    let cases = [
        ("do: { starve: 0ms }", "4:9: a delay of nothing does nothing"),
        ("do: { delay-wakeup: 1ms }\nmatch: { call: getpid }", "`getpid` never waits"),
        ("do: reverse-wakes\nmatch: { call: poll }", "`poll` wakes nobody in some order"),
        ("do: { slow-cpu: 1 }", "4:21: a factor from 2 to 1000000 belongs here"),
        ("do: { slow-cpu: 2 }\nrate: 1/s", "5:11: it is so for as long as the window is open"),
        ("do: { slow-cpu: 2 }\nmatch: { call: read }", "a slow processor is not about calls"),
        (
            "do: { prioritize: { changes: 1, steps: 0 } }",
            "4:44: among no decisions there is none to draw",
        ),
        ("do: { prioritize: { changes: 1 } }\nafter: 1s", "5:12: it is so from the start"),
        (
            "do: { prioritize: { changes: 1 } }\nmatch: { process: x }",
            "to its end, for all threads",
        ),
    ];
    for (text, words) in cases {
        let found = read(&one(text)).err().unwrap_or_default();
        assert!(found.contains(words), "{text}: {found}");
    }
}

#[test]
fn a_fault_of_links_says_which_links() {
    let text = one(
        "do: { bandwidth: { rate: 1kB/s, queue: 2kB } }\nmatch:\n  protocol: [tcp, udp]\n  port: [80, 443]\n  \
         address: [10.0.0.0/8, '::1']\n  host: Local*\n  direction: reply\n  process: curl",
    );
    let plan = read(&text).expect("it is right");
    assert_eq!(plan[0].effect, abi::Effect::Bandwidth { rate: 1000, queue: 2000 });
    assert_eq!(
        (plan[0].matches.calls.len(), &plan[0].matches.processes[..]),
        (0, &["curl".into()][..])
    );
    let link = &plan[0].matches.link;
    assert_eq!(link.protocols, [abi::Protocol::Tcp, abi::Protocol::Udp]);
    assert_eq!((&link.ports[..], &link.hosts[..]), (&[80, 443][..], &["local*".into()][..]));
    assert_eq!(link.ways, [abi::Way::Reply]);
    let bits = |text: &str| text.parse::<std::net::Ipv6Addr>().expect("an address").to_bits();
    let is_in = |address: &str| link.networks.iter().map(|n| n.contains(bits(address))).collect();
    let found: [Vec<bool>; 4] = ["::ffff:10.1.2.3", "::ffff:11.0.0.1", "::1", "::2"].map(is_in);
    assert_eq!(found, [[true, false], [false, false], [false, true], [false, false]]);
}

#[test]
fn what_cannot_be_done_to_links_is_said() {
    let cases = [
        ("do: { latency: 0ms }", "a delay of nothing does nothing"),
        ("do: { bandwidth: { rate: 0B/s } }", "nothing could ever be sent"),
        ("do: { latency: 1ms }\nmatch: { call: read }", "a fault of links is not about calls"),
        ("do: { reset: 1KiB }\nmatch: { protocol: udp }", "datagrams have no connection"),
        ("do: { delay: 1ms }\nmatch: { port: 80 }", "this is no fault of links"),
        ("do: { latency: 1ms }\nmatch: { address: payment }", "`payment` is no address"),
        ("do: { latency: 1ms }\nmatch: { address: 10.0.0.0/33 }", "`10.0.0.0/33` is no address"),
        ("do: { latency: 1ms }\nmatch: { host: '' }", "a host has a name"),
        ("do: { reset: 1 }", "`1` has no unit: did you mean `1B`?"),
        ("do: lose\nprobability: 0%", "a fault of probability 0% never happens"),
        ("do: { lose-in-bursts: { begin: 0%, end: 1% } }", "bad times would never begin"),
        ("do: { lose-in-bursts: { begin: 1%, end: 0% } }", "bad times would never end"),
        (
            "do: { lose-in-bursts: { begin: 1%, end: 9%, lost: 0% } }",
            "nothing would be lost in bad times",
        ),
        ("do: { duplicate: 1ms }\nmatch: { protocol: tcp }", "what TCP gets twice it throws away"),
        ("do: { slice: { size: 0B, gap: 1ms } }", "a piece has one byte at least"),
        ("do: { reorder: 0s }", "a delay of nothing does nothing"),
        ("do: { partition: { shape: star } }", "unknown word `star`"),
        ("do: { partition: { shape: pair, lasts: 1s } }", "4:44: without a `rate`"),
        ("do: { partition: { shape: pair } }\nrate: 1/m", "5:11: with a `rate`"),
        (
            "do: { partition: { shape: pair, lasts: 0s } }\nrate: 1/m",
            "a partition of no time divides nobody",
        ),
        ("do: { partition: { shape: ring } }\nmatch: { peer: a }", "4:31: it divides those that"),
        ("do: { resolve: nxdomain }", "unknown word `nxdomain`; did you mean `not-found`?"),
        ("do: { resolve: NXDOMIAN }", "unknown word `NXDOMIAN`; did you mean `not-found`?"),
        ("do: { resolve: SERVFAIL }", "unknown word `SERVFAIL`; did you mean `failure`?"),
        ("do: { resolve: time-out }", "unknown word `time-out`; did you mean `silence`?"),
        ("do: { resolve: { not-found: x } }", "`not-found` takes no value"),
        ("do: { connect: timeout }", "unknown word `timeout`; did you mean `hang`?"),
        ("do: drop", "unknown word `drop`; did you mean `lose`?"),
        ("do: { connect: other }", "unknown word `other`; it is one of `refuse`"),
        ("do: { resolve: failure }\nmatch: { port: 53 }", "a question for a name is matched by"),
        ("do: { resolve-late: 0s }", "a delay of nothing does nothing"),
    ];
    for (text, words) in cases {
        let found = read(&one(text)).err().unwrap_or_default();
        assert!(found.contains(words), "{text}: {found}");
    }
}

fn node(name: &str, tag: &str) -> Node {
    Node { tags: vec![tag.into()], ..Node::new(name, [10, 0, 0, 1]) }
}

#[test]
fn nodes_that_are_not_there_are_named_with_the_nearest_that_is() {
    let there = [
        Node { names: vec!["*.api.test".into()], ..node("web", "front") },
        node("db-1", "storage"),
        Node { hostname: "Second".into(), ..node("db-2", "storage") },
    ];
    let check = |asked: Asked, wanted: &str| {
        let action =
            if wanted.contains("asks") { "{ resolve: failure }" } else { "{ latency: 1s }" };
        let wanted = wanted.replace("asks", "host");
        let text = one(&format!("do: {action}\nmatch: {wanted}"));
        let file: FaultFile = simrun_config::parse("f.yaml", &text).expect("it is right");
        nodes::check(&file, &there, asked).map_err(|wrong| wrong.of("f.yaml").to_string())
    };
    for right in [
        "{}",
        "{ node: web, peer: [db-*, storage] }",
        "{ tag: front, not: { tag: st* } }",
        "{ host: [web, DB-1, second, localhost, 's*', '*.test'] }",
        "{ asks: [web, 's*', some.api.test, '*.api.test', a.localhost], not: { host: localhost } }",
    ] {
        assert_eq!(check(Asked::OfMachines, right), Ok(()), "{right}");
    }
    let cases = [
        ("{ node: wbe }", "5:20: there is no node or tag `wbe`; did you mean `web`?"),
        ("{ node: [web, db_1] }", "5:26: there is no node or tag `db_1`; did you mean `db-1`?"),
        ("{ peer: strage }", "5:20: there is no node or tag `strage`; did you mean `storage`?"),
        ("{ tag: web }", "5:19: no node has the tag `web`"),
        ("{ not: { peer: cache-* } }", "5:27: there is no node or tag `cache-*`"),
        ("{ host: [web, wbe] }", "5:26: no name `wbe` leads to a machine; did you mean `web`?"),
        ("{ not: { host: storage } }", "5:27: no name `storage` leads to a machine"),
        (
            "{ host: a.api.test }",
            "5:20: no name `a.api.test` leads to a machine; did you mean `*.api.test`?",
        ),
        ("{ host: 10.0.0.1 }", "5:20: `10.0.0.1` is no name: `address` is for it"),
        (
            "{ asks: api.tets }",
            "5:20: no name `api.tets` leads to a machine; did you mean `*.api.test`?",
        ),
    ];
    for (wrong, words) in cases {
        assert_eq!(check(Asked::OfMachines, wrong), Err(format!("f.yaml:{words}")));
        let is_question = wrong.contains("asks");
        assert_eq!(check(Asked::Any, wrong).is_ok(), is_question, "{wrong}");
    }
}
