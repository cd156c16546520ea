//! Any value, with the types that JSON has: what is plain and looks like a number is one, what is in quotes is text.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer, Serialize,
    de::{
        self, Visitor,
        value::{MapDeserializer, SeqDeserializer},
    },
    forward_to_deserialize_any,
};

use super::{
    node::{Node, Style, Value},
    problem::Wrong,
};

/// A name by which [`super::read`] knows that types are wanted.
pub(super) const JSON: &str = "$simrun::Json";

/// Any value.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Json(pub serde_json::Value);

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Json;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("any value")
            }

            fn visit_newtype_struct<D: Deserializer<'de>>(
                self,
                deserializer: D,
            ) -> Result<Self::Value, D::Error> {
                serde_json::Value::deserialize(deserializer).map(Json)
            }
        }

        deserializer.deserialize_newtype_struct(JSON, Reader)
    }
}

impl JsonSchema for Json {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        "Json".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

/// A value whose scalars have the types that they look like (YAML 1.2, core schema, without octal and hexadecimal numbers).
pub(super) struct Typed<'a>(pub &'a Node);

impl<'de> Deserializer<'de> for Typed<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let result = match &self.0.value {
            Value::Null => visitor.visit_unit(),
            Value::Scalar(text, Style::Quoted) => visitor.visit_str(text),
            Value::Scalar(text, Style::Plain) => scalar(text, visitor),
            Value::List(nodes) => visitor.visit_seq(SeqDeserializer::new(nodes.iter().map(Typed))),
            Value::Map(entries) => visitor.visit_map(MapDeserializer::new(
                entries.iter().map(|(key, value)| (key.text.as_str(), Typed(value))),
            )),
        };
        result.map_err(|wrong: Wrong| wrong.or_at(self.0.at))
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl de::IntoDeserializer<'_, Wrong> for Typed<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn scalar<'de, V: Visitor<'de>>(text: &str, visitor: V) -> Result<V::Value, Wrong> {
    // Words such as `inf`, which Rust would take for a number, are text.
    let is_number = text.starts_with(|c: char| c.is_ascii_digit() || "+-.".contains(c))
        && text.ends_with(|c: char| c.is_ascii_digit() || c == '.');
    match text {
        "true" => visitor.visit_bool(true),
        "false" => visitor.visit_bool(false),
        _ if !is_number => visitor.visit_str(text),
        _ => match (text.parse(), text.parse(), text.parse::<f64>()) {
            (Ok(number), ..) => visitor.visit_u64(number),
            (_, Ok(number), _) => visitor.visit_i64(number),
            (.., Ok(number)) if number.is_finite() => visitor.visit_f64(number),
            _ => visitor.visit_str(text),
        },
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::super::parse;
    use super::*;

    #[test]
    fn scalars_have_the_types_that_they_look_like() {
        let text = "[1, -2, 1.5, 1e3, true, null, '1', \"true\", yes, inf, .nan, 2030-01-01, 1.2.3, -x, {a: [b, {}]}, '']";
        let Json(value) = parse("x", text).expect("it is YAML");
        assert_eq!(
            value,
            json!([
                1, -2, 1.5, 1000.0, true, null, "1", "true", "yes", "inf", ".nan", "2030-01-01", "1.2.3", "-x",
                { "a": ["b", {}] }, ""
            ])
        );
    }

    #[test]
    fn a_key_that_is_there_twice_is_told() {
        let wrong = parse::<Json>("x", "a: 1\na: 2").expect_err("a key is there twice");
        assert_eq!(wrong.to_string(), "x:2:1: `a` is there twice: first in line 1");
    }
}
