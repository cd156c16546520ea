//! Echoes between machines, as the `ping` of every day asks for them.

mod common;

use std::{fs, path::Path, process::Output};

use common::{
    compared::{idle_and_busy, stdout, twice},
    fault_file, machines, said, simrun,
};

/// A machine that asks another one by name, and one that does nothing but be there.
const MACHINES: &str = "workloads:
  asker:
    command: [/usr/bin/ping, -c, '4', -i, '0.5', -W, '2', web]
    after: { web: started }
nodes:
  web:
    command: [/bin/sleep, '1000']
";

/// What the asking machine saw under faults. The run is made twice.
fn asked(folder: &Path, faults: &str) -> (Option<i32>, String) {
    let file = folder.join("sim.yaml");
    fs::write(&file, MACHINES).expect("a file");
    let run = || {
        let mut command = simrun(["sim", "--seed", "1"]);
        if !faults.is_empty() {
            command.args(["--faults", &fault_file(folder, faults)]);
        }
        command.arg(&file).output().expect("a run")
    };
    let output = idle_and_busy(faults, run);
    (output.status.code(), machines::printed(&output, "asker"))
}

/// The echoes that came back: sequence number and milliseconds.
fn echoes(said: &str) -> Vec<(u32, f64)> {
    let echo = |line: &str| {
        let (_, rest) = line.split_once("icmp_seq=")?;
        let (sequence, rest) = rest.split_once(" ttl=64 time=")?;
        let (time, _) = rest.split_once(" ms")?;
        Some((sequence.parse().ok()?, time.parse().ok()?))
    };
    said.lines().filter_map(echo).collect()
}

#[test]
fn machines_answer_as_fast_as_their_link_is() {
    let folder = tempfile::tempdir().expect("a folder");
    let (status, said) = asked(folder.path(), "");
    assert_eq!(status, Some(0), "{said}");
    assert!(said.starts_with("PING web (10.0.1.1) 56(84) bytes of data.\n"), "{said}");
    assert!(said.contains("4 packets transmitted, 4 received, 0% packet loss, time 1500ms"));
    assert!(said.contains("64 bytes from web (10.0.1.1): icmp_seq=1 "), "{said}");
    let echoes = echoes(&said);
    assert!(echoes.iter().map(|(sequence, _)| *sequence).eq(1..=4), "{said}");
    // There and back, with what the calls take.
    assert!(echoes.iter().all(|(_, time)| (0.04..0.2).contains(time)), "{said}");
}

#[test]
fn slow_links_make_echoes_late() {
    let folder = tempfile::tempdir().expect("a folder");
    for (matched, time) in [
        ("{ protocol: icmp }", 100.0),
        ("{ host: web, direction: reply }", 50.0),
        ("{ node: asker, peer: web, process: ping }", 50.0),
        ("{ protocol: [tcp, udp] }", 0.1),
        ("{ port: 80 }", 0.1),
    ] {
        let faults = format!("  slow:\n    do: {{ latency: 50ms }}\n    match: {matched}\n");
        let (status, said) = asked(folder.path(), &faults);
        let echoes = echoes(&said);
        assert_eq!((status, echoes.len()), (Some(0), 4), "{said}");
        for (_, found) in echoes {
            assert!((time * 0.5..time * 1.02 + 0.2).contains(&found), "{matched}: {said}");
        }
    }
}

#[test]
fn what_is_lost_damaged_or_cut_off_does_not_come_back() {
    let folder = tempfile::tempdir().expect("a folder");
    for (faults, expected) in [
        (
            "  cut:\n    do: { partition: { shape: pair } }\n    match: { node: asker, peer: web }\n    after: 700ms\n    for: 600ms\n",
            &[1, 2, 4][..],
        ),
        (
            "  lossy:\n    do: lose\n    match: { direction: request }\n    skip: 1\n    limit: 2\n",
            &[1, 4],
        ),
        (
            "  damaged:\n    do: corrupt\n    match: { direction: reply }\n    limit: 1\n",
            &[2, 3, 4],
        ),
        (
            "  off:\n    do: { lose-power: { off: 800ms } }\n    match: { node: web }\n    after: 300ms\n",
            &[1, 4],
        ),
        (
            "  double:\n    do: { duplicate: 1ms }\n    match: { direction: reply }\n    limit: 1\n",
            &[1, 1, 2, 3, 4],
        ),
    ] {
        let (status, said) = asked(folder.path(), faults);
        assert_eq!(status, Some(0), "{said}");
        let found: Vec<u32> = echoes(&said).into_iter().map(|(sequence, _)| sequence).collect();
        assert_eq!(found, expected, "{faults}{said}");
    }
    let nothing = "  cut:\n    do: { partition: { shape: isolate } }\n    match: { node: web }\n";
    let (status, said) = asked(folder.path(), nothing);
    assert_eq!(status, Some(1), "{said}");
    assert!(said.contains("4 packets transmitted, 0 received, 100% packet loss"), "{said}");
}

fn ping(arguments: &[&str]) -> Output {
    let run = || {
        let mut command = simrun(["--seed", "1", "--", "/usr/bin/ping"]);
        command.args(arguments).output().expect("a run")
    };
    twice("a ping", run)
}

#[test]
fn a_machine_answers_itself() {
    for arguments in [
        ["-c2", "127.0.0.1"].as_slice(),
        &["-c1", "localhost"],
        &["-6", "-c1", "::1"],
        &["-c3", "-i0.2", "-s2000", "127.0.3.4"],
        &["-c1", "10.0.0.1"],
    ] {
        let output = ping(arguments);
        let text = stdout(&output);
        assert_eq!(output.status.code(), Some(0), "{text}{}", said(&output).stderr);
        assert!(text.contains(" 0% packet loss"), "{text}");
        assert!(echoes(&text).iter().all(|(_, time)| *time < 0.01), "{text}");
        let count = arguments[if arguments[0] == "-6" { 1 } else { 0 }].trim_start_matches("-c");
        assert_eq!(echoes(&text).len().to_string(), count);
    }
}

#[test]
fn echoes_do_not_leave_the_simulation() {
    let ask = r"
import socket
for family, protocol, kind, address in [
    (socket.AF_INET, socket.IPPROTO_ICMP, b'\x08', '192.0.2.1'),
    (socket.AF_INET6, socket.IPPROTO_ICMPV6, b'\x80', '2001:db8::1'),
]:
    try:
        socket.socket(family, socket.SOCK_DGRAM, protocol).sendto(kind + bytes(7), (address, 0))
    except OSError as error:
        print(error)
";
    let run = || simrun(["--seed", "1", "--", "/usr/bin/python3", "-c", ask]).output().expect("it");
    let output = twice("an echo", run);
    assert_eq!(stdout(&output), "[Errno 101] Network is unreachable\n".repeat(2));
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    for address in ["192.0.2.1", "2001:db8::1"] {
        assert!(words.contains(&format!("message to {address}: it is outside the simulation")));
    }
}

#[test]
fn where_no_group_may_ask_root_does_with_raw_sockets() {
    let script = "
[ $(id -u) = 0 ] || exit 77
echo 1 0 >/proc/sys/net/ipv4/ping_group_range
/usr/bin/python3 -c 'import socket; socket.socket(socket.AF_INET, socket.SOCK_DGRAM, socket.IPPROTO_ICMP)' 2>&1 | tail -n 1
ping -c1 127.0.0.1 && ping -6 -c1 ::1
";
    let run = || simrun(["--seed", "1", "--", "/bin/sh", "-c", script]).output().expect("a run");
    let output = twice("raw sockets", run);
    if output.status.code() == Some(77) {
        return;
    }
    let text = stdout(&output);
    assert!(text.starts_with("PermissionError: [Errno 13] Permission denied\nPING "), "{text}");
    assert_eq!((output.status.code(), echoes(&text).len()), (Some(0), 2), "{text}");
}
