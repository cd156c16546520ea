//! What a text must be.

use regex::{Regex, RegexBuilder};
use simrun_config::{Spanned, WordOr, Wrong};

use super::Captures;
use crate::file::Text as FileText;

/// All that a text must be.
#[derive(Clone, Debug)]
pub struct Text {
    /// Whether it must not be there at all.
    is_absent: bool,
    tests: Vec<Test>,
    ignores_case: bool,
}

#[derive(Clone, Debug)]
enum Test {
    OneOf(Vec<String>),
    IsNot(String),
    Contains(String),
    StartsWith(String),
    EndsWith(String),
    /// A pattern, and how it is written.
    Like(Regex, String),
    Unlike(Regex, String),
    AtLeast(f64),
    AtMost(f64),
}

/// What `*` stands for in a glob.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Star {
    /// Any letters.
    Anything,
    /// Any letters but slashes; `**` stands for those, too.
    WithinSlashes,
}

impl Text {
    /// Reads what a text must be.
    ///
    /// # Errors
    /// When a pattern is none.
    pub fn new(text: &Spanned<WordOr<FileText>>, star: Star) -> Result<Self, Wrong> {
        let more = match &text.value {
            WordOr::Word(word) => return Ok(Self::exactly(word)),
            WordOr::More(more) => more,
        };
        let case =
            |text: &String| if more.ignore_case { text.to_lowercase() } else { text.clone() };
        let build = |pattern: &str, at: &Spanned<String>| {
            let mut builder = RegexBuilder::new(pattern);
            let built = builder.case_insensitive(more.ignore_case).build();
            built.map_err(|error| {
                at.wrong(format!("`{}` is no pattern: {}", at.value, last_line(&error)))
            })
        };
        let like = |at: &Spanned<String>| Ok((build(at, at)?, at.value.clone()));
        let mut tests = Vec::new();
        let mut add = |test| tests.push(test);
        if !more.is.is_empty() {
            add(Test::OneOf(more.is.iter().map(case).collect()));
        }
        more.is_not.iter().for_each(|text| add(Test::IsNot(case(text))));
        more.contains.iter().for_each(|text| add(Test::Contains(case(text))));
        more.starts_with.iter().for_each(|text| add(Test::StartsWith(case(text))));
        more.ends_with.iter().for_each(|text| add(Test::EndsWith(case(text))));
        for pattern in more.regex.iter() {
            let (regex, text) = like(pattern)?;
            add(Test::Like(regex, text));
        }
        for pattern in more.regex_not.iter() {
            let (regex, text) = like(pattern)?;
            add(Test::Unlike(regex, text));
        }
        if let Some(pattern) = &more.glob {
            add(Test::Like(build(&glob(pattern, star), pattern)?, pattern.value.clone()));
        }
        more.at_least.iter().for_each(|&number| add(Test::AtLeast(number)));
        more.at_most.iter().for_each(|&number| add(Test::AtMost(number)));
        if more.absent && !tests.is_empty() {
            return Err(text.wrong("what is absent can be nothing else"));
        }
        Ok(Self { is_absent: more.absent, tests, ignores_case: more.ignore_case })
    }

    /// The same, for what is no path.
    ///
    /// # Errors
    /// When a pattern is none.
    pub fn of_anything(text: &Spanned<WordOr<FileText>>) -> Result<Self, Wrong> {
        Self::new(text, Star::Anything)
    }

    /// This and nothing else.
    pub fn exactly(text: &str) -> Self {
        let tests = vec![Test::OneOf(vec![text.into()])];
        Self { is_absent: false, tests, ignores_case: false }
    }

    /// Whether any of several texts is so, or none is there if that is wanted.
    pub fn holds<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> bool {
        let mut texts = texts.into_iter();
        match self.is_absent {
            true => texts.next().is_none(),
            false => texts.any(|text| self.fails(text).is_none()),
        }
    }

    /// Adds what the patterns have given names to.
    pub fn capture(&self, text: &str, captures: &mut Captures) {
        for test in &self.tests {
            let Test::Like(regex, _) = test else { continue };
            let Some(found) = regex.captures(text) else { continue };
            for name in regex.capture_names().flatten() {
                if let Some(part) = found.name(name) {
                    captures.add(name, part.as_str().into());
                }
            }
        }
    }

    /// The first test that a text fails.
    fn fails(&self, text: &str) -> Option<&Test> {
        let lower = self.ignores_case.then(|| text.to_lowercase());
        let folded = lower.as_deref().unwrap_or(text);
        let number = || text.trim().parse::<f64>().ok();
        self.tests.iter().find(|test| !match test {
            Test::OneOf(wanted) => wanted.iter().any(|wanted| wanted == folded),
            Test::IsNot(unwanted) => unwanted != folded,
            Test::Contains(part) => folded.contains(part),
            Test::StartsWith(start) => folded.starts_with(start),
            Test::EndsWith(end) => folded.ends_with(end),
            Test::Like(regex, _) => regex.is_match(text),
            Test::Unlike(regex, _) => !regex.is_match(text),
            Test::AtLeast(least) => number().is_some_and(|number| number >= *least),
            Test::AtMost(most) => number().is_some_and(|number| number <= *most),
        })
    }

    /// Why none of several texts is so: what is, and what was wanted.
    pub fn explain<'a>(&self, texts: impl IntoIterator<Item = &'a str>) -> String {
        let Some(text) = texts.into_iter().next() else {
            return format!(
                "is missing{}",
                self.tests.first().map_or(String::new(), |test| format!(": {}", test.wants()))
            );
        };
        match self.fails(text) {
            Some(test) => format!("differs: {}, {}", shown(text), test.wants()),
            None => format!("is there: {}", shown(text)),
        }
    }
}

impl Test {
    /// What it asks for, in words.
    fn wants(&self) -> String {
        let quoted = |text: &String| shown(text);
        match self {
            Self::OneOf(all) => {
                format!("not {}", all.iter().map(quoted).collect::<Vec<_>>().join(" or "))
            }
            Self::IsNot(text) => format!("anything but {}", shown(text)),
            Self::Contains(text) => format!("not with {} in it", shown(text)),
            Self::StartsWith(text) => format!("not beginning with {}", shown(text)),
            Self::EndsWith(text) => format!("not ending with {}", shown(text)),
            Self::Like(_, text) => format!("not like {text}"),
            Self::Unlike(_, text) => format!("anything but like {text}"),
            Self::AtLeast(number) => format!("not at least {number}"),
            Self::AtMost(number) => format!("not at most {number}"),
        }
    }
}

/// Most characters of a text that an explanation shows.
const SHOWN_MAX: usize = 80;

/// A text as explanations show it: on one line, and not too long.
pub fn shown(text: &str) -> String {
    let short: String = text.chars().take(SHOWN_MAX).collect();
    let dots = if short.len() < text.len() { "..." } else { "" };
    format!("{short:?}{dots}")
}

/// The last line of a message of the regex crate says what is wrong; the others show where.
fn last_line(error: &regex::Error) -> String {
    let text = error.to_string();
    let line = text.lines().last().unwrap_or_default();
    line.trim_start_matches("error: ").to_owned()
}

/// A glob as a pattern.
fn glob(glob: &str, star: Star) -> String {
    let mut pattern = String::from("(?s)^");
    let mut rest = glob;
    while let Some(c) = rest.chars().next() {
        rest = &rest[c.len_utf8()..];
        match c {
            '*' if rest.starts_with('*') => {
                rest = &rest[1..];
                pattern.push_str(".*");
            }
            '*' if star == Star::WithinSlashes => pattern.push_str("[^/]*"),
            '*' => pattern.push_str(".*"),
            '?' if star == Star::WithinSlashes => pattern.push_str("[^/]"),
            '?' => pattern.push('.'),
            c => pattern.push_str(&regex::escape(c.encode_utf8(&mut [0; 4]))),
        }
    }
    pattern + "$"
}
