//! Something that must be so of a request.

use http::{HeaderName, Method};

use super::{
    Captures,
    body::Body,
    path::Path,
    text::{Text, shown},
};
use crate::request::{Request, values};

/// Something that must be so.
#[derive(Clone, Debug)]
pub enum Criterion {
    /// One of these methods.
    Method(Vec<Method>),
    /// This scheme.
    Scheme(&'static str),
    /// A host.
    Host(Text),
    /// A path with places.
    Path(Path),
    /// A path as text.
    PathText(Text),
    /// A parameter.
    Query(String, Text),
    /// A header field.
    Header(HeaderName, Text),
    /// A cookie.
    Cookie(String, Text),
    /// A body.
    Body(Body),
}

/// Something that is not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// What, in words.
    pub words: String,
    /// How much it keeps a request from the route: who asks for another path does not mean this route.
    pub weight: u32,
}

impl Criterion {
    /// Whether it is so.
    pub fn holds(&self, request: &Request) -> bool {
        match self {
            Self::Method(methods) => methods.contains(&request.method),
            Self::Scheme(scheme) => *scheme == request.scheme,
            Self::Host(text) => text.holds([request.host.as_str()]),
            Self::Path(path) => path.matches(&request.path, &mut Captures::default()),
            Self::PathText(text) => text.holds([request.plain_path.as_str()]),
            Self::Query(name, text) => text.holds(values(&request.parameters, name)),
            Self::Header(name, text) => text.holds(request.header(name)),
            Self::Cookie(name, text) => text.holds(cookies(request, name)),
            Self::Body(body) => body.holds(request),
        }
    }

    /// Adds what it gives names to.
    pub fn capture(&self, request: &Request, captures: &mut Captures) {
        let mut all = |text: &Text, found: &mut dyn Iterator<Item = &str>| {
            found.for_each(|found| text.capture(found, captures));
        };
        match self {
            Self::Method(_) | Self::Scheme(_) => {}
            Self::Host(text) => text.capture(&request.host, captures),
            Self::Path(path) => {
                path.matches(&request.path, captures);
            }
            Self::PathText(text) => text.capture(&request.plain_path, captures),
            Self::Query(name, text) => all(text, &mut values(&request.parameters, name)),
            Self::Header(name, text) => all(text, &mut request.header(name)),
            Self::Cookie(name, text) => all(text, &mut cookies(request, name)),
            Self::Body(body) => body.capture(request, captures),
        }
    }

    /// Why it is not so.
    pub fn miss(&self, request: &Request) -> Miss {
        let words = match self {
            Self::Method(methods) => {
                let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
                format!("method differs: {}, not {}", request.method, names.join(" or "))
            }
            Self::Scheme(scheme) => format!("scheme differs: {}, not {scheme}", request.scheme),
            Self::Host(text) => format!("host {}", text.explain([request.host.as_str()])),
            Self::Path(path) => {
                format!("path differs: {}, not {}", shown(&request.plain_path), path.text())
            }
            Self::PathText(text) => format!("path {}", text.explain([request.plain_path.as_str()])),
            Self::Query(name, text) => {
                format!("query.{name} {}", text.explain(values(&request.parameters, name)))
            }
            Self::Header(name, text) => {
                format!("headers.{name} {}", text.explain(request.header(name)))
            }
            Self::Cookie(name, text) => {
                format!("cookies.{name} {}", text.explain(cookies(request, name)))
            }
            Self::Body(body) => body.explain(request),
        };
        let weight = match self {
            Self::Path(_) | Self::PathText(_) => 8,
            Self::Host(_) => 4,
            Self::Method(_) => 3,
            _ => 1,
        };
        Miss { words, weight }
    }
}

fn cookies<'a>(request: &'a Request, name: &'a str) -> impl Iterator<Item = &'a str> {
    request.cookies().filter(move |(known, _)| *known == name).map(|(_, value)| value)
}
