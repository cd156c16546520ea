//! The run queue and the choices made from it.

use alloc::{collections::BTreeMap, vec::Vec};

use simrun_abi::{boot::Strategy, event::What};

use super::Priorities;
use crate::{process::ThreadId, random::Stream, time::Instant};

/// Preemption rates that a seed may draw, as one in so many calls. Some bugs need a switch at every call,
/// others that a thread gets far before its peers move; a rate per run finds both (rr's chaos mode varies
/// its time slices for the same reason).
const PREEMPT_ONE_IN: [u64; 4] = [2, 8, 32, 128];

/// The run queue and the choices made from it.
///
/// The running thread is not in the queue. Every unforced decision is a choice: numbered from zero,
/// recorded, and replaceable by a forced one.
pub struct Scheduler {
    queue: Vec<ThreadId>,
    strategy: Strategy,
    preempt_one_in: u64,
    random: Stream,
    forced: BTreeMap<u64, u32>,
    choices: u64,
    /// Threads that have no turn until some instant, while others can run.
    starved: BTreeMap<ThreadId, Instant>,
    priorities: Option<Priorities>,
}

/// What becomes of the running thread's turn.
pub struct Turn {
    /// The choice, if it gives way.
    pub gives_way: Option<What>,
    /// Whether it has just fallen behind all others.
    pub fell_behind: bool,
}

impl Scheduler {
    /// A scheduler with an empty queue.
    #[must_use]
    pub fn new(strategy: Strategy, mut random: Stream, forced: &[(u64, u32)]) -> Self {
        let preempt_one_in = PREEMPT_ONE_IN[random.below(PREEMPT_ONE_IN.len() as u64) as usize];
        Self {
            queue: Vec::new(),
            strategy,
            preempt_one_in,
            random,
            forced: forced.iter().copied().collect(),
            choices: 0,
            starved: BTreeMap::new(),
            priorities: None,
        }
    }

    /// From now on turns go by priorities.
    pub fn prioritize(&mut self, priorities: Priorities) {
        self.priorities = Some(priorities);
    }

    /// Until an instant, a thread has no turn while others can run.
    pub fn starve(&mut self, thread: ThreadId, until: Instant) {
        let until = self.starved.get(&thread).map_or(until, |&before| before.max(until));
        self.starved.insert(thread, until);
    }

    /// A thread is gone.
    pub fn forget(&mut self, thread: ThreadId) {
        self.dequeue(thread);
        self.starved.remove(&thread);
        if let Some(priorities) = &mut self.priorities {
            priorities.forget(thread);
        }
    }

    /// A thread gives way by itself.
    pub fn note_yield(&mut self, thread: ThreadId) {
        if let Some(priorities) = &mut self.priorities {
            priorities.fall_behind(thread);
        }
    }

    /// Adds a thread that can run now.
    pub fn enqueue(&mut self, thread: ThreadId) {
        self.queue.push(thread);
    }

    /// Takes a thread out, wherever it is.
    pub fn dequeue(&mut self, thread: ThreadId) {
        self.queue.retain(|&queued| queued != thread);
    }

    /// Whether any thread waits for its turn.
    #[must_use]
    pub fn has_waiting(&self) -> bool {
        !self.queue.is_empty()
    }

    /// The threads that wait for their turn.
    #[must_use]
    pub fn queued(&self) -> &[ThreadId] {
        &self.queue
    }

    /// Choices made so far.
    #[must_use]
    pub fn choices(&self) -> u64 {
        self.choices
    }

    /// Takes the next thread out of the queue; the choice made, if there was one to make.
    pub fn pick(&mut self, now: Instant) -> Option<(ThreadId, Option<What>)> {
        if self.queue.is_empty() {
            return None;
        }
        if self.starved.is_empty() {
            let (taken, choice) = self.choose(self.queue.len(), |place| place);
            return Some((self.queue.remove(taken), choice));
        }
        let mut places = self.places_of_fed(now);
        if places.is_empty() {
            places = (0..self.queue.len()).collect();
        }
        let (taken, choice) = self.choose(places.len(), |option| places[option]);
        Some((self.queue.remove(places[taken]), choice))
    }

    /// Where those stand in the queue who are not starved.
    fn places_of_fed(&mut self, now: Instant) -> Vec<usize> {
        self.starved.retain(|_, until| *until > now);
        let is_fed = |&place: &usize| !self.starved.contains_key(&self.queue[place]);
        (0..self.queue.len()).filter(is_fed).collect()
    }

    /// Whether the running thread gives way here, as a choice. Asked once a call while others wait.
    ///
    /// To go on is the rule and is not recorded: up to the last forced choice, what is not forced goes on.
    pub fn preempts(&mut self, running: ThreadId, now: Instant) -> Turn {
        let number = self.choices;
        self.choices += 1;
        let mut fell_behind = false;
        let mut drawn = match (&mut self.priorities, self.strategy) {
            (Some(priorities), _) => {
                let overtakes = priorities.overtakes(running, self.queue.iter().copied());
                fell_behind = overtakes.1;
                overtakes.0
            }
            (None, Strategy::RoundRobin) => false,
            (None, Strategy::Random) => self.random.below(self.preempt_one_in) == 0,
        };
        if !self.starved.is_empty() {
            let fed = !self.places_of_fed(now).is_empty();
            drawn = fed && (drawn || self.starved.contains_key(&running));
        }
        let taken = match self.forced.last_key_value() {
            Some((&last, _)) if number <= last => self.forced.get(&number) == Some(&1),
            _ => drawn,
        };
        let gives_way = taken.then_some(What::Choice { number, options: 2, taken: 1 });
        Turn { gives_way, fell_behind }
    }

    /// Which of so many threads is next; `place` says where in the queue each stands.
    fn choose(&mut self, options: usize, place: impl Fn(usize) -> usize) -> (usize, Option<What>) {
        if options == 1 {
            return (0, None);
        }
        let number = self.choices;
        self.choices += 1;
        let drawn = match (&mut self.priorities, self.strategy) {
            (Some(priorities), _) => {
                priorities.highest((0..options).map(|option| self.queue[place(option)]))
            }
            (None, Strategy::RoundRobin) => 0,
            (None, Strategy::Random) => self.random.below(options as u64) as usize,
        };
        let taken =
            self.forced.get(&number).map_or(drawn, |&forced| (forced as usize).min(options - 1));
        (taken, Some(What::Choice { number, options: options as u32, taken: taken as u32 }))
    }
}
