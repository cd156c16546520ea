//! Collecting and ending the processes of a run. All are children of this process, and in one process group.

use std::{fs, sync::atomic::Ordering};

use nix::{
    errno::Errno,
    sys::{
        signal::{Signal, kill, killpg},
        wait::{Id, WaitPidFlag, WaitStatus, waitid, waitpid},
    },
    unistd::Pid,
};

use simrun_abi::control::End;

use super::memory::Memory;

/// The processes of a run.
pub struct Processes {
    first: Pid,
}

/// What became of the processes since the last look.
pub enum Collected {
    /// Some live; those that ended had been sent away by the simulation.
    Live,
    /// One ended that the simulation had not sent away: how, in words.
    Lost(String),
}

impl Processes {
    /// The processes that come of the first.
    pub fn new(first: Pid) -> Self {
        Self { first }
    }

    /// Collects processes that have ended.
    pub fn collect(&self, memory: &Memory) -> Collected {
        loop {
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            // Left uncollected for a moment, because a collected one has no name any more.
            match waitid(Id::All, flags) {
                Ok(WaitStatus::StillAlive) => return Collected::Live,
                Err(Errno::ECHILD) => return Collected::Lost("all processes are gone".into()),
                Err(_) => {}
                Ok(status) => {
                    let lost = describe_loss(memory, status);
                    if let Some(pid) = status.pid() {
                        let _ = waitpid(pid, None);
                        forget(memory, pid);
                    }
                    if let Some(lost) = lost {
                        return Collected::Lost(lost);
                    }
                }
            }
        }
    }

    /// Ends every process and collects it.
    fn end_all(&self, memory: &Memory) {
        memory.control().stop.store(1, Ordering::Release);
        // Before the first process has made its own group, it is the only one. A group lives as long as one of its
        // processes is uncollected, so its number is nobody else's.
        let mut flags = Some(WaitPidFlag::WNOHANG);
        loop {
            match waitpid(None, flags) {
                Err(Errno::ECHILD) => return,
                Ok(WaitStatus::StillAlive) => {
                    flags = None;
                    if killpg(self.first, Signal::SIGKILL).is_err() {
                        let _ = kill(self.first, Signal::SIGKILL);
                    }
                }
                Ok(_) => flags = Some(WaitPidFlag::WNOHANG),
                Err(_) => {}
            }
        }
    }
}

/// The processes of a run that is over: once this is dropped, none is left. The next run may only begin then.
pub struct Leaving {
    processes: Processes,
    memory: Memory,
}

impl Leaving {
    /// From now on.
    pub fn new(processes: Processes, memory: Memory) -> Self {
        Self { processes, memory }
    }

    /// Ends every one and waits for that.
    pub fn end(&self) {
        self.processes.end_all(&self.memory);
    }

    /// What they share.
    pub fn memory(&self) -> &Memory {
        &self.memory
    }
}

impl Drop for Leaving {
    fn drop(&mut self) {
        self.end();
    }
}

/// Name of a process's program.
pub fn program(pid: Pid) -> String {
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    match name.trim() {
        "" => "a program".into(),
        name => name.into(),
    }
}

/// Why a process's end was none of the simulation's doing; `None` if it was.
fn describe_loss(memory: &Memory, status: WaitStatus) -> Option<String> {
    let control = memory.control();
    match status {
        WaitStatus::Exited(pid, 0)
            if control.holder.load(Ordering::Acquire) != pid.as_raw()
                || control.end.load(Ordering::Acquire) != End::Running as u32 =>
        {
            None
        }
        WaitStatus::Exited(pid, code) => {
            Some(format!("{} (process {pid}) left the simulation with status {code}", program(pid)))
        }
        WaitStatus::Signaled(pid, signal, _) => Some(format!(
            "{} (process {pid}) was killed from outside the simulation by {signal}",
            program(pid)
        )),
        _ => None,
    }
}

/// A collected process's number may be anybody's from now on.
fn forget(memory: &Memory, pid: Pid) {
    for place in &memory.control().host_pids {
        let _ = place.compare_exchange(pid.as_raw(), 0, Ordering::AcqRel, Ordering::Relaxed);
    }
}
