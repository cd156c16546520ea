//! What must be so of the calls when the run ends.

use std::{
    collections::BTreeMap,
    io::{self, Write},
};

use crate::{
    compile::{Expect, Wanted},
    request::Request,
};

/// What an expectation has seen.
#[derive(Debug, Default)]
pub struct Seen {
    /// How many calls there were, by the value of `each`.
    counts: BTreeMap<String, u64>,
    /// Routes taken, by the value of `each`: how many of the order.
    order: BTreeMap<String, usize>,
    /// What cannot be mended any more.
    broken: Option<String>,
}

impl Seen {
    /// Hears of a call that was carried out; `each` is the value that calls are told apart by.
    pub fn hear(&mut self, expect: &Expect, route: &str, each: &str) {
        if self.broken.is_some() {
            return;
        }
        let of = if each.is_empty() { String::new() } else { format!(" for {each}") };
        match &expect.wanted {
            Wanted::Count { most, .. } => {
                let count = self.counts.entry(each.to_owned()).or_default();
                *count += 1;
                if let Some(most) = most.filter(|most| *count > *most) {
                    self.broken = Some(format!("{count} calls{of}, not at most {most}"));
                }
            }
            Wanted::Order(routes) => {
                let Some(place) = routes.iter().position(|known| known == route) else { return };
                let come = self.order.entry(each.to_owned()).or_default();
                if place > *come {
                    self.broken = Some(format!("{route}{of} before {}", routes[*come]));
                } else if place == *come {
                    *come += 1;
                }
            }
        }
    }

    /// What is not so, if the run ends now.
    fn fails(&self, expect: &Expect) -> Option<String> {
        if let Some(words) = &self.broken {
            return Some(words.clone());
        }
        let Wanted::Count { least: Some(least), .. } = &expect.wanted else { return None };
        if self.counts.is_empty() && *least > 0 && !expect.is_each {
            return Some(format!("no call, not at least {least}"));
        }
        let few = self.counts.iter().find(|(_, count)| *count < least)?;
        let of = if few.0.is_empty() { String::new() } else { format!(" for {}", few.0) };
        Some(format!("{} calls{of}, not at least {least}", few.1))
    }

    fn summary(&self) -> String {
        match self.counts.len() {
            0 => String::new(),
            1 => format!(" {} calls", self.counts.values().sum::<u64>()),
            kinds => format!(" {} calls of {kinds} kinds", self.counts.values().sum::<u64>()),
        }
    }
}

/// Says what is so and what is not, as lines that simrun takes for invariants.
pub fn tell(mock: &str, expects: &[Expect], seen: &[Seen]) {
    let mut out = io::stdout().lock();
    for (expect, seen) in expects.iter().zip(seen) {
        let name = &expect.name;
        // Nobody may listen any more.
        let _ = match seen.fails(expect) {
            None => writeln!(out, "INVARIANT {mock}/{name} {name} PASS{}", seen.summary()),
            Some(words) => writeln!(out, "INVARIANT {mock}/{name} {name} FAIL {words}"),
        };
    }
}

impl Expect {
    /// Whether it is about calls of a route.
    pub fn concerns(&self, route: &str) -> bool {
        let routes = match &self.wanted {
            Wanted::Order(routes) => routes,
            Wanted::Count { .. } => &self.routes,
        };
        routes.is_empty() || routes.iter().any(|known| known == route)
    }

    /// Whether a call is one that it is about, whatever route it takes.
    pub fn is_about(&self, request: &Request) -> bool {
        self.matcher.as_ref().is_none_or(|matcher| matcher.matches(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn expect(wanted: Wanted, is_each: bool) -> Expect {
        let routes = vec!["charge".to_owned()];
        Expect { name: "x".into(), routes, matcher: None, each: None, is_each, wanted }
    }

    #[test]
    fn calls_are_counted_apart() {
        let once = expect(Wanted::Count { least: Some(1), most: Some(1) }, true);
        let mut seen = Seen::default();
        assert_eq!(seen.fails(&once), None);
        seen.hear(&once, "charge", "order 1");
        assert!(once.concerns("charge") && !once.concerns("read"));
        seen.hear(&once, "charge", "order 2");
        assert_eq!(seen.fails(&once), None);
        seen.hear(&once, "charge", "order 1");
        assert_eq!(seen.fails(&once).as_deref(), Some("2 calls for order 1, not at most 1"));
    }

    #[test]
    fn what_never_came_is_missed() {
        let twice = expect(Wanted::Count { least: Some(2), most: None }, false);
        let mut seen = Seen::default();
        assert_eq!(seen.fails(&twice).as_deref(), Some("no call, not at least 2"));
        seen.hear(&twice, "charge", "");
        assert_eq!(seen.fails(&twice).as_deref(), Some("1 calls, not at least 2"));
        seen.hear(&twice, "charge", "");
        assert_eq!(seen.fails(&twice), None);
    }

    #[test]
    fn what_comes_too_early_breaks_the_order() {
        let order = expect(Wanted::Order(vec!["authorize".into(), "capture".into()]), false);
        let hear = |routes: &[&str]| {
            let mut seen = Seen::default();
            routes.iter().for_each(|route| seen.hear(&order, route, ""));
            seen.fails(&order)
        };
        assert_eq!(hear(&["authorize", "authorize", "capture", "authorize"]), None);
        assert_eq!(hear(&["capture", "authorize"]).as_deref(), Some("capture before authorize"));
    }
}
