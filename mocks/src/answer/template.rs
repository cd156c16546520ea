//! Text and JSON with places that are filled in: Jinja's.

use minijinja::{Environment, UndefinedBehavior, syntax::SyntaxConfig};
use serde_json::Value;
use simrun_config::{Position, Wrong};

/// All templates of a service.
#[derive(Clone, Debug)]
pub struct Templates {
    environment: Environment<'static>,
    count: usize,
}

/// A text that may have places.
#[derive(Clone, Debug)]
pub enum Text {
    /// It has none.
    Plain(String),
    /// The template of this name.
    Filled(String),
}

/// A value of JSON that may have places.
#[derive(Clone, Debug)]
pub enum Json {
    /// It has none.
    Plain(Value),
    /// A text with places.
    Text(Text),
    /// A text that is one place and nothing else: it has the type of what it is filled with.
    Typed(String),
    /// A list.
    List(Vec<Json>),
    /// A mapping.
    Map(Vec<(String, Json)>),
}

impl Default for Templates {
    fn default() -> Self {
        let mut environment = Environment::new();
        // What is not there is an error: an answer with a hole in it would be taken for one.
        environment.set_undefined_behavior(UndefinedBehavior::SemiStrict);
        let syntax = SyntaxConfig::builder().keep_trailing_newline(true).build();
        environment.set_syntax(syntax.unwrap_or_default());
        Self { environment, count: 0 }
    }
}

/// Whether there is a place in a text.
fn has_place(text: &str) -> bool {
    ["{{", "{%", "{#"].iter().any(|begin| text.contains(begin))
}

/// The expression that a text is, if it is one place and nothing else.
fn only_place(text: &str) -> Option<&str> {
    let inner = text.trim().strip_prefix("{{")?.strip_suffix("}}")?;
    (!has_place(inner) && !inner.contains("}}")).then_some(inner.trim_matches('-'))
}

impl Templates {
    fn add(&mut self, at: Position, source: String) -> Result<String, Wrong> {
        let name = self.count.to_string();
        self.count += 1;
        self.environment.add_template_owned(name.clone(), source).map_err(|error| {
            let words = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            Wrong::new(at, format!("this cannot be filled in: {words}"))
        })?;
        Ok(name)
    }

    /// Reads a text.
    ///
    /// # Errors
    /// When a place is none.
    pub fn text(&mut self, at: Position, text: &str) -> Result<Text, Wrong> {
        Ok(match has_place(text) {
            true => Text::Filled(self.add(at, text.into())?),
            false => Text::Plain(text.into()),
        })
    }

    /// Reads a value.
    ///
    /// # Errors
    /// When a place is none.
    pub fn json(&mut self, at: Position, value: &Value) -> Result<Json, Wrong> {
        let is_plain = |json: &Json| matches!(json, Json::Plain(_));
        Ok(match value {
            Value::String(text) => match only_place(text) {
                Some(inner) => Json::Typed(self.add(at, format!("{{{{ ({inner})|tojson }}}}"))?),
                None => match self.text(at, text)? {
                    Text::Plain(text) => Json::Plain(Value::String(text)),
                    text => Json::Text(text),
                },
            },
            Value::Array(values) => {
                let all: Vec<_> =
                    values.iter().map(|value| self.json(at, value)).collect::<Result<_, _>>()?;
                if all.iter().all(is_plain) { Json::Plain(value.clone()) } else { Json::List(all) }
            }
            Value::Object(entries) => {
                let all: Vec<_> = entries
                    .iter()
                    .map(|(name, value)| Ok((name.clone(), self.json(at, value)?)))
                    .collect::<Result<_, Wrong>>()?;
                let plain = all.iter().all(|(_, json)| is_plain(json));
                if plain { Json::Plain(value.clone()) } else { Json::Map(all) }
            }
            value => Json::Plain(value.clone()),
        })
    }

    fn fill(&self, name: &str, world: &minijinja::Value) -> Result<String, String> {
        let template = self.environment.get_template(name).map_err(|error| error.to_string())?;
        template.render(world).map_err(|error| {
            let words = error.detail().map_or_else(|| error.kind().to_string(), str::to_owned);
            format!("`{}` cannot be filled in: {words}", template.source())
        })
    }

    /// A text with its places filled.
    ///
    /// # Errors
    /// What is not there, in words.
    pub fn fill_text(&self, text: &Text, world: &minijinja::Value) -> Result<String, String> {
        match text {
            Text::Plain(text) => Ok(text.clone()),
            Text::Filled(name) => self.fill(name, world),
        }
    }

    /// A value with its places filled.
    ///
    /// # Errors
    /// What is not there, in words.
    pub fn fill_json(&self, json: &Json, world: &minijinja::Value) -> Result<Value, String> {
        Ok(match json {
            Json::Plain(value) => value.clone(),
            Json::Text(text) => Value::String(self.fill_text(text, world)?),
            Json::Typed(name) => {
                let text = self.fill(name, world)?;
                serde_json::from_str(&text).map_err(|error| error.to_string())?
            }
            Json::List(all) => Value::Array(
                all.iter().map(|json| self.fill_json(json, world)).collect::<Result<_, _>>()?,
            ),
            Json::Map(all) => {
                let entry = |(name, json): &(String, Json)| {
                    Ok((name.clone(), self.fill_json(json, world)?))
                };
                Value::Object(all.iter().map(entry).collect::<Result<_, String>>()?)
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use minijinja::context;
    use serde_json::json;

    use super::*;

    #[test]
    fn one_place_alone_keeps_its_type() {
        let mut templates = Templates::default();
        let value = json!({
            "id": "ch_{{ n }}",
            "n": "{{ n }}",
            "sum": "{{ n + 1 }} and {{ n }}",
            "list": ["{{ list }}", 1, "x"],
            "plain": { "a": [1] },
        });
        let json = templates.json(Position::default(), &value).expect("right");
        let world = context! { n => 5, list => ["a<b"] };
        let filled = templates.fill_json(&json, &world).expect("all is there");
        let expected = json!({
            "id": "ch_5", "n": 5, "sum": "6 and 5", "list": [["a<b"], 1, "x"], "plain": { "a": [1] }
        });
        assert_eq!(filled, expected);
    }

    #[test]
    fn what_is_not_there_is_an_error() {
        let mut templates = Templates::default();
        let text = templates.text(Position::default(), "a {{ b.c }}").expect("right");
        let error = templates.fill_text(&text, &context! { b => context! {} }).expect_err("no c");
        assert!(error.starts_with("`a {{ b.c }}` cannot be filled in"), "{error}");
        let wrong = templates.text(Position::default(), "{{ a").expect_err("no end");
        assert!(wrong.words.starts_with("this cannot be filled in: "), "{wrong}");
    }
}
