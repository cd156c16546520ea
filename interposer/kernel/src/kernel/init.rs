//! The machine's own process, number 1: parent of the first process and of orphans.
//!
//! It is there to be seen. It has no program of the host's, waits for ever, and takes no signals; the kernel collects its
//! children for it.

use alloc::{rc::Rc, vec::Vec};
use core::cell::RefCell;

use linux_raw_sys::general as nr;
use simrun_abi::{boot::Boot, node::Node};

use super::{Kernel, boot};
use crate::{
    arch::x86_64::Registers,
    file::FdTable,
    fs::Standing,
    mm::AddressSpace,
    outcome::Restart,
    process::{Call, Credentials, FsContext, Process, ProcessId, State, Thread, Tid},
};

const PROGRAM: &[u8] = b"/sbin/init";

impl Kernel {
    /// Takes the machine's own process in.
    pub(super) fn add_init(&mut self, boot: &Boot, plan: &Node) {
        let space = self.spaces.insert(AddressSpace::default());
        let directory = Standing { path: b"/".to_vec(), inode: None };
        let fs = FsContext { directory, root: b"/".to_vec(), umask: 0 };
        let id = self.processes.insert(Process {
            credentials: Credentials::new(0, 0, Vec::new()).into(),
            files: Rc::new(RefCell::new(FdTable::default())),
            fs: Rc::new(RefCell::new(fs)),
            program: PROGRAM.into(),
            executable: PROGRAM.into(),
            command_line: [PROGRAM, b"\0"].concat(),
            ..boot::first_process((self.machine.node, Tid::INIT), space, boot, plan)
        });
        self.pids.insert(Tid::INIT, id);
        let mut thread = Thread::new(Tid::INIT, id, Registers::default(), self.machine.clock.now());
        thread.name = boot::thread_name(PROGRAM);
        thread.state = State::Blocked(Restart::OnlyFatal);
        thread.call = Some(Call {
            number: nr::__NR_wait4.into(),
            waits_for: "its children",
            ..Call::default()
        });
        let thread = self.threads.insert(thread);
        self.tids.insert(Tid::INIT, thread);
        self.process_mut(id).threads.push(thread);
    }

    /// Whether a process is the machine's own.
    #[must_use]
    pub fn is_init(&self, id: ProcessId) -> bool {
        self.process(id).pid == Tid::INIT
    }
}
