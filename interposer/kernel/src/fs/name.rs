//! Names as keys: walks compare many, and most are short enough to be compared as a few numbers.

use alloc::boxed::Box;
use core::cmp::Ordering;

/// Longest name that needs no memory of its own, in bytes.
const SHORT_MAX: usize = 22;

/// A name in a directory, in which there is no NUL.
#[derive(Clone, Debug)]
pub enum Name {
    /// So many of these bytes; the others are zero.
    Short(u8, [u8; SHORT_MAX]),
    /// These bytes.
    Long(Box<[u8]>),
}

const _: () = assert!(size_of::<Name>() == 24);

impl From<&[u8]> for Name {
    fn from(name: &[u8]) -> Self {
        let mut bytes = [0; SHORT_MAX];
        match bytes.get_mut(..name.len()) {
            Some(place) => {
                place.copy_from_slice(name);
                Self::Short(name.len() as u8, bytes)
            }
            None => Self::Long(name.into()),
        }
    }
}

impl Name {
    /// The name itself.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Short(len, bytes) => &bytes[..usize::from(*len).min(SHORT_MAX)],
            Self::Long(name) => name,
        }
    }
}

/// Short names as numbers that are ordered as they are; the last two have bytes in common.
fn numbers(name: &[u8; SHORT_MAX]) -> [u64; 3] {
    [0, 8, SHORT_MAX - 8].map(|at| {
        let mut number = [0; 8];
        number.copy_from_slice(&name[at..at + 8]);
        u64::from_be_bytes(number)
    })
}

impl PartialEq for Name {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}

impl Eq for Name {}

impl PartialOrd for Name {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Name {
    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Short(_, one), Self::Short(_, other)) => numbers(one).cmp(&numbers(other)),
            _ => self.as_bytes().cmp(other.as_bytes()),
        }
    }
}

#[cfg(test)]
mod tests {
    use alloc::{vec, vec::Vec};

    use super::*;

    #[test]
    fn names_are_ordered_as_their_bytes_whether_they_are_short_or_long() {
        let lengths = [0, 1, 8, 9, 15, 16, SHORT_MAX - 1, SHORT_MAX, SHORT_MAX + 1, 255];
        let names: Vec<Vec<u8>> = lengths
            .iter()
            .flat_map(|&len| {
                let ends_with = |end: u8| [vec![b'b'; len], vec![end]].concat();
                [vec![b'b'; len], ends_with(b'a'), ends_with(0xff)]
            })
            .collect();
        for one in &names {
            assert_eq!(Name::from(one.as_slice()).as_bytes(), one);
            for other in &names {
                let keys = (Name::from(one.as_slice()), Name::from(other.as_slice()));
                assert_eq!(keys.0.cmp(&keys.1), one.cmp(other), "{one:?} {other:?}");
            }
        }
    }
}
