//! What faults do to the turns of threads.

use serde::{Deserialize, Serialize};

use crate::faults::Quantity;

/// What a fault does to the turns of threads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum OnThreads {
    /// A thread has no turn for so long, in nanoseconds, while others can run: the one that calls, or one of the process at
    /// its time.
    Starve(Quantity),
    /// A thread that waits goes on so much later, in nanoseconds, once it has been woken.
    DelayWakeup(Quantity),
    /// Who came last to a futex is woken first.
    ReverseWakes,
    /// Turns go by priorities that are drawn.
    Prioritize {
        /// How often the priority of the thread that runs is lowered.
        changes: Quantity,
        /// Among how many decisions of the scheduler that is drawn.
        steps: u64,
    },
    /// What a process does takes so many times the time.
    SlowProcessor(u64),
}
