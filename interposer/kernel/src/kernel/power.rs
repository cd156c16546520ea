//! Losing power, and starting again.
//!
//! Every process is killed where it is; none gets to do anything more. The first one's host process stays: when all are
//! gone, it takes the first program in again, with the files that the disk has left.

use alloc::format;
use core::time::Duration;

use simrun_abi::{control::End, event::What};

use super::Kernel;
use crate::{
    host::Host,
    machine::SignalTarget,
    mm::SpaceId,
    outcome::Next,
    process::{ProcessState, Tid},
    random::Purpose,
    signal::{Signal, SignalInfo},
};

/// A machine without power.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Off {
    /// Where the first process lived, whose host process starts the machine again.
    pub space: SpaceId,
    /// How long it stays off.
    pub length: Duration,
}

impl Kernel {
    /// Power is lost now, for so long.
    pub(super) fn lose_power(&mut self, host: &mut dyn Host, length: Duration) {
        let Some(first) = self.first.and_then(|id| self.processes.get(id)) else { return };
        if self.off.is_some() || first.state != ProcessState::Alive {
            return;
        }
        self.off = Some(Off { space: first.space, length });
        self.losses += 1;
        let mut random = self.machine.random.derive(Purpose::Disk, self.losses);
        let now = self.machine.clock.now();
        let tree = alloc::rc::Rc::clone(&self.machine.tree);
        if let Some(journal) = &mut *tree.journal.borrow_mut()
            && journal.lose_power(host, &mut random, now).is_err()
        {
            self.end(End::HostExhausted, 0);
        }
        for (id, process) in self.processes.iter() {
            if process.state == ProcessState::Alive && process.pid != Tid::INIT {
                let info = SignalInfo::from_kernel(Signal::KILL);
                self.machine.signals.push((SignalTarget::Process(id), info));
            }
        }
        self.settle(host);
    }

    /// Whether the first process keeps its place: it is to start again.
    pub(super) fn starts_again(&self) -> bool {
        self.off.is_some()
    }

    /// Starts the machine again once nobody lives any more; what the shell must do for that, if it must.
    pub(super) fn start_again(&mut self, host: &mut dyn Host, here: SpaceId) -> Option<Next> {
        let Off { space, length } = self.off?;
        let lives = |process: &crate::process::Process| {
            process.state == ProcessState::Alive && process.pid != Tid::INIT
        };
        if self.processes.iter().any(|(_, process)| lives(process)) {
            return None;
        }
        if here != space {
            let is_left = self.spaces.get(here).is_none();
            return Some(if is_left { Next::Leave(space) } else { Next::Switch(space) });
        }
        self.off = None;
        self.forget_everything();
        let on = self.machine.clock.now() + length;
        self.machine.clock.advance_to(on);
        let text = "the machine starts again".into();
        self.machine.record(host, What::Message { text });
        let boot = alloc::rc::Rc::clone(&self.boot);
        if let Err(error) = self.start_first(host, &boot, space) {
            let effect = format!("it cannot be executed any more: {}", error.errno.name());
            let program = alloc::string::String::from_utf8_lossy(&boot.program);
            self.machine.escape(host, "starting again", &program, &effect);
            self.end(End::NotStarted, 0);
        }
        None
    }

    /// What does not outlive a machine without power.
    fn forget_everything(&mut self) {
        let gone: alloc::vec::Vec<_> =
            self.processes.iter().map(|(id, process)| (id, process.pid)).collect();
        for (id, pid) in gone {
            self.pids.remove(&pid);
            self.processes.remove(id);
        }
        let threads: alloc::vec::Vec<_> =
            self.threads.iter().map(|(id, thread)| (id, thread.tid)).collect();
        for (id, tid) in threads {
            self.scheduler.dequeue(id);
            self.tids.remove(&tid);
            self.threads.remove(id);
        }
        self.ipc = crate::ipc::Ipc::default();
        self.futexes = crate::futex::FutexTable::default();
        self.terminals = crate::file::tty::Terminals::default();
        self.net = crate::net::Stack::new();
        self.settings.clear();
        self.machine.tree.forget_memory();
        self.next_tid = super::state::PID_FIRST;
    }
}
