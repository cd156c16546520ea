//! A name server that is slow, fails, or does not tell the truth.

mod common;

use common::{
    fault_file,
    links::{assert_binomial, median},
    machines::{self, machine},
};

/// Asks for a name 1000 times, as in RFC 1035. Prints what the answer says and how long it took, in milliseconds.
const ASK: &str = r#"
import socket, time
mine = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
for number in range(1000):
    mine.settimeout(5)
    start = time.monotonic()
    question = number.to_bytes(2, "big") + b"\1\0\0\1\0\0\0\0\0\0\3web\0\0\1\0\1"
    mine.sendto(question, ("127.0.0.53", 53))
    try:
        answer = mine.recv(500)
        assert answer[:2] == question[:2]
        said = {0: ".".join(map(str, answer[-4:])), 2: "failure", 3: "not-found"}[answer[3] & 15]
    except TimeoutError:
        said = "silence"
    print(said, round((time.monotonic() - start) * 1000, 3))
"#;

/// What a program on `client` prints; `web` and `other` are other machines.
fn ask(faults: &str, program: &str) -> String {
    let serve = "import socket\nlistener = socket.create_server(('', 80))\nwhile True:\n    listener.accept()[0].sendall(socket.gethostname().encode())\n";
    let machines = [machine("client", program), machine("web", serve), machine("other", serve)];
    machines::printed(&machines::simulate("1", faults, &machines), "client")
}

fn answers(faults: &str) -> Vec<(String, f64)> {
    let text = ask(faults, ASK);
    let answers: Vec<_> = text
        .lines()
        .map(|line| line.split_once(' ').expect("two words"))
        .map(|(said, late)| (said.to_owned(), late.parse().expect("a number")))
        .collect();
    assert_eq!(answers.len(), 1000);
    answers
}

#[test]
fn slow_names_are_late_and_right() {
    let answers = answers("slow-dns");
    assert!(answers.iter().all(|(said, _)| said == "10.0.1.1"));
    let late: Vec<f64> = answers.iter().map(|(_, late)| *late).collect();
    let very = late.iter().filter(|&&late| late > 2900.0).count();
    assert_binomial(very as f64, 1000.0, 0.1);
    let others = late.into_iter().filter(|&late| late < 2900.0).collect();
    assert!((90.0..110.0).contains(&median(others)));
}

#[test]
fn a_name_server_fails_as_often_as_it_shall() {
    let answers = answers("dns-failure");
    let count = |wanted: &str| answers.iter().filter(|(said, _)| said == wanted).count() as f64;
    // The first of those that fire decides.
    assert_binomial(count("failure"), 1000.0, 0.1);
    assert_binomial(count("silence"), 1000.0, 0.05 * 0.9);
    assert_binomial(count("not-found"), 1000.0, 0.02 * 0.9 * 0.95);
    assert_eq!(
        count("10.0.1.1") + count("failure") + count("silence") + count("not-found"),
        1000.0
    );
}

#[test]
fn resolvers_see_what_is_not_true() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = r#"
import socket, time
# They listen by then.
time.sleep(1)
for name in ["web", "other"]:
    start = time.monotonic()
    try:
        connection = socket.create_connection((name, 80), timeout=200)
        print(name, connection.recv(100).decode(), flush=True)
    except OSError as error:
        print(name, error, round(time.monotonic() - start), flush=True)
"#;
    let cases = [
        // Of three machines, one is the one that is asked for, and one asks itself, where nobody listens.
        ("changed", ["web other\n", "web [Errno 111] Connection refused 0\n"].as_slice()),
        ("stale", &["web [Errno 110] Connection timed out 127\n"]),
        ("not-found", &["web [Errno -2] Name or service not known 0\n"]),
        ("failure", &["web [Errno -3] Temporary failure in name resolution 0\n"]),
        // Twice, each for A and AAAA, and for five seconds.
        ("silence", &["web [Errno -3] Temporary failure in name resolution 10\n"]),
    ];
    for (answer, expected) in cases {
        let text = format!("  lie:\n    do: {{ resolve: {answer} }}\n    match: {{ host: w* }}\n");
        let said = ask(&fault_file(folder.path(), &text), program);
        let rest = said.strip_suffix("other other\n").unwrap_or_else(|| panic!("{answer}: {said}"));
        assert!(expected.contains(&rest), "{answer}: {said}");
    }
}

#[test]
fn names_that_are_spared_are_answered_right() {
    let folder = tempfile::tempdir().expect("a folder");
    let text = "  lie:\n    do: { resolve: not-found }\n    match: { not: [{ host: other }, { node: web }] }\n";
    let program = r#"
import socket
for name in ["web", "other"]:
    try:
        print(name, socket.gethostbyname(name), flush=True)
    except OSError as error:
        print(name, error, flush=True)
"#;
    let said = ask(&fault_file(folder.path(), text), program);
    assert_eq!(said, "web [Errno -2] Name or service not known\nother 10.0.1.2\n");
}

#[test]
fn questions_that_fail_raise_other_faults_and_are_raised_by_them() {
    let folder = tempfile::tempdir().expect("a folder");
    let program = r#"
import socket, time
for second in range(2, 60):
    time.sleep(1893456000 + second - time.time())
    start = time.monotonic()
    try:
        address = socket.gethostbyname("web")
        said = "late" if time.monotonic() - start > 0.05 else "right"
    except OSError:
        print(second, "fails", flush=True)
        continue
    try:
        socket.create_connection((address, 80)).close()
    except OSError:
        said = f"{said}, refused"
    print(second, said, flush=True)
"#;
    // What fails at 21 s has others be late for 9.5 s, and each of those has connections be refused for 20.5 s.
    let text = "  first:\n    do: { resolve: failure }\n    after: 20800ms\n    for: 400ms\n    \
                raises: { faults: late, factor: 1000000, for: 9500ms }\n  \
                late:\n    do: { resolve-late: 100ms }\n    probability: 0.001%\n    \
                raises: { faults: then, factor: 1000000, for: 20500ms }\n  \
                then:\n    do: { connect: refuse }\n    probability: 0.001%\n";
    let expected: String = (2..60)
        .map(|second| {
            let words = match second {
                21 => "fails",
                22..=30 => "late, refused",
                31..=50 => "right, refused",
                _ => "right",
            };
            format!("{second} {words}\n")
        })
        .collect();
    assert_eq!(ask(&fault_file(folder.path(), text), program), expected);
}
