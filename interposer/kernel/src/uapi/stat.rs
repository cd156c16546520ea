//! <asm/stat.h>.

use bytemuck::{Pod, Zeroable};
use linux_raw_sys::general as raw;

use crate::host::HostStat;

/// A device number as the kernel itself writes it (`MKDEV` in include/linux/kdev_t.h), from one as stat(2) has it.
#[must_use]
pub const fn kernel_device(device: u64) -> u64 {
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xf_ff00);
    major << 20 | minor
}

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
    /// What a program sees of a file.
    #[must_use]
    pub fn from_host(stat: &HostStat) -> Self {
        let [(atime, atime_nsec), (mtime, mtime_nsec), (ctime, ctime_nsec)] =
            [stat.atime_ns, stat.mtime_ns, stat.ctime_ns].map(split);
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
            atime,
            atime_nsec,
            mtime,
            mtime_nsec,
            ctime,
            ctime_nsec,
            ..Self::default()
        }
    }
}

/// The type of a file: the upper bits of `st_mode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "inode(7) describes each")]
pub enum FileKind {
    Socket,
    Link,
    Regular,
    BlockDevice,
    Directory,
    CharacterDevice,
    Fifo,
    /// Nothing that has a name.
    Other,
}

impl FileKind {
    /// The type in a mode.
    #[must_use]
    pub fn of(mode: u32) -> Self {
        match mode & raw::S_IFMT {
            raw::S_IFSOCK => Self::Socket,
            raw::S_IFLNK => Self::Link,
            raw::S_IFREG => Self::Regular,
            raw::S_IFBLK => Self::BlockDevice,
            raw::S_IFDIR => Self::Directory,
            raw::S_IFCHR => Self::CharacterDevice,
            raw::S_IFIFO => Self::Fifo,
            _ => Self::Other,
        }
    }

    /// Its `DT_*`, as readdir(3) has it.
    #[must_use]
    pub const fn directory_type(self) -> u8 {
        match self {
            Self::Socket => 12,
            Self::Link => 10,
            Self::Regular => 8,
            Self::BlockDevice => 6,
            Self::Directory => 4,
            Self::CharacterDevice => 2,
            Self::Fifo => 1,
            Self::Other => 0,
        }
    }
}

/// `struct statx_timestamp`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "statx(2) describes each")]
pub struct StatxTimestamp {
    pub sec: i64,
    pub nsec: u32,
    pub reserved: i32,
}

impl StatxTimestamp {
    fn from_nanos(nanos: i64) -> Self {
        let (sec, nsec) = split(nanos);
        Self { sec, nsec: nsec as u32, reserved: 0 }
    }
}

/// `struct statx`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Pod, Zeroable)]
#[allow(missing_docs, reason = "statx(2) describes each")]
pub struct Statx {
    pub mask: u32,
    pub blksize: u32,
    pub attributes: u64,
    pub nlink: u32,
    pub uid: u32,
    pub gid: u32,
    pub mode: u16,
    pub spare0: u16,
    pub ino: u64,
    pub size: u64,
    pub blocks: u64,
    pub attributes_mask: u64,
    pub atime: StatxTimestamp,
    pub btime: StatxTimestamp,
    pub ctime: StatxTimestamp,
    pub mtime: StatxTimestamp,
    pub rdev_major: u32,
    pub rdev_minor: u32,
    pub dev_major: u32,
    pub dev_minor: u32,
    pub mnt_id: u64,
    pub dio_mem_align: u32,
    pub dio_offset_align: u32,
    pub spare: [u64; 12],
}

impl Statx {
    /// What a program sees of a file.
    #[must_use]
    pub fn from_host(stat: &HostStat) -> Self {
        Self {
            mask: raw::STATX_BASIC_STATS | raw::STATX_BTIME,
            blksize: stat.blksize as u32,
            nlink: stat.nlink as u32,
            uid: stat.uid,
            gid: stat.gid,
            mode: stat.mode as u16,
            ino: stat.ino,
            size: stat.size,
            blocks: stat.blocks,
            atime: StatxTimestamp::from_nanos(stat.atime_ns),
            btime: StatxTimestamp::from_nanos(stat.birth_ns),
            ctime: StatxTimestamp::from_nanos(stat.ctime_ns),
            mtime: StatxTimestamp::from_nanos(stat.mtime_ns),
            rdev_major: major(stat.rdev),
            rdev_minor: minor(stat.rdev),
            dev_major: major(stat.dev),
            dev_minor: minor(stat.dev),
            ..Self::default()
        }
    }
}

fn split(nanos: i64) -> (i64, i64) {
    (nanos.div_euclid(1_000_000_000), nanos.rem_euclid(1_000_000_000))
}

fn major(device: u64) -> u32 {
    (device >> 8 & 0xfff | device >> 32 & 0xffff_f000) as u32
}

fn minor(device: u64) -> u32 {
    (device & 0xff | device >> 12 & 0xffff_ff00) as u32
}
