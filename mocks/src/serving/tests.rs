//! Services as they answer one request after the other.

use std::rc::Rc;

use super::{Ending, Reply, Serving};
use crate::{answer::Piece, request::Request};

fn serving(mock: &str) -> Rc<Serving> {
    let indented: String = mock.lines().map(|line| format!("    {line}\n")).collect();
    let text = format!("mocks:\n  test:\n{indented}");
    let none = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let services = crate::read("x", &text, &none).unwrap_or_else(|problem| panic!("{problem}"));
    Serving::new(services.into_iter().next().expect("a service"), 7)
}

/// What is wrong with a mock.
fn wrong(mock: &str) -> String {
    let indented: String = mock.lines().map(|line| format!("    {line}\n")).collect();
    let none = |_: &std::path::Path| Err(std::io::ErrorKind::NotFound.into());
    let text = format!("mocks:\n  test:\n{indented}");
    crate::read("x", &text, &none).expect_err("it is wrong").to_string()
}

fn words(reply: &Reply<'_>) -> String {
    let body = |pieces: &[Piece]| -> String {
        let text = |piece: &Piece| match piece {
            Piece::Data(bytes) => String::from_utf8_lossy(bytes).into_owned(),
            Piece::Pause(time) => format!("<{}ms>", time.as_millis()),
            Piece::Trailers(fields) => format!("<{} trailers>", fields.len()),
            Piece::Forever => "<for ever>".into(),
            Piece::Close => "<close>".into(),
            Piece::Reset => "<reset>".into(),
        };
        pieces.iter().map(text).collect()
    };
    match &reply.ending {
        Ending::Answer(answer) => format!("{} {}", answer.status.as_u16(), body(&answer.pieces)),
        Ending::Short(answer, less) => {
            format!("{} {} short of {less}", answer.status.as_u16(), body(&answer.pieces))
        }
        Ending::Nothing => "nothing".into(),
        Ending::Reset => "reset".into(),
        Ending::Bytes(bytes) => format!("{} bytes", bytes.len()),
    }
}

fn ask(serving: &Serving, request: &str) -> String {
    words(&serving.reply(&Request::read(request))).trim_end().to_owned()
}

/// Asks one after the other.
#[track_caller]
fn check(mock: &str, exchanges: &[(&str, &str)]) {
    let serving = serving(mock);
    for (request, expected) in exchanges {
        assert_eq!(ask(&serving, request), *expected, "{request}");
    }
}

#[test]
fn places_are_filled_with_what_there_is() {
    let answer = |text: &str| {
        format!(
            "routes:\n  a:\n    match: {{ path: '/a/{{id}}' }}\n    answer: {{ text: '{text}' }}"
        )
    };
    let cases = [
        ("{{ captured.id }} {{ request.query.x }}", "200 7 y"),
        ("{{ request.method }} {{ request.url }}", "200 POST http://h.test/a/7?x=y"),
        ("{{ request.headers.host }} {{ request.cookies.c }}", "200 h.test d"),
        ("{{ request.json.n + 1 }}", "200 6"),
        (
            "{{ count }} {{ calls }} {{ counter.next(\"a\") }} {{ counter.next(\"a\") }}",
            "200 1 1 1 2",
        ),
        ("{{ request.query.none | default(\"-\") }}", "200 -"),
        ("{{ random.int(3, 3) }} {{ random.pick([5]) }}", "200 3 5"),
        (
            "{{ request.query.none }}",
            "500 route a: `{{ request.query.none }}` cannot be filled in: `request.query.none` is undefined",
        ),
    ];
    for (text, expected) in cases {
        let request = "POST /a/7?x=y\nhost: h.test\ncookie: c=d\n\n{\"n\": 5}";
        assert_eq!(ask(&serving(&answer(text)), request), expected, "{text}");
    }
    let drawn = |seed: u64| {
        let service = serving(&answer("{{ random.uuid() }}")).service.clone();
        ask(&Serving::new(service, seed), "GET /a/1")
    };
    assert_eq!(drawn(1), drawn(1));
    assert_ne!(drawn(1), drawn(2));
}

#[test]
fn answers_take_turns() {
    let mock = |turn: &str| {
        format!("routes:\n  a:\n    turn: {turn}\n    answer: [{{ status: 500 }}, {{ text: b }}]")
    };
    check(&mock("last"), &[("GET /", "500"), ("GET /", "200 b"), ("GET /", "200 b")]);
    check(&mock("cycle"), &[("GET /", "500"), ("GET /", "200 b"), ("GET /", "500")]);
}

#[test]
fn bodies_come_in_pieces() {
    let mock = "routes:
  chunks:
    match: { path: /chunks }
    answer: { chunks: [{ text: a }, { after: 50ms, json: { n: '{{ count }}' } }], trailers: { x-sum: '1' } }
  events:
    match: { path: /events }
    answer: { events: [{ event: tick, id: '1', text: \"a\\nb\", retry: 2s }, { after: 1s, json: [1] }] }
  redirect:
    match: { path: '/old/{rest*}' }
    answer: { redirect: '/new/{{ captured.rest }}' }";
    check(
        mock,
        &[
            ("GET /chunks", "200 a<50ms>{\"n\":1}<1 trailers>"),
            (
                "GET /events",
                "200 event: tick\nid: 1\nretry: 2000\ndata: a\ndata: b\n\n<1000ms>data: [1]",
            ),
            ("GET /old/a/b", "302"),
        ],
    );
    let serving = serving(mock);
    let reply = serving.reply(&Request::read("GET /old/a/b"));
    let Ending::Answer(answer) = reply.ending else { panic!("an answer") };
    assert_eq!(answer.headers["location"], "/new/a/b");
}

#[test]
fn scenarios_go_from_state_to_state() {
    let mock = "routes:
  pay: { match: { method: POST, path: /pay }, when: { order: start }, then: { order: paid }, answer: { text: paid } }
  again: { match: { method: POST, path: /pay }, when: { order: [paid, sent] }, answer: { status: 409, text: '{{ state.order }}' } }
  send: { match: { path: /send }, when: { order: paid }, then: { order: sent } }";
    check(
        mock,
        &[
            (
                "GET /send",
                "404 no mock matched: GET /send; closest: route send, scenario order is in state start, not paid",
            ),
            ("POST /pay", "200 paid"),
            ("POST /pay", "409 paid"),
            ("GET /send", "200"),
            ("POST /pay", "409 sent"),
        ],
    );
}

#[test]
fn collections_need_no_routes() {
    let mock = "resources:
  customers:
    path: /customers
    new-key: 'c{{ counter.next(\"customer\") }}'
    defaults: { active: true, name: 'nobody {{ key }}' }
    items: [{ id: a, name: Ann, active: false }]
    list: data
    pages: { by: cursor, size: 2 }";
    check(
        mock,
        &[
            ("GET /customers/a", "200 {\"id\":\"a\",\"name\":\"Ann\",\"active\":false}"),
            (
                "POST /customers\n\n{\"name\":\"Bob\"}",
                "201 {\"id\":\"c1\",\"name\":\"Bob\",\"active\":true}",
            ),
            (
                "POST /customers\ncontent-type: application/x-www-form-urlencoded\n\nage=5",
                "201 {\"id\":\"c2\",\"age\":\"5\",\"active\":true,\"name\":\"nobody c2\"}",
            ),
            (
                "POST /customers\n\n{\"id\":\"a\"}",
                "409 {\"error\":\"there is a customers a already\"}",
            ),
            ("POST /customers\n\n[1]", "400 {\"error\":\"the body is no object\"}"),
            (
                "PATCH /customers/c1\n\n{\"name\":null,\"x\":{\"y\":1}}",
                "200 {\"id\":\"c1\",\"active\":true,\"x\":{\"y\":1}}",
            ),
            (
                "PUT /customers/c1\n\n{\"active\":1}",
                "200 {\"id\":\"c1\",\"active\":1,\"name\":\"nobody c1\"}",
            ),
            (
                "GET /customers?limit=1",
                "200 {\"data\":[{\"id\":\"a\",\"name\":\"Ann\",\"active\":false}],\"next_cursor\":\"a\"}",
            ),
            (
                "GET /customers?cursor=c1",
                "200 {\"data\":[{\"id\":\"c2\",\"age\":\"5\",\"active\":true,\"name\":\"nobody c2\"}],\"next_cursor\":null}",
            ),
            (
                "GET /customers?name=Ann",
                "200 {\"data\":[{\"id\":\"a\",\"name\":\"Ann\",\"active\":false}],\"next_cursor\":null}",
            ),
            ("DELETE /customers/a", "204"),
            ("DELETE /customers/a", "404 {\"error\":\"there is no customers a\"}"),
        ],
    );
}

#[test]
fn who_asks_again_with_the_same_key_gets_the_same_answer() {
    let mock = "routes:
  charge:
    idempotency: { header: Idempotency-Key }
    answer: { text: 'charge {{ counter.next(\"charge\") }}' }";
    check(
        mock,
        &[
            ("POST /\nidempotency-key: k\n\na", "200 charge 1"),
            ("POST /\nidempotency-key: k\n\na", "200 charge 1"),
            ("POST /\nidempotency-key: k\n\nb", "422 this key was used for another request"),
            ("POST /\nidempotency-key: l\n\na", "200 charge 2"),
            ("POST /\n\na", "200 charge 3"),
        ],
    );
}

#[test]
fn too_many_requests_are_told_when_to_come_again() {
    let mock = "routes:
  a: { limit: { requests: 1, per: 1h, by: '{{ request.headers.key }}' } }";
    let serving = serving(mock);
    assert_eq!(ask(&serving, "GET /\nkey: a"), "200");
    assert_eq!(ask(&serving, "GET /\nkey: b"), "200");
    let reply = serving.reply(&Request::read("GET /\nkey: a"));
    let Ending::Answer(answer) = reply.ending else { panic!("an answer") };
    assert_eq!(
        (answer.status.as_u16(), &answer.headers["retry-after"]),
        (429, &"3600".parse().expect("it"))
    );
}

#[test]
fn tokens_are_given_to_those_who_are_known() {
    let mock = "tokens: { path: /token, clients: { shop: secret } }
routes:
  a: { match: { path: /a }, needs-token: true, answer: { text: welcome } }";
    let serving = serving(mock);
    let refused = "401 {\"error\":\"invalid_token\"}";
    assert_eq!(ask(&serving, "GET /a"), refused);
    assert_eq!(
        ask(&serving, "POST /token\n\ngrant_type=client_credentials"),
        "401 {\"error\":\"invalid_client\"}"
    );
    assert_eq!(
        ask(&serving, "POST /token\n\ngrant_type=magic"),
        "400 {\"error\":\"unsupported_grant_type\"}"
    );
    let given = ask(
        &serving,
        "POST /token\nauthorization: Basic c2hvcDpzZWNyZXQ=\n\ngrant_type=client_credentials",
    );
    let json: serde_json::Value =
        serde_json::from_str(given.strip_prefix("200 ").expect("a token")).expect("JSON");
    let token = json["access_token"].as_str().expect("a token");
    assert_eq!(ask(&serving, &format!("GET /a\nauthorization: Bearer {token}")), "200 welcome");
    assert_eq!(ask(&serving, &format!("GET /a\nauthorization: Bearer x{token}")), refused);
    let again = format!(
        "POST /token\n\ngrant_type=refresh_token&client_id=shop&client_secret=secret&refresh_token={}",
        json["refresh_token"].as_str().expect("another token")
    );
    assert!(ask(&serving, &again).starts_with("200 "));
    assert_eq!(ask(&serving, &again), "400 {\"error\":\"invalid_grant\"}");
}

#[test]
fn troubles_strike_before_or_after_it_is_done() {
    let cases = [
        ("{ status: 503 }", "503 Service Unavailable", 0),
        ("{ busy: 2s }", "429 too many requests", 0),
        ("{ hang: before }", "nothing", 0),
        ("{ hang: middle }", "200 done<1ms><for ever>", 1),
        ("{ hang: after }", "nothing", 1),
        ("{ reset: before }", "reset", 0),
        ("{ reset: middle }", "200 done<1ms><reset>", 1),
        ("{ reset: after }", "reset", 1),
        ("{ empty: before }", "0 bytes", 0),
        ("{ empty: after }", "0 bytes", 1),
        ("{ garbage: after }", "256 bytes", 1),
        ("{ truncate: 25% }", "200 do<1ms><close>", 1),
        ("{ too-long: 5 }", "200 done 1 b<1ms><close>", 1),
        ("{ too-short: 5 }", "200 done 1 b short of 5", 1),
        ("{ drip: { bytes: 4, pause: 10ms } }", "200 <10ms>done<10ms> 1 b", 1),
        ("{ delay: 1s }", "200 done 1 b", 1),
    ];
    for (what, expected, done) in cases {
        let mock = format!(
            "routes:\n  a: {{ answer: {{ text: 'done {{{{ counter.next(\"n\") }}}} b' }} }}\ntroubles:\n  t: {{ do: {what}, limit: 1 }}"
        );
        let serving = serving(&mock);
        assert_eq!(ask(&serving, "GET /"), expected, "{what}");
        assert_eq!(ask(&serving, "GET /"), format!("200 done {} b", done + 1), "{what}");
    }
}

#[test]
fn troubles_strike_some() {
    let mock = "routes:
  a: { match: { path: /a } }
  b: { match: { path: /b } }
troubles:
  some: { do: { status: 500 }, route: a, match: { method: POST }, skip: 1, probability: 50% }";
    let serving = serving(mock);
    assert_eq!(ask(&serving, "POST /a"), "200", "the first is left alone");
    let struck = (0..400).filter(|_| ask(&serving, "POST /a").starts_with("500")).count();
    assert!((150..250).contains(&struck), "{struck}");
    let others = ["GET /a", "POST /b"].into_iter().cycle().take(100);
    assert!(others.map(|request| ask(&serving, request)).all(|answer| answer == "200"));
}

#[test]
fn what_was_read_before_may_be_read_again() {
    let mock = "resources:
  things: { path: /things }
troubles:
  stale: { do: { stale: 1h }, route: [things.read, things.list] }";
    check(
        mock,
        &[
            ("POST /things\n\n{\"id\":\"a\"}", "201 {\"id\":\"a\"}"),
            ("PATCH /things/a\n\n{\"b\":1}", "200 {\"id\":\"a\",\"b\":1}"),
            ("GET /things/a", "404 {\"error\":\"there is no things a\"}"),
            ("GET /things", "200 []"),
            ("DELETE /things/a", "204"),
        ],
    );
}

#[test]
fn webhooks_are_signed() {
    let mock = "routes:
  a:
    webhooks:
      url: 'http://shop:8080/hooks/{{ count }}'
      delay: 1s
      json: { paid: true }
      sign: { header: X-Signature, secret: key, prefix: sha256= }";
    let serving = serving(mock);
    let reply = serving.reply(&Request::read("GET /"));
    let [outbound] = reply.webhooks.as_slice() else { panic!("one") };
    assert_eq!((outbound.url.as_str(), outbound.delay.as_secs()), ("http://shop:8080/hooks/1", 1));
    assert_eq!(outbound.body, "{\"paid\":true}");
    // printf '{"paid":true}' | openssl dgst -sha256 -hmac key
    assert_eq!(
        outbound.headers["x-signature"],
        "sha256=34252e43d1de4f3426c0fc0aaf6b16a31f4268a04b33dc4ea5a62d2c0f6ec75a"
    );
}

#[test]
fn what_cannot_be_is_told_with_its_place() {
    let cases = [
        ("hosts: [a b]", "x:3:13: `a b` is no host name"),
        ("routes: { a: {} }\nports: {}", "x:4:12: there is no port in it"),
        (
            "routes: { a: {} }\nports: { http: [80, 80] }",
            "x:4:25: port 80 cannot be used, or is there twice",
        ),
        (
            "routes: { a: { match: { method: PSOT } } }",
            "x:3:37: there is no method `PSOT`; did you mean `POST`?",
        ),
        ("routes: { a: { match: { path: a } } }", "x:3:35: `a` is no path: it begins with a slash"),
        (
            "routes: { a: { match: { path: '/{a' } } }",
            "x:3:35: `{a` is no part of a path: `{name}` stands for a whole part",
        ),
        (
            "routes: { a: { match: { path: { regex: '(' } } } }",
            "x:3:44: `(` is no pattern: unclosed group",
        ),
        (
            "routes: { a: { match: { body: { json-path: { '$.[': x } } } } }",
            "x:3:50: `$.[` is no JSONPath: ",
        ),
        ("routes: { a: { answer: { status: 99 } } }", "x:3:38: 99 is no status of an answer"),
        (
            "routes: { a: { answer: { text: a, json: b } } }",
            "x:3:28: there is one body: `text`, `json`, `base64`, `file`, `chunks` or `events`",
        ),
        ("routes: { a: { answer: { base64: '???' } } }", "x:3:38: this is no base64: "),
        (
            "routes: { a: { answer: { file: none } } }",
            "x:3:36: `none` cannot be read: entity not found",
        ),
        (
            "routes: { a: { needs-token: true } }",
            "x:3:15: it needs a token, and there is no `tokens` to give one",
        ),
        (
            "routes: { a: {} }\ntroubles: { t: { do: { status: 500 }, route: b } }",
            "x:4:50: there is no route `b`",
        ),
        (
            "tcp: { b: { port: 1, script: [close] } }\ntroubles: { t: { do: { status: 500 }, route: b } }",
            "x:4:50: `b` is a script over TCP: this cannot go wrong there",
        ),
        (
            "udp: { b: { port: 1, script: [{ expect: a }] } }\ntroubles: { t: { do: { reset: before } } }",
            "x:4:26: this cannot go wrong in anything that the service speaks",
        ),
        (
            "routes: { a: {} }\nexpect: { e: { never: true, exactly: 1 } }",
            "x:4:18: one of `at-least` and `at-most`, `exactly`, `never` or `in-order` belongs here",
        ),
        ("about: x", "x:3:5: unknown key `about`"),
        ("hosts: a", "x:3:5: it answers nothing: `routes`, `resources` or `tokens` are missing"),
    ];
    let found = cases.map(|(mock, expected)| (wrong(mock), expected));
    let others: Vec<_> =
        found.iter().filter(|(found, expected)| !found.starts_with(expected)).collect();
    assert!(others.is_empty(), "{others:#?}");
}
