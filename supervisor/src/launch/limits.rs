//! What the host must allow before a run can be set up.

use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};
use simrun_abi::layout::{self, fds};

/// Descriptors that a run needs besides simrun's own.
const DESCRIPTORS_MIN: u64 = fds::IMAGE as u64 + 64;
/// Address space that a program needs besides simrun's own ranges, in bytes.
const PROGRAM_SPACE_MIN: u64 = 1 << 30;

/// A limit that is too low.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shortage {
    /// As `ulimit` calls it.
    pub option: &'static str,
    /// What it limits.
    pub what: &'static str,
    /// The limit, in ulimit's unit.
    pub have: u64,
    /// What is needed, in ulimit's unit.
    pub need: u64,
}

impl std::fmt::Display for Shortage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { option, what, have, need } = self;
        write!(
            f,
            "the limit on {what} is too low: {have}, and a run needs {need} (ulimit {option})"
        )
    }
}

/// Every limit of this process that keeps a run from being set up.
pub fn shortages() -> Vec<Shortage> {
    let space = layout::ARENA_SIZE + layout::IMAGE_SIZE + PROGRAM_SPACE_MIN;
    let cases = [
        (Resource::RLIMIT_NOFILE, "-Hn", "open files", 1, DESCRIPTORS_MIN, Which::Hard),
        (Resource::RLIMIT_AS, "-v", "address space", 1024, space, Which::Soft),
        (Resource::RLIMIT_FSIZE, "-f", "file size", 1024, layout::ARENA_SIZE, Which::Soft),
    ];
    let short = |(resource, option, what, unit, need, which)| {
        let (soft, hard) = getrlimit(resource).ok()?;
        let have = match which {
            Which::Soft => soft,
            Which::Hard => hard,
        };
        (have != RLIM_INFINITY && have < need).then_some(Shortage {
            option,
            what,
            have: have / unit,
            need: need / unit,
        })
    };
    cases.into_iter().filter_map(short).collect()
}

/// Which of the two values of a limit counts: the hard one where simrun raises the other by itself.
#[derive(Clone, Copy)]
enum Which {
    Soft,
    Hard,
}
