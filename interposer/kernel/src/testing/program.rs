//! A program made of bytes: system calls of many threads, with arguments good and bad.

use alloc::{vec, vec::Vec};

use linux_raw_sys::general as nr;
use simrun_abi::{
    boot::{Boot, Detail, FileTimes, Identity, Patching, Processor, Strategy, Streams},
    capture::Capture,
    faults::Fault,
    node::Node,
};

use super::{Bytes, FakeMachine, smallest_program};
use crate::{
    fault::Faults,
    host::Host,
    kernel::{Kernel, Trap, Way},
    outcome::Next,
    process::{State, ThreadId},
    signal::{Exception, Signal, SignalInfo},
};

/// Where the program's own memory is.
const AREA: u64 = 0x1000_0000;
/// Bytes of it.
const AREA_SIZE: u64 = 0x1_0000;
/// Bytes at its end that are left to tests.
#[cfg(test)]
pub(super) const BUFFER_SIZE: u64 = 0x8000;
/// Strings at the start of the area, for calls that take paths and names.
const STRINGS: [&[u8]; 10] = [
    b"/\0",
    b"/program\0",
    b"/file\0",
    b"/link\0",
    b"/proc/self/status\0",
    b"/proc/self/fd\0",
    b"/dev/null\0",
    b"/dev/ptmx\0",
    b"/folder/new\0",
    b"../..//./folder\0",
];
/// Where the first process has what its own calls need.
const PAUSE: u64 = AREA + 0x200;
/// Bytes for each of them.
const STRING_SIZE: u64 = 32;
/// Processes that there are at least.
const PROCESSES: usize = 4;
/// Processes that there are at most by the first one's doing.
const PROCESSES_MAX: usize = 12;
/// Highest number of a call that is tried.
const CALLS: u16 = 471;

/// What a program did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Played {
    /// The run's fingerprint.
    pub fingerprint: u64,
    /// Traps.
    pub entries: u64,
    /// Most threads at one time.
    pub threads: usize,
    /// Most processes at one time, zombies too.
    pub processes: usize,
}

/// Runs a program made of bytes until they, or the run, are at their end; checks the kernel's books after each step.
///
/// # Panics
/// When the kernel does, or its books are wrong.
#[must_use]
pub fn play(bytes: &[u8]) -> Played {
    play_with(bytes, Vec::new())
}

/// As [`play`], with faults.
///
/// # Panics
/// As [`play`].
#[must_use]
pub fn play_with(bytes: &[u8], faults: Vec<Fault>) -> Played {
    let mut bytes = Bytes::new(bytes);
    let mut game = Game::start_with(bytes.number(), faults);
    while !bytes.is_empty() && game.kernel.ended().is_none() {
        game.act(&mut bytes);
        check(&game.kernel);
        game.threads = game.threads.max(game.kernel.threads.iter().count());
        game.processes = game.processes.max(game.kernel.processes.iter().count());
    }
    Played {
        fingerprint: game.kernel.machine.events.fingerprint().value(),
        entries: game.kernel.entries(),
        threads: game.threads,
        processes: game.processes,
    }
}

/// Boots from a file with these bytes; whether that is a program.
#[must_use]
pub fn boots(contents: &[u8]) -> bool {
    let mut machine = FakeMachine::new(&["/program", "/file"]);
    let program = machine.files.open(b"/program", 0, 0).expect("it is there");
    machine.files.pwrite(program, contents, 0).expect("it can be written");
    Kernel::boot(&mut machine, &boot(0)).is_ok()
}

/// Plays a program with a thread that is in the run queue once too often.
#[cfg(test)]
pub fn play_with_wrong_books(bytes: &[u8]) {
    let mut game = Game::start(0);
    game.act(&mut Bytes::new(bytes));
    let Some(current) = game.kernel.current() else { return };
    game.kernel.scheduler.enqueue(current);
    check(&game.kernel);
}

/// A run whose program is played.
pub(crate) struct Game {
    kernel: Kernel,
    machine: FakeMachine,
    here: crate::mm::SpaceId,
    first: ThreadId,
    threads: usize,
    processes: usize,
}

impl Game {
    #[cfg(test)]
    pub(crate) fn start(seed: u64) -> Self {
        Self::start_with(seed, Vec::new())
    }

    /// A run with faults. What the first calls need is done before there are any.
    pub(crate) fn start_with(seed: u64, faults: Vec<Fault>) -> Self {
        let mut machine = FakeMachine::new(&[
            "/program",
            "/file",
            "/folder/",
            "/memory/",
            "/dev/",
            "/proc/",
            "/tmp/",
            "/link -> folder",
        ]);
        let program = machine.files.open(b"/program", 0, 0).expect("it is there");
        machine.files.pwrite(program, &smallest_program(), 0).expect("it can be written");
        let (kernel, here) =
            Kernel::boot(&mut machine, &boot(seed)).expect("the program can be executed");
        let Some(id) = kernel.current() else { unreachable!("a booted kernel has a thread") };
        machine.switch(here);
        let mut game = Self { kernel, machine, here, first: id, threads: 1, processes: 1 };
        let map = [
            AREA,
            AREA_SIZE,
            3,
            u64::from(nr::MAP_PRIVATE | nr::MAP_ANONYMOUS | nr::MAP_FIXED),
            !0,
            0,
        ];
        game.call(u64::from(nr::__NR_mmap), map);
        for (at, string) in (0..).zip(STRINGS) {
            let _ = game.machine.write_user(AREA + at * STRING_SIZE, string);
        }
        // A millisecond; all signals.
        let _ = game.machine.write_user(PAUSE, &[0, 1_000_000u64].map(u64::to_le_bytes).concat());
        let _ = game.machine.write_user(PAUSE + 16, &[0xff; 8]);
        game.call(u64::from(nr::__NR_rt_sigprocmask), [0, PAUSE + 16, 0, 8, 0, 0]);
        game.kernel.machine.faults = Faults::new(&faults, &[], &game.kernel.machine.random);
        game.kernel.arm_faults();
        game
    }

    fn act(&mut self, bytes: &mut Bytes<'_>) {
        if self.is_first() {
            return self.keep_going(bytes.byte());
        }
        match bytes.byte() {
            0..=31 => {
                let at = AREA + u64::from(bytes.word() & !7) % AREA_SIZE;
                let len = usize::from(bytes.byte() % 64);
                // A program that has unmapped its memory cannot write to it.
                let _ = self.machine.write_user(at, bytes.take(len));
            }
            32..=35 => self.trap(Trap::Tsc { with_processor: false }),
            36 => {
                let info = SignalInfo::exception(Signal::SEGV, 1, bytes.number());
                let exception = Exception { number: 14, error: 4, address: 0 };
                self.trap(Trap::Exception { info, exception });
            }
            37 => self.call(u64::from(nr::__NR_fork), [0; 6]),
            38..=40 => {
                let flags = u64::from(
                    nr::CLONE_VM
                        | nr::CLONE_THREAD
                        | nr::CLONE_SIGHAND
                        | nr::CLONE_FILES
                        | nr::CLONE_FS,
                );
                self.call(u64::from(nr::__NR_clone), [flags, AREA + AREA_SIZE, 0, 0, 0, 0]);
            }
            41..=43 => self.call(u64::from(nr::__NR_rt_sigprocmask), [1, PAUSE + 16, 0, 8, 0, 0]),
            _ => {
                let number = u64::from(bytes.word() % CALLS);
                // The run would be over too soon.
                let ends = [nr::__NR_exit, nr::__NR_exit_group].map(u64::from).contains(&number);
                if ends && bytes.byte() != 0 {
                    return;
                }
                let arguments = core::array::from_fn(|_| argument(bytes));
                self.call(number, arguments);
            }
        }
    }

    /// Whether the first process runs, whose end would end the run.
    fn is_first(&self) -> bool {
        self.kernel.current() == Some(self.first)
    }

    /// Lets the others run, or makes others if there are none.
    fn keep_going(&mut self, choice: u8) {
        let processes = self.kernel.processes.iter().count();
        // The others may all wait for each other.
        if processes < PROCESSES || processes < PROCESSES_MAX && choice < 16 {
            self.call(u64::from(nr::__NR_fork), [0; 6]);
        } else {
            self.call(u64::from(nr::__NR_wait4), [!0, 0, u64::from(nr::WNOHANG), 0, 0, 0]);
            if self.kernel.ended().is_none() && self.is_first() {
                self.call(u64::from(nr::__NR_nanosleep), [PAUSE, 0, 0, 0, 0, 0]);
            }
        }
    }

    /// Makes a call of the first process, the only one; its result.
    #[cfg(test)]
    pub(crate) fn result(&mut self, number: u32, arguments: [u64; 6]) -> i64 {
        self.call(u64::from(number), arguments);
        check(&self.kernel);
        self.kernel.thread_mut(self.first).registers.rax as i64
    }

    /// Makes a call that the run does not survive.
    #[cfg(test)]
    pub(crate) fn end_by(&mut self, number: u32) {
        self.call(u64::from(number), [self.buffer(), 0, 0, 0, 0, 0]);
        assert!(self.kernel.ended().is_some(), "the run is over");
    }

    /// The first process's wait status, if the run ended with it.
    #[cfg(test)]
    pub(crate) fn status(&self) -> Option<u32> {
        let ended = self.kernel.ended();
        ended
            .filter(|(end, _)| *end == simrun_abi::control::End::Finished)
            .map(|(_, status)| status)
    }

    /// Puts bytes where [`Game::buffer`] is.
    #[cfg(test)]
    pub(crate) fn fill(&mut self, bytes: &[u8]) {
        self.machine.write_user(self.buffer(), bytes).expect("the program's own memory");
    }

    /// The first bytes of [`Game::buffer`].
    #[cfg(test)]
    pub(crate) fn look(&mut self, len: usize) -> Vec<u8> {
        let mut bytes = vec![0; len];
        self.machine.read_user(self.buffer(), &mut bytes).expect("the program's own memory");
        bytes
    }

    /// Where calls of tests read and write, up to [`BUFFER_SIZE`] bytes.
    #[cfg(test)]
    pub(crate) const fn buffer(&self) -> u64 {
        AREA + AREA_SIZE - BUFFER_SIZE
    }

    /// Simulated time since the start.
    #[cfg(test)]
    pub(crate) fn elapsed(&self) -> core::time::Duration {
        self.kernel.machine.clock.elapsed()
    }

    fn call(&mut self, number: u64, arguments: [u64; 6]) {
        let Some(id) = self.kernel.current() else { unreachable!("a thread of a run is current") };
        let registers = &mut self.kernel.thread_mut(id).registers;
        let [rdi, rsi, rdx, r10, r8, r9] = arguments;
        (registers.rdi, registers.rsi, registers.rdx) = (rdi, rsi, rdx);
        (registers.r10, registers.r8, registers.r9) = (r10, r8, r9);
        registers.rax = number;
        self.trap(Trap::Call(Way::Trapped));
    }

    /// Does what the image does.
    fn trap(&mut self, trap: Trap) {
        let mut next = self.kernel.enter(&mut self.machine, self.here, trap);
        loop {
            match next {
                Next::Resume | Next::End => return,
                Next::Switch(to) => {
                    self.here = to;
                    self.machine.switch(to);
                }
                Next::Leave(to) => {
                    self.here = to;
                    self.machine.leave(to);
                }
                Next::Fork(space) => self.machine.fork(space),
            }
            next = self.kernel.run(&mut self.machine, self.here);
        }
    }
}

/// An argument of some kind: a descriptor, a place in memory, a flag, anything.
fn argument(bytes: &mut Bytes<'_>) -> u64 {
    let kind = bytes.byte();
    match kind {
        0..=63 => u64::from(kind % 16),
        64..=127 => AREA + u64::from(bytes.word() & !7) % AREA_SIZE,
        128..=159 => AREA + u64::from(bytes.byte()) % STRINGS.len() as u64 * STRING_SIZE,
        160..=175 => 1 << (bytes.byte() % 64),
        176..=191 => u64::from(bytes.word()),
        192..=199 => 0,
        200..=207 => (-i64::from(bytes.byte())) as u64,
        208..=215 => AREA + AREA_SIZE - u64::from(bytes.byte() % 16),
        216..=223 => u64::from(bytes.word()) << 12,
        224..=231 => 1 << (bytes.byte() % 32) | 1 << (bytes.byte() % 32),
        232..=239 => 2 + u64::from(bytes.byte() % 8),
        _ => bytes.number(),
    }
}

/// What must be true whenever a program runs.
fn check(kernel: &Kernel) {
    if kernel.ended().is_some() {
        return;
    }
    let Some(current) = kernel.current() else { panic!("nobody runs in a run that goes on") };
    assert!(kernel.is_live(current), "who runs is alive");
    for (id, thread) in kernel.threads.iter() {
        let queued = kernel.scheduler.queued().iter().filter(|&&queued| queued == id).count();
        let expected = usize::from(thread.state == State::Runnable && id != current);
        assert_eq!(queued, expected, "thread {} is {:?}", thread.tid.raw(), thread.state);
        if matches!(thread.state, State::Blocked(_)) {
            assert!(thread.call.is_some(), "thread {} waits in a call", thread.tid.raw());
        } else {
            assert!(thread.queues.is_empty(), "thread {} waits for nothing", thread.tid.raw());
        }
        assert_eq!(kernel.tids.get(&thread.tid), Some(&id), "the number of a thread names it");
        assert!(kernel.processes.get(thread.process).is_some(), "a thread has a process");
    }
    let known: Vec<_> = kernel.scheduler.queued().to_vec();
    assert!(known.iter().all(|&id| kernel.threads.get(id).is_some()), "who is queued exists");
}

/// The parameters of a run of the smallest program.
#[must_use]
pub fn boot(seed: u64) -> Boot {
    Boot {
        seed,
        start_time_ns: 1_700_000_000_000_000_000,
        timeout_ns: None,
        last_event: None,
        strategy: Strategy::Random,
        forced: Vec::new(),
        detail: Detail::Summary,
        nodes: vec![node()],
        streams: Streams::OfHost,
        identity: Identity { uid: 1000, gid: 1000, groups: vec![1000] },
        umask: 0o22,
        processor: Processor { hwcap: 0, hwcap2: 0, signal_stack_min: 2048 },
        preload: false,
        patching: Patching::Off,
        faults: Vec::new(),
        waiting: Vec::new(),
        file_times: FileTimes::Fixed,
        capture: Capture { limit: 0, artifacts_limit: 0, always: Vec::new() },
        files: Vec::new(),
        quiet_when: Vec::new(),
        links: Vec::new(),
        hidden: Vec::new(),
        searched: Vec::new(),
    }
}

/// A node that runs it.
#[must_use]
pub fn node() -> Node {
    Node {
        cpus: 2,
        program: b"/program".to_vec(),
        arguments: vec![b"program".to_vec()],
        environment: vec![b"A=1".to_vec()],
        ..Node::new("fuzz", [10, 0, 0, 1])
    }
}
