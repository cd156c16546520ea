//! What is said of a run at its end: what it wrote, and why it cannot go on.

use alloc::{string::String, vec::Vec};

use simrun_abi::{
    control::End,
    event::{StuckThread, What},
};

use super::Kernel;
use crate::{
    fs::Progress,
    host::Host,
    process::{State, ThreadId},
    signal::Signal,
    syscall::table,
};

impl Kernel {
    /// Tells the supervisor what each node has done to its files.
    pub(super) fn capture(&mut self, host: &mut dyn Host) {
        let mut progress = Progress::new(&self.machine.config.capture);
        let captured = self.node_ids().try_for_each(|node| {
            let capture =
                |kernel: &mut Self| kernel.machine.tree.capture(host, node, &mut progress);
            self.on_node(node, capture)
        });
        if let Err(error) = captured {
            let effect =
                alloc::format!("what the run wrote is not kept as a whole: {}", error.errno.name());
            self.machine.escape(host, "the capture of files", "simrun", &effect);
        }
    }

    /// Ends the run: no thread can ever run again.
    pub(crate) fn end_in_deadlock(&mut self, host: &mut dyn Host) {
        let stuck = self.threads.iter().filter(|(_, thread)| !self.is_init(thread.process));
        let threads: Vec<_> =
            stuck.map(|(id, _)| self.describe_thread(id)).chain(self.stuck_nodes()).collect();
        self.machine.record(host, What::Deadlock { threads });
        self.end(End::Deadlock, 0);
    }

    /// Says so when a program is about to get SIGSYS for a call by the interface of 32-bit programs (`int $0x80`), which
    /// the simulated kernel does not have.
    pub(crate) fn report_foreign_call(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        signal: Signal,
    ) {
        if signal == Signal::SYS {
            let program = self.process(self.thread(id).process).program_name().into_owned();
            let effect = "it is not supported and ended in SIGSYS";
            self.machine.escape(host, "a 32-bit system call", &program, effect);
        }
    }

    fn describe_thread(&self, id: ThreadId) -> StuckThread {
        let thread = self.thread(id);
        let process = self.process(thread.process);
        let (call, waits_for) = match &thread.call {
            _ if thread.state == State::Traced => {
                (String::from("a stop"), String::from("its tracer to let it go on"))
            }
            Some(call) => (table::row(call.number).describe(call), String::from(call.waits_for)),
            None if matches!(thread.state, State::Blocked(_)) => {
                (String::from("its own code"), self.describe_loop(id))
            }
            None => (String::from("-"), String::from("its turn")),
        };
        StuckThread {
            node: process.node.raw(),
            pid: process.pid.raw(),
            tid: thread.tid.raw(),
            program: process.program_name().into_owned(),
            call,
            waits_for,
        }
    }
}
