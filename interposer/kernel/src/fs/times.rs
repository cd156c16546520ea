//! What times the host's files show.
//!
//! When a file was last written differs between two machines that hold the same file, and changes by `touch`: what a
//! person works on therefore shows one and the same time, a day before the run. Installed software keeps its times,
//! which came with its packages: compiled Python modules, for one, hold those of their sources.

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
}
