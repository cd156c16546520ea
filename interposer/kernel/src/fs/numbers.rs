//! What inode numbers files show: those of the order of first sight or, where the host's times are asked for, the host's.
//!
//! The two go together: git's index holds both, and git reads every file of which either is another (git's
//! Documentation/technical/racy-git.txt).

use simrun_abi::boot::FileTimes;

use crate::lookup::{Lookup, Seen};

/// Device and inode number of the host.
pub type HostNumbers = (u64, u64);

/// The inode numbers that files show.
#[derive(Debug)]
pub struct Numbers {
    /// The number given last.
    last: u64,
    /// Those of the host's files.
    of_host: Lookup<HostNumbers, u64>,
    /// All that files have, if those of the host show theirs.
    taken: Option<Seen<u64>>,
}

/// Numbers below are for the trees that no host file backs, and for a file system's own files.
const FIRST: u64 = 1000;
/// The run's own begin here where the host's files show theirs, which are mostly smaller.
const FIRST_BESIDE_HOST: u64 = 1 << 40;

impl Numbers {
    /// Of a tree without files.
    #[must_use]
    pub fn new(policy: FileTimes) -> Self {
        let (first, taken) = match policy {
            FileTimes::Fixed => (FIRST, None),
            FileTimes::Host => (FIRST_BESIDE_HOST, Some(Seen::default())),
        };
        Self { last: first - 1, of_host: Lookup::default(), taken }
    }

    /// One that no file has.
    pub fn next(&mut self) -> u64 {
        next(&mut self.last, &mut self.taken)
    }

    /// That of the host's file with these numbers.
    pub fn of_host(&mut self, host: HostNumbers) -> u64 {
        let Self { last, of_host, taken } = self;
        of_host.get_or_make(host, || {
            // A file of another device may have it.
            let is_free = taken.as_mut().is_some_and(|taken| taken.insert(host.1));
            if is_free { host.1 } else { next(last, taken) }
        })
    }
}

fn next(last: &mut u64, taken: &mut Option<Seen<u64>>) -> u64 {
    loop {
        *last += 1;
        if taken.as_mut().is_none_or(|taken| taken.insert(*last)) {
            return *last;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_files_have_one_number() {
        let mut fixed = Numbers::new(FileTimes::Fixed);
        let all =
            [fixed.of_host((1, 7)), fixed.next(), fixed.of_host((2, 7)), fixed.of_host((1, 7))];
        assert_eq!(all, [1000, 1001, 1002, 1000]);
        let mut host = Numbers::new(FileTimes::Host);
        let first = FIRST_BESIDE_HOST;
        let all = [host.of_host((1, 7)), host.next(), host.of_host((2, 7)), host.of_host((1, 7))];
        assert_eq!(all, [7, first, first + 1, 7]);
        assert_eq!([host.of_host((1, first + 2)), host.next()], [first + 2, first + 3]);
    }
}
