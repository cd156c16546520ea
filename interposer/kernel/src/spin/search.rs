//! Whether a thread goes in a circle.
//!
//! Brent's method: the state is compared with one kept, which is replaced after twice as many steps each time. Only
//! what was written since can differ in memory, so that is all of it that is kept.

use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};

use simrun_abi::layout;

use super::{
    effects::{Decode, Effects, Machine},
    place::Place,
};
use crate::{arch::x86_64::Branch, host::Host};

/// Bytes of memory kept and compared at a time.
const WORD: u64 = 8;
/// Steps after which the kept state is replaced for the first time.
const FIRST_LIMIT: u64 = 16;
/// How often a jump back must have been taken to count as one that makes a loop.
const ROUNDS_MIN: u64 = 8;

/// What comes of one step.
#[derive(Debug, PartialEq, Eq)]
pub enum Step {
    /// Execute the next instruction and come back.
    Further,
    /// The next instruction is a patched jump: go on here and come back.
    Jump(u64),
    /// The thread waits, and stands at its place.
    Circle(Circle),
    /// It does not, or it cannot be told. The jump that makes the widest loop seen, if there was one.
    Computes(Option<u64>),
}

/// A circle that a thread goes in, at the place that stands for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Circle {
    /// The thread's state there.
    pub machine: Machine,
    /// Its instructions.
    pub period: u64,
    /// All that it reads or writes, as it is there: addresses and words. While these stay as they are, it goes on.
    pub memory: Vec<(u64, u64)>,
    /// The jump at the place, if there is one.
    pub branch: Option<Branch>,
}

impl Circle {
    /// Whether a thread that stands at the place would go round as before.
    #[must_use]
    pub fn is_closed(&self, host: &mut dyn Host) -> bool {
        self.memory.iter().all(|&(at, word)| read_word(host, at) == Some(word))
    }
}

/// An instruction that the circle has, and how often.
#[derive(Clone, Copy, Debug)]
struct Visited {
    times: u64,
    branch: Option<Branch>,
}

/// What the search is at.
enum Phase {
    /// Looks for the kept state to come again.
    Find { limit: u64 },
    /// Goes round once more and notes every instruction.
    Survey { period: u64, visited: BTreeMap<u64, Visited>, read: BTreeSet<u64> },
    /// Goes on to the place that stands for the circle.
    Approach { period: u64, place: u64, read: BTreeSet<u64> },
}

/// A search among the instructions of one thread.
pub struct Search {
    phase: Phase,
    kept: Machine,
    since: u64,
    left: u64,
    /// Words written since the state was kept, as they were then.
    before: BTreeMap<u64, u64>,
    /// Jumps back, and how often each was taken.
    rounds: BTreeMap<u64, u64>,
    decode: Decode,
}

impl Search {
    /// A search that begins with this state and gives up after so many steps.
    #[must_use]
    pub fn new(machine: Machine, steps: u64) -> Self {
        Self {
            phase: Phase::Find { limit: FIRST_LIMIT },
            kept: machine,
            since: 0,
            left: steps,
            before: BTreeMap::new(),
            rounds: BTreeMap::new(),
            decode: Decode::default(),
        }
    }

    /// Looks at the state before the next instruction. `extended` gives the digest of vector registers, which is asked
    /// for only where all else is as it was.
    pub fn step(
        &mut self,
        host: &mut dyn Host,
        places: &BTreeMap<u64, Place>,
        mut machine: Machine,
        extended: impl Fn() -> u64,
    ) -> Step {
        let rip = machine.registers.rip;
        if self.left == 0 || layout::is_own(rip) {
            return self.give_up();
        }
        self.left -= 1;
        if let Phase::Find { limit } = self.phase {
            let general = Machine { extended: self.kept.extended, ..machine };
            if self.since >= limit || general == self.kept {
                machine.extended = extended();
                self.compare(host, machine, limit);
            }
        }
        let patched = places.get(&rip).and_then(|place| place.patched).map(|(branch, _)| branch);
        let branch = match patched {
            Some(branch) => {
                self.decode.forget();
                Some(branch)
            }
            None => match self.decode.effects(host, &machine) {
                Effects::Ordinary(branch) => branch,
                Effects::Unknown => return self.give_up(),
            },
        };
        if let Some((period, read)) = self.arrives(rip, branch) {
            machine.extended = extended();
            let all = self.before.keys().copied().chain(read).collect::<BTreeSet<_>>();
            let words = all.into_iter().filter_map(|at| Some((at, read_word(host, at)?)));
            return Step::Circle(Circle { machine, period, memory: words.collect(), branch });
        }
        if let Some(branch) = branch
            && branch.next(rip, machine.registers.eflags) <= rip
        {
            *self.rounds.entry(rip).or_default() += 1;
        }
        self.since += 1;
        if let Some(branch) = patched {
            return Step::Jump(branch.next(rip, machine.registers.eflags));
        }
        if self.keep_written(host) { Step::Further } else { self.give_up() }
    }

    /// Whether the kept state has come again; if not, and its time is over, keeps this one.
    fn compare(&mut self, host: &mut dyn Host, machine: Machine, limit: u64) {
        if self.since > 0 && machine == self.kept && self.memory_is_as_before(host) {
            let (visited, read) = (BTreeMap::new(), BTreeSet::new());
            self.phase = Phase::Survey { period: self.since, visited, read };
            self.since = 0;
        } else if self.since >= limit {
            (self.kept, self.since) = (machine, 0);
            self.before.clear();
            self.phase = Phase::Find { limit: limit.saturating_mul(2) };
        }
    }

    fn memory_is_as_before(&self, host: &mut dyn Host) -> bool {
        self.before.iter().all(|(&address, &word)| read_word(host, address) == Some(word))
    }

    /// Once the circle is known: notes the instruction, or gives length and words read when its place is reached.
    fn arrives(&mut self, rip: u64, branch: Option<Branch>) -> Option<(u64, BTreeSet<u64>)> {
        if let Phase::Survey { period, visited, read } = &mut self.phase {
            if self.since < *period {
                self.decode.reads.iter().for_each(|&bytes| read.extend(words(bytes)));
                visited.entry(rip).or_insert(Visited { times: 0, branch }).times += 1;
                return None;
            }
            match representative(visited) {
                Some(place) => {
                    let read = core::mem::take(read);
                    self.phase = Phase::Approach { period: *period, place, read };
                }
                None => self.left = 0,
            }
        }
        match &mut self.phase {
            Phase::Approach { period, place, read } if *place == rip => {
                Some((*period, core::mem::take(read)))
            }
            _ => None,
        }
    }

    /// Keeps what the next instruction writes over; whether that can be read.
    fn keep_written(&mut self, host: &mut dyn Host) -> bool {
        let Self { decode, before, .. } = self;
        decode.writes.iter().all(|&bytes| {
            words(bytes).all(|at| {
                if before.contains_key(&at) {
                    return true;
                }
                let word = read_word(host, at);
                word.is_some_and(|word| before.insert(at, word).is_none())
            })
        })
    }

    /// The jump of the widest loop: the one taken least often of those that make one. Of several, the first in memory.
    fn give_up(&self) -> Step {
        let loops = self.rounds.iter().filter(|&(_, &times)| times >= ROUNDS_MIN);
        Step::Computes(loops.min_by_key(|&(&at, &times)| (times, at)).map(|(&at, _)| at))
    }
}

/// The place that stands for a circle, whatever search found it: of the instructions that come once in it, a jump if
/// there is one, and the first in memory.
fn representative(visited: &BTreeMap<u64, Visited>) -> Option<u64> {
    let once = || visited.iter().filter(|(_, visited)| visited.times == 1);
    let jump = once().find(|(_, visited)| visited.branch.is_some());
    jump.or_else(|| once().next()).map(|(&place, _)| place)
}

/// Addresses of the words that some bytes lie in.
fn words((address, len): (u64, u64)) -> impl Iterator<Item = u64> {
    (address & !(WORD - 1)..address.saturating_add(len)).step_by(WORD as usize)
}

/// The word at an address that is a multiple of its size.
fn read_word(host: &mut dyn Host, address: u64) -> Option<u64> {
    let mut bytes = [0; WORD as usize];
    host.read_user(address, &mut bytes).ok()?;
    Some(u64::from_le_bytes(bytes))
}

#[cfg(test)]
mod tests {
    use alloc::vec;

    use super::*;
    use crate::{arch::x86_64::Registers, testing::FakeHost};

    /// Plays code in which `inc` and `mov` are all that is done between jumps, beginning after so many instructions.
    fn search(code: &[u8], begin: usize) -> Step {
        let mut host = FakeHost::default();
        host.memory = vec![0; 4096];
        host.memory[..code.len()].copy_from_slice(code);
        let data = FakeHost::MEMORY + 2048;
        let registers = Registers { rip: FakeHost::MEMORY, rbx: data, ..Registers::default() };
        let mut machine = Machine { registers, bases: (0, 0), extended: 0 };
        for _ in 0..begin {
            execute(&mut host, &mut machine.registers);
        }
        let mut search = Search::new(machine, 2000);
        loop {
            match search.step(&mut host, &BTreeMap::new(), machine, || 0) {
                Step::Further => execute(&mut host, &mut machine.registers),
                end => return end,
            }
        }
    }

    fn execute(host: &mut FakeHost, registers: &mut Registers) {
        let mut code = [0; 6];
        host.read_user(registers.rip, &mut code).expect("code");
        let add = |host: &mut FakeHost, by: u8| {
            let mut byte = [0];
            host.read_user(registers.rbx, &mut byte).expect("data");
            host.write_user(registers.rbx, &[byte[0].wrapping_add(by)]).expect("data");
            2
        };
        let len: u64 = match code {
            [0x90, ..] => 1,
            [0x48, 0xff, 0xc0, ..] => {
                registers.rax += 1;
                3
            }
            // incb (%rbx); decb (%rbx)
            [0xfe, 0x03, ..] => add(host, 1),
            [0xfe, 0x0b, ..] => add(host, 255),
            _ => {
                let branch = Branch::decode(&code).expect("a jump");
                branch.next(registers.rip, registers.eflags).wrapping_sub(registers.rip)
            }
        };
        registers.rip = registers.rip.wrapping_add(len);
    }

    #[test]
    fn a_circle_has_one_place_wherever_the_search_begins() {
        // nop; nop; jmp +1; (nop); incb (%rbx); decb (%rbx); jmp to the first
        let code = [0x90, 0x90, 0xeb, 0x01, 0x90, 0xfe, 0x03, 0xfe, 0x0b, 0xeb, 0xf5];
        for begin in 0..20 {
            let Step::Circle(circle) = search(&code, begin) else { panic!("{begin}: no circle") };
            assert_eq!(circle.machine.registers.rip, FakeHost::MEMORY + 2, "{begin}");
            assert_eq!(circle.memory, [(FakeHost::MEMORY + 2048, 0)], "{begin}");
            assert!(circle.branch.is_some());
        }
    }

    #[test]
    fn whoever_counts_goes_in_no_circle() {
        // In a register, then in memory: inc %rax; jmp -5 / incb (%rbx); nop; jmp -5 (comes round after 256).
        assert_eq!(
            search(&[0x48, 0xff, 0xc0, 0xeb, 0xfb], 0),
            Step::Computes(Some(FakeHost::MEMORY + 3))
        );
        let code = [0xfe, 0x03, 0x90, 0xeb, 0xfb];
        let Step::Computes(_) = search(&code, 0) else { panic!("each place comes 256 times") };
    }
}
