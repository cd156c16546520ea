//! The run queue and the choices made from it.

use alloc::{collections::BTreeMap, vec::Vec};

use simrun_abi::{boot::Strategy, event::What};

use crate::{process::ThreadId, random::Stream};

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
    pub fn pick(&mut self) -> Option<(ThreadId, Option<What>)> {
        if self.queue.is_empty() {
            return None;
        }
        let (taken, choice) = self.choose(self.queue.len());
        Some((self.queue.remove(taken), choice))
    }

    /// Whether the running thread gives way here, as a choice. Asked once a call while others wait.
    ///
    /// To go on is the rule and is not recorded: up to the last forced choice, what is not forced goes on.
    pub fn preempts(&mut self) -> Option<What> {
        let number = self.choices;
        self.choices += 1;
        let drawn = match self.strategy {
            Strategy::RoundRobin => false,
            Strategy::Random => self.random.below(self.preempt_one_in) == 0,
        };
        let taken = match self.forced.last_key_value() {
            Some((&last, _)) if number <= last => self.forced.get(&number) == Some(&1),
            _ => drawn,
        };
        taken.then_some(What::Choice { number, options: 2, taken: 1 })
    }

    fn choose(&mut self, options: usize) -> (usize, Option<What>) {
        if options == 1 {
            return (0, None);
        }
        let number = self.choices;
        self.choices += 1;
        let drawn = match self.strategy {
            Strategy::RoundRobin => 0,
            Strategy::Random => self.random.below(options as u64) as usize,
        };
        let taken =
            self.forced.get(&number).map_or(drawn, |&forced| (forced as usize).min(options - 1));
        (taken, Some(What::Choice { number, options: options as u32, taken: taken as u32 }))
    }
}
