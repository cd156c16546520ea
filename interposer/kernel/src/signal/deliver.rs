//! Sending signals and taking them.

use crate::{
    host::Host,
    kernel::Kernel,
    machine::SignalTarget,
    process::{Process, ThreadId},
    signal::{Signal, SignalInfo},
};

impl SignalInfo {
    /// What a parent gets when a child has ended.
    #[must_use]
    pub fn child_exited(signal: Signal, child: &Process) -> Self {
        Self { signal, code: 1, errno: 0, fields: [u64::from(child.pid.raw()), 0, 0] }
    }
}

impl Kernel {
    /// Whether a signal waits that this thread would take.
    #[must_use]
    pub fn has_deliverable_signal(&self, _id: ThreadId) -> bool {
        false
    }

    /// Sends a signal.
    pub fn send_signal(&mut self, _host: &mut dyn Host, _target: SignalTarget, _info: SignalInfo) {}

    /// Takes the signals that wait for a thread before it returns to its program; whether it returns.
    pub(crate) fn prepare_return(&mut self, host: &mut dyn Host, id: ThreadId) -> bool {
        self.write_child_tid(host, id);
        true
    }

    /// Takes an exception of the processor.
    pub(crate) fn take_exception(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        signal: u32,
        _code: i32,
        _address: u64,
    ) {
        let process = self.thread(id).process;
        self.exit_process(host, process, crate::kernel::killed_by(signal, true));
    }
}
