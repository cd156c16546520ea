//! Which routes a path may take: a tree of the parts that their paths begin with.

use std::collections::BTreeMap;

use super::Matcher;
use crate::request::decode;

/// Routes by the parts that their paths begin with.
#[derive(Clone, Debug, Default)]
pub struct Index {
    /// Those whose paths have nothing fixed beyond this.
    here: Vec<usize>,
    below: BTreeMap<String, Index>,
}

impl Index {
    /// Of routes in their order.
    pub fn new<'a>(routes: impl Iterator<Item = &'a Matcher>) -> Self {
        let mut root = Self::default();
        for (number, matcher) in routes.enumerate() {
            let mut at = &mut root;
            for part in matcher.fixed_parts() {
                at = at.below.entry(part.to_owned()).or_default();
            }
            at.here.push(number);
        }
        root
    }

    /// Routes that a path may take, in their order.
    pub fn find(&self, path: &str) -> Vec<usize> {
        let mut found = self.here.clone();
        let mut at = self;
        for part in path.strip_prefix('/').unwrap_or(path).split('/') {
            let Some(next) = at.below.get(&decode(part)) else { break };
            found.extend(&next.here);
            at = next;
        }
        found.sort_unstable();
        found
    }
}

#[cfg(test)]
mod tests {
    use simrun_config::{Position, Spanned, WordOr};

    use super::*;
    use crate::{file::Match, matching};

    #[test]
    fn routes_are_found_by_what_their_paths_begin_with() {
        let paths = ["/v1/a", "/v1/{id}", "/v1/a/{id}", "/{all*}", "/v2/a b", "/", "/v1/a"];
        let matcher = |path: &str| {
            let path = Spanned { at: Position::default(), value: WordOr::Word(path.into()) };
            matching::compile(&Match { path: Some(path), ..Match::default() }).expect("a path")
        };
        let mut matchers: Vec<Matcher> = paths.into_iter().map(matcher).collect();
        matchers.push(Matcher::new(Vec::new()));
        let index = Index::new(matchers.iter());
        for (path, expected) in [
            ("/v1/a", &[0, 1, 2, 3, 6, 7][..]),
            ("/v1/a/b", &[0, 1, 2, 3, 6, 7]),
            ("/v1/x", &[1, 3, 7]),
            ("/v2/a%20b", &[3, 4, 7]),
            ("/", &[3, 5, 7]),
            ("*", &[3, 7]),
        ] {
            assert_eq!(index.find(path), expected, "{path}");
            let request = crate::request::Request::read(&format!("GET {path}"));
            let takes = |number: &usize| matchers[*number].matches(&request);
            let all: Vec<usize> = (0..matchers.len()).filter(takes).collect();
            let found: Vec<usize> = index.find(path).into_iter().filter(takes).collect();
            assert_eq!(found, all, "{path}");
        }
    }
}
