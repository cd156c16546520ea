//! What a value of JSON must be.

use serde_json::Value;

/// How much of a value is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Extent {
    /// All of it: nothing more may be there.
    Whole,
    /// What is wanted, and whatever else there is.
    Part,
}

/// The first place where a value is not as it is wanted: where, and how.
pub fn difference(wanted: &Value, found: &Value, extent: Extent) -> Option<(String, String)> {
    let mut place = String::new();
    let how = differs(wanted, found, extent, &mut place)?;
    Some((place, how))
}

fn differs(wanted: &Value, found: &Value, extent: Extent, place: &mut String) -> Option<String> {
    let len = place.len();
    let how = match (wanted, found) {
        (Value::Object(wanted), Value::Object(found)) => {
            for (name, value) in wanted {
                place.push('.');
                place.push_str(name);
                let how = match found.get(name) {
                    Some(found) => differs(value, found, extent, place),
                    None => Some("is missing".into()),
                };
                if how.is_some() {
                    return how;
                }
                place.truncate(len);
            }
            let more =
                found.keys().find(|name| extent == Extent::Whole && !wanted.contains_key(*name));
            more.map(|name| {
                place.push('.');
                place.push_str(name);
                "is more than there should be".to_owned()
            })
        }
        (Value::Array(wanted), Value::Array(found)) => list_differs(wanted, found, extent, place),
        (wanted, found) if same(wanted, found) => None,
        (wanted, found) => Some(format!("differs: {}, not {}", short(found), short(wanted))),
    };
    if how.is_none() {
        place.truncate(len);
    }
    how
}

/// Of a part, the elements must be there in their order, others between them or not.
fn list_differs(
    wanted: &[Value],
    found: &[Value],
    extent: Extent,
    place: &mut String,
) -> Option<String> {
    if extent == Extent::Part {
        let mut left = found.iter();
        let missing = wanted.iter().position(|wanted| {
            !left.any(|found| differs(wanted, found, extent, &mut String::new()).is_none())
        })?;
        return Some(format!("has no {} where it should", short(&wanted[missing])));
    }
    if wanted.len() != found.len() {
        return Some(format!("has {} elements, not {}", found.len(), wanted.len()));
    }
    let len = place.len();
    for (index, (wanted, found)) in wanted.iter().zip(found).enumerate() {
        place.push_str(&format!("[{index}]"));
        let how = differs(wanted, found, extent, place);
        if how.is_some() {
            return how;
        }
        place.truncate(len);
    }
    None
}

/// Numbers are the same if they are as much.
fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Number(a), Value::Number(b)) => a == b || a.as_f64() == b.as_f64(),
        _ => a == b,
    }
}

/// Most characters of a value that an explanation shows.
const SHOWN_MAX: usize = 80;

fn short(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(SHOWN_MAX) {
        Some((end, _)) => format!("{}...", &text[..end]),
        None => text,
    }
}

/// A value as text: what a string holds, and anything else as JSON.
pub fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        value => value.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn the_first_difference_is_told_with_its_place() {
        let whole = Extent::Whole;
        let part = Extent::Part;
        let cases = [
            (whole, json!({ "a": 1 }), json!({ "a": 1.0 }), None),
            (whole, json!({ "a": 1 }), json!({ "a": 2 }), Some((".a", "differs: 2, not 1"))),
            (
                whole,
                json!({ "a": 1 }),
                json!({ "a": 1, "b": 2 }),
                Some((".b", "is more than there should be")),
            ),
            (part, json!({ "a": 1 }), json!({ "a": 1, "b": 2 }), None),
            (part, json!({ "a": { "b": [1] } }), json!({ "a": { "b": [0, 1] } }), None),
            (part, json!([1, 2]), json!([2, 1]), Some(("", "has no 2 where it should"))),
            (
                whole,
                json!({ "a": [{ "b": "x" }] }),
                json!({ "a": [{ "b": "y" }] }),
                Some((".a[0].b", "differs: \"y\", not \"x\"")),
            ),
            (whole, json!([1]), json!([1, 2]), Some(("", "has 2 elements, not 1"))),
            (whole, json!({ "a": null }), json!({}), Some((".a", "is missing"))),
            (whole, json!("1"), json!(1), Some(("", "differs: 1, not \"1\""))),
        ];
        for (extent, wanted, found, expected) in cases {
            let found = difference(&wanted, &found, extent);
            let found = found.as_ref().map(|(place, how)| (place.as_str(), how.as_str()));
            assert_eq!(found, expected, "{wanted}");
        }
    }
}
