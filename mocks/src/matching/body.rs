//! What a body must be.

use serde_json::Value;
use serde_json_path::JsonPath;

use super::{
    Captures,
    json::{self, Extent},
    text::Text,
};
use crate::request::{Request, values};

/// Something that a body must be.
#[derive(Clone, Debug)]
pub enum Body {
    /// A text.
    Text(Text),
    /// A value of JSON.
    Json(Value, Extent),
    /// A value of JSON with this at a path.
    At(Box<JsonPath>, String, Text),
    /// A form with this field.
    Field(String, Text),
}

impl Body {
    /// Whether it is so.
    pub fn holds(&self, request: &Request) -> bool {
        match self {
            Self::Text(text) => text.holds([request.text()]),
            Self::Json(wanted, extent) => {
                request.json().is_ok_and(|found| json::difference(wanted, found, *extent).is_none())
            }
            Self::At(path, _, text) => {
                let found = found_at(path, request);
                text.holds(found.iter().map(String::as_str))
            }
            Self::Field(name, text) => text.holds(values(request.form(), name)),
        }
    }

    /// Adds what it gives names to.
    pub fn capture(&self, request: &Request, captures: &mut Captures) {
        match self {
            Self::Text(text) => text.capture(request.text(), captures),
            Self::Json(..) => {}
            Self::At(path, _, text) => {
                found_at(path, request).iter().for_each(|found| text.capture(found, captures));
            }
            Self::Field(name, text) => {
                values(request.form(), name).for_each(|found| text.capture(found, captures));
            }
        }
    }

    /// Why it is not so.
    pub fn explain(&self, request: &Request) -> String {
        match self {
            Self::Text(text) => format!("body {}", text.explain([request.text()])),
            Self::Json(wanted, extent) => match request.json() {
                Ok(found) => match json::difference(wanted, found, *extent) {
                    Some((place, how)) => format!("body{place} {how}"),
                    None => "body is as it should be".into(),
                },
                Err(why) => format!("body is no JSON: {why}"),
            },
            Self::At(path, written, text) => match request.json() {
                Ok(_) => {
                    let found = found_at(path, request);
                    let place = written.strip_prefix('$').unwrap_or(written);
                    format!("body{place} {}", text.explain(found.iter().map(String::as_str)))
                }
                Err(why) => format!("body is no JSON: {why}"),
            },
            Self::Field(name, text) => {
                format!("form.{name} {}", text.explain(values(request.form(), name)))
            }
        }
    }
}

/// The values at a path of the body, as text.
fn found_at(path: &JsonPath, request: &Request) -> Vec<String> {
    let Ok(value) = request.json() else { return Vec::new() };
    path.query(value).iter().map(|value| json::text(value)).collect()
}
