//! Patterns of names and paths.

use alloc::{vec, vec::Vec};

/// A part of a pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    /// This byte.
    Byte(u8),
    /// Any byte but a slash: `?`.
    One,
    /// Any bytes but slashes: `*`.
    Run,
    /// Any bytes: `**`.
    All,
}

/// A pattern: `*` stands for anything within a name, `**` for anything, `?` for one byte of a name.
#[derive(Clone, Debug)]
pub struct Pattern {
    tokens: Vec<Token>,
}

impl Pattern {
    /// The pattern that is written so.
    pub fn new(text: &str) -> Self {
        let mut tokens = Vec::with_capacity(text.len());
        for &byte in text.as_bytes() {
            match (byte, tokens.last_mut()) {
                (b'*', Some(Token::All)) => {}
                (b'*', Some(last @ Token::Run)) => *last = Token::All,
                (b'*', _) => tokens.push(Token::Run),
                (b'?', _) => tokens.push(Token::One),
                _ => tokens.push(Token::Byte(byte)),
            }
        }
        Self { tokens }
    }

    /// Whether it names whole paths, not last names.
    pub fn has_slash(&self) -> bool {
        self.tokens.contains(&Token::Byte(b'/'))
    }

    /// Whether all of a text matches. The time it takes grows with the product of both lengths, whatever the pattern.
    pub fn matches(&self, text: &[u8]) -> bool {
        // What is true at an index: the tokens before it match the bytes seen so far.
        let mut reached = vec![false; self.tokens.len() + 1];
        reached[0] = true;
        self.pass_runs(&mut reached);
        let mut next = reached.clone();
        for &byte in text {
            next.fill(false);
            for (index, token) in self.tokens.iter().enumerate().filter(|(at, _)| reached[*at]) {
                match token {
                    Token::Byte(wanted) if *wanted == byte => next[index + 1] = true,
                    Token::One if byte != b'/' => next[index + 1] = true,
                    Token::Run if byte != b'/' => next[index] = true,
                    Token::All => next[index] = true,
                    _ => {}
                }
            }
            self.pass_runs(&mut next);
            core::mem::swap(&mut reached, &mut next);
        }
        reached[self.tokens.len()]
    }

    /// A run may stand for nothing.
    fn pass_runs(&self, reached: &mut [bool]) {
        for (index, token) in self.tokens.iter().enumerate() {
            if reached[index] && matches!(token, Token::Run | Token::All) {
                reached[index + 1] = true;
            }
        }
    }
}

/// Whether one of the patterns names a program, by its file's name or by its path; without patterns any is meant.
pub fn matches_program(patterns: &[Pattern], path: &[u8]) -> bool {
    let name = path.rsplit(|&byte| byte == b'/').next().unwrap_or(path);
    let matches =
        |pattern: &Pattern| pattern.matches(if pattern.has_slash() { path } else { name });
    patterns.is_empty() || patterns.iter().any(matches)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stars_stop_at_slashes_unless_there_are_two() {
        let cases = [
            ("a", "a", true),
            ("a", "b", false),
            ("a", "ab", false),
            ("", "", true),
            ("*", "", true),
            ("*", "abc", true),
            ("*", "a/b", false),
            ("**", "a/b", true),
            ("/tmp/*", "/tmp/x", true),
            ("/tmp/*", "/tmp/x/y", false),
            ("/tmp/**", "/tmp/x/y", true),
            ("/tmp/**", "/tmp", false),
            ("**.log", "/var/log/a.log", true),
            ("**/x/*.c", "/a/b/x/y.c", true),
            ("python3*", "python3.11", true),
            ("?", "a", true),
            ("?", "/", false),
            ("?", "", false),
            ("a*b*c", "aXXbYYc", true),
            ("a*b*c", "aXXbYY", false),
        ];
        for (pattern, text, expected) in cases {
            let found = Pattern::new(pattern).matches(text.as_bytes());
            assert_eq!(found, expected, "{pattern} {text}");
        }
    }

    #[test]
    fn no_pattern_takes_for_ever() {
        let pattern = Pattern::new(&"*a".repeat(100));
        assert!(!pattern.matches("a".repeat(2000).replace("aa", "ab").as_bytes()));
    }
}
