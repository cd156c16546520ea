//! Faults of the turns of threads that are a state for a while, and no events: slow processors, and priorities.

use alloc::{rc::Rc, vec::Vec};

use simrun_abi::{faults::Fault, node::Node, thread_faults::OnThreads};

use super::{
    armed::Hit,
    engine::Firing,
    pattern::{Pattern, matches_program},
    place::Place,
    quantity::Source,
    trigger::Trigger,
};
use crate::{node::NodeId, random::Stream};

/// How turns go by priorities.
pub struct Prioritizing {
    /// Name of the fault.
    name: Rc<str>,
    /// Where priorities and points of change come from.
    pub random: Stream,
    /// How often the thread that runs falls behind.
    pub changes: u64,
    /// Among how many decisions.
    pub steps: u64,
    fired: u64,
}

impl Prioritizing {
    /// That it has done this.
    pub fn fire(&mut self, hit: Hit) -> Firing {
        self.fired += 1;
        Firing { fault: Rc::clone(&self.name), count: self.fired, hit }
    }
}

/// A processor that is slow for some programs.
struct Slow {
    name: Rc<str>,
    trigger: Trigger,
    place: Place,
    programs: Vec<Pattern>,
    factor: u64,
    /// Programs that have met it.
    met: Vec<Rc<[u8]>>,
}

/// See the module.
#[derive(Default)]
pub struct Threads {
    slow: Vec<Slow>,
    /// Of several, the first is it.
    pub priorities: Option<Prioritizing>,
}

impl Threads {
    /// Takes a fault in, if it is one of these.
    pub fn add(
        &mut self,
        fault: &Fault,
        effect: &OnThreads,
        nodes: &[Node],
        mut stream: Stream,
    ) -> bool {
        let name: Rc<str> = fault.name.as_str().into();
        match effect {
            OnThreads::SlowProcessor(factor) => self.slow.push(Slow {
                name,
                trigger: Trigger::new(fault, stream),
                place: Place::new(&fault.matches, nodes),
                programs: fault.matches.processes.iter().map(|text| Pattern::new(text)).collect(),
                factor: *factor,
                met: Vec::new(),
            }),
            OnThreads::Prioritize { changes, steps } => {
                let changes = Source::new(changes).next(&mut stream);
                let steps = *steps;
                self.priorities.get_or_insert(Prioritizing {
                    name,
                    random: stream,
                    changes,
                    steps,
                    fired: 0,
                });
            }
            OnThreads::Starve(_) | OnThreads::DelayWakeup(_) | OnThreads::ReverseWakes => {
                return false;
            }
        }
        true
    }

    /// How many times the time it takes what a program does now, and the faults that it has met for the first time.
    pub fn slowness(
        &mut self,
        elapsed: u64,
        node: NodeId,
        program: &Rc<[u8]>,
    ) -> (u64, Vec<Firing>) {
        let mut factor: u64 = 1;
        let mut firings = Vec::new();
        for slow in &mut self.slow {
            let is_for = slow.place.is_for(node) && matches_program(&slow.programs, program);
            if !slow.trigger.may_fire(elapsed) || !is_for {
                continue;
            }
            factor = factor.saturating_mul(slow.factor);
            if !slow.met.contains(program) {
                slow.met.push(Rc::clone(program));
                slow.trigger.fired += 1;
                let (fault, count) = (Rc::clone(&slow.name), slow.trigger.fired);
                firings.push(Firing { fault, count, hit: Hit::SlowProcessor(slow.factor) });
            }
        }
        (factor, firings)
    }

    /// Whether any processor may be slow.
    pub fn may_be_slow(&self) -> bool {
        !self.slow.is_empty()
    }
}
