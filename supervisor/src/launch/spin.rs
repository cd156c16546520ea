//! Noticing a thread that never enters the kernel. As only one thread of a simulation runs at a time, one that waits
//! in a loop for another waits forever.
//!
//! Computing for long is no spin. It is one when the instruction pointer stays within a few bytes all the while and
//! somebody else could change something: a thread waits for its turn, or a timer is set.

use std::{
    fs, io,
    os::unix::fs::{FileExt, MetadataExt},
    sync::atomic::Ordering,
    time::Duration,
};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, SysconfVar, sysconf},
};
use simrun_abi::{
    boot::{Boot, WaitingLoop},
    control::{Control, PROBE_SIGNAL},
};
use simrun_kernel::process::code::{LOOP_MAX, back_edge};

use super::{Ending, Outcome, processes};

/// How often to look.
pub const TICK: Duration = Duration::from_millis(100);
/// Processor time without an entry into the kernel from which on the place is watched.
const PATIENCE: Duration = Duration::from_secs(2);
/// Processor time without an entry into the kernel after which a person is told, whatever the place: a loop too wide to
/// be told from work may be a wait, and then it has no end.
const LONG: Duration = Duration::from_secs(10);
/// Samples of the instruction pointer on which the verdict rests: one each tick.
const SAMPLES: usize = 10;
/// Most bytes of code in which the jump that makes the loop is looked for.
const CODE_SIZE: usize = 2 * LOOP_MAX as usize;

/// A thread that spins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spin {
    /// Its program.
    pub program: String,
    /// Where it spins: address, and file if known.
    pub place: String,
    /// Its jump back, if it was found in the file: it can be made to give way there.
    pub waiting: Option<WaitingLoop>,
    /// How long it has, in processor time.
    pub processor_time: Duration,
}

/// What is known of the thread that runs now.
#[derive(Default)]
pub struct SpinWatch {
    entries: u64,
    holder: i32,
    since: Duration,
    probes: u32,
    places: Vec<u64>,
    told: bool,
}

impl SpinWatch {
    /// Looks again; tells of a thread that spins.
    pub fn look(&mut self, control: &Control) -> Option<Spin> {
        let (entries, holder) =
            (control.entries.load(Ordering::Relaxed), control.holder.load(Ordering::Relaxed));
        if holder == 0 {
            return None;
        }
        let used = processor_time(holder)?;
        if (entries, holder) != (self.entries, self.holder) {
            let probes = control.probes.load(Ordering::Acquire);
            let told = self.told;
            *self = Self { entries, holder, since: used, probes, places: Vec::new(), told };
            return None;
        }
        let spent = used.saturating_sub(self.since);
        if spent < PATIENCE || control.others.load(Ordering::Relaxed) == 0 {
            return None;
        }
        if spent >= LONG && !std::mem::replace(&mut self.told, true) {
            let program = processes::program(Pid::from_raw(holder));
            eprintln!(
                "simrun: warning: {program} has computed for {LONG:?} without a system call while others wait; if it \
                 waits for one of them, it waits forever (end it with --wall-timeout)"
            );
        }
        let probes = control.probes.load(Ordering::Acquire);
        if probes != self.probes {
            self.probes = probes;
            self.places.push(control.probe_place.load(Ordering::Relaxed));
        }
        if self.places.len() < SAMPLES {
            let signal = Signal::try_from(PROBE_SIGNAL).ok()?;
            let _ = kill(Pid::from_raw(holder), signal);
            return None;
        }
        let places = std::mem::take(&mut self.places);
        let (first, last) = (*places.iter().min()?, *places.iter().max()?);
        (last - first <= LOOP_MAX).then(|| {
            let mapped = Mapped::at(holder, first);
            Spin {
                program: processes::program(Pid::from_raw(holder)),
                place: match &mapped {
                    Some(Mapped { file, offset }) => format!("{first:#x} ({file}+{offset:#x})"),
                    None => format!("{first:#x}"),
                },
                waiting: mapped.and_then(|mapped| mapped.waiting_loop().ok().flatten()),
                processor_time: spent,
            }
        })
    }
}

/// Processor time that a process has used, of `utime` and `stime` in proc_pid_stat(5).
fn processor_time(pid: i32) -> Option<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    // The name in parentheses may hold anything.
    let fields: Vec<&str> = stat.rsplit_once(')')?.1.split_whitespace().collect();
    let ticks: u64 = fields.get(11)?.parse::<u64>().ok()? + fields.get(12)?.parse::<u64>().ok()?;
    let per_second = sysconf(SysconfVar::CLK_TCK).ok()??;
    Some(Duration::from_millis(ticks * 1000 / u64::try_from(per_second).ok()?.max(1)))
}

/// A place in a file that is mapped.
struct Mapped {
    file: String,
    offset: u64,
}

impl Mapped {
    /// The place behind an address, if the host lets us see it.
    fn at(pid: i32, address: u64) -> Option<Self> {
        let maps = fs::read_to_string(format!("/proc/{pid}/maps")).ok()?;
        maps.lines().find_map(|line| {
            let (range, rest) = line.split_once(' ')?;
            let (start, end) = range.split_once('-')?;
            let start = u64::from_str_radix(start, 16).ok()?;
            let end = u64::from_str_radix(end, 16).ok()?;
            let (fields, file) = rest.split_once('/')?;
            let offset = u64::from_str_radix(fields.split_whitespace().nth(1)?, 16).ok()?;
            (start..end)
                .contains(&address)
                .then(|| Self { file: format!("/{file}"), offset: address - start + offset })
        })
    }

    /// The jump that makes the loop which this place is in.
    fn waiting_loop(&self) -> io::Result<Option<WaitingLoop>> {
        let file = fs::File::open(&self.file)?;
        let mut code = [0; CODE_SIZE];
        let len = file.read_at(&mut code, self.offset)?;
        let status = file.metadata()?;
        Ok(back_edge(&code[..len]).map(|jump| WaitingLoop {
            device: status.dev(),
            inode: status.ino(),
            offset: self.offset + jump as u64,
        }))
    }
}

/// Most loops that are learned for one command.
const LOOPS_MAX: usize = 32;

/// Takes into the parameters what a run that ended in a spin has shown, if the next one will get further and nobody
/// notices that there was an attempt before: it has neither read nor written a standard stream. Gives the words on it.
pub fn learn(boot: &mut Boot, outcome: &Outcome) -> Option<String> {
    let Ending::Spin(spin) = &outcome.ending else { return None };
    let waiting = spin.waiting?;
    let known = boot.waiting.contains(&waiting) || boot.waiting.len() >= LOOPS_MAX;
    if known || outcome.tally.stream_calls > 0 {
        return None;
    }
    boot.waiting.push(waiting);
    Some(format!(
        "{} waits in a loop without a system call near {}: it gives way there in this run, which began again",
        spin.program, spin.place
    ))
}
