//! What becomes of threads that wait in a loop without a system call: see [`crate::spin`].
//!
//! The jump of such a loop is made an invalid instruction, so that whoever comes by again enters the kernel there.

use alloc::{collections::BTreeMap, rc::Rc, string::String};

use simrun_abi::event::What;

use super::{Kernel, Trap, patch::patchable_code};
use crate::{
    arch::x86_64::Branch,
    host::Host,
    mm::SpaceId,
    outcome::Restart,
    process::{State, ThreadId, code},
    signal::Signal,
    spin::{self, Circle, Machine, Place, Verdict},
    syscall::table::Class,
    wait::Readiness,
};

impl Kernel {
    /// Takes in the circle that the current thread was found in. Returned to its program, it enters the kernel at once if the
    /// place could be patched; if not, it must enter by [`super::Trap::Circling`].
    pub fn note_circle(&mut self, host: &mut dyn Host, here: SpaceId, circle: Circle) -> Placed {
        let at = circle.machine.registers.rip;
        let place = self.place_in_file(here, at);
        self.machine.record(host, What::Loop { place });
        let Some(space) = self.spaces.get_mut(here) else { return Placed::Unpatched };
        if !space.waiting.contains_key(&at) {
            let patched = circle.branch.and_then(|branch| {
                let code = patchable_code(space, at + Branch::LEN_MAX as u64)?;
                let mut bytes = [0; 2];
                host.read_user(at, &mut bytes).ok()?;
                let prot = space.at(code.start)?.1.prot;
                code::overwrite(host, at, prot, &code::INVALID).ok()?;
                Some((branch, bytes))
            });
            space.waiting.insert(at, Place::found(patched));
        }
        let Some(known) = space.waiting.get_mut(&at) else { return Placed::Unpatched };
        known.add(circle);
        if known.patched.is_some() { Placed::Patched } else { Placed::Unpatched }
    }

    /// How many instructions of the current thread the shell should look at now, if it returns to its program.
    pub fn take_wanted_search(&mut self) -> Option<u64> {
        let (thread, steps) = self.search_wanted.take()?;
        (self.current == Some(thread)).then_some(steps)
    }

    /// The places in an address space where threads are known to wait.
    #[must_use]
    pub fn waiting_places(&self, space: SpaceId) -> Option<&BTreeMap<u64, Place>> {
        Some(&self.spaces.get(space)?.waiting)
    }

    /// A file and an offset in it, for people.
    fn place_in_file(&self, space: SpaceId, address: u64) -> String {
        let mapping = self.spaces.get(space).and_then(|space| space.at(address));
        match mapping {
            Some((range, mapping)) if mapping.inode != 0 => {
                let offset = address - range.start + mapping.offset;
                alloc::format!("{}+{offset:#x}", String::from_utf8_lossy(&mapping.name))
            }
            _ => alloc::format!("{address:#x}"),
        }
    }

    /// Where a blocked thread waits in a loop.
    pub(super) fn describe_loop(&self, id: ThreadId) -> String {
        let at = self.thread(id).registers.rip;
        alloc::format!(
            "a change of memory, in a loop at {}",
            self.place_in_file(self.space_of(id), at)
        )
    }

    /// A trap of a thread at a place where threads are known to wait; `false` if it is something else.
    pub(super) fn pass_place(
        &mut self,
        host: &mut dyn Host,
        here: SpaceId,
        id: ThreadId,
        trap: Trap,
    ) -> bool {
        let by_patch = match trap {
            Trap::Exception { info, .. } if info.signal == Signal::ILL => true,
            Trap::Circling => false,
            _ => return false,
        };
        let thread = self.thread(id);
        let registers = thread.registers;
        let bases = (thread.fs_base, thread.gs_base);
        let Some(space) = self.spaces.get_mut(here) else { return false };
        let Some(place) = space.waiting.get_mut(&registers.rip) else { return false };
        if place.patched.is_some() != by_patch {
            return false;
        }
        let machine = Machine::new(registers, bases, spin::digest(host.extended_state()));
        let verdict = place.judge(host, &machine, self.entries);
        if let Some((branch, code)) = place.patched {
            let spent = place.is_spent();
            self.thread_mut(id).registers.rip = branch.next(registers.rip, registers.eflags);
            if spent {
                self.give_up_place(host, here, registers.rip, code);
            }
        }
        match verdict {
            Verdict::Waits(circle) => {
                self.note_progress(host);
                self.wait_for_others(host, id, circle);
            }
            Verdict::MayWait => {
                self.note_progress(host);
                self.take_turns(host, id);
            }
            Verdict::Passes => {
                self.note_progress(host);
                self.machine.clock.charge_point();
            }
            Verdict::Search(steps) => {
                self.note_progress(host);
                self.machine.clock.charge_point();
                self.search_wanted = Some((id, steps));
            }
        }
        true
    }

    /// Makes a place what it was. If something else has come there meanwhile, that stays.
    fn give_up_place(&mut self, host: &mut dyn Host, here: SpaceId, at: u64, code: [u8; 2]) {
        let space = self.space_mut(here);
        let mut now = [0; 2];
        let is_ours = host.read_user(at, &mut now).is_ok() && now == code::INVALID;
        let given_up = match space.at(at) {
            Some((_, mapping)) if is_ours => code::overwrite(host, at, mapping.prot, &code).is_ok(),
            _ => true,
        };
        if given_up {
            space.waiting.remove(&at);
        }
    }

    /// Lets a thread that waits in a loop count as blocked until another thread has run, or a signal comes for it. One
    /// whose process counts processor time uses some instead: its end may be what it waits for.
    fn wait_for_others(&mut self, host: &mut dyn Host, id: ThreadId, circle: Rc<Circle>) {
        let process = self.thread(id).process;
        if self.process(process).timers.count_processor_time() {
            return self.take_turns(host, id);
        }
        self.charge(id, Class::Poll);
        self.thread_mut(id).circle = Some(circle);
        self.block_in_circle(id);
    }

    /// Whether a thread whose turn it is goes on waiting in its loop: nothing that it reads there has changed.
    pub(super) fn stays_in_circle(&mut self, host: &mut dyn Host, id: ThreadId) -> bool {
        let thread = self.thread_mut(id);
        let Some(circle) = thread.circle.take() else { return false };
        if thread.signals.attention || !circle.is_closed(host) {
            return false;
        }
        thread.circle = Some(circle);
        self.block_in_circle(id);
        true
    }

    fn block_in_circle(&mut self, id: ThreadId) {
        let progress = self.machine.progress.clone();
        progress.add(id, Readiness::all());
        let thread = self.thread_mut(id);
        thread.queues.push(progress);
        thread.state = State::Blocked(Restart::IfAsked);
        self.current = None;
    }

    /// Lets time pass and others go first, as `sched_yield` does.
    fn take_turns(&mut self, host: &mut dyn Host, id: ThreadId) {
        self.charge(id, Class::Poll);
        self.settle(host);
        self.run_timers(host);
        if self.current == Some(id) && self.scheduler.has_waiting() {
            self.give_way(id);
        }
    }

    /// A thread has run that may have changed what others wait for in a loop.
    pub(super) fn note_progress(&mut self, host: &mut dyn Host) {
        if self.machine.progress.has_threads() {
            self.machine.progress.wake(Readiness::all(), &mut self.machine.wakes);
            self.settle(host);
        }
    }
}

/// What became of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Placed {
    /// Its jump enters the kernel now.
    Patched,
    /// It is as it was.
    Unpatched,
}
