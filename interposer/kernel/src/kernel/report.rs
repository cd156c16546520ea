//! What is said of a run that cannot go on.

use alloc::{string::String, vec::Vec};

use simrun_abi::{
    control::End,
    event::{StuckThread, What},
};

use super::Kernel;
use crate::{host::Host, syscall::table};

impl Kernel {
    /// Ends the run: no thread can ever run again.
    pub(crate) fn end_in_deadlock(&mut self, host: &mut dyn Host) {
        let threads: Vec<_> = self.threads.iter().map(|(id, _)| self.describe_thread(id)).collect();
        self.machine.record(host, What::Deadlock { threads });
        self.end(End::Deadlock, 0);
    }

    fn describe_thread(&self, id: crate::process::ThreadId) -> StuckThread {
        let thread = self.thread(id);
        let process = self.process(thread.process);
        let (call, waits_for) = match &thread.call {
            Some(call) => (table::row(call.number).describe(call), String::from(call.waits_for)),
            None => (String::from("-"), String::from("its turn")),
        };
        StuckThread {
            pid: process.pid.raw(),
            tid: thread.tid.raw(),
            program: process.program_name().into_owned(),
            call,
            waits_for,
        }
    }
}
