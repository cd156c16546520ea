//! Requests against what routes are for, as tables.

use super::{Matcher, compile};
use crate::{file::Match, request::Request};

fn matcher(yaml: &str) -> Matcher {
    let wanted: Match =
        simrun_config::parse("x", yaml).unwrap_or_else(|problem| panic!("{yaml}: {problem}"));
    compile(&wanted).unwrap_or_else(|wrong| panic!("{yaml}: {wrong}"))
}

/// Nothing if a request takes the route, or what keeps it from it.
#[track_caller]
fn check(yaml: &str, request: &str, expected: Option<&str>) {
    let request = Request::read(request);
    let matcher = matcher(yaml);
    let misses: Vec<String> = matcher.misses(&request).into_iter().map(|miss| miss.words).collect();
    assert_eq!(matcher.matches(&request), misses.is_empty(), "{yaml}");
    let found = (!misses.is_empty()).then(|| misses.join(", "));
    assert_eq!(found.as_deref(), expected, "{yaml}");
}

#[test]
fn every_part_of_a_request_can_decide() {
    let cases = [
        ("method: post", "POST /", None),
        ("method: [GET, POST]", "PUT /", Some("method differs: PUT, not GET or POST")),
        ("scheme: https", "GET /", Some("scheme differs: http, not https")),
        ("host: a.test", "GET /\nHost: A.test:8080", None),
        (
            "host: { glob: '*.test' }",
            "GET /\nHost: a.example",
            Some("host differs: \"a.example\", not like *.test"),
        ),
        ("path: '/a/{id}'", "GET /a/1?b=c", None),
        ("path: { glob: /a/* }", "GET /a/b/c", Some("path differs: \"/a/b/c\", not like /a/*")),
        ("path: { glob: /a/** }", "GET /a/b/c", None),
        ("path: { regex: '^/a/[0-9]+$' }", "GET /a/12", None),
        ("path: { starts-with: /a, ends-with: z }", "GET /abz", None),
        ("query: { a: b }", "GET /?x=y&a=b", None),
        ("query: { a: b }", "GET /?a=c&a=b", None),
        ("query: { a: b }", "GET /?a=c", Some("query.a differs: \"c\", not \"b\"")),
        ("query: { a: 'x y' }", "GET /?a=x+y", None),
        ("query: { a: b }", "GET /", Some("query.a is missing: not \"b\"")),
        ("query: { a: { absent: true } }", "GET /?a=c", Some("query.a is there: \"c\"")),
        (
            "query: { page: { at-least: 2, at-most: 9 } }",
            "GET /?page=10",
            Some("query.page differs: \"10\", not at most 9"),
        ),
        ("headers: { X-Key: abc }", "GET /\nx-key: abc", None),
        (
            "headers: { authorization: { regex: '^Bearer ' } }",
            "GET /\nAuthorization: Basic x",
            Some("headers.authorization differs: \"Basic x\", not like ^Bearer "),
        ),
        ("headers: { x-key: { is: ABC, ignore-case: true } }", "GET /\nx-key: abc", None),
        ("headers: { x-key: { is: [a, b] } }", "GET /\nx-key: b", None),
        (
            "headers: { x-key: { is-not: [a, b] } }",
            "GET /\nx-key: b",
            Some("headers.x-key differs: \"b\", anything but \"b\""),
        ),
        ("cookies: { session: s1 }", "GET /\ncookie: a=b; session=s1", None),
        (
            "cookies: { session: s1 }",
            "GET /\ncookie: a=b",
            Some("cookies.session is missing: not \"s1\""),
        ),
        ("body: hello", "POST /\n\nhello", None),
        ("body: { text: { contains: [ell, h] } }", "POST /\n\nhello", None),
        (
            "body: { text: { regex-not: ell } }",
            "POST /\n\nhello",
            Some("body differs: \"hello\", anything but like ell"),
        ),
        ("body: { json: { a: 1 } }", "POST /\n\n{\"a\": 1.0}", None),
        (
            "body: { json: { amount: 7 } }",
            "POST /\n\n{\"amount\": 5}",
            Some("body.amount differs: 5, not 7"),
        ),
        ("body: { json-has: { a: { b: 1 } } }", "POST /\n\n{\"a\": {\"b\": 1, \"c\": 2}}", None),
        (
            "body: { json: {} }",
            "POST /\n\nhello",
            Some("body is no JSON: expected value at line 1 column 1"),
        ),
        (
            "body: { json-path: { '$.items[?@.price > 10].name': big } }",
            "POST /\n\n{\"items\": [{\"name\": \"small\", \"price\": 1}, {\"name\": \"big\", \"price\": 11}]}",
            None,
        ),
        (
            "body: { json-path: { $.a.b: { at-least: 5 } } }",
            "POST /\n\n{\"a\": {\"b\": 4}}",
            Some("body.a.b differs: \"4\", not at least 5"),
        ),
        (
            "body: { json-path: { $.a: { absent: true } } }",
            "POST /\n\n{\"a\": 4}",
            Some("body.a is there: \"4\""),
        ),
        (
            "body: { form: { amount: '500', note: { contains: a b } } }",
            "POST /\n\namount=500&note=x+a%20b",
            None,
        ),
        (
            "body: { form: { amount: '500' } }",
            "POST /\n\namount=7",
            Some("form.amount differs: \"7\", not \"500\""),
        ),
    ];
    for (yaml, request, expected) in cases {
        check(yaml, request, expected);
    }
}

#[test]
fn parts_get_names() {
    let matcher = matcher("{ path: '/a/{id}', query: { q: { regex: '(?<first>.)(?<rest>.*)' } } }");
    let captures = matcher.captures(&Request::read("GET /a/7?q=xyz"));
    let pairs: Vec<_> =
        captures.0.iter().map(|(name, text)| (name.as_str(), text.as_str())).collect();
    assert_eq!(pairs, [("id", "7"), ("first", "x"), ("rest", "yz")]);
}

/// Whether requests take routes.
#[track_caller]
fn check_all(cases: &[(&str, &str, bool)]) {
    for (yaml, request, expected) in cases {
        let read = Request::read(request);
        assert_eq!(matcher(yaml).matches(&read), *expected, "{yaml}\n{request}");
    }
}

/// The examples of WireMock's page on request matching (wiremock.org/docs/request-matching), in our words.
#[test]
fn what_wiremock_documents_can_be_said() {
    let cases = [
        // urlEqualTo, urlMatching, urlPathEqualTo, urlPathMatching, urlPathTemplate
        ("{ path: /your/url, query: { and: query } }", "GET /your/url?and=query", true),
        ("path: { regex: '^/your/([a-z]*)$' }", "GET /your/url", true),
        ("path: { regex: '^/your/([a-z]*)$' }", "GET /your/1", false),
        ("path: /your/url", "GET /your/url?any=thing", true),
        (
            "path: '/contacts/{contactId}/addresses/{addressId}'",
            "GET /contacts/12345/addresses/99876",
            true,
        ),
        (
            "path: '/contacts/{contactId}/addresses/{addressId}'",
            "GET /contacts/12345/addresses",
            false,
        ),
        // equalTo, case-insensitive, contains, matches, doesNotMatch, absent
        (
            "headers: { Content-Type: application/json }",
            "GET /\ncontent-type: application/json",
            true,
        ),
        (
            "headers: { Content-Type: { is: application/JSON, ignore-case: true } }",
            "GET /\ncontent-type: Application/json",
            true,
        ),
        (
            "cookies: { my_cookie: { contains: [mycook] } }",
            "GET /\ncookie: my_cookie=xmycookx",
            true,
        ),
        (
            "query: { search_term: { contains: [WireMock] } }",
            "GET /?search_term=About+WireMock",
            true,
        ),
        (
            "query: { search_term: { regex: '^(.*)WireMock([A-Za-z]+)$' } }",
            "GET /?search_term=aWireMockx",
            true,
        ),
        (
            "query: { search_term: { regex-not: '^(.*)wiremock([A-Za-z]+)$' } }",
            "GET /?search_term=WireMock",
            true,
        ),
        ("headers: { X-Absent: { absent: true } }", "GET /", true),
        ("headers: { X-Absent: { absent: true } }", "GET /\nx-absent: 1", false),
        // multiple values: one of them
        ("query: { id: { is: ['1', '2'] } }", "GET /?id=3&id=2", true),
    ];
    check_all(&cases);
}

/// The same of bodies.
#[test]
fn what_wiremock_documents_of_bodies_can_be_said() {
    let cases = [
        // equalToJson, with ignoreExtraElements
        ("body: { json: { total_results: 4 } }", "POST /\n\n{ \"total_results\": 4 }", true),
        (
            "body: { json: { total_results: 4 } }",
            "POST /\n\n{ \"total_results\": 4, \"more\": 1 }",
            false,
        ),
        (
            "body: { json-has: { total_results: 4 } }",
            "POST /\n\n{ \"total_results\": 4, \"more\": 1 }",
            true,
        ),
        // matchesJsonPath: presence, filters, and with nested matchers
        (
            "body: { json-path: { $.name: { regex: '' } } }",
            "POST /\n\n{ \"name\": \"Wiremock\" }",
            true,
        ),
        ("body: { json-path: { $.name: { regex: '' } } }", "POST /\n\n{ \"price\": 15 }", false),
        (
            "body: { json-path: { '$.things[?@.name == \"RequiredThing\"]': { regex: '' } } }",
            "POST /\n\n{ \"things\": [ { \"name\": \"RequiredThing\" }, { \"name\": \"Wiremock\" } ] }",
            true,
        ),
        (
            "body: { json-path: { '$.things[?@.name == \"RequiredThing\"]': { regex: '' } } }",
            "POST /\n\n{ \"price\": 15 }",
            false,
        ),
        (
            "body: { json-path: { '$..todoItem': { contains: [wash] } } }",
            "POST /\n\n{ \"a\": { \"todoItem\": \"wash the dog\" } }",
            true,
        ),
        (
            "body: { json-path: { '$..todoItem': { contains: [wash] } } }",
            "POST /\n\n{ \"a\": { \"todoItem\": \"feed the cat\" } }",
            false,
        ),
        // form parameters
        ("body: { form: { tool: WireMock } }", "POST /\n\ntool=WireMock&x=y", true),
        // basic authentication is a header
        (
            "headers: { Authorization: Basic dXNlcm5hbWU6cGFzc3dvcmQ= }",
            "GET /\nauthorization: Basic dXNlcm5hbWU6cGFzc3dvcmQ=",
            true,
        ),
        // and, or
        ("query: { q: { starts-with: a, ends-with: z } }", "GET /?q=abcz", true),
        ("query: { q: { regex: '^a|z$' } }", "GET /?q=bz", true),
    ];
    check_all(&cases);
}

/// The matchers of Hoverfly's documentation (docs.hoverfly.io, "Request matchers"), in our words.
#[test]
fn what_hoverfly_documents_can_be_said() {
    let cases = [
        // exact, negation, glob, regex
        ("host: docs.hoverfly.io", "GET /\nhost: docs.hoverfly.io", true),
        ("host: { is-not: docs.hoverfly.io }", "GET /\nhost: docs.hoverfly.io", false),
        ("host: { glob: '*.hoverfly.io' }", "GET /\nhost: docs.hoverfly.io", true),
        ("host: { glob: 'h*verfly.*' }", "GET /\nhost: hooverfly.com", true),
        ("host: { regex: '(\\Ad)' }", "GET /\nhost: docs.hoverfly.io", true),
        ("host: { regex: '(.*).(.*).(io|com|biz)' }", "GET /\nhost: buy.stuff.biz", true),
        // JSON, JSON partial, JSONPath
        (
            "body: { json: { objects: [{ name: Object 1, set: true }] } }",
            "POST /\n\n{\"objects\": [ { \"set\": true, \"name\": \"Object 1\" } ]}",
            true,
        ),
        (
            "body: { json: { objects: [{ name: Object 1, set: true }] } }",
            "POST /\n\n{\"objects\": []}",
            false,
        ),
        (
            "body: { json-has: { objects: [{ name: Object 1 }, { name: Object 2 }] } }",
            "POST /\n\n{\"objects\": [ { \"name\": \"Object 1\", \"set\": true }, { \"name\": \"Object 2\", \"set\": false }, { \"name\": \"Object 3\" } ]}",
            true,
        ),
        (
            "body: { json-has: { objects: [{ name: Object 4 }] } }",
            "POST /\n\n{\"objects\": [ { \"name\": \"Object 1\", \"set\": true } ]}",
            false,
        ),
        (
            "body: { json-path: { '$.objects': { regex: '' } } }",
            "POST /\n\n{\"objects\": [ { \"name\": \"Object 1\", \"set\": true } ]}",
            true,
        ),
        (
            "body: { json-path: { '$.objects[?@.set == true]': { regex: '' } } }",
            "POST /\n\n{\"objects\": [ { \"name\": \"Object 1\", \"set\": false } ]}",
            false,
        ),
        // form
        (
            "body: { form: { grant_type: authorization_code } }",
            "POST /\n\ngrant_type=authorization_code&x=1",
            true,
        ),
        // array: of several values one must be so
        ("query: { q: { is: [test1, test2] } }", "GET /?q=test0&q=test2", true),
    ];
    check_all(&cases);
}
