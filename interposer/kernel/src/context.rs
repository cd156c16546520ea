//! What a handler has around it: the kernel, the host, and the thread that calls.

use alloc::{rc::Rc, vec::Vec};
use core::time::Duration;

use bytemuck::{AnyBitPattern, NoUninit};

use crate::{
    error::{Errno, Error, Result},
    file::{Descriptor, Fd, FileDescription},
    host::Host,
    kernel::Kernel,
    machine::Env,
    mm::AddressSpace,
    outcome::{Outcome, Restart},
    process::{Call, Capabilities, Held, Process, ProcessId, Thread, ThreadId},
    time::Instant,
    uapi::{
        limits::{PATH_MAX, RW_COUNT_MAX},
        time::Timespec,
    },
    user::{self, UserPtr, UserSlice},
    wait::{Readiness, WaitQueue},
};

/// What a handler has around it.
pub struct Context<'a> {
    /// All state.
    pub kernel: &'a mut Kernel,
    /// The real machine.
    pub host: &'a mut dyn Host,
    /// Who calls.
    pub thread: ThreadId,
}

impl Context<'_> {
    /// What objects need.
    pub fn env(&mut self) -> Env<'_> {
        Env { machine: &mut self.kernel.machine, host: self.host }
    }

    /// The calling thread.
    pub fn thread(&mut self) -> &mut Thread {
        self.kernel.thread_mut(self.thread)
    }

    /// Its process.
    pub fn process(&mut self) -> &mut Process {
        let process = self.kernel.thread(self.thread).process;
        self.kernel.process_mut(process)
    }

    /// Its address space.
    pub fn space(&mut self) -> &mut AddressSpace {
        let space = self.process().space;
        self.kernel.space_mut(space)
    }

    /// The call it is in.
    ///
    /// # Panics
    /// Never within a handler.
    pub fn call(&mut self) -> &mut Call {
        self.thread().call.as_mut().expect("a handler serves a call")
    }

    /// The calling thread's program, for messages.
    pub fn program(&mut self) -> alloc::string::String {
        self.process().program_name().into_owned()
    }

    /// Now.
    #[must_use]
    pub fn now(&self) -> Instant {
        self.kernel.machine.clock.now()
    }

    /// Whether the caller may look into a process (ptrace(2), "Ptrace access mode checking").
    ///
    /// # Errors
    /// `EPERM`.
    pub fn check_trace_access(&mut self, target: ProcessId) -> Result<()> {
        if self.thread().process == target {
            return Ok(());
        }
        let own = Rc::clone(&self.process().credentials);
        let target = self.kernel.process(target);
        let theirs = &target.credentials;
        let is_own = [theirs.uid, theirs.euid, theirs.suid].iter().all(|&uid| uid == own.uid)
            && [theirs.gid, theirs.egid, theirs.sgid].iter().all(|&gid| gid == own.gid)
            && !target.settings.undumpable;
        if is_own || own.can(Capabilities::SYS_PTRACE) { Ok(()) } else { Err(Errno::EPERM.into()) }
    }

    // User memory.

    /// Reads a value.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn read<T: AnyBitPattern + NoUninit>(&mut self, from: UserPtr<T>) -> Result<T> {
        user::read(self.host, from)
    }

    /// Writes a value.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn write<T: NoUninit>(&mut self, to: UserPtr<T>, value: &T) -> Result<()> {
        user::write(self.host, to, value)
    }

    /// Writes a value unless the pointer is null.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn write_optional<T: NoUninit>(&mut self, to: u64, value: &T) -> Result<()> {
        UserPtr::new(to).non_null().map_or(Ok(()), |to| self.write(to, value))
    }

    /// Reads a path.
    ///
    /// # Errors
    /// `EFAULT`, `ENAMETOOLONG`.
    pub fn read_path(&mut self, address: u64) -> Result<Vec<u8>> {
        user::read_c_string(self.host, address, PATH_MAX - 1)
    }

    /// How many bytes the current call may transfer: Linux's limit, unless a fault makes it less.
    pub fn bytes_max(&mut self) -> usize {
        let injected = self.call().injected.as_ref();
        let max = injected.and_then(|injected| injected.bytes_max).unwrap_or(RW_COUNT_MAX as u64);
        max.min(RW_COUNT_MAX as u64) as usize
    }

    /// The buffer in two registers, cut at what the call may transfer.
    ///
    /// # Errors
    /// `EFAULT`.
    pub fn buffer(&mut self, address: u64, len: u64) -> Result<UserSlice> {
        let slice = UserSlice::new(address, len.min(self.bytes_max() as u64));
        slice.check()?;
        Ok(slice)
    }

    /// The buffers of a vector, cut at what the call may transfer.
    ///
    /// # Errors
    /// As [`user::read_iovec`].
    pub fn buffers(&mut self, address: u64, count: u64) -> Result<Vec<UserSlice>> {
        let max = self.bytes_max();
        user::read_iovec(self.host, address, count, max)
    }

    // Descriptors.

    /// The description behind a descriptor in a register that is good for more than a place in the tree.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn description(&mut self, fd: u64) -> Result<Rc<FileDescription>> {
        let file = self.description_or_place(fd)?;
        if file.is_place() { Err(Errno::EBADF.into()) } else { Ok(file) }
    }

    /// The description behind a descriptor in a register, one with `O_PATH` too (open(2) lists what that is good for).
    /// A call that has blocked on the descriptor in its first
    /// argument goes on with the same description, whatever has become of the descriptor meanwhile.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn description_or_place(&mut self, fd: u64) -> Result<Rc<FileDescription>> {
        let thread = self.kernel.thread(self.thread);
        if let Some(Call { held: Some(held), .. }) = &thread.call
            && held.fd == Some(fd as u32)
        {
            return Ok(Rc::clone(&held.file));
        }
        let fd = Fd::from_register(fd)?;
        let files = self.kernel.process(thread.process).files.borrow();
        Ok(Rc::clone(&files.get(fd)?.description))
    }

    /// Lets the current call go on with a description while it blocks, whatever becomes of the descriptor.
    pub fn hold(&mut self, fd: u64, file: &Rc<FileDescription>) {
        let held = &mut self.call().held;
        held.get_or_insert_with(|| Held { fd: Some(fd as u32), file: Rc::clone(file) });
    }

    /// Gives a description the lowest free number.
    ///
    /// # Errors
    /// `EMFILE`; the description is released then.
    pub fn add_descriptor(
        &mut self,
        description: Rc<FileDescription>,
        close_on_exec: bool,
    ) -> Result<u64> {
        let limit = self.kernel.descriptor_limit(self.thread);
        let descriptor = Descriptor { description: Rc::clone(&description), close_on_exec };
        let added = self.process().files.borrow_mut().add(descriptor, Fd(0), limit);
        match added {
            Ok(fd) => Ok(u64::from(fd.0)),
            Err(error) => {
                self.release(description);
                Err(error)
            }
        }
    }

    /// Closes a descriptor.
    ///
    /// # Errors
    /// `EBADF`.
    pub fn close(&mut self, fd: u64) -> Result<()> {
        let fd = Fd::from_register(fd)?;
        let descriptor = self.process().files.borrow_mut().remove(fd)?;
        self.release(descriptor.description);
        Ok(())
    }

    /// Lets a reference to a description go; the last one closes it.
    pub fn release(&mut self, description: Rc<FileDescription>) {
        let pid = self.process().pid.raw();
        description.closed_by(pid, &mut self.kernel.machine);
        FileDescription::let_go(description, &mut self.env());
    }

    // Waiting.

    /// Waits until a queue is woken.
    pub fn block_on(
        &mut self,
        queues: &[&WaitQueue],
        restart: Restart,
        waits_for: &'static str,
    ) -> Outcome {
        for &queue in queues {
            self.wait_in(queue, Readiness::all());
        }
        self.block(restart, waits_for)
    }

    /// Puts the thread into a queue until that is woken for any of this; [`Context::block`] must follow.
    pub fn wait_in(&mut self, queue: &WaitQueue, wanted: Readiness) {
        queue.add(self.thread, wanted);
        self.thread().queues.push(queue.clone());
    }

    /// Waits in the queues that the thread was put into.
    pub fn block(&mut self, restart: Restart, waits_for: &'static str) -> Outcome {
        self.call().waits_for = waits_for;
        Outcome::Blocked(restart)
    }

    /// The result of an operation on a description: waits where it would, and the descriptor blocks.
    ///
    /// # Errors
    /// The operation's.
    pub fn or_block(
        &mut self,
        file: &Rc<FileDescription>,
        result: Result<usize>,
        waits_for: &'static str,
    ) -> Result<Outcome> {
        self.or_block_for(file, result, Readiness::all(), waits_for)
    }

    /// As [`Context::or_block`], until the description may be ready for any of this.
    ///
    /// # Errors
    /// The operation's.
    pub fn or_block_for(
        &mut self,
        file: &Rc<FileDescription>,
        result: Result<usize>,
        wanted: Readiness,
        waits_for: &'static str,
    ) -> Result<Outcome> {
        match (result, file.queue()) {
            (Ok(value), _) => Ok(Outcome::Done(value as u64)),
            (Err(Error { errno: Errno::EAGAIN, .. }), Some(queue)) if !file.is_nonblocking() => {
                self.wait_in(queue, wanted);
                let fd = self.call().arguments[0];
                self.hold(fd, file);
                Ok(self.block(Restart::IfAsked, waits_for))
            }
            (Err(error), _) => Err(error),
        }
    }

    /// When the current call gives up: fixed by its first attempt, `None` for never.
    pub fn deadline_after(&mut self, timeout: Option<Duration>) -> Option<Instant> {
        let timeout = timeout?;
        let due = self.kernel.machine.clock.after(timeout);
        self.deadline_at(due)
    }

    /// As [`Context::deadline_after`] for an absolute time.
    pub fn deadline_at(&mut self, due: Instant) -> Option<Instant> {
        Some(*self.call().deadline.get_or_insert(due))
    }

    /// When the current call gives up: when so much has passed since boot, as the machine has it.
    pub fn deadline_at_since_boot(&mut self, shown: Duration) -> Option<Instant> {
        let due = self.kernel.machine.clock.at_since_boot(shown);
        self.deadline_at(due)
    }

    /// When the current call gives up: when the wall clock shows this, even if it is set meanwhile.
    pub fn deadline_at_wall(&mut self, wall: Duration) -> Option<Instant> {
        let due = self.kernel.machine.clock.at_wall(wall);
        self.call().wall_deadline = true;
        self.deadline_at(due)
    }

    /// Whether the current call must not wait: a signal wants the thread, or a fault has it behave as if one did.
    pub fn is_interrupted(&mut self) -> bool {
        let injected = self.call().injected.as_ref();
        injected.is_some_and(|injected| injected.ends.is_some())
            || self.kernel.has_deliverable_signal(self.thread)
    }

    /// Whether the current call's time has come.
    pub fn timed_out(&mut self) -> bool {
        let now = self.now();
        let call = self.call();
        call.timed_out || call.deadline.is_some_and(|due| due <= now)
    }

    /// Blocks only these signals until the current call is over (`sigsuspend`, `ppoll`, `pselect`, `epoll_pwait`).
    pub fn set_call_mask(&mut self, mask: crate::signal::SignalSet) {
        let signals = &mut self.thread().signals;
        if signals.saved_mask.is_none() {
            signals.saved_mask = Some(signals.mask);
        }
        self.kernel.set_signal_mask(self.thread, mask);
    }

    /// Reads an optional relative time-out; null is none.
    ///
    /// # Errors
    /// `EFAULT`, `EINVAL`.
    pub fn read_timeout(&mut self, address: u64) -> Result<Option<Duration>> {
        match UserPtr::<Timespec>::new(address).non_null() {
            Some(pointer) => Ok(Some(self.read(pointer)?.duration()?)),
            None => Ok(None),
        }
    }
}
