//! Shared memory (shm_overview in sysvipc(7)).

use alloc::rc::Rc;

use super::{Object, Permission};
use crate::file::RegularFile;

/// Marks a mode: the segment goes when nobody has it attached any more (`SHM_DEST`).
pub const DESTROYED: u32 = 0o1000;
/// Marks a mode: the segment stays in memory (`SHM_LOCKED`).
pub const LOCKED: u32 = 0o2000;

/// A segment of shared memory.
#[derive(Debug)]
pub struct Segment {
    /// Whose it is.
    pub permission: Permission,
    /// What `/proc/PID/maps` calls it.
    pub name: Rc<[u8]>,
    /// Its memory.
    pub memory: RegularFile,
    /// Length as asked for, in bytes.
    pub size: u64,
    /// The object by which its mappings are known.
    pub object: u64,
    /// Mappings of it, in all address spaces.
    pub attached: u64,
    /// Second of the last attachment.
    pub attach_time: i64,
    /// Second of the last detachment.
    pub detach_time: i64,
    /// Second of the last change by `shmctl`, or of the making.
    pub change_time: i64,
    /// Number of the process that made it.
    pub maker: u32,
    /// Number of the last process that attached or detached it.
    pub last: u32,
}

impl Segment {
    /// Whether it is to go with its last attachment, and that is gone.
    #[must_use]
    pub const fn is_finished(&self) -> bool {
        self.permission.mode & DESTROYED != 0 && self.attached == 0
    }
}

impl Object for Segment {
    fn permission(&self) -> &Permission {
        &self.permission
    }

    fn permission_mut(&mut self) -> &mut Permission {
        &mut self.permission
    }
}
