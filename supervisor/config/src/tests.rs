//! The machinery, with types that no file has.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{Named, OneOrMany, Spanned, parse};

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct Example {
    name: String,
    #[serde(default)]
    is_on: bool,
    ratio: Option<f64>,
    #[serde(default)]
    parts: OneOrMany<Spanned<u16>>,
    kind: Option<Kind>,
    more: Option<Named<i8>>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
enum Kind {
    Plain,
    With { value: u8 },
    Pair(u8, u8),
}

fn read(text: &str) -> Result<Example, String> {
    parse("x", text).map_err(|problem| problem.to_string())
}

#[test]
fn values_come_with_their_places() {
    let example = read(
        "name: a\nis-on: true\nratio: 1.5\nparts: [1, 0x10]\nkind: { with: { value: 7 } }\nmore: { b: -1, a: 2 }",
    )
    .expect("it is right");
    assert_eq!((example.name.as_str(), example.is_on, example.ratio), ("a", true, Some(1.5)));
    let parts: Vec<_> =
        example.parts.iter().map(|part| (part.value, part.at.line, part.at.column)).collect();
    assert_eq!(parts, [(1, 4, 9), (16, 4, 12)]);
    assert_eq!(example.kind, Some(Kind::With { value: 7 }));
    let more: Vec<_> =
        example.more.expect("it is there").0.into_iter().map(|(name, n)| (name.value, n)).collect();
    assert_eq!(more, [("b".into(), -1), ("a".into(), 2)], "in the order of the file");
    assert_eq!(read("name: a\nkind: plain").expect("it is right").kind, Some(Kind::Plain));
    assert_eq!(
        read("name: a\nkind: { pair: [1, 2] }").expect("right").kind,
        Some(Kind::Pair(1, 2))
    );
    assert_eq!(read("name: a\nparts: 5").expect("it is right").parts.len(), 1);
    assert_eq!(read("name: 5").expect("it is right").name, "5", "a word may look like a number");
}

#[test]
fn what_is_wrong_is_told_where_it_is() {
    let cases = [
        ("name: a\nis-no: true", "x:2:1: unknown key `is-no`; did you mean `is-on`?"),
        ("name: a\nis-on: yes", "x:2:8: `yes` is neither `true` nor `false`"),
        ("name: a\nratio: .nan", "x:2:8: `.nan` is no number"),
        ("name: a\nratio:", "x:2:6: a value is missing"),
        ("name: [a]", "x:1:7: a list is no word"),
        ("name: a\nparts: [1, 70000]", "x:2:12: `70000` is out of range here"),
        ("name: a\nkind: { plain: 1 }", "x:2:16: `plain` takes no value"),
        ("name: a\nkind: with", "x:2:7: `with` needs a value"),
        (
            "name: a\nkind: { with: { valeu: 1 } }",
            "x:2:17: unknown key `valeu`; did you mean `value`?",
        ),
        ("name: a\nkind: plane", "x:2:7: unknown word `plane`; did you mean `plain`?"),
        ("name: a\nmore: { a: 1, a: 2 }", "x:2:15: `a` is there twice: first in line 2"),
        ("{ }", "x:1:1: `name` is missing"),
    ];
    for (text, words) in cases {
        assert_eq!(read(text).expect_err("it is wrong"), words, "{text}");
    }
}

#[test]
fn nothing_lies_too_deep_for_the_stack() {
    let deep = format!("name: {}", "[".repeat(100_000));
    assert!(read(&deep).is_err());
}
