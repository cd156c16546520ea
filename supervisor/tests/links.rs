//! Faults of links, as ordinary programs meet them.

mod common;

use std::collections::BTreeMap;

use common::{
    compared::stdout,
    fault_file,
    links::{all_of, assert_binomial, assert_near, deeds, median, numbers, twice},
};

#[test]
fn without_faults_of_its_own_a_link_takes_no_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  other:\n    do: { latency: 1s }\n    match: { port: 7001 }\n  udp:\n    do: { latency: 1s }\n    match: { protocol: udp }\n  program:\n    do: { latency: 1s }\n    match: { process: ruby }\n  host:\n    do: { latency: 1s }\n    match: { host: simrun }\n  network:\n    do: { latency: 1s }\n    match: { address: [10.0.0.0/8, '::1'] }\n",
    );
    let output = twice("1", &faults, "echo.py", &["20"]);
    assert!(all_of(&output, "trip").iter().all(|&trip| trip < 0.1), "{}", stdout(&output));
}

#[test]
fn a_latency_is_paid_each_way_that_matches() {
    let folder = tempfile::tempdir().expect("a folder");
    for (matched, connect, trip) in [
        ("{ port: 7000 }", 100.0, 100.0),
        ("{ protocol: tcp, direction: request }", 50.0, 50.0),
        ("{ address: 127.0.0.0/8, direction: reply, process: python3* }", 50.0, 50.0),
        ("{ host: local*, direction: [request, reply] }", 100.0, 100.0),
    ] {
        let text = format!("  slow:\n    do: {{ latency: 50ms }}\n    match: {matched}\n");
        let output = twice("1", &fault_file(folder.path(), &text), "echo.py", &["5"]);
        assert_near(all_of(&output, "connect")[0], connect, 0.01);
        let trips = all_of(&output, "trip");
        assert!(trips.len() == 5, "{}", stdout(&output));
        trips.iter().for_each(|&found| assert_near(found, trip, 0.01));
    }
}

#[test]
fn buffers_and_readiness_know_of_what_is_under_way() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(folder.path(), "  slow:\n    do: { latency: 50ms }\n");
    let output = twice("1", &faults, "buffers.py", &[]);
    assert_eq!(stdout(&output), "right\n");
}

#[test]
fn slow_networks_are_slow() {
    let output = twice("1", "slow-network", "echo.py", &["100"]);
    assert_near(median(all_of(&output, "trip")), 82.0, 0.25);
    let output = twice("2", "latency-jitter", "echo.py", &["200"]);
    let trips = all_of(&output, "trip");
    assert_near(median(trips.clone()), 40.0, 0.1);
    // Of 400 packets 3 % are late.
    let late = trips.iter().filter(|&&trip| trip > 90.0).count() as f64;
    assert_binomial(late, 200.0, 0.059);
    let output = twice("3", "mobile-3g", "echo.py", &["40"]);
    assert_near(median(all_of(&output, "trip")), 310.0, 0.2);
    let output = twice("4", "brownout", "echo.py", &["2000", "0.02"]);
    let trips = all_of(&output, "trip");
    assert!(trips.iter().any(|&trip| trip > 400.0), "some are slow");
    assert!(median(trips) < 1.0, "most are not");
}

#[test]
fn narrow_links_carry_what_they_are_said_to() {
    let output = twice("1", "rate-limit", "bulk.py", &["1024000"]);
    for way in ["up", "down"] {
        assert_near(all_of(&output, way)[0], 10.0, 0.05);
    }
    let output = twice("1", "mobile-3g", "bulk.py", &["1000000"]);
    // Besides what is narrow there are two or three latencies, and the radio that wakes.
    let (up, down) = (all_of(&output, "up")[0], all_of(&output, "down")[0]);
    assert!((10.6..16.0).contains(&up), "{up}");
    assert!((5.0..11.0).contains(&down), "{down}");
}

#[test]
fn datagrams_beyond_the_queue_are_lost_and_the_others_in_order() {
    // 64 KiB wait at most, and 100 KiB pass in a second.
    let output = twice("1", "rate-limit", "datagrams.py", &["200", "0"]);
    let arrived = numbers(&output);
    let order: Vec<u32> = arrived.iter().map(|(number, _)| number.parse().expect("it")).collect();
    assert!(order.is_sorted(), "{order:?}");
    assert!((64..70).contains(&order.len()), "{}", order.len());
    let latest = arrived.iter().map(|(_, late)| *late).fold(0.0, f64::max);
    assert_near(latest, 640.0, 0.05);
}

#[test]
fn connections_are_refused_unanswered_and_reset() {
    let output = twice("1", "flaky-connections", "many.py", &["300"]);
    let ends: BTreeMap<_, _> = numbers(&output).into_iter().collect();
    let count = |end: &str| ends.get(end).copied().unwrap_or(0.0);
    assert_binomial(count("ECONNREFUSED"), 300.0, 0.07);
    assert_binomial(count("unanswered"), 300.0, 0.03);
    // Those that are to be reset after more than they carry are not: e^-1.5 of them.
    assert_binomial(count("ECONNRESET") + count("EPIPE"), 300.0, 0.9 * 0.2 * 0.777);
    assert_eq!(count("silent"), 0.0, "{}", stdout(&output));
}

#[test]
fn half_open_connections_fall_silent() {
    let output = twice("1", "half-open", "many.py", &["200"]);
    let ends: BTreeMap<_, _> = numbers(&output).into_iter().collect();
    // e^-3 of those that are to fall silent carry too little for it.
    assert_binomial(ends["silent"], 200.0, 0.33 * 0.95);
    assert_eq!(ends["silent"] + ends["whole"], 200.0, "{}", stdout(&output));
}

#[test]
fn a_blocked_destination_cannot_be_reached_and_others_can() {
    let folder = tempfile::tempdir().expect("a folder");
    let cases = [
        ("refuse", "ECONNREFUSED 3\n"),
        ("unreachable", "EHOSTUNREACH 3\n"),
        ("hang", "unanswered 3\n"),
    ];
    for (how, expected) in cases {
        let text =
            format!("  blocked:\n    do: {{ connect: {how} }}\n    match: {{ port: 7000 }}\n");
        let output = twice("1", &fault_file(folder.path(), &text), "many.py", &["3"]);
        assert_eq!(stdout(&output), expected, "{how}");
        let text =
            format!("  blocked:\n    do: {{ connect: {how} }}\n    match: {{ port: 443 }}\n");
        let output = twice("1", &fault_file(folder.path(), &text), "many.py", &["3"]);
        assert_eq!(stdout(&output), "whole 3\n", "{how}");
    }
}

#[test]
fn one_fault_less_leaves_what_the_others_draw() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = "  first:\n    do: { latency: { uniform: { from: 1ms, to: 9ms } } }\n";
    let second =
        "  second:\n    do: { latency: { exponential: { mean: 3ms } } }\n    probability: 50%\n";
    let alone = twice("1", &fault_file(folder.path(), first), "echo.py", &["30"]);
    let both =
        twice("1", &fault_file(folder.path(), &format!("{first}{second}")), "echo.py", &["30"]);
    let (alone, with_other) = (deeds(&alone, "first"), deeds(&both, "first"));
    assert!(alone.len() > 60 && !deeds(&both, "second").is_empty());
    let effect = |line: &String| line.split_once(' ').map(|(_, effect)| effect.to_owned());
    assert!(alone.iter().map(effect).eq(with_other.iter().map(effect)));
}
