//! What inode numbers files show: those of the order of first sight or, where the host's times are asked for, the host's.
//!
//! The two go together: git's index holds both, and git reads every file of which either is another (git's
//! Documentation/technical/racy-git.txt).

use alloc::collections::BTreeSet;

use simrun_abi::boot::FileTimes;

/// The inode numbers that files show.
#[derive(Debug)]
pub struct Numbers {
    /// The number given last.
    last: u64,
    /// All that files have, if those of the host show theirs.
    taken: Option<BTreeSet<u64>>,
}

/// Numbers below are for the trees that no host file backs, and for a file system's own files.
const FIRST: u64 = 1000;
/// The run's own begin here where the host's files show theirs, which are mostly smaller.
const FIRST_BESIDE_HOST: u64 = 1 << 40;

impl Numbers {
    /// Of a tree without files.
    #[must_use]
    pub fn new(policy: FileTimes) -> Self {
        match policy {
            FileTimes::Fixed => Self { last: FIRST - 1, taken: None },
            FileTimes::Host => Self { last: FIRST_BESIDE_HOST - 1, taken: Some(BTreeSet::new()) },
        }
    }

    /// One that no file has.
    pub fn next(&mut self) -> u64 {
        loop {
            self.last += 1;
            if self.taken.as_mut().is_none_or(|taken| taken.insert(self.last)) {
                return self.last;
            }
        }
    }

    /// One for a file that has this number on the host, where another of a second device may have it, too.
    pub fn of_host(&mut self, number: u64) -> u64 {
        let is_free = self.taken.as_mut().is_some_and(|taken| taken.insert(number));
        if is_free { number } else { self.next() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_have_one_number() {
        let mut fixed = Numbers::new(FileTimes::Fixed);
        assert_eq!([fixed.of_host(7), fixed.next(), fixed.of_host(7)], [1000, 1001, 1002]);
        let mut host = Numbers::new(FileTimes::Host);
        let first = FIRST_BESIDE_HOST;
        assert_eq!([host.of_host(7), host.next(), host.of_host(7)], [7, first, first + 1]);
        assert_eq!([host.of_host(first + 2), host.next()], [first + 2, first + 3]);
    }
}
