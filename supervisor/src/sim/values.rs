//! Values that only simulation files have.

use std::{borrow::Cow, fmt};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{
    Deserialize, Deserializer,
    de::{self, SeqAccess, Visitor},
};
use simrun_config::units::{Time, Unit};

use super::{draw::Draw, words};

/// Most machines of one name, and of all workloads or all nodes.
pub const MACHINES_MAX: u32 = 250;

/// A command and its arguments.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Command(pub Vec<String>);

impl<'de> Deserialize<'de> for Command {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Reader;

        impl<'de> Visitor<'de> for Reader {
            type Value = Command;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a command: a text, or a list of its words")
            }

            fn visit_str<E: de::Error>(self, text: &str) -> Result<Command, E> {
                words::split(text).map(Command).map_err(E::custom)
            }

            fn visit_seq<A: SeqAccess<'de>>(self, mut words: A) -> Result<Command, A::Error> {
                let mut all = Vec::new();
                while let Some(word) = words.next_element()? {
                    all.push(word);
                }
                if all.is_empty() {
                    return Err(de::Error::custom("the command is empty"));
                }
                Ok(Command(all))
            }
        }

        deserializer.deserialize_any(Reader)
    }
}

impl JsonSchema for Command {
    fn schema_name() -> Cow<'static, str> {
        "Command".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A command: a text, or a list of its words",
            "anyOf": [
                { "type": "string", "minLength": 1 },
                { "type": "array", "items": { "type": ["string", "number"] }, "minItems": 1 },
            ],
        })
    }
}

/// How many, or a range from which one is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// At least.
    pub least: u32,
    /// At most.
    pub most: u32,
}

impl Count {
    /// How many there are in a run.
    pub fn draw(self, draw: Draw, name: &str) -> u32 {
        let drawn = draw.between(&format!("count of {name}"), self.least.into(), self.most.into());
        drawn as u32
    }
}

/// Takes `A..B`, or `A` as both, apart.
fn ends(text: &str) -> (&str, &str) {
    text.split_once("..").unwrap_or((text, text))
}

impl<'de> Deserialize<'de> for Count {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (least, most) = ends(&text);
        let number = |text: &str| text.trim().parse().ok();
        let count = number(least).zip(number(most)).map(|(least, most)| Self { least, most });
        let wrong = |words: String| Err(de::Error::custom(words));
        match count {
            None => wrong(format!("`{text}` is neither a number nor a range as in 2..5")),
            Some(Self { least, most }) if least > most => {
                wrong(format!("the range from {least} to {most} is empty"))
            }
            Some(Self { least: 0, .. }) => wrong("there is at least one".into()),
            Some(Self { most, .. }) if most > MACHINES_MAX => {
                wrong(format!("there are at most {MACHINES_MAX}"))
            }
            Some(count) => Ok(count),
        }
    }
}

impl JsonSchema for Count {
    fn schema_name() -> Cow<'static, str> {
        "Count".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A number, or a range, as in `2..5`",
            "anyOf": [
                { "type": "integer", "minimum": 1, "maximum": MACHINES_MAX },
                { "type": "string", "pattern": r"^[0-9]+(\.\.[0-9]+)?$" },
            ],
        })
    }
}

/// How far a clock is off, in nanoseconds, or a range from which that is drawn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Offset {
    least_ns: i64,
    most_ns: i64,
}

impl Offset {
    /// How far it is off in a run.
    pub fn draw(self, draw: Draw, name: &str) -> i64 {
        let width = self.most_ns.abs_diff(self.least_ns);
        let more = draw.between(&format!("clock of {name}"), 0, width);
        self.least_ns.saturating_add_unsigned(more)
    }
}

fn signed(text: &str) -> Result<i64, String> {
    let text = text.trim();
    let (is_behind, size) = match text.strip_prefix('-') {
        Some(size) => (true, size),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    let size = Time::parse(size)?.number();
    let size = i64::try_from(size).map_err(|_| format!("`{text}` is more than there can be"))?;
    Ok(if is_behind { -size } else { size })
}

impl<'de> Deserialize<'de> for Offset {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let (least, most) = ends(&text);
        let least_ns = signed(least).map_err(de::Error::custom)?;
        let most_ns = signed(most).map_err(de::Error::custom)?;
        if least_ns > most_ns {
            return Err(de::Error::custom(format!("the range from {least} to {most} is empty")));
        }
        Ok(Self { least_ns, most_ns })
    }
}

impl JsonSchema for Offset {
    fn schema_name() -> Cow<'static, str> {
        "Offset".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "string",
            "description": "A duration, ahead or behind, or a range of such, as in `-2s` or `-2s..500ms`",
            "examples": ["-2s", "-2s..2s"],
        })
    }
}
