//! Faults, as ordinary programs meet them: what a file says happens visibly, and the same seed does it again.

mod common;

use std::{fs, path::Path, process::Output};

use common::{
    compared::{self, simulated},
    fault_file, fingerprint, simrun,
};

/// Runs a command under faults twice: what came out, after comparing the two.
fn twice(seed: &str, faults: &str, folder: &Path, command: &[&str]) -> Output {
    let run = || {
        simrun(["--seed", seed, "--faults", faults, "--fault-log", "--env", "LC_ALL=C", "--"])
            .args(command)
            .current_dir(folder)
            .output()
            .expect("a run")
    };
    compared::twice(&format!("{faults}: {command:?}"), run)
}

/// The lines of the fault log.
fn log(output: &Output) -> Vec<String> {
    let words = String::from_utf8_lossy(&output.stderr).into_owned();
    words.lines().filter(|line| line.starts_with("simrun: fault at ")).map(str::to_owned).collect()
}

fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[test]
fn a_full_disk_is_full() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  full:\n    do: { fail: ENOSPC }\n    match: { call: write, path: '**/big', process: dd }\n    skip: 10\n",
    );
    let script = "dd if=/dev/zero of=big bs=1000 count=50; stat -c %s big";
    let output = twice("1", &faults, folder.path(), &["bash", "-c", script]);
    assert!(stderr(&output).contains("dd: error writing 'big': No space left on device"));
    assert_eq!(String::from_utf8_lossy(&output.stdout), "10000\n", "{}", stderr(&output));
}

#[test]
fn the_built_in_disk_fills_up_at_a_time_of_the_seed() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "dd if=/dev/zero of=big bs=100 count=100000; stat -c %s big";
    let written = ["1", "2", "3"].map(|seed| {
        let output = twice(seed, "disk-full", folder.path(), &["bash", "-c", script]);
        assert!(stderr(&output).contains("No space left on device"), "{}", stderr(&output));
        String::from_utf8_lossy(&output.stdout).into_owned()
    });
    assert!(written[0] != written[1] || written[1] != written[2], "{written:?}");
}

#[test]
fn a_slow_disk_takes_its_time() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("data"), vec![7; 4 << 20]).expect("a file");
    let faults = fault_file(
        folder.path(),
        "  narrow:\n    do: { throttle: 1MiB/s }\n    match: { path: '**/data' }\n",
    );
    let command = ["dd", "if=data", "of=/dev/null", "bs=64k"];
    let output = twice("1", &faults, folder.path(), &command);
    let took = simulated(&output);
    assert!((3.95..4.2).contains(&took), "{took}");
    let faults = fault_file(
        folder.path(),
        "  seek:\n    do: { delay: { normal: { mean: 20ms, deviation: 2ms } } }\n    match: { call: read, path: '**/data' }\n",
    );
    let output = twice("1", &faults, folder.path(), &command);
    // 64 blocks and the end.
    let took = simulated(&output);
    assert!((1.25..1.36).contains(&took), "{took}");
    let built_in = twice("1", "slow-disk", folder.path(), &command);
    assert!(simulated(&built_in) > 0.3, "{}", simulated(&built_in));
}

#[test]
fn transfers_are_short_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("a folder");
    let data: Vec<u8> = (0..200_000u32).map(|n| (n.wrapping_mul(n) >> 5) as u8).collect();
    fs::write(folder.path().join("data"), &data).expect("a file");
    let output =
        twice("1", "short-transfers", folder.path(), &["bash", "-c", "cat data | cat | cat"]);
    assert!(output.stdout == data, "cat copes");
    assert!(log(&output).iter().any(|line| line.contains("moves at most")), "{:?}", log(&output));
    // One that does not cope.
    let script = "import os\nf = os.open('data', os.O_RDONLY)\nprint(len(os.read(f, 1000)))";
    let faults = fault_file(
        folder.path(),
        "  half:\n    do: { shorten: 50% }\n    match: { call: read, path: '**/data' }\n",
    );
    let output = twice("1", &faults, folder.path(), &["/usr/bin/python3", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "500\n", "{}", stderr(&output));
}

#[test]
fn what_a_disk_cannot_read_is_an_error() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("data"), vec![b'x'; 100_000]).expect("a file");
    let faults = fault_file(
        folder.path(),
        "  bad:\n    do: { fail: EIO }\n    match: { call: read, path: '**/data' }\n    skip: 1\n    limit: 1\n",
    );
    let output = twice("1", &faults, folder.path(), &["dd", "if=data", "of=/dev/null", "bs=1000"]);
    assert!(stderr(&output).contains("dd: error reading 'data': Input/output error"));
    assert_eq!(log(&output).len(), 1);
}

#[test]
fn a_process_runs_out_of_descriptors_and_of_memory() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "import errno\nfiles = []\ntry:\n  while True: files.append(open('/dev/null'))\n\
                  except OSError as error: print(errno.errorcode[error.errno], len(files))";
    let output = twice("1", "too-many-files", folder.path(), &["/usr/bin/python3", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "EMFILE 29\n", "{}", stderr(&output));
    let faults = fault_file(
        folder.path(),
        "  big:\n    do: { fail: ENOMEM }\n    match: { call: mmap, argument: [{ number: 2, at-least: 0x2000000 }, { number: 4, has-bits: 0x20 }] }\n",
    );
    let script =
        "import mmap\ntry: mmap.mmap(-1, 1 << 26)\nexcept OSError as error: print(error.strerror)";
    let output = twice("1", &faults, folder.path(), &["/usr/bin/python3", "-c", script]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "Cannot allocate memory\n",
        "{}",
        stderr(&output)
    );
}

#[test]
fn waits_are_interrupted_and_programs_go_on() {
    let folder = tempfile::tempdir().expect("a folder");
    // Python starts interrupted calls again (PEP 475), and has a handler for SIGINT that makes them fail.
    let script = "import time, subprocess\nfor n in range(20): time.sleep(1)\n\
                  print(subprocess.run(['echo', 'done'], capture_output=True).stdout)";
    let output = twice("1", "eintr", folder.path(), &["/usr/bin/python3", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "b'done\\n'\n", "{}", stderr(&output));
    let interrupted = log(&output).iter().filter(|line| line.contains("sleep")).count();
    assert!((1..12).contains(&interrupted), "{:?}", log(&output));
    assert!((20.0..20.1).contains(&simulated(&output)), "{}", simulated(&output));
    // Nothing handles a signal here.
    let output = twice("1", "eintr", folder.path(), &["sleep", "5"]);
    assert!(stderr(&output).contains("simrun: the fault eintr/waits never fired"));
}

#[test]
fn connections_fail_for_curl_as_for_any_program() {
    let folder = tempfile::tempdir().expect("a folder");
    fs::write(folder.path().join("page"), "hello\n").expect("a file");
    let script = "/usr/bin/python3 -m http.server 8000 --bind 127.0.0.1 >/dev/null 2>&1 &\n\
                  until curl -s --max-time 5 -o /dev/null http://127.0.0.1:8000/; do sleep 0.1; done\n\
                  for n in 1 2 3; do curl -s --max-time 5 http://127.0.0.1:8000/page || echo failed $?; done\n\
                  kill $!";
    let faults = fault_file(
        folder.path(),
        "  refused:\n    do: { fail: ECONNREFUSED }\n    match: { call: connect, process: curl, descriptor: tcp }\n    \
         after: 3s\n    for: 10s\n",
    );
    let plain = twice("1", &faults, folder.path(), &["bash", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&plain.stdout), "hello\nhello\nhello\n");
    let later = format!("sleep 4\n{}", script.replace("until", "sleep 1; false || until"));
    let script =
        later.replacen("until", "curl -s http://127.0.0.1:8000/page || echo failed $?\nuntil", 1);
    let output = twice("1", &faults, folder.path(), &["bash", "-c", &script]);
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(words, "failed 7\nhello\nhello\nhello\n", "{}", stderr(&output));
}

#[test]
fn windows_are_of_simulated_time() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  stat:\n    do: { fail: EIO }\n    match: { call: [newfstatat, statx, stat], path: /etc/hostname }\n    \
         after: 10s\n    for: 5s\n    every: 20s\n    until: 1m\n",
    );
    let script = "for n in $(seq 0 15); do test -e /etc/hostname && echo $((n * 5)); sleep 5; done";
    let output = twice("1", &faults, folder.path(), &["bash", "-c", script]);
    let times = String::from_utf8_lossy(&output.stdout).lines().collect::<Vec<_>>().join(" ");
    assert_eq!(times, "0 5 15 20 25 35 40 45 55 60 65 70 75", "{}", stderr(&output));
}

#[test]
fn a_fault_that_does_nothing_changes_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  late:\n    do: { delay: 1s }\n    match: { process: nobody }\n",
    );
    let run = |arguments: &[&str]| {
        simrun(["--seed", "4"])
            .args(arguments)
            .args(["--", "bash", "-c", "echo a | cat; (echo b; echo c) | sort -r"])
            .output()
            .expect("a run")
    };
    let with = run(&["--faults", &faults]);
    assert_eq!(fingerprint(&with), fingerprint(&run(&[])));
    assert!(stderr(&with).contains("simrun: the fault test/late never fired"));
}

#[test]
fn a_process_is_killed_at_a_chosen_call() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  crash:\n    do: { kill: SIGKILL }\n    match: { call: write, path: '**/log', process: dd }\n    skip: 3\n",
    );
    let script = "dd if=/dev/zero of=log bs=10 count=9 2>/dev/null; echo $? $(stat -c %s log)";
    let output = twice("1", &faults, folder.path(), &["bash", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "137 30\n", "{}", stderr(&output));
    let faults = fault_file(
        folder.path(),
        "  stop:\n    do: { kill: SIGTERM }\n    match: { process: sleep }\n    after: 3s\n",
    );
    let script = "sleep 100; echo $?; date +%s";
    let output = twice("1", &faults, folder.path(), &["bash", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "143\n1893456003\n", "{}", stderr(&output));
}

#[test]
fn processes_stand_still_and_nobody_sees_it_but_by_the_clock() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  halt:\n    do: { pause: 7s }\n    match: { process: python* }\n    after: 2s\n    every: 60s\n",
    );
    let script = "import time\nlast = time.monotonic()\nfor n in range(700):\n  time.sleep(0.1)\n  \
                  now = time.monotonic()\n  if now - last > 1: print(round(now - last))\n  last = now";
    let output = twice("1", &faults, folder.path(), &["/usr/bin/python3", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "7\n7\n", "{}", stderr(&output));
    let shell = "for n in 1 2 3; do sleep 3; done; echo done";
    let output = twice("1", "pauses", folder.path(), &["bash", "-c", shell]);
    assert_eq!(output.stdout, b"done\n");
    assert!(!log(&output).is_empty() && simulated(&output) > 9.0, "{}", stderr(&output));
}

#[test]
fn clocks_jump_and_timers_are_late() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  back:\n    do: { jump-clock: { backward: 1h } }\n    after: 5s\n",
    );
    let script = "date +%s; sleep 10; date +%s";
    let output = twice("1", &faults, folder.path(), &["bash", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1893456000\n1893452410\n");
    let faults = fault_file(folder.path(), "  late:\n    do: { oversleep: 2s }\n");
    let output = twice("1", &faults, folder.path(), &["sleep", "1"]);
    assert!((3.0..3.01).contains(&simulated(&output)), "{}", simulated(&output));
    for name in ["clock-jumps", "late-timers"] {
        let output =
            twice("1", name, folder.path(), &["bash", "-c", "for n in 1 2 3; do sleep 60; done"]);
        assert!(!log(&output).is_empty(), "{name}: {}", stderr(&output));
    }
}

#[test]
fn spurious_wakeups_do_not_break_locks() {
    let folder = tempfile::tempdir().expect("a folder");
    let script = "import threading, time\nevent, woken = threading.Event(), []\n\
                  def work():\n  event.wait()\n  woken.append(time.monotonic() - start >= 1)\n\
                  threads = [threading.Thread(target=work) for n in range(5)]\n\
                  start = time.monotonic()\nfor t in threads: t.start()\ntime.sleep(1)\nevent.set()\n\
                  for t in threads: t.join()\nprint(woken)";
    let output = twice("2", "spurious-wakeups", folder.path(), &["/usr/bin/python3", "-c", script]);
    let words = String::from_utf8_lossy(&output.stdout).into_owned();
    assert_eq!(words, "[True, True, True, True, True]\n", "{}", stderr(&output));
    assert!(log(&output).iter().any(|line| line.contains("is woken for no reason")));
}

#[test]
fn asynchronous_requests_meet_the_faults_of_the_calls_that_they_stand_for() {
    let folder = tempfile::tempdir().expect("a folder");
    // Writes, synchronizes and reads eight letters, and says what came of it and in how many tenths of a second.
    let script = "import ctypes, os, struct, time\n\
                  call = ctypes.CDLL(None, use_errno=True).syscall\n\
                  context = ctypes.c_ulong(0)\n\
                  call(206, 8, ctypes.byref(context))\n\
                  fd = os.open('data', os.O_RDWR | os.O_CREAT)\n\
                  buffer = ctypes.create_string_buffer(b'abcdefgh', 8)\n\
                  def ask(opcode, address, len):\n\
                  \x20   request = struct.pack('<QIIHhIQQqQII', 7, 0, 0, opcode, 0, fd, address, len, 0, 0, 0, 0)\n\
                  \x20   request = ctypes.create_string_buffer(request, 64)\n\
                  \x20   entry = ctypes.c_ulong(ctypes.addressof(request))\n\
                  \x20   start = time.monotonic()\n\
                  \x20   done = call(209, context, ctypes.c_long(1), ctypes.byref(entry))\n\
                  \x20   submitted = time.monotonic() - start\n\
                  \x20   event = ctypes.create_string_buffer(32)\n\
                  \x20   call(208, context, ctypes.c_long(1), ctypes.c_long(1), event, None)\n\
                  \x20   ended = time.monotonic() - start\n\
                  \x20   print(done, struct.unpack('<QQqq', event.raw)[2], round(submitted * 10), round(ended * 10))\n\
                  at = ctypes.addressof(buffer)\n\
                  ask(1, at, 8)\nask(2, 0, 0)\nask(0, at, 8)\nprint(os.stat('data').st_size)";
    let faults = fault_file(
        folder.path(),
        "  slow:\n    do: { delay: 200ms }\n    match: { call: pread64, path: '**/data' }\n  \
           short:\n    do: { shorten: 50% }\n    match: { call: pwrite64, path: '**/data' }\n  \
           bad:\n    do: { fail: EIO }\n    match: { disk: sync, path: '**/data' }\n",
    );
    let output = twice("1", &faults, folder.path(), &["/usr/bin/python3", "-c", script]);
    assert_eq!(
        String::from_utf8_lossy(&output.stdout),
        "1 4 0 0\n1 -5 0 0\n1 4 0 2\n4\n",
        "{}",
        stderr(&output)
    );
    assert_eq!(log(&output).len(), 3, "{:?}", log(&output));
    // What kills before a write has it not made, nor what was handed in after it.
    let script = script.replace("ask(0, at, 8)", "ask(1, at, 8)");
    let faults = fault_file(
        folder.path(),
        "  kill:\n    do: { kill: SIGKILL }\n    match: { call: fsync, path: '**/data' }\n",
    );
    let output = twice("1", &faults, folder.path(), &["/usr/bin/python3", "-u", "-c", &script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1 8 0 0\n", "{}", stderr(&output));
}

#[test]
fn a_bad_disk_damages_bytes_and_says_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    // Eight sectors of one letter, written over eight of another, and read again.
    let script = "
        head -c 4096 /dev/zero | tr '\\0' o >file
        head -c 4096 /dev/zero | tr '\\0' n | dd of=file bs=4096 conv=notrunc iflag=fullblock 2>/dev/null
        tr -cd o <file | wc -c; tr -cd n <file | wc -c
    ";
    let damaged = |damage: &str, program: &str| {
        let faults = fault_file(
            folder.path(),
            &format!(
                "  bad:\n    do: {{ damage: {damage} }}\n    \
                 match: {{ process: {program}, path: '**/file' }}\n    limit: 1\n"
            ),
        );
        let output = twice("3", &faults, folder.path(), &["bash", "-c", script]);
        assert_eq!(log(&output).len(), 1, "{damage}: {}", stderr(&output));
        let numbers = String::from_utf8_lossy(&output.stdout).into_owned();
        let numbers: Vec<u64> =
            numbers.lines().map(|line| line.parse().expect("a number")).collect();
        (numbers[0], numbers[1])
    };
    assert_eq!(damaged("lose", "dd"), (4096, 0), "as it was before");
    let (old, new) = damaged("tear", "dd");
    assert!(new > 0 && old > 0 && old + new == 4096 && new % 512 == 0, "{old} {new}");
    // One bit of one letter makes another one of it.
    let faults = fault_file(
        folder.path(),
        "  bad:\n    do: { damage: flip-bit }\n    match: { process: tr, path: '**/file' }\n    limit: 1\n",
    );
    let script =
        "head -c 4096 /dev/zero | tr '\\0' n >file; tr -d n <file | wc -c; tr -d n <file | wc -c";
    let output = twice("3", &faults, folder.path(), &["bash", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "1\n0\n", "{}", stderr(&output));
}

#[test]
fn damage_is_for_calls_that_move_bytes_of_files() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults =
        fault_file(folder.path(), "  bad:\n    do: { damage: tear }\n    match: { call: read }\n");
    let output = simrun(["--faults", &faults, "--", "true"]).output().expect("a run");
    assert_eq!(output.status.code(), Some(125));
    assert!(stderr(&output).contains("`read` moves no bytes of files so"), "{}", stderr(&output));
}

#[test]
fn a_message_is_sent_in_part() {
    let folder = tempfile::tempdir().expect("a folder");
    let faults = fault_file(
        folder.path(),
        "  half:\n    do: { shorten: 50% }\n    match: { call: sendmsg, descriptor: unix }\n",
    );
    let script = "import socket\na, b = socket.socketpair()\n\
                  print(a.sendmsg([b'x' * 600, b'y' * 400]), b.recv(5000).count(b'x'))";
    let output = twice("1", &faults, folder.path(), &["/usr/bin/python3", "-c", script]);
    assert_eq!(String::from_utf8_lossy(&output.stdout), "500 500\n", "{}", stderr(&output));
}
