//! A command as a text, split into words as a shell would do it; no shell runs.

/// What a shell would not take for a part of a word.
const FOR_A_SHELL: &str = "|&;<>()$`*?#~";

/// The words of a text.
///
/// # Errors
/// What is wrong with it, in words.
pub fn split(text: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut letters = text.chars();
    while let Some(letter) = letters.next() {
        match letter {
            ' ' | '\t' | '\n' => words.extend(word.take()),
            '\'' | '"' => {
                let word = word.get_or_insert_default();
                quoted(letter, &mut letters, word)?;
            }
            '\\' => match letters.next() {
                Some('\n') => {}
                Some(next) => word.get_or_insert_default().push(next),
                None => return Err("nothing follows the last `\\`".into()),
            },
            // They mean something at the start of a word only.
            '~' | '#' if word.is_some() => word.get_or_insert_default().push(letter),
            _ if FOR_A_SHELL.contains(letter) => {
                return Err(format!(
                    "`{letter}` is for a shell, and none runs: put it into quotes, or write `[sh, -c, \"...\"]`"
                ));
            }
            _ => word.get_or_insert_default().push(letter),
        }
    }
    words.extend(word);
    if words.is_empty() { Err("the command is empty".into()) } else { Ok(words) }
}

/// Takes in what is between quotes, the last one included.
fn quoted(
    quote: char,
    letters: &mut impl Iterator<Item = char>,
    word: &mut String,
) -> Result<(), String> {
    while let Some(letter) = letters.next() {
        match letter {
            _ if letter == quote => return Ok(()),
            '\\' if quote == '"' => match letters.next() {
                Some(next @ ('"' | '\\' | '$' | '`')) => word.push(next),
                Some('\n') => {}
                Some(next) => word.extend(['\\', next]),
                None => break,
            },
            '$' | '`' if quote == '"' => {
                return Err(format!(
                    "`{letter}` is for a shell, and none runs: use single quotes, or write `[sh, -c, \"...\"]`"
                ));
            }
            _ => word.push(letter),
        }
    }
    Err(format!("the quote `{quote}` has no end"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_a_shell_does() {
        for (text, expected) in [
            ("./store --port 80", &["./store", "--port", "80"][..]),
            ("  a\n  b  ", &["a", "b"]),
            (r#"a 'b "c' "d 'e" f\ g"#, &["a", "b \"c", "d 'e", "f g"]),
            (r#"x"y z"'' "" "\"\\\n""#, &["xy z", "", "\"\\\\n"]),
            ("a='$x' b#c d~e {{peers:80}}", &["a=$x", "b#c", "d~e", "{{peers:80}}"]),
        ] {
            assert_eq!(
                split(text),
                Ok(expected.iter().map(|&word| word.into()).collect()),
                "{text}"
            );
        }
    }

    #[test]
    fn what_only_a_shell_can_do_is_refused() {
        for text in
            ["a | b", "a && b", "a; b", "a > b", "a $x", "a \"$x\"", "a `b`", "a *", "~/a", "a # b"]
        {
            let words = split(text).expect_err(text);
            assert!(words.contains("for a shell"), "{text}: {words}");
        }
        assert_eq!(split("a 'b"), Err("the quote `'` has no end".into()));
        assert_eq!(split("a \\"), Err("nothing follows the last `\\`".into()));
        assert_eq!(split(" "), Err("the command is empty".into()));
    }
}
