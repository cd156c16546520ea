//! Noticing that a run waits for standard input. What it reads is an input as the seed is, whenever it comes, so that the
//! whole run waits for it, and for as long as nobody writes to it or closes it.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use nix::unistd::Pid;
use simrun_abi::control::Control;

use super::processes;

/// How long a run waits until that is told.
const LONG: Duration = Duration::from_secs(3);

/// Since when a run has waited.
#[derive(Default)]
pub struct InputWatch {
    since: Option<Instant>,
    told: bool,
}

impl InputWatch {
    /// Looks again; tells once, of the program that the run waits for input with.
    pub fn look(&mut self, control: &Control) -> Option<String> {
        if control.awaits_input.load(Ordering::Relaxed) == 0 {
            self.since = None;
            return None;
        }
        let waits = self.since.get_or_insert_with(Instant::now).elapsed();
        if self.told || waits < LONG {
            return None;
        }
        self.told = true;
        Some(processes::program(Pid::from_raw(control.holder.load(Ordering::Relaxed))))
    }
}
