//! What is lost, doubled, late, damaged or changed on its way, as ordinary programs meet it.

mod common;

use std::{collections::BTreeSet, path::Path, process::Output};

use common::{
    Load,
    compared::stdout,
    fault_file, fingerprint,
    links::{all_of, assert_binomial, assert_near, deeds, numbers, twice},
    simrun,
};

/// The numbers of the datagrams that arrived, in the order in which they did; `None` for one that is not what was sent.
fn arrived(output: &Output) -> Vec<Option<u32>> {
    stdout(output)
        .lines()
        .map(|line| line.split(' ').next().and_then(|word| word.parse().ok()))
        .collect()
}

/// The lengths of the gaps in what arrived of so many.
fn gaps(output: &Output, count: u32) -> Vec<usize> {
    let there: BTreeSet<u32> = arrived(output).into_iter().flatten().collect();
    let missing: Vec<u32> = (0..count).filter(|number| !there.contains(number)).collect();
    let mut gaps: Vec<usize> = Vec::new();
    for (index, &number) in missing.iter().enumerate() {
        match gaps.last_mut() {
            Some(last) if missing[index - 1] + 1 == number => *last += 1,
            _ => gaps.push(1),
        }
    }
    gaps
}

fn lost(gaps: &[usize]) -> f64 {
    gaps.iter().sum::<usize>() as f64
}

#[test]
fn datagrams_are_lost_one_by_one() {
    let output = twice("1", "packet-loss", "datagrams.py", &["3000", "1"]);
    let gaps = gaps(&output, 3000);
    assert_binomial(lost(&gaps), 3000.0, 0.05);
    let mean = lost(&gaps) / gaps.len() as f64;
    assert!(mean < 1.15, "{mean}: it has no memory");
}

#[test]
fn datagrams_are_lost_in_bursts() {
    let output = twice("1", "bursty-loss", "datagrams.py", &["6000", "1"]);
    let gaps = gaps(&output, 6000);
    // With p = 1 % and r = 20 % a share of p / (p + r) is lost. The variance is (1 + c) / (1 - c) times that of single
    // losses, where c = 1 - p - r is how much one depends on the one before: as if there were so many fewer.
    let fewer = 0.21 / 1.79;
    assert_binomial(lost(&gaps) * fewer, 6000.0 * fewer, 1.0 / 21.0);
    let mean = lost(&gaps) / gaps.len() as f64;
    assert!((3.0..8.0).contains(&mean), "{mean}: five in a row are lost");
}

#[test]
fn loss_comes_and_goes() {
    let output = twice("1", "intermittent-loss", "datagrams.py", &["6000", "10"]);
    let there: BTreeSet<u32> = arrived(&output).into_iter().flatten().collect();
    // A hundred in a second, so that one takes a hundredth of a second of the window of each half minute.
    let places: Vec<u32> =
        (0..6000).filter(|number| !there.contains(number)).map(|number| number % 3000).collect();
    let (first, last) = (places.iter().min().expect("some"), places.iter().max().expect("some"));
    let open = last - first;
    assert!((250..1010).contains(&open), "for three to ten seconds: {open}");
    assert_binomial(places.len() as f64, f64::from(open * 2), 0.2);
}

#[test]
fn late_datagrams_are_overtaken() {
    let output = twice("1", "reorder", "datagrams.py", &["2000", "1"]);
    let order: Vec<u32> = arrived(&output).into_iter().flatten().collect();
    assert_eq!(order.len(), 2000, "none is lost");
    let mut latest = 0;
    let mut overtaken = 0.0;
    for number in order {
        overtaken += f64::from(number < latest);
        latest = latest.max(number);
    }
    assert_binomial(overtaken, 2000.0, 0.1);
}

#[test]
fn damaged_datagrams_arrive_and_others_are_whole() {
    let output = twice("1", "corrupt", "datagrams.py", &["3000", "1"]);
    let arrived = arrived(&output);
    assert_eq!(arrived.len(), 3000);
    let bad = arrived.iter().filter(|number| number.is_none()).count();
    assert_binomial(bad as f64, 3000.0, 0.02);
}

#[test]
fn doubled_datagrams_arrive_twice() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults =
        fault_file(folder.path(), "  twice:\n    do: { duplicate: 3ms }\n    probability: 10%\n");
    let output = twice("1", &faults, "datagrams.py", &["2000", "10"]);
    let arrived: Vec<u32> = arrived(&output).into_iter().flatten().collect();
    let there: BTreeSet<u32> = arrived.iter().copied().collect();
    assert_eq!(there.len(), 2000);
    assert_binomial((arrived.len() - 2000) as f64, 2000.0, 0.1);
    let late = numbers(&output).into_iter().filter(|(_, late)| *late > 2.9).count();
    assert_eq!(late, arrived.len() - 2000);
}

#[test]
fn streams_stall_when_something_is_lost() {
    let output = twice("1", "packet-loss", "echo.py", &["600"]);
    let trips = all_of(&output, "trip");
    assert_eq!(trips.len(), 600, "nothing is missing in the end");
    let stalled: Vec<f64> = trips.iter().copied().filter(|&trip| trip > 100.0).collect();
    // Either way.
    assert_binomial(stalled.len() as f64, 600.0, 1.0 - 0.95 * 0.95);
    for stall in stalled {
        // 200 ms, or that and twice that, or once each way.
        let known = [200.0, 400.0, 600.0, 800.0, 1000.0, 1400.0];
        assert!(known.iter().any(|&known| (stall - known).abs() < 1.0), "{stall}");
    }
}

#[test]
fn streams_carry_all_bytes_in_order_whatever_is_lost() {
    for faults in ["packet-loss", "bursty-loss", "reorder", "corrupt"] {
        let output = twice("1", faults, "lines.py", &["2000"]);
        let lines: Vec<u32> = arrived(&output).into_iter().flatten().collect();
        assert!(lines.into_iter().eq(0..2000), "{faults}");
    }
}

#[test]
fn a_lost_segment_is_sent_again_soon_if_others_follow() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "  slow:\n    do: { latency: 10ms }\n  lost:\n    do: lose\n    match: { direction: request }\n    skip: 3\n    limit: 1\n";
    let output = twice("1", &fault_file(folder.path(), text), "bulk.py", &["100000"]);
    let up = all_of(&output, "up")[0] * 1000.0;
    // There, back, and there again.
    assert!((30.0..60.0).contains(&up), "{up}");
}

#[test]
fn requests_for_connections_are_made_again_after_1_3_and_7_seconds() {
    let folder = tempfile::tempdir().expect("a folder");
    for action in ["lose", "{ connect: overflow }"] {
        for (limit, seconds) in [(1, 1.0), (2, 3.0), (3, 7.0)] {
            let text = format!(
                "  lost:\n    do: {action}\n    match: {{ direction: request }}\n    limit: {limit}\n"
            );
            let output = twice("1", &fault_file(folder.path(), &text), "patience.py", &["0"]);
            assert_near(all_of(&output, "connect")[0], seconds * 1000.0, 0.001);
        }
    }
    let answer = "  lost:\n    do: lose\n    match: { direction: reply }\n    limit: 2\n";
    let output = twice("1", &fault_file(folder.path(), answer), "patience.py", &["0"]);
    assert_near(all_of(&output, "connect")[0], 3000.0, 0.001);
}

#[test]
fn who_is_never_answered_gives_up_after_a_quarter_of_an_hour() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(folder.path(), "  lost:\n    do: lose\n    after: 5s\n");
    let output = twice("1", &faults, "patience.py", &["10"]);
    assert_near(all_of(&output, "ETIMEDOUT")[0], 924_600.0, 0.0001);
    let output = twice("1", &faults, "patience.py", &["10", "7000"]);
    assert_near(all_of(&output, "ETIMEDOUT")[0], 7000.0, 0.001);
    // Half an hour is too long, and a minute is not: what is sent again after 51 seconds gets through.
    let healed = fault_file(folder.path(), "  lost:\n    do: lose\n    after: 5s\n    for: 60s\n");
    let output = twice("1", &healed, "patience.py", &["10"]);
    assert_near(all_of(&output, "trip")[0], 102_200.0, 0.001);
}

#[test]
fn streams_arrive_in_small_pieces() {
    let folder = tempfile::tempdir().expect("a folder");
    let text =
        "  small:\n    do: { slice: { size: { uniform: { from: 1B, to: 99B } }, gap: 1ms } }\n";
    let output = twice("1", &fault_file(folder.path(), text), "pieces.py", &["20000"]);
    let pieces = numbers(&output);
    let sizes: Vec<f64> = pieces.iter().filter_map(|(size, _)| size.parse().ok()).collect();
    assert!(sizes.iter().all(|&size| size <= 99.0));
    assert_near(20_000.0 / sizes.len() as f64, 50.0, 0.1);
    assert_eq!(all_of(&output, "got"), [20_000.0]);
}

#[test]
fn connections_end_after_what_they_may_carry() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(folder.path(), "  limit:\n    do: { close: 10kB }\n");
    let output = twice("1", &faults, "pieces.py", &["2000000"]);
    let got = all_of(&output, "got")[0];
    assert!((10_000.0 - 1448.0..=10_000.0).contains(&got), "{got}");
    assert!(stdout(&output).contains("sender "), "who goes on sending is told");
}

#[test]
fn messages_are_doubled_changed_and_repeated() {
    let folder = tempfile::tempdir().expect("a folder");
    for program in ["lines.py", "datagrams.py"] {
        let run = |how: &str| {
            let port = if program == "lines.py" { 7000 } else { 7001 };
            let text = format!(
                "  middle:\n    do: {{ tamper: {how} }}\n    match: {{ port: {port} }}\n    probability: 10%\n"
            );
            let count: &[&str] = &["1000", "1"];
            arrived(&twice("1", &fault_file(folder.path(), &text), program, count))
        };
        let doubled = run("duplicate");
        let twins = doubled.windows(2).filter(|pair| pair[0] == pair[1]).count();
        assert_eq!(doubled.len(), 1000 + twins, "{program}");
        assert_binomial(twins as f64, 1000.0, 0.1);
        let changed = run("modify");
        let bad = changed.iter().filter(|number| number.is_none()).count();
        // Of a byte of a number another number may be made, and of two lines one.
        assert!((50..150).contains(&bad), "{program}: {bad}");
        let repeated = run("replay");
        let old = repeated.windows(2).filter(|pair| pair[1] <= pair[0]).count();
        assert_eq!(repeated.len(), 1000 + old, "{program}");
        assert_binomial(old as f64, 1000.0, 0.1);
    }
}

#[test]
fn one_loss_less_leaves_what_the_others_lose() {
    let folder = tempfile::tempdir().expect("a folder");
    let first = "  first:\n    do: lose\n    probability: 10%\n";
    let second = "  second:\n    do: { lose-in-bursts: { begin: 5%, end: 20% } }\n";
    let run =
        |text: &str| twice("1", &fault_file(folder.path(), text), "datagrams.py", &["500", "1"]);
    let (alone, both) = (run(first), run(&format!("{first}{second}")));
    assert!(deeds(&both, "second").len() > 20);
    // To the millisecond: which datagram it was.
    let times = |output: &Output| {
        let text = common::said(output).stderr;
        let of_first = text.lines().filter(|line| line.contains("/first #"));
        let time = |line: &str| line.split("fault at ").nth(1).map(|rest| rest[..5].to_owned());
        of_first.filter_map(time).collect::<Vec<_>>()
    };
    assert!(times(&alone).len() > 30);
    assert_eq!(times(&alone), times(&both));
}

#[test]
fn files_in_netem_s_words_do_what_they_say() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("netem.json");
    let text = r#"{
      "version": 1,
      "lo": {
        "default": { "delay": { "time_ms": 20, "jitter_ms": 5 } },
        "rules": [{ "match": { "protocol": "udp", "port": 7001 }, "loss": { "percent": 20 } }]
      },
      "serviceFaults": [{ "kind": "blackhole", "match": { "port": 7000 }, "start_ms": 2000, "duration_ms": 3000 }]
    }"#;
    std::fs::write(&path, text).expect("a file");
    let path = path.to_str().expect("a path");
    let output = twice("1", path, "datagrams.py", &["1000", "1"]);
    assert_binomial(lost(&gaps(&output, 1000)), 1000.0, 0.2);
    assert!(numbers(&output).iter().all(|(_, late)| *late < 1.0), "the rule takes the delay away");
    let trips = all_of(&twice("1", path, "echo.py", &["100", "0.01"]), "trip");
    let (stalled, others): (Vec<f64>, Vec<f64>) = trips.into_iter().partition(|&trip| trip > 60.0);
    // Sent again after 200 ms, 400 ms, 800 ms, 1600 ms and 3200 ms, in one of two ways.
    assert_eq!(stalled.len(), 1);
    assert!((3000.0..7000.0).contains(&stalled[0]), "{}", stalled[0]);
    assert!(others.iter().all(|trip| (29.0..51.0).contains(trip)));
}

/// Runs a line of the shell in a folder under faults, twice; what it prints.
fn shell(folder: &Path, faults: &str, line: &str) -> String {
    let run = || {
        let mut command = simrun(["--seed", "1", "--faults", faults, "--", "/bin/sh", "-c", line]);
        command.current_dir(folder).output().expect("a run")
    };
    let idle = run();
    let busy = {
        let _load = Load::start();
        run()
    };
    assert_eq!(fingerprint(&idle), fingerprint(&busy), "{faults}");
    assert_eq!(idle.stdout, busy.stdout);
    stdout(&idle)
}

#[test]
fn curl_downloads_every_byte_over_a_network_that_loses_some() {
    let folder = tempfile::tempdir().expect("a folder");
    let bytes: Vec<u8> = (0..400_000u32).map(|number| (number % 251) as u8).collect();
    std::fs::write(folder.path().join("file"), bytes).expect("a file");
    let line = "python3 -m http.server 7000 --bind 127.0.0.1 >/dev/null 2>&1 & \
        curl -s --retry 30 --retry-connrefused --retry-delay 1 -o got http://127.0.0.1:7000/file && \
        cmp file got && echo whole; kill $!";
    for faults in ["packet-loss", "bursty-loss", "corrupt", "reorder"] {
        assert_eq!(shell(folder.path(), faults, line), "whole\n", "{faults}");
    }
}

#[test]
fn redis_counts_right_and_stalls() {
    let folder = tempfile::tempdir().expect("a folder");
    let line = "redis-server --port 7391 --save '' >/dev/null & \
        until redis-cli -p 7391 ping >/dev/null 2>&1; do sleep 0.1; done; \
        start=$(date +%s%N); redis-cli -p 7391 -r 300 incr orders | tail -1; end=$(date +%s%N); \
        echo $(((end - start) / 1000000)); kill $!; wait";
    let said = shell(folder.path(), "packet-loss", line);
    let (count, late) = said.trim().split_once('\n').expect("two lines");
    assert_eq!(count, "300", "each is counted once");
    // Of 300 requests and answers, one in twenty is late by 200 ms or more.
    let late: f64 = late.parse().expect("a number");
    assert!((3000.0..12_000.0).contains(&late), "{late}");
}
