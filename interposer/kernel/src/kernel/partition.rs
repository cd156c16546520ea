//! Telling when nodes lose each other. What is lost is decided when it is sent.

use alloc::string::String;
use core::time::Duration;

use simrun_abi::event::What;

use super::Kernel;
use crate::{host::Host, machine::Due};

impl Kernel {
    /// Sets the timers of partitions, if there are nodes to divide.
    pub(super) fn arm_partitions(&mut self) {
        let divides = self.nodes.len() > 1;
        let Some(faults) = self.machine.faults.as_ref().filter(|_| divides) else { return };
        for (index, at) in faults.links.first_partitions() {
            self.arm_partition(index, at);
        }
    }

    fn arm_partition(&mut self, index: u16, at: u64) {
        let due = self.machine.clock.after_start(Duration::from_nanos(at));
        self.machine.timers.set(due, Due::Partition(index));
    }

    /// A partition begins, unless the dice say otherwise.
    pub(super) fn begin_partition(&mut self, host: &mut dyn Host, index: u16) {
        let elapsed = self.machine.clock.elapsed().as_nanos() as u64;
        let Some(faults) = &mut self.machine.faults else { return };
        let (report, next) = faults.links.begin_partition(index, elapsed);
        if let Some(next) = next {
            self.arm_partition(index, next);
        }
        let Some(report) = report else { return };
        let actor = core::mem::take(&mut self.machine.actor);
        let what = What::Fault {
            fault: String::from(&*report.fault),
            count: report.count,
            call: String::new(),
            subject: String::new(),
            effect: report.effect,
        };
        self.machine.record(host, what);
        self.machine.actor = actor;
    }
}
