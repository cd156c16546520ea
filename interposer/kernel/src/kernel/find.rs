//! Finding threads and processes by number.

use alloc::vec::Vec;

use super::Kernel;
use crate::{
    error::{Errno, Result},
    process::{Pid, ProcessId, ThreadId, Tid},
};

impl Kernel {
    /// The thread that a call's argument names: zero is the caller.
    ///
    /// # Errors
    /// `EINVAL` for a negative number, `ESRCH` if there is none.
    pub fn find_thread(&self, caller: ThreadId, raw: u64) -> Result<ThreadId> {
        match raw as i32 {
            0 => Ok(caller),
            ..0 => Err(Errno::EINVAL.into()),
            number => {
                let tid = Tid::new(number as u32);
                let leader = || {
                    let process = *self.pids.get(&tid)?;
                    self.process(process).threads.first().copied()
                };
                self.tids.get(&tid).copied().or_else(leader).ok_or(Errno::ESRCH.into())
            }
        }
    }

    /// The process that a call's argument names, a zombie too: zero is the caller's.
    ///
    /// # Errors
    /// `ESRCH` if there is none.
    pub fn find_process(&self, caller: ThreadId, raw: u64) -> Result<ProcessId> {
        match raw as i32 {
            0 => Ok(self.thread(caller).process),
            number => self.process_numbered(Tid::new(number as u32)).ok_or(Errno::ESRCH.into()),
        }
    }

    /// The process with this number, a zombie too, or with a thread of it.
    pub(super) fn process_numbered(&self, number: Tid) -> Option<ProcessId> {
        let of_thread = || Some(self.thread(*self.tids.get(&number)?).process);
        self.pids.get(&number).copied().or_else(of_thread)
    }

    /// All processes of a group, zombies too.
    #[must_use]
    pub fn group_members(&self, group: Pid) -> Vec<ProcessId> {
        self.own_processes()
            .filter(|(_, process)| process.group == group)
            .map(|(id, _)| id)
            .collect()
    }
}
