//! What a fault draws depends on no other fault, whatever family either is of.

use alloc::{collections::BTreeMap, format, rc::Rc, string::String, vec::Vec};
use core::net::{Ipv4Addr, SocketAddr};

use simrun_abi::{
    faults::{
        Bursts, Cut, DamageKind, LinkMatch, NameFault, NodeMatch, Partition, Protocol, Shape,
        Tampering, Way,
    },
    node_faults::{Attrition, Files, OnNodes, Victims},
    thread_faults::OnThreads,
};

use super::*;
use crate::fault::{
    Machines, Timed,
    link::{Cargo, Link, Wire},
};

const MILLISECOND: u64 = 1_000_000;
/// Of a run of these tests: how many milliseconds.
const LENGTH: u64 = 2000;
/// The call that waits, as all faults of waits look at it.
const WAITS: u32 = 7;

/// A quantity of time that is drawn.
fn drawn() -> Quantity {
    Quantity {
        draw: Draw::Uniform(MILLISECOND, 50 * MILLISECOND),
        correlation: Share::from_parts(1 << 30),
    }
}

fn often(name: &str, effect: Effect) -> Fault {
    Fault { chance: half(), ..fault(name, &[], effect) }
}

fn at_call(name: &str, call: u32, effect: Effect) -> Fault {
    Fault { chance: half(), ..fault(name, &[call], effect) }
}

fn at_times(name: &str, effect: Effect) -> Fault {
    let interval = Quantity { draw: Draw::Uniform(0, 200 * MILLISECOND), correlation: Share::NONE };
    Fault { chance: Chance::Rate { interval }, ..fault(name, &[], effect) }
}

/// A fault of links to a port.
fn on_link(name: &str, port: u16, effect: Effect) -> Fault {
    let link = LinkMatch { ports: [port].to_vec(), ..LinkMatch::default() };
    Fault { matches: Match { link, ..Match::default() }, ..often(name, effect) }
}

/// At least one fault of each family. Of faults that exclude each other at one thing, each has a call or a port of its own.
fn plan() -> Vec<Fault> {
    let share = Share::from_parts;
    let disk = Match { disk: [DiskOperation::Write].to_vec(), ..Match::default() };
    let bursts = Bursts {
        begin: share(1 << 29),
        end: share(1 << 30),
        lost: Share::WHOLE,
        lost_between: Share::NONE,
    };
    // Nothing is sent between these: what a partition loses is no opportunity for others.
    let cut = Partition { shape: Shape::Pair, cut: Cut::Either, length: Some(drawn()) };
    let apart = NodeMatch {
        nodes: ["b".into()].to_vec(),
        peers: ["c".into()].to_vec(),
        ..NodeMatch::default()
    };
    let attrition =
        Attrition { max_dead: 2, off: drawn(), grace: Some(drawn()), weights: [1, 1, 1, 1] };
    let skew = OnNodes::SkewClock { offset: drawn(), drift: drawn(), direction: None };
    let threads = Effect::Threads;
    let nodes = Effect::Nodes;
    [
        at_call("calls/fail", 0, Effect::Fail([5, 12].to_vec())),
        at_call("calls/shorten", 0, Effect::Shorten(drawn())),
        at_call("calls/delay", 0, Effect::Delay(drawn())),
        at_call("calls/throttle", 0, Effect::Throttle(1 << 20)),
        at_call("calls/interrupt", WAITS, Effect::Interrupt),
        at_call("clocks/late", WAITS, Effect::Oversleep(drawn())),
        at_times("clocks/jump", Effect::JumpClock { by: drawn(), direction: Direction::Forward }),
        at_times("clocks/skew", nodes(skew)),
        Fault { matches: disk, ..often("disk/full", fails(Errno::ENOSPC)) },
        at_call("disk/tear", 1, Effect::Damage(DamageKind::Tear)),
        at_call("processes/kill", 2, Effect::Kill(9)),
        at_times("processes/pause", Effect::Pause(drawn())),
        at_call("nodes/crash", 2, nodes(OnNodes::Crash { off: drawn(), files: Files::Stay })),
        at_times("nodes/attrition", nodes(OnNodes::Attrition(attrition))),
        Fault { victims: Victims::All, ..at_times("nodes/pause", nodes(OnNodes::Pause(drawn()))) },
        at_call("threads/starve", 3, threads(OnThreads::Starve(drawn()))),
        at_call("threads/wake", WAITS, threads(OnThreads::DelayWakeup(drawn()))),
        at_call("threads/reverse", 3, threads(OnThreads::ReverseWakes)),
        fault("threads/turns", &[], threads(OnThreads::Prioritize { changes: drawn(), steps: 9 })),
        on_link("links/late", 80, Effect::Latency(drawn())),
        on_link("links/lose", 80, Effect::Lose),
        on_link("links/bursts", 80, Effect::LoseInBursts(bursts)),
        on_link("links/double", 80, Effect::Duplicate(drawn())),
        on_link("links/reorder", 80, Effect::Reorder(drawn())),
        on_link("links/corrupt", 80, Effect::Corrupt),
        on_link("links/modify", 80, Effect::Tamper(Tampering::Modify)),
        on_link("links/slice", 82, Effect::Slice { size: drawn(), gap: drawn() }),
        on_link("links/reset", 81, Effect::Reset(drawn())),
        Fault {
            matches: Match { nodes: apart, ..Match::default() },
            ..at_times("links/cut", Effect::Partition(cut))
        },
        often("names/none", Effect::Name(NameFault::NotFound)),
        often("names/changed", Effect::Name(NameFault::Changed)),
        often("names/late", Effect::Name(NameFault::Delay(drawn()))),
    ]
    .to_vec()
}

/// What faults do, by fault: in words, each with its time.
type Deeds = BTreeMap<String, Vec<String>>;

struct Play {
    faults: Faults,
    deeds: Deeds,
    due: BTreeMap<Timed, u64>,
    datagrams: Option<Rc<Wire>>,
}

impl Play {
    fn new(plan: &[Fault]) -> Self {
        let nodes = ["a", "b", "c"]
            .map(|name| simrun_abi::node::Node { name: name.into(), ..crate::testing::node() });
        let mut faults = Faults::new(plan, &nodes, &Random::new(5)).expect("there are some");
        let due = faults.first_times().into_iter().collect();
        let datagrams = faults.links.wire(link(Protocol::Udp, 80), &|_| false);
        let mut play = Self { faults, deeds: Deeds::new(), due, datagrams };
        if let Some(priorities) = &mut play.faults.threads.priorities {
            let words = format!("{} {}", priorities.changes, priorities.random.next_u64());
            play.note("threads/turns", 0, words);
        }
        play
    }

    fn note(&mut self, fault: &str, now: u64, words: String) {
        self.deeds.entry(fault.into()).or_default().push(format!("{now} {words}"));
    }

    /// Whatever may be asked of faults, once.
    fn step(&mut self, now: u64) {
        for call in [0, 1, 2, 3] {
            let verdict = self.faults.at_call(call, now, &mut { PLAIN });
            self.note_all(now, &verdict.firings);
        }
        let verdict = self.faults.disk(DiskOperation::Write, now, &mut { PLAIN });
        self.note_all(now, &verdict.firings);
        let verdict = self.faults.at_wait(u64::from(WAITS), now, &mut { PLAIN }, true);
        self.note_all(now, &verdict.firings);
        let asked = self.faults.names.ask("a", (NodeId::default(), b"/bin/nc"), now);
        self.report(now, &asked.reports, "");
        self.send(now);
        let due: Vec<_> = self.due.iter().filter(|(_, at)| **at <= now).map(|(t, _)| *t).collect();
        for timed in due {
            self.due.remove(&timed);
            let next = self.come(timed, now);
            self.due.extend(next.map(|next| (timed, next)));
        }
    }

    fn send(&mut self, now: u64) {
        if let Some(wire) = self.datagrams.clone() {
            let passage = self.faults.links.pass(&wire, Way::Request, Cargo::Datagram(9), now);
            self.report(now, &passage.reports, "");
            for tamper in self.faults.links.tamper(&wire, Way::Request, now) {
                self.report(now, &[tamper.report], &format!("{}", tamper.random));
            }
        }
        // A connection for each thing that is sent: whether and when it breaks is drawn when it is made.
        for port in [81, 82] {
            let wire = self.faults.links.wire(link(Protocol::Tcp, port), &|_| false);
            let Some(wire) = wire else { continue };
            // What is drawn next shows that the piece was, too: with others, it is the smallest that counts.
            self.faults.links.piece(&wire, Way::Request, now);
            let bytes = Cargo::Data(100 * MILLISECOND as usize);
            let passage = self.faults.links.pass(&wire, Way::Request, bytes, now);
            self.report(now, &passage.reports, "");
        }
    }

    fn come(&mut self, timed: Timed, now: u64) -> Option<u64> {
        match timed {
            Timed::Partition(index) => {
                let (reports, next) = self.faults.turn(index, now);
                self.report(now, &reports, "");
                next
            }
            Timed::Fault(index) if self.faults.of_nodes(index).is_some() => {
                let machines = Machines { candidates: 3, dead: 0 };
                let verdict = self.faults.at_time_on_nodes(index, now, machines);
                for (victim, firing) in verdict.hits {
                    self.note(&firing.fault, now, format!("{victim} {}", firing.hit.describe()));
                }
                verdict.next
            }
            Timed::Fault(index) => {
                let programs = ["/bin/a", "/bin/b"].map(|path| path.as_bytes().into());
                let verdict = self.faults.at_time(index, now, &programs);
                if let Some((victim, firing)) = verdict.firing {
                    self.note(&firing.fault, now, format!("{victim:?} {}", firing.hit.describe()));
                }
                verdict.next
            }
        }
    }

    fn note_all(&mut self, now: u64, firings: &[crate::fault::Firing]) {
        for firing in firings {
            self.note(&firing.fault, now, format!("{} {:?}", firing.count, firing.hit));
        }
    }

    fn report(&mut self, now: u64, reports: &[crate::fault::link::Report], more: &str) {
        for report in reports {
            self.note(&report.fault, now, format!("{} {} {more}", report.count, report.effect));
        }
    }
}

fn link(protocol: Protocol, port: u16) -> Link {
    let end = |node: u8, port| SocketAddr::new(Ipv4Addr::from([10, 0, node, 1]).into(), port);
    Link {
        protocol,
        client: end(0, 40_000),
        server: end(1, port),
        nodes: (NodeId::new(0), NodeId::new(1)),
        program: b"/bin/nc".as_slice().into(),
    }
}

fn deeds(plan: &[Fault]) -> Deeds {
    let mut play = Play::new(plan);
    (0..LENGTH).for_each(|now| play.step(now * MILLISECOND));
    play.deeds
}

/// Where two differ first.
fn difference<'a>(found: &'a Deeds, expected: &'a Deeds) -> Option<(&'a str, String)> {
    let names = found.keys().chain(expected.keys());
    let of = |deeds: &'a Deeds, name| deeds.get(name).map_or(&[][..], Vec::as_slice);
    names.into_iter().find_map(|name| {
        let (one, other) = (of(found, name), of(expected, name));
        let at = (0..one.len().max(other.len())).find(|&at| one.get(at) != other.get(at))?;
        Some((name.as_str(), format!("{:?} instead of {:?}", one.get(at), other.get(at))))
    })
}

#[test]
fn one_fault_less_of_any_family_leaves_all_others_as_they_were() {
    let plan = plan();
    let all = deeds(&plan);
    for Fault { name, .. } in &plan {
        assert!(all.contains_key(name), "{name} never fired");
    }
    for (index, Fault { name, .. }) in plan.iter().enumerate() {
        let others = [&plan[..index], &plan[index + 1..]].concat();
        let mut expected = all.clone();
        expected.remove(name);
        let found = deeds(&others);
        assert_eq!(difference(&found, &expected), None, "without {name}");
    }
    let alone: Deeds = plan.iter().flat_map(|fault| deeds(core::slice::from_ref(fault))).collect();
    assert_eq!(difference(&alone, &all), None, "each by itself");
}
