//! From the values of a file into types.

use serde::{
    Deserializer,
    de::{
        self, DeserializeOwned, DeserializeSeed, EnumAccess, IntoDeserializer, MapAccess,
        SeqAccess, VariantAccess, Visitor, value::SeqDeserializer,
    },
    forward_to_deserialize_any,
};

use super::{
    json::{JSON, Typed},
    node::{Key, Node, Style, Value},
    problem::{Position, Problem, Wrong},
    spanned::{ONE_OR_MANY, SPANNED, VALUE_OR_MAP},
    spelling,
};

/// Reads a text into a type. `file` is what messages call it.
///
/// # Errors
/// The first thing that is wrong.
pub fn parse<T: DeserializeOwned>(file: &str, text: &str) -> Result<T, Problem> {
    let read = || T::deserialize(&Node::parse(text)?);
    read().map_err(|wrong| wrong.of(file))
}

impl Node {
    /// It is not what is wanted.
    fn is_no(&self, wanted: &str) -> Wrong {
        Wrong::new(self.at, format!("{} is no {wanted}", self.describe()))
    }

    fn number<T: TryFrom<i128>>(&self) -> Result<T, Wrong> {
        let wrong = || self.is_no("whole number");
        let Value::Scalar(text, _) = &self.value else { return Err(wrong()) };
        let parsed = match text.strip_prefix("0x") {
            Some(digits) => i128::from_str_radix(digits, 16),
            None => text.parse(),
        };
        let number = parsed.map_err(|_| wrong())?;
        T::try_from(number)
            .map_err(|_| Wrong::new(self.at, format!("`{text}` is out of range here")))
    }

    fn entries(&self, wanted: &str) -> Result<&[(Key, Node)], Wrong> {
        match &self.value {
            Value::Map(entries) => Ok(entries),
            _ => Err(self.is_no(wanted)),
        }
    }
}

/// Numbers of each type, by way of one that has room for all.
macro_rules! numbers {
    ($($method:ident $visit:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
            visitor.$visit(self.number()?).map_err(|wrong: Wrong| wrong.or_at(self.at))
        })*
    };
}

impl<'de> Deserializer<'de> for &Node {
    type Error = Wrong;

    numbers! {
        deserialize_u8 visit_u8 deserialize_u16 visit_u16 deserialize_u32 visit_u32 deserialize_u64 visit_u64
        deserialize_i8 visit_i8 deserialize_i16 visit_i16 deserialize_i32 visit_i32 deserialize_i64 visit_i64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Null => visitor.visit_unit(),
            Value::Scalar(text, _) => visitor.visit_str(text),
            Value::List(nodes) => visitor.visit_seq(SeqDeserializer::new(nodes.iter())),
            Value::Map(entries) => visitor.visit_map(Entries::new(entries)),
        }
        .map_err(|wrong: Wrong| wrong.or_at(self.at))
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Scalar(text, _) if text == "true" => visitor.visit_bool(true),
            Value::Scalar(text, _) if text == "false" => visitor.visit_bool(false),
            _ => Err(Wrong::new(
                self.at,
                format!("{} is neither `true` nor `false`", self.describe()),
            )),
        }
    }

    fn deserialize_f64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let number = match &self.value {
            Value::Scalar(text, _) => text.parse().ok().filter(|number: &f64| number.is_finite()),
            _ => None,
        };
        visitor.visit_f64(number.ok_or_else(|| self.is_no("number"))?)
    }

    fn deserialize_f32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_f64(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::Scalar(text, _) => {
                visitor.visit_str(text).map_err(|wrong: Wrong| wrong.or_at(self.at))
            }
            _ => Err(self.is_no("word")),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.deserialize_str(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match self.value {
            Value::Null => Err(Wrong::new(self.at, "a value is missing")),
            _ => visitor.visit_some(self),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let result = match (name, &self.value) {
            (SPANNED, _) => visitor.visit_seq(Place { at: self.at, left: PLACE_PARTS, node: self }),
            (ONE_OR_MANY, Value::List(nodes)) => {
                visitor.visit_seq(SeqDeserializer::new(nodes.iter()))
            }
            (ONE_OR_MANY, _) => visitor.visit_seq(SeqDeserializer::new(std::iter::once(self))),
            (JSON, _) => visitor.visit_newtype_struct(Typed(self)),
            (VALUE_OR_MAP, Value::Scalar(text, _)) => visitor.visit_str(text),
            _ => visitor.visit_newtype_struct(self),
        };
        result.map_err(|wrong| wrong.or_at(self.at))
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        match &self.value {
            Value::List(nodes) => visitor
                .visit_seq(SeqDeserializer::new(nodes.iter()))
                .map_err(|wrong: Wrong| wrong.or_at(self.at)),
            _ => Err(self.is_no("list")),
        }
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        let entries = self.entries("mapping from names")?;
        visitor.visit_map(Entries::new(entries)).map_err(|wrong: Wrong| wrong.or_at(self.at))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let wanted = || format!("mapping with {}", spelling::alternatives(fields.iter().copied()));
        let entries = self.entries(&wanted())?;
        check_words(entries, fields, "key")?;
        visitor.visit_map(Entries::new(entries)).map_err(|wrong: Wrong| wrong.or_at(self.at))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        let choice = match &self.value {
            Value::Scalar(text, _) => Choice { word: text, at: self.at, value: None },
            Value::Map(entries) => {
                check_words(entries, variants, "key")?;
                let [(key, value)] = entries.as_slice() else {
                    let all = spelling::alternatives(variants.iter().copied());
                    return Err(Wrong::new(self.at, format!("one of {all} belongs here")));
                };
                Choice { word: &key.text, at: key.at, value: Some(value) }
            }
            _ => return Err(self.is_no("word")),
        };
        if !variants.contains(&choice.word) {
            return Err(unknown(choice.at, "word", choice.word, variants));
        }
        visitor.visit_enum(choice).map_err(|wrong: Wrong| wrong.or_at(self.at))
    }

    forward_to_deserialize_any! {
        i128 u128 char bytes byte_buf unit unit_struct tuple tuple_struct identifier ignored_any
    }
}

impl<'de> IntoDeserializer<'de, Wrong> for &Node {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

fn check_words(entries: &[(Key, Node)], known: &[&str], what: &str) -> Result<(), Wrong> {
    match entries.iter().find(|(key, _)| !known.contains(&key.text.as_str())) {
        Some((key, _)) => Err(unknown(key.at, what, &key.text, known)),
        None => Ok(()),
    }
}

fn unknown(at: Position, what: &str, word: &str, known: &[&str]) -> Wrong {
    let hint = match spelling::meant(word, known) {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("it is one of {}", spelling::alternatives(known.iter().copied())),
    };
    Wrong::new(at, format!("unknown {what} `{word}`; {hint}"))
}

/// The entries of a mapping, one by one.
struct Entries<'a> {
    left: std::slice::Iter<'a, (Key, Node)>,
    value: Option<&'a Node>,
}

impl<'a> Entries<'a> {
    fn new(entries: &'a [(Key, Node)]) -> Self {
        Self { left: entries.iter(), value: None }
    }
}

impl<'de> MapAccess<'de> for Entries<'_> {
    type Error = Wrong;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, Wrong> {
        let Some((key, value)) = self.left.next() else { return Ok(None) };
        self.value = Some(value);
        let key = Node { at: key.at, value: Value::Scalar(key.text.clone(), Style::Plain) };
        seed.deserialize(KeyWord(&key)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(&mut self, seed: V) -> Result<V::Value, Wrong> {
        seed.deserialize(self.value.take().ok_or_else(|| de::Error::custom("a value is missing"))?)
    }
}

/// A key: a word, with its place if that is wanted.
struct KeyWord<'a>(&'a Node);

impl<'de> Deserializer<'de> for KeyWord<'_> {
    type Error = Wrong;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Wrong> {
        self.0.deserialize_str(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        name: &'static str,
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.0.deserialize_newtype_struct(name, visitor)
    }

    forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf option unit unit_struct
        seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

/// Line, column, value.
const PLACE_PARTS: usize = 3;

/// A value and its place, as a list of [`PLACE_PARTS`].
struct Place<'a> {
    at: Position,
    left: usize,
    node: &'a Node,
}

impl<'de> SeqAccess<'de> for Place<'_> {
    type Error = Wrong;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, Wrong> {
        self.left -= 1;
        match self.left {
            2 => seed.deserialize(self.at.line.into_deserializer()),
            1 => seed.deserialize(self.at.column.into_deserializer()),
            _ => seed.deserialize(self.node),
        }
        .map(Some)
    }
}

/// A word that chooses among alternatives, and what comes with it.
struct Choice<'a> {
    word: &'a str,
    at: Position,
    value: Option<&'a Node>,
}

impl<'a> Choice<'a> {
    fn value(&self) -> Result<&'a Node, Wrong> {
        let missing = || Wrong::new(self.at, format!("`{}` needs a value", self.word));
        self.value.ok_or_else(missing)
    }
}

impl<'de, 'a> EnumAccess<'de> for Choice<'a> {
    type Error = Wrong;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Wrong> {
        let word: de::value::StrDeserializer<'_, Wrong> = self.word.into_deserializer();
        Ok((seed.deserialize(word)?, self))
    }
}

impl<'de> VariantAccess<'de> for Choice<'_> {
    type Error = Wrong;

    fn unit_variant(self) -> Result<(), Wrong> {
        match self.value {
            None => Ok(()),
            Some(node) => Err(Wrong::new(node.at, format!("`{}` takes no value", self.word))),
        }
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Wrong> {
        seed.deserialize(self.value()?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Wrong> {
        self.value()?.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Wrong> {
        self.value()?.deserialize_struct("", fields, visitor)
    }
}
