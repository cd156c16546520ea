use super::{
    super::{
        invariant::{Invariant, Violation},
        time::Timestamp,
    },
    *,
};

fn result(ending: Ended) -> RunResult {
    RunResult {
        end: Timestamp(0),
        ending,
        exit_status: 0,
        fingerprint: None,
        simulated_ns: 0,
        wall_ns: 0,
        calls: 0,
        switches: 0,
        choices: 0,
        warnings: Vec::new(),
        invariants: Vec::new(),
        paths: Vec::new(),
        failure: None,
        programs: Vec::new(),
    }
}

/// A program that ended with status 1 and these words.
fn failed(stderr: &str) -> Failure {
    of(&result(Ended::Finished { status: 0x100 }), stderr.as_bytes()).expect("a failure")
}

#[test]
fn runtimes_tell_of_crashes_each_in_its_way() {
    let cases: [(&str, &str, &[&str]); 8] = [
        (
            "noise\nthread 'main' (12) panicked at src/a.rs:2:5:\nindex 3\nstack backtrace:\n   0: std::f\n   1: a::g\n",
            "panicked in src/a.rs: index 3",
            &["a::g"],
        ),
        (
            "panic: lost 3\n\ngoroutine 1 [running]:\nmain.f(0xc01, 0x2)\n\t/a.go:3 +0x1d\nmain.main()\n\n",
            "panic: lost 3",
            &["main.f", "main.main"],
        ),
        (
            "Traceback (most recent call last):\n  File \"a.py\", line 9, in <module>\n    f()\n  File \"a.py\", line 3, in f\nValueError: 7\n",
            "ValueError: 7",
            &["f", "<module>"],
        ),
        (
            "terminate called after throwing an instance of 'std::runtime_error'\n  what():  no 5\n",
            "std::runtime_error: no 5",
            &[],
        ),
        (
            "a: a.c:3: int f(): Assertion `x == 1' failed.\n",
            "Assertion `x == 1' failed.",
            &["int f()"],
        ),
        (
            "==1==ERROR: AddressSanitizer: oops\n    #0 0x12 in f a.c:3\n    #1 0x13 in main a.c:9\n\nSUMMARY: AddressSanitizer: oops a.c:3 in f\n",
            "AddressSanitizer: oops a.c:3 in f",
            &["f", "main"],
        ),
        (
            "Exception in thread \"main\" java.lang.X: 5\n\tat a.B.f(B.java:3)\n\tat a.B.main(B.java:9)\n",
            "Exception in thread \"main\" java.lang.X: 5",
            &["a.B.f", "a.B.main"],
        ),
        ("first\nlast words\n\n", "last words", &[]),
    ];
    for (stderr, message, stack) in cases {
        let failure = failed(stderr);
        assert_eq!(failure.title, format!("{message} (exit status 1)"));
        assert_eq!(failure.stack, stack, "{message}");
        assert_eq!(failure.kind, Kind::Crash);
    }
    assert_eq!(failed("").title, "exit status 1");
}

#[test]
fn the_same_bug_has_the_same_signature() {
    let a = failed("panic: lost 3 at 0xc0012\n\ngoroutine 1 [running]:\nmain.f(0xc01)\n");
    let b = failed("panic: lost 14 at 0xc0999\n\ngoroutine 7 [running]:\nmain.f(0xc02)\n");
    assert_eq!(a.signature, b.signature);
    let other = failed("panic: lost 3 at 0xc0012\n\ngoroutine 1 [running]:\nmain.g(0xc01)\n");
    assert_ne!(a.signature, other.signature);
    let status = |status| of(&result(Ended::Finished { status }), b"").expect("a failure");
    assert_ne!(status(0x100).signature, status(0x200).signature);
    assert_eq!(status(11).title, "killed by SIGSEGV");
}

#[test]
fn a_deadlock_is_known_by_its_shape() {
    let thread = |tid, waits_for: &str| StuckThread {
        node: 0,
        pid: 7,
        tid,
        program: "a".into(),
        call: format!("futex(0x{tid})"),
        waits_for: waits_for.into(),
    };
    let of_threads = |threads| of(&result(Ended::Deadlock { threads }), b"").expect("a failure");
    let one = of_threads(vec![thread(8, "word 0x10"), thread(9, "word 0x20"), thread(7, "pipe 3")]);
    let two = of_threads(vec![thread(5, "pipe 4"), thread(8, "word 0x30"), thread(9, "word 0x40")]);
    assert_eq!(one.signature, two.signature);
    assert_eq!(
        one.title,
        "deadlock: a in futex waits for pipe N; 2 times a in futex waits for word N"
    );
    let fewer = of_threads(vec![thread(5, "pipe 4")]);
    assert_ne!(one.signature, fewer.signature);
}

#[test]
fn a_violation_counts_before_the_status() {
    let mut violated = result(Ended::Finished { status: 0x100 });
    violated.invariants.push(Invariant {
        id: "sum".into(),
        name: "money is kept".into(),
        passed: 3,
        failed: 1,
        violation: Some(Violation { time_ns: 5, summary: "9 instead of 10".into() }),
    });
    let failure = of(&violated, b"panic: x\n").expect("a failure");
    assert_eq!(failure.kind, Kind::Violation);
    assert_eq!(failure.title, "invariant sum (money is kept) is violated: 9 instead of 10");
    assert_eq!(failure.signature, "violation: sum");
    assert_eq!(of(&result(Ended::Finished { status: 0 }), b"any words"), None);
}
