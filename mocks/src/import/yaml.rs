//! YAML, as people would write it.

use serde_json::Value;

/// A value; mappings keep their order.
#[derive(Clone, Debug, PartialEq)]
pub enum Yaml {
    /// Text, a number, or any value of JSON on one line.
    Value(Value),
    /// A list.
    List(Vec<Yaml>),
    /// A mapping.
    Map(Vec<(String, Yaml)>),
}

impl Yaml {
    /// A mapping with nothing in it.
    pub fn map() -> Self {
        Self::Map(Vec::new())
    }

    /// Text.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Value(Value::String(text.into()))
    }

    /// The same with an entry more; what is there already stays.
    pub fn with(mut self, key: &str, value: impl Into<Self>) -> Self {
        self.set(key, value);
        self
    }

    /// Adds an entry; what is there already stays.
    pub fn set(&mut self, key: &str, value: impl Into<Self>) {
        if let Self::Map(entries) = self
            && !entries.iter().any(|(known, _)| known == key)
        {
            entries.push((key.to_owned(), value.into()));
        }
    }

    /// Whether there is nothing in it.
    pub fn is_empty(&self) -> bool {
        match self {
            Self::Value(_) => false,
            Self::List(all) => all.is_empty(),
            Self::Map(entries) => entries.is_empty(),
        }
    }

    /// Writes it below a line that has been begun.
    pub fn write(&self, out: &mut String, indent: usize) {
        match self {
            Self::Value(Value::String(text)) if text.contains('\n') && is_block(text) => {
                // A block keeps all lines; `-` says that there is no newline after the last.
                let (mark, lines) = match text.strip_suffix('\n') {
                    Some(lines) => ("|", lines),
                    None => ("|-", text.as_str()),
                };
                out.push_str(&format!(" {mark}\n"));
                for line in lines.split('\n') {
                    let pad = if line.is_empty() { 0 } else { indent };
                    out.push_str(&format!("{:pad$}{line}\n", ""));
                }
            }
            Self::Value(Value::String(text)) => out.push_str(&format!(" {}\n", word(text))),
            Self::Value(value) => out.push_str(&format!(" {value}\n")),
            Self::List(all) if all.is_empty() => out.push_str(" []\n"),
            Self::Map(entries) if entries.is_empty() => out.push_str(" {}\n"),
            Self::List(all) => {
                out.push('\n');
                for item in all {
                    out.push_str(&format!("{:indent$}-", ""));
                    match item {
                        // The first entry stands behind the dash.
                        Self::Map(entries) if !entries.is_empty() => {
                            let mut inner = String::new();
                            item.write(&mut inner, indent + 2);
                            let text = inner.trim_start_matches('\n').trim_start_matches(' ');
                            out.push_str(&format!(" {text}"));
                        }
                        item => item.write(out, indent + 2),
                    }
                }
            }
            Self::Map(entries) => {
                out.push('\n');
                for (key, value) in entries {
                    out.push_str(&format!("{:indent$}{}:", "", word(key)));
                    value.write(out, indent + 2);
                }
            }
        }
    }
}

impl From<&str> for Yaml {
    fn from(text: &str) -> Self {
        Self::text(text)
    }
}

impl From<String> for Yaml {
    fn from(text: String) -> Self {
        Self::text(text)
    }
}

impl From<u64> for Yaml {
    fn from(number: u64) -> Self {
        Self::Value(number.into())
    }
}

impl From<Value> for Yaml {
    fn from(value: Value) -> Self {
        Self::Value(value)
    }
}

/// Whether a text can stand as a block: nothing but what can be printed, and no space before the first line.
fn is_block(text: &str) -> bool {
    !text.starts_with([' ', '\n']) && text.chars().all(|c| c == '\n' || !c.is_control())
}

/// A text on one line, in quotes where it would be taken for something else.
fn word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./ =+$@(),".contains(c);
    let first = text.chars().next();
    let looks_like_text = first.is_some_and(|c| c.is_ascii_alphabetic() || c == '/')
        && !text.ends_with(' ')
        && !matches!(text, "true" | "false" | "null");
    if looks_like_text && text.chars().all(is_plain) {
        return text.to_owned();
    }
    if text.chars().all(|c| !c.is_control()) {
        return format!("'{}'", text.replace('\'', "''"));
    }
    Value::String(text.to_owned()).to_string()
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use simrun_config::Json;

    use super::*;

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let texts = [
            "", "a", "1", "true", "a: b", "- a", "#a", "'a'", "a\nb\n", "a\nb", " a\nb", "a\tb",
            "ü", "{a}", "a\n\n b",
        ];
        let mut map = Yaml::map();
        for (index, text) in texts.into_iter().enumerate() {
            map.set(&format!("{index}"), text);
        }
        map.set(
            "list",
            Yaml::List(vec![
                Yaml::map().with("a b", "x\ny").with("c", 1u64),
                Yaml::text("z"),
                Yaml::List(Vec::new()),
            ]),
        );
        map.set("json", json!({ "a": [1, null, "b"] }));
        let mut text = String::new();
        map.write(&mut text, 0);
        let Json(read) = simrun_config::parse("x", text.trim_start())
            .unwrap_or_else(|problem| panic!("{problem}\n{text}"));
        for (index, expected) in texts.into_iter().enumerate() {
            assert_eq!(read[index.to_string()], expected, "{text}");
        }
        assert_eq!(read["list"], json!([{ "a b": "x\ny", "c": 1 }, "z", []]));
        assert_eq!(read["json"], json!({ "a": [1, null, "b"] }));
    }
}
