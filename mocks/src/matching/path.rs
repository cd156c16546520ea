//! Paths with places for parts of them: `/v1/charges/{id}`, `/files/{path*}`.

use simrun_config::{Spanned, Wrong};

use super::Captures;
use crate::request::decode;

/// A path, part by part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    parts: Vec<Part>,
    text: String,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Part {
    /// This text.
    Is(String),
    /// Any text, and its name.
    Any(String),
    /// All that follows, and its name.
    Rest(String),
}

impl Path {
    /// Reads one.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn new(path: &Spanned<String>) -> Result<Self, Wrong> {
        let Some(inner) = path.strip_prefix('/') else {
            return Err(path.wrong(format!("`{}` is no path: it begins with a slash", path.value)));
        };
        let mut parts = Vec::new();
        for text in inner.split('/') {
            if matches!(parts.last(), Some(Part::Rest(_))) {
                return Err(path.wrong("nothing can follow what stands for all that follows"));
            }
            parts.push(part(text).ok_or_else(|| {
                path.wrong(format!(
                    "`{text}` is no part of a path: `{{name}}` stands for a whole part"
                ))
            })?);
        }
        Ok(Self { parts, text: path.value.clone() })
    }

    /// As it is written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parts before the first place.
    pub fn fixed_parts(&self) -> impl Iterator<Item = &str> {
        self.parts.iter().map_while(|part| match part {
            Part::Is(text) => Some(text.as_str()),
            Part::Any(_) | Part::Rest(_) => None,
        })
    }

    /// Whether a path is like it; what its places stand for is added.
    pub fn matches(&self, path: &str, captures: &mut Captures) -> bool {
        let Some(inner) = path.strip_prefix('/') else { return false };
        let mut rest = Some(inner);
        for part in &self.parts {
            let Some(left) = rest else { return false };
            let (text, after) = match left.split_once('/') {
                Some((text, after)) => (text, Some(after)),
                None => (left, None),
            };
            match part {
                Part::Is(wanted) if *wanted == decode(text) => {}
                Part::Any(name) if !text.is_empty() => captures.add(name, decode(text)),
                Part::Rest(name) => {
                    captures.add(name, decode(left));
                    return true;
                }
                Part::Is(_) | Part::Any(_) => return false,
            }
            rest = after;
        }
        rest.is_none()
    }
}

fn part(text: &str) -> Option<Part> {
    let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) else {
        return (!text.contains(['{', '}'])).then(|| Part::Is(decode(text)));
    };
    let is_name = |name: &str| {
        !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
    };
    match name.strip_suffix('*') {
        Some(name) => is_name(name).then(|| Part::Rest(name.into())),
        None => is_name(name).then(|| Part::Any(name.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_stand_for_whole_parts() {
        let cases = [
            ("/", "/", Some("")),
            ("/", "/a", None),
            ("/a", "/a", Some("")),
            ("/a", "/a/", None),
            ("/a b", "/a%20b", Some("")),
            ("/v1/charges/{id}", "/v1/charges/ch_1", Some("id=ch_1")),
            ("/v1/charges/{id}", "/v1/charges/", None),
            ("/v1/charges/{id}", "/v1/charges/a/b", None),
            ("/v1/{kind}/{id}/x", "/v1/a%2Fb/2/x", Some("kind=a/b id=2")),
            ("/files/{path*}", "/files/a/b/c", Some("path=a/b/c")),
            ("/files/{path*}", "/files/", Some("path=")),
            ("/files/{path*}", "/files", None),
        ];
        for (path, asked, expected) in cases {
            let place = simrun_config::Position::default();
            let path = Path::new(&Spanned { at: place, value: path.into() }).expect("a path");
            let mut captures = Captures::default();
            let found = path.matches(asked, &mut captures).then(|| {
                captures
                    .0
                    .iter()
                    .map(|(name, text)| format!("{name}={text}"))
                    .collect::<Vec<_>>()
                    .join(" ")
            });
            assert_eq!(found.as_deref(), expected, "{} {asked}", path.text());
        }
    }
}
