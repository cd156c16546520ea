//! What is wrong with a file, and where.

use std::fmt;

/// A place in a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Position {
    /// From one.
    pub line: u32,
    /// In characters, from one.
    pub column: u32,
}

/// What is wrong at a place; the place may still be unknown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    /// Where.
    pub at: Option<Position>,
    /// What.
    pub words: String,
}

impl Wrong {
    /// What is wrong here.
    pub fn new(at: Position, words: impl Into<String>) -> Self {
        Self { at: Some(at), words: words.into() }
    }

    /// The same, at this place unless a closer one is known.
    pub fn or_at(self, at: Position) -> Self {
        Self { at: self.at.or(Some(at)), ..self }
    }

    /// The same, of a file.
    pub fn of(self, file: &str) -> Problem {
        Problem { file: file.into(), at: self.at.unwrap_or_default(), words: self.words }
    }
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.words)
    }
}

impl std::error::Error for Wrong {}

impl serde::de::Error for Wrong {
    fn custom<T: fmt::Display>(words: T) -> Self {
        Self { at: None, words: words.to_string() }
    }

    fn missing_field(field: &'static str) -> Self {
        Self::custom(format!("`{field}` is missing"))
    }
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{file}:{}:{}: {words}", at.line, at.column)]
pub struct Problem {
    /// The file, as the user named it.
    pub file: String,
    /// Where.
    pub at: Position,
    /// What.
    pub words: String,
}
