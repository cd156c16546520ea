//! What is nobody else's business, and how it is kept from journals and from files.

use serde_json::Value;

use crate::request::decode;

/// What stands for a secret.
pub const MASK: &str = "***";

/// Names of what is secret, by a part of each, as header fields, parameters and fields of bodies have them.
const USUAL: [&str; 10] = [
    "apikey",
    "authorization",
    "cookie",
    "credential",
    "cvc",
    "key",
    "passw",
    "secret",
    "signature",
    "token",
];

/// Names of what is secret.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// Parts of names, in lower case, with nothing but letters and digits.
    parts: Vec<String>,
}

impl Default for Secrets {
    fn default() -> Self {
        Self::with(&[])
    }
}

/// A name without what people write in different ways.
fn plain(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase()
}

impl Secrets {
    /// The usual ones, and these.
    pub fn with(more: &[String]) -> Self {
        let usual = USUAL.iter().map(|part| (*part).to_owned());
        let more = more.iter().map(|name| plain(name)).filter(|part| !part.is_empty());
        Self { parts: usual.chain(more).collect() }
    }

    /// Whether the value of this name is a secret.
    pub fn has(&self, name: &str) -> bool {
        let name = plain(name);
        self.parts.iter().any(|part| name.contains(part))
    }

    /// What follows a question mark, or a form: secret values are masked.
    pub fn mask_form(&self, text: &str) -> String {
        let mask = |pair: &str| match pair.split_once('=') {
            Some((name, _)) if self.has(&decode(name)) => format!("{name}={MASK}"),
            _ => pair.to_owned(),
        };
        text.split('&').map(mask).collect::<Vec<_>>().join("&")
    }

    /// A value: secret fields are masked, whatever is in them. Whether there were some.
    pub fn mask_json(&self, value: &mut Value) -> bool {
        self.each_secret(value, &mut |entries, name| {
            entries.insert(name.to_owned(), MASK.into());
        })
    }

    /// A value without its secret fields. Whether there were some.
    pub fn cut_json(&self, value: &mut Value) -> bool {
        self.each_secret(value, &mut |entries, name| {
            entries.shift_remove(name);
        })
    }

    fn each_secret(
        &self,
        value: &mut Value,
        act: &mut impl FnMut(&mut serde_json::Map<String, Value>, &str),
    ) -> bool {
        match value {
            Value::Array(all) => {
                all.iter_mut().fold(false, |any, value| self.each_secret(value, act) | any)
            }
            Value::Object(entries) => {
                let names: Vec<String> =
                    entries.keys().filter(|name| self.has(name)).cloned().collect();
                names.iter().for_each(|name| act(entries, name));
                let others = entries.iter_mut().filter(|(name, _)| !names.contains(name));
                let deeper =
                    others.fold(false, |any, (_, value)| self.each_secret(value, act) | any);
                deeper || !names.is_empty()
            }
            _ => false,
        }
    }

    /// A body as text that can be shown: JSON and forms without their secrets. `None` if it is no text.
    pub fn mask_body(&self, body: &[u8]) -> Option<String> {
        let text = std::str::from_utf8(body).ok()?;
        if let Ok(mut value) = serde_json::from_str::<Value>(text) {
            return Some(match self.mask_json(&mut value) {
                true => value.to_string(),
                false => text.to_owned(),
            });
        }
        Some(if is_form(text) { self.mask_form(text) } else { text.to_owned() })
    }
}

/// Whether a text looks like a form.
fn is_form(text: &str) -> bool {
    text.contains('=') && !text.contains(|c: char| c.is_whitespace() || c == '<')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_known_by_their_names() {
        let secrets = Secrets::with(&["Card-Number".into()]);
        let names = ["api_key", "Set-Cookie", "X-Amz-Signature", "accessToken", "card[number]"];
        assert!(names.iter().all(|name| secrets.has(name)));
        assert!(["amount", "id", "card"].iter().all(|name| !secrets.has(name)));
        assert!(!Secrets::default().has("card_number"));
    }

    #[test]
    fn bodies_are_shown_without_their_secrets() {
        let secrets = Secrets::default();
        let shown = |body: &str| secrets.mask_body(body.as_bytes()).expect("text");
        assert_eq!(
            shown(r#"{"a": 1, "card": [{"cvc": 123}], "token": {"id": 1}}"#),
            r#"{"a":1,"card":[{"cvc":"***"}],"token":"***"}"#
        );
        assert_eq!(shown(r#"{"a":  1}"#), r#"{"a":  1}"#);
        assert_eq!(shown("a=1&client_secret=x&b"), "a=1&client_secret=***&b");
        assert_eq!(shown("the key = a secret"), "the key = a secret");
        assert_eq!(secrets.mask_body(b"\xff"), None);
    }

    #[test]
    fn secrets_can_be_cut_out() {
        let mut value = json!({ "a": [{ "password": "x", "b": 1 }], "key": 2 });
        assert!(Secrets::default().cut_json(&mut value));
        assert_eq!(value, json!({ "a": [{ "b": 1 }] }));
        assert!(!Secrets::default().cut_json(&mut value));
    }
}
