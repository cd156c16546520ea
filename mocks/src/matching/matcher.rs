//! All that must be so of a request that takes a route.

use super::{Miss, criterion::Criterion, path::Path};
use crate::request::Request;

/// What parts of a request have been given names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Captures(pub Vec<(String, String)>);

impl Captures {
    /// Adds one.
    pub fn add(&mut self, name: &str, text: String) {
        self.0.push((name.into(), text));
    }
}

/// All that must be so.
#[derive(Clone, Debug)]
pub struct Matcher(Vec<Criterion>);

impl Matcher {
    /// All of these.
    pub fn new(criteria: Vec<Criterion>) -> Self {
        Self(criteria)
    }

    /// Whether a request takes the route.
    pub fn matches(&self, request: &Request) -> bool {
        self.0.iter().all(|criterion| criterion.holds(request))
    }

    /// Parts that the path of a request begins with that takes the route.
    pub fn fixed_parts(&self) -> impl Iterator<Item = &str> {
        let path = self.0.iter().find_map(|criterion| match criterion {
            Criterion::Path(path) => Some(path),
            _ => None,
        });
        path.into_iter().flat_map(Path::fixed_parts)
    }

    /// What a request that takes the route has given names to.
    pub fn captures(&self, request: &Request) -> Captures {
        let mut captures = Captures::default();
        self.0.iter().for_each(|criterion| criterion.capture(request, &mut captures));
        captures
    }

    /// All that keeps a request from the route.
    pub fn misses(&self, request: &Request) -> Vec<Miss> {
        let failing = self.0.iter().filter(|criterion| !criterion.holds(request));
        failing.map(|criterion| criterion.miss(request)).collect()
    }
}
