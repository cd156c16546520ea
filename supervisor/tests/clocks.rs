//! Faults of clocks, as ordinary programs meet them.

mod common;

use std::{path::Path, process::Output};

use common::{
    build_in,
    compared::{self, simulated, stdout},
    fault_file,
    machines::{machine, printed, simulate},
    said, simrun,
};

fn once(seed: &str, faults: &str, command: &[&str]) -> Output {
    let mut run = simrun(["--seed", seed, "--faults", faults, "--fault-log", "--"]);
    let output = run.args(command).output().expect("a run");
    assert!(output.status.success(), "{}", said(&output).stderr);
    output
}

/// Runs a command, and again under load: what came out, after comparing the two.
fn twice(seed: &str, faults: &str, command: &[&str]) -> Output {
    compared::idle_and_busy(&format!("{faults}: {command:?}"), || once(seed, faults, command))
}

fn faults(folder: &Path, skew: &str) -> String {
    fault_file(folder, &format!("  clock:\n    do: {{ skew-clock: {{ {skew} }} }}\n"))
}

#[test]
fn an_offset_is_of_the_wall_clock_alone() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "import time\ntime.sleep(1)\nprint(int(time.time()), int(time.monotonic()))";
    for (skew, expected) in [
        ("offset: 1h, direction: forward", "1893459601 1001\n"),
        ("offset: 1h, direction: backward", "1893452401 1001\n"),
    ] {
        let faults = faults(folder.path(), skew);
        assert_eq!(stdout(&twice("1", &faults, &["/usr/bin/python3", "-c", script])), expected);
    }
}

#[test]
fn a_clock_that_drifts_takes_everything_along() {
    let folder = tempfile::tempdir().expect("a folder");
    // Each waits for a hundred seconds of its own, by another call and clock.
    let script = "
import time, select, threading, signal, os
def wait_for_alarm(): signal.setitimer(signal.ITIMER_REAL, 100); signal.sigwait([signal.SIGALRM])
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGALRM])
event = threading.Event()
timer = os.timerfd_create(time.CLOCK_MONOTONIC) if hasattr(os, 'timerfd_create') else None
ways = [lambda: time.sleep(100), lambda: select.select([], [], [], 100), lambda: event.wait(100), wait_for_alarm]
if timer: ways.append(lambda: (os.timerfd_settime(timer, initial=100), os.read(timer, 8)))
for wait in ways:
    monotonic, wall = time.monotonic(), time.time()
    wait()
    print(round(time.monotonic() - monotonic, 2), round(time.time() - wall, 2))
";
    for (direction, pace) in [("forward", 1.1), ("backward", 0.9)] {
        let faults = faults(folder.path(), &format!("drift: 10%, direction: {direction}"));
        let output = twice("1", &faults, &["/usr/bin/python3", "-c", script]);
        let lines = stdout(&output);
        assert!(
            lines.lines().count() >= 4 && lines.lines().all(|line| line == "100.0 100.0"),
            "{lines}"
        );
        let expected = 100.0 * lines.lines().count() as f64 / pace;
        let found = simulated(&output);
        assert!((found - expected).abs() < 1.0, "{direction}: {found} instead of {expected}");
    }
}

#[test]
fn a_timer_of_the_wall_clock_goes_by_it_whenever_that_is_set() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = build_in("clocks", "wall_timers", folder.path());
    let cancelled = "1 after 10: ECANCELED\n";
    for (direction, expected) in [
        ("forward", "0 after 70: went off\n1 after 70: went off\n2 after 100: went off\n"),
        ("backward", "2 after 100: went off\n0 after 130: went off\n1 after 130: went off\n"),
    ] {
        let rule =
            format!("  jump:\n    do: {{ jump-clock: {{ {direction}: 30s }} }}\n    after: 10s\n");
        let faults = fault_file(folder.path(), &rule);
        let output = twice("1", &faults, &[program.to_str().expect("a path")]);
        assert_eq!(stdout(&output), [cancelled, expected].concat(), "{direction}");
    }
}

#[test]
fn each_machine_has_its_own_error() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = faults(folder.path(), "offset: { uniform: { from: 1s, to: 1h } }, drift: 100ppm");
    let clock =
        "import time\ntime.sleep(1)\nprint(time.time() - 1893456000, flush=True)\ntime.sleep(100)";
    let nodes = [
        machine(
            "watcher",
            "import time\ntime.sleep(3)\nprint(time.time() - 1893456000, flush=True)",
        ),
        machine("a", clock),
        machine("b", clock),
        machine("c", clock),
    ];
    let output = simulate("5", &faults, &nodes);
    let shown = |name: &str| -> f64 {
        let printed = printed(&output, name);
        printed.trim().parse().unwrap_or_else(|_| panic!("{name}: {printed}"))
    };
    assert!((3.0..3.5).contains(&shown("watcher")), "workloads are spared: {}", shown("watcher"));
    let [a, b, c] = ["a", "b", "c"].map(shown);
    for (one, other) in [(a, b), (b, c), (a, c)] {
        assert!((one - other).abs() > 0.5, "{a} {b} {c}");
    }
    assert!([a, b, c].iter().all(|shown| (shown - 1.0).abs() > 0.9), "{a} {b} {c}");
}

#[test]
fn the_last_second_of_the_day_happens_twice() {
    let script = "
import ctypes, time
libc, room = ctypes.CDLL(None), ctypes.create_string_buffer(256)
time.sleep(8.25)
for n in range(8):
    print(time.strftime('%H:%M:%S', time.gmtime()), libc.adjtimex(ctypes.byref(ctypes.memset(room, 0, 256) and room)), round(time.monotonic(), 1))
    time.sleep(0.5)
";
    let output = twice("1", "leap-second", &["/usr/bin/python3", "-c", script]);
    let expected = "\
23:59:58 1 1008.3
23:59:58 1 1008.8
23:59:59 1 1009.3
23:59:59 1 1009.8
23:59:59 3 1010.3
23:59:59 3 1010.8
00:00:00 4 1011.3
00:00:00 4 1011.8
";
    assert_eq!(stdout(&output), expected, "{}", said(&output).stderr);
}

#[test]
fn atomic_time_goes_on_in_a_leap_second() {
    let script = "
import time
time.sleep(9.5)
def off(): return round(time.clock_gettime(time.CLOCK_TAI) - time.time())
start, before = time.clock_gettime(time.CLOCK_TAI), off()
time.sleep(2)
print(before, off(), round(time.clock_gettime(time.CLOCK_TAI) - start, 1))
";
    let output = twice("1", "leap-second", &["/usr/bin/python3", "-c", script]);
    assert_eq!(stdout(&output), "0 1 2.0\n", "{}", said(&output).stderr);
}

#[test]
fn timers_on_atomic_time_do_not_wait_for_the_second_that_is_inserted() {
    // Each is set before the leap second, for three seconds after by its own clock.
    let script = "
import ctypes, signal, time
libc = ctypes.CDLL(None)
signals = [signal.SIGUSR1, signal.SIGUSR2]
signal.pthread_sigmask(signal.SIG_BLOCK, signals)
time.sleep(9.5)
start = time.monotonic()
for clock, number in [(11, signals[0]), (0, signals[1])]:
    timer, event = ctypes.c_int(), (ctypes.c_int * 16)(0, 0, number, 0)
    assert libc.timer_create(clock, event, ctypes.byref(timer)) == 0
    due = time.clock_gettime_ns(clock) + 3_000_000_000
    at = (ctypes.c_long * 4)(0, 0, *divmod(due, 1_000_000_000))
    assert libc.timer_settime(timer, 1, at, None) == 0
for _ in signals:
    print(signal.sigwait(signals).name, round(time.monotonic() - start, 1))
";
    let output = twice("1", "leap-second", &["/usr/bin/python3", "-c", script]);
    assert_eq!(stdout(&output), "SIGUSR1 3.0\nSIGUSR2 4.0\n", "{}", said(&output).stderr);
}

#[test]
fn programs_find_their_time_zone() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(folder.path(), "  zone:\n    do: { time-zone: [NPT-5:45] }\n");
    // Who is given no environment finds it all the same, as on a machine there; who is given a zone has that.
    let script = "
        date '+%Z %H:%M'; TZ=UTC date '+%H:%M'; env -u TZ date '+%Z %H:%M'
        env -u TZ python3 -c 'import time; print(time.strftime(\"%Z %H:%M\", time.localtime()))'";
    let output = twice("1", &faults, &["bash", "-c", script]);
    let expected = "NPT 05:45\n00:00\nNPT 05:45\nNPT 05:45\n";
    assert_eq!(stdout(&output), expected, "{}", said(&output).stderr);
    let summer = "  zone:\n    do: { time-zone: ['AAA-1BBB,M3.5.0,M10.5.0/3'] }\n";
    let faults = fault_file(folder.path(), summer);
    let script = "env -u TZ date -d @1900000000 '+%Z %H:%M'; env -u TZ date '+%Z %H:%M'";
    let output = twice("1", &faults, &["bash", "-c", script]);
    assert_eq!(stdout(&output), "AAA 18:46\nAAA 01:00\n", "{}", said(&output).stderr);
    let faults = fault_file(folder.path(), "  zone:\n    do: { time-zone: Asia/Tokyo }\n");
    let script = "readlink /etc/localtime; env -u TZ date '+%Z %H:%M'; echo $TZ; TZ= date +%H:%M";
    let output = twice("1", &faults, &["bash", "-c", script]);
    let expected = "/usr/share/zoneinfo/Asia/Tokyo\nJST 09:00\nAsia/Tokyo\n00:00\n";
    assert_eq!(stdout(&output), expected, "{}", said(&output).stderr);
    let set = || {
        let mut command = simrun(["--faults", &faults, "--fault-log", "--", "date", "+%H:%M"]);
        command.env("TZ", "UTC").output().expect("a run")
    };
    let output = compared::idle_and_busy("TZ is set", set);
    assert_eq!(stdout(&output), "00:00\n");
    let words = said(&output).stderr;
    let told = "its time zone is Asia/Tokyo, but its program is told TZ=UTC";
    assert!(words.contains(told), "{words}");
    let zones: std::collections::BTreeSet<_> = (1..12)
        .map(|seed| stdout(&once(&seed.to_string(), "time-zone", &["bash", "-c", "echo $TZ"])))
        .collect();
    assert!(zones.len() > 3, "{zones:?}");
}

#[test]
fn a_wait_for_the_wall_clock_follows_it_when_it_is_set() {
    let folder = tempfile::tempdir().expect("a folder");
    // As pthread_cond_timedwait waits: until the wall clock shows a time.
    let script = "
import threading, time
condition = threading.Condition()
start = time.time()
lock = threading.Lock(); lock.acquire()
import ctypes
libc = ctypes.CDLL(None)
semaphore = ctypes.create_string_buffer(64)
libc.sem_init(semaphore, 0, 0)
class At(ctypes.Structure): _fields_ = [('seconds', ctypes.c_long), ('nanoseconds', ctypes.c_long)]
libc.sem_timedwait(semaphore, ctypes.byref(At(int(start) + 100, 0)))
print(round(time.time() - start), round(time.monotonic() - 1000))
";
    let faults = fault_file(
        folder.path(),
        "  jump:\n    do: { jump-clock: { backward: 60s } }\n    after: 50s\n",
    );
    let output = twice("1", &faults, &["/usr/bin/python3", "-c", script]);
    assert_eq!(stdout(&output), "100 160\n", "{}", said(&output).stderr);
}

#[test]
fn the_model_of_skew_is_small_mostly_and_large_seldom() {
    let script = "echo $(($(date +%s%N) - 1893456000000000000))";
    let mut errors: Vec<i64> = (1..50)
        .map(|seed| {
            let output = once(&seed.to_string(), "clock-skew", &["bash", "-c", script]);
            stdout(&output).trim().parse().expect("a number")
        })
        .collect();
    errors.sort_by_key(|error| error.abs());
    let median = errors[errors.len() / 2].abs();
    assert!((10_000_000..300_000_000).contains(&median), "{errors:?}");
    assert!(errors.iter().any(|&error| error < 0) && errors.iter().any(|&error| error > 0));
    assert!(errors.last().is_some_and(|error| error.abs() > 1_000_000_000), "{errors:?}");
}
