//! What times and numbers the host's files show.
//!
//! When a file was last written differs between two machines that hold the same file, and changes by `touch`: what a
//! person works on therefore shows one and the same time, a day before the run. Installed software keeps its times,
//! which came with its packages: compiled Python modules, for one, hold those of their sources.
//!
//! Where all of the host's are asked for, its inode numbers go with them: git's index holds both, and git reads every
//! file of which either is another (git's Documentation/technical/racy-git.txt).

use alloc::collections::BTreeSet;

use simrun_abi::boot::FileTimes;

use super::{FileTime, Times};
use crate::{host::HostStat, uapi::stat::FileKind};

/// How long before the run began the host's files were made: a day.
const AGE_NS: FileTime = 86_400_000_000_000;

/// Where software is installed (hier(7)).
const INSTALLED: [&[u8]; 7] =
    [b"/usr/", b"/lib", b"/bin/", b"/sbin/", b"/opt/", b"/nix/store/", b"/gnu/store/"];

/// Directories that Python installs packages into.
const PACKAGES: [&[u8]; 2] = [b"site-packages", b"dist-packages"];

/// The times that the host's file at a path shows, in a run that began at this time.
#[must_use]
pub fn shown(policy: FileTimes, started: FileTime, path: &[u8], stat: &HostStat) -> Times {
    let is_directory = FileKind::of(stat.mode) == FileKind::Directory;
    let modified = stat.mtime_ns.min(started);
    match policy {
        // When it was read last changes with every look.
        FileTimes::Host => Times { change: stat.ctime_ns.min(started), ..Times::all(modified) },
        FileTimes::Fixed if !is_directory && is_installed(path) => Times::all(modified),
        FileTimes::Fixed => Times::all(started - AGE_NS),
    }
}

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

fn is_installed(path: &[u8]) -> bool {
    INSTALLED.iter().any(|prefix| path.starts_with(prefix))
        || path.split(|&byte| byte == b'/').any(|part| PACKAGES.contains(&part))
}

#[cfg(test)]
mod tests {
    use linux_raw_sys::general as raw;

    use super::*;

    #[test]
    fn only_installed_files_show_the_hosts_times() {
        let started = 100 * AGE_NS;
        let fixed = Times::all(started - AGE_NS);
        let cases = [
            (FileTimes::Fixed, "/home/me/main.c", 5, fixed),
            (FileTimes::Fixed, "/usr/lib/python3/os.py", 5, Times::all(5)),
            (FileTimes::Fixed, "/lib64/ld-linux-x86-64.so.2", 5, Times::all(5)),
            (FileTimes::Fixed, "/home/me/.venv/lib/python3/site-packages/a.py", 5, Times::all(5)),
            (FileTimes::Fixed, "/home/me/site-packages.txt", 5, fixed),
            (FileTimes::Host, "/home/me/main.c", 5, Times { change: 6, ..Times::all(5) }),
            (FileTimes::Host, "/home/me/main.c", started + 1, Times::all(started)),
        ];
        for (policy, path, host, expected) in cases {
            let (mode, ctime_ns) = (raw::S_IFREG, host + 1);
            let stat = HostStat { mode, mtime_ns: host, ctime_ns, ..HostStat::default() };
            assert_eq!(shown(policy, started, path.as_bytes(), &stat), expected, "{path}");
        }
        let folder = HostStat { mode: raw::S_IFDIR, mtime_ns: 5, ..HostStat::default() };
        assert_eq!(shown(FileTimes::Fixed, started, b"/usr/lib", &folder), fixed);
    }

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
