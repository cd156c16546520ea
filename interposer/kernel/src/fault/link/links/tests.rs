use alloc::{format, string::String};
use core::{net::Ipv4Addr, time::Duration};

use simrun_abi::faults::{
    Chance, Cut, Draw, Effect, LinkMatch, Match, Partition, Quantity, Shape, Share, Window,
};

use super::*;

/// A thousand hours, in nanoseconds.
const LATER: u64 = 3_600_000_000_000_000;
const HOUR: u64 = LATER / 1000;

fn links(plan: &[Fault]) -> Links {
    let nodes = [crate::testing::node(), crate::testing::node()];
    let mut links = Links::default();
    for (index, fault) in (0..).zip(plan) {
        links.add(fault, &nodes, Stream::new(1, index));
    }
    links
}

fn link(client: u16, server: u16) -> Link {
    let end = |node: u8, port| SocketAddr::new(Ipv4Addr::from([10, 0, node, 1]).into(), port);
    Link {
        protocol: Protocol::Udp,
        client: end(0, client),
        server: end(1, server),
        nodes: (NodeId::new(0), NodeId::new(1)),
        program: Rc::default(),
    }
}

fn between(from: u64, length: u64) -> Window {
    let length = Some(Quantity::fixed(length));
    Window { after: Quantity::fixed(from), length, every: None, until: None }
}

fn late(name: impl Into<String>) -> Fault {
    Fault { window: between(LATER, HOUR), ..Fault::always(name.into(), Effect::Lose) }
}

fn send(links: &mut Links, wire: &Wire, elapsed: u64) -> Passage {
    links.pass(wire, Way::Request, Cargo::Datagram(1), elapsed)
}

#[test]
fn of_ten_thousand_faults_only_those_are_asked_that_may_do_something() {
    let awake = Fault::always("f/a".into(), Effect::Latency(Quantity::fixed(5)));
    let mut links =
        links(&[[awake].to_vec(), (0..10_000).map(|n| late(format!("f/{n}"))).collect()].concat());
    let wires: Vec<_> = (0..100)
        .map(|port| links.wire(link(40_000 + port, 80), &|_| false).expect("they are for it"))
        .collect();
    assert_eq!(links.looks, 10_001, "one route is matched once, however many links it has");
    for (now, wire) in (0..).zip(&wires) {
        let passage = send(&mut links, wire, now);
        assert_eq!((passage.delay(), passage.reports.len()), (Duration::from_nanos(5), 1));
    }
    assert_eq!(links.looks, 2 * 10_001 + 100, "each is asked when it wakes, and then the one");
    assert_eq!(send(&mut links, &wires[0], LATER).reports.len(), 10_001, "all have woken");
    let before = links.looks;
    assert_eq!(send(&mut links, &wires[0], LATER + HOUR).reports.len(), 1);
    send(&mut links, &wires[0], LATER + HOUR);
    assert_eq!(links.looks, before + 10_001 + 1, "all but one have fallen asleep");
}

#[test]
fn another_server_or_program_is_another_route() {
    let ports = LinkMatch { ports: [80].to_vec(), ..LinkMatch::default() };
    let matches = Match { link: ports, processes: ["curl".into()].to_vec(), ..Match::default() };
    let mut links = links(&[Fault { matches, ..late("f/a") }]);
    let mut is_met = |program: &str, port| {
        let program = program.as_bytes().into();
        links.wire(Link { program, ..link(40_000, port) }, &|_| false).is_some()
    };
    for _ in 0..2 {
        assert!(is_met("/bin/curl", 80));
        assert!(!is_met("/bin/nc", 80) && !is_met("/bin/curl", 81));
    }
}

#[test]
fn routes_do_not_pile_up() {
    let mut links = links(&[late("f/a")]);
    for port in 0..10_000 {
        assert!(links.wire(link(40_000, port), &|_| false).is_some());
    }
    assert!(links.routes.len() <= ROUTES_MAX);
}

#[test]
fn one_that_is_raised_wakes_at_once() {
    let interval = Quantity { draw: Draw::Fixed(1_000_000), correlation: Share::NONE };
    let plan = Partition { shape: Shape::Pair, cut: Cut::Both, length: Some(Quantity::fixed(500)) };
    let fault = Fault {
        chance: Chance::Rate { interval },
        ..Fault::always("f/a".into(), Effect::Partition(plan))
    };
    let mut links = links(&[fault]);
    let wire = links.wire(link(40_000, 80), &|_| false).expect("it is for it");
    assert_eq!(send(&mut links, &wire, 0).fate, Fate::Arrives);
    assert!(links.raise(|name| name == "f/a", 0, Raised { factor: 1000, until: HOUR }));
    assert_eq!(links.next_turns(0), [(0, 1000)]);
    assert_eq!(send(&mut links, &wire, 1000).fate, Fate::Lost);
    assert_eq!(send(&mut links, &wire, 1500).fate, Fate::Arrives);
}

#[test]
fn those_that_are_over_leave_connections_alone_that_have_met_them() {
    let slow = Fault::always("links/a".into(), Effect::Latency(Quantity::fixed(5)));
    let lossy = Fault::always("f/a".into(), Effect::Lose);
    let mut links = links(&[slow, lossy]);
    let wire = links.wire(link(40_000, 80), &|_| false).expect("they are for it");
    assert_eq!(send(&mut links, &wire, 1).fate, Fate::Lost);
    assert!(links.end_others(|name| name == "links/a").is_empty());
    let passage = send(&mut links, &wire, 2);
    assert_eq!((passage.fate, passage.delay()), (Fate::Arrives, Duration::from_nanos(5)));
    assert!(links.end_others(|_| false).is_empty() && links.is_empty());
    assert_eq!(send(&mut links, &wire, 3), Passage::default());
}

#[test]
fn a_partition_that_is_cut_short_has_healed() {
    let plan = Partition { shape: Shape::Pair, cut: Cut::Out, length: None };
    let mut links = links(&[Fault::always("f/a".into(), Effect::Partition(plan))]);
    assert_eq!(links.first_turns(), [(0, 0)]);
    let (reports, next) = links.turn(0, 0);
    assert_eq!((reports.len(), next), (1, None));
    assert!(reports[0].effect.ends_with("begins, for what the first side sends"), "{reports:?}");
    let healed = links.end_others(|_| false);
    assert!(healed.len() == 1 && healed[0].effect.ends_with("has healed"), "{healed:?}");
}
