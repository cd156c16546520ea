//! From what somebody types to the name of a run or simulation.

use super::id::Id;

/// The run that began last.
const LAST: &str = "last";
/// Most names that a message lists.
const SHOWN_MAX: usize = 8;
/// How much alike two names must be for one to be suggested, from zero to one.
const ALIKE_MIN: f64 = 0.7;

/// Why nothing was found.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing has this name.
    #[error("no {what} is called {name}{hint}")]
    NotFound {
        /// What was looked for.
        what: &'static str,
        /// What was typed.
        name: String,
        /// What may help.
        hint: String,
    },
    /// It may be any of several.
    #[error("{name} may be any of {count} {what}s: {}", .shown.join(", "))]
    Ambiguous {
        /// What was looked for.
        what: &'static str,
        /// What was typed.
        name: String,
        /// How many it may be.
        count: usize,
        /// Some of them.
        shown: Vec<String>,
    },
}

/// Finds the one name that begins or ends as typed; `last` is the last one. Names are sorted.
///
/// # Errors
/// When it is none, or may be several.
pub fn find(what: &'static str, typed: &str, names: &[Id]) -> Result<Id, Error> {
    let read = as_digits(typed);
    let found: Vec<&Id> = if typed == LAST {
        names.last().into_iter().collect()
    } else {
        let fits = |id: &&Id| {
            !read.is_empty() && (id.as_str().starts_with(&read) || id.as_str().ends_with(&read))
        };
        names.iter().filter(fits).collect()
    };
    match found.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(Error::NotFound { what, name: typed.into(), hint: hint(what, &read, names) }),
        many => {
            let mut shown: Vec<_> =
                many.iter().rev().take(SHOWN_MAX).map(|id| id.to_string()).collect();
            if many.len() > SHOWN_MAX {
                shown.push("...".into());
            }
            Err(Error::Ambiguous { what, name: typed.into(), count: many.len(), shown })
        }
    }
}

/// What looks like a digit is one, as Crockford's base 32 has it.
fn as_digits(typed: &str) -> String {
    let digit = |c: char| match c.to_ascii_lowercase() {
        'o' => '0',
        'i' | 'l' => '1',
        c => c,
    };
    typed.chars().map(digit).collect()
}

/// The name that is most like what was typed, as words to add to a message.
pub fn nearest(typed: &str, names: &[&str]) -> String {
    let likeness = |name: &str| strsim::normalized_damerau_levenshtein(typed, name);
    let alike = |name| Some((likeness(name), name)).filter(|(likeness, _)| *likeness >= ALIKE_MIN);
    match names.iter().filter_map(|name| alike(name)).max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((_, nearest)) => format!("; did you mean {nearest}?"),
        None if names.is_empty() => "; there are none".into(),
        None => format!("; there are {}", names[..names.len().min(SHOWN_MAX)].join(", ")),
    }
}

fn hint(what: &str, typed: &str, names: &[Id]) -> String {
    if names.is_empty() {
        return format!(": no {what} is kept here");
    }
    // Whoever types the end only means the end.
    let likeness = |id: &Id| {
        let name = id.as_str();
        let end = &name[name.len() - typed.len().min(name.len())..];
        strsim::normalized_damerau_levenshtein(typed, name)
            .max(strsim::normalized_damerau_levenshtein(typed, end))
    };
    let is_alike = |likeness: f64| !typed.is_empty() && likeness >= ALIKE_MIN;
    let alike = |id| Some((likeness(id), id)).filter(|(likeness, _)| is_alike(*likeness));
    match names.iter().filter_map(alike).max_by(|(a, _), (b, _)| a.total_cmp(b)) {
        Some((_, nearest)) => format!("; did you mean {nearest}?"),
        None => format!("; `simrun {}` lists them", if what == "run" { "runs" } else { "ls" }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_known_by_either_end() {
        let names: Vec<Id> = ["0v5x8z2k-m4tx", "0v5x8z2m-19ab", "0v5x8z2n-19cd"]
            .map(|name| name.parse().expect("a name"))
            .to_vec();
        let find = |typed: &str| match find("run", typed, &names) {
            Ok(id) => id.to_string(),
            Err(error) => error.to_string(),
        };
        let cases = [
            ("0v5x8z2k-m4tx", "0v5x8z2k-m4tx"),
            ("M4TX", "0v5x8z2k-m4tx"),
            ("ov5x8z2m", "0v5x8z2m-19ab"),
            ("L9cd", "0v5x8z2n-19cd"),
            ("last", "0v5x8z2n-19cd"),
            ("0v5x", "0v5x may be any of 3 runs: 0v5x8z2n-19cd, 0v5x8z2m-19ab, 0v5x8z2k-m4tx"),
            ("m4tz", "no run is called m4tz; did you mean 0v5x8z2k-m4tx?"),
            ("0v5x8z2k-m4zx", "no run is called 0v5x8z2k-m4zx; did you mean 0v5x8z2k-m4tx?"),
            ("qqqq", "no run is called qqqq; `simrun runs` lists them"),
            ("", "no run is called ; `simrun runs` lists them"),
        ];
        for (typed, expected) in cases {
            assert_eq!(find(typed), expected);
        }
        let nothing = super::find("run", "x", &[]).expect_err("there is none");
        assert_eq!(nothing.to_string(), "no run is called x: no run is kept here");
    }
}
