use simrun_abi::faults::{Chance, Draw, Effect, Fault, NodeMatch, Quantity, Window};

use super::*;

/// A client and five that serve, `s1` to `s5`.
fn nodes() -> Vec<Node> {
    let name = |index: usize| match index {
        0 => "client".into(),
        _ => format!("s{index}"),
    };
    let node = |index| Node {
        name: name(index),
        role: match index {
            0 => Role::Workload,
            _ => Role::Service { restart: simrun_abi::node::Restart::Never, delay_ns: 0 },
        },
        ..crate::testing::node()
    };
    (0..6).map(node).collect()
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.into()).collect()
}

struct Game {
    partition: Partition,
    trigger: Trigger,
}

impl Game {
    fn new(seed: u64, shape: Shape, cut: Cut, nodes_of: NodeMatch) -> Self {
        let chance = Chance::Probability { share: Share::WHOLE, correlation: Share::NONE };
        let window = |after, length, every| Window {
            after: Quantity::fixed(after),
            length: Some(Quantity::fixed(length)),
            every: Some(Quantity::fixed(every)),
            until: None,
        };
        Self::with(seed, Plan { shape, cut, length: None }, nodes_of, (chance, window(10, 5, 20)))
    }

    fn with(
        seed: u64,
        plan: Plan,
        nodes_of: NodeMatch,
        (chance, window): (Chance, Window),
    ) -> Self {
        let matches = Match { nodes: nodes_of, ..Match::default() };
        let fault = Fault {
            matches: matches.clone(),
            chance,
            window,
            ..Fault::always("f/a".into(), Effect::Partition(plan.clone()))
        };
        let mut trigger = Trigger::new(&fault, Stream::new(seed, 1));
        let partition = Partition::new(&plan, &matches, &nodes(), &mut trigger.stream);
        Self { partition, trigger }
    }

    /// Which pairs are cut at a time, as in `12` for what `s1` sends `s2`.
    fn cut(&mut self, elapsed: u64) -> Vec<String> {
        let mut found = Vec::new();
        for from in 0..6 {
            for to in 0..6 {
                let pair = (NodeId::new(from), NodeId::new(to));
                if self.partition.cuts(&mut self.trigger, pair, elapsed).is_some() {
                    found.push(format!("{from}{to}"));
                }
            }
        }
        found
    }
}

/// How many cannot be reached by each that serves, sorted.
fn degrees(cut: &[String]) -> Vec<usize> {
    let mut degrees: Vec<_> = (1..6)
        .map(|from| cut.iter().filter(|pair| pair.starts_with(&format!("{from}"))).count())
        .collect();
    degrees.sort_unstable();
    degrees
}

#[test]
fn shapes_cut_what_they_say() {
    let all = NodeMatch::default();
    for seed in 0..20 {
        let cut = |shape| Game::new(seed, shape, Cut::Both, all.clone()).cut(10);
        assert_eq!(degrees(&cut(Shape::Pair)), [0, 0, 0, 1, 1]);
        let isolated = cut(Shape::Isolate);
        assert_eq!((isolated.len(), degrees(&isolated)), (10, vec![1, 1, 1, 1, 5]));
        assert_eq!(degrees(&cut(Shape::Halves)), [2, 2, 2, 3, 3]);
        let majority = cut(Shape::Majority);
        assert_eq!(degrees(&majority), [2, 2, 2, 3, 3]);
        assert!(majority.iter().all(|pair| !pair.contains('0')), "clients reach both sides");
        assert_eq!(degrees(&cut(Shape::Bridge)), [0, 2, 2, 2, 2]);
        assert_eq!(degrees(&cut(Shape::Ring)), [2, 2, 2, 2, 2]);
        let one_way = Game::new(seed, Shape::Isolate, Cut::Out, all.clone()).cut(10);
        assert_eq!(one_way.len(), 5);
        assert!(one_way.iter().all(|pair| pair[..1] == one_way[0][..1]), "{one_way:?}");
    }
}

#[test]
fn those_that_are_named_are_cut_and_no_others() {
    let named = |nodes: &[&str], peers: &[&str]| NodeMatch {
        nodes: texts(nodes),
        peers: texts(peers),
        tags: Vec::new(),
    };
    let cases: [(Shape, Cut, NodeMatch, &[&str]); 5] = [
        (Shape::Pair, Cut::Both, named(&["s1"], &["s4"]), &["14", "41"]),
        (Shape::Pair, Cut::Out, named(&["s1"], &["s4"]), &["14"]),
        (Shape::Pair, Cut::In, named(&["s1"], &["s4"]), &["41"]),
        (Shape::Isolate, Cut::In, named(&["s2"], &[]), &["02", "12", "32", "42", "52"]),
        (
            Shape::Halves,
            Cut::Out,
            named(&["s1", "s2"], &["s*"]),
            &["13", "14", "15", "23", "24", "25"],
        ),
    ];
    for (shape, cut, nodes, expected) in cases {
        for seed in 0..5 {
            assert_eq!(Game::new(seed, shape, cut, nodes.clone()).cut(12), expected);
        }
    }
}

#[test]
fn each_time_is_drawn_anew_whatever_was_sent_before() {
    let game = || Game::new(3, Shape::Isolate, Cut::Both, NodeMatch::default());
    let mut all = game();
    let times: Vec<_> = (0..20).map(|number| all.cut(10 + number * 20)).collect();
    assert!(times.iter().any(|cut| *cut != times[0]));
    assert!(all.cut(9 + 400).is_empty() && all.cut(15 + 400).is_empty(), "it heals");
    for number in [0, 7, 19] {
        assert_eq!(game().cut(12 + number * 20), times[number as usize]);
    }
}

#[test]
fn what_comes_at_a_rate_lasts_as_long_as_it_shall() {
    let chance = Chance::Rate {
        interval: Quantity { draw: Draw::Uniform(50, 150), correlation: Share::NONE },
    };
    let window = Window { after: Quantity::fixed(0), length: None, every: None, until: None };
    let plan = Plan { shape: Shape::Halves, cut: Cut::Both, length: Some(Quantity::fixed(100)) };
    let game =
        || Game::with(1, plan.clone(), NodeMatch::default(), (chance.clone(), window.clone()));
    let mut every = game();
    let cut: Vec<_> = (0..10_000).map(|at| !every.cut(at).is_empty()).collect();
    let lasting = cut.iter().filter(|&&is_cut| is_cut).count();
    assert!((4000..6000).contains(&lasting), "{lasting}");
    let mut some = game();
    for at in (0..10_000).step_by(77) {
        assert_eq!(!some.cut(at).is_empty(), cut[at as usize], "{at}");
    }
}

#[test]
fn each_is_as_likely_to_be_alone() {
    let mut alone = [0; 6];
    for seed in 0..500 {
        let isolated = Game::new(seed, Shape::Isolate, Cut::Out, NodeMatch::default()).cut(10);
        let index: usize = isolated[0][..1].parse().expect("a number");
        alone[index] += 1;
    }
    assert_eq!(alone[0], 0);
    assert!(alone[1..].iter().all(|count| (70..130).contains(count)), "{alone:?}");
}

#[test]
fn each_begin_and_each_end_is_told_at_its_time() {
    let rate = Chance::Rate {
        interval: Quantity { draw: Draw::Uniform(50, 150), correlation: Share::NONE },
    };
    let chance =
        Chance::Probability { share: Share::from_parts(1 << 31), correlation: Share::NONE };
    let window = |every, until| Window {
        after: Quantity::fixed(30),
        length: Some(Quantity::fixed(40)),
        every,
        until,
    };
    let every = Some(Quantity::fixed(100));
    let cases = [
        (rate.clone(), Some(Quantity::fixed(70)), window(None, None)),
        (rate, Some(Quantity::fixed(20)), window(every.clone(), None)),
        (chance.clone(), None, window(every.clone(), None)),
        (chance.clone(), None, window(every, Some(Quantity::fixed(1050)))),
        (chance, None, window(None, None)),
    ];
    for (chance, length, window) in cases {
        let plan = Plan { shape: Shape::Halves, cut: Cut::Both, length };
        let game = || {
            let setup = (chance.clone(), window.clone());
            Game::with(3, plan.clone(), NodeMatch::default(), setup)
        };
        let mut watched = game();
        let mut changes = Vec::new();
        for at in 0..5000 {
            let before = at > 0 && !watched.cut(at - 1).is_empty();
            let now = !watched.cut(at).is_empty();
            if now != before {
                changes.push((at, now));
            }
        }
        let Game { mut partition, mut trigger } = game();
        let mut told = Vec::new();
        let mut next = Some(partition.quiet_until(&trigger, 0));
        while let Some(at) = next.filter(|&at| at < 5000) {
            for (count, words) in partition.turn(&mut trigger, at) {
                assert_eq!(count, trigger.fired);
                let begins = words.ends_with("begins");
                assert!(begins || words.ends_with("has healed"), "{words}");
                told.push((at, begins));
            }
            next = partition.next_turn(&trigger, at);
            assert!(next.is_none_or(|next| next > at));
        }
        assert_eq!(told, changes, "{plan:?} {window:?}");
        assert!(!changes.is_empty() || window.every.is_none());
    }
}
