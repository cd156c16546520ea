//! Instructions that trap: what a program asks of the processor is the simulated machine's to answer.

use super::Kernel;
use crate::{
    host::Host,
    process::{ThreadId, code::Trapping},
    syscall::table::Class,
};

impl Kernel {
    /// Does the patched instruction that a thread has met; whether it has met one.
    pub(super) fn emulate(&mut self, host: &mut dyn Host, id: ThreadId) -> bool {
        let space = self.space_of(id);
        let rip = self.thread(id).registers.rip;
        if !self.space_mut(space).patched.contains(&rip) {
            return false;
        }
        let Ok(instruction) = Trapping::read(host, rip) else { return false };
        self.machine.clock.charge_point();
        let mut registers = self.thread(id).registers;
        let entropy = &mut self.machine.random.entropy;
        instruction.execute(&mut registers, || entropy.next_u64());
        self.thread_mut(id).registers = registers;
        true
    }

    pub(super) fn read_tsc(&mut self, host: &mut dyn Host, id: ThreadId, with_processor: bool) {
        self.charge(id, Class::Poll);
        let cycles = self.machine.clock.since_boot().as_nanos() as u64;
        let registers = &mut self.thread_mut(id).registers;
        registers.rax = cycles & 0xffff_ffff;
        registers.rdx = cycles >> 32;
        if with_processor {
            registers.rcx = 0;
        }
        self.run_timers(host);
        let waits = self.machine.clock.is_polled() && self.scheduler.has_waiting();
        if waits && self.current == Some(id) {
            self.give_way(id);
        }
    }
}
