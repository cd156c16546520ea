//! All that must be so of a request that takes a route.

use std::fmt;

use http::Method;

use super::Path;
use crate::request::Request;

/// What parts of a request have been given names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures(Vec<(String, String)>);

impl Captures {
    /// Adds one.
    pub fn add(&mut self, name: &str, text: String) {
        self.0.push((name.into(), text));
    }
}

impl fmt::Display for Captures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let words: Vec<String> =
            self.0.iter().map(|(name, text)| format!("{name}={text}")).collect();
        f.write_str(&words.join(" "))
    }
}

/// Something that must be so.
#[derive(Clone, Debug)]
pub enum Criterion {
    /// One of these methods.
    Method(Vec<Method>),
    /// A path like this.
    Path(Path),
}

impl Criterion {
    /// What is not so, in words.
    fn miss(&self, request: &Request, captures: &mut Captures) -> Option<Miss> {
        match self {
            Self::Method(methods) if methods.contains(&request.method) => None,
            Self::Method(methods) => {
                let names: Vec<&str> = methods.iter().map(Method::as_str).collect();
                let words =
                    format!("method differs: {}, not {}", request.method, names.join(" or "));
                Some(Miss { words, weight: 2 })
            }
            Self::Path(path) if path.matches(&request.path, captures) => None,
            Self::Path(path) => {
                let words = format!("path differs: {}, not {}", request.path, path.text());
                Some(Miss { words, weight: 4 })
            }
        }
    }
}

/// Something that is not so.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Miss {
    /// What, in words.
    pub words: String,
    /// How much it keeps a request from the route.
    pub weight: u32,
}

/// All that must be so.
#[derive(Clone, Debug)]
pub struct Matcher(Vec<Criterion>);

impl Matcher {
    /// All of these.
    pub fn new(criteria: Vec<Criterion>) -> Self {
        Self(criteria)
    }

    /// What a request that takes the route has given names to.
    pub fn captures(&self, request: &Request) -> Option<Captures> {
        let mut captures = Captures::default();
        let is_for_it =
            self.0.iter().all(|criterion| criterion.miss(request, &mut captures).is_none());
        is_for_it.then_some(captures)
    }

    /// All that keeps a request from the route.
    pub fn misses(&self, request: &Request) -> Vec<Miss> {
        let mut captures = Captures::default();
        self.0.iter().filter_map(|criterion| criterion.miss(request, &mut captures)).collect()
    }
}
