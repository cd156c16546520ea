//! Faults of the name server.

use alloc::{
    format,
    rc::Rc,
    string::{String, ToString},
    vec::Vec,
};
use core::time::Duration;

use simrun_abi::{
    faults::{Effect, Fault, NameFault as Plan},
    node::Node,
};

use super::{
    armed::milliseconds,
    link::Report,
    pattern::{Pattern, matches_program},
    place::Place,
    quantity::Source,
    trigger::Trigger,
};
use crate::{node::NodeId, random::Stream};

/// What the name server says instead of the truth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lie {
    /// There is no such name.
    NotFound,
    /// It has failed.
    Failure,
    /// Nothing.
    Silence,
    /// The address of a machine that is there no more.
    Stale,
    /// Another machine's address; the number says which.
    Changed(u64),
}

/// What faults make of a question.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct NameVerdict {
    /// How much later it is answered.
    pub delay: Duration,
    /// What the answer is, if not the right one. Of several faults the first one decides.
    pub lie: Option<Lie>,
    /// The faults that have a part in it.
    pub reports: Vec<Report>,
}

enum Doing {
    Delay(Source),
    Lie(Lie),
}

struct NameFault {
    name: Rc<str>,
    trigger: Trigger,
    place: Place,
    hosts: Vec<Pattern>,
    spared: Vec<Pattern>,
    processes: Vec<Pattern>,
    doing: Doing,
}

/// All faults of the name server.
#[derive(Default)]
pub struct Names {
    all: Vec<NameFault>,
}

impl Names {
    /// One more; one that is of no name is left out.
    pub fn add(&mut self, fault: &Fault, nodes: &[Node], stream: Stream) {
        let Effect::Name(plan) = &fault.effect else { return };
        let patterns = |texts: &[String]| -> Vec<Pattern> {
            texts.iter().map(|text| Pattern::new(text)).collect()
        };
        self.all.push(NameFault {
            name: fault.name.as_str().into(),
            trigger: Trigger::new(fault, stream),
            place: Place::new(&fault.matches, nodes),
            hosts: patterns(&fault.matches.link.hosts),
            spared: fault
                .matches
                .unless_links
                .iter()
                .flat_map(|link| patterns(&link.hosts))
                .collect(),
            processes: patterns(&fault.matches.processes),
            doing: match plan {
                Plan::Delay(by) => Doing::Delay(Source::new(by)),
                Plan::NotFound => Doing::Lie(Lie::NotFound),
                Plan::Failure => Doing::Lie(Lie::Failure),
                Plan::Silence => Doing::Lie(Lie::Silence),
                Plan::Stale => Doing::Lie(Lie::Stale),
                Plan::Changed => Doing::Lie(Lie::Changed(0)),
            },
        });
    }

    /// What says when each fires, by name.
    pub(super) fn triggers(&mut self) -> impl Iterator<Item = (&Rc<str>, &mut Trigger)> {
        self.all.iter_mut().map(|fault| (&fault.name, &mut fault.trigger))
    }

    /// What becomes of a question for a name, in lower case, that a program of a node asks at so many nanoseconds after the
    /// start of the run. All faults decide, also when another has decided already.
    pub fn ask(
        &mut self,
        asked: &str,
        (node, program): (NodeId, &[u8]),
        elapsed: u64,
    ) -> NameVerdict {
        let mut verdict = NameVerdict::default();
        for fault in &mut self.all {
            let NameFault { name, trigger, place, hosts, spared, processes, doing } = fault;
            let is_for = trigger.may_fire(elapsed)
                && place.is_for(node)
                && (hosts.is_empty() || hosts.iter().any(|host| host.matches(asked.as_bytes())))
                && !spared.iter().any(|host| host.matches(asked.as_bytes()))
                && matches_program(processes, program);
            if !is_for || !trigger.fires(elapsed) {
                continue;
            }
            let effect = match doing {
                Doing::Delay(by) => {
                    let by = Duration::from_nanos(by.next(&mut trigger.stream));
                    verdict.delay = verdict.delay.saturating_add(by);
                    format!("is answered {} later", milliseconds(by))
                }
                Doing::Lie(lie) => {
                    let lie = match lie {
                        Lie::Changed(_) => Lie::Changed(trigger.stream.next_u64()),
                        other => *other,
                    };
                    verdict.lie = verdict.lie.or(Some(lie));
                    describe(lie).to_string()
                }
            };
            let report = Report { fault: Rc::clone(name), count: trigger.fired, effect };
            verdict.reports.push(report);
        }
        verdict
    }
}

fn describe(lie: Lie) -> &'static str {
    match lie {
        Lie::NotFound => "is said not to exist",
        Lie::Failure => "is answered with a failure of the server",
        Lie::Silence => "is not answered",
        Lie::Stale => "is answered with an address that nobody has any more",
        Lie::Changed(_) => "is answered with another machine's address",
    }
}
