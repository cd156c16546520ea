//! What the host has as bytes, in JSON without loss: text where it is text.

use std::{
    ffi::{OsStr, OsString},
    fmt,
    os::unix::ffi::{OsStrExt, OsStringExt},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::trace::base16;

/// A path, an argument or a variable.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(pub Vec<u8>);

/// How it is written.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Written {
    Text(String),
    Bytes { base16: String },
}

impl Serialize for Text {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match std::str::from_utf8(&self.0) {
            Ok(text) => serializer.serialize_str(text),
            Err(_) => Written::Bytes { base16: base16(&self.0) }.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Written::deserialize(deserializer)? {
            Written::Text(text) => Ok(Self(text.into_bytes())),
            Written::Bytes { base16 } => from_base16(&base16)
                .map(Self)
                .ok_or_else(|| serde::de::Error::custom("base16 has two digits a byte")),
        }
    }
}

fn from_base16(digits: &str) -> Option<Vec<u8>> {
    if !digits.is_ascii() || !digits.len().is_multiple_of(2) {
        return None;
    }
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).ok())
        .collect()
}

impl Text {
    /// As the standard library has it.
    pub fn as_os_str(&self) -> &OsStr {
        OsStr::from_bytes(&self.0)
    }
}

impl From<&[u8]> for Text {
    fn from(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }
}

impl From<OsString> for Text {
    fn from(text: OsString) -> Self {
        Self(text.into_vec())
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&String::from_utf8_lossy(&self.0))
    }
}

/// A command as one would type it into a shell.
pub fn shell_command(words: &[Text]) -> String {
    let quoted: Vec<_> =
        words.iter().map(|word| quote(&String::from_utf8_lossy(&word.0))).collect();
    quoted.join(" ")
}

fn quote(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "_-./=:,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', r"'\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sequence_of_bytes_comes_back() {
        for bytes in [&b""[..], b"plain", "\u{e9}\n\"".as_bytes(), &[0xff, 0, b'a']] {
            let text = Text::from(bytes);
            let json = serde_json::to_string(&text).expect("JSON");
            assert_eq!(serde_json::from_str::<Text>(&json).ok(), Some(text), "{json}");
        }
        assert!(serde_json::from_str::<Text>(r#"{"base16":"abc"}"#).is_err());
    }

    #[test]
    fn a_command_can_be_typed_again() {
        let words = ["sh", "-c", "echo 'a' $B", ""].map(|word| Text::from(word.as_bytes()));
        assert_eq!(shell_command(&words), r"sh -c 'echo '\''a'\'' $B' ''");
    }
}
