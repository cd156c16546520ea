//! What calls are about: which of their arguments are descriptors and paths, and which move bytes.

use linux_raw_sys::general as nr;
use simrun_abi::faults::DiskOperation;

/// A path among the arguments of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Name {
    /// The argument with the directory that a relative path starts from; without it, the working directory.
    pub directory: Option<u8>,
    /// The argument with the path.
    pub path: u8,
}

/// How a call describes the bytes that it moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Transfer {
    /// A number of bytes, in this argument.
    Bytes(u8),
    /// An array of buffers in argument 1, their number in argument 2.
    Vector,
    /// A message header in argument 1.
    Message,
}

/// What a call is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The argument with a descriptor: where a call has two, the one that it writes to.
    pub descriptor: Option<u8>,
    /// The arguments with paths.
    pub paths: &'static [Name],
    /// The bytes that it moves, if it may move fewer than it was asked for.
    pub transfer: Option<Transfer>,
    /// Whether the descriptor is written to.
    pub writes: bool,
    /// What it does with the disk, if it is about files.
    pub disk: Option<DiskOperation>,
}

const fn here(path: u8) -> Name {
    Name { directory: None, path }
}

const fn at(directory: u8, path: u8) -> Name {
    Name { directory: Some(directory), path }
}

const FIRST: &[Name] = &[here(0)];
const SECOND: &[Name] = &[here(1)];
const BOTH: &[Name] = &[here(0), here(1)];
const FIRST_AT: &[Name] = &[at(0, 1)];
const SECOND_AT: &[Name] = &[at(1, 2)];
const BOTH_AT: &[Name] = &[at(0, 1), at(2, 3)];

const NOTHING: Subject =
    Subject { descriptor: None, paths: &[], transfer: None, writes: false, disk: None };

const fn descriptor(argument: u8) -> Subject {
    Subject { descriptor: Some(argument), ..NOTHING }
}

const fn paths(paths: &'static [Name]) -> Subject {
    Subject { paths, ..NOTHING }
}

const fn reads(argument: u8, transfer: Transfer) -> Subject {
    Subject { transfer: Some(transfer), ..descriptor(argument) }
}

const fn writes(argument: u8, transfer: Transfer) -> Subject {
    Subject { writes: true, ..reads(argument, transfer) }
}

/// What the call with this number is about.
#[must_use]
pub fn of(number: u64) -> Subject {
    let Ok(number) = u32::try_from(number) else { return NOTHING };
    Subject { disk: disk(number), ..arguments(number) }
}

fn disk(number: u32) -> Option<DiskOperation> {
    Some(match number {
        nr::__NR_read
        | nr::__NR_readv
        | nr::__NR_pread64
        | nr::__NR_preadv
        | nr::__NR_preadv2
        | nr::__NR_getdents
        | nr::__NR_getdents64
        | nr::__NR_readahead => DiskOperation::Read,
        nr::__NR_write
        | nr::__NR_writev
        | nr::__NR_pwrite64
        | nr::__NR_pwritev
        | nr::__NR_pwritev2
        | nr::__NR_fallocate
        | nr::__NR_copy_file_range
        | nr::__NR_sendfile
        | nr::__NR_splice => DiskOperation::Write,
        nr::__NR_fsync | nr::__NR_fdatasync | nr::__NR_sync_file_range | nr::__NR_syncfs => {
            DiskOperation::Sync
        }
        nr::__NR_open
        | nr::__NR_openat
        | nr::__NR_creat
        | nr::__NR_mkdir
        | nr::__NR_mkdirat
        | nr::__NR_mknod
        | nr::__NR_mknodat
        | nr::__NR_symlink
        | nr::__NR_symlinkat
        | nr::__NR_link
        | nr::__NR_linkat
        | nr::__NR_unlink
        | nr::__NR_unlinkat
        | nr::__NR_rmdir
        | nr::__NR_rename
        | nr::__NR_renameat
        | nr::__NR_renameat2
        | nr::__NR_truncate
        | nr::__NR_ftruncate => DiskOperation::Change,
        _ => return None,
    })
}

fn arguments(number: u32) -> Subject {
    match number {
        nr::__NR_read | nr::__NR_pread64 | nr::__NR_recvfrom => reads(0, Transfer::Bytes(2)),
        nr::__NR_readv | nr::__NR_preadv | nr::__NR_preadv2 => reads(0, Transfer::Vector),
        nr::__NR_recvmsg => reads(0, Transfer::Message),
        nr::__NR_write | nr::__NR_pwrite64 | nr::__NR_sendto => writes(0, Transfer::Bytes(2)),
        nr::__NR_writev | nr::__NR_pwritev | nr::__NR_pwritev2 | nr::__NR_vmsplice => {
            writes(0, Transfer::Vector)
        }
        nr::__NR_sendmsg => writes(0, Transfer::Message),
        nr::__NR_sendfile => writes(0, Transfer::Bytes(3)),
        nr::__NR_splice | nr::__NR_copy_file_range => writes(2, Transfer::Bytes(4)),
        nr::__NR_getrandom => Subject { transfer: Some(Transfer::Bytes(1)), ..NOTHING },
        nr::__NR_tee => descriptor(1),
        nr::__NR_mmap => descriptor(4),
        nr::__NR_epoll_ctl => descriptor(2),
        nr::__NR_sendmmsg => Subject { writes: true, ..descriptor(0) },
        _ => of_path(number).or_else(|| of_descriptor(number)).unwrap_or(NOTHING),
    }
}

fn of_path(number: u32) -> Option<Subject> {
    Some(match number {
        nr::__NR_open
        | nr::__NR_creat
        | nr::__NR_stat
        | nr::__NR_lstat
        | nr::__NR_access
        | nr::__NR_readlink
        | nr::__NR_chdir
        | nr::__NR_chroot
        | nr::__NR_mkdir
        | nr::__NR_mknod
        | nr::__NR_unlink
        | nr::__NR_rmdir
        | nr::__NR_chmod
        | nr::__NR_chown
        | nr::__NR_lchown
        | nr::__NR_utimes
        | nr::__NR_utime
        | nr::__NR_truncate
        | nr::__NR_getxattr
        | nr::__NR_lgetxattr
        | nr::__NR_listxattr
        | nr::__NR_llistxattr
        | nr::__NR_setxattr
        | nr::__NR_lsetxattr
        | nr::__NR_removexattr
        | nr::__NR_lremovexattr
        | nr::__NR_statfs
        | nr::__NR_execve => paths(FIRST),
        nr::__NR_inotify_add_watch | nr::__NR_symlink => paths(SECOND),
        nr::__NR_link | nr::__NR_rename => paths(BOTH),
        nr::__NR_openat
        | nr::__NR_openat2
        | nr::__NR_newfstatat
        | nr::__NR_statx
        | nr::__NR_faccessat
        | nr::__NR_faccessat2
        | nr::__NR_readlinkat
        | nr::__NR_mkdirat
        | nr::__NR_mknodat
        | nr::__NR_unlinkat
        | nr::__NR_fchmodat
        | nr::__NR_fchmodat2
        | nr::__NR_fchownat
        | nr::__NR_utimensat
        | nr::__NR_futimesat
        | nr::__NR_name_to_handle_at
        | nr::__NR_execveat => paths(FIRST_AT),
        nr::__NR_symlinkat => paths(SECOND_AT),
        nr::__NR_linkat | nr::__NR_renameat | nr::__NR_renameat2 => paths(BOTH_AT),
        _ => return None,
    })
}

fn of_descriptor(number: u32) -> Option<Subject> {
    Some(match number {
        nr::__NR_close
        | nr::__NR_dup
        | nr::__NR_dup2
        | nr::__NR_dup3
        | nr::__NR_fcntl
        | nr::__NR_ioctl
        | nr::__NR_lseek
        | nr::__NR_fstat
        | nr::__NR_getdents64
        | nr::__NR_getdents
        | nr::__NR_fchdir
        | nr::__NR_flock
        | nr::__NR_fchmod
        | nr::__NR_fchown
        | nr::__NR_ftruncate
        | nr::__NR_fallocate
        | nr::__NR_fgetxattr
        | nr::__NR_flistxattr
        | nr::__NR_fsetxattr
        | nr::__NR_fremovexattr
        | nr::__NR_fstatfs
        | nr::__NR_syncfs
        | nr::__NR_fsync
        | nr::__NR_fdatasync
        | nr::__NR_sync_file_range
        | nr::__NR_fadvise64
        | nr::__NR_readahead
        | nr::__NR_bind
        | nr::__NR_listen
        | nr::__NR_accept
        | nr::__NR_accept4
        | nr::__NR_connect
        | nr::__NR_getsockname
        | nr::__NR_getpeername
        | nr::__NR_shutdown
        | nr::__NR_recvmmsg
        | nr::__NR_setsockopt
        | nr::__NR_getsockopt
        | nr::__NR_epoll_wait
        | nr::__NR_epoll_pwait
        | nr::__NR_epoll_pwait2
        | nr::__NR_timerfd_settime
        | nr::__NR_timerfd_gettime
        | nr::__NR_mq_timedsend
        | nr::__NR_mq_timedreceive
        | nr::__NR_mq_notify
        | nr::__NR_mq_getsetattr => descriptor(0),
        _ => return None,
    })
}
