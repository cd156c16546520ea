//! Text without what differs from run to run: numbers and addresses.

/// Most bytes of a text that count.
const LEN_MAX: usize = 400;

/// The text with `N` for each number, decimal or hexadecimal, and blanks as one.
pub fn plain(text: &str) -> String {
    let mut plain = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        if plain.len() >= LEN_MAX {
            break;
        }
        let word: usize =
            rest.chars().take_while(|c| c.is_ascii_alphanumeric()).map(char::len_utf8).sum();
        if word > 0 {
            push_word(&mut plain, &rest[..word]);
            rest = &rest[word..];
        } else {
            if !first.is_whitespace() {
                plain.push(first);
            } else if !plain.ends_with(' ') {
                plain.push(' ');
            }
            rest = &rest[first.len_utf8()..];
        }
    }
    plain.trim().to_owned()
}

/// Digits that a word of hexadecimal digits has at least to be taken for a number, as in commit or request ids.
const HEXADECIMAL_MIN: usize = 6;

fn push_word(plain: &mut String, word: &str) {
    let digits = word.strip_prefix("0x").unwrap_or(word);
    let is_hexadecimal = digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        && digits.bytes().any(|byte| byte.is_ascii_digit())
        && (digits.len() < word.len() || digits.len() >= HEXADECIMAL_MIN);
    if is_hexadecimal {
        plain.push('N');
        return;
    }
    let mut in_number = false;
    for c in word.chars() {
        if !c.is_ascii_digit() {
            plain.push(c);
        } else if !in_number {
            plain.push('N');
        }
        in_number = c.is_ascii_digit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_addresses_are_taken_out() {
        let cases = [
            ("index 10 of 7", "index N of N"),
            ("at 0x7ffe12ab: client3  gone", "at N: clientN gone"),
            ("request 1f0c9a77 by peer", "request N by peer"),
            ("added a face", "added a face"),
            ("1.5s\n\t", "N.Ns"),
        ];
        for (text, expected) in cases {
            assert_eq!(plain(text), expected);
        }
        assert!(plain(&"a b ".repeat(1000)).len() <= LEN_MAX);
    }
}
