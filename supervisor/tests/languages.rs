//! Services that stand in for others and speak other languages than plain HTTP.

mod common;

use std::process::Command;

use common::{
    mocks::{file, script, twice},
    said,
};

#[test]
fn services_speak_other_languages_than_http() {
    let output = twice("talks.yaml", &["/usr/bin/python3", &script("talks.py")]);
    let said = said(&output);
    assert_eq!(said.status, 0, "{}{}", said.stdout, said.stderr);
    let lines: Vec<&str> = said.stdout.lines().collect();
    let numbers: Vec<&str> = lines[2].split(' ').collect();
    assert!(numbers[..2].iter().all(|number| number.len() == "b'123\\r\\n'".len()), "{numbers:?}");
    assert_eq!(numbers[2], "True");
    let others = [&lines[..2], &lines[3..]].concat();
    assert_eq!(
        others,
        [
            "b'meter ready\\r\\n'",
            "b'hello ann, number 1\\r\\n'",
            "b'bye\\r\\n' b''",
            "reset",
            "b'meter ready\\r\\n' b''",
            "b'\\x00\\x01\\x02'",
            "b'MORE WORDS'",
            "True 1 True",
            "True 2 True",
            "{} 250",
            "550",
            "{}",
        ]
    );
}

#[test]
fn conversations_and_mail_are_calls() {
    let store = tempfile::tempdir().expect("a folder");
    let mut run = common::stored(store.path(), ["--seed", "1", "--mocks"]);
    run.arg(file("talks.yaml")).args(["--", "/usr/bin/python3", &script("talks.py")]);
    run.output().expect("a run");
    let calls = common::run_stored(store.path(), ["mocks", "calls", "last"]).stdout;
    let words = |line: &str| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
    let calls: Vec<String> = calls.lines().map(words).collect();
    assert_eq!(
        calls,
        [
            "meter TCP tcp://meter:7000 end readings",
            "meter TCP tcp://meter:7000 reset readings",
            "meter TCP tcp://meter:7000 broken readings line 9: body differs: \"HELP\", not like ^LOGIN (?<who>\\w+)$",
            "meter TCP tls://meter:7001 end blocks",
            "clock UDP udp://time.test:1123 end ask",
            "clock UDP udp://time.test:1123 end ask",
            "post MAIL smtp://mail.test:587 shop@shop.test [\"ann@home.test\"] Welcome, Ännchen 250 mail",
            "post MAIL smtp://mail.test:25 shop@shop.test [\"bob@home.test\"] Bill 250 mail",
        ]
    );
    let mails = ["mocks", "calls", "last", "--format", "json"];
    let mails = common::run_stored(store.path(), mails).stdout;
    assert!(mails.contains(r#""text":"Your code is 1234.\n.\nGood bye\n""#), "{mails}");
    let shown = common::run_stored(store.path(), ["show", "last"]).stdout;
    let shown: Vec<&str> = shown.lines().filter(|line| line.contains("invariant ")).collect();
    assert!(
        shown.iter().any(|line| line.contains("post/welcome") && line.contains("held")),
        "{shown:?}"
    );
    assert!(
        shown.iter().any(|line| line.contains("meter/read ") && line.contains("held")),
        "{shown:?}"
    );
}

#[test]
fn troubles_strike_conversations_and_mail_too() {
    let store = tempfile::tempdir().expect("a folder");
    let mut run = common::stored(store.path(), ["--seed", "1", "--mocks"]);
    run.arg(file("troubled.yaml")).args(["--", "/usr/bin/python3", &script("troubled.py")]);
    let said = said(&run.output().expect("a run"));
    assert_eq!(said.status, 0, "{}{}", said.stdout, said.stderr);
    let talks = [
        "LATE b'value of LATE\\n' whole 3",
        "DRIP b'value of DRIP\\n' whole 3",
        "HALF b'value o' end 0",
        "EMPTY b'' end 0",
        "RESET b'' ConnectionResetError 0",
        "SILENCE b'value of' TimeoutError 20",
        "GARBAGE 256 end 0",
        "FINE b'value of FINE\\n' whole 0",
        "reset",
        "b'taken\\n'",
    ];
    let others = ["silence", "silence", "b'tim'", "b'time 4'", "451 0", "reset 0", "{} 5", "{} 0"];
    let expected = [&talks[..], &others].concat();
    assert_eq!(said.stdout.lines().collect::<Vec<_>>(), expected, "{}", said.stderr);
    let shown = common::run_stored(store.path(), ["show", "last"]).stdout;
    for name in ["meter/ordered", "clock/asked", "post/sent"] {
        let held = |line: &str| line.contains(name) && line.contains("held");
        assert!(shown.lines().any(held), "{name}: {shown}");
    }
    let calls = common::run_stored(store.path(), ["mocks", "calls", "last", "--format", "json"]);
    let struck = |words: &str| calls.stdout.matches(words).count();
    assert_eq!(struck(r#""trouble":"ambiguous""#), 2, "{}", calls.stdout);
    assert_eq!(struck(r#""text":"Your password is ***\n""#), 4, "{}", calls.stdout);
    assert_eq!((struck(r#""trouble":"busy""#), struck(r#""answer":"451""#)), (1, 1));
    assert!(!calls.stdout.contains("hunter2"));
}

#[test]
fn connections_become_those_of_websocket() {
    let output = twice("talks.yaml", &["/usr/bin/python3", &script("websocket.py")]);
    let said = said(&output);
    assert_eq!(said.status, 0, "{}{}", said.stdout, said.stderr);
    let talk = |market: &str, from: u8| {
        [
            format!("prices.v1 {{'market': '{market}', 'from': '{from}'}}"),
            "True 5".into(),
            "b'\\x00\\x01\\x02'".into(),
            "CLOSE 1008 line 57: body is no JSON: expected ident at line 1 column 2".into(),
        ]
    };
    let mut expected = [talk("eu", 1), talk("us", 2)].concat();
    expected.push("426 websocket".into());
    assert_eq!(said.stdout.lines().collect::<Vec<_>>(), expected);
}

#[test]
fn calls_of_grpc_are_answered_by_descriptors() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name).to_str().expect("a path").to_owned();
    let (mocks, descriptors) = (path("mocks.yaml"), path("ledger.binpb"));
    std::fs::copy(file("ledger.yaml"), &mocks).expect("a copy");
    let mut protoc = Command::new("protoc");
    protoc.arg(format!("--descriptor_set_out={descriptors}")).args(["--include_imports", "-I"]);
    protoc.arg(file("")).arg("ledger.proto");
    assert!(protoc.status().expect("protoc").success());
    let command = ["/usr/bin/python3", &script("ledger.py"), &descriptors];
    let output = twice(&mocks, &command);
    let said = said(&output);
    let get = [
        "a1 1250 1 ['ann', 'bob']",
        "NOT_FOUND no account none",
        "INTERNAL the answer is no bank.Balance: unrecognized field name 'acount'",
        "UNAVAILABLE Service Unavailable",
    ];
    let rest = [
        "UNIMPLEMENTED there is no method /bank.Ledger/Gte; did you mean `/bank.Ledger/Get`?",
        "7 first 0",
        "-5 second 2",
        "7",
        "hello",
        "0 got n1",
        "1 got n2",
        "[]",
        "hello",
        "0 got n1",
    ];
    let differs =
        "INVALID_ARGUMENT line 32: body.text differs: \"other\", not beginning with \"n\"";
    let expected = [&get[..], &get, &rest, &[differs, differs]].concat();
    assert_eq!(said.stdout.lines().collect::<Vec<_>>(), expected, "{}", said.stderr);
}
