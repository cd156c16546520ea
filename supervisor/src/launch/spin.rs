//! Noticing a thread that never enters the kernel. As only one thread of a simulation runs at a time, one that waits
//! in a loop for another waits forever.
//!
//! The supervisor only notices that a thread computes for long, and has the image look at it step by step. One that is
//! found to wait goes on waiting as a blocked thread does, see `simrun_kernel::spin`, and the supervisor hears no more of
//! it. Of any other nobody can tell whether it waits or works. When that has gone on for very long while others wait,
//! the run begins again with a place in the loop where others go first, unless it has done something that can be seen.

use std::{fs, os::unix::fs::MetadataExt, sync::atomic::Ordering, time::Duration};

use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, SysconfVar, sysconf},
};
use simrun_abi::{
    boot::{Boot, WaitingLoop},
    control::{Control, PROBE_SIGNAL},
};

use super::{Ending, Outcome, processes};
use crate::report::say;

/// How often to look.
pub const TICK: Duration = Duration::from_millis(100);
/// Processor time without an entry into the kernel after which to look closely, and at how many instructions: a step
/// takes some microseconds, so that a thread that works loses little.
const SEARCHES: [(Duration, u64); 4] = [
    (Duration::from_millis(200), 2_000),
    (Duration::from_secs(1), 10_000),
    (Duration::from_secs(4), 40_000),
    (Duration::from_secs(9), 100_000),
];
/// Which of them is the first for a thread that keeps nobody waiting.
const FIRST_ALONE: usize = 1;

/// The search with this number, from zero: after the last one of the list, as many steps after twice the time, and again.
fn search(number: usize) -> (Duration, u64) {
    let last = SEARCHES.len() - 1;
    let (after, steps) = SEARCHES[number.min(last)];
    (after * (1 << number.saturating_sub(last).min(16)), steps)
}
/// Processor time without an entry into the kernel after which a thread that keeps others waiting, and goes in no circle,
/// is dealt with.
const LONG: Duration = Duration::from_secs(10);
/// Processor time without an entry into the kernel after which the image is lost, if every look has found it at work: no
/// call takes that long.
const LOST: Duration = Duration::from_secs(30);
/// Most loops that are learned for one command.
const LOOPS_MAX: usize = 32;

/// A thread that may wait for another in a loop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spin {
    /// Its program.
    pub program: String,
    /// The file that holds the loop.
    pub file: String,
    /// The jump that makes it.
    pub place: WaitingLoop,
}

/// What is known of the thread that runs now.
#[derive(Default)]
pub struct SpinWatch {
    entries: u64,
    holder: i32,
    since: Duration,
    /// Searches asked for so far, and those left out.
    searches: usize,
    /// Looks so far.
    looks: u32,
    /// Searches that had ended when this thread began.
    ended_before: u32,
    /// Looks that had found the image when this thread began.
    inside_before: u32,
    told: bool,
}

impl SpinWatch {
    /// Looks again; tells of a thread for which the run has to begin again, or with which it ends.
    pub fn look(&mut self, control: &Control, known: &[WaitingLoop]) -> Option<Ending> {
        let (entries, holder) =
            (control.entries.load(Ordering::Relaxed), control.holder.load(Ordering::Relaxed));
        if holder == 0 {
            return None;
        }
        let used = processor_time(holder)?;
        let ended = control.searches.load(Ordering::Acquire);
        let inside = control.looks_inside.load(Ordering::Acquire);
        if (entries, holder) != (self.entries, self.holder) {
            let told = self.told;
            *self = Self {
                entries,
                holder,
                since: used,
                searches: 0,
                looks: 0,
                ended_before: ended,
                inside_before: inside,
                told,
            };
            return None;
        }
        let spent = used.saturating_sub(self.since);
        if is_lost(spent, self.looks, inside.wrapping_sub(self.inside_before)) {
            return Some(Ending::Panic(format!(
                "it has served one call of {} for {} s and comes to no end (it is at {:#x})",
                processes::program(Pid::from_raw(holder)),
                spent.as_secs(),
                control.inside_at.load(Ordering::Relaxed),
            )));
        }
        let keeps_others_waiting = control.others.load(Ordering::Relaxed) != 0;
        if !keeps_others_waiting {
            self.searches = self.searches.max(FIRST_ALONE);
        }
        let (after, steps) = search(self.searches);
        if spent >= after {
            self.searches += 1;
            self.looks += 1;
            control.search_steps.store(steps, Ordering::Relaxed);
            let signal = Signal::try_from(PROBE_SIGNAL).ok()?;
            // One that is gone by now is no concern.
            let _ = kill(Pid::from_raw(holder), signal);
        }
        let searched = ended.wrapping_sub(self.ended_before) > 0;
        if spent < LONG || !keeps_others_waiting || !searched || self.told {
            return None;
        }
        self.told = true;
        deal_with(control, holder, spent, known).map(Ending::Spin)
    }
}

/// Whether the image goes in a circle of its own: each of so many looks has found it at work.
fn is_lost(spent: Duration, looks: u32, inside: u32) -> bool {
    spent >= LOST && inside >= looks
}

/// Has the run begin again if that helps and nobody notices; else says how it would.
fn deal_with(
    control: &Control,
    holder: i32,
    spent: Duration,
    known: &[WaitingLoop],
) -> Option<Spin> {
    let program = processes::program(Pid::from_raw(holder));
    let found = match control.search_loop.load(Ordering::Relaxed) {
        0 => None,
        address => Mapped::at(holder, address),
    };
    let found = found.and_then(|mapped| Some((mapped.waiting_loop()?, mapped)));
    let hint = match &found {
        Some((_, Mapped { file, offset })) => format!("try --yield-at {file}+{offset:#x}"),
        None => "end it with --wall-timeout".to_owned(),
    };
    if let Some((place, Mapped { file, .. })) = found
        && !known.contains(&place)
        && known.len() < LOOPS_MAX
        && control.stream_calls.load(Ordering::Relaxed) == 0
    {
        return Some(Spin { program, file, place });
    }
    say(&format!(
        "warning: {program} has computed for {} s without a system call while others wait; if it waits for one of them, \
         it waits forever ({hint})",
        spent.as_secs()
    ));
    None
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

    fn waiting_loop(&self) -> Option<WaitingLoop> {
        let status = fs::metadata(&self.file).ok()?;
        Some(WaitingLoop { device: status.dev(), inode: status.ino(), offset: self.offset })
    }
}

/// Takes into the parameters what a run that has to begin again has shown. Gives the words on it.
pub fn learn(boot: &mut Boot, outcome: &Outcome) -> Option<String> {
    let Ending::Spin(Spin { program, file, place }) = &outcome.ending else { return None };
    boot.waiting.push(*place);
    Some(format!(
        "{program} may wait in a loop without a system call: others go first there in this run, which began again \
         (as by --yield-at {file}+{:#x})",
        place.offset
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_image_that_every_look_finds_at_work_is_lost() {
        for (seconds, looks, inside, expected) in
            [(29, 4, 4, false), (30, 5, 5, true), (30, 5, 4, false), (300, 8, 0, false)]
        {
            assert_eq!(is_lost(Duration::from_secs(seconds), looks, inside), expected);
        }
    }

    #[test]
    fn whoever_computes_for_long_is_looked_at_less_and_less() {
        let after: Vec<_> = (0..7).map(|number| search(number).0.as_millis()).collect();
        assert_eq!(after, [200, 1_000, 4_000, 9_000, 18_000, 36_000, 72_000]);
        assert!(search(1000).0 > Duration::from_secs(3600));
    }
}
