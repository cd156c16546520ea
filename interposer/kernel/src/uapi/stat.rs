//! <asm/stat.h>.

use bytemuck::{Pod, Zeroable};

use crate::host::HostStat;

/// `struct stat`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "stat(2) describes each")]
pub struct Stat {
    pub dev: u64,
    pub ino: u64,
    pub nlink: u64,
    pub mode: u32,
    pub uid: u32,
    pub gid: u32,
    pub pad0: u32,
    pub rdev: u64,
    pub size: i64,
    pub blksize: i64,
    pub blocks: i64,
    pub atime: i64,
    pub atime_nsec: i64,
    pub mtime: i64,
    pub mtime_nsec: i64,
    pub ctime: i64,
    pub ctime_nsec: i64,
    pub unused: [i64; 3],
}

impl Stat {
    /// What the host says, as it stands.
    #[must_use]
    pub fn from_host(stat: &HostStat) -> Self {
        let (seconds, nanos) =
            (stat.mtime_ns.div_euclid(1_000_000_000), stat.mtime_ns.rem_euclid(1_000_000_000));
        Self {
            dev: stat.dev,
            ino: stat.ino,
            nlink: stat.nlink,
            mode: stat.mode,
            uid: stat.uid,
            gid: stat.gid,
            rdev: stat.rdev,
            size: stat.size as i64,
            blksize: stat.blksize as i64,
            blocks: stat.blocks as i64,
            atime: seconds,
            atime_nsec: nanos,
            mtime: seconds,
            mtime_nsec: nanos,
            ctime: seconds,
            ctime_nsec: nanos,
            ..Self::default()
        }
    }
}
