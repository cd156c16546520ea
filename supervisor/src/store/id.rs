//! Names of runs and simulations: short, unique without asking anybody, and in the order of their making.

use std::{
    fmt, io,
    str::FromStr,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::plan;

/// Crockford's base 32: no letter looks like a digit.
const DIGITS: &[u8; 32] = b"0123456789abcdefghjkmnpqrstvwxyz";
/// Digits that count milliseconds: enough until 2059.
const TIME_DIGITS: usize = 8;
/// Digits drawn at random: of two runs that begin in one millisecond, one in a million pairs would share a name.
const RANDOM_DIGITS: usize = 4;
/// Where counting begins: 2025-01-01, in seconds since 1970.
const EPOCH: Duration = Duration::from_secs(1_735_689_600);

/// A name as in `0v5x8z2k-m4tx`: when, and which one.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// A new one, of this time.
    ///
    /// # Errors
    /// When the host gives no random bytes.
    pub fn new(time: SystemTime) -> io::Result<Self> {
        let since = time.duration_since(UNIX_EPOCH + EPOCH).unwrap_or_default();
        Ok(Self::of(since.as_millis() as u64, plan::random()?))
    }

    fn of(milliseconds: u64, random: u64) -> Self {
        let mut text = String::with_capacity(TIME_DIGITS + 1 + RANDOM_DIGITS);
        push_digits(&mut text, milliseconds, TIME_DIGITS);
        text.push('-');
        push_digits(&mut text, random, RANDOM_DIGITS);
        Self(text)
    }

    /// As it is written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

fn push_digits(text: &mut String, number: u64, count: usize) {
    for index in (0..count).rev() {
        text.push(char::from(DIGITS[(number >> (5 * index)) as usize % DIGITS.len()]));
    }
}

impl FromStr for Id {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let is_digits =
            |part: &str, len| part.len() == len && part.bytes().all(|byte| DIGITS.contains(&byte));
        match text.split_once('-') {
            Some((time, random))
                if is_digits(time, TIME_DIGITS) && is_digits(random, RANDOM_DIGITS) =>
            {
                Ok(Self(text.to_owned()))
            }
            _ => Err("a name looks like 0v5x8z2k-m4tx"),
        }
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Serialize for Id {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_sort_by_time_and_are_read_again() {
        let names = [(0, 9), (1, 3), (31, 1), (32, 0), (1 << 39, 0)];
        let names = names.map(|(time, random)| Id::of(time, random));
        assert!(names.is_sorted(), "{names:?}");
        assert_eq!(names[3].as_str(), "00000010-0000");
        for name in &names {
            assert_eq!(name.as_str().parse().as_ref(), Ok(name));
        }
        for wrong in ["", "00000010", "0000001u-0000", "00000010-00000", "00000010_0000"] {
            assert!(wrong.parse::<Id>().is_err(), "{wrong}");
        }
    }
}
