//! How a run ended.

use std::{fs::File, sync::atomic::Ordering, time::Duration};

use nix::sys::signal::Signal;
use simrun_abi::control::{Control, End, PANIC_SIZE};

use super::spin::Spin;

/// A run that is over.
#[derive(Debug)]
pub struct Outcome {
    /// How it ended.
    pub ending: Ending,
    /// How far it got.
    pub tally: Tally,
    /// Real time it took.
    pub wall: Duration,
    /// What it has done to its files, as [`crate::captured`] reads it.
    pub capture: File,
}

/// How a run ended.
#[derive(Debug)]
pub enum Ending {
    /// The command ended, with this wait status.
    Finished {
        /// As waitpid(2) has it.
        status: u32,
    },
    /// Simulated time ran out.
    TimedOut,
    /// Real time ran out.
    WallTimedOut {
        /// The program that ran last.
        program: String,
    },
    /// A signal to simrun.
    Interrupted(Signal),
    /// Nothing can run and no timer is set.
    Deadlock,
    /// A thread has kept others waiting for too long, and the run is to begin again, see [`super::learn`].
    Spin(Spin),
    /// The command's program cannot be executed.
    NotStarted(String),
    /// The image itself failed.
    Panic(String),
    /// Something the simulation cannot go on from.
    Unsupported(String),
    /// The host ran out of something.
    HostExhausted(String),
    /// Processes of the run are gone, and the simulation did not do it.
    Lost(String),
}

impl Ending {
    /// The end that the image told; `None` while the run goes on.
    pub fn told(control: &Control) -> Option<Self> {
        let words = || {
            let len = (control.panic_len.load(Ordering::Acquire) as usize).min(PANIC_SIZE);
            let bytes: Vec<u8> =
                control.panic[..len].iter().map(|byte| byte.load(Ordering::Relaxed)).collect();
            String::from_utf8_lossy(&bytes).into_owned()
        };
        Some(match End::from_raw(control.end.load(Ordering::Acquire)) {
            Some(End::Running) => return None,
            Some(End::Finished) => {
                Self::Finished { status: control.status.load(Ordering::Relaxed) }
            }
            Some(End::TimedOut) => Self::TimedOut,
            Some(End::Deadlock) => Self::Deadlock,
            Some(End::NotStarted) => Self::NotStarted(words()),
            Some(End::Panic) => Self::Panic(words()),
            Some(End::Unsupported) => Self::Unsupported(words()),
            Some(End::HostExhausted) => Self::HostExhausted(words()),
            None => Self::Lost("the control block was overwritten".into()),
        })
    }

    /// Whether the same seed ends at the same place again, so that fingerprints can be compared.
    pub fn has_fingerprint(&self) -> bool {
        matches!(self, Self::Finished { .. } | Self::TimedOut | Self::Deadlock)
    }
}

/// How far a run got.
#[derive(Debug)]
pub struct Tally {
    /// The digest of all events.
    pub fingerprint: u64,
    /// Simulated time.
    pub simulated: Duration,
    /// System calls and other entries into the kernel.
    pub entries: u64,
    /// Scheduling choices.
    pub choices: u64,
    /// Switches between threads.
    pub switches: u64,
}

impl Tally {
    /// As the control block has it now.
    pub fn read(control: &Control) -> Self {
        Self {
            fingerprint: control.fingerprint.load(Ordering::Relaxed),
            simulated: Duration::from_nanos(control.now_ns.load(Ordering::Relaxed)),
            entries: control.entries.load(Ordering::Relaxed),
            choices: control.choices.load(Ordering::Relaxed),
            switches: control.switches.load(Ordering::Relaxed),
        }
    }
}
