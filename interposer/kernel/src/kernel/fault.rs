//! Where faults meet system calls.

use alloc::{boxed::Box, string::String, vec::Vec};

use linux_raw_sys::general as nr;
use simrun_abi::event::What;

use super::{Kernel, run::Step};
use crate::{
    context::Context,
    error::{Errno, Error},
    fault::{Firing, Injected},
    host::Host,
    net::socket::MessageFlags,
    outcome::{Outcome, Restart},
    process::ThreadId,
    signal::ActionFlags,
    syscall::{io, scene::CallScene, subject, table::Row},
};

/// What the log says of a call that a fault has let fail.
const REASON: &str = "a fault";

impl Kernel {
    /// Whether any fault looks at this call before it is made.
    #[inline]
    pub(super) fn is_watched_by_faults(&self, number: u64) -> bool {
        self.machine.faults.as_ref().is_some_and(|faults| faults.watch_call(number))
    }

    /// What faults make of a call that begins, or that goes on after a wait; `None` if its handler is to run.
    pub(super) fn meet_faults(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        row: &Row,
        first: bool,
    ) -> Option<Step> {
        if first {
            self.ask_faults(host, id, row);
        }
        let now = self.machine.clock.now();
        let call = self.thread_mut(id).call.as_mut()?;
        let injected = call.injected.as_mut()?;
        match injected.begins {
            Some(begins) if begins > now => {
                call.deadline = Some(begins);
                call.waits_for = "a fault's delay to pass";
                return Some(self.block(host, id, row, Restart::OnlyFatal));
            }
            Some(_) => {
                // From here on it is as if the call had only just been made.
                injected.begins = None;
                (call.deadline, call.timed_out, call.attempts) = (None, false, 1);
            }
            None if !first => return None,
            None => {}
        }
        let errno = injected.fail?;
        Some(self.fail_call(host, id, row, errno))
    }

    fn ask_faults(&mut self, host: &mut dyn Host, id: ThreadId, row: &Row) {
        let Some(mut faults) = self.machine.faults.take() else { return };
        let elapsed = self.machine.clock.elapsed().as_nanos() as u64;
        let mut cx = Context { kernel: self, host, thread: id };
        let number = cx.call().number;
        let verdict = faults.at_call(number, elapsed, &mut CallScene::new(&mut cx));
        self.machine.faults = Some(faults);
        if verdict.firings.is_empty() {
            return;
        }
        let begins = self.machine.clock.now() + verdict.delay;
        if let Some(call) = &mut self.thread_mut(id).call {
            call.injected = Some(Box::new(Injected {
                begins: (!verdict.delay.is_zero()).then_some(begins),
                fail: verdict.fail,
                bytes_max: verdict.bytes_max,
                ..Injected::default()
            }));
        }
        self.record_firings(host, id, row, &verdict.firings);
    }

    fn record_firings(&mut self, host: &mut dyn Host, id: ThreadId, row: &Row, firings: &[Firing]) {
        let subject = CallScene::new(&mut Context { kernel: self, host, thread: id }).subject();
        for firing in firings {
            self.machine.record(
                host,
                What::Fault {
                    fault: String::from(&*firing.fault),
                    count: firing.count,
                    call: row.name.into(),
                    subject: subject.clone(),
                    effect: firing.hit.describe(),
                },
            );
        }
    }

    /// Lets a call fail. The result is the one that programs see on Linux, with what comes with it.
    fn fail_call(&mut self, host: &mut dyn Host, id: ThreadId, row: &Row, errno: Errno) -> Step {
        let mut cx = Context { kernel: self, host, thread: id };
        let (number, arguments) = (cx.call().number, cx.call().arguments);
        let failure = Err(Error::new(errno, REASON));
        let result = match u32::try_from(number) {
            // The break that is left is all that tells (brk(2), "C library/kernel differences").
            Ok(nr::__NR_brk) => Ok(Outcome::Done(cx.space().break_end)),
            // The descriptor is gone whatever close(2) returns.
            Ok(nr::__NR_close) => match (row.handler)(&mut cx, arguments) {
                Ok(Outcome::Done(_)) => failure,
                other => other,
            },
            _ => failure,
        };
        if errno == Errno::EPIPE && raises_pipe_signal(number, arguments) {
            io::raise_broken_pipe(&mut cx);
        }
        self.settle(host);
        self.conclude(host, id, row, result)
    }

    /// What faults make of a call that is about to wait; `None` if it may.
    pub(super) fn meet_faults_waiting(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        row: &Row,
        restart: Restart,
    ) -> Option<Step> {
        let call = self.thread(id).call.as_ref()?;
        let (number, progress) = (call.number, call.progress);
        let injected = call.injected.as_deref().copied().unwrap_or_default();
        if injected.interrupts {
            self.stop_waiting(id);
            self.restore_signal_mask(id);
            let result =
                if progress > 0 { Ok(progress) } else { Err(Error::new(Errno::EINTR, REASON)) };
            return Some(self.finish(host, id, row, result));
        }
        let watched = self.machine.faults.as_ref().is_some_and(|faults| faults.watch_wait(number));
        if !watched || injected.wait_considered || !self.can_be_interrupted(id, restart) {
            return None;
        }
        let interrupts = self.ask_faults_waiting(host, id, row, number);
        let injected = Injected { wait_considered: true, interrupts, ..injected };
        let call = self.thread_mut(id).call.as_mut()?;
        call.injected = Some(Box::new(injected));
        if !interrupts {
            return None;
        }
        // Once more, so that the call leaves what an interrupted one does, such as the time that is left.
        let arguments = call.arguments;
        self.stop_waiting(id);
        let result = (row.handler)(&mut Context { kernel: self, host, thread: id }, arguments);
        self.settle(host);
        Some(self.conclude(host, id, row, result))
    }

    fn ask_faults_waiting(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        row: &Row,
        number: u64,
    ) -> bool {
        let Some(mut faults) = self.machine.faults.take() else { return false };
        let elapsed = self.machine.clock.elapsed().as_nanos() as u64;
        let mut cx = Context { kernel: self, host, thread: id };
        let firing = faults.at_wait(number, elapsed, &mut CallScene::new(&mut cx));
        self.machine.faults = Some(faults);
        let firings: Vec<_> = firing.into_iter().collect();
        self.record_firings(host, id, row, &firings);
        !firings.is_empty()
    }

    /// Whether a signal could make a call that waits so fail with `EINTR` (signal(7), "Interruption of system calls and
    /// library functions by signal handlers"): it takes a handler, or for some calls that the process is stopped.
    fn can_be_interrupted(&self, id: ThreadId, restart: Restart) -> bool {
        let actions = self.process(self.thread(id).process).actions.borrow();
        match restart {
            Restart::Never => true,
            Restart::UnlessHandled => actions.handlers().next().is_some(),
            Restart::IfAsked => {
                actions.handlers().any(|action| !action.flags.contains(ActionFlags::RESTART))
            }
            Restart::Always | Restart::OnlyFatal => false,
        }
    }
}

/// Whether a call that fails with `EPIPE` raises `SIGPIPE`, too.
fn raises_pipe_signal(number: u64, [_, _, flags, other_flags, ..]: [u64; 6]) -> bool {
    let flags = match u32::try_from(number) {
        Ok(nr::__NR_sendto | nr::__NR_sendmmsg) => other_flags,
        Ok(nr::__NR_sendmsg) => flags,
        _ => 0,
    };
    let asked_not_to =
        MessageFlags::from_bits_retain(flags as u32).contains(MessageFlags::NO_SIGNAL);
    subject::of(number).writes && !asked_not_to
}
