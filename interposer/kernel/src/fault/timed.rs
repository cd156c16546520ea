//! Faults that come at their time, and when that is.

use alloc::vec::Vec;

use simrun_abi::faults::Fault;

use super::{engine::Faults, link::Report, names::Names, threads::Threads};
use crate::time::TimerKey;

/// What comes at its time, by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Timed {
    /// A fault that hits somebody then.
    Fault(u16),
    /// A partition that begins or heals then. What is sent finds out by itself: this is for the log.
    Partition(u16),
}

impl Faults {
    /// When each of those that come at their time is to be asked first, in nanoseconds from the start of the run.
    pub fn first_times(&mut self) -> Vec<(Timed, u64)> {
        let turns = self.links.first_turns();
        self.times(0, turns)
    }

    /// When those come next that come at their time, if any of them may come sooner than was said.
    pub fn take_raised(&mut self, elapsed: u64) -> Vec<(Timed, u64)> {
        if !core::mem::take(&mut self.has_raised) {
            return Vec::new();
        }
        let turns = self.links.next_turns(elapsed);
        self.times(elapsed + 1, turns)
    }

    /// When faults come that hit somebody, from then on, and the turns of partitions.
    fn times(&mut self, from: u64, turns: Vec<(u16, u64)>) -> Vec<(Timed, u64)> {
        let Self { armed, at_time, .. } = self;
        let time = |&index: &u16| {
            let at = armed[usize::from(index)].next_time(from)?;
            Some((Timed::Fault(index), at))
        };
        let turns = turns.into_iter().map(|(index, at)| (Timed::Partition(index), at));
        at_time.iter().filter_map(time).chain(turns).collect()
    }

    /// Keeps the timer of what comes at its time; the one before.
    pub fn replace_timer(&mut self, timed: Timed, key: TimerKey) -> Option<TimerKey> {
        self.timers.insert(timed, key)
    }

    /// Which partitions of a fault have begun or healed since it was last asked, and when it is to be asked next.
    pub fn turn(&mut self, index: u16, elapsed: u64) -> (Vec<Report>, Option<u64>) {
        let (reports, next) = self.links.turn(index, elapsed);
        self.raise_after(reports.iter().map(|report| (&*report.fault, report.count)), elapsed);
        (reports, next)
    }

    /// Ends all but some, which are of links; the partitions that have healed thereby. What time zone a machine is in was
    /// never an event.
    pub fn end_others(&mut self, kept: &[Fault]) -> Vec<Report> {
        let Self { at_call, at_wait, at_disk, at_time, .. } = self;
        at_call.iter_mut().chain(at_wait).chain(at_disk).chain([at_time]).for_each(Vec::clear);
        self.names = Names::default();
        self.threads = Threads::default();
        self.raisers.clear();
        self.links.end_others(|name| kept.iter().any(|fault| fault.name == *name))
    }
}
