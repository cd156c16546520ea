//! Noticing a thread that never enters the kernel. As only one thread of a simulation runs at a time, one that waits
//! in a loop for another waits forever.
//!
//! Computing for long is no spin. It is one when the instruction pointer stays within a few bytes all the while and
//! somebody else could change something: a thread waits for its turn, or a timer is set.

use std::{fs, sync::atomic::Ordering, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, SysconfVar, sysconf},
};
use simrun_abi::control::{Control, PROBE_SIGNAL};

use super::processes;

/// How often to look.
pub const TICK: Duration = Duration::from_millis(100);
/// Processor time without an entry into the kernel from which on the place is watched.
const PATIENCE: Duration = Duration::from_secs(2);
/// Samples of the instruction pointer on which the verdict rests: one each tick.
const SAMPLES: usize = 10;
/// Size of the largest loop that counts as waiting, in bytes.
const LOOP_MAX: u64 = 256;

/// A thread that spins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spin {
    /// Its program.
    pub program: String,
    /// Where it spins: address, and file if known.
    pub place: String,
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
            *self = Self { entries, holder, since: used, probes, places: Vec::new() };
            return None;
        }
        let spent = used.saturating_sub(self.since);
        if spent < PATIENCE || control.others.load(Ordering::Relaxed) == 0 {
            return None;
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
        (last - first <= LOOP_MAX).then(|| Spin {
            program: processes::program(Pid::from_raw(holder)),
            place: describe(holder, first),
            processor_time: spent,
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

/// An address, with the mapped file it lies in if the host lets us see it.
fn describe(pid: i32, address: u64) -> String {
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap_or_default();
    let place = maps.lines().find_map(|line| {
        let (range, rest) = line.split_once(' ')?;
        let (start, end) = range.split_once('-')?;
        let start = u64::from_str_radix(start, 16).ok()?;
        let end = u64::from_str_radix(end, 16).ok()?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let offset = u64::from_str_radix(fields.get(1)?, 16).ok()?;
        let file = fields.get(4)?;
        (start..end)
            .contains(&address)
            .then(|| format!("{address:#x} ({file}+{:#x})", address - start + offset))
    });
    place.unwrap_or_else(|| format!("{address:#x}"))
}
