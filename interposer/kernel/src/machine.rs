//! The parts of the simulated machine that every object may touch: clock, timers, randomness, the log, and the
//! lists of things to be done once the current handler is through.

use alloc::{
    rc::{Rc, Weak},
    string::String,
    vec::Vec,
};
use core::time::Duration;

use simrun_abi::{
    boot::{Boot, FileTimes, Identity},
    capture::Capture,
    event::{Event, What},
    node::{Milestone, Node, Role},
};

use crate::{
    error::{Errno, Error, Result},
    event::EventLog,
    fault::{Damage, Faults, Timed},
    fs::{Inode, Tree},
    host::Host,
    node::{Awaited, NodeId},
    process::{INFINITY, Pid, ProcessId, ThreadId, Tid, code::CodeFiles},
    random::Random,
    signal::{Signal, SignalInfo},
    time::{Clock, Instant, TimerKey, Timers},
    wait::{WaitQueue, Wakes},
};

/// The simulated kernel's release, as uname(2) and `/proc` show it.
pub const KERNEL_RELEASE: &str = "6.1.0-simrun";
/// The simulated kernel's version, as uname(2) and `/proc` show it.
pub const KERNEL_VERSION: &str = "#1 SMP simrun";

/// An object with something to do at an instant.
pub trait Expire {
    /// The timer went off.
    fn expire(&self, machine: &mut Machine);
    /// The clocks that it may go by were set while it was set.
    fn clocks_were_set(&self, _machine: &mut Machine) {}
}

/// What a timer does when it goes off.
pub enum Due {
    /// A thread's time-out.
    Thread(ThreadId),
    /// A thread that was woken some time ago goes on.
    Late(ThreadId),
    /// An object's own, if it still lives, on its node.
    Object(NodeId, Weak<dyn Expire>),
    /// A node starts.
    Start(NodeId),
    /// A node that was asked to stop, and has started so often, has had its time.
    Grace(NodeId, u64),
    /// The run has taken too long.
    Timeout,
    /// Services have been waited for long enough.
    Stop,
    /// A fault's time.
    Fault(Timed),
    /// A process that a fault has had stand still goes on.
    Resume(ProcessId),
}

/// Whom a signal is sent to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignalTarget {
    /// Whichever thread of the process takes it.
    Process(ProcessId),
    /// This thread.
    Thread(ThreadId),
}

/// Ports below this are for root.
const PRIVILEGED_PORTS_END: u16 = 1024;

/// What a node was booted with.
pub struct Config {
    /// Processors shown.
    pub cpus: u32,
    /// Memory shown, in bytes.
    pub memory: u64,
    /// Host name at boot.
    pub hostname: String,
    /// Ports below this are for root (`net.ipv4.ip_unprivileged_port_start`): none on machines that only serve, whoever
    /// runs simrun, as in containers.
    pub unprivileged_port_start: u16,
    /// NIS domain name, `(none)` unless set.
    pub domain: String,
    /// Who the first process runs as.
    pub identity: Identity,
    /// Whether programs are given the preload library.
    pub preload: bool,
    /// What times the host's files show.
    pub file_times: FileTimes,
    /// What is kept of the files that the run writes.
    pub capture: Capture,
}

impl Config {
    /// A node's.
    #[must_use]
    pub fn new(boot: &Boot, node: &Node) -> Self {
        Self {
            cpus: node.cpus,
            memory: node.memory,
            hostname: node.hostname.clone(),
            unprivileged_port_start: match node.role {
                Role::Workload => PRIVILEGED_PORTS_END,
                Role::Service { .. } => 0,
            },
            domain: "(none)".into(),
            identity: boot.identity.clone(),
            preload: boot.preload,
            file_times: boot.file_times,
            capture: boot.capture.clone(),
        }
    }
}

/// What nodes wait for others to print.
fn awaited(boot: &Boot) -> Vec<Awaited> {
    let conditions = boot
        .nodes
        .iter()
        .flat_map(|node| &node.starts_when)
        .chain(boot.quiet_when.iter().flatten());
    let printed = conditions.filter_map(|condition| match &condition.reached {
        Milestone::Printed(text) => Some(Awaited::new(NodeId::new(condition.node), text)),
        _ => None,
    });
    printed.collect()
}

/// See the module.
pub struct Machine {
    /// The one clock.
    pub clock: Clock,
    /// What is due when.
    pub timers: Timers<Due>,
    /// The streams of random numbers.
    pub random: Random,
    /// What is injected, if anything is.
    pub faults: Option<Faults>,
    /// What faults have done that is not in the log yet.
    pub injections: Vec<What>,
    /// The ordered log.
    pub events: EventLog,
    /// Threads to be made runnable.
    pub wakes: Wakes,
    /// Signals to be sent.
    pub signals: Vec<(SignalTarget, SignalInfo)>,
    /// Signals to be sent to process groups, from their terminals.
    pub group_signals: Vec<(Pid, Signal)>,
    /// What was written to settings (`/proc/sys`), by path.
    pub written: Vec<(Rc<[u8]>, Vec<u8>)>,
    /// What the disk does to the bytes that the present call reads or writes, if it is bad.
    pub damage: Option<Damage>,
    /// Files that run as their owner or group and were written to.
    pub written_programs: Vec<Rc<Inode>>,
    /// How long the files may become that the acting thread writes to, and whether it has met that.
    pub size_limit: SizeLimit,
    /// The tree of files.
    pub tree: Rc<Tree>,
    /// What was found in mapped code.
    pub code: CodeFiles,
    /// What it was booted with.
    pub config: Config,
    /// What nodes may print that others wait for.
    pub awaited: Vec<Awaited>,
    /// Woken when any signal is sent: signalfds look again.
    pub signal_arrived: WaitQueue,
    /// Waited on by threads in a loop without a call: woken when another thread has run.
    pub progress: WaitQueue,
    /// The node that acts now.
    pub node: NodeId,
    /// Who acts now, for the log.
    pub actor: (u32, u32),
    /// The program that acts now.
    pub program: Rc<[u8]>,
    /// Inode number of the last object without a name.
    inodes: u64,
}

/// Inode number of the first pipe or socket.
const INODE_FIRST: u64 = 1001;

impl Machine {
    /// The machine as booted.
    #[must_use]
    pub fn new(boot: &Boot) -> Self {
        let random = Random::new(boot.seed);
        Self {
            clock: Clock::new(boot.start_time_ns),
            timers: Timers::default(),
            faults: Faults::new(
                &[boot.links.as_slice(), &boot.faults].concat(),
                &boot.nodes,
                &random,
            ),
            random,
            injections: Vec::new(),
            events: EventLog::new(boot.detail, boot.last_event),
            wakes: Wakes::default(),
            signals: Vec::new(),
            group_signals: Vec::new(),
            written: Vec::new(),
            damage: None,
            written_programs: Vec::new(),
            size_limit: SizeLimit::default(),
            tree: Rc::new(Tree::new(boot, &boot.nodes[0])),
            code: CodeFiles::new(&boot.waiting, &boot.searched),
            config: Config::new(boot, &boot.nodes[0]),
            awaited: awaited(boot),
            signal_arrived: WaitQueue::default(),
            progress: WaitQueue::default(),
            node: NodeId::default(),
            actor: (0, 0),
            program: Rc::default(),
            inodes: INODE_FIRST - 1,
        }
    }

    /// The inode number of a new object without a name, as `/proc/self/fd` shows it.
    pub fn allocate_inode(&mut self) -> u64 {
        self.inodes += 1;
        self.inodes
    }

    /// Sends a signal once the current handler is through.
    pub fn post_signal(&mut self, target: SignalTarget, info: SignalInfo) {
        self.signals.push((target, info));
    }

    /// Sets a timer for an object of the node that acts.
    pub fn set_timer(&mut self, due: Instant, object: Weak<dyn Expire>) -> TimerKey {
        self.set_timer_on(self.node, due, object)
    }

    /// Sets a timer for an object of some node.
    pub fn set_timer_on(
        &mut self,
        node: NodeId,
        due: Instant,
        object: Weak<dyn Expire>,
    ) -> TimerKey {
        self.timers.set(due, Due::Object(node, object))
    }

    /// What comes at its time does at this one, in nanoseconds from the start of the run.
    pub fn set_fault_timer(&mut self, timed: Timed, at: u64) {
        let Some(faults) = &mut self.faults else { return };
        let due = self.clock.after_start(Duration::from_nanos(at));
        let key = self.timers.set(due, Due::Fault(timed));
        if let Some(before) = faults.replace_timer(timed, key) {
            self.timers.cancel(before);
        }
    }

    /// Sets the timers anew of what others have brought nearer.
    pub fn set_raised_timers(&mut self) {
        let elapsed = self.clock.elapsed().as_nanos() as u64;
        let times = self.faults.as_mut().map(|faults| faults.take_raised(elapsed));
        for (timed, at) in times.unwrap_or_default() {
            self.set_fault_timer(timed, at);
        }
    }

    /// Some faults have fired, given by their names and how often they have: others may come more often.
    pub fn raise_after<'a>(&mut self, fired: impl Iterator<Item = (&'a str, u64)> + Clone) {
        let elapsed = self.clock.elapsed().as_nanos() as u64;
        if let Some(faults) = &mut self.faults {
            faults.raise_after(fired, elapsed);
            self.set_raised_timers();
        }
    }

    /// Logs what the current actor did.
    pub fn record(&mut self, host: &mut dyn Host, what: What) {
        let event = self.event(what);
        self.events.record(host, &event);
    }

    /// The event of the current actor having done this now.
    #[must_use]
    pub fn event(&self, what: What) -> Event {
        Event {
            number: self.events.next_number(),
            time_ns: self.clock.elapsed().as_nanos() as u64,
            node: self.node.raw(),
            pid: self.actor.0,
            tid: self.actor.1,
            what,
        }
    }

    /// Logs that the simulation does not control or support something; once for each program.
    pub fn escape(&mut self, host: &mut dyn Host, what: &str, program: &str, effect: &str) {
        if self.events.is_new_escape(what, program) {
            self.record(
                host,
                What::Escape { what: what.into(), program: program.into(), effect: effect.into() },
            );
        }
    }

    /// Whether no handler and no object has asked for anything, as after most calls.
    #[must_use]
    pub fn is_settled(&self) -> bool {
        self.wakes.is_empty()
            && self.signals.is_empty()
            && self.injections.is_empty()
            && self.group_signals.is_empty()
            && self.written.is_empty()
            && self.written_programs.is_empty()
            && !self.size_limit.is_met
    }

    /// Logs what faults have done meanwhile.
    pub fn record_injections(&mut self, host: &mut dyn Host) {
        for what in core::mem::take(&mut self.injections) {
            self.record(host, what);
        }
    }

    /// Whether a node that is watched for it has printed something.
    #[must_use]
    pub fn has_printed(&self, node: NodeId, text: &[u8]) -> bool {
        self.awaited.iter().any(|awaited| awaited.seen && awaited.is(node, text))
    }

    /// The node that acts has written to a standard stream.
    pub fn note_printed(&mut self, bytes: &[u8]) {
        let node = self.node;
        self.awaited.iter_mut().for_each(|awaited| awaited.look_at(node, bytes));
    }

    /// Names the thread that acts from now on.
    pub fn set_actor(&mut self, pid: Tid, tid: Tid) {
        self.actor = (pid.raw(), tid.raw());
    }
}

/// `RLIMIT_FSIZE` (getrlimit(2)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SizeLimit {
    /// Bytes.
    pub max: u64,
    /// Whether the acting thread has met it and is to be told by a signal.
    pub is_met: bool,
}

impl Default for SizeLimit {
    fn default() -> Self {
        Self { max: INFINITY, is_met: false }
    }
}

impl SizeLimit {
    /// How many of so many bytes can be written at an offset (`generic_write_check_limits`).
    ///
    /// # Errors
    /// `EFBIG` if none can; there is a signal, too.
    pub fn room(&mut self, at: u64, len: u64) -> Result<u64> {
        match self.max.saturating_sub(at) {
            0 if len > 0 && self.max != INFINITY => self.refuse(),
            room => Ok(len.min(room)),
        }
    }

    /// Refuses to let a file grow to this length (`inode_newsize_ok`).
    ///
    /// # Errors
    /// `EFBIG`; there is a signal, too.
    pub fn check_growth(&mut self, to: u64) -> Result<()> {
        if to > self.max { self.refuse() } else { Ok(()) }
    }

    fn refuse<T>(&mut self) -> Result<T> {
        self.is_met = true;
        Err(Error::new(Errno::EFBIG, "more than RLIMIT_FSIZE"))
    }
}

/// What an object has around it while it serves a call.
pub struct Env<'a> {
    /// The simulated machine.
    pub machine: &'a mut Machine,
    /// The real one.
    pub host: &'a mut dyn Host,
}
