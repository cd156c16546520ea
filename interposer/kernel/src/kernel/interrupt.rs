//! What a signal does to a call that waits.

use super::{Kernel, run::Step};
use crate::{
    error::Errno,
    host::Host,
    outcome::Restart,
    process::ThreadId,
    syscall::table::{self, Row},
};

impl Kernel {
    pub(super) fn is_interrupted(&self, id: ThreadId, restart: Restart) -> bool {
        let thread = self.thread(id);
        let call = thread.call.as_ref();
        let is_wanted = thread.trace.as_ref().is_some_and(|trace| trace.is_wanted);
        match restart {
            Restart::OnlyFatal => self.fatal_signal(id).is_some(),
            Restart::Never if call.is_some_and(|call| call.interrupted) => true,
            _ => is_wanted || self.has_deliverable_signal(id),
        }
    }

    /// What a signal does to a call that would block. Unless its result is clear, the call stays open until the signal
    /// is taken: only a handler ends it.
    pub(super) fn interrupt(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        row: &Row,
        restart: Restart,
    ) -> Step {
        let progress = self.thread(id).call.as_ref().map_or(0, |call| call.progress);
        if progress > 0 {
            return self.finish(host, id, row, Ok(progress));
        }
        if restart == Restart::Never {
            return self.finish(host, id, row, Err(Errno::EINTR.into()));
        }
        if let Some(call) = &mut self.thread_mut(id).call {
            call.restart = Some(restart);
        }
        Step::Over
    }

    /// Ends the call of a thread whose handler is about to run: it fails with `EINTR`, unless the handler has it start
    /// again.
    pub(crate) fn end_interrupted_call(&mut self, host: &mut dyn Host, id: ThreadId) {
        let Some(number) = self.thread(id).call.as_ref().map(|call| call.number) else { return };
        self.show_call(host, id, table::row(number), Err(Errno::EINTR.into()));
        let value = Errno::EINTR.as_result();
        let thread = self.thread_mut(id);
        thread.registers.rax = value;
        let tid = thread.tid.raw();
        self.end_call(host, id);
        let node = self.node();
        self.machine.events.record_call((node, tid), number, value);
    }
}
