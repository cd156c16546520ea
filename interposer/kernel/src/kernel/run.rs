//! From a trap to the next return to a program.

use alloc::{rc::Rc, vec::Vec};

use linux_raw_sys::general::SI_USER;
use simrun_abi::{boot::Detail, control::End, event::What};

use super::Kernel;
use crate::{
    context::Context,
    error::{Errno, Error, Result},
    fault::Strike,
    file::FileDescription,
    fs::tree::attributes::drop_identity,
    host::Host,
    machine::{Due, Env, SignalTarget},
    mm::SpaceId,
    outcome::{Next, Outcome, Restart},
    process::{Call, Process, ProcessState, Resource, State, ThreadId, Tid},
    signal::{Exception, Signal, SignalInfo},
    syscall::table::{self, Class, Row},
    time::CALL_COST,
};

/// Why a program entered the kernel. The current thread's registers are as it left them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trap {
    /// A system call; number and arguments are in the registers.
    Call(Way),
    /// `rdtsc` (`false`) or `rdtscp` (`true`): the registers point past it already.
    Tsc {
        /// Whether the processor number is wanted too.
        with_processor: bool,
    },
    /// The processor refused an instruction.
    Exception {
        /// What Linux sends for it.
        info: SignalInfo,
        /// What the processor says of it.
        exception: Exception,
    },
    /// The thread stands where it was just found to wait in a loop, see [`Kernel::note_circle`].
    Circling,
}

/// How a system call came in. To the program it makes no difference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Way {
    /// By a trap of the host.
    Trapped,
    /// Through the stub of a patched site.
    Patched,
}

/// Calls of memory management in a row that take no time and switch no thread. A thread may wait in a loop that does
/// nothing else: it allocates, or changes protections, until another has its turn or time has passed.
const MEMORY_CALLS_FREE: u32 = 1024;

/// What became of the current thread's call.
pub(super) enum Step {
    /// It is over; the thread goes on.
    Over,
    /// The thread waits, has given way, or is gone.
    Away,
    /// The shell has to copy the host process first.
    Copy(SpaceId),
}

impl Kernel {
    /// Takes a trap of the current thread in the host process of `here`.
    pub fn enter(&mut self, host: &mut dyn Host, here: SpaceId, trap: Trap) -> Next {
        self.entries += 1;
        let Some(id) = self.current else { unreachable!("a thread that traps is current") };
        let (fs, gs) = host.segment_bases();
        let thread = self.thread_mut(id);
        (thread.fs_base, thread.gs_base) = (fs, gs);
        if self.pass_place(host, here, id, trap) {
            return self.run(host, here);
        }
        self.note_progress(host);
        if self.is_traced(id) {
            let is_trap =
                matches!(trap, Trap::Exception { info, .. } if info.signal == Signal::TRAP);
            self.leave_step(id, is_trap);
        }
        let thread = self.thread_mut(id);
        match trap {
            Trap::Call(way) => {
                let registers = &thread.registers;
                let (number, arguments) = (registers.rax, registers.call_arguments());
                let site = registers.rip;
                thread.call = Some(Call { number, arguments, ..Call::default() });
                if way == Way::Trapped {
                    self.consider_patching(host, here, site, number);
                }
            }
            Trap::Tsc { with_processor } => self.read_tsc(host, id, with_processor),
            Trap::Circling => {}
            Trap::Exception { info, exception } => {
                if !self.emulate(host, id) {
                    self.report_foreign_call(host, id, info.signal);
                    self.take_exception(id, info, exception);
                }
            }
        }
        self.run(host, here)
    }

    /// Goes on until a thread of `here` can return to its program, or the shell has something to do.
    pub fn run(&mut self, host: &mut dyn Host, here: SpaceId) -> Next {
        loop {
            if self.machine.events.is_full() {
                self.end(End::TimedOut, 0);
            }
            if self.ended.is_some() {
                self.capture(host);
                return Next::End;
            }
            self.finish_falls(host);
            if let Some(next) = self.start_nodes(host, here) {
                return next;
            }
            let Some(id) = self.current else {
                self.choose_next(host);
                continue;
            };
            let space = self.space_of(id);
            if space != here {
                return self.go_to(space, here);
            }
            if self.has_renewals() {
                self.renew_mappings(host, here);
            }
            if self.stays_in_circle(host, id) {
                continue;
            }
            if self.is_traced(id) && !self.meet_tracer(host, here, id) {
                continue;
            }
            if self.thread(id).call.is_some() && !self.shows_interruption(id) {
                match self.step(host, id) {
                    Step::Over => {}
                    Step::Away => continue,
                    Step::Copy(space) => return Next::Fork(space),
                }
            }
            if self.has_renewals() {
                self.renew_mappings(host, here);
            }
            if self.current == Some(id) && self.prepare_return(host, here, id) {
                self.load(host, here, id);
                return Next::Resume;
            }
        }
    }

    /// Makes the scheduler's choice the current thread, moving time on if nobody can run; ends the run if nobody
    /// ever will.
    fn choose_next(&mut self, host: &mut dyn Host) {
        let mut in_vain = 0;
        loop {
            self.run_timers(host);
            self.start_what_can();
            self.end_faults_if_quiet(host);
            if self.ended.is_some() || !self.starts.due.is_empty() {
                return;
            }
            if let Some((next, choice)) = self.scheduler.pick(self.machine.clock.now()) {
                self.switches += 1;
                self.make_current(next);
                if let Some(choice) = choice {
                    self.machine.record(host, choice);
                }
                return;
            }
            match self.machine.timers.next_due() {
                Some(due) if self.has_future(in_vain) => {
                    in_vain += u32::from(!self.is_next_for_the_log());
                    self.machine.clock.advance_to(due);
                }
                _ => return self.end_in_deadlock(host),
            }
        }
    }

    /// It is this thread's turn.
    pub(super) fn make_current(&mut self, id: ThreadId) {
        self.current = Some(id);
        let thread = self.thread(id);
        let (tid, process) = (thread.tid, thread.process);
        self.enter_node(self.process(process).node);
        self.machine.set_actor(self.process(process).pid, tid);
        self.machine.size_limit.max = self.process(process).limits.soft(Resource::FileSize);
        self.machine.program = Rc::clone(&self.process(process).program);
    }

    /// Does what is due.
    pub(super) fn run_timers(&mut self, host: &mut dyn Host) {
        let now = self.machine.clock.now();
        while let Some(due) = self.machine.timers.pop_due(now) {
            match due {
                Due::Thread(id) => {
                    if let Some(thread) = self.threads.get_mut(id) {
                        thread.timer = None;
                        if let Some(call) = &mut thread.call {
                            call.timed_out = true;
                        }
                        self.make_runnable(id);
                    }
                }
                Due::Object(node, object) => {
                    if let Some(object) = object.upgrade() {
                        self.on_node(node, |kernel| object.expire(&mut kernel.machine));
                    }
                }
                Due::Grace(node, starts) => self.end_grace(host, node, starts),
                Due::Late(id) => self.wake_at_last(id),
                Due::Start(node) => self.starts.due.push_back(node),
                Due::Timeout => self.end(End::TimedOut, 0),
                Due::Stop => self.end_anyway(),
                Due::Fault(timed) => self.meet_fault_at_its_time(host, timed),
                Due::Resume(process) => self.end_pause(process),
            }
            self.settle(host);
        }
    }

    /// Runs the current thread's call once.
    fn step(&mut self, host: &mut dyn Host, id: ThreadId) -> Step {
        let Some(call) = &mut self.thread_mut(id).call else {
            unreachable!("there is a call to run")
        };
        call.attempts += 1;
        call.restart = None;
        let (number, arguments, first) = (call.number, call.arguments, call.attempts == 1);
        let row = table::row(number);
        if first {
            self.charge(id, row.class);
            if self.machine.timers.next_due().is_some_and(|due| due <= self.machine.clock.now()) {
                self.run_timers(host);
                if self.ended.is_some() {
                    return Step::Away;
                }
                if self.current != Some(id) {
                    // A fault has its process stand still; the call is made when that is over.
                    if let Some(call) = &mut self.thread_mut(id).call {
                        call.attempts = 0;
                    }
                    return Step::Away;
                }
            }
        }
        if self.is_watched_by_faults(number) {
            if let Some(step) = self.meet_faults(host, id, row, first) {
                return step;
            }
            self.machine.damage = self.take_damage(id);
            let call = self.thread(id).call.as_ref();
            let injected = call.and_then(|call| call.injected.as_ref());
            self.futexes.reversed = injected.is_some_and(|injected| injected.reverses_wakes);
        }
        let result = (row.handler)(&mut Context { kernel: self, host, thread: id }, arguments);
        self.machine.damage = None;
        self.futexes.reversed = false;
        self.settle(host);
        self.conclude(host, id, row, result)
    }

    /// Does what has come out of a handler.
    pub(super) fn conclude(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        row: &Row,
        result: Result<Outcome>,
    ) -> Step {
        match result {
            Ok(Outcome::Done(value)) => self.finish(host, id, row, Ok(value)),
            Err(error) => self.finish(host, id, row, Err(error)),
            Ok(Outcome::Blocked(restart)) => self.block(host, id, row, restart),
            Ok(Outcome::RegistersSet) => {
                self.show_call(host, id, row, Ok(0));
                self.machine.events.count();
                self.thread_mut(id).call = None;
                Step::Over
            }
            Ok(Outcome::Gone) => {
                self.current = None;
                Step::Away
            }
            Ok(Outcome::Fork(space, value)) => {
                self.finish(host, id, row, Ok(value));
                Step::Copy(space)
            }
            Ok(Outcome::ForkAndRestart(space) | Outcome::MoveTo(space)) => Step::Copy(space),
        }
    }

    pub(super) fn charge(&mut self, id: ThreadId, class: Class) {
        let since = self.machine.clock.now();
        match class {
            Class::Call | Class::Place => {
                self.machine.clock.charge(CALL_COST);
                self.thread_mut(id).cpu_time += CALL_COST;
            }
            Class::Poll | Class::Point => {
                let before = self.machine.clock.now();
                match class {
                    Class::Point => self.machine.clock.charge_point(),
                    _ => self.machine.clock.charge_poll(),
                }
                let cost = self.machine.clock.now() - before;
                self.thread_mut(id).cpu_time += cost;
            }
            Class::Memory => {
                self.memory_calls += 1;
                if self.memory_calls < MEMORY_CALLS_FREE {
                    return;
                }
                self.yields = true;
                let cost = CALL_COST * self.memory_calls;
                self.machine.clock.charge(cost);
                self.thread_mut(id).cpu_time += cost;
            }
        }
        self.memory_calls = 0;
        if self.machine.faults.is_some() {
            self.slow_down(id, since);
        }
        let process = self.thread(id).process;
        if self.process(process).timers.count_processor_time() {
            self.run_processor_timers(process);
        }
    }

    /// Ends a call: result, log, and perhaps another thread's turn.
    pub(super) fn finish(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        row: &Row,
        result: Result<u64>,
    ) -> Step {
        let value = match result {
            Ok(value) => value,
            Err(error) => error.errno.as_result(),
        };
        self.show_call(host, id, row, result);
        let Some(thread) = self.threads.get_mut(id) else { return Step::Away };
        thread.registers.rax = value;
        // A signal that interrupts a call is taken under the call's own mask (`restore_saved_sigmask_unless`).
        if !matches!(result, Err(Error { errno: Errno::EINTR, .. })) {
            self.restore_signal_mask(id);
        }
        let thread = self.thread(id);
        let (number, tid) = (thread.call.as_ref().map_or(0, |call| call.number), thread.tid.raw());
        let injected = thread.call.as_ref().and_then(|call| call.injected.as_ref());
        let after = injected.map(|injected| injected.after);
        self.end_call(host, id);
        let node = self.node();
        match row.class {
            Class::Memory if !self.yields => return Step::Over,
            Class::Memory => {}
            Class::Place => self.machine.events.record_call((node, tid), number, 0),
            Class::Call | Class::Poll | Class::Point => {
                self.machine.events.record_call((node, tid), number, value)
            }
        }
        if let Some(after) = after.filter(|after| *after != Strike::default()) {
            self.strike(host, id, after);
            if self.current != Some(id) {
                return Step::Away;
            }
        }
        let yields = core::mem::take(&mut self.yields)
            || row.class == Class::Poll && self.machine.clock.is_polled();
        if !self.scheduler.has_waiting() {
            return Step::Over;
        }
        if yields {
            self.scheduler.note_yield(id);
        } else {
            let turn = self.scheduler.preempts(id, self.machine.clock.now());
            if turn.fell_behind {
                self.note_fall_behind(host, id);
            }
            let Some(choice) = turn.gives_way else { return Step::Over };
            self.machine.record(host, choice);
        }
        self.give_way(id);
        Step::Away
    }

    /// Forgets a thread's call, which is over.
    pub(crate) fn end_call(&mut self, host: &mut dyn Host, id: ThreadId) {
        let Some(thread) = self.threads.get_mut(id) else { return };
        let held = thread.call.as_mut().and_then(|call| call.held.take());
        thread.call = None;
        if let Some(held) = held {
            FileDescription::let_go(held.file, &mut Env { machine: &mut self.machine, host });
            self.settle(host);
        }
    }

    /// Puts the current thread back among those that wait for a turn.
    pub(super) fn give_way(&mut self, id: ThreadId) {
        self.scheduler.enqueue(id);
        self.current = None;
    }

    /// Lets the current thread wait, unless a signal or a fault keeps it from doing so.
    pub(super) fn block(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        row: &Row,
        restart: Restart,
    ) -> Step {
        if self.thread(id).state == State::Dead {
            self.current = None;
            return Step::Away;
        }
        if self.is_interrupted(id, restart) {
            self.stop_waiting(id);
            return self.interrupt(host, id, row, restart);
        }
        if self.machine.faults.is_some()
            && let Some(step) = self.meet_faults_waiting(host, id, row, restart)
        {
            return step;
        }
        let thread = self.thread_mut(id);
        thread.state = State::Blocked(restart);
        if let Some(due) = thread.call.as_ref().and_then(Call::wakes) {
            let key = self.machine.timers.set(due, Due::Thread(id));
            self.thread_mut(id).timer = Some(key);
        }
        self.current = None;
        Step::Away
    }

    /// Takes from programs that were written to what lets them run as their owner or group.
    fn drop_identities(&mut self) {
        let writer = Tid::new(self.machine.actor.0);
        let writer = self.pids.get(&writer).and_then(|&id| self.processes.get(id));
        for file in core::mem::take(&mut self.machine.written_programs) {
            if let Some(writer) = writer {
                drop_identity(&writer.credentials, &file);
            }
        }
    }

    /// Tells a thread that a file must not become so long (`generic_write_check_limits`).
    fn signal_size_limit(&mut self) {
        if !core::mem::take(&mut self.machine.size_limit.is_met) {
            return;
        }
        if let Some(&writer) = self.tids.get(&Tid::new(self.machine.actor.1)) {
            self.raise_signal(writer, Signal::XFSZ);
        }
    }

    /// Sends a thread a signal for what it has done, as from itself (`send_sig` in kernel/signal.c).
    pub(crate) fn raise_signal(&mut self, thread: ThreadId, signal: Signal) {
        let process = self.process(self.thread(thread).process);
        let (pid, uid) = (process.pid, process.credentials.uid);
        let info = SignalInfo::from_process(signal, SI_USER as i32, pid, uid);
        self.machine.post_signal(SignalTarget::Thread(thread), info);
    }

    /// Does what handlers and objects have asked for: wake threads, send signals.
    pub(crate) fn settle(&mut self, host: &mut dyn Host) {
        if self.machine.is_settled() {
            return;
        }
        crate::fs::views::apply_written(self);
        self.drop_identities();
        self.signal_size_limit();
        self.expand_group_signals();
        self.machine.record_injections(host);
        loop {
            while let Some(id) = self.machine.wakes.take_first() {
                self.make_runnable(id);
            }
            for notice in self.machine.wakes.take_notices() {
                self.send_notice(host, &notice);
            }
            let signals = core::mem::take(&mut self.machine.signals);
            if signals.is_empty() && self.machine.wakes.is_empty() {
                return;
            }
            for (target, info) in signals {
                self.send_signal(host, target, info);
            }
        }
    }

    /// Turns the signals for a group into signals for its processes.
    fn expand_group_signals(&mut self) {
        for (group, signal) in core::mem::take(&mut self.machine.group_signals) {
            let alive =
                |process: &Process| process.group == group && process.state == ProcessState::Alive;
            let members = self.own_processes().filter(|(_, process)| alive(process));
            for id in members.map(|(id, _)| id).collect::<Vec<_>>() {
                let info = SignalInfo::from_kernel(signal);
                self.machine.signals.push((SignalTarget::Process(id), info));
            }
        }
    }

    /// Takes a thread off all that it was about to wait for.
    pub(super) fn stop_waiting(&mut self, id: ThreadId) {
        self.unregister(id);
        self.futexes.remove(id);
        self.ipc.forget_waiter(id);
    }

    /// Takes a thread off all queues and timers it waits on.
    pub(crate) fn unregister(&mut self, id: ThreadId) {
        let Some(thread) = self.threads.get_mut(id) else { return };
        for queue in thread.queues.drain(..) {
            queue.remove(id);
        }
        if let Some(key) = thread.timer.take() {
            self.machine.timers.cancel(key);
        }
    }

    /// Puts the thread's state besides general registers into the processor.
    pub(crate) fn load(&mut self, host: &mut dyn Host, here: SpaceId, id: ThreadId) {
        let loaded = self.loaded_in(here).replace(id);
        if loaded != Some(id) {
            if let Some(before) = loaded.and_then(|before| self.threads.get_mut(before)) {
                before.extended_state.clear();
                before.extended_state.extend_from_slice(host.extended_state());
            }
            let state = core::mem::take(&mut self.thread_mut(id).extended_state);
            if state.is_empty() {
                host.reset_extended_state();
            } else {
                let place = host.extended_state();
                let len = state.len().min(place.len());
                place[..len].copy_from_slice(&state[..len]);
            }
            self.thread_mut(id).extended_state = state;
        }
        let thread = self.thread(id);
        host.set_segment_bases(thread.fs_base, thread.gs_base);
    }

    /// Ends the run.
    pub(crate) fn end(&mut self, end: End, status: u32) {
        self.ended.get_or_insert((end, status));
    }

    pub(super) fn show_call(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        row: &Row,
        result: Result<u64>,
    ) {
        if self.machine.events.detail() < Detail::Calls {
            return;
        }
        let Some(call) = self.threads.get(id).and_then(|thread| thread.call.as_ref()) else {
            return;
        };
        let text = row.describe(call);
        let (result, reason) = match result {
            Ok(value) => (value as i64, alloc::string::String::new()),
            Err(Error { errno, reason }) => {
                let separator = if reason.is_empty() { "" } else { ": " };
                (errno.as_result() as i64, alloc::format!("{errno:?}{separator}{reason}"))
            }
        };
        let mut event = self.machine.event(What::Call { text, result, reason });
        if row.class == Class::Memory {
            event.number = 0;
        }
        self.machine.events.show(host, &event);
    }
}
