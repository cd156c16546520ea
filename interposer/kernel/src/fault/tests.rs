//! The engine by itself, and faults of whole calls.

use alloc::{string::String, vec, vec::Vec};

use linux_raw_sys::general as nr;
use simrun_abi::{
    faults::{
        Argument, Chance, Descriptor, Direction, DiskOperation, Draw, Effect, Fault, Match,
        Quantity, Share, Window,
    },
    node_faults::Raise,
};

use super::{Faults, Hit, Scene, Verdict};
use crate::{error::Errno, node::NodeId, random::Random, testing::program::Game};

mod streams;

/// A fault that hits all calls with these numbers.
fn fault(name: &str, calls: &[u32], effect: Effect) -> Fault {
    let calls = calls.iter().map(|&number| number as u16).collect();
    let matches = Match { calls, ..Match::default() };
    Fault { matches, ..Fault::always(name.into(), effect) }
}

fn fails(errno: Errno) -> Effect {
    Effect::Fail(vec![errno.number()])
}

fn half() -> Chance {
    Chance::Probability { share: Share::from_parts(1 << 31), correlation: Share::NONE }
}

/// A call that has nothing to hide.
struct Plain {
    descriptor: Option<Descriptor>,
    possible: bool,
}

const PLAIN: Plain = Plain { descriptor: Some(Descriptor::File), possible: true };

impl Scene for Plain {
    fn node(&mut self) -> NodeId {
        NodeId::default()
    }
    fn program(&mut self) -> Vec<u8> {
        b"/usr/bin/service".to_vec()
    }
    fn argument(&mut self, index: usize) -> u64 {
        [3, 0x1000, 0x30, 0, 0, 0][index]
    }
    fn descriptor(&mut self) -> Option<Descriptor> {
        self.descriptor
    }
    fn disk(&mut self) -> Option<DiskOperation> {
        Some(DiskOperation::Write)
    }
    fn has_deadline(&mut self) -> bool {
        self.possible
    }
    fn may_wake(&mut self) -> bool {
        self.possible
    }
    fn wakes_one_of_several(&mut self) -> bool {
        self.possible
    }
    fn paths(&mut self) -> Vec<Vec<u8>> {
        vec![b"/var/lib/service/data".to_vec()]
    }
    fn open_descriptors(&mut self) -> u64 {
        10
    }
    fn can_fail(&mut self, _: Errno) -> bool {
        self.possible
    }
    fn bytes(&mut self) -> Option<u64> {
        self.possible.then_some(100)
    }
    fn divisible_bytes(&mut self) -> Option<u64> {
        self.possible.then_some(100)
    }
}

fn faults(plan: &[Fault]) -> Faults {
    Faults::new(plan, &[], &Random::new(11)).expect("there are some")
}

/// What happens to so many calls with the number 0, a nanosecond apart.
fn verdicts(plan: &[Fault], count: u64) -> Vec<Verdict> {
    let mut faults = faults(plan);
    (0..count).map(|now| faults.at_call(0, now, &mut { PLAIN })).collect()
}

/// At which of so many calls faults fire.
fn times(plan: &[Fault], count: u64) -> Vec<usize> {
    let verdicts = verdicts(plan, count);
    (0..).zip(&verdicts).filter(|(_, v)| !v.firings.is_empty()).map(|(at, _)| at).collect()
}

#[test]
fn one_fault_less_leaves_the_others_as_they_were() {
    let names = ["a/one", "a/two", "b/one"];
    let errors = [Errno::EIO, Errno::ENOSPC, Errno::EINTR];
    let all: Vec<_> = names
        .iter()
        .zip(errors)
        .map(|(name, errno)| Fault { chance: half(), ..fault(name, &[0], fails(errno)) })
        .collect();
    let alone = |index: usize| times(&all[index..=index], 200);
    let firings_of = |plan: &[Fault], name: &str| -> Vec<usize> {
        // Of several that would fail a call one does: what the others decide shows when it is not there.
        let verdicts = verdicts(plan, 200);
        let has = |v: &Verdict| v.firings.iter().any(|firing| &*firing.fault == name);
        (0..).zip(&verdicts).filter(|(_, v)| has(v)).map(|(at, _)| at).collect()
    };
    assert_eq!(firings_of(&all, names[0]), alone(0), "the first is not outdone");
    let reversed: Vec<_> = all.iter().rev().cloned().collect();
    assert_eq!(firings_of(&reversed, names[2]), alone(2), "a position is no name");
    assert_eq!(firings_of(&all[1..], names[1]), alone(1), "nor is the number of faults");
    assert_ne!(alone(0), alone(1), "each has its own numbers");
    for outdone in firings_of(&all, names[1]) {
        assert!(alone(1).contains(&outdone) && !alone(0).contains(&outdone));
    }
}

#[test]
fn counts_and_windows_choose_among_what_matches() {
    let base = fault("a/b", &[0], fails(Errno::EIO));
    assert_eq!(times(core::slice::from_ref(&base), 3), [0, 1, 2]);
    assert_eq!(times(&[Fault { skip: 2, ..base.clone() }], 4), [2, 3]);
    assert_eq!(times(&[Fault { skip: 1, limit: 1, ..base.clone() }], 9), [1]);
    let window = Window {
        after: Quantity::fixed(2),
        length: Some(Quantity::fixed(1)),
        every: Some(Quantity::fixed(3)),
        until: Some(Quantity::fixed(8)),
    };
    assert_eq!(times(&[Fault { window, ..base.clone() }], 20), [2, 5]);
    let rate = Chance::Rate { interval: Quantity::fixed(10) };
    assert_eq!(times(&[Fault { chance: rate, ..base }], 40), [10, 20, 30]);
}

#[test]
fn all_that_a_match_says_must_be_so() {
    let matching = |matches: Match| {
        let matches = Match { calls: vec![0], ..matches };
        let plan = [Fault { matches, ..fault("a/b", &[], fails(Errno::EIO)) }];
        !times(&plan, 1).is_empty()
    };
    let texts = |text: &str| vec![String::from(text)];
    let argument = |index, least, most, bits| Match {
        arguments: vec![Argument { index, least, most, bits }],
        ..Match::default()
    };
    let cases = [
        (Match::default(), true),
        (Match { processes: texts("serv*"), ..Match::default() }, true),
        (Match { processes: texts("/usr/*/service"), ..Match::default() }, true),
        (Match { processes: texts("other"), ..Match::default() }, false),
        (Match { paths: texts("/var/lib/**"), ..Match::default() }, true),
        (Match { paths: texts("/var/lib/*"), ..Match::default() }, false),
        (Match { descriptors: vec![Descriptor::Tcp, Descriptor::File], ..Match::default() }, true),
        (Match { descriptors: vec![Descriptor::Tcp], ..Match::default() }, false),
        (Match { open_descriptors: 10, ..Match::default() }, true),
        (Match { open_descriptors: 11, ..Match::default() }, false),
        (argument(0, 3, 3, 0), true),
        (argument(0, 4, u64::MAX, 0), false),
        (argument(2, 0, u64::MAX, 0x20), true),
        (argument(2, 0, u64::MAX, 0x28), false),
        (
            Match { processes: texts("service"), paths: texts("/elsewhere"), ..Match::default() },
            false,
        ),
    ];
    for (matches, expected) in cases {
        assert_eq!(matching(matches.clone()), expected, "{matches:?}");
    }
}

#[test]
fn what_cannot_be_is_no_opportunity() {
    let mut faults = faults(&[
        Fault { skip: 1, ..fault("a/fail", &[0], fails(Errno::EIO)) },
        Fault { skip: 1, ..fault("a/shorten", &[0], Effect::Shorten(Quantity::fixed(1 << 31))) },
    ]);
    let mut impossible = Plain { possible: false, ..PLAIN };
    for _ in 0..3 {
        assert_eq!(faults.at_call(0, 0, &mut impossible), Verdict::default());
    }
    assert_eq!(faults.at_call(0, 0, &mut { PLAIN }), Verdict::default(), "the one to skip");
    let verdict = faults.at_call(0, 0, &mut { PLAIN });
    assert_eq!((verdict.fail, verdict.bytes_max), (Some(Errno::EIO), Some(50)));
    let hits: Vec<_> = verdict.firings.iter().map(|firing| firing.hit).collect();
    assert_eq!(hits, [Hit::Fail(Errno::EIO), Hit::Shorten { to: 50, of: 100 }]);
}

#[test]
fn a_shortened_call_moves_something_and_not_all() {
    for (share, expected) in [(0, 1), (Share::WHOLE.parts(), 99), (1 << 30, 25)] {
        let plan = [fault("a/b", &[0], Effect::Shorten(Quantity::fixed(share)))];
        assert_eq!(verdicts(&plan, 1)[0].bytes_max, Some(expected));
    }
}

#[test]
fn only_calls_that_faults_are_for_are_looked_at() {
    let faults =
        faults(&[fault("a/b", &[7], fails(Errno::EIO)), fault("a/c", &[8], Effect::Interrupt)]);
    assert_eq!(
        [6, 7, 8, 600, u64::MAX].map(|n| faults.watch_call(n)),
        [false, true, false, false, false]
    );
    assert_eq!([7, 8, 600].map(|n| faults.watch_wait(n)), [false, true, false]);
    assert!(Faults::new(&[], &[], &Random::new(1)).is_none());
}

// Whole calls.

/// `AT_FDCWD` in a register.
const HERE: u64 = nr::AT_FDCWD as i64 as u64;

/// Opens `/file` by its name in the program's memory; its descriptor.
fn open(game: &mut Game) -> i64 {
    game.fill(b"/file\0");
    game.result(nr::__NR_openat, [HERE, game.buffer(), 0, 0, 0, 0])
}

/// Makes a file that can be written; its descriptor.
fn make(game: &mut Game) -> u64 {
    game.fill(b"name\0");
    game.result(nr::__NR_memfd_create, [game.buffer(), 0, 0, 0, 0, 0]) as u64
}

#[test]
fn a_call_fails_as_it_is_told() {
    let mut plan = vec![fault("a/open", &[nr::__NR_openat], fails(Errno::EMFILE))];
    plan[0].matches.paths = vec!["/fil?".into()];
    plan[0].limit = 2;
    let mut game = Game::start_with(1, plan);
    let errors = [open(&mut game), open(&mut game)];
    assert_eq!(errors, [-24, -24]);
    assert_eq!(open(&mut game), 3, "it has fired as often as it may");
}

#[test]
fn a_failing_close_has_closed() {
    let mut game =
        Game::start_with(1, vec![fault("a/close", &[nr::__NR_close], fails(Errno::EIO))]);
    let fd = open(&mut game) as u64;
    assert_eq!(game.result(nr::__NR_close, [fd, 0, 0, 0, 0, 0]), -5);
    assert_eq!(game.result(nr::__NR_fcntl, [fd, 1, 0, 0, 0, 0]), -9, "it is closed");
    assert_eq!(game.result(nr::__NR_close, [fd, 0, 0, 0, 0, 0]), -9, "and cannot fail otherwise");
}

#[test]
fn memory_can_run_out() {
    let calls = [nr::__NR_mmap, nr::__NR_brk];
    let mut game = Game::start_with(1, vec![fault("a/memory", &calls, fails(Errno::ENOMEM))]);
    let end = game.result(nr::__NR_brk, [0; 6]);
    assert!(end > 0, "to ask does not fail");
    assert_eq!(game.result(nr::__NR_brk, [end as u64 + 0x1000, 0, 0, 0, 0, 0]), end);
    let anonymous = u64::from(nr::MAP_PRIVATE | nr::MAP_ANONYMOUS);
    assert_eq!(game.result(nr::__NR_mmap, [0, 0x1000, 3, anonymous, !0, 0]), -12);
}

#[test]
fn errors_of_storage_stay_with_files() {
    let mut game =
        Game::start_with(1, vec![fault("a/write", &[nr::__NR_write], fails(Errno::ENOSPC))]);
    let fd = make(&mut game);
    let buffer = game.buffer();
    assert_eq!(game.result(nr::__NR_write, [fd, buffer, 10, 0, 0, 0]), -28);
    let [_, writer] = pipe(&mut game);
    assert_eq!(game.result(nr::__NR_write, [writer, buffer, 10, 0, 0, 0]), 10);
}

fn pipe(game: &mut Game) -> [u64; 2] {
    assert_eq!(game.result(nr::__NR_pipe2, [game.buffer(), 0, 0, 0, 0, 0]), 0);
    let bytes = game.look(8);
    [0, 4]
        .map(|at| u64::from(u32::from_le_bytes(bytes[at..at + 4].try_into().expect("four bytes"))))
}

#[test]
fn reads_and_writes_are_shortened_where_linux_may() {
    let calls = [nr::__NR_read, nr::__NR_write, nr::__NR_writev];
    let plan = vec![fault("a/short", &calls, Effect::Shorten(Quantity::fixed(1 << 30)))];
    let mut game = Game::start_with(1, plan);
    let buffer = game.buffer();
    let fd = make(&mut game);
    assert_eq!(game.result(nr::__NR_write, [fd, buffer, 100, 0, 0, 0]), 25);
    // A vector of two buffers of 100 bytes.
    let vector: Vec<u8> =
        [buffer + 64, 100, buffer + 64, 100].iter().flat_map(|word| word.to_le_bytes()).collect();
    game.fill(&vector);
    assert_eq!(game.result(nr::__NR_writev, [fd, buffer, 2, 0, 0, 0]), 50);
    let [reader, writer] = pipe(&mut game);
    assert_eq!(game.result(nr::__NR_write, [writer, buffer, 4096, 0, 0, 0]), 4096, "atomic");
    assert_eq!(game.result(nr::__NR_read, [reader, buffer, 4096, 0, 0, 0]), 1024);
    assert_eq!(game.result(nr::__NR_write, [writer, buffer, 8192, 0, 0, 0]), 2048);
}

#[test]
fn a_slow_call_takes_its_time_and_then_does_what_it_does() {
    let delay = Effect::Delay(Quantity::fixed(5_000_000));
    let mut game = Game::start_with(1, vec![fault("a/slow", &[nr::__NR_write], delay)]);
    let buffer = game.buffer();
    let [_, writer] = pipe(&mut game);
    let before = game.elapsed();
    assert_eq!(game.result(nr::__NR_write, [writer, buffer, 10, 0, 0, 0]), 10);
    let took = game.elapsed() - before;
    assert!((5_000_000..5_010_000).contains(&took.as_nanos()), "{took:?}");
}

/// Sets a handler for SIGUSR1.
fn handle(game: &mut Game, flags: u32) {
    let action: Vec<u8> = [0x1000_0000, u64::from(flags | 0x0400_0000), 0x1000_0000, 0]
        .iter()
        .flat_map(|word: &u64| word.to_le_bytes())
        .collect();
    game.fill(&action);
    let buffer = game.buffer();
    assert_eq!(game.result(nr::__NR_rt_sigaction, [10, buffer, 0, 8, 0, 0]), 0);
}

#[test]
fn waits_are_interrupted_where_a_signal_could() {
    let calls = [nr::__NR_nanosleep];
    let mut game = Game::start_with(1, vec![fault("a/eintr", &calls, Effect::Interrupt)]);
    let buffer = game.buffer();
    let sleep = |game: &mut Game| {
        game.fill(&[7u64, 0, 0, 0].iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
        let before = game.elapsed();
        let result = game.result(nr::__NR_nanosleep, [buffer, buffer + 16, 0, 0, 0, 0]);
        (result, (game.elapsed() - before).as_secs())
    };
    assert_eq!(sleep(&mut game), (0, 7), "without a handler nothing interrupts");
    handle(&mut game, nr::SA_RESTART);
    assert_eq!(sleep(&mut game), (-4, 0));
    let left = game.look(32);
    assert_eq!(left[16..24], 7u64.to_le_bytes(), "it says how much is left");
}

#[test]
fn handlers_that_restart_calls_leave_reads_alone() {
    let mut game = Game::start_with(1, vec![fault("a/eintr", &[nr::__NR_read], Effect::Interrupt)]);
    let buffer = game.buffer();
    handle(&mut game, 0);
    let [reader, writer] = pipe(&mut game);
    assert_eq!(game.result(nr::__NR_read, [reader, buffer, 1, 0, 0, 0]), -4);
    assert_eq!(game.result(nr::__NR_write, [writer, buffer, 1, 0, 0, 0]), 1);
    assert_eq!(game.result(nr::__NR_read, [reader, buffer, 1, 0, 0, 0]), 1, "it need not wait");
}

/// A fault that comes at its time.
fn timed(name: &str, at: u64, effect: Effect) -> Fault {
    let window = Window { after: Quantity::fixed(at), length: None, every: None, until: None };
    Fault { window, limit: 1, ..fault(name, &[], effect) }
}

const SECOND: u64 = 1_000_000_000;

fn sleep(game: &mut Game, seconds: u64) -> i64 {
    game.fill(&[seconds, 0].iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<_>>());
    let buffer = game.buffer();
    game.result(nr::__NR_nanosleep, [buffer, 0, 0, 0, 0, 0])
}

#[test]
fn a_process_stands_still_and_goes_on() {
    let pause = |at| timed("a/pause", at * SECOND, Effect::Pause(Quantity::fixed(5 * SECOND)));
    let mut game = Game::start_with(1, vec![pause(1)]);
    assert_eq!((sleep(&mut game, 2), game.elapsed().as_secs()), (0, 6));
    let plan = fault("a/pause", &[nr::__NR_getppid], Effect::Pause(Quantity::fixed(5 * SECOND)));
    let mut game = Game::start_with(1, vec![Fault { skip: 1, limit: 1, ..plan }]);
    let times = [(); 3].map(|()| {
        assert_eq!(game.result(nr::__NR_getppid, [0; 6]), 1);
        game.elapsed().as_secs()
    });
    assert_eq!(times, [0, 5, 5]);
}

#[test]
fn a_process_dies_before_the_call() {
    let plan = fault("a/kill", &[nr::__NR_memfd_create], Effect::Kill(9));
    let mut game = Game::start_with(1, vec![Fault { skip: 1, ..plan }]);
    assert_eq!(make(&mut game), 3);
    game.end_by(nr::__NR_memfd_create);
    assert_eq!(game.status(), Some(9));
    let mut game = Game::start_with(1, vec![timed("a/kill", 3 * SECOND, Effect::Kill(9))]);
    game.end_by(nr::__NR_pause);
    assert_eq!((game.status(), game.elapsed().as_secs()), (Some(9), 3));
}

#[test]
fn nothing_that_only_stops_others_keeps_a_run_alive() {
    let pause = Effect::Pause(Quantity::fixed(SECOND));
    let chance = Chance::Rate { interval: Quantity::fixed(SECOND) };
    let mut game =
        Game::start_with(1, vec![Fault { chance, limit: u64::MAX, ..timed("a/pause", 0, pause) }]);
    game.end_by(nr::__NR_pause);
    assert_eq!(game.status(), None, "a deadlock is one");
}

#[test]
fn time_outs_come_late_and_waits_end_early() {
    let late = Effect::Oversleep(Quantity::fixed(3 * SECOND));
    let mut game = Game::start_with(1, vec![fault("a/late", &[nr::__NR_nanosleep], late)]);
    assert_eq!((sleep(&mut game, 2), game.elapsed().as_secs()), (0, 5));
    let mut game = Game::start_with(1, vec![fault("a/wake", &[nr::__NR_futex], Effect::Wake)]);
    game.fill(&[0; 8]);
    let buffer = game.buffer();
    let wait = u64::from(nr::FUTEX_WAIT | nr::FUTEX_PRIVATE_FLAG);
    assert_eq!(game.result(nr::__NR_futex, [buffer, wait, 0, 0, 0, 0]), 0, "nobody woke it");
}

#[test]
fn the_wall_clock_jumps_and_the_monotonic_one_goes_on() {
    let by = Quantity::fixed(100 * SECOND);
    for (direction, expected) in [(Direction::Forward, 110), (Direction::Backward, -90)] {
        let effect = Effect::JumpClock { by: by.clone(), direction };
        let mut game = Game::start_with(1, vec![timed("a/jump", 5 * SECOND, effect)]);
        let wall = |game: &mut Game, clock: u32| {
            let buffer = game.buffer();
            game.result(nr::__NR_clock_gettime, [u64::from(clock), buffer, 0, 0, 0, 0]);
            i64::from_le_bytes(game.look(8).try_into().expect("eight bytes"))
        };
        let clocks = [nr::CLOCK_REALTIME, nr::CLOCK_MONOTONIC];
        let before = clocks.map(|clock| wall(&mut game, clock));
        sleep(&mut game, 10);
        let after = clocks.map(|clock| wall(&mut game, clock));
        assert_eq!([after[0] - before[0], after[1] - before[1]], [expected, 10]);
    }
}

#[test]
fn a_disk_asks_for_its_own() {
    let plan = Fault {
        matches: Match { disk: vec![DiskOperation::Write], calls: vec![0], ..Match::default() },
        ..fault("a/disk", &[], fails(Errno::EIO))
    };
    let mut faults = faults(&[plan]);
    assert_eq!(faults.disk(DiskOperation::Write, 0, &mut { PLAIN }).fail, Some(Errno::EIO));
    assert_eq!(faults.disk(DiskOperation::Read, 0, &mut { PLAIN }), Verdict::default());
    assert_eq!(faults.at_call(0, 0, &mut { PLAIN }).fail, Some(Errno::EIO));
}

#[test]
fn programs_of_any_bytes_run_as_before_under_faults() {
    let calls: Vec<u32> = (0..470).collect();
    let draw = |draw| Quantity { draw, correlation: Share::from_parts(1 << 30) };
    let plan = |seed: u64| {
        let mut plan = vec![
            fault("a/fail", &calls, Effect::Fail(vec![5, 12, 11, 32])),
            fault("a/interrupt", &calls, Effect::Interrupt),
            fault("a/shorten", &calls, Effect::Shorten(draw(Draw::Uniform(0, 1 << 32)))),
            fault("a/delay", &calls, Effect::Delay(draw(Draw::Uniform(0, 10_000_000)))),
            fault("a/late", &calls, Effect::Oversleep(draw(Draw::Uniform(0, 10_000_000)))),
            fault("a/wake", &calls, Effect::Wake),
            fault("a/pause", &calls, Effect::Pause(draw(Draw::Uniform(0, 10_000_000)))),
            fault("a/signal", &calls, Effect::Kill(17)),
        ];
        let often = Chance::Rate { interval: draw(Draw::Uniform(0, 5_000_000)) };
        let often = |name, effect| Fault {
            chance: often.clone(),
            limit: u64::MAX,
            ..timed(name, 0, effect)
        };
        let by = draw(Draw::Uniform(0, SECOND));
        let jump = Effect::JumpClock { by: by.clone(), direction: Direction::Backward };
        let timed = [
            often("t/pause", Effect::Pause(by)),
            often("t/jump", jump),
            often("t/kill", Effect::Kill(23)),
        ];
        for fault in &mut plan {
            fault.chance = Chance::Probability {
                share: Share::from_parts((1 << 32) / (2 + seed % 9)),
                correlation: Share::NONE,
            };
        }
        plan.extend(timed);
        plan
    };
    for seed in 0..40 {
        let mut bytes = vec![0; 3000];
        Random::new(seed).derive(crate::random::Purpose::Fault, 1).fill(&mut bytes);
        let played = crate::testing::program::play_with(&bytes, plan(seed));
        let again = crate::testing::program::play_with(&bytes, plan(seed));
        assert_eq!(played, again, "seed {seed}");
    }
}

#[test]
fn a_fault_that_fires_has_others_fire_more_often_for_a_while() {
    let rate = Chance::Rate { interval: Quantity::fixed(1000) };
    let raise = Raise { faults: vec!["a/*".into()], factor: 100, length: Quantity::fixed(500) };
    let first = Window { after: Quantity::fixed(2100), ..fault("", &[], Effect::Wake).window };
    let plan = [
        Fault {
            window: first,
            limit: 1,
            raises: Some(raise),
            ..fault("a/one", &[0], fails(Errno::EIO))
        },
        Fault { chance: rate, ..fault("a/two", &[1], fails(Errno::ENOSPC)) },
        Fault { chance: half(), ..fault("b/one", &[2], fails(Errno::ENOMEM)) },
    ];
    let mut all = faults(&plan);
    let mut times = Vec::new();
    for now in 0..4000 {
        all.at_call(0, now, &mut { PLAIN });
        if all.at_call(1, now, &mut { PLAIN }).fail.is_some() {
            times.push(now);
        }
    }
    let within =
        |range: core::ops::Range<u64>| times.iter().filter(|at| range.contains(at)).count();
    assert_eq!((within(0..2100), within(2600..4000)), (2, 2), "{times:?}");
    assert!((45..=50).contains(&within(2100..2600)), "{times:?}");
    assert!(all.take_raised(4000).is_empty(), "none of them comes at its time");
}
