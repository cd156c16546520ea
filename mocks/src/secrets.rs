//! What is nobody else's business, and how it is kept from journals and from files.

use std::{collections::BTreeSet, sync::LazyLock};

use regex::Regex;
use serde_json::Value;

use crate::request::decode;

/// What stands for a secret.
pub const MASK: &str = "***";

/// Names of what is secret, as header fields, parameters and fields of bodies have them: these words are among theirs.
const USUAL: [&str; 27] = [
    "accesskey",
    "accesstoken",
    "apikey",
    "authorization",
    "authtoken",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "csrftoken",
    "cvc",
    "cvv",
    "jwt",
    "key",
    "passphrase",
    "passwd",
    "password",
    "passwords",
    "privatekey",
    "pwd",
    "refreshtoken",
    "secret",
    "secretkey",
    "secrets",
    "sessionid",
    "signature",
    "token",
];

/// Names of what is secret.
#[derive(Clone, Debug)]
pub struct Secrets {
    /// In lower case, with nothing but letters and digits.
    names: BTreeSet<String>,
}

impl Default for Secrets {
    fn default() -> Self {
        Self::with(&[])
    }
}

/// The words of a name, in lower case: people write `api_key`, `api-key`, `apiKey`, `APIKey` and `card[number]`.
fn words(name: &str) -> Vec<String> {
    let letters: Vec<char> = name.chars().collect();
    let mut words = vec![String::new()];
    for (index, &letter) in letters.iter().enumerate() {
        let before = index.checked_sub(1).map(|index| letters[index]);
        let next_is_small = letters.get(index + 1).is_some_and(char::is_ascii_lowercase);
        let begins = letter.is_ascii_uppercase()
            && before.is_some_and(|before| !before.is_ascii_uppercase() || next_is_small);
        let is_other =
            before.is_some_and(|before| before.is_ascii_digit() != letter.is_ascii_digit());
        if begins || is_other || !letter.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if letter.is_ascii_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.push(letter.to_ascii_lowercase());
        }
    }
    words.retain(|word| !word.is_empty());
    words
}

impl Secrets {
    /// The usual ones, and these.
    pub fn with(more: &[String]) -> Self {
        let usual = USUAL.iter().map(|name| (*name).to_owned());
        let more = more.iter().map(|name| words(name).concat()).filter(|name| !name.is_empty());
        Self { names: usual.chain(more).collect() }
    }

    /// Whether the value of this name is a secret: some words of it that follow each other are such a name.
    pub fn has(&self, name: &str) -> bool {
        let words = words(name);
        let from = |start: usize| (start + 1..=words.len()).map(move |end| start..end);
        (0..words.len()).flat_map(from).any(|part| self.names.contains(&words[part].concat()))
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

    /// A body as text that can be kept: JSON and forms without their secrets. `None` if it is no text.
    pub fn mask_body(&self, body: &[u8]) -> Option<String> {
        self.mask(body, str::to_owned)
    }

    /// A body as text that can be shown: as [`Self::mask_body`], and without what looks like a secret in any other text.
    pub fn tell_body(&self, body: &[u8]) -> Option<String> {
        self.mask(body, |text| self.tell_text(text))
    }

    fn mask(&self, body: &[u8], plain: impl Fn(&str) -> String) -> Option<String> {
        let text = std::str::from_utf8(body).ok()?;
        if let Ok(mut value) = serde_json::from_str::<Value>(text) {
            let has_secrets = self.mask_json(&mut value) | each_text(&mut value, &plain);
            return Some(if has_secrets { value.to_string() } else { text.to_owned() });
        }
        Some(if is_form(text) { self.mask_form(text) } else { plain(text) })
    }

    /// A text as it can be shown: what stands behind the name of a secret is masked, in pairs (`password: x`), elements of
    /// XML and parts of forms, and so are passwords in addresses and what a bearer bears.
    pub fn tell_text(&self, text: &str) -> String {
        let mut shown = text.to_owned();
        if !SIGNS.iter().any(|sign| text.contains(sign)) {
            return shown;
        }
        for pattern in PATTERNS.iter() {
            shown = self.mask_found(pattern, &shown);
        }
        shown
    }

    /// Masks what a pattern finds: what is between its `head` and its `tail`, if it has no `name` or that is a secret's.
    fn mask_found(&self, pattern: &Regex, text: &str) -> String {
        let (mut shown, mut from) = (String::new(), 0);
        while let Some(found) = pattern.captures_at(text, from) {
            let (Some(all), Some(head)) = (found.get(0), found.name("head")) else { break };
            let name = found.name("name");
            if name.is_none_or(|name| self.has(name.as_str())) {
                shown.push_str(&text[from..head.end()]);
                shown.push_str(MASK);
                from = found.name("tail").map_or(all.end(), |tail| tail.start());
            } else {
                // What is no secret may have one in it.
                let end = name.map_or(all.end(), |name| name.end());
                shown.push_str(&text[from..end]);
                from = end;
            }
        }
        shown + &text[from..]
    }
}

/// Another text for each in a value. Whether any changed.
fn each_text(value: &mut Value, other: &impl Fn(&str) -> String) -> bool {
    match value {
        Value::String(text) => {
            let before = std::mem::replace(text, other(text));
            before != *text
        }
        Value::Array(all) => all.iter_mut().fold(false, |any, value| each_text(value, other) | any),
        Value::Object(all) => {
            all.iter_mut().fold(false, |any, (_, value)| each_text(value, other) | any)
        }
        _ => false,
    }
}

/// One of these is in every text that has a secret by the patterns below.
const SIGNS: [&str; 6] = ["=", ":", "<", "is", "IS", "earer"];

/// Where secrets are in texts.
static PATTERNS: LazyLock<[Regex; 5]> = LazyLock::new(|| {
    let value = r#"(?:(?:Bearer|Basic|Digest|Token)[ \t]+)?(?:"(?:[^"\\]|\\.)*"(?:\.\.\.)?|'[^'\n]*'|[^\s&;,"'<>]+)"#;
    [
        // Parts of forms (RFC 7578), elements of XML.
        r#"(?s)(?<head>\bname="(?<name>[^"]+)"[^\n]*\n(?:[^\r\n]+\r?\n)*\r?\n).*?(?<tail>\r?\n--|$)"#.to_owned(),
        r"(?<head><(?:\w+:)?(?<name>[\w.-]+)(?:\s[^<>]*)?>)[^<]+".to_owned(),
        // Passwords in addresses (RFC 3986, section 3.2.1), and tokens (RFC 6750).
        r"(?<head>://[^/\s:@]+:)[^/\s@]+(?<tail>@)".to_owned(),
        r"(?i)(?<head>\bbearer[ \t]+)[\w.~+/=-]{8,}".to_owned(),
        // Names and their values, also as messages tell of them.
        format!(
            r#"(?i)(?<head>(?<name>[a-z][\w.\[\]-]*)["']?(?:\s*[=:]\s*|\s+(?:is there:|differs:|is)\s+)){value}(?:, not {value})?"#
        ),
    ]
    .map(|pattern| Regex::new(&pattern).expect("a pattern of ours"))
});

/// Whether a text looks like a form.
fn is_form(text: &str) -> bool {
    text.contains('=') && !text.contains(|c: char| c.is_whitespace() || c == '<')
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn secrets_are_known_by_the_words_of_their_names() {
        let secrets = Secrets::with(&["Card-Number".into()]);
        let names = [
            "api_key",
            "Set-Cookie",
            "X-Amz-Signature",
            "accessToken",
            "accesstoken",
            "card[number]",
            "cardNumber",
            "key2",
            "APIKey",
            "X-Api-Key",
            "clientSecret",
            "user.password",
            "oauth2_token",
            "JWT",
            "cardnumber",
        ];
        let shown: Vec<_> = names.iter().filter(|name| !secrets.has(name)).collect();
        assert!(shown.is_empty(), "{shown:?}");
        let others = [
            "amount",
            "id",
            "card",
            "monkey",
            "keyboard",
            "number",
            "cardNumbers",
            "secretary",
            "max_tokens",
            "turkey_key_",
            "",
        ];
        let masked: Vec<_> = others.iter().filter(|name| secrets.has(name)).collect();
        assert_eq!(masked, [&"turkey_key_"]);
        assert!(!Secrets::default().has("card_number"));
    }

    #[test]
    fn bodies_are_shown_without_their_secrets() {
        let secrets = Secrets::default();
        let cases = [
            (
                r#"{"a": 1, "card": [{"cvc": 123}], "token": {"id": 1}}"#,
                r#"{"a":1,"card":[{"cvc":"***"}],"token":"***"}"#,
            ),
            (r#"{"a":  1}"#, r#"{"a":  1}"#),
            (
                r#"{"text":  "token=x&a=b", "b": ["password: y"]}"#,
                r#"{"text":"token=***&a=b","b":["password: ***"]}"#,
            ),
            ("a=1&client_secret=x&b", "a=1&client_secret=***&b"),
            // Texts.
            ("the monkey = a secret, says the key", "the monkey = a secret, says the key"),
            (
                "Your password is hunter2, or\nPassword: 'a b'; ok",
                "Your password is ***, or\nPassword: ***; ok",
            ),
            ("https://a.test/?x=1&token=abc&b=c is it", "https://a.test/?x=1&token=***&b=c is it"),
            ("Authorization: Bearer ab.cd\r\nHost: x", "Authorization: ***\r\nHost: x"),
            (
                "curl -H 'bearer 0123456789' postgres://joe:pw@db/x",
                "curl -H 'bearer ***' postgres://joe:***@db/x",
            ),
            (
                "<a><ns:Password type='x'>p</ns:Password><b apiKey=\"k\">c</b></a>",
                "<a><ns:Password type='x'>***</ns:Password><b apiKey=***>c</b></a>",
            ),
            (
                "--x\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\na\nb\r\n--x\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nc\r\n--x--",
                "--x\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\n***\r\n--x\r\nContent-Disposition: form-data; name=\"n\"\r\n\r\nc\r\n--x--",
            ),
            // What no route matched.
            (
                r#"GET /a?key=1; closest: route r, headers.authorization differs: "Bearer \"x", not "Bearer y", body.n differs: 1, not 2"#,
                r#"GET /a?key=***; closest: route r, headers.authorization differs: ***, body.n differs: 1, not 2"#,
            ),
        ];
        for (body, expected) in cases {
            assert_eq!(secrets.tell_body(body.as_bytes()).expect("text"), expected);
        }
        assert_eq!(secrets.tell_body(b"\xff"), None);
        // What is kept to be answered again stays a text.
        assert_eq!(secrets.mask_body(b"var key = 1;").as_deref(), Some("var key = 1;"));
        assert_eq!(secrets.mask_body(br#"{"key": 1}"#).as_deref(), Some(r#"{"key":"***"}"#));
    }

    #[test]
    fn secrets_can_be_cut_out() {
        let mut value = json!({ "a": [{ "password": "x", "b": 1 }], "key": 2 });
        assert!(Secrets::default().cut_json(&mut value));
        assert_eq!(value, json!({ "a": [{ "b": 1 }] }));
        assert!(!Secrets::default().cut_json(&mut value));
    }
}
