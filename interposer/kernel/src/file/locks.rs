//! Locks on files: those of flock(2), and record locks, whose owner is a process (`F_SETLK`) or a description
//! (`F_OFD_SETLK`); see fcntl(2).

use alloc::{rc::Weak, vec::Vec};
use core::cell::RefCell;

use crate::{
    process::ThreadId,
    wait::{Readiness, WaitQueue, Wakes},
};

/// Who holds a lock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum LockOwner {
    /// The process of this number.
    Process(u32),
    /// The description of this token.
    Description(u64),
}

/// What a lock keeps others from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LockKind {
    /// Writing.
    Shared,
    /// Reading and writing.
    Exclusive,
}

impl LockKind {
    /// Whether two owners cannot have both.
    #[must_use]
    pub fn conflicts(self, other: Self) -> bool {
        self == Self::Exclusive || other == Self::Exclusive
    }
}

/// A lock on a range of bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecordLock {
    /// Who holds it.
    pub owner: LockOwner,
    /// What it keeps others from.
    pub kind: LockKind,
    /// First byte.
    pub start: u64,
    /// Last byte; [`Self::LAST`] for the end of the file, wherever that is.
    pub last: u64,
}

impl RecordLock {
    /// The last byte that any file can have (`OFFSET_MAX`).
    pub const LAST: u64 = i64::MAX as u64;

    fn overlaps(&self, start: u64, last: u64) -> bool {
        self.start <= last && start <= self.last
    }

    fn conflicts(&self, other: &Self) -> bool {
        self.owner != other.owner
            && self.overlaps(other.start, other.last)
            && self.kind.conflicts(other.kind)
    }
}

/// A thread that waits for a record lock.
#[derive(Clone, Debug)]
pub struct LockWaiter {
    /// The thread.
    pub thread: ThreadId,
    /// What it waits for.
    pub lock: RecordLock,
    /// On which file.
    pub file: Weak<FileLocks>,
}

/// The locks on one file.
#[derive(Debug, Default)]
pub struct FileLocks {
    /// Those of one owner together, owners in the order in which they came.
    records: RefCell<Vec<RecordLock>>,
    whole: RefCell<Vec<(u64, LockKind)>>,
    /// Woken when a record lock goes.
    pub records_queue: WaitQueue,
    /// Woken when a lock on the whole file goes.
    pub whole_queue: WaitQueue,
}

impl FileLocks {
    /// The first lock that stands in the way of another.
    #[must_use]
    pub fn conflict(&self, lock: &RecordLock) -> Option<RecordLock> {
        self.records.borrow().iter().find(|held| held.conflicts(lock)).copied()
    }

    /// The first lock that its owner holds in a range.
    #[must_use]
    pub fn held(&self, owner: LockOwner, start: u64, last: u64) -> Option<RecordLock> {
        let is_it = |held: &&RecordLock| held.owner == owner && held.overlaps(start, last);
        self.records.borrow().iter().find(is_it).copied()
    }

    /// Takes a record lock that nothing stands in the way of; what the owner held there before is replaced. Whether
    /// others may go on.
    pub fn lock(&self, lock: RecordLock) -> bool {
        let group = self.records.borrow().iter().position(|held| held.owner == lock.owner);
        let freed = self.unlock(lock.owner, lock.start, lock.last);
        let mut records = self.records.borrow_mut();
        let mut merged = lock;
        records.retain(|held| {
            let alike = held.owner == lock.owner && held.kind == lock.kind;
            let touches = held.last.checked_add(1) == Some(merged.start)
                || merged.last.checked_add(1) == Some(held.start);
            if alike && touches {
                merged.start = merged.start.min(held.start);
                merged.last = merged.last.max(held.last);
            }
            !(alike && touches)
        });
        // An owner's locks stay together, in the order of their bytes (`posix_lock_inode` in fs/locks.c).
        let group = group.unwrap_or(records.len());
        let is_before =
            |held: &&RecordLock| held.owner == merged.owner && held.start < merged.start;
        let at = group + records[group..].iter().take_while(is_before).count();
        records.insert(at, merged);
        freed
    }

    /// Lets an owner's record locks in a range go; whether there were any.
    pub fn unlock(&self, owner: LockOwner, start: u64, last: u64) -> bool {
        let mut records = self.records.borrow_mut();
        let before = records.len();
        let mut rest = Vec::with_capacity(before + 1);
        let mut found = false;
        for held in records.drain(..) {
            if held.owner != owner || !held.overlaps(start, last) {
                rest.push(held);
                continue;
            }
            found = true;
            if held.start < start {
                rest.push(RecordLock { last: start - 1, ..held });
            }
            if held.last > last {
                rest.push(RecordLock { start: last + 1, ..held });
            }
        }
        *records = rest;
        found
    }

    /// Which lock on the whole file a description holds.
    #[must_use]
    pub fn whole_of(&self, token: u64) -> Option<LockKind> {
        let whole = self.whole.borrow();
        whole.iter().find(|&&(other, _)| other == token).map(|&(_, kind)| kind)
    }

    /// Takes the lock on the whole file for a description that holds none.
    ///
    /// # Errors
    /// The description that stands in the way.
    pub fn lock_whole(&self, token: u64, kind: LockKind) -> Result<(), u64> {
        let mut whole = self.whole.borrow_mut();
        match whole.iter().find(|&&(_, held)| held.conflicts(kind)) {
            Some(&(holder, _)) => Err(holder),
            None => {
                whole.push((token, kind));
                Ok(())
            }
        }
    }

    /// Lets a description's lock on the whole file go; whether there was one.
    pub fn unlock_whole(&self, token: u64) -> bool {
        let mut whole = self.whole.borrow_mut();
        let before = whole.len();
        whole.retain(|&(other, _)| other != token);
        whole.len() < before
    }

    /// Ends all locks of a description.
    pub fn forget_description(&self, token: u64, wakes: &mut Wakes) {
        if self.unlock(LockOwner::Description(token), 0, RecordLock::LAST) {
            self.records_queue.wake(Readiness::all(), wakes);
        }
        if self.unlock_whole(token) {
            self.whole_queue.wake(Readiness::all(), wakes);
        }
    }

    /// Ends all record locks of a process.
    pub fn forget_process(&self, pid: u32, wakes: &mut Wakes) {
        if self.unlock(LockOwner::Process(pid), 0, RecordLock::LAST) {
            self.records_queue.wake(Readiness::all(), wakes);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use LockKind::{Exclusive, Shared};

    const A: LockOwner = LockOwner::Process(1);
    const B: LockOwner = LockOwner::Process(2);

    fn lock(owner: LockOwner, kind: LockKind, start: u64, last: u64) -> RecordLock {
        RecordLock { owner, kind, start, last }
    }

    fn held(locks: &FileLocks) -> Vec<(u64, u64, LockKind)> {
        locks.records.borrow().iter().map(|l| (l.start, l.last, l.kind)).collect()
    }

    #[test]
    fn a_new_lock_replaces_what_its_owner_held_there() {
        let locks = FileLocks::default();
        locks.lock(lock(A, Exclusive, 0, 99));
        locks.lock(lock(A, Shared, 40, 59));
        assert_eq!(held(&locks), [(0, 39, Exclusive), (40, 59, Shared), (60, 99, Exclusive)]);
        locks.lock(lock(A, Exclusive, 40, 59));
        assert_eq!(held(&locks), [(0, 99, Exclusive)]);
        assert!(locks.unlock(A, 10, 19));
        assert_eq!(held(&locks), [(0, 9, Exclusive), (20, 99, Exclusive)]);
    }

    #[test]
    fn only_other_owners_conflict_and_shared_locks_do_not() {
        let locks = FileLocks::default();
        locks.lock(lock(A, Shared, 10, RecordLock::LAST));
        let cases = [
            (lock(B, Shared, 10, 20), false),
            (lock(B, Exclusive, 0, 9), false),
            (lock(B, Exclusive, 0, 10), true),
            (lock(A, Exclusive, 0, 10), false),
            (lock(LockOwner::Description(1), Exclusive, 1 << 40, 1 << 41), true),
        ];
        for (wanted, conflicts) in cases {
            assert_eq!(locks.conflict(&wanted).is_some(), conflicts, "{wanted:?}");
        }
    }

    #[test]
    fn the_whole_file_is_held_by_readers_or_one_writer() {
        let locks = FileLocks::default();
        assert_eq!([locks.lock_whole(1, Shared), locks.lock_whole(2, Shared)], [Ok(()); 2]);
        assert_eq!(locks.lock_whole(3, Exclusive), Err(1));
        assert!(locks.unlock_whole(1) && !locks.unlock_whole(1));
        assert_eq!(locks.lock_whole(3, Exclusive), Err(2));
        assert_eq!([locks.whole_of(1), locks.whole_of(2)], [None, Some(Shared)]);
        locks.forget_description(2, &mut Wakes::default());
        assert_eq!(locks.lock_whole(3, Exclusive), Ok(()));
        assert_eq!(locks.lock_whole(1, Shared), Err(3));
    }
}
