//! From what a file says of requests to what must be so.

use http::{HeaderName, Method};
use simrun_config::{Named, Spanned, WordOr, Wrong, spelling};

use super::{
    Matcher,
    body::Body,
    criterion::Criterion,
    json::Extent,
    path::Path,
    text::{Star, Text},
};
use crate::file::{Body as FileBody, Match, Scheme, Text as FileText};

/// Texts by name, as a file has them.
type Texts = Option<Named<Spanned<WordOr<FileText>>>>;

/// Reads which requests a route is for. What is decided quickly comes first.
///
/// # Errors
/// The first thing that cannot be.
pub fn compile(wanted: &Match) -> Result<Matcher, Wrong> {
    let mut criteria = Vec::new();
    if !wanted.method.is_empty() {
        let methods = wanted.method.iter().map(method).collect::<Result<_, _>>()?;
        criteria.push(Criterion::Method(methods));
    }
    if let Some(path) = &wanted.path {
        criteria.push(match &path.value {
            WordOr::Word(word) => {
                Criterion::Path(Path::new(&Spanned { at: path.at, value: word.clone() })?)
            }
            WordOr::More(_) => Criterion::PathText(Text::new(path, Star::WithinSlashes)?),
        });
    }
    if let Some(scheme) = wanted.scheme {
        criteria.push(Criterion::Scheme(match scheme {
            Scheme::Http => "http",
            Scheme::Https => "https",
        }));
    }
    if let Some(host) = &wanted.host {
        criteria.push(Criterion::Host(Text::new(host, Star::Anything)?));
    }
    let mut each = |texts: &Texts, make: fn(&Spanned<String>, Text) -> Result<Criterion, Wrong>| {
        for (name, text) in texts.iter().flat_map(|texts| &texts.0) {
            criteria.push(make(name, Text::new(text, Star::Anything)?)?);
        }
        Ok(())
    };
    each(&wanted.query, |name, text| Ok(Criterion::Query(name.value.clone(), text)))?;
    each(&wanted.headers, |name, text| Ok(Criterion::Header(header_name(name)?, text)))?;
    each(&wanted.cookies, |name, text| Ok(Criterion::Cookie(name.value.clone(), text)))?;
    if let Some(body) = &wanted.body {
        criteria.extend(of_body(body)?);
    }
    Ok(Matcher::new(criteria))
}

/// Reads what a body must be, and nothing else.
///
/// # Errors
/// The first thing that cannot be.
pub fn body(wanted: &Spanned<WordOr<FileBody>>) -> Result<Matcher, Wrong> {
    of_body(wanted).map(Matcher::new)
}

fn of_body(wanted: &Spanned<WordOr<FileBody>>) -> Result<Vec<Criterion>, Wrong> {
    let wanted = match &wanted.value {
        WordOr::Word(word) => return Ok(vec![Criterion::Body(Body::Text(Text::exactly(word)))]),
        WordOr::More(more) => more,
    };
    let mut all = Vec::new();
    if let Some(text) = &wanted.text {
        all.push(Body::Text(Text::new(text, Star::Anything)?));
    }
    for (json, extent) in [(&wanted.json, Extent::Whole), (&wanted.json_has, Extent::Part)] {
        all.extend(json.iter().map(|json| Body::Json(json.0.clone(), extent)));
    }
    for (path, text) in wanted.json_path.iter().flat_map(|paths| &paths.0) {
        let parsed = path.parse().map_err(|error: serde_json_path::ParseError| {
            path.wrong(format!("`{}` is no JSONPath: {error}", path.value))
        })?;
        let text = Text::new(text, Star::Anything)?;
        all.push(Body::At(Box::new(parsed), path.value.clone(), text));
    }
    for (name, text) in wanted.form.iter().flat_map(|fields| &fields.0) {
        all.push(Body::Field(name.value.clone(), Text::new(text, Star::Anything)?));
    }
    Ok(all.into_iter().map(Criterion::Body).collect())
}

/// The name of a header field.
///
/// # Errors
/// When it is none.
pub fn header_name(name: &Spanned<String>) -> Result<HeaderName, Wrong> {
    name.parse().map_err(|_| name.wrong(format!("`{}` is no name of a header field", name.value)))
}

/// Methods that are suggested (RFC 9110, section 9, and RFC 5789).
const METHODS: [&str; 9] =
    ["GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH"];

/// A method.
///
/// # Errors
/// When it is none, or misspelt.
pub fn method(name: &Spanned<String>) -> Result<Method, Wrong> {
    let upper = name.to_ascii_uppercase();
    let near = spelling::nearest(name, METHODS);
    // Methods of other documents are methods, but one that is nearly one of these is misspelt.
    match (Method::from_bytes(upper.as_bytes()), near) {
        (Ok(method), None) => Ok(method),
        (Ok(method), Some(near)) if near == upper => Ok(method),
        (_, near) => {
            let hint = near.map_or_else(String::new, |near| format!("; did you mean `{near}`?"));
            Err(name.wrong(format!("there is no method `{}`{hint}", name.value)))
        }
    }
}
