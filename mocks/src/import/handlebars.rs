//! Places that are filled in, as WireMock writes them, in our words.

/// A text with its places in our words; those that are not known are added to `unknown`.
pub fn translate(text: &str, unknown: &mut Vec<String>) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(begin) = rest.find("{{") {
        let (before, after) = rest.split_at(begin);
        out.push_str(before);
        let raw = after.starts_with("{{{");
        let (open, close) = if raw { ("{{{", "}}}") } else { ("{{", "}}") };
        let inner = &after[open.len()..];
        let Some(end) = inner.find(close) else {
            out.push_str(after);
            return out;
        };
        let expression = inner[..end].trim();
        match one(expression) {
            Some(ours) => out.push_str(&format!("{{{{ {ours} }}}}")),
            None => {
                unknown.push(expression.to_owned());
                out.push_str(&format!("{{% raw %}}{{{{{expression}}}}}{{% endraw %}}"));
            }
        }
        rest = &inner[end + close.len()..];
    }
    out + rest
}

/// A name as a subscript, if it cannot stand behind a dot.
fn member(of: &str, name: &str) -> String {
    let is_word = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !name.starts_with(|c: char| c.is_ascii_digit());
    if is_word { format!("{of}.{name}") } else { format!("{of}[\"{name}\"]") }
}

fn one(expression: &str) -> Option<String> {
    if let Some(name) = expression.strip_prefix("request.query.") {
        return Some(member("request.query", name));
    }
    if let Some(name) = expression.strip_prefix("request.headers.") {
        return Some(member("request.headers", &name.to_ascii_lowercase()));
    }
    if let Some(name) = expression.strip_prefix("request.cookies.") {
        return Some(member("request.cookies", name));
    }
    if let Some(part) = expression.strip_prefix("request.path.") {
        return Some(match part.trim_matches(['[', ']']).parse::<usize>() {
            Ok(index) => format!("request.path.split(\"/\")[{}]", index + 1),
            Err(_) => member("captured", part),
        });
    }
    if let Some(path) = expression.strip_prefix("jsonPath request.body ") {
        let path = path.trim().trim_matches(['\'', '"']).strip_prefix("$.")?;
        let is_simple = path.chars().all(|c| c.is_ascii_alphanumeric() || "_.".contains(c));
        return is_simple.then(|| format!("request.json.{path}"));
    }
    if let Some(what) = expression.strip_prefix("randomValue ") {
        let option = |name: &str| {
            let found =
                what.split_whitespace().find_map(|word| word.strip_prefix(name)?.strip_prefix('='));
            found.map(|value| value.trim_matches(['\'', '"']))
        };
        let length = option("length").unwrap_or("36");
        return match option("type")? {
            "UUID" => Some("random.uuid()".into()),
            "NUMERIC" => Some(format!("random.digits({length})")),
            "HEXADECIMAL" => Some(format!("random.hex({length})")),
            "ALPHANUMERIC" | "ALPHABETIC" => Some(format!("random.letters({length})")),
            _ => None,
        };
    }
    Some(
        match expression {
            "request.method" => "request.method",
            "request.body" => "request.text",
            "request.url" => "request.url",
            "request.path" => "request.path",
            "request.host" => "request.host",
            "request.scheme" => "request.scheme",
            "now" => "now",
            _ => return None,
        }
        .into(),
    )
}
