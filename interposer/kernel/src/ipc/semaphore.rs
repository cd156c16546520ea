//! Semaphore sets (semop(2)).
//!
//! Who waits is served by whoever makes it possible, in the order in which they came (ipc/sem.c): nobody who comes
//! later takes what a waiting thread was given.

use alloc::{collections::BTreeMap, vec, vec::Vec};

use super::{Object, Permission};
use crate::{
    error::{Errno, Error, Result},
    process::ThreadId,
};

/// Largest value (`SEMVMX`).
pub const VALUE_MAX: i32 = 32767;
/// Largest adjustment at exit (`SEMAEM`).
pub const ADJUSTMENT_MAX: i32 = 32767;

/// One change of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The semaphore's place in its set.
    pub number: u16,
    /// What is added; zero waits for a value of zero.
    pub change: i16,
    /// Fails instead of waiting (`IPC_NOWAIT`).
    pub never_waits: bool,
    /// Is undone when the process ends (`SEM_UNDO`).
    pub undoes: bool,
}

/// What a call wants done, all of it or nothing.
#[derive(Clone, Debug)]
pub struct Operations {
    /// In order.
    pub list: Vec<Operation>,
    /// Number of the process.
    pub pid: u32,
    /// The list of adjustments of the process.
    pub undo_list: u64,
}

impl Operations {
    fn alters(&self) -> bool {
        self.list.iter().any(|operation| operation.change != 0)
    }
}

/// What a thread waits for at a semaphore.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Awaited {
    /// A larger value.
    More,
    /// Zero.
    Zero,
}

/// What became of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Attempt {
    /// It was done.
    Done,
    /// It has to wait at this semaphore.
    Waits(u16, Awaited),
}

/// One semaphore.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Semaphore {
    /// Its value.
    pub value: i32,
    /// Number of the last process that changed it or waited for its zero.
    pub pid: u32,
}

#[derive(Debug)]
struct Waiting {
    thread: ThreadId,
    operations: Operations,
    at: (u16, Awaited),
}

/// A set of semaphores.
#[derive(Debug)]
pub struct SemaphoreSet {
    /// Whose it is.
    pub permission: Permission,
    /// The semaphores.
    pub semaphores: Vec<Semaphore>,
    /// Second of the last operation; zero for none.
    pub operation_time: i64,
    /// Second of the last change by `semctl`, or of the making.
    pub change_time: i64,
    waiting: Vec<Waiting>,
    /// What the end of processes adds, by their lists.
    adjustments: BTreeMap<u64, BTreeMap<u16, i32>>,
}

impl SemaphoreSet {
    /// A set of zeros.
    #[must_use]
    pub fn new(permission: Permission, count: usize, now: i64) -> Self {
        Self {
            permission,
            semaphores: vec![Semaphore::default(); count],
            operation_time: 0,
            change_time: now,
            waiting: Vec::new(),
            adjustments: BTreeMap::new(),
        }
    }

    /// Does all of a call's operations, or none.
    ///
    /// # Errors
    /// `EAGAIN` where one that must not wait would; `ERANGE` for values and adjustments out of range.
    pub fn attempt(&mut self, operations: &Operations) -> Result<Attempt> {
        let own = self.adjustments.get(&operations.undo_list);
        let mut touched: BTreeMap<u16, Semaphore> = BTreeMap::new();
        let mut adjusted: BTreeMap<u16, i32> = BTreeMap::new();
        for operation in &operations.list {
            let number = operation.number;
            let before = *self.semaphores.get(usize::from(number)).ok_or(Errno::EFBIG)?;
            let semaphore = touched.entry(number).or_insert(before);
            let change = i32::from(operation.change);
            let result = semaphore.value + change;
            if result < 0 || (change == 0 && semaphore.value != 0) {
                if operation.never_waits {
                    return Err(Errno::EAGAIN.into());
                }
                let awaited = if change == 0 { Awaited::Zero } else { Awaited::More };
                return Ok(Attempt::Waits(number, awaited));
            }
            if result > VALUE_MAX {
                return Err(Error::new(Errno::ERANGE, "more than SEMVMX"));
            }
            if operation.undoes {
                let before = own.and_then(|own| own.get(&number)).copied().unwrap_or(0);
                let adjustment = adjusted.entry(number).or_insert(before);
                *adjustment -= change;
                if !(-ADJUSTMENT_MAX - 1..=ADJUSTMENT_MAX).contains(adjustment) {
                    return Err(Error::new(Errno::ERANGE, "more than SEMAEM"));
                }
            }
            *semaphore = Semaphore { value: result, pid: operations.pid };
        }
        for (number, semaphore) in touched {
            self.semaphores[usize::from(number)] = semaphore;
        }
        if !adjusted.is_empty() {
            self.adjustments.entry(operations.undo_list).or_default().append(&mut adjusted);
        }
        Ok(Attempt::Done)
    }

    /// Lets a thread wait until its operations can be done.
    pub fn wait(&mut self, thread: ThreadId, operations: Operations, at: (u16, Awaited)) {
        self.waiting.push(Waiting { thread, operations, at });
    }

    /// Whether a thread waits.
    #[must_use]
    pub fn is_waiting(&self, thread: ThreadId) -> bool {
        self.waiting.iter().any(|waiting| waiting.thread == thread)
    }

    /// A thread no longer waits.
    pub fn forget_waiter(&mut self, thread: ThreadId) {
        self.waiting.retain(|waiting| waiting.thread != thread);
    }

    /// All that wait, in order.
    pub fn take_waiters(&mut self) -> Vec<ThreadId> {
        core::mem::take(&mut self.waiting).into_iter().map(|waiting| waiting.thread).collect()
    }

    /// How many threads wait for this at a semaphore.
    #[must_use]
    pub fn waiters_at(&self, number: u16, awaited: Awaited) -> usize {
        self.waiting.iter().filter(|waiting| waiting.at == (number, awaited)).count()
    }

    /// Does what waiting threads want as far as it has become possible; who was served, and with what result.
    /// Those who wait for zeros come first, as in `do_smart_update`.
    pub fn serve(&mut self, now: i64) -> Vec<(ThreadId, Result<()>)> {
        let mut served = Vec::new();
        while self.serve_one(false, &mut served) || self.serve_one(true, &mut served) {}
        if served.iter().any(|(_, result)| result.is_ok()) {
            self.operation_time = now;
        }
        served
    }

    /// Serves the first of those that alter values, or of those that do not, whose turn has come.
    fn serve_one(&mut self, alters: bool, served: &mut Vec<(ThreadId, Result<()>)>) -> bool {
        for index in 0..self.waiting.len() {
            let operations = self.waiting[index].operations.clone();
            if operations.alters() != alters {
                continue;
            }
            let result = match self.attempt(&operations) {
                Ok(Attempt::Waits(number, awaited)) => {
                    self.waiting[index].at = (number, awaited);
                    continue;
                }
                Ok(Attempt::Done) => Ok(()),
                Err(error) => Err(error),
            };
            served.push((self.waiting.remove(index).thread, result));
            return true;
        }
        false
    }

    /// Sets a value, which ends all adjustments of it.
    pub fn set_value(&mut self, number: u16, value: i32, pid: u32) {
        self.semaphores[usize::from(number)] = Semaphore { value, pid };
        for adjustments in self.adjustments.values_mut() {
            adjustments.remove(&number);
        }
    }

    /// Makes the adjustments of a list whose processes have ended: none takes a value out of range. Whether there were
    /// any.
    pub fn undo(&mut self, list: u64, pid: u32) -> bool {
        let Some(adjustments) = self.adjustments.remove(&list) else { return false };
        for (number, adjustment) in adjustments.into_iter().filter(|(_, by)| *by != 0) {
            let semaphore = &mut self.semaphores[usize::from(number)];
            let value = (semaphore.value + adjustment).clamp(0, VALUE_MAX);
            *semaphore = Semaphore { value, pid };
        }
        true
    }
}

impl Object for SemaphoreSet {
    fn permission(&self) -> &Permission {
        &self.permission
    }

    fn permission_mut(&mut self) -> &mut Permission {
        &mut self.permission
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{process::Credentials, slab::ids_for_test};

    fn set(count: usize) -> SemaphoreSet {
        let owner = Credentials::new(0, 0, Vec::new());
        SemaphoreSet::new(Permission::new(0, 0o600, &owner), count, 0)
    }

    fn operations(pid: u32, list: &[(u16, i16)]) -> Operations {
        let list = list
            .iter()
            .map(|&(number, change)| Operation { number, change, never_waits: false, undoes: true })
            .collect();
        Operations { list, pid, undo_list: pid.into() }
    }

    fn values(set: &SemaphoreSet) -> Vec<i32> {
        set.semaphores.iter().map(|semaphore| semaphore.value).collect()
    }

    #[test]
    fn operations_happen_all_or_none() {
        let mut set = set(2);
        let wait = set.attempt(&operations(1, &[(0, 3), (1, -1)])).unwrap();
        assert_eq!((wait, values(&set)), (Attempt::Waits(1, Awaited::More), vec![0, 0]));
        assert_eq!(set.attempt(&operations(1, &[(1, 1), (0, 3), (1, -1)])).unwrap(), Attempt::Done);
        assert_eq!(values(&set), [3, 0]);
    }

    #[test]
    fn waiting_threads_are_served_in_order_and_zeros_first() {
        let [a, b, c] = ids_for_test();
        let mut set = set(1);
        set.attempt(&operations(9, &[(0, 1)])).unwrap();
        let waits = |set: &mut SemaphoreSet, thread, list: &[(u16, i16)]| {
            let operations = operations(5, list);
            let Ok(Attempt::Waits(number, awaited)) = set.attempt(&operations) else { panic!() };
            set.wait(thread, operations, (number, awaited));
        };
        waits(&mut set, a, &[(0, -3)]);
        waits(&mut set, b, &[(0, -2)]);
        waits(&mut set, c, &[(0, 0)]);
        assert_eq!(set.waiters_at(0, Awaited::More), 2);
        set.attempt(&operations(9, &[(0, 1)])).unwrap();
        assert_eq!(set.serve(7), [(b, Ok(())), (c, Ok(()))]);
        assert_eq!((values(&set), set.operation_time), (vec![0], 7));
        assert!(set.is_waiting(a));
    }

    #[test]
    fn what_a_process_did_is_undone_within_range() {
        let mut set = set(2);
        set.attempt(&operations(1, &[(0, 5), (1, 2)])).unwrap();
        set.attempt(&operations(2, &[(0, -4)])).unwrap();
        assert!(set.undo(1, 1));
        assert_eq!(values(&set), [0, 0]);
        assert!(set.undo(2, 2) && !set.undo(2, 2));
        assert_eq!(values(&set), [4, 0]);
        set.attempt(&operations(3, &[(0, -1)])).unwrap();
        set.set_value(0, 9, 3);
        set.undo(3, 3);
        assert_eq!(values(&set), [9, 0]);
    }
}
