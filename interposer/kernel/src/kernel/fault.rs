//! Where faults meet system calls.

use alloc::{boxed::Box, rc::Rc, string::String, vec::Vec};
use core::{cell::OnceCell, time::Duration};

use linux_raw_sys::general as nr;
use simrun_abi::{event::What, faults::Direction, node::Role};

use super::{Kernel, run::Step};
use crate::{
    context::Context,
    error::{Errno, Error},
    fault::{
        Damage, Faults, Firing, Hit, Injected, Strike, Timed, TimedVerdict, Verdict, WaitEnd,
        WaitVerdict, link::Report,
    },
    host::Host,
    machine::{Due, SignalTarget},
    net::socket::MessageFlags,
    node::NodeId,
    outcome::{Outcome, Restart},
    process::{ProcessId, ProcessState, ThreadId},
    signal::{ActionFlags, Signal, SignalInfo},
    syscall::{
        io,
        scene::CallScene,
        subject,
        table::{self, Row},
    },
};

/// How often faults alone may move time on while nobody runs.
const IN_VAIN_MAX: u32 = 1000;
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
        self.thread(id).call.as_ref()?.injected.as_ref()?;
        if first && self.fatal_signal(id).is_some() {
            // The call is never made: its process ends on the way back.
            return Some(Step::Over);
        }
        if self.is_stopped(self.thread(id).process) {
            return Some(Step::Away);
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

    /// What faults make of a request that is handed in among others, as of the call that it stands for.
    pub(crate) fn ask_faults_of_request(
        &mut self,
        host: &mut dyn Host,
        id: ThreadId,
        number: u64,
        arguments: [u64; 6],
    ) -> Verdict {
        if !self.is_watched_by_faults(number) {
            return Verdict::default();
        }
        let Some(mut faults) = self.machine.faults.take() else { return Verdict::default() };
        let elapsed = self.machine.clock.elapsed().as_nanos() as u64;
        let mut cx = Context { kernel: self, host, thread: id };
        let mut scene = CallScene::of(&mut cx, number, arguments);
        let verdict = faults.at_call(number, elapsed, &mut scene);
        let subject = if verdict.firings.is_empty() { String::new() } else { scene.subject() };
        self.machine.faults = Some(faults);
        for firing in &verdict.firings {
            let event = firing.event(table::row(number).name, subject.clone());
            self.machine.record(host, event);
        }
        self.machine.set_raised_timers();
        verdict
    }

    /// What the disk does to the bytes of a call that is about to be served.
    pub(super) fn take_damage(&mut self, id: ThreadId) -> Option<Damage> {
        self.thread_mut(id).call.as_mut()?.injected.as_mut()?.damage.take()
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
        self.record_firings(host, id, row, &verdict.firings);
        let waits = verdict.delay + verdict.before.stands_still();
        let begins = self.machine.clock.now() + waits;
        if let Some(call) = &mut self.thread_mut(id).call {
            call.injected = Some(Box::new(Injected {
                begins: (!waits.is_zero()).then_some(begins),
                fail: verdict.fail,
                bytes_max: verdict.bytes_max,
                damage: verdict.damage,
                reverses_wakes: verdict.reverses_wakes,
                after: verdict.after,
                ..Injected::default()
            }));
        }
        self.machine.set_raised_timers();
        self.strike(host, id, verdict.before);
    }

    /// Lets come upon a thread, its process and its machine what a fault has in store.
    pub(super) fn strike(&mut self, host: &mut dyn Host, id: ThreadId, strike: Strike) {
        if let Some(signal) = strike.signal.and_then(|number| Signal::new(number.into())) {
            let target = SignalTarget::Thread(id);
            self.machine.post_signal(target, SignalInfo::from_kernel(signal));
            self.settle(host);
        }
        if let Some(hit) = strike.node {
            self.hit_node(host, self.node(), hit);
        }
        if !strike.starve.is_zero() {
            self.starve(id, strike.starve);
        }
        if !strike.pause.is_zero() {
            self.pause(self.thread(id).process, strike.pause);
        }
    }

    /// Has all threads of a process stand still for so long.
    pub(super) fn pause(&mut self, process: ProcessId, duration: Duration) {
        let until = self.machine.clock.now() + duration;
        let later = self.process(process).paused_until.map_or(until, |other| other.max(until));
        self.process_mut(process).paused_until = Some(later);
        self.machine.timers.set(until, Due::Resume(process));
        self.halt_threads(process);
    }

    /// Lets a process go on, unless another pause of it lasts longer.
    pub(super) fn end_pause(&mut self, process: ProcessId) {
        let now = self.machine.clock.now();
        let Some(paused) = self.processes.get_mut(process) else { return };
        if paused.paused_until.is_some_and(|until| until <= now) {
            paused.paused_until = None;
            self.resume_threads(process);
        }
    }

    /// Says what the run's families are, and tells the clock of a leap second.
    pub(crate) fn announce_faults(&mut self) {
        let families = self.machine.faults.as_ref().map(|faults| faults.families.join(", "));
        if let Some(text) = families.filter(|text| !text.is_empty()) {
            self.machine.injections.push(What::Message { text });
        }
        if let Some(at) = self.machine.faults.as_mut().and_then(Faults::leap) {
            let at = self.machine.clock.after_start(Duration::from_nanos(at));
            self.machine.clock.expect_leap(at);
        }
    }

    /// Sets the timers of the faults that come at their time.
    pub(crate) fn arm_faults(&mut self) {
        for node in self.node_ids() {
            if self.machine.faults.as_ref().is_some_and(|faults| !faults.leaps(node)) {
                self.on_node(node, |kernel| kernel.machine.clock.forget_leap());
            }
        }
        let times = self.machine.faults.as_mut().map(Faults::first_times).unwrap_or_default();
        for (timed, at) in times {
            self.machine.set_fault_timer(timed, at);
        }
    }

    /// The time has come of something that faults do.
    pub(super) fn meet_fault_at_its_time(&mut self, host: &mut dyn Host, timed: Timed) {
        if self.starts.is_quiet {
            return;
        }
        match timed {
            Timed::Fault(index) => self.fire_fault(host, index),
            Timed::Partition(index) => {
                let elapsed = self.machine.clock.elapsed().as_nanos() as u64;
                let Some(faults) = &mut self.machine.faults else { return };
                let (reports, next) = faults.turn(index, elapsed);
                if let Some(next) = next {
                    self.machine.set_fault_timer(timed, next);
                }
                if !reports.is_empty() {
                    self.network.on_partition(&mut self.machine);
                    self.report_faults(host, reports);
                }
            }
        }
        self.machine.set_raised_timers();
    }

    /// Logs what faults have done to nobody in particular.
    pub(super) fn report_faults(&mut self, host: &mut dyn Host, reports: Vec<Report>) {
        let actor = core::mem::take(&mut self.machine.actor);
        for report in reports {
            self.machine.record(host, report.event("", String::new()));
        }
        self.machine.actor = actor;
    }

    /// A fault's time has come.
    fn fire_fault(&mut self, host: &mut dyn Host, index: u16) {
        if self.machine.faults.as_ref().is_some_and(|faults| faults.of_nodes(index).is_some()) {
            return self.fire_on_nodes(host, index);
        }
        let pauses = self.machine.faults.as_ref().is_some_and(|faults| faults.pauses(index));
        let mut victims = self.possible_victims();
        // One that stands still already must get on before it does so again.
        victims.retain(|&(id, _)| !pauses || self.process(id).paused_until.is_none());
        victims.retain(|&(id, _)| self.is_fault_for(index, self.process(id).node));
        let programs: Vec<_> = victims.iter().map(|(_, program)| Rc::clone(program)).collect();
        let elapsed = self.machine.clock.elapsed().as_nanos() as u64;
        let Some(faults) = &mut self.machine.faults else { return };
        let TimedVerdict { firing, next } = faults.at_time(index, elapsed, &programs);
        if let Some(next) = next {
            self.machine.set_fault_timer(Timed::Fault(index), next);
        }
        let Some((victim, firing)) = firing else { return };
        let victim = victim.map(|at| victims[at].0);
        let pid = victim.map_or(0, |victim| self.process(victim).pid.raw());
        let subject = victim.map(|victim| self.process(victim).program_name().into_owned());
        let actor = core::mem::replace(&mut self.machine.actor, (pid, pid));
        let what = firing.event("", subject.unwrap_or_default());
        let node = victim.map_or(self.node(), |victim| self.process(victim).node);
        self.on_node(node, |kernel| kernel.machine.record(host, what));
        self.machine.actor = actor;
        match (firing.hit, victim) {
            (Hit::Kill(number), Some(victim)) => {
                if let Some(signal) = Signal::new(number.into()) {
                    let info = SignalInfo::from_kernel(signal);
                    self.machine.post_signal(SignalTarget::Process(victim), info);
                }
            }
            (Hit::Pause(duration), Some(victim)) => self.pause(victim, duration),
            (Hit::JumpClock(direction, by), _) => self.jump_clock(index, direction, by),
            (Hit::Starve { by, random }, Some(victim)) => self.starve_one_of(victim, by, random),
            _ => {}
        }
    }

    /// Sets the wall clocks another time; none goes back beyond the machine's boot.
    fn jump_clock(&mut self, index: u16, direction: Direction, by: Duration) {
        for node in self.exposed_nodes(index) {
            self.on_node(node, |kernel| {
                let clock = &mut kernel.machine.clock;
                let wall = match direction {
                    Direction::Forward => clock.wall().saturating_add(by),
                    Direction::Backward => clock.wall().saturating_sub(by),
                };
                clock.set_wall(wall.max(clock.since_boot()));
                kernel.wall_clock_was_set();
            });
        }
    }

    /// Whether faults are for a node: workloads are left alone, unless there is nothing else.
    pub(super) fn may_be_hit(&self, node: NodeId) -> bool {
        self.nodes.len() == 1 || self.nodes[node.index()].plan.role != Role::Workload
    }

    pub(super) fn is_fault_for(&self, index: u16, node: NodeId) -> bool {
        self.machine.faults.as_ref().is_some_and(|faults| faults.is_for(index, node))
    }

    /// The nodes that a fault hits which comes at its time.
    pub(super) fn exposed_nodes(&self, index: u16) -> Vec<NodeId> {
        let is_hit = |&node: &NodeId| self.may_be_hit(node) && self.is_fault_for(index, node);
        self.node_ids().filter(is_hit).collect()
    }

    /// Processes that live and may be hit, but for those of the machines themselves, by node and number.
    fn possible_victims(&self) -> Vec<(ProcessId, Rc<[u8]>)> {
        self.all_processes()
            .filter(|(id, process)| process.state == ProcessState::Alive && !self.is_init(*id))
            .filter(|(_, process)| self.may_be_hit(process.node))
            .map(|(id, process)| (id, Rc::clone(&process.program)))
            .collect()
    }

    /// Whether anything that is due could set a thread going, when none can run and time has moved on so often already
    /// in vain. A fault that only lets processes stand still, or sends signals that nobody takes, does not: a run in which
    /// nothing else can happen is over.
    pub(super) fn has_future(&self, in_vain: u32) -> bool {
        let Some(faults) = &self.machine.faults else { return true };
        let (victims, anyone_asks) = (OnceCell::new(), OnceCell::new());
        self.machine.timers.any(|due| match due {
            Due::Fault(Timed::Partition(_)) => {
                in_vain < IN_VAIN_MAX && *anyone_asks.get_or_init(|| self.network.any_asks())
            }
            Due::Fault(Timed::Fault(index)) => {
                let is_hit = |id: &ProcessId| faults.is_for(*index, self.process(*id).node);
                let hit = victims
                    .get_or_init(|| self.possible_victims())
                    .iter()
                    .filter(|(id, _)| is_hit(id));
                let programs: Vec<_> = hit.map(|(_, program)| Rc::clone(program)).collect();
                in_vain < IN_VAIN_MAX && faults.could_help(*index, &programs)
            }
            Due::Resume(_) => in_vain < IN_VAIN_MAX,
            _ => true,
        })
    }

    /// Whether the next thing that is due is for the log alone.
    pub(super) fn is_next_for_the_log(&self) -> bool {
        let is_partition =
            matches!(self.machine.timers.next(), Some(Due::Fault(Timed::Partition(_))));
        is_partition && !self.network.any_asks()
    }

    fn record_firings(&mut self, host: &mut dyn Host, id: ThreadId, row: &Row, firings: &[Firing]) {
        if firings.is_empty() {
            return;
        }
        let subject = CallScene::new(&mut Context { kernel: self, host, thread: id }).subject();
        for firing in firings {
            self.machine.record(host, firing.event(row.name, subject.clone()));
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
        if let Some(end) = injected.ends {
            self.stop_waiting(id);
            self.restore_signal_mask(id);
            let result = match end {
                WaitEnd::Woken => Ok(0),
                WaitEnd::Interrupted if progress > 0 => Ok(progress),
                WaitEnd::Interrupted => Err(Error::new(Errno::EINTR, REASON)),
            };
            return Some(self.finish(host, id, row, result));
        }
        let watched = self.machine.faults.as_ref().is_some_and(|faults| faults.watch_wait(number));
        if !watched || injected.wait_considered || restart == Restart::OnlyFatal {
            return None;
        }
        let verdict = self.ask_faults_waiting(host, id, number, restart);
        self.record_firings(host, id, row, &verdict.firings);
        let WaitVerdict { ends, oversleep, wake_delay, .. } = verdict;
        let injected = Injected { wait_considered: true, ends, oversleep, wake_delay, ..injected };
        let call = self.thread_mut(id).call.as_mut()?;
        call.injected = Some(Box::new(injected));
        ends?;
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
        number: u64,
        restart: Restart,
    ) -> WaitVerdict {
        let Some(mut faults) = self.machine.faults.take() else { return WaitVerdict::default() };
        let elapsed = self.machine.clock.elapsed().as_nanos() as u64;
        let interruptible = self.can_be_interrupted(id, restart);
        let mut cx = Context { kernel: self, host, thread: id };
        let verdict = faults.at_wait(number, elapsed, &mut CallScene::new(&mut cx), interruptible);
        self.machine.faults = Some(faults);
        self.machine.set_raised_timers();
        verdict
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
