//! <linux/ipc.h>, <linux/shm.h>, <linux/sem.h>, <linux/msg.h>.

use bytemuck::{Pod, Zeroable};

/// `IPC_CREAT`: make it if it is not there.
pub const CREATE: u32 = 0o1000;
/// `IPC_EXCL`: fail if it is there.
pub const EXCLUSIVE: u32 = 0o2000;
/// `IPC_NOWAIT`: fail instead of waiting.
pub const NO_WAIT: u32 = 0o4000;

/// Commands of `shmctl`, `semctl` and `msgctl`.
pub mod command {
    #![allow(missing_docs, reason = "shmctl(2), semctl(2) and msgctl(2) describe each")]
    pub const REMOVE: u32 = 0;
    pub const SET: u32 = 1;
    pub const STAT: u32 = 2;
    pub const INFO: u32 = 3;
    pub const SEM_GETPID: u32 = 11;
    pub const SEM_GETVAL: u32 = 12;
    pub const SEM_GETALL: u32 = 13;
    pub const SEM_GETNCNT: u32 = 14;
    pub const SEM_GETZCNT: u32 = 15;
    pub const SEM_SETVAL: u32 = 16;
    pub const SEM_SETALL: u32 = 17;
    pub const SEM_STAT: u32 = 18;
    pub const SEM_INFO: u32 = 19;
    pub const SEM_STAT_ANY: u32 = 20;
    pub const MSG_STAT: u32 = 11;
    pub const MSG_INFO: u32 = 12;
    pub const MSG_STAT_ANY: u32 = 13;
    pub const SHM_LOCK: u32 = 11;
    pub const SHM_UNLOCK: u32 = 12;
    pub const SHM_STAT: u32 = 13;
    pub const SHM_INFO: u32 = 14;
    pub const SHM_STAT_ANY: u32 = 15;
}

/// `SHM_HUGETLB`: in huge pages.
pub const SHM_HUGE_PAGES: u32 = 0o4000;
/// `SHM_NORESERVE`: not accounted for.
pub const SHM_NO_RESERVE: u32 = 0o10000;
/// `SEM_UNDO`: the end of the process undoes it.
pub const SEM_UNDO: u32 = 0x1000;
/// `MSG_NOERROR`: cut what is too long.
pub const MSG_NO_ERROR: u32 = 0o10000;
/// `MSG_EXCEPT`: any type but this.
pub const MSG_EXCEPT: u32 = 0o20000;
/// `MSG_COPY`: leave the message, which is named by its place.
pub const MSG_COPY: u32 = 0o40000;

bitflags::bitflags! {
    /// shmat(2)'s flags.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    pub struct AttachFlags: u32 {
        /// Only reading.
        const READ_ONLY = 0o10000;
        /// At the next lower page boundary.
        const ROUND = 0o20000;
        /// Over what is there.
        const REMAP = 0o40000;
        /// Executing, too.
        const EXEC = 0o100000;
    }
}

/// `struct shmid64_ds` after its permission.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[allow(missing_docs, reason = "shmctl(2) describes each")]
pub struct SegmentStatus {
    pub size: u64,
    pub attach_time: i64,
    pub detach_time: i64,
    pub change_time: i64,
    pub maker: u32,
    pub last: u32,
    pub attached: u64,
    pub unused: [u64; 2],
}

/// `struct semid64_ds` after its permission.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[allow(missing_docs, reason = "semctl(2) describes each")]
pub struct SetStatus {
    pub operation_time: i64,
    pub unused: u64,
    pub change_time: i64,
    pub unused2: u64,
    pub count: u64,
    pub unused3: [u64; 2],
}

/// `struct msqid64_ds` after its permission.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[allow(missing_docs, reason = "msgctl(2) describes each")]
pub struct QueueStatus {
    pub send_time: i64,
    pub receive_time: i64,
    pub change_time: i64,
    pub bytes: u64,
    pub count: u64,
    pub bytes_max: u64,
    pub last_sender: u32,
    pub last_receiver: u32,
    pub unused: [u64; 2],
}

/// `struct sembuf`.
#[repr(C)]
#[derive(Clone, Copy, Debug, Default, Pod, Zeroable)]
#[allow(missing_docs, reason = "semop(2) describes each")]
pub struct SemaphoreOperation {
    pub number: u16,
    pub change: i16,
    pub flags: u16,
}
